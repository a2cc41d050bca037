//! Loudness and peak of this moment as bars.

use super::verdict::TargetState;
use super::{panel, theme};
use crate::meters::Readings;
use crate::window::scale::Axis;
use egui::{Align2, Color32, Painter, Rect, Ui, pos2};

/// The scale's ends, in LUFS and dBTP.
const LOW: f32 = -48.0;
const HIGH: f32 = 3.0;

pub(super) fn show(ui: &mut Ui, rect: Rect, readings: &Readings, standing: &TargetState) {
    let room = panel::ground(ui, rect, "NOW");
    let plot = Rect { max: pos2(room.right(), room.bottom() - 14.0), ..room };
    let axis = Axis::upward(plot, LOW, HIGH);
    let painter = ui.painter();
    let scale_right = plot.left() + 20.0;
    for value in [0.0, -6.0, -12.0, -18.0, -24.0, -30.0, -36.0, -42.0] {
        let y = axis.place(value);
        painter.hline(scale_right + 2.0..=plot.right(), y, theme::hairline(theme::GRID));
        let words = format!("{value:.0}").replace('-', "\u{2212}");
        panel::text(painter, pos2(scale_right, y), Align2::RIGHT_CENTER, &words, 9.5, theme::FAINT);
    }
    let is_over = |value: Option<f32>| {
        standing.peak_max_dbtp().zip(value).is_some_and(|(limit, value)| value > limit)
    };
    let peak = readings.true_peak_now_dbtp.get();
    let bars = [
        ("M", readings.momentary_lufs.get(), readings.momentary_max_lufs.get(), theme::SIGNAL),
        ("S", readings.short_term_lufs.get(), readings.short_term_max_lufs.get(), theme::SIGNAL),
        (
            "TP",
            peak,
            readings.larger_true_peak(),
            if is_over(peak) { theme::BAD } else { theme::GOOD },
        ),
    ];
    let left = scale_right + 6.0;
    let width = (plot.right() - left) / 3.0;
    for (index, (name, value, max, color)) in bars.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "one of three")]
        let x = left + width * index as f32;
        let bar = Rect { min: pos2(x, plot.top()), max: pos2(x + width - 3.0, plot.bottom()) };
        draw(painter, bar, axis, value, max, color);
        let place = pos2(bar.center().x, room.bottom());
        panel::text(painter, place, Align2::CENTER_BOTTOM, name, 10.5, theme::FAINT);
    }
    if let Some(aim) = standing.aim_lufs() {
        let y = axis.place(aim);
        painter.hline(left..=left + 2.0 * width - 3.0, y, (2.0, theme::TARGET));
    }
    if let Some(limit) = standing.peak_max_dbtp() {
        let y = axis.place(limit);
        painter.hline(left + 2.0 * width..=plot.right() - 3.0, y, (2.0, theme::TARGET));
    }
    let place = panel::place(ui, rect, "bars");
    panel::explained_by_title(
        ui,
        rect,
        place,
        "Current momentary and short-term loudness in LUFS, and true peak in dBTP. Thin lines: \
        maximum so far; thick lines: target.",
    );
}

fn draw(
    painter: &Painter,
    bar: Rect,
    axis: Axis,
    value: Option<f32>,
    max: Option<f32>,
    color: Color32,
) {
    painter.rect_filled(bar, 2.0, theme::GROUND);
    if let Some(value) = value {
        let filled = Rect { min: pos2(bar.left(), axis.place(value)), ..bar };
        painter.rect_filled(filled, 2.0, color);
    }
    if let Some(max) = max {
        painter.hline(bar.x_range(), axis.place(max), (1.5, theme::TEXT));
    }
}
