//! How the program stands to several targets at once: a row of verdicts, each with what its platform will do.

use crate::editor::numbers::sign;
use crate::editor::verdict::TargetState;
use crate::params::COMPARED_MAX;
use crate::plugin::SharedState;
use crate::window::theme::{self, GAP};
use crate::window::tip::Tip;
use egui::{Painter, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// The narrowest cell, in points.
const CELL_MIN: f32 = 140.0;

/// Height of a row of cells, in points.
const ROW: f32 = 38.0;

/// The targets of the strip.
#[derive(Default)]
pub(in crate::editor) struct Strip {
    standings: Vec<TargetState>,
}

impl Strip {
    /// Judges the readings that are shown by each of them.
    pub(in crate::editor) fn update(&mut self, desk: &SharedState) {
        let names: Vec<String> =
            desk.params.choices.read().compared.iter().take(COMPARED_MAX).cloned().collect();
        self.standings.resize_with(names.len(), TargetState::new);
        for (standing, name) in self.standings.iter_mut().zip(names) {
            standing.judge_by(name, desk);
        }
    }

    /// The user's file changed.
    pub(in crate::editor) fn forget(&mut self) {
        self.standings.iter_mut().for_each(TargetState::forget);
    }

    /// Height in a window of this width; 0 without targets.
    pub(in crate::editor) fn height(&self, width: f32) -> f32 {
        let rows = self.standings.len().div_ceil(columns(width, self.standings.len()));
        #[expect(clippy::cast_precision_loss, reason = "a few rows")]
        let rows = rows as f32;
        (rows * (ROW + GAP) - GAP).max(0.0)
    }

    /// Draws the cells; a click makes a cell's target the chosen one.
    pub(in crate::editor) fn show(&self, ui: &Ui, rect: Rect, desk: &SharedState) {
        let count = columns(rect.width(), self.standings.len());
        let chosen = desk.params.choices.read().target.clone();
        for (index, standing) in self.standings.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a few cells")]
            let [column, row, count] = [index % count, index / count, count].map(|n| n as f32);
            let width = (rect.width() - (count - 1.0) * GAP) / count;
            let place = pos2(rect.left() + column * (width + GAP), rect.top() + row * (ROW + GAP));
            let place = Rect::from_min_size(place, vec2(width, ROW));
            let is_chosen = standing.name() == chosen;
            if cell(ui, place, standing, is_chosen) {
                standing.name().clone_into(&mut desk.params.choices.write().target);
            }
        }
    }
}

/// Cells beside each other, all as wide.
fn columns(width: f32, count: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window has a width"
    )]
    let room = (((width + GAP) / (CELL_MIN + GAP)) as usize).max(1);
    // Rows of the same length, as far as that goes.
    count.div_ceil(count.div_ceil(room).max(1)).max(1)
}

/// One target; says whether it was clicked.
fn cell(ui: &Ui, place: Rect, standing: &TargetState, is_chosen: bool) -> bool {
    let title = standing.title();
    let response =
        ui.interact(place, ui.scope_id().with(("strip", standing.name())), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_chosen, title));
    let (mark, headline) = standing.headline();
    let painter = ui.painter_at(place);
    let fill = if is_chosen || response.hovered() { theme::CHOSEN } else { theme::PANEL };
    painter.rect_filled(place, theme::CORNER, fill);
    if is_chosen {
        let line = Rect { min: pos2(place.left(), place.bottom() - 2.0), max: place.max };
        painter.rect_filled(line, 0.0, theme::TARGET);
    }
    let left = place.left() + 8.0 + sign(&painter, place.left_top() + vec2(14.0, 12.0), mark);
    let words = pos2(left, place.top() + 5.0);
    line(&painter, words, place.right() - 6.0, title, (12.0, theme::TEXT));
    let action = match (&standing.error, standing.action()) {
        (Some(error), _) => (error.clone(), theme::BAD),
        (None, Some(action)) => (action, theme::FAINT),
        (None, None) => (headline.clone(), theme::FAINT),
    };
    let below = pos2(place.left() + 8.0, place.top() + 20.0);
    line(&painter, below, place.right() - 6.0, &action.0, (11.0, action.1));
    response.tip(&explanation(standing, &headline)).clicked()
}

/// As many words as there is room for.
fn line(
    painter: &Painter,
    place: egui::Pos2,
    right: f32,
    words: &str,
    (size, color): (f32, egui::Color32),
) {
    let mut job =
        egui::text::LayoutJob::simple_singleline(words.to_owned(), theme::font(size), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width((right - place.x).max(1.0));
    let galley = painter.layout_job(job);
    painter.galley(place, galley, color);
}

/// Everything about a target, a line each.
fn explanation(standing: &TargetState, headline: &str) -> String {
    let mut lines = vec![standing.title().to_owned()];
    if let Some(error) = &standing.error {
        lines.push(error.clone());
        return lines.join("\n");
    }
    lines.push(headline.to_owned());
    lines.extend(standing.prediction());
    lines.extend(standing.failures());
    lines.push("Click to make it the target of all meters.".into());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::{go_to, press_at};
    use crate::editor::stage::Stage;
    use crate::params::WINDOW;
    use crate::window::place::SIZE_MIN;
    use egui::{Key, Modifiers};
    use nice_plug::prelude::Params;

    fn stage(names: &[&str], size: (u32, u32)) -> Stage {
        let desk = SharedState::default();
        desk.shared.readings.integrated_lufs.set(Some(-11.5));
        desk.shared.readings.true_peak_dbtp.set(Some(-1.5));
        desk.params.choices.write().compared = names.iter().map(|&name| name.to_owned()).collect();
        Stage::sized(desk, size)
    }

    /// By hand, from the sections of `targets.toml`: levels of -14, -16, -15 and -23 LUFS, and a program of -11.5.
    #[test]
    fn each_target_says_what_its_platform_will_do() {
        let names = ["spotify", "apple-music", "deezer", "r128"];
        for size in [SIZE_MIN, WINDOW] {
            let stage = stage(&names, size);
            for words in ["turned down 2.5 dB", "turned down 4.5 dB", "turned down 3.5 dB"] {
                assert!(stage.shows(words), "{words}: {:?}", stage.texts());
            }
            // Nobody plays R 128 louder or softer: what counts is the verdict.
            let loud = stage.texts().iter().filter(|text| *text == "11.5 LU too loud").count();
            assert_eq!(loud, 2, "{:?}", stage.texts());
        }
    }

    #[test]
    fn quieter_program_is_turned_up_as_far_as_its_peaks_allow() {
        let words = |lufs: f32, peak: f32| {
            let desk = SharedState::default();
            desk.shared.readings.integrated_lufs.set(Some(lufs));
            desk.shared.readings.true_peak_dbtp.set(Some(peak));
            let mut standing = TargetState::new();
            standing.judge_by("spotify".into(), &desk);
            standing.action().unwrap()
        };
        assert_eq!(words(-20.0, -9.0), "turned up 6.0 dB");
        assert_eq!(words(-20.0, -5.0), "up only 4.0 dB: headroom");
        assert_eq!(words(-20.0, -0.5), "as it is: no headroom");
        assert_eq!(words(-14.0, -0.5), "played as it is");
    }

    #[test]
    fn strip_is_chosen_in_the_list_clicked_and_saved_with_the_project() {
        let mut stage = stage(&[], WINDOW);
        let name = stage.texts().into_iter().find(|text| text.contains("R 128")).unwrap();
        press_at(&mut stage, &name, Key::Enter);
        for title in ["Spotify", "TIDAL"] {
            press_at(&mut stage, &format!("compare: {title}"), Key::Space);
        }
        stage.press(Key::Escape, Modifiers::NONE);
        stage.press(Key::Escape, Modifiers::NONE);
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert_eq!(desk.params.choices.read().compared, ["spotify", "tidal"]);
        press_at(&mut stage, "TIDAL", Key::Enter);
        assert_eq!(stage.desk.params.choices.read().target, "tidal");
        go_to(&mut stage, "Spotify");
        let is_explained = |text: &String| {
            text.starts_with("Spotify\npeaks 0.5 dB too high\nwill be turned down 2.5 dB")
                && text.contains("true peak: \u{2212}1.5, limit \u{2212}2.0")
        };
        assert!(stage.texts().iter().any(is_explained), "{:?}", stage.texts());
    }

    #[test]
    fn most_targets_have_room_in_the_smallest_window() {
        let names =
            ["r128", "r128-s1", "atsc-a85", "spotify", "apple-music", "youtube", "tidal", "deezer"];
        assert_eq!(names.len(), COMPARED_MAX);
        let stage = stage(&names, SIZE_MIN);
        for [place, seen] in stage.places() {
            assert!(seen.expand(0.5).contains_rect(place), "{place} but {seen}");
        }
        assert!(stage.shows("True peak"), "{:?}", stage.texts());
    }

    #[test]
    fn unknown_target_says_so_in_its_cell() {
        let stage = stage(&["spotfy"], WINDOW);
        let is_error = |text: &String| text.contains("no target `spotfy`");
        assert!(stage.texts().iter().any(is_error), "{:?}", stage.texts());
    }
}
