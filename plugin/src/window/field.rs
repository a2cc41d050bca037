//! Fields for paths, with their words before them and what is wrong with them below.

use super::theme;
use super::tip::{Tip, label};
use egui::{Align, Color32, Id, Label, Layout, RichText, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// Width of the words before the fields, in points.
const WORD_WIDTH: f32 = 68.0;

/// A row with its word at the left.
pub(crate) fn row<T>(ui: &mut Ui, word: &str, tip: &str, show: impl FnOnce(&mut Ui) -> T) -> T {
    let row = ui.horizontal(|ui| {
        let size = vec2(WORD_WIDTH, ui.spacing().interact_size.y);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(WORD_WIDTH);
            ui.add(label(word)).tip(tip);
        });
        show(ui)
    });
    row.inner
}

/// A field for a path; says whether it was changed. The text is the user's while the field has the
/// focus: paths hold spaces, also at their end while one types.
pub(crate) fn path_field(
    ui: &mut Ui,
    name: &str,
    text: &mut String,
    path: &mut Option<PathBuf>,
    hint: &str,
) -> bool {
    // Not by place: lines come and go above it while one types.
    let id = Id::unique(("path", name));
    if !ui.memory(|memory| memory.has_focus(id)) {
        *text = path.as_ref().map_or(String::new(), |path| path.display().to_string());
    }
    let field = TextEdit::singleline(text).id(id).hint_text(hint).desired_width(f32::INFINITY);
    let is_changed = ui.add(field).changed();
    if is_changed {
        *path = (!text.trim().is_empty()).then(|| PathBuf::from(text.trim()));
    }
    is_changed
}

/// A line below a field, where the field begins.
pub(crate) fn note_line(ui: &mut Ui, words: &str, color: Color32) {
    ui.horizontal(|ui| {
        ui.add_space(WORD_WIDTH + ui.spacing().item_spacing.x);
        ui.add(Label::new(RichText::new(words).size(11.5).color(color)).wrap());
    });
}

/// The same for what is wrong.
pub(crate) fn problem_line(ui: &mut Ui, problem: Option<&str>) {
    if let Some(problem) = problem {
        note_line(ui, problem, theme::BAD);
    }
}
