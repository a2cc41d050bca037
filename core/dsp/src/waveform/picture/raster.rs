//! Shapes as pixels: exact coverage of every pixel by polygons.

use super::font::Font;
use super::scene::{Anchor, Area, DASH, DASH_WIDTH, Scene, Shape, Spot, Text, Weight};
use super::theme::{Ink, Theme};

/// Corners of a polygon that stands for a circle.
const CIRCLE_CORNERS: u32 = 16;

/// An opaque picture: three bytes a pixel, row by row.
#[derive(Clone, Debug)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bytes: Vec<u8>,
}

/// Draws a scene.
pub(super) fn draw(scene: &Scene, theme: Theme) -> Pixels {
    let (width, height) = (scene.width as usize, scene.height as usize);
    let mut canvas = Canvas { width, height, theme, bytes: vec![0; 3 * width * height] };
    let (regular, medium) = (Font::new(Weight::Regular), Font::new(Weight::Medium));
    for shape in &scene.shapes {
        match shape {
            Shape::Rectangle { area, radius, ink } => {
                canvas.fill(&[rectangle(area, *radius)], *ink);
            }
            Shape::Polygon { spots, ink } => canvas.fill(std::slice::from_ref(spots), *ink),
            Shape::Line { spots, width, ink } => canvas.fill(&stroke(spots, *width), *ink),
            Shape::Dashes { start, length, ink } => canvas.fill(&dashes(*start, *length), *ink),
            Shape::Dots { spots, radius, ink } => {
                let circles: Vec<_> = spots.iter().map(|&spot| circle(spot, *radius)).collect();
                canvas.fill(&circles, *ink);
            }
            Shape::Text(text) => {
                let font = if text.weight == Weight::Medium { &medium } else { &regular };
                canvas.fill(&letters(text, font), text.ink);
            }
        }
    }
    Pixels { width: scene.width, height: scene.height, bytes: canvas.bytes }
}

fn letters(text: &Text, font: &Font) -> Vec<Vec<Spot>> {
    let width = font.width(&text.content, text.size);
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => width / 2.0,
        Anchor::End => width,
    };
    font.outlines(&text.content, text.size, Spot { x: text.at.x - shift, y: text.at.y })
}

fn rectangle(area: &Area, radius: f64) -> Vec<Spot> {
    let Area { x, y, .. } = *area;
    let (right, bottom) = (area.right(), area.bottom());
    if radius <= 0.0 {
        return [(x, y), (right, y), (right, bottom), (x, bottom)]
            .map(|(x, y)| Spot { x, y })
            .to_vec();
    }
    // A quarter of a circle around each corner's center, clockwise from the upper left.
    let centers = [
        (x + radius, y + radius, 2),
        (right - radius, y + radius, 3),
        (right - radius, bottom - radius, 0),
        (x + radius, bottom - radius, 1),
    ];
    let steps = CIRCLE_CORNERS / 4;
    centers
        .into_iter()
        .flat_map(|(x, y, quarter)| {
            (0..=steps).map(move |step| {
                let turn = f64::from(quarter * steps + step) / f64::from(CIRCLE_CORNERS);
                on_circle(Spot { x, y }, radius, turn)
            })
        })
        .collect()
}

fn on_circle(center: Spot, radius: f64, turn: f64) -> Spot {
    let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
    Spot { x: center.x + radius * cos, y: center.y + radius * sin }
}

fn circle(center: Spot, radius: f64) -> Vec<Spot> {
    let turn = |corner| f64::from(corner) / f64::from(CIRCLE_CORNERS);
    (0..CIRCLE_CORNERS).map(|corner| on_circle(center, radius, turn(corner))).collect()
}

/// A quadrangle for each piece and a circle for each joint, all turning the same way, so that where
/// they overlap they are still covered once.
fn stroke(spots: &[Spot], width: f64) -> Vec<Vec<Spot>> {
    let half = width / 2.0;
    let mut polygons: Vec<Vec<Spot>> = spots.iter().map(|&spot| circle(spot, half)).collect();
    for pair in spots.windows(2) {
        let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
        let length = dx.hypot(dy);
        if length > 0.0 {
            let (nx, ny) = (-dy / length * half, dx / length * half);
            let beside =
                |spot: Spot, side: f64| Spot { x: spot.x + side * nx, y: spot.y + side * ny };
            let [a, b] = [pair[0], pair[1]];
            polygons.push(vec![beside(a, -1.0), beside(b, -1.0), beside(b, 1.0), beside(a, 1.0)]);
        }
    }
    polygons
}

fn dashes(start: Spot, length: f64) -> Vec<Vec<Spot>> {
    let mut dashes = Vec::new();
    let mut x = 0.0;
    while x < length {
        let width = DASH.min(length - x);
        let y = start.y - DASH_WIDTH / 2.0;
        dashes.push(rectangle(&Area { x: start.x + x, y, width, height: DASH_WIDTH }, 0.0));
        x += 2.0 * DASH;
    }
    dashes
}

struct Canvas {
    width: usize,
    height: usize,
    theme: Theme,
    bytes: Vec<u8>,
}

impl Canvas {
    /// Covers what lies inside of the polygons: where their windings do not cancel out.
    fn fill(&mut self, polygons: &[Vec<Spot>], ink: Ink) {
        let Some(mut coverage) = Coverage::around(polygons, self.width, self.height) else {
            return;
        };
        for polygon in polygons {
            coverage.add(polygon);
        }
        let color = ink.color(self.theme).map(f64::from);
        for row in 0..coverage.height {
            let mut winding = 0.0;
            for column in 0..coverage.width {
                winding += coverage.cells[row * coverage.stride + column];
                let share = winding.abs().min(1.0) * ink.opacity();
                if share > 1e-4 {
                    let pixel = (coverage.y + row) * self.width + coverage.x + column;
                    self.blend(pixel, color, share);
                }
            }
        }
    }

    fn blend(&mut self, pixel: usize, color: [f64; 3], share: f64) {
        for (byte, color) in self.bytes[3 * pixel..3 * pixel + 3].iter_mut().zip(color) {
            let value = f64::from(*byte);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes"
            )]
            let mixed = (value + share * (color - value)).round() as u8;
            *byte = mixed;
        }
    }
}

/// Changes of the winding number along each row of pixels, weighted with the covered area; their
/// running sum is the covered share.
struct Coverage {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    stride: usize,
    cells: Vec<f64>,
}

impl Coverage {
    /// Room for polygons, as far as they are inside of the canvas; `None` when they are outside.
    fn around(polygons: &[Vec<Spot>], width: usize, height: usize) -> Option<Self> {
        let spots = || polygons.iter().flatten();
        let (left, right) = bounds(spots().map(|spot| spot.x), width)?;
        let (top, bottom) = bounds(spots().map(|spot| spot.y), height)?;
        let stride = right - left + 2;
        let (width, height) = (right - left, bottom - top);
        Some(Self { x: left, y: top, width, height, stride, cells: vec![0.0; stride * height] })
    }

    fn add(&mut self, polygon: &[Spot]) {
        for (index, &from) in polygon.iter().enumerate() {
            let to = polygon[(index + 1) % polygon.len()];
            self.edge(from, to);
        }
    }

    /// Adds an edge row by row.
    fn edge(&mut self, from: Spot, to: Spot) {
        let (upper, lower, sign) = if from.y < to.y { (from, to, 1.0) } else { (to, from, -1.0) };
        if lower.y <= upper.y {
            return;
        }
        let slope = (lower.x - upper.x) / (lower.y - upper.y);
        let (x0, y0) = (self.x as f64, self.y as f64);
        let first = floor(upper.y - y0).min(self.height);
        let end = (floor(lower.y - y0) + 1).min(self.height);
        for row in first..end {
            let top = (y0 + row as f64).max(upper.y);
            let bottom = (y0 + row as f64 + 1.0).min(lower.y);
            if bottom > top {
                let at =
                    |y: f64| (upper.x + slope * (y - upper.y) - x0).clamp(0.0, self.width as f64);
                let (a, b) = (at(top), at(bottom));
                self.row(row, a.min(b), a.max(b), sign * (bottom - top));
            }
        }
    }

    /// Adds a piece of an edge inside of one row, from `left` to `right`, of signed height `height`.
    fn row(&mut self, row: usize, left: f64, right: f64, height: f64) {
        let cells = &mut self.cells[row * self.stride..(row + 1) * self.stride];
        let (first, last) = (floor(left), floor(right));
        if first == last {
            let share = f64::midpoint(left, right) - first as f64;
            cells[first] += height * (1.0 - share);
            cells[first + 1] += height * share;
            return;
        }
        let per_pixel = height / (right - left);
        let mut covered = 0.0;
        for column in first..=last {
            let from = left.max(column as f64);
            let to = right.min(column as f64 + 1.0);
            // Area right of the edge in this pixel, beyond what pixels before made whole.
            let part = per_pixel * (to - from);
            let share = f64::midpoint(from, to) - column as f64;
            cells[column] += part * (1.0 - share);
            cells[(column + 1).min(self.stride - 1)] += part * share;
            covered += part;
        }
        debug_assert!((covered - height).abs() < 1e-6, "an edge is covered whole");
    }
}

/// First and behind the last pixel of values, cut to `0..end`; `None` when nothing is left.
fn bounds(values: impl Iterator<Item = f64>, end: usize) -> Option<(usize, usize)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let (first, behind) = (floor(low), (floor(high) + 1).min(end));
    (low <= high && first < behind).then_some((first, behind))
}

/// The whole pixel of a coordinate; 0 for negative ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, as is meant"
)]
fn floor(value: f64) -> usize {
    value.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shapes: Vec<Shape>) -> Vec<u8> {
        let page = Area { x: 0.0, y: 0.0, width: 4.0, height: 3.0 };
        let mut scene = Scene { width: 4, height: 3, shapes: Vec::new() };
        scene.rectangle(page, Ink::Page);
        scene.shapes.extend(shapes);
        draw(&scene, Theme::Light).bytes.into_iter().step_by(3).collect()
    }

    fn area(x: f64, y: f64, width: f64, height: f64) -> Shape {
        Shape::Rectangle { area: Area { x, y, width, height }, radius: 0.0, ink: Ink::Text }
    }

    /// Red of the page and of text in light colors.
    const PAGE: u8 = 0xff;
    const TEXT: u8 = 0x16;

    #[test]
    fn pixel_is_covered_by_its_share() {
        let pixels = drawn(vec![area(1.25, 1.0, 1.25, 0.5)]);
        let mixed = |share: f64| (255.0 + share * (22.0 - 255.0)).round();
        #[rustfmt::skip]
        let expected = [
            255.0, 255.0, 255.0, 255.0,
            255.0, mixed(0.375), mixed(0.25), 255.0,
            255.0, 255.0, 255.0, 255.0,
        ];
        assert_eq!(pixels.iter().map(|byte| f64::from(*byte)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn shapes_beyond_the_edges_are_cut() {
        assert_eq!(drawn(vec![area(-5.0, -5.0, 20.0, 20.0)]), [TEXT; 12]);
        assert_eq!(drawn(vec![area(4.0, 0.0, 9.0, 9.0), area(-9.0, 0.0, 9.0, 9.0)]), [PAGE; 12]);
    }

    #[test]
    fn triangle_covers_half_of_its_square() {
        let spots = [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)].map(|(x, y)| Spot { x, y }).to_vec();
        let pixels = drawn(vec![Shape::Polygon { spots, ink: Ink::Text }]);
        assert_eq!([pixels[0], pixels[1], pixels[4], pixels[11]], [TEXT, TEXT, TEXT, PAGE]);
        // The hypotenuse cuts the pixels of the diagonal in two.
        let half = [pixels[2], pixels[5], pixels[8]];
        assert!(half.iter().all(|byte| byte.abs_diff(0x8a) <= 1), "{half:?}");
    }

    #[test]
    fn line_that_turns_covers_its_joints_once() {
        let spots = [(0.0, 1.5), (2.0, 1.5), (2.0, 1.5), (4.0, 1.5)].map(|(x, y)| Spot { x, y });
        let pixels =
            drawn(vec![Shape::Line { spots: spots.to_vec(), width: 1.0, ink: Ink::CurveArea }]);
        assert!(pixels[4..8].iter().all(|byte| *byte == pixels[4]), "{pixels:?}");
    }
}
