//! Name, files and bypass.

use super::Face;
use super::presets::is_file_name;
use super::request::Request;
use crate::exported::exported;
use crate::rack::folders;
use crate::window::tip::Tip;
use crate::window::{panel, set_param, theme};
use egui::{
    Align, Button, DragValue, Layout, Popup, PopupCloseBehavior, Rect, RichText, TextEdit, Ui,
};
use nice_plug::context::gui::GuiContext;
use std::path::{Path, PathBuf};

/// Zooms one may choose.
const ZOOMS: [f32; 6] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0];

/// What the menu of files remembers.
#[derive(Debug, Default)]
pub(super) struct View {
    path: String,
    /// What became of the last action.
    pub(super) notes: Vec<String>,
    is_wrong: bool,
}

impl Face {
    pub(super) fn header(&mut self, ui: &mut Ui, rect: Rect, context: &GuiContext) {
        panel::inside(ui, rect, |ui| {
            ui.horizontal_centered(|ui| {
                let name = exported().map_or("Wavemill Rack", |effect| &effect.name);
                ui.label(RichText::new(name).size(17.0).strong());
                ui.add_space(10.0);
                if !self.desk.params.is_exported {
                    let file =
                        ui.add(Button::new("File")).tip("Loads and saves the rack as a pipeline.");
                    Popup::menu(&file)
                        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
                        .show(|ui| self.files(ui));
                }
                self.history(ui);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.bypass(ui, context);
                    ui.menu_button("Zoom", |ui| {
                        for zoom in ZOOMS {
                            if ui.button(format!("{:.0} %", zoom * 100.0)).clicked() {
                                ui.ctx().set_zoom_factor(zoom);
                                ui.close();
                            }
                        }
                    });
                });
            });
        });
    }

    fn bypass(&self, ui: &mut Ui, context: &GuiContext) {
        let param = &self.desk.params.bypass;
        let button = Button::selectable(param.value(), "Bypass");
        if ui.add(button).tip("All slots pass on what comes, as late as they are.").clicked() {
            set_param(param, !param.value(), context);
        }
    }

    fn files(&mut self, ui: &mut Ui) {
        ui.set_min_width(360.0);
        let racks = folders::racks();
        if let Some(racks) = &racks {
            ui.label(RichText::new("Your racks").color(theme::FAINT));
            if let Some(path) = self.listed(ui, racks) {
                self.request = Some(Request::Load { path, spec: self.desk.spec() });
            }
            ui.separator();
        }
        ui.label("A name, or the path of a pipeline (.toml)");
        ui.add(
            TextEdit::singleline(&mut self.header.path)
                .hint_text("my rack")
                .desired_width(f32::INFINITY),
        );
        ui.horizontal(|ui| {
            let is_named = !self.header.path.trim().is_empty();
            let load = ui.add_enabled(is_named, Button::new("Load"));
            let path = rack_file(racks.as_deref(), self.header.path.trim());
            if load.tip("Plays the steps of the pipeline that can be played.").clicked() {
                self.request = Some(Request::Load { path: path.clone(), spec: self.desk.spec() });
            }
            let save = ui.add_enabled(is_named, Button::new("Save"));
            if save.tip("Writes a new file: `wavemill run` then makes what you hear.").clicked() {
                self.request = Some(self.saving(path));
            }
        });
        ui.horizontal(|ui| {
            ui.label("Save modules of your own with the project up to");
            let mut view = self.desk.params.view.write();
            let field = DragValue::new(&mut view.modules_kib).range(0..=16_384).suffix(" KiB");
            ui.add(field).tip("A larger one is found by its path only.");
        });
        let color = if self.header.is_wrong { theme::BAD } else { theme::FAINT };
        for note in &self.header.notes {
            ui.label(RichText::new(note).size(11.5).color(color));
        }
    }

    fn saving(&self, path: PathBuf) -> Request {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let wanted = self.desk.model().wanted();
        let text = wavemill_rack::pipeline(&name.unwrap_or_default(), wanted.iter().flatten());
        Request::Save { path, text, is_preset: false }
    }

    /// What the user should know of a file that was written.
    pub(super) fn saved_notes(&self) -> Vec<String> {
        let is_plain = self.desk.params.slots.iter().all(|params| {
            !params.bypass.value() && !params.solo.value() && params.wet.value() >= 1.0
        });
        let saved = ["Saved.".to_owned()].into_iter();
        let own = "Bypass, solo and dry/wet are the rack's: the file has the slots fully wet.";
        saved.chain((!is_plain).then(|| own.to_owned())).collect()
    }
}

/// A name alone is a file in the folder of racks.
fn rack_file(racks: Option<&Path>, typed: &str) -> PathBuf {
    match racks.filter(|_| is_file_name(typed)) {
        Some(racks) => folders::file(racks, typed),
        None => PathBuf::from(typed),
    }
}

impl View {
    /// Whether the last action failed.
    #[cfg(test)]
    pub(super) fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// What became of the last action.
    pub(super) fn note(&mut self, result: Result<Vec<String>, Vec<String>>) {
        self.is_wrong = result.is_err();
        self.notes = result.unwrap_or_else(|problems| problems);
    }
}
