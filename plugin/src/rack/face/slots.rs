//! The strip of slots, in the order of the signal.

use super::Face;
use super::request::Request;
use crate::rack::model::SlotModel;
use crate::rack::source::{self, Source};
use crate::window::tip::Tip;
use crate::window::{panel, set_param, theme};
use egui::{
    Align, Atom, Button, Layout, Popup, PopupCloseBehavior, Rect, Response, RichText, Role, Sense,
    Shape, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::BoolParam;
use wavemill_core::units::Decibels;
use wavemill_rack::{Part, SLOT_COUNT};

/// The lowest level that is drawn, in dBFS.
const FLOOR_DB: f64 = -60.0;

impl Face {
    pub(super) fn slots(&mut self, ui: &mut Ui, rect: Rect, context: &GuiContext) {
        let slots = self.desk.model().slots();
        let height = (rect.height() - theme::GAP * 7.0) / 8.0;
        for (index, slot) in slots.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "eight of them")]
            let top = rect.top() + (height + theme::GAP) * index as f32;
            let row = Rect { min: pos2(rect.left(), top), max: pos2(rect.right(), top + height) };
            self.slot(ui, row, (index, slot), context);
        }
    }

    fn slot(&mut self, ui: &mut Ui, row: Rect, at: (usize, &SlotModel), context: &GuiContext) {
        let (index, slot) = at;
        let is_shown = self.shown == index;
        let ground = if is_shown { theme::CHOSEN } else { theme::PANEL };
        ui.painter().rect_filled(row, theme::CORNER, ground);
        if is_shown {
            let stroke = Stroke::new(1.0, theme::SIGNAL);
            ui.painter().rect_stroke(row, theme::CORNER, stroke, StrokeKind::Inside);
        }
        if slot.source.is_some() {
            self.level(ui, row, index);
        }
        let inner = Rect { min: row.min + vec2(8.0, 0.0), max: row.max - vec2(12.0, 0.0) };
        panel::inside(ui, inner, |ui| {
            ui.horizontal_centered(|ui| {
                ui.label(RichText::new((index + 1).to_string()).color(theme::FAINT));
                match &slot.source {
                    Some(source) => self.filled(ui, (index, slot, source), context),
                    None => self.empty(ui, index),
                }
            });
        });
    }

    /// The peak of what the slot delivers, as a bar at the right.
    fn level(&self, ui: &Ui, row: Rect, index: usize) {
        let peak = f64::from(self.levels.peaks.outputs[index]);
        let db = Decibels::from_amplitude(peak).map_or(FLOOR_DB, |level| level.0);
        #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
        let share = ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0) as f32;
        let bar =
            Rect { min: pos2(row.right() - 7.0, row.top() + 4.0), max: row.max - vec2(3.0, 4.0) };
        ui.painter().rect_filled(bar, 1.0, theme::GROUND);
        let color = if peak > 1.0 { theme::BAD } else { theme::SIGNAL };
        let top = bar.bottom() - bar.height() * share;
        ui.painter().rect_filled(Rect { min: pos2(bar.left(), top), max: bar.max }, 1.0, color);
    }

    fn filled(&mut self, ui: &mut Ui, at: (usize, &SlotModel, &Source), context: &GuiContext) {
        let (index, slot, source) = at;
        let title = slot.part.as_ref().map_or_else(|| source.name.clone(), Part::title);
        let mut text = RichText::new(title);
        if slot.problem.is_some() {
            text = text.color(theme::BAD);
        }
        let summary = slot.part.as_ref().map_or("", |part| part.summary());
        let width = (ui.available_width() - 128.0).max(40.0);
        let button =
            Button::new((text, Atom::grow())).frame(false).truncate().min_size(vec2(width, 22.0));
        let title = ui.add_sized(vec2(width, 22.0), button).tip(summary);
        if title.clicked() || title.gained_focus() {
            self.shown = index;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if small(ui, "×", "Empties the slot.").clicked() {
                self.remember();
                self.desk.model().place(index, None);
                self.desk.changed();
            }
            if arrow(ui, Way::Down, index + 1 < SLOT_COUNT).clicked() {
                self.exchange(index, index + 1);
            }
            if arrow(ui, Way::Up, index > 0).clicked() {
                self.exchange(index, index - 1);
            }
            let params = &self.desk.params.slots[index];
            toggle(ui, &params.solo, ("S", "Only this slot and others with S are heard."), context);
            toggle(ui, &params.bypass, ("B", "The slot passes on what comes."), context);
        });
    }

    fn exchange(&mut self, one: usize, other: usize) {
        self.remember();
        self.desk.model().exchange(one, other);
        self.shown = other;
        self.desk.changed();
    }

    fn empty(&mut self, ui: &mut Ui, index: usize) {
        let add =
            ui.add(Button::new(RichText::new("Add an effect").color(theme::FAINT)).frame(false));
        Popup::menu(&add)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| self.choices(ui, index));
    }

    fn choices(&mut self, ui: &mut Ui, index: usize) {
        ui.set_min_width(260.0);
        for name in source::names() {
            if ui.add(Button::selectable(false, *name)).clicked() {
                self.choose(index, name);
                ui.close();
            }
        }
        ui.separator();
        ui.label(RichText::new("A module of your own (.wasm)").color(theme::FAINT));
        let field = TextEdit::singleline(&mut self.path).hint_text("/path/to/effect.wasm");
        let field = ui.add(field.desired_width(f32::INFINITY));
        let is_entered =
            field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if (ui.button("Load").clicked() || is_entered) && !self.path.trim().is_empty() {
            let path = self.path.trim().to_owned();
            self.choose(index, &path);
        }
        if let Some(problem) = &self.path_problem {
            ui.label(RichText::new(problem).size(11.5).color(theme::BAD));
        }
    }

    /// Fills a slot.
    fn choose(&mut self, slot: usize, name: &str) {
        self.path_problem = None;
        self.request = Some(Request::Choose { slot, name: name.to_owned() });
    }
}

fn small(ui: &mut Ui, text: &str, tip: &str) -> Response {
    ui.add(Button::new(RichText::new(text).size(11.0)).min_size(vec2(22.0, 20.0))).tip(tip)
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// A button with a triangle, which the typeface does not have.
fn arrow(ui: &mut Ui, way: Way, is_enabled: bool) -> Response {
    let (name, side) = match way {
        Way::Up => ("Moves it up.", 1.0),
        Way::Down => ("Moves it down.", -1.0),
    };
    let button = Button::new("").min_size(vec2(22.0, 20.0));
    let response = ui.add_enabled(is_enabled, button).tip(name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, name));
    let center = response.rect.center();
    let points = [vec2(-4.0, 2.5 * side), vec2(4.0, 2.5 * side), vec2(0.0, -2.5 * side)];
    let color = if is_enabled { theme::TEXT } else { theme::GRID };
    let shape = Shape::convex_polygon(points.map(|way| center + way).to_vec(), color, Stroke::NONE);
    ui.painter().add(shape);
    response
}

fn toggle(ui: &mut Ui, param: &BoolParam, (text, tip): (&str, &str), context: &GuiContext) {
    let button = Button::selectable(param.value(), RichText::new(text).size(11.0));
    let response = ui.add(button.min_size(vec2(22.0, 20.0)).sense(Sense::click())).tip(tip);
    if response.clicked() {
        set_param(param, !param.value(), context);
    }
}
