//! The stereo image: a vectorscope, correlation and balance.

use super::numbers::number;
use super::{panel, theme, words};
use crate::meters::{Reading, Readings, Tap};
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Align2, Rect, Shape, Ui, pos2, vec2};
use wavemill_core::units::Decibels;

/// Samples drawn.
const FRAMES: usize = 2048;

/// The picture is raised by at most this: 30 dB. Noise of a converter stays a dot.
const GAIN_MAX: f32 = 31.6;

/// Raised by steps of 6 dB, the picture changes seldom.
const GAIN_STEP: f32 = 2.0;

/// From this width on the panel's title leaves room for a unit, in points.
const UNIT_MIN: f32 = 140.0;

/// How long until a peak counts for half, in seconds.
const HALF_S: f32 = 2.0;

impl Raise {
    /// The gain falls at once, so that nothing is outside the frame, and rises when there has been room for two
    /// steps for a while.
    fn follow(&mut self, peak: f32, elapsed_s: f32) {
        self.peak = peak.max(self.peak * (-elapsed_s / HALF_S).exp2());
        while self.gain * peak > 1.0 && self.gain > 1.0 {
            self.gain /= GAIN_STEP;
        }
        let is_roomy = self.gain * self.peak * GAIN_STEP * GAIN_STEP <= 1.0;
        if is_roomy && peak > 0.0 && self.gain * GAIN_STEP <= GAIN_MAX {
            self.gain *= GAIN_STEP;
        }
    }
}

/// The latest samples of both sides.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    left: Vec<f32>,
    right: Vec<f32>,
    raise: Raise,
}

/// What the picture is raised by, so that soft programme has a shape, too.
#[derive(Clone, Copy, Debug)]
struct Raise {
    gain: f32,
    /// The largest sample, remembered for a while.
    peak: f32,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            left: vec![0.0; FRAMES],
            right: vec![0.0; FRAMES],
            raise: Raise { gain: 1.0, peak: 0.0 },
        }
    }
}

impl Scope {
    pub(super) fn update(&mut self, tap: &Tap, elapsed_s: f32) {
        tap.latest(&mut self.left, &mut self.right);
        let samples = self.left.iter().chain(&self.right).map(|sample| sample.abs());
        let peak = samples.filter(|sample| sample.is_finite()).fold(0.0, f32::max);
        self.raise.follow(peak, elapsed_s);
    }

    pub(super) fn show(&self, ui: &mut Ui, rect: Rect, readings: &Readings) {
        let room = panel::ground(ui, rect, "STEREO");
        mono(ui, rect, readings);
        let meter_top = room.bottom() - 24.0;
        let plot = Rect { max: pos2(room.right(), meter_top - 4.0), ..room };
        let side = plot.width().min(plot.height());
        let plot = Rect::from_center_size(plot.center(), vec2(side, side));
        self.draw(ui, plot);
        let meter = Rect { min: pos2(room.left(), meter_top), max: room.max };
        correlation(ui, meter, readings);
        let place = panel::place(ui, rect, "scope");
        panel::explained_by_title(ui, rect, place, words::CORRELATION);
    }

    /// Mono is a vertical line, left and right are the diagonals.
    fn draw(&self, ui: &Ui, plot: Rect) {
        let painter = ui.painter_at(plot);
        let (middle, reach) = (plot.center(), plot.width() / 2.0);
        let frame = vec![
            middle + vec2(0.0, -reach),
            middle + vec2(reach, 0.0),
            middle + vec2(0.0, reach),
            middle + vec2(-reach, 0.0),
        ];
        painter.add(Shape::convex_polygon(frame, theme::GROUND, theme::hairline(theme::GRID)));
        let half = reach / 2.0;
        painter.line_segment(
            [middle + vec2(-half, -half), middle + vec2(half, half)],
            theme::hairline(theme::GRID),
        );
        painter.line_segment(
            [middle + vec2(half, -half), middle + vec2(-half, half)],
            theme::hairline(theme::GRID),
        );
        for (name, x) in [("L", -half - 7.0), ("R", half + 7.0)] {
            let place = middle + vec2(x, -half - 5.0);
            panel::text(&painter, place, Align2::CENTER_CENTER, name, 9.5, theme::FAINT);
        }
        let gain = self.raise.gain;
        if let Some(db) = Decibels::from_amplitude(gain.into()).filter(|_| gain > 1.0) {
            let corner = plot.right_bottom();
            let words = format!("+{:.0} dB", db.0);
            panel::text(&painter, corner, Align2::RIGHT_BOTTOM, &words, 9.5, theme::FAINT);
        }
        let mut mesh = Mesh::default();
        for (left, right) in self.left.iter().zip(&self.right) {
            if left.abs() + right.abs() < 1e-4 || !left.is_finite() || !right.is_finite() {
                continue;
            }
            // The sum of both sides at most reaches the corner of the frame.
            let place = middle + vec2(right - left, -(left + right)) * (reach / 2.0 * gain);
            dot(&mut mesh, place);
        }
        painter.add(Shape::mesh(mesh));
    }
}

fn dot(mesh: &mut Mesh, place: egui::Pos2) {
    const HALF: f32 = 0.75;
    #[expect(clippy::cast_possible_truncation, reason = "some thousand vertices")]
    let first = mesh.vertices.len() as u32;
    for (x, y) in [(-HALF, -HALF), (HALF, -HALF), (-HALF, HALF), (HALF, HALF)] {
        let color = theme::veil(theme::SIGNAL, 0.4);
        mesh.vertices.push(Vertex { pos: place + vec2(x, y), uv: WHITE_UV, color });
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 1, first + 2, first + 3);
}

/// What folding down to mono costs, beside the title.
fn mono(ui: &Ui, rect: Rect, readings: &Readings) {
    let change = |reading: &Reading| number(reading.get().map(|loss| -loss));
    let unit = if rect.width() < UNIT_MIN { "" } else { " dB" };
    let words = format!("mono {}{unit}", change(&readings.mono_loss_db));
    let place = pos2(rect.right() - 8.0, rect.top() + 5.0);
    let words = panel::text(ui.painter(), place, Align2::RIGHT_TOP, &words, 10.5, theme::TEXT);
    let program = change(&readings.mono_loss_program_db);
    let tip = format!("{}\nSince the last reset: {program} dB.", words::MONO);
    panel::explained(ui, words, "mono", &tip);
}

/// A bar from the middle: to the right related, to the left inverted.
fn correlation(ui: &Ui, rect: Rect, readings: &Readings) {
    let painter = ui.painter();
    let bar = Rect {
        min: pos2(rect.left(), rect.top() + 2.0),
        max: pos2(rect.right(), rect.top() + 9.0),
    };
    painter.rect_filled(bar, 2.0, theme::GROUND);
    let value = readings.correlation.get();
    if let Some(value) = value {
        let x = bar.center().x + value * bar.width() / 2.0;
        let color = if value < 0.0 { theme::BAD } else { theme::GOOD };
        let filled = Rect {
            min: pos2(x.min(bar.center().x), bar.top()),
            max: pos2(x.max(bar.center().x), bar.bottom()),
        };
        painter.rect_filled(filled, 2.0, color);
    }
    painter.vline(bar.center().x, bar.y_range(), theme::hairline(theme::FAINT));
    let signed = |value: f32, digits: usize| {
        // No sign of a zero that was rounded.
        let value = if value.abs() < 0.005 { 0.0 } else { value };
        format!("{value:+.digits$}").replace('-', "\u{2212}")
    };
    let correlation = value.map_or("\u{2013}".into(), |value| signed(value, 2));
    let balance =
        readings.balance_db.get().map_or("\u{2013}".into(), |db| format!("{} dB", signed(db, 1)));
    let y = rect.bottom();
    panel::text(
        painter,
        pos2(rect.left(), y),
        Align2::LEFT_BOTTOM,
        &format!("corr {correlation}"),
        10.0,
        theme::FAINT,
    );
    panel::text(
        painter,
        pos2(rect.right(), y),
        Align2::RIGHT_BOTTOM,
        &format!("bal {balance}"),
        10.0,
        theme::FAINT,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_programme_is_raised_and_never_leaves_the_frame() {
        let mut raise = Raise { gain: 1.0, peak: 0.0 };
        for _ in 0..100 {
            raise.follow(0.05, 0.033);
        }
        assert!((raise.gain - 8.0).abs() < 1e-6, "{raise:?}");
        for peak in [0.06, 0.12, 0.2, 0.99, 1.0] {
            raise.follow(peak, 0.033);
            assert!(raise.gain * peak <= 1.0, "{raise:?}");
        }
        raise.follow(0.05, 0.033);
        assert!((raise.gain - 1.0).abs() < 1e-6, "it comes back slowly: {raise:?}");
        for _ in 0..1000 {
            raise.follow(0.0, 0.033);
        }
        assert!((raise.gain - 1.0).abs() < 1e-6, "silence is not raised: {raise:?}");
    }
}
