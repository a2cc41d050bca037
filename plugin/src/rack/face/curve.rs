//! What the shown slot does to the level of each frequency, where it is a filter.

use super::Face;
use crate::lookup::{Answer, Lookup};
use crate::window::scale::Axis;
use crate::window::{panel, theme};
use egui::{Align2, Sense, Shape, Stroke, Ui, pos2, vec2};
use std::time::Duration;
use wavemill_core::audio::StreamSpec;
use wavemill_rack::{CONTROL_COUNT, Part, Response};

/// Height of the plot in points.
const HEIGHT: f32 = 120.0;

/// The vertical axis reaches this far at least, and then as far as the curve in such steps, up to the third number.
const REACH_DB: f32 = 12.0;
const REACH_STEP_DB: f32 = 6.0;
const REACH_MAX_DB: f32 = 36.0;

const FREQUENCIES: [(f32, &str); 3] = [(100.0, "100"), (1000.0, "1k"), (10_000.0, "10k Hz")];

/// What is measured: a part with its values, for a stream.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    part: Part,
    spec: StreamSpec,
}

/// The measurement, on a thread of its own, and the curve that is shown until the next one is there.
#[derive(Default)]
pub(super) struct View {
    measuring: Lookup<Question, Option<Response>>,
    /// With the name of its part.
    shown: Option<(String, Response)>,
    pub(super) is_waiting: bool,
}

impl Face {
    /// The curve of a part that is a filter.
    pub(super) fn curve(&mut self, ui: &mut Ui, part: &Part) {
        let mut part = part.clone();
        for index in 0..part.values().len().min(CONTROL_COUNT) {
            part.set(index, self.desk.model().exact(self.shown, index));
        }
        let name = part.name().to_owned();
        let question = Question { part, spec: self.desk.spec() };
        let View { measuring, shown, is_waiting } = &mut self.curve;
        let measure = |asked: &Question| asked.part.response(&asked.spec);
        let answer = measuring.ask(&question, Duration::MAX, measure);
        *is_waiting = answer == Answer::Waiting;
        if let Answer::Known(found) = answer {
            *shown = found.clone().map(|response| (name.clone(), response));
        }
        // While a value is dragged the curve follows; that of another part is not shown.
        if let Some((of, response)) = shown
            && *of == name
        {
            draw(ui, response);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "places on the screen")]
fn draw(ui: &mut Ui, response: &Response) {
    let size = vec2(ui.available_width().min(600.0), HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let plot = rect.shrink(1.0);
    ui.painter().rect_filled(rect, theme::CORNER, theme::GROUND);
    let highest = response.levels_db.iter().map(|level| level.abs() as f32).fold(0.0, f32::max);
    let reach = (highest / REACH_STEP_DB).ceil() * REACH_STEP_DB;
    let reach = reach.clamp(REACH_DB, REACH_MAX_DB);
    let (across, upward) = (Axis::octaves(plot, 20.0, 20_000.0), Axis::upward(plot, -reach, reach));
    for (hertz, words) in FREQUENCIES {
        let x = across.place(hertz);
        ui.painter().vline(x, plot.y_range(), theme::hairline(theme::GRID));
        let place = pos2(x + 3.0, plot.bottom());
        panel::text(ui.painter(), place, Align2::LEFT_BOTTOM, words, 10.0, theme::FAINT);
    }
    let half = reach / 2.0;
    for (level, words) in
        [(-half, format!("-{half} dB")), (0.0, "0 dB".into()), (half, format!("+{half} dB"))]
    {
        let y = upward.place(level);
        ui.painter().hline(plot.x_range(), y, theme::hairline(theme::GRID));
        let place = pos2(plot.left() + 3.0, y);
        panel::text(ui.painter(), place, Align2::LEFT_BOTTOM, &words, 10.0, theme::FAINT);
    }
    let points = response.frequencies_hz.iter().zip(&response.levels_db);
    let points =
        points.map(|(hertz, level)| pos2(across.place(*hertz as f32), upward.place(*level as f32)));
    ui.painter().add(Shape::line(points.collect(), Stroke::new(1.5, theme::SIGNAL)));
    let name = "Response: what comes out at each frequency, over what goes in.";
    panel::place(ui, rect, name);
    ui.add_space(4.0);
}
