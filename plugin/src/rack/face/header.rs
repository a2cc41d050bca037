//! Name, files and bypass.

use super::Face;
use crate::rack::source::{Source, effects};
use crate::window::tip::Tip;
use crate::window::{panel, theme};
use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, Rect, RichText, TextEdit, Ui};
use nice_plug::context::gui::GuiContext;
use std::path::Path;
use wavemill_rack::{Part, SLOT_COUNT, Slots};

/// Zooms one may choose.
const ZOOMS: [f32; 6] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0];

/// What the menu of files remembers.
#[derive(Debug, Default)]
pub(super) struct View {
    path: String,
    /// What became of the last action.
    notes: Vec<String>,
    is_wrong: bool,
}

impl Face {
    pub(super) fn header(&mut self, ui: &mut Ui, rect: Rect, context: &GuiContext) {
        panel::inside(ui, rect, |ui| {
            ui.horizontal_centered(|ui| {
                ui.label(RichText::new("Wavemill Rack").size(17.0).strong());
                ui.add_space(10.0);
                let file =
                    ui.add(Button::new("File")).tip("Loads and saves the rack as a pipeline.");
                Popup::menu(&file)
                    .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
                    .show(|ui| self.files(ui));
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
            let setter = context.param_setter();
            setter.begin_set_parameter(param);
            setter.set_parameter(param, !param.value());
            setter.end_set_parameter(param);
        }
    }

    fn files(&mut self, ui: &mut Ui) {
        ui.set_min_width(360.0);
        ui.label("A pipeline file (.toml)");
        ui.add(
            TextEdit::singleline(&mut self.header.path)
                .hint_text("/path/to/rack.toml")
                .desired_width(f32::INFINITY),
        );
        ui.horizontal(|ui| {
            let is_named = !self.header.path.trim().is_empty();
            let load = ui.add_enabled(is_named, Button::new("Load"));
            if load.tip("Plays the steps of the pipeline that can be played.").clicked() {
                let result = self.load_file();
                self.note(result);
            }
            let save = ui.add_enabled(is_named, Button::new("Save"));
            if save.tip("Writes a new file: `wavemill run` then makes what you hear.").clicked() {
                let result = self.save_file();
                self.note(result);
            }
        });
        let color = if self.header.is_wrong { theme::BAD } else { theme::FAINT };
        for note in &self.header.notes {
            ui.label(RichText::new(note).size(11.5).color(color));
        }
    }

    fn note(&mut self, result: Result<Vec<String>, Vec<String>>) {
        self.header.is_wrong = result.is_err();
        self.header.notes = result.unwrap_or_else(|errors| errors);
    }

    fn load_file(&self) -> Result<Vec<String>, Vec<String>> {
        let path = Path::new(self.header.path.trim());
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![format!("{}: {error}", path.display())])?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let loaded = wavemill_rack::parts(&text, &effects().in_folder(folder), &self.desk.spec());
        let (parts, notes) = loaded.map_err(|diagnostics| {
            diagnostics
                .iter()
                .map(|found| format!("line {}: {}", found.line, found.message))
                .collect::<Vec<_>>()
        })?;
        let parts: Slots<Option<Part>> = parts;
        for (slot, part) in parts.into_iter().enumerate() {
            self.desk.model().place(slot, part.map(|part| (Source::of(&part), part)));
        }
        self.desk.changed();
        Ok(if notes.is_empty() { vec!["Loaded.".to_owned()] } else { notes })
    }

    fn save_file(&self) -> Result<Vec<String>, Vec<String>> {
        let path = Path::new(self.header.path.trim());
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let wanted = self.desk.model().wanted();
        let text = wavemill_rack::pipeline(&name.unwrap_or_default(), wanted.iter().flatten());
        // Never over a file that is there.
        let file = std::fs::File::options().write(true).create_new(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|error| vec![format!("{}: {error}", path.display())])?;
        let is_plain = (0..SLOT_COUNT).all(|slot| {
            let params = &self.desk.params.slots[slot];
            !params.bypass.value() && !params.solo.value() && params.wet.value() >= 1.0
        });
        let mut notes = vec!["Saved.".to_owned()];
        if !is_plain {
            notes.push(
                "Bypass, solo and dry/wet are the rack's: the file has the slots fully wet."
                    .to_owned(),
            );
        }
        Ok(notes)
    }
}
