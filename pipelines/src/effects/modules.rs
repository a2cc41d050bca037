//! The sandbox of this process, and what was loaded into it.

use super::EffectError;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use wavemill_runtime::{Mode, Module, Sandbox, limits};

/// Modules kept in memory; beyond that all are forgotten, as the disk remembers them.
const LOADED_MAX: usize = 64;

/// The sandbox of this process and the modules loaded into it, by their content: a file that was
/// replaced is another module, whatever its time and size say.
pub(super) struct Modules {
    mode: Mode,
    cache: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sandbox: Option<Sandbox>,
    loaded: HashMap<(blake3::Hash, u32), Module>,
}

impl Default for Modules {
    fn default() -> Self {
        Self::new(Mode::File, None)
    }
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Modules").field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl Modules {
    pub(super) fn new(mode: Mode, cache: Option<PathBuf>) -> Self {
        Self { mode, cache, state: Mutex::default() }
    }

    /// The most memory that an instance may have.
    pub(super) fn memory_mib_max(&self) -> u32 {
        if self.mode == Mode::Live { limits::MEMORY_MIB } else { limits::MEMORY_MIB_MAX }
    }

    pub(super) fn uncached_because(&self) -> Option<String> {
        let state = self.state.lock();
        state.sandbox.as_ref().and_then(Sandbox::uncached_because).map(str::to_owned)
    }

    /// The module of these bytes, called `name` in messages. Compiles it, or takes it from the cache.
    pub(super) fn load(
        &self,
        name: &str,
        bytes: &[u8],
        memory_mib: u32,
    ) -> Result<Module, EffectError> {
        let key = (blake3::hash(bytes), memory_mib);
        let mut state = self.state.lock();
        if let Some(module) = state.loaded.get(&key) {
            return Ok(module.clone());
        }
        if state.sandbox.is_none() {
            if let Some(above) = self.cache.as_deref().and_then(Path::parent) {
                // What is above the cache is not for one user alone; that it cannot be made is reported
                // when the cache is.
                let _ = std::fs::create_dir_all(above);
            }
            let sandbox = Sandbox::new(self.mode, self.cache.as_deref());
            let reason = |error: &dyn std::error::Error| error.to_string();
            state.sandbox =
                Some(sandbox.map_err(|error| EffectError::Sandbox { reason: reason(&error) })?);
        }
        let sandbox = state.sandbox.as_ref().expect("it was just made");
        let module = sandbox.load(bytes, memory_mib).map_err(|error| EffectError::Refused {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        if state.loaded.len() >= LOADED_MAX {
            state.loaded.clear();
        }
        state.loaded.insert(key, module.clone());
        Ok(module)
    }
}
