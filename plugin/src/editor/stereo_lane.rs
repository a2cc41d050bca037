//! Correlation and fold-down loss over the session, below the history and on its times.

use super::{panel, theme};
use crate::meters::Point;
use crate::window::scale::Axis;
use egui::{Align2, Painter, Pos2, Rect, Shape, Stroke, pos2};

/// Part of the plot that it takes, and its least and largest height, with the gap above it, in points.
const SHARE: f32 = 0.2;
const HEIGHTS: [f32; 2] = [38.0, 100.0];

/// Room between the history and the lane.
const GAP: f32 = 8.0;

/// Fold-down loss at the bottom of the lane, in dB.
const LOSS_DB_MAX: f32 = 12.0;

/// Part of a plot for the lane, and the rest.
pub(super) fn split(plot: Rect) -> (Rect, Rect) {
    let height = (plot.height() * SHARE).clamp(HEIGHTS[0], HEIGHTS[1]);
    let top = plot.bottom() - height + GAP;
    let history = Rect { max: pos2(plot.right(), plot.bottom() - height), ..plot };
    (history, Rect { min: pos2(plot.left(), top), ..plot })
}

/// Draws places on the time axis with what was measured there; places further apart than `gap` are not connected.
pub(super) fn draw(painter: &Painter, rect: Rect, points: &[(f32, Point)], gap: f32) {
    painter.rect_filled(rect, 2.0, theme::GROUND);
    let axis = Axis::upward(rect, -1.0, 1.0);
    let zero = axis.place(0.0);
    painter.hline(rect.x_range(), zero, theme::hairline(theme::GRID));
    for (value, words) in [(1.0, "+1"), (-1.0, "\u{2212}1")] {
        let y = axis.place(value).clamp(rect.top() + 5.0, rect.bottom() - 5.0);
        let place = pos2(rect.left() - 4.0, y);
        panel::text(painter, place, Align2::RIGHT_CENTER, words, 9.5, theme::FAINT);
    }
    let correlation = |(x, point): &(f32, Point)| Some(pos2(*x, axis.place(point.correlation?)));
    let line: Vec<Pos2> = points.iter().filter_map(correlation).collect();
    for pair in line.windows(2).filter(|pair| pair[1].x - pair[0].x < gap) {
        let is_inverted = pair[1].y > zero;
        let color = if is_inverted { theme::BAD } else { theme::GOOD };
        let area = vec![pair[0], pair[1], pos2(pair[1].x, zero), pos2(pair[0].x, zero)];
        painter.add(Shape::convex_polygon(area, theme::veil(color, 0.35), Stroke::NONE));
        painter.line_segment([pair[0], pair[1]], Stroke::new(1.4, color));
    }
    let loss = Axis::upward(rect, -LOSS_DB_MAX, 0.0);
    let lost = |(x, point): &(f32, Point)| Some(pos2(*x, loss.place(-point.mono_loss_db?)));
    let line: Vec<Pos2> = points.iter().filter_map(lost).collect();
    for pair in line.windows(2).filter(|pair| pair[1].x - pair[0].x < gap) {
        let stroke = Stroke::new(1.0, theme::veil(theme::HELD, 0.8));
        painter.line_segment([pair[0], pair[1]], stroke);
    }
}

/// What it is, at its right, where the distribution leaves room.
pub(super) fn legend(painter: &Painter, rect: Rect) {
    let left = rect.right() + 6.0;
    for (y, words, color) in [
        (rect.top() + 6.0, "correlation", theme::GOOD),
        (rect.top() + 18.0, "mono loss", theme::HELD),
        (rect.top() + 30.0, "0\u{2013}12 dB", theme::FAINT),
    ] {
        panel::text(painter, pos2(left, y), Align2::LEFT_CENTER, words, 9.5, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use egui::{Event, Key, vec2};
    use nice_plug::prelude::Params;

    /// Pieces of the line of correlation, in a color.
    fn pieces(stage: &Stage, color: egui::Color32) -> usize {
        let is_piece = |shape: &&Shape| matches!(shape, Shape::LineSegment { stroke, .. } if *stroke == Stroke::new(1.4, color));
        stage.shapes().into_iter().filter(is_piece).count()
    }

    /// A minute, of which the last 20 s are inverted.
    fn filled() -> Stage {
        let mut stage = Stage::new(SharedState::default());
        let point = |index: u16| Point {
            short_term_lufs: Some(-20.0),
            correlation: Some(if index < 400 { 0.8 } else { -0.5 }),
            mono_loss_db: Some(if index < 400 { 0.5 } else { 6.0 }),
            ..Point::default()
        };
        stage.fill_with(&(0..600).map(point).collect::<Vec<_>>());
        stage
    }

    #[test]
    fn lane_is_switched_by_keys_and_comes_back_with_the_project() {
        let mut stage = filled();
        assert_eq!((pieces(&stage, theme::GOOD), pieces(&stage, theme::BAD)), (0, 0));
        press_at(&mut stage, "stereo", Key::Enter);
        stage.draw(Vec::new());
        let (good, bad) = (pieces(&stage, theme::GOOD), pieces(&stage, theme::BAD));
        assert!(good > 100 && bad > 50, "{good} {bad}");
        // Two thirds of the time, on the times of the history.
        #[expect(clippy::cast_precision_loss, reason = "some hundred")]
        let share = good as f32 / (good + bad) as f32;
        assert!((share - 2.0 / 3.0).abs() < 0.02, "{share}");
        assert!(stage.shows("mono loss"));
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert!(desk.params.choices.read().shows_stereo);
    }

    #[test]
    fn values_of_the_lane_stand_at_the_pointer() {
        let mut stage = filled();
        press_at(&mut stage, "stereo", Key::Enter);
        let place = stage.place_of("0:50");
        stage.draw(vec![Event::PointerMoved(place - vec2(0.0, 80.0))]);
        stage.draw(Vec::new());
        let values = "corr \u{2212}0.50   mono \u{2212}6.0 dB";
        assert!(stage.texts().iter().any(|text| text.ends_with(values)), "{:?}", stage.texts());
    }
}
