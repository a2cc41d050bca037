//! The controls of one slot, made of what the effect or step says about itself.

use super::Face;
use super::request::Request;
use crate::rack::model::SlotModel;
use crate::rack::source;
use crate::window::tip::Tip;
use crate::window::{panel, theme};
use egui::{
    Button, ComboBox, Grid, Rect, Response, RichText, ScrollArea, Sense, Slider, Ui, pos2, vec2,
};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::FloatParam;
use wavemill_rack::{CONTROL_COUNT, Control, METER_COUNT, Part, Scale};

impl Face {
    pub(super) fn controls(&mut self, ui: &mut Ui, rect: Rect, context: &GuiContext) {
        let slot = self.desk.model().slots()[self.shown].clone();
        let title = slot.part.as_ref().map_or_else(|| "Controls".to_owned(), Part::title);
        let room = panel::ground(ui, rect, &title);
        panel::inside(ui, room, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                self.problem(ui, &slot);
                match &slot.part {
                    Some(part) => self.part(ui, part, context),
                    None if slot.source.is_none() => {
                        ui.label(RichText::new("Add an effect to this slot.").color(theme::FAINT));
                    }
                    None => {}
                }
            });
        });
    }

    fn problem(&mut self, ui: &mut Ui, slot: &SlotModel) {
        let Some(problem) = &slot.problem else { return };
        ui.label(RichText::new(problem).color(theme::BAD));
        let is_asked = problem == source::ASK;
        let (text, tip) = if is_asked {
            ("Run it", "Runs this module here and in all projects from now on.")
        } else {
            ("Try again", "Loads it anew.")
        };
        if ui.add(Button::new(text)).tip(tip).clicked() {
            if let Some(source) = slot.source.clone().filter(|_| is_asked) {
                self.request = Some(Request::Trust { slot: self.shown, source });
            } else {
                self.desk.model().retry(self.shown);
                self.desk.changed();
            }
        }
        ui.add_space(6.0);
    }

    fn part(&mut self, ui: &mut Ui, part: &Part, context: &GuiContext) {
        ui.label(RichText::new(part.summary()).color(theme::FAINT).size(12.0));
        ui.add_space(4.0);
        self.meters(ui, part);
        self.presets(ui, part, context);
        self.curve(ui, part);
        let width = (ui.available_width() - 300.0).clamp(80.0, 420.0);
        ui.spacing_mut().slider_width = width;
        Grid::new(("controls", self.shown)).num_columns(2).spacing([12.0, 6.0]).show(ui, |ui| {
            if !self.desk.params.is_exported {
                self.wet(ui, context);
            }
            for (index, control) in part.controls().iter().enumerate().take(CONTROL_COUNT) {
                self.control(ui, (index, control), context);
            }
        });
    }

    /// What the effect's own meters show, as bars from zero.
    fn meters(&self, ui: &mut Ui, part: &Part) {
        let Some(module) = part.module() else { return };
        for (index, meter) in module.description().meters.iter().enumerate().take(METER_COUNT) {
            let value = f64::from(self.desk.levels.meter(self.shown, index));
            ui.horizontal(|ui| {
                ui.label(RichText::new(&meter.name).color(theme::FAINT));
                let (bar, _) = ui.allocate_exact_size(vec2(160.0, 10.0), Sense::hover());
                ui.painter().rect_filled(bar, 2.0, theme::GROUND);
                #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
                let place = |value: f64| {
                    let share = (value - meter.min) / (meter.max - meter.min);
                    bar.left() + bar.width() * share.clamp(0.0, 1.0) as f32
                };
                let (zero, end) = (place(0.0), place(value));
                let filled = Rect {
                    min: pos2(zero.min(end), bar.top()),
                    max: pos2(zero.max(end), bar.bottom()),
                };
                ui.painter().rect_filled(filled, 2.0, theme::HELD);
                let words = format!("{value:.1} {}", meter.unit);
                ui.label(RichText::new(words).font(theme::digits(12.0)));
            });
        }
    }

    fn wet(&self, ui: &mut Ui, context: &GuiContext) {
        let param = &self.desk.params.slots[self.shown].wet;
        ui.label("Wet");
        let mut percent = f64::from(param.value()) * 100.0;
        let slider = Slider::new(&mut percent, 0.0..=100.0).fixed_decimals(0).suffix(" %");
        let response =
            ui.add(slider).tip("Share of the effect; the rest is the signal as it came.");
        #[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
        let share = (percent / 100.0) as f32;
        send(&response, param, share, context);
        ui.end_row();
    }

    fn control(&mut self, ui: &mut Ui, (index, control): (usize, &Control), context: &GuiContext) {
        ui.label(&control.name).tip(&control.summary);
        let mut value = self.desk.model().exact(self.shown, index);
        let response = if control.labels.is_empty() {
            ui.add(slider(control, &mut value))
        } else {
            self.choice(ui, (index, control), &mut value)
        };
        let response = response.tip(&control.summary);
        let is_drag = response.dragged() || response.drag_stopped();
        if response.drag_started() || (response.changed() && !is_drag) || response.double_clicked()
        {
            self.remember();
        }
        if response.double_clicked() {
            self.set(index, control.default, context);
        } else if response.changed() || response.drag_started() || response.drag_stopped() {
            let param = &self.desk.params.slots[self.shown].controls[index];
            if let Some(position) = self.desk.model().set(self.shown, index, value) {
                send(&response, param, position, context);
            }
        }
        ui.end_row();
    }

    fn choice(
        &self,
        ui: &mut Ui,
        (index, control): (usize, &Control),
        value: &mut f64,
    ) -> Response {
        let mut is_changed = false;
        let mut response = ComboBox::from_id_salt(("choice", self.shown, index))
            .selected_text(control.shown(*value))
            .show_ui(ui, |ui| {
                for (step, label) in control.labels.iter().enumerate() {
                    let own = control.min + step as f64;
                    if ui.add(Button::selectable((own - *value).abs() < 0.5, label)).clicked() {
                        (*value, is_changed) = (own, true);
                    }
                }
            })
            .response;
        if is_changed {
            response.mark_changed();
        }
        response
    }

    /// Sets a control to an exact value; the host is informed.
    pub(super) fn set(&self, index: usize, value: f64, context: &GuiContext) {
        let param = &self.desk.params.slots[self.shown].controls[index];
        if let Some(position) = self.desk.model().set(self.shown, index, value) {
            let setter = context.param_setter();
            setter.begin_set_parameter(param);
            setter.set_parameter_normalized(param, position);
            setter.end_set_parameter(param);
        }
    }
}

fn slider<'v>(control: &Control, value: &'v mut f64) -> Slider<'v> {
    let (shown, read) = (control.clone(), control.clone());
    let mut slider = Slider::new(value, control.min..=control.max)
        .logarithmic(control.scale == Scale::Logarithmic)
        .custom_formatter(move |value, _| shown.shown(value))
        .custom_parser(move |typed| read.read(typed));
    if let Some(steps) = control.steps {
        slider = slider.step_by((control.max - control.min) / f64::from(steps));
    }
    slider
}

/// Sends a value as part of a gesture: a drag is one, anything else is one of its own.
fn send(response: &Response, param: &FloatParam, position: f32, context: &GuiContext) {
    let setter = context.param_setter();
    if response.drag_started() {
        setter.begin_set_parameter(param);
    }
    if response.changed() {
        let is_drag = response.dragged() || response.drag_stopped();
        if !is_drag {
            setter.begin_set_parameter(param);
        }
        setter.set_parameter_normalized(param, position);
        if !is_drag {
            setter.end_set_parameter(param);
        }
    }
    if response.drag_stopped() {
        setter.end_set_parameter(param);
    }
}
