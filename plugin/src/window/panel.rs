//! What all panels have in common.

use super::theme;
use super::tip::Tip;
use egui::{
    Align2, Color32, Painter, Pos2, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

/// A panel's ground with its title; returns the room below the title.
pub(crate) fn ground(ui: &Ui, rect: Rect, title: &str) -> Rect {
    ui.painter().rect_filled(rect, theme::CORNER, theme::PANEL);
    let place = pos2(rect.left() + 8.0, rect.top() + 5.0);
    text(ui.painter(), place, Align2::LEFT_TOP, title, 10.5, theme::FAINT);
    Rect { min: pos2(rect.left() + 8.0, rect.top() + 20.0), max: rect.max - vec2(8.0, 7.0) }
}

/// Words of a proportional font.
pub(crate) fn text(
    painter: &Painter,
    place: Pos2,
    align: Align2,
    words: &str,
    size: f32,
    color: Color32,
) -> Rect {
    painter.text(place, align, words, theme::font(size), color)
}

/// A place that says what it shows when the pointer rests on it, or the keyboard is there.
pub(crate) fn explained(ui: &Ui, rect: Rect, name: &str, words: &str) -> Response {
    place(ui, rect, name).tip(words)
}

/// The same for a plot: where the pointer rests on the panel's title, since words beside the plot would cover the axes
/// that are being read. To the keyboard as any other place.
pub(crate) fn explained_by_title(ui: &Ui, panel: Rect, plot: Response, words: &str) {
    /// Room of the longest title; buttons follow.
    const TITLE: egui::Vec2 = vec2(70.0, 20.0);
    let title = Rect::from_min_size(panel.min, TITLE);
    if plot.has_focus() {
        plot.tip(words);
    } else {
        ui.interact(title, plot.id.with("title"), Sense::hover()).on_hover_text(words);
    }
}

/// A place that the keyboard can be at.
pub(crate) fn place(ui: &Ui, rect: Rect, name: &str) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    response
}

/// Room for widgets.
pub(crate) fn inside(ui: &mut Ui, rect: Rect, show: impl FnOnce(&mut Ui)) {
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.set_clip_rect(rect.expand(2.0));
    show(&mut child);
}
