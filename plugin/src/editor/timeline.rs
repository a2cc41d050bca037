//! The switch between the history since the last reset and the program on the DAW's timeline.

use super::{panel, theme};
use crate::plugin::SharedState;
use crate::window::tip::{Tip as _, label};
use egui::{Rect, RichText, Ui, pos2};

const TIP: &str = "Measures on the DAW's timeline: parts that are played again replace what was there, and integrated \
    loudness, range, maxima and true peak are those of all parts. Reset clears it.";

/// What the buttons at the right need, in points.
const BUTTONS_WIDTH: f32 = 190.0;

/// Room without which words are left out.
const WORDS_MIN: f32 = 60.0;

/// Beside the title of the history.
pub(super) fn show(ui: &mut Ui, rect: Rect, desk: &SharedState) {
    let row = Rect {
        min: pos2(rect.left() + 66.0, rect.top() + 1.0),
        max: pos2((rect.right() - BUTTONS_WIDTH).max(rect.left() + 130.0), rect.top() + 19.0),
    };
    panel::inside(ui, row, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().button_padding.x = 5.0;
            let is_on = desk.params.choices.read().follows_timeline;
            let button = ui.selectable_label(is_on, RichText::new("timeline").size(10.5));
            if button.tip(TIP).clicked() {
                desk.params.choices.write().follows_timeline = !is_on;
                desk.shared.timeline.turn(!is_on);
                desk.wake();
            }
            let words = is_on.then(|| state(desk)).flatten();
            if let Some(words) = words.filter(|_| ui.available_width() > WORDS_MIN) {
                let text = RichText::new(&words).size(10.5).color(theme::HELD);
                ui.add(label(text).truncate()).tip(&words);
            }
        });
    });
}

/// Why the timeline does not show all there is.
fn state(desk: &SharedState) -> Option<String> {
    let is_empty = !desk.shared.shows_timeline();
    let waits = || is_empty.then(|| "nothing played on it yet".to_owned());
    desk.shared.timeline.doubt().or_else(waits)
}

#[cfg(test)]
mod tests {
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use crate::window::focus::press_at;
    use egui::Key;

    #[test]
    fn timeline_is_turned_on_and_off() {
        let mut stage = Stage::new(SharedState::default());
        for is_on in [true, false] {
            press_at(&mut stage, "timeline", Key::Enter);
            assert_eq!(stage.desk.shared.timeline.is_on(), is_on);
            assert_eq!(stage.desk.params.choices.read().follows_timeline, is_on);
            assert_eq!(stage.shows("nothing played on it yet"), is_on, "{:?}", stage.texts());
        }
    }
}
