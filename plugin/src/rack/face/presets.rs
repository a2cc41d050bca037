//! Presets of the shown slot: the module's own, and files of the user's.

use super::Face;
use super::request::Request;
use crate::lookup::Answer;
use crate::rack::folders;
use crate::window::theme;
use crate::window::tip::Tip;
use egui::{Button, Popup, PopupCloseBehavior, RichText, TextEdit, Ui};
use nice_plug::context::gui::GuiContext;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_pipelines::effects::PresetFile;
use wavemill_rack::{CONTROL_COUNT, Part};

/// How old a list of files may be.
const LIST_TIME: Duration = Duration::from_secs(2);

/// What the menu remembers.
#[derive(Debug, Default)]
pub(super) struct View {
    name: String,
    /// What became of the last action: an error, or nothing to say.
    pub(super) problem: Option<String>,
}

impl Face {
    pub(super) fn presets(&mut self, ui: &mut Ui, part: &Part, context: &GuiContext) {
        if part.module().is_none() {
            return;
        }
        let button = ui.add(Button::new("Presets")).tip("Of the effect, and your own.");
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| self.preset_menu(ui, part, context));
        ui.add_space(4.0);
    }

    fn preset_menu(&mut self, ui: &mut Ui, part: &Part, context: &GuiContext) {
        let Some(module) = part.module() else { return };
        ui.set_min_width(220.0);
        for preset in &module.description().presets {
            if ui.add(Button::selectable(false, &preset.name)).clicked() {
                let taken = Part::effect(part.name(), module.clone(), Some(&preset.name));
                if let Ok(taken) = taken {
                    self.take_values(&taken, context);
                }
                ui.close();
            }
        }
        let Some(folder) = folders::presets(&module.description().id) else { return };
        if !module.description().presets.is_empty() {
            ui.separator();
        }
        ui.label(RichText::new("Your presets").color(theme::FAINT));
        if let Some(path) = self.listed(ui, &folder) {
            self.request = Some(Request::Preset { slot: self.shown, part: part.clone(), path });
            ui.close();
        }
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.presets.name).hint_text("Name");
            ui.add(field.desired_width(140.0));
            let name = self.presets.name.trim();
            let save = ui.add_enabled(is_file_name(name), Button::new("Save"));
            if save.tip("Pipelines can use the file: `preset = \"...\"`.").clicked() {
                self.save_preset(part, folders::file(&folder, name));
            }
        });
        if let Some(problem) = &self.presets.problem {
            ui.label(RichText::new(problem).size(11.5).color(theme::BAD));
        }
    }

    pub(super) fn save_preset(&mut self, part: &Part, path: PathBuf) {
        let mut part = part.clone();
        for index in 0..part.values().len() {
            part.set(index, self.desk.model().exact(self.shown, index));
        }
        let preset = part
            .module()
            .map(|module| PresetFile::new(module.description(), &part.settings(module)).to_text());
        if let Some(Ok(text)) = preset {
            self.request = Some(Request::Save { path, text, is_preset: true });
        }
    }

    /// The file that was chosen of those in a folder.
    pub(super) fn listed(&mut self, ui: &mut Ui, folder: &Path) -> Option<PathBuf> {
        let names =
            match self.lists.ask(&folder.to_owned(), LIST_TIME, |folder| folders::names(folder)) {
                Answer::Known(names) => names,
                Answer::Waiting => return None,
                Answer::Late => {
                    ui.label(RichText::new(super::request::LATE).color(theme::BAD));
                    return None;
                }
            };
        let chosen = names.iter().find(|name| ui.add(Button::selectable(false, *name)).clicked());
        chosen.map(|name| folders::file(folder, name))
    }

    /// Sets every control of the shown slot; the host is informed.
    pub(super) fn take_values(&mut self, part: &Part, context: &GuiContext) {
        self.remember();
        for (index, value) in part.values().iter().enumerate().take(CONTROL_COUNT) {
            self.set(index, *value, context);
        }
    }
}

/// Whether a name means a file of the folder and of no other one.
pub(super) fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}
