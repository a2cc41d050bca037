//! Where modules are compiled and run.

use crate::budgets::Budgets;
use crate::cache::{Cache, Entry};
use crate::compile::{Compiler, Shape};
use crate::contract;
use crate::description::Description;
use crate::engine;
use crate::guest::Guest;
use crate::host::{self, Host};
use crate::limits;
use crate::load::LoadError;
use crate::module::Module;
use crate::rewrite::{self, Pages};
use crate::ticker::{self, TickerHandle};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use wasmtime::{Engine, InstancePre, Linker};

/// What modules are run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Files: generous deadlines, a budget for the whole file, guard pages.
    File,
    /// A live stream: calls have the time of an [`Allowance`](crate::Allowance); no signal handlers in
    /// the process.
    Live,
    /// As [`Mode::File`], with the executed instructions counted as fuel.
    Metered,
}

/// Why there is no sandbox.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SandboxError {
    /// The compiler does not support this machine.
    #[error("effects cannot run on this machine: {reason}")]
    Engine {
        /// What the engine says.
        reason: String,
    },
    /// No thread for deadlines.
    #[error("cannot start the thread for deadlines of effects: {reason}")]
    Thread {
        /// What the system says.
        reason: String,
    },
}

/// Compiles and runs modules; clones are one sandbox.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mode,
    /// Most memory of a module.
    memory_mib_max: u32,
    budgets: Budgets,
    engine: Engine,
    compiler: Compiler,
    linker: Linker<Host>,
    cache: Option<Cache>,
    uncached_because: Option<String>,
    _ticks: TickerHandle,
}

impl Sandbox {
    /// `cache` is a folder for compiled code. It is made if it is missing, readable and writable by
    /// this user only; one that others may write to is not used
    /// ([`Sandbox::uncached_because`]). Without it every load compiles.
    ///
    /// # Errors
    /// When this machine cannot run modules at all.
    pub fn new(mode: Mode, cache: Option<&Path>) -> Result<Self, SandboxError> {
        Self::with_memory(mode, cache, memory_mib_of(mode))
    }

    /// One for modules of at most `memory_mib` MiB. Instances in a live sandbox reserve so much of the process's
    /// addresses each, 64 MiB where nothing is said; those of files reserve 4 GiB and more, whatever is said.
    ///
    /// # Errors
    /// When this machine cannot run modules at all.
    pub fn with_memory(
        mode: Mode,
        cache: Option<&Path>,
        memory_mib: u32,
    ) -> Result<Self, SandboxError> {
        Self::made(mode, cache, memory_mib, Budgets::of(mode))
    }

    #[cfg(test)]
    pub(crate) fn with_budgets(
        mode: Mode,
        cache: Option<&Path>,
        budgets: Budgets,
    ) -> Result<Self, SandboxError> {
        Self::made(mode, cache, memory_mib_of(mode), budgets)
    }

    fn made(
        mode: Mode,
        cache: Option<&Path>,
        memory_mib: u32,
        budgets: Budgets,
    ) -> Result<Self, SandboxError> {
        let memory_mib_max = memory_mib.clamp(1, limits::MEMORY_MIB_MAX);
        let reason =
            |error: &wasmtime::Error| SandboxError::Engine { reason: format!("{error:#}") };
        let engine = engine::engine(mode, memory_mib_max).map_err(|error| reason(&error))?;
        let linker = host::linker(&engine).map_err(|error| reason(&error))?;
        let ticks = TickerHandle::to(&engine, ticker::of(mode))
            .map_err(|error| SandboxError::Thread { reason: error.to_string() })?;
        let (cache, uncached_because) = match cache.map(|folder| Cache::open(folder, &engine)) {
            Some(Ok(cache)) => (Some(cache), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let shared = Shared {
            mode,
            memory_mib_max,
            budgets,
            compiler: Compiler::new(
                budgets.compile,
                mode == Mode::Live,
                shape(mode, memory_mib_max),
            ),
            engine,
            linker,
            cache,
            uncached_because,
            _ticks: ticks,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Why the folder for compiled code is not used, in one line.
    pub fn uncached_because(&self) -> Option<&str> {
        self.shared.uncached_because.as_deref()
    }

    /// Loads a module whose instances may have `memory_mib` MiB of memory each.
    ///
    /// # Errors
    /// When it is no effect, or does not keep to the contract.
    pub fn load(&self, bytes: &[u8], memory_mib: u32) -> Result<Module, LoadError> {
        let max = self.shared.memory_mib_max;
        if memory_mib == 0 || memory_mib > max {
            return Err(LoadError::MemoryOutOfRange { given: memory_mib, max });
        }
        verify_head(bytes)?;
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        let cached = self.cached(&hash);
        let is_cached = cached.is_some();
        let (code, text) = match cached {
            Some(cached) => cached,
            None => self.compiled(bytes, memory_mib)?,
        };
        contract::verify(&code, memory_mib, Pages::of(&code, self.mode()))?;
        let description = Description::parse(&text)?;
        contract::verify_described(&code, &description)?;
        if !is_cached {
            self.keep(&hash, &code, &text);
        }
        let instances = self.link(&code)?;
        Ok(Module::new(self.clone(), instances, &hash, bytes.len(), description, memory_mib))
    }

    /// Code and description from the cache, if they are there and whole.
    fn cached(&self, hash: &[u8; 32]) -> Option<(wasmtime::Module, Vec<u8>)> {
        let entry = self.shared.cache.as_ref()?.get(hash)?;
        let code = entry.module(&self.shared.engine)?;
        Some((code, entry.description))
    }

    /// Code and description of a module that is compiled and run now.
    fn compiled(
        &self,
        bytes: &[u8],
        memory_mib: u32,
    ) -> Result<(wasmtime::Module, Vec<u8>), LoadError> {
        let code = self.shared.compiler.compile(&self.shared.engine, bytes)?;
        contract::verify(&code, memory_mib, Pages::of(&code, self.mode()))?;
        let description = self.describe(&code, memory_mib)?;
        Ok((code, description))
    }

    fn keep(&self, hash: &[u8; 32], code: &wasmtime::Module, description: &[u8]) {
        if let Some(cache) = &self.shared.cache {
            // The cache saves time only: a full disk must not fail the job.
            let _ = Entry::of(code, description).map(|entry| cache.put(hash, &entry));
        }
    }

    fn describe(&self, code: &wasmtime::Module, memory_mib: u32) -> Result<Vec<u8>, LoadError> {
        let ticks = self.shared.budgets.describe;
        let mut guest = Guest::new(&self.link(code)?, memory_mib, self.mode(), ticks)
            .map_err(|failed| LoadError::Failed { reason: failed.to_string(), said: None })?;
        guest.describe(ticks).map_err(|error| LoadError::Failed {
            reason: error.to_string(),
            said: guest.said(ticks),
        })
    }

    fn link(&self, code: &wasmtime::Module) -> Result<InstancePre<Host>, LoadError> {
        let linked = self.shared.linker.instantiate_pre(code);
        linked.map_err(|error| LoadError::Invalid { reason: format!("{error:#}") })
    }

    pub(crate) fn budgets(&self) -> Budgets {
        self.shared.budgets
    }

    /// What its modules are run for.
    pub fn mode(&self) -> Mode {
        self.shared.mode
    }
}

/// Most memory of a module where nothing else was asked.
fn memory_mib_of(mode: Mode) -> u32 {
    if mode == Mode::Live { limits::MEMORY_MIB } else { limits::MEMORY_MIB_MAX }
}

/// What is compiled of modules.
fn shape(mode: Mode, memory_mib: u32) -> Shape {
    let size = rewrite::has_fixed_memory(mode).then_some(memory_mib * limits::PAGES_PER_MIB);
    match mode {
        Mode::Metered => Shape::AsItIs,
        Mode::File | Mode::Live => Shape::Rewritten { memory_pages: size },
    }
}

/// Whether the bytes can be a module, before anything reads all of them.
fn verify_head(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > limits::MODULE_BYTES_MAX {
        let max = limits::MODULE_BYTES_MAX;
        return Err(LoadError::TooLarge { bytes: bytes.len(), max });
    }
    match bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', ..] => Err(LoadError::Component),
        _ if bytes.trim_ascii_start().starts_with(b"(module") => Err(LoadError::Text),
        _ => Err(LoadError::NotWasm),
    }
}
