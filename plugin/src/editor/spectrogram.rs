//! The spectrum over the latest seconds: times from left to right, frequencies upward, levels as colors.

use super::spectrum::{HIGHEST_HZ, LOWEST_HZ, Spectrum};
use super::{panel, theme};
use crate::window::scale::Axis;
use egui::{
    Align2, Color32, ColorImage, Context, Painter, Pos2, Rect, TextureHandle, TextureOptions, Ui,
    pos2,
};

/// Columns, and the time of each in seconds: 20 s in all.
const COLUMNS: usize = 400;
const COLUMN_S: f32 = 0.05;

/// From nothing to full scale: the darker, the softer, for any color vision.
const COLORS: [Color32; 6] = [
    theme::GROUND,
    Color32::from_rgb(0x1d, 0x33, 0x55),
    Color32::from_rgb(0x2b, 0x68, 0x9c),
    theme::SIGNAL,
    theme::HELD,
    Color32::WHITE,
];

/// The latest columns. Nothing is kept of times at which it was not shown.
#[derive(Default)]
pub(super) struct Spectrogram {
    /// Levels in dB, a column behind the other, the lowest band first; a ring.
    levels_db: Vec<f32>,
    bands: usize,
    /// Where the next column goes.
    next: usize,
    /// Frames of the signal when the latest column was written.
    written: u64,
    /// On the graphics card, with the tilt that it was colored by; of one window.
    texture: Option<(TextureHandle, f32)>,
}

/// How levels become colors.
#[derive(Clone, Copy)]
pub(super) struct Shades<'a> {
    /// Levels of the first and the last color, in dB.
    pub(super) low_db: f32,
    pub(super) high_db: f32,
    /// What the tilt adds at a frequency, in dB.
    pub(super) tilt: &'a dyn Fn(f32) -> f32,
    /// Stands for the tilt: another one colors everything anew.
    pub(super) slope_db: f32,
}

impl Spectrogram {
    /// The window is another one, or it is not shown any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Adds what was played since, a column at a time; a late picture repeats what it sees.
    pub(super) fn update(&mut self, spectrum: &Spectrum, context: &Context, shades: Shades<'_>) {
        let bands = spectrum.now_db.len();
        if self.bands != bands {
            self.forget();
            (self.bands, self.written) = (bands, spectrum.position());
            self.levels_db = vec![shades.low_db - 100.0; COLUMNS * bands];
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some frames of a column"
        )]
        let frames = ((COLUMN_S * spectrum.sample_rate_hz()) as u64).max(1);
        let count = spectrum.position().saturating_sub(self.written) / frames;
        self.written += count * frames;
        let count = usize::try_from(count).map_or(COLUMNS, |count| count.min(COLUMNS));
        for _ in 0..count {
            let start = self.next * bands;
            self.levels_db[start..start + bands].copy_from_slice(&spectrum.now_db);
            self.paint(self.next, spectrum, shades);
            self.next = (self.next + 1) % COLUMNS;
        }
        if self
            .texture
            .as_ref()
            .is_none_or(|(_, slope_db)| slope_db.to_bits() != shades.slope_db.to_bits())
        {
            let columns: Vec<usize> = (0..COLUMNS).collect();
            let image = self.image(&columns, spectrum, shades);
            let texture = context.load_texture("spectrogram", image, TextureOptions::LINEAR);
            self.texture = Some((texture, shades.slope_db));
        }
    }

    /// Brings a column to the graphics card.
    fn paint(&mut self, column: usize, spectrum: &Spectrum, shades: Shades<'_>) {
        let image = self.image(&[column], spectrum, shades);
        if let Some((texture, _)) = &mut self.texture {
            texture.set_partial([column, 0], image, TextureOptions::LINEAR);
        }
    }

    /// Columns as pixels, the highest band in the first row.
    fn image(&self, columns: &[usize], spectrum: &Spectrum, shades: Shades<'_>) -> ColorImage {
        let mut pixels = Vec::with_capacity(columns.len() * self.bands);
        for band in (0..self.bands).rev() {
            let tilt_db = (shades.tilt)(spectrum.middles_hz[band]);
            for column in columns {
                let level = self.levels_db[column * self.bands + band] + tilt_db;
                let share = (level - shades.low_db) / (shades.high_db - shades.low_db);
                pixels.push(color(share));
            }
        }
        ColorImage::new([columns.len(), self.bands], pixels)
    }

    /// Draws it with its axes: the oldest column at the left.
    pub(super) fn show(&self, ui: &Ui, plot: Rect, spectrum: &Spectrum) {
        let painter = ui.painter_at(plot.expand(30.0));
        painter.rect_filled(plot, 2.0, theme::GROUND);
        if let Some((texture, _)) = &self.texture {
            #[expect(clippy::cast_precision_loss, reason = "some hundred columns")]
            let cut = self.next as f32 / COLUMNS as f32;
            let middle = plot.right() - cut * plot.width();
            let (left, right) = plot.split_left_right_at_x(middle);
            let piece = |from: f32, to: f32| Rect::from_min_max(pos2(from, 0.0), pos2(to, 1.0));
            for (place, uv) in [(left, piece(cut, 1.0)), (right, piece(0.0, cut))] {
                if place.width() > 0.0 {
                    painter.image(texture.id(), place, uv, Color32::WHITE);
                }
            }
        }
        axes(&painter, plot);
        self.readout(ui, plot, spectrum);
    }

    /// Frequency, level and time under the pointer.
    fn readout(&self, ui: &Ui, plot: Rect, spectrum: &Spectrum) {
        let pointer = ui.input(|input| input.pointer.hover_pos());
        let Some(pointer) = pointer.filter(|pointer| plot.contains(*pointer)) else { return };
        let (back, band) = self.under(plot, pointer);
        let column = (self.next + COLUMNS - 1 - back) % COLUMNS;
        let level = self.levels_db.get(column * self.bands + band);
        let Some((db, hz)) = level.zip(spectrum.middles_hz.get(band)) else { return };
        #[expect(clippy::cast_precision_loss, reason = "some hundred columns")]
        let seconds = back as f32 * COLUMN_S;
        let words = format!("{hz:.0} Hz  {db:.0} dB  {seconds:.1} s ago").replace('-', "\u{2212}");
        let place = pos2(plot.right() - 4.0, plot.top() + 3.0);
        let galley = painter_text(ui, &words);
        let back = Rect::from_min_size(pos2(place.x - galley.size().x, place.y), galley.size());
        ui.painter().rect_filled(back.expand(2.0), 2.0, theme::veil(theme::GROUND, 0.8));
        ui.painter().galley(back.min, galley, theme::TEXT);
    }

    /// Columns back from the latest one, and the band.
    fn under(&self, plot: Rect, place: Pos2) -> (usize, usize) {
        let share = |from: f32, to: f32, at: f32| ((at - from) / (to - from)).clamp(0.0, 0.9999);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "some hundred columns and bands"
        )]
        let index = |share: f32, count: usize| (share * count as f32) as usize;
        let back = index(share(plot.right(), plot.left(), place.x), COLUMNS);
        (back, index(share(plot.bottom(), plot.top(), place.y), self.bands))
    }
}

fn painter_text(ui: &Ui, words: &str) -> std::sync::Arc<egui::Galley> {
    ui.painter().layout_no_wrap(words.to_owned(), theme::font(10.5), theme::TEXT)
}

/// A share of the colors, from 0 to 1.
fn color(share: f32) -> Color32 {
    #[expect(clippy::cast_precision_loss, reason = "six colors")]
    let place = share.clamp(0.0, 1.0) * (COLORS.len() - 1) as f32;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is the whole part"
    )]
    let index = (place as usize).min(COLORS.len() - 2);
    #[expect(clippy::cast_precision_loss, reason = "six colors")]
    let rest = place - index as f32;
    COLORS[index].lerp_to_gamma(COLORS[index + 1], rest)
}

/// Frequencies at the left, seconds below.
fn axes(painter: &Painter, plot: Rect) {
    let up = Axis::octaves(
        Rect::from_min_max(pos2(plot.bottom(), 0.0), pos2(plot.top(), 1.0)),
        LOWEST_HZ,
        HIGHEST_HZ,
    );
    let is_high = plot.height() > 110.0;
    for (hz, words) in
        [(50.0, "50"), (100.0, "100"), (500.0, "500"), (1e3, "1k"), (5e3, "5k"), (1e4, "10k")]
    {
        if is_high || matches!(words, "100" | "1k" | "10k") {
            let y = up.place(hz);
            painter.hline(plot.left() - 3.0..=plot.left(), y, theme::hairline(theme::FAINT));
            let place = pos2(plot.left() - 4.0, y);
            panel::text(painter, place, Align2::RIGHT_CENTER, words, 9.5, theme::FAINT);
        }
    }
    for seconds in [20.0f32, 15.0, 10.0, 5.0, 0.0] {
        #[expect(clippy::cast_precision_loss, reason = "some hundred columns")]
        let share = 1.0 - seconds / (COLUMNS as f32 * COLUMN_S);
        let x = (plot.left() + share * plot.width()).clamp(plot.left() + 8.0, plot.right() - 8.0);
        let words = if seconds > 0.0 { format!("\u{2212}{seconds:.0} s") } else { "0".into() };
        let place = pos2(x, plot.bottom() + 2.0);
        panel::text(painter, place, Align2::CENTER_TOP, &words, 9.5, theme::FAINT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::meters::Tap;
    use crate::plugin::SharedState;
    use egui::{Key, Shape, TextureId};
    use nice_plug::prelude::Params;

    const SHADES: Shades<'_> =
        Shades { low_db: -84.0, high_db: 0.0, tilt: &|_| 0.0, slope_db: 0.0 };

    fn play(tap: &Tap, hz: f32, frames: u32) {
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let tone = |frame: u32| (std::f32::consts::TAU * hz * frame as f32 / 48_000.0).sin();
        let tone: Vec<f32> = (0..frames).map(tone).collect();
        tap.push(&tone, &tone);
    }

    /// A second each of 1 kHz, silence and 4 kHz.
    #[test]
    fn each_column_has_the_levels_of_its_time() {
        let (tap, context) = (Tap::default(), Context::default());
        tap.open(true);
        let (mut spectrum, mut gram) = (Spectrum::new(), Spectrogram::default());
        gram.update(&spectrum, &context, SHADES);
        for (hz, pictures) in [(1000.0, 20), (0.0, 20), (4000.0, 20)] {
            for _ in 0..pictures {
                play(&tap, hz, 2400);
                assert!(spectrum.update(&tap, 48_000.0) || hz < 1.0);
                gram.update(&spectrum, &context, SHADES);
            }
        }
        assert_eq!(gram.next, 60);
        let loudest = |column: usize| -> (f32, f32) {
            let levels = &gram.levels_db[column * gram.bands..][..gram.bands];
            let most = levels.iter().copied().fold(f32::MIN, f32::max);
            let band = levels.iter().position(|db| *db >= most).unwrap();
            (spectrum.middles_hz[band], most)
        };
        let (hz, db) = loudest(15);
        assert!((hz / 1000.0 - 1.0).abs() < 0.03 && db > -3.0, "{hz} Hz {db} dB");
        // 8192 frames are 3.4 columns: behind them nothing is left of the tone, which falls slowly in the spectrum.
        let (_, db) = loudest(25);
        assert!(db < -100.0, "{db}");
        let (hz, db) = loudest(55);
        assert!((hz / 4000.0 - 1.0).abs() < 0.03 && db > -3.0, "{hz} Hz {db} dB");
        // The middle of the plot is 10 s ago, and its height 632 Hz.
        let plot = Rect::from_min_max(pos2(0.0, 0.0), pos2(400.0, 240.0));
        let (back, band) = gram.under(plot, plot.center());
        assert_eq!(back, 200);
        assert!((spectrum.middles_hz[band] / 632.0 - 1.0).abs() < 0.03);
    }

    #[test]
    fn late_picture_keeps_the_times_right() {
        let (tap, context) = (Tap::default(), Context::default());
        tap.open(true);
        let (mut spectrum, mut gram) = (Spectrum::new(), Spectrogram::default());
        gram.update(&spectrum, &context, SHADES);
        play(&tap, 1000.0, 24_000);
        spectrum.update(&tap, 48_000.0);
        gram.update(&spectrum, &context, SHADES);
        assert_eq!(gram.next, 10, "half a second");
        for _ in 0..100 {
            spectrum.update(&tap, 48_000.0);
            gram.update(&spectrum, &context, SHADES);
        }
        assert_eq!(gram.next, 10, "it stands while nothing comes");
    }

    /// Relative luminance by WCAG 2.2: brighter means louder.
    #[test]
    fn colors_are_the_brighter_the_louder() {
        let luminance = |share: f32| {
            let [r, g, b, _] = egui::Rgba::from(color(share)).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let steps: Vec<f32> = (0..=100u8).map(|step| luminance(f32::from(step) / 100.0)).collect();
        assert!(steps.windows(2).all(|two| two[0] < two[1]), "{steps:?}");
        assert_eq!((color(-3.0), color(2.0)), (theme::GROUND, Color32::WHITE));
    }

    #[test]
    fn spectrogram_is_drawn_only_while_it_is_chosen_and_comes_back_with_the_project() {
        let has_image = |stage: &Stage| {
            let is_image = |shape: &&Shape| shape.texture_id() != TextureId::default();
            stage.shapes().iter().any(is_image)
        };
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        assert!(!has_image(&stage));
        press_at(&mut stage, "time", Key::Enter);
        stage.draw(Vec::new());
        assert!(has_image(&stage) && stage.shows("\u{2212}10 s"), "{:?}", stage.texts());
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert!(desk.params.choices.read().shows_spectrogram);
        press_at(&mut stage, "time", Key::Enter);
        stage.draw(Vec::new());
        assert!(!has_image(&stage));
    }
}
