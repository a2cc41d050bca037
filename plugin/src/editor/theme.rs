//! Colors and sizes of the editor, in one place.
//!
//! Colors are those of Okabe and Ito, which people with any kind of color vision can tell apart; no
//! state is told by color alone.

use egui::{Color32, CornerRadius, FontId, Stroke, Visuals};

pub(super) const GROUND: Color32 = Color32::from_rgb(0x14, 0x17, 0x1c);
pub(super) const PANEL: Color32 = Color32::from_rgb(0x1b, 0x1f, 0x26);
pub(super) const GRID: Color32 = Color32::from_rgb(0x2c, 0x32, 0x3c);
pub(super) const FAINT: Color32 = Color32::from_rgb(0x84, 0x8e, 0x9c);
pub(super) const TEXT: Color32 = Color32::from_rgb(0xe4, 0xe8, 0xee);

/// The signal.
pub(super) const SIGNAL: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// Within a target.
pub(super) const GOOD: Color32 = Color32::from_rgb(0x2a, 0xc0, 0x95);
/// Beyond a limit.
pub(super) const BAD: Color32 = Color32::from_rgb(0xe8, 0x74, 0x22);
/// What is remembered: peak hold, a reference.
pub(super) const HELD: Color32 = Color32::from_rgb(0xf0, 0xe4, 0x42);
/// The target itself.
pub(super) const TARGET: Color32 = Color32::from_rgb(0xcc, 0x79, 0xa7);

/// Room between panels.
pub(super) const GAP: f32 = 6.0;

/// Corners of panels.
pub(super) const CORNER: CornerRadius = CornerRadius::same(5);

pub(super) fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Digits of one width.
pub(super) fn digits(size: f32) -> FontId {
    FontId::monospace(size)
}

pub(super) fn hairline(color: Color32) -> Stroke {
    Stroke::new(1.0, color)
}

/// Lets a color shine through.
pub(super) fn veil(color: Color32, share: f32) -> Color32 {
    color.gamma_multiply(share)
}

/// Tells egui.
pub(super) fn apply(context: &egui::Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = GROUND;
    visuals.window_fill = PANEL;
    visuals.extreme_bg_color = GROUND;
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = veil(SIGNAL, 0.45);
    visuals.selection.stroke = hairline(TEXT);
    visuals.widgets.noninteractive.bg_stroke = hairline(GRID);
    visuals.widgets.inactive.weak_bg_fill = Color32::from_rgb(0x28, 0x2e, 0x38);
    visuals.widgets.hovered.weak_bg_fill = Color32::from_rgb(0x34, 0x3c, 0x49);
    visuals.widgets.active.weak_bg_fill = Color32::from_rgb(0x3f, 0x49, 0x59);
    context.set_visuals(visuals);
}
