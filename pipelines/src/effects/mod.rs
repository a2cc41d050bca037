//! Effect modules: where pipelines find them, and what pins them.
//!
//! The sandbox itself is `wavemill-runtime`, behind the feature `effects`; without it a pipeline that
//! names an effect is refused with a diagnostic that says so.

mod error;
mod lock;
#[cfg(feature = "effects")]
mod modules;
#[cfg(feature = "effects")]
mod preset;
#[cfg(feature = "effects")]
mod resolver;
#[cfg(feature = "effects")]
mod step;

pub use error::EffectError;
pub use lock::{LOCK_FILE, Lock, LockError, Pin};
#[cfg(feature = "effects")]
pub use preset::{PresetError, PresetFile, is_preset_file, settings};
#[cfg(feature = "effects")]
pub(crate) use resolver::Resolver;
#[cfg(feature = "effects")]
pub use step::EffectStep;

use std::path::{Path, PathBuf};
#[cfg(feature = "effects")]
use wavemill_runtime::Mode;

/// Where the effects of a pipeline come from. Cheap to clone; clones share the sandbox and the
/// modules that were loaded, so a program makes one and asks it for each pipeline's own.
///
/// Nothing is opened, compiled or started before a pipeline names an effect.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    folder: PathBuf,
    #[cfg(feature = "effects")]
    is_absent: bool,
    #[cfg(feature = "effects")]
    is_unlocked: bool,
    #[cfg(feature = "effects")]
    modules: std::sync::Arc<modules::Modules>,
}

impl Effects {
    /// Effects of pipelines in the current folder. Compiled code is kept in `cache`, a folder that is
    /// made for this user alone; `None` keeps it in memory only.
    pub fn new(cache: Option<PathBuf>) -> Self {
        #[cfg(not(feature = "effects"))]
        drop(cache);
        Self {
            #[cfg(feature = "effects")]
            modules: std::sync::Arc::new(modules::Modules::new(Mode::File, cache)),
            ..Self::default()
        }
    }

    /// The same for a live stream, whose modules have little time for each block.
    #[cfg(feature = "effects")]
    pub fn live(cache: Option<PathBuf>) -> Self {
        let modules = std::sync::Arc::new(modules::Modules::new(Mode::Live, cache));
        Self { modules, ..Self::default() }
    }

    /// No effects at all: a pipeline that names one is refused, as without the feature `effects`. For
    /// programs that run none whatever they are built together with.
    pub fn absent() -> Self {
        Self {
            #[cfg(feature = "effects")]
            is_absent: true,
            ..Self::default()
        }
    }

    /// The same for pipelines in `folder`: paths of modules are relative to it, and its `effects.lock`
    /// holds.
    #[must_use]
    pub fn in_folder(&self, folder: &Path) -> Self {
        let mut effects = self.clone();
        folder.clone_into(&mut effects.folder);
        effects
    }

    /// The same without a look at `effects.lock`.
    #[must_use]
    pub fn unlocked(&self) -> Self {
        Self {
            #[cfg(feature = "effects")]
            is_unlocked: true,
            ..self.clone()
        }
    }

    /// The folder that relative paths of modules are in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Loads a module by the name that a pipeline would use, with all the memory that a pipeline may
    /// give it. `effects.lock` is not looked at.
    ///
    /// # Errors
    /// When there is no such module, or it is refused.
    #[cfg(feature = "effects")]
    pub fn load(&self, name: &str) -> Result<wavemill_runtime::Module, EffectError> {
        let resolved = Resolver::new(&self.unlocked()).resolve(name, self.modules.memory_mib_max());
        resolved.map(|(module, _)| module)
    }

    /// The bytes of a module by the name that a pipeline would use. Nothing of it runs.
    ///
    /// # Errors
    /// When there is no such module, or it cannot be read.
    #[cfg(feature = "effects")]
    pub fn read(&self, name: &str) -> Result<std::borrow::Cow<'static, [u8]>, EffectError> {
        resolver::bytes_of(&self.folder, name)
    }

    /// Loads a module of these bytes, called `name` in messages, as [`Self::load`] does.
    ///
    /// # Errors
    /// When it is refused.
    #[cfg(feature = "effects")]
    pub fn load_bytes(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<wavemill_runtime::Module, EffectError> {
        self.modules.load(name, bytes, self.modules.memory_mib_max())
    }

    /// Why compiled code is not kept in the cache that was named, once that is known.
    #[cfg(feature = "effects")]
    pub fn uncached_because(&self) -> Option<String> {
        self.modules.uncached_because()
    }
}

/// Whether `name` is a path; else it names a bundled effect.
#[cfg(feature = "effects")]
fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "wasm")
}
