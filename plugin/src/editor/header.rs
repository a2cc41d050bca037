//! Name, target and settings.

use super::tip::{Tip, label};
use super::verdict::Standing;
use super::{panel, theme};
use crate::plugin::Desk;
use egui::{Align, Button, ComboBox, Layout, Rect, RichText, TextEdit, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::BoolParam;
use wavemill_pipelines::delivery;

/// Zooms one may choose.
const ZOOMS: [f32; 6] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0];

pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    desk: &Desk,
    standing: &mut Standing,
    context: &GuiContext,
) {
    panel::inside(ui, rect, |ui| {
        ui.horizontal_centered(|ui| {
            ui.label(RichText::new("Wavemill").size(17.0).strong());
            ui.add_space(10.0);
            target(ui, desk, standing);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.menu_button("Settings", |ui| settings(ui, desk, context));
                let tip = "Forgets everything measured so far.";
                if ui.add(Button::new("Reset")).tip(tip).clicked() {
                    desk.shared.reset();
                }
                let (readings, is_saved) = desk.shared.shown();
                let measured = readings.measured_s.get().unwrap_or(0.0);
                let clock = super::scale::clock(f64::from(measured));
                ui.add(label(RichText::new(clock).font(theme::digits(13.0)).color(theme::FAINT)))
                    .tip(if is_saved {
                        "Time measured when the project was saved."
                    } else {
                        "Time measured since the meters began."
                    });
            });
        });
    });
}

/// The target against which everything is held.
fn target(ui: &mut Ui, desk: &Desk, standing: &Standing) {
    let chosen = desk.params.choices.read().target.clone();
    let name =
        standing.target.as_ref().map_or_else(|| chosen.clone(), |target| target.name.clone());
    let mut wanted = None;
    let tip = match (&standing.target, &standing.error) {
        (Some(target), _) => format!("{}\n{}", target.purpose, target.source.document),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    };
    ComboBox::from_id_salt("target")
        .selected_text(name)
        .width(190.0)
        .height(420.0)
        .show_ui(ui, |ui| {
            for target in delivery::shipped() {
                let response = ui.selectable_label(chosen == target.id, &target.name);
                if response.tip(&target.purpose).clicked() {
                    wanted = Some(target.id.clone());
                }
            }
            ui.separator();
            let mut own = if chosen.contains(".toml") { chosen.clone() } else { String::new() };
            let hint = "your targets: PATH.toml#ID";
            if ui.add(TextEdit::singleline(&mut own).hint_text(hint)).lost_focus()
                && !own.is_empty()
            {
                wanted = Some(own);
            }
        })
        .response
        .tip(&tip);
    if let Some(wanted) = wanted {
        desk.params.choices.write().target = wanted;
    }
    if let Some(error) = &standing.error {
        ui.label(RichText::new(error).color(theme::BAD).size(11.0));
    }
}

fn settings(ui: &mut Ui, desk: &Desk, context: &GuiContext) {
    ui.set_min_width(270.0);
    let params = &desk.params;
    for (param, words) in [
        (&params.follow, "Pause while the transport stands"),
        (&params.reset_on_start, "Begin anew when the transport starts or jumps"),
        (&params.dual_mono, "Mono counts as two loudspeakers"),
    ] {
        checkbox(ui, param, words, context);
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.label("Zoom");
        let now = ui.ctx().zoom_factor();
        for zoom in ZOOMS {
            let is_now = (now - zoom).abs() < 0.01;
            if ui.selectable_label(is_now, format!("{:.0} %", zoom * 100.0)).clicked() {
                ui.ctx().set_zoom_factor(zoom);
            }
        }
    });
}

fn checkbox(ui: &mut Ui, param: &BoolParam, words: &str, context: &GuiContext) {
    let mut value = param.value();
    if ui.checkbox(&mut value, words).changed() {
        let setter = context.param_setter();
        setter.begin_set_parameter(param);
        setter.set_parameter(param, value);
        setter.end_set_parameter(param);
    }
}
