//! What the history says at one time.

use super::numbers::number;
use super::theme;
use crate::meters::Point;
use crate::window::scale::{Axis, clock};
use egui::{Painter, Rect, pos2, vec2};

/// Draws a line at `x`, which is `at_s` seconds into the session, and the values there.
pub(super) fn draw(
    painter: &Painter,
    (plot, axis): (Rect, Axis),
    x: f32,
    at_s: f64,
    (point, has_stereo): (Option<Point>, bool),
) {
    painter.vline(x, plot.y_range(), theme::hairline(theme::FAINT));
    let point = point.unwrap_or_default();
    if let Some(lufs) = point.short_term_lufs {
        painter.circle_filled(pos2(x, axis.place(lufs)), 3.0, theme::TEXT);
    }
    let mut words = words(at_s, point);
    if has_stereo {
        words += &stereo_words(point);
    }
    let galley = painter.layout_no_wrap(words, theme::font(11.0), theme::TEXT);
    let size = galley.size() + vec2(10.0, 4.0);
    // Beside the line, on the side that has more room.
    let left = if x < plot.center().x { x + 6.0 } else { x - 6.0 - size.x };
    let place = Rect::from_min_size(pos2(left, plot.bottom() - size.y - 4.0), size);
    painter.rect_filled(place, theme::CORNER, theme::PANEL);
    painter.galley(place.min + vec2(5.0, 2.0), galley, theme::TEXT);
}

fn words(at_s: f64, point: Point) -> String {
    let [momentary, short_term, peak] =
        [point.momentary_lufs, point.short_term_lufs, point.true_peak_dbtp].map(number);
    format!("{}   M {momentary}   S {short_term}   TP {peak}", clock(at_s))
}

fn stereo_words(point: Point) -> String {
    let correlation = point.correlation.map_or("\u{2013}".into(), |value| format!("{value:+.2}"));
    let loss = point.mono_loss_db.map(|loss| -loss);
    let words = format!("   corr {correlation}   mono {} dB", number(loss));
    words.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_exist_are_dashes() {
        let point = Point { short_term_lufs: Some(-23.04), ..Point::default() };
        let words = words(65.0, point);
        assert_eq!(words, "1:05   M \u{2013}   S \u{2212}23.0   TP \u{2013}");
    }
}
