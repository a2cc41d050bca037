//! Letters as outlines.

use super::scene::{Spot, Weight};
use crate::typeface;
use ttf_parser::{Face, OutlineBuilder};

/// Straight pieces of a curve; letters are small.
const CURVE_PIECES: u8 = 6;

/// The letters of one weight.
pub(super) struct Font {
    face: Face<'static>,
}

impl Font {
    pub(super) fn new(weight: Weight) -> Self {
        let bytes = match weight {
            Weight::Regular => typeface::REGULAR,
            Weight::Medium => typeface::MEDIUM,
        };
        Self { face: Face::parse(bytes, 0).expect("our own font is whole") }
    }

    /// Width of a text with an em of `size`.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        text.chars().map(|letter| self.advance(letter)).sum::<f64>() * self.scale(size)
    }

    /// As much of the text as fits `width`, with an ellipsis where something was left out.
    pub(super) fn cut(&self, text: &str, size: f64, width: f64) -> String {
        if self.width(text, size) <= width {
            return text.to_owned();
        }
        let mut kept: String = text.to_owned();
        while kept.pop().is_some() {
            let shown = format!("{}\u{2026}", kept.trim_end());
            if self.width(&shown, size) <= width {
                return shown;
            }
        }
        String::new()
    }

    /// The outlines of a text that starts at `at`, each closed.
    pub(super) fn outlines(&self, text: &str, size: f64, at: Spot) -> Vec<Vec<Spot>> {
        let scale = self.scale(size);
        let mut pen = Pen { origin: at, scale, outlines: Vec::new(), current: Vec::new() };
        for letter in text.chars() {
            let glyph = self.face.glyph_index(letter).unwrap_or_default();
            let _ = self.face.outline_glyph(glyph, &mut pen);
            pen.origin.x += self.advance(letter) * scale;
        }
        pen.outlines
    }

    fn scale(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }

    fn advance(&self, letter: char) -> f64 {
        let glyph = self.face.glyph_index(letter).unwrap_or_default();
        f64::from(self.face.glyph_hor_advance(glyph).unwrap_or_default())
    }
}

/// Collects the outlines of glyphs.
struct Pen {
    origin: Spot,
    scale: f64,
    outlines: Vec<Vec<Spot>>,
    current: Vec<Spot>,
}

impl Pen {
    fn spot(&self, x: f32, y: f32) -> Spot {
        let Spot { x: left, y: base } = self.origin;
        Spot { x: left + f64::from(x) * self.scale, y: base - f64::from(y) * self.scale }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.current = vec![self.spot(x, y)];
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.current.push(self.spot(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (a, b, c) = (
            self.current.last().copied().unwrap_or(self.origin),
            self.spot(x1, y1),
            self.spot(x, y),
        );
        for piece in 1..=CURVE_PIECES {
            let t = f64::from(piece) / f64::from(CURVE_PIECES);
            let (u, v, w) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
            self.current
                .push(Spot { x: u * a.x + v * b.x + w * c.x, y: u * a.y + v * b.y + w * c.y });
        }
    }

    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        // TrueType outlines have no cubic curves.
        self.line_to(x, y);
    }

    fn close(&mut self) {
        self.outlines.push(std::mem::take(&mut self.current));
    }
}
