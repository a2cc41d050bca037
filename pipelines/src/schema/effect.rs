//! `effect` in a `[[step]]`: a module, held against what it says of itself.

#[cfg(feature = "effects")]
pub(super) use with_modules::{Finder, read};
#[cfg(not(feature = "effects"))]
pub(super) use without_modules::{Finder, read};

use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use toml::Spanned;

/// Largest `max_memory_mib`: [`wavemill_runtime::limits::MEMORY_MIB_MAX`], a test says.
const MEMORY_MIB_MAX: i64 = 1024;

pub(super) const EFFECT: Key = Key::optional(
    "effect",
    Kind::Text,
    "An effect instead of a step: the name of a bundled one, or the path of a .wasm file relative \
    to this file's folder.",
);

pub(super) const PRESET: Key = Key::optional(
    "preset",
    Kind::Text,
    "Preset of the effect, or the path of a .toml file with one, relative to this file's folder; \
    values under `with` override it.",
);

pub(super) const SHA256: Key = Key::optional(
    "sha256",
    Kind::Text,
    "SHA-256 of the effect's .wasm file, 64 hex digits; any other module is refused.",
);

pub(super) const MAX_MEMORY_MIB: Key = Key::optional(
    "max_memory_mib",
    Kind::Integer { min: 1, max: MEMORY_MIB_MAX },
    "Memory limit of the effect, in MiB; 64 by default.",
);

pub(super) const KEEP_LENGTH: Key = Key::optional(
    "keep_length",
    Kind::Bool,
    "Whether files keep their length, which cuts the effect's tail at their end; the default \
    depends on the effect: of the bundled effects, only `reverb` and `delay` lengthen files.",
);

/// Notes keys that only mean something beside `effect`.
pub(super) fn refuse_keys(sink: &mut Sink<'_>, values: &Values<'_>) {
    for key in [PRESET, SHA256, MAX_MEMORY_MIB, KEEP_LENGTH] {
        if let Some(span) = values.written(key.name) {
            let message =
                format!("`{}` is a key of effects, but this step has no `effect`", key.name);
            sink.error("contradiction", span, message).help("remove the key");
        }
    }
}

/// Says that there are no effects here.
fn refuse(sink: &mut Sink<'_>, name: &Spanned<String>) {
    let message = format!("effect `{}`: this program was built without effects", name.get_ref());
    sink.error("not-built-in", name.span(), message).help("run the pipeline with `wavemill`");
}

#[cfg(feature = "effects")]
mod with_modules {
    use super::refuse;
    use crate::effects::{EffectStep, Effects, PresetError, Resolver, is_preset_file, settings};
    use crate::reader::Sink;
    use crate::reader::Values;
    use crate::reader::scalar;
    use std::collections::BTreeMap;
    use std::path::Path;
    use toml::Spanned;
    use toml::de::DeTable;
    use wavemill_core::descriptor::ParamValue;
    use wavemill_core::suggestion::did_you_mean;
    use wavemill_runtime::{Description, Module, Settings, limits};

    /// What finds the modules of a pipeline.
    pub(in super::super) struct Finder<'e>(Resolver<'e>);

    impl<'e> Finder<'e> {
        pub(in super::super) fn new(effects: &'e Effects) -> Self {
            Self(Resolver::new(effects))
        }
    }

    /// Reads a step that names an effect.
    pub(in super::super) fn read(
        sink: &mut Sink<'_>,
        values: &Values<'_>,
        finder: &mut Finder<'_>,
    ) -> Option<EffectStep> {
        let name = values.text("effect")?;
        if finder.0.is_absent() {
            refuse(sink, &name);
            return None;
        }
        let sha256 = read_sha256(sink, values);
        let memory_mib = values.integer("max_memory_mib").map(Spanned::into_inner);
        let memory_mib = memory_mib.and_then(|mib| u32::try_from(mib).ok());
        let module = finder.0.resolve(name.get_ref(), memory_mib.unwrap_or(limits::MEMORY_MIB));
        let (module, is_locked) = match module {
            Ok(found) => found,
            Err(error) => {
                sink.error(error.code(), name.span(), error.to_string()).maybe(error.help());
                return None;
            }
        };
        if let Some(sha256) = &sha256 {
            check_sha256(sink, &module, name.get_ref(), sha256);
        }
        let table = values.raw_table(sink, "with");
        let given = read_with(sink, module.description(), table);
        let preset = values.text("preset");
        let folder = finder.0.folder();
        let settings = settle(sink, module.description(), preset.as_ref(), &given?, folder)?;
        let keep_length = values.truth("keep_length").map(Spanned::into_inner);
        Some(EffectStep {
            name: name.into_inner(),
            keep_length: keep_length.unwrap_or(module.description().keep_length),
            module,
            preset: preset.map(Spanned::into_inner),
            settings,
            is_pinned: is_locked || sha256.is_some(),
        })
    }

    fn read_sha256(sink: &mut Sink<'_>, values: &Values<'_>) -> Option<Spanned<String>> {
        let sha256 = values.text("sha256")?;
        let is_hash = sha256.get_ref().len() == 64
            && sha256.get_ref().bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            sink.error("bad-hash", sha256.span(), "`sha256` is not a SHA-256 hash")
                .help("write 64 hex digits, as `wavemill effects describe` shows them");
        }
        is_hash.then_some(sha256)
    }

    fn check_sha256(sink: &mut Sink<'_>, module: &Module, name: &str, pinned: &Spanned<String>) {
        let actual = module.sha256();
        if !pinned.get_ref().eq_ignore_ascii_case(actual) {
            let message = format!("effect `{name}` has another SHA-256: {actual}");
            sink.error("not-pinned", pinned.span(), message)
                .help("restore the module, or, if the change is intended, write this hash");
        }
    }

    /// What was written under `with`; `None` when something of it is wrong.
    fn read_with(
        sink: &mut Sink<'_>,
        description: &Description,
        table: Option<&DeTable<'_>>,
    ) -> Option<BTreeMap<String, ParamValue>> {
        let mut given = BTreeMap::new();
        let mut is_right = true;
        for (key, value) in table.into_iter().flatten() {
            let Some(param) = description.param(key.get_ref()) else {
                is_right = false;
                let names = description.params.iter().map(|param| param.key.as_str());
                let message =
                    format!("effect `{}` has no parameter `{}`", description.name, key.get_ref());
                let help = if description.params.is_empty() {
                    "it has none".to_owned()
                } else {
                    did_you_mean(key.get_ref(), "parameters", names)
                };
                sink.error("unknown-key", key.span(), message).help(help);
                continue;
            };
            let accepts = |given: &ParamValue| param.value_of(given).map(|_| given.clone());
            match scalar::param(sink, (&param.key, &param.expected()), value, accepts) {
                Some(value) => drop(given.insert(param.key.clone(), value)),
                None => is_right = false,
            }
        }
        is_right.then_some(given)
    }

    /// The value of every parameter.
    fn settle(
        sink: &mut Sink<'_>,
        description: &Description,
        preset: Option<&Spanned<String>>,
        given: &BTreeMap<String, ParamValue>,
        folder: &Path,
    ) -> Option<Settings> {
        // Key by key, what is given was checked before.
        let Some(preset) = preset else { return Settings::of(description, None, given).ok() };
        let name = preset.get_ref();
        if !is_preset_file(name) && description.preset(name).is_none() {
            let message = format!("effect `{}` has no preset `{name}`", description.name);
            let names = description.presets.iter().map(|preset| preset.name.as_str());
            let help = if description.presets.is_empty() {
                "it has none".to_owned()
            } else {
                did_you_mean(name, "presets", names)
            };
            sink.error("unknown-preset", preset.span(), message).help(help);
            return None;
        }
        let error = match settings(description, Some(name), given, folder) {
            Ok(settings) => return Some(settings),
            Err(error) => error,
        };
        let message = match &error {
            PresetError::Settings(_) => format!("preset \"{name}\": {error}"),
            _ => error.to_string(),
        };
        let found = sink.error("bad-preset", preset.span(), message);
        if matches!(error, PresetError::Unreadable { .. }) {
            found.help("paths of presets are relative to the pipeline's folder");
        }
        None
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn largest_memory_is_that_of_the_sandbox() {
            let most = wavemill_runtime::limits::MEMORY_MIB_MAX;
            assert_eq!(super::super::MEMORY_MIB_MAX, i64::from(most));
        }
    }
}

#[cfg(not(feature = "effects"))]
mod without_modules {
    use super::refuse;
    use crate::effects::Effects;
    use crate::reader::Sink;
    use crate::reader::Values;
    use std::convert::Infallible;
    use std::marker::PhantomData;

    /// Finds nothing.
    pub(in super::super) struct Finder<'e>(PhantomData<&'e Effects>);

    impl<'e> Finder<'e> {
        pub(in super::super) fn new(_effects: &'e Effects) -> Self {
            Self(PhantomData)
        }
    }

    /// Says that there are no effects here.
    pub(in super::super) fn read(
        sink: &mut Sink<'_>,
        values: &Values<'_>,
        _finder: &mut Finder<'_>,
    ) -> Option<Infallible> {
        let name = values.text("effect")?;
        refuse(sink, &name);
        None
    }
}
