//! An effect as a step of a pipeline.

use crate::report::ModuleFacts;
use serde_json::{Map, Value, json};
use wavemill_core::audio::StreamSpec;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::processor::StepProcessor;
use wavemill_runtime::{Module, Settings};

/// A loaded module with the values of its parameters.
#[derive(Clone)]
pub struct EffectStep {
    /// As the pipeline writes it: the name of a bundled effect, or a path.
    pub name: String,
    /// The module.
    pub module: Module,
    /// The preset that the values began with.
    pub preset: Option<String>,
    /// A value for every parameter.
    pub settings: Settings,
    /// Whether files keep their length: its tail is cut.
    pub keep_length: bool,
    /// Whether other bytes would be refused: by `sha256` in the pipeline, or by `effects.lock`.
    pub is_pinned: bool,
}

impl std::fmt::Debug for EffectStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EffectStep")
            .field("name", &self.name)
            .field("sha256", &self.module.sha256())
            .finish_non_exhaustive()
    }
}

impl EffectStep {
    /// Whether it lies in a file, which may be another one tomorrow; bundled ones come with the
    /// program.
    pub fn is_file(&self) -> bool {
        super::is_path(&self.name)
    }

    /// The file of its preset, as the pipeline writes it, where that is one.
    pub fn preset_file(&self) -> Option<&str> {
        self.preset.as_deref().filter(|name| super::is_preset_file(name))
    }

    /// A fresh instance for a stream.
    pub(crate) fn build(&self, spec: &StreamSpec) -> Result<StepProcessor, String> {
        self.module.suits(spec).map_err(|error| error.to_string())?;
        let effect = self.module.instantiate(spec, &self.settings, BLOCK_FRAMES);
        let mut effect = effect.map_err(|error| error.to_string())?;
        if self.keep_length {
            effect.cut_tail();
        }
        Ok(StepProcessor::streaming(effect))
    }

    /// Which module it is, for reports and plans.
    pub(crate) fn module_facts(&self) -> ModuleFacts {
        let description = self.module.description();
        ModuleFacts {
            id: description.id.clone(),
            name: description.name.clone(),
            version: description.version.clone(),
            sha256: self.module.sha256().to_owned(),
        }
    }

    /// Every parameter with its value as a pipeline would write it: a label where it has labels.
    pub(crate) fn params_json(&self) -> Map<String, Value> {
        let description = self.module.description();
        let params = description.params.iter().filter_map(|param| {
            let value = self.settings.get(&param.key)?;
            let shown =
                if param.labels.is_empty() { json!(value) } else { json!(param.shown(value)) };
            Some((param.key.clone(), shown))
        });
        params.collect()
    }
}
