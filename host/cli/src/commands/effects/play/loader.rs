//! The other side of the rack that plays: it loads the effect, again when its files change, and says what happens.

use super::Play;
use crate::commands::Context;
use crate::report::one_line;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::ParamValue;
use wavemill_pipelines::Effects;
use wavemill_pipelines::effects::is_preset_file;
use wavemill_rack::{Ending, Incident, Part, Rack, SLOT_COUNT, Slots, Supervisor, WatchedFile};
use wavemill_runtime::bundled;

/// Where the effect comes from, and what plays of it.
pub(super) struct Loader<'c> {
    context: &'c Context,
    selection: Selection,
    files: Vec<WatchedFile>,
    supervisor: Supervisor,
    /// The effect in the first slot.
    wanted: Slots<Option<Part>>,
    /// Why the newest files are not used, until that is reported.
    refused: Option<String>,
}

/// What makes a part.
struct Selection {
    effects: Effects,
    name: String,
    preset: Option<String>,
    with: BTreeMap<String, ParamValue>,
}

impl Selection {
    fn part(&self) -> Result<Part, String> {
        let module = self.effects.load(&self.name).map_err(|error| {
            error.help().map_or_else(|| error.to_string(), |help| format!("{error}; {help}"))
        })?;
        let part = Part::effect_with(&self.name, module, self.preset.as_deref(), &self.with);
        part.map_err(|error| error.to_string())
    }

    /// Files that are watched.
    fn files(&self) -> Vec<WatchedFile> {
        let module = Some(&self.name).filter(|name| bundled(name).is_none());
        let preset = self.preset.as_ref().filter(|name| is_preset_file(name));
        let files = module.into_iter().chain(preset);
        files.map(|name| WatchedFile::new(PathBuf::from(name))).collect()
    }
}

impl<'c> Loader<'c> {
    /// Loads what is asked for, and a rack that plays it.
    ///
    /// # Errors
    /// One line: why it does not play.
    pub(super) fn open(
        context: &'c Context,
        asked: &Play,
        spec: &StreamSpec,
    ) -> Result<(Self, Rack), String> {
        let selection = Selection {
            // What is being written is compiled once each: a cache would only fill a disk.
            effects: Effects::live(None),
            name: asked.effect.clone(),
            preset: asked.preset.clone(),
            with: asked.with.iter().cloned().collect(),
        };
        let mut files = selection.files();
        // Before they are read: what changes meanwhile is seen later.
        look_at(&mut files);
        let mut wanted: Slots<Option<Part>> = Default::default();
        wanted[0] = Some(selection.part()?);
        let (rack, supervisor, incidents) =
            wavemill_rack::rack(spec, &wanted, &[1.0; SLOT_COUNT], Arc::default());
        if let Some(Incident { reason, .. }) = incidents.into_iter().next() {
            return Err(reason);
        }
        Ok((Self { context, selection, files, supervisor, wanted, refused: None }, rack))
    }

    /// Name and version of the effect.
    pub(super) fn title(&self) -> String {
        let module = self.wanted[0].as_ref().and_then(Part::module);
        module.map_or_else(String::new, |module| {
            format!("{} {}", module.description().name, module.description().version)
        })
    }

    /// Loads what changed, and does what the rack needs.
    pub(super) fn tend(&mut self) {
        self.look();
        for Incident { reason, ending, .. } in self.supervisor.tend(&self.wanted) {
            match ending {
                Ending::Renewed => self.warn("broken", &format!("{reason}; a new instance plays")),
                Ending::Dry => {
                    self.warn("dry", &format!("{reason}; the file plays dry until a new build"));
                }
                Ending::Kept => self.refuse(&reason),
            }
        }
    }

    fn look(&mut self) {
        if !look_at(&mut self.files) {
            // One that could not be used may have been half written: it is reported once it stands.
            if let Some(reason) = self.refused.take() {
                self.refuse(&reason);
            }
            return;
        }
        let start = Instant::now();
        match self.selection.part() {
            Ok(part) if self.wanted[0].as_ref() == Some(&part) => self.refused = None,
            Ok(part) => {
                self.refused = None;
                self.wanted[0] = Some(part);
                self.reloaded(start);
            }
            Err(reason) => self.refused = Some(reason),
        }
    }

    fn reloaded(&self, start: Instant) {
        let (title, ms) = (self.title(), start.elapsed().as_millis());
        if self.context.is_json() {
            let event = json!({ "event": "reloaded", "effect": title, "compile_ms": ms });
            // Nobody reads any more: it goes on playing.
            let _ = self.context.event(&event);
        } else {
            self.context.report.note(&format!("{title} is new: compiled in {ms} ms"));
        }
    }

    fn refuse(&self, reason: &str) {
        self.warn("refused", &format!("the new build is not used, the old one plays on: {reason}"));
    }

    fn warn(&self, event: &str, text: &str) {
        let text = one_line(text);
        if self.context.is_json() {
            let _ = self.context.event(&json!({ "event": event, "reason": text }));
        } else {
            self.context.report.warning(&text);
        }
    }
}

/// Whether any of them changed. Each keeps what it saw.
fn look_at(files: &mut [WatchedFile]) -> bool {
    files.iter_mut().fold(false, |is_changed, file| file.look() | is_changed)
}
