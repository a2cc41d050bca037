//! Compiling, on a thread of its own: it cannot be interrupted, so it is waited for with a budget.

use crate::load::LoadError;
use crate::rewrite::{self, Reserved};
use parking_lot::Mutex;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use wasmtime::{Engine, Module};

/// Stack of the compiling thread in bytes: deeply nested code takes the compiler deep, too.
const STACK_BYTES: usize = 16 << 20;

/// What the validator says, and what an author should do about it.
const ADVICE: &[(&str, &str)] = &[
    ("shared memor", "build without threads (`-C target-feature=-atomics`, no `-pthread`)"),
    ("64-bit memor", "build for wasm32"),
    ("memory64", "build for wasm32"),
    ("multi-memory", "an effect has one memory"),
    ("multiple memories", "an effect has one memory"),
    ("relaxed SIMD", "build with `simd128`, not `relaxed-simd`: its results differ by machine"),
    ("threads support", "build without threads (`-C target-feature=-atomics`, no `-pthread`)"),
    ("tail calls", "build without tail calls"),
    ("exceptions", "build without exceptions (`panic = \"abort\"`, `-fno-exceptions`)"),
    ("gc support", "build without garbage collection (AssemblyScript: `--runtime stub`)"),
];

/// What is wrong with a module that plays the host's part.
const RESERVED: &str = "it imports from `wavemill`, or exports a name that begins with `fx_memory_pages=`; both are \
    reserved for the host";

/// Compilations that may go on unheard; more are refused.
const ABANDONED_MAX: usize = 4;

/// Compiles modules, each in its time.
#[derive(Debug)]
pub(crate) struct Compiler {
    budget: Duration,
    /// Threads whose results nobody waits for any more.
    abandoned: Mutex<Vec<JoinHandle<()>>>,
    /// Whether the end of this waits for them: a plugin's code may be unloaded after it.
    joins: bool,
    shape: Shape,
}

/// What is compiled of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The module as it is: its instructions are counted.
    AsItIs,
    /// It is rewritten; its memory has so many pages of 64 KiB, where a number is given.
    Rewritten { memory_pages: Option<u32> },
}

impl Shape {
    fn of(self, bytes: &[u8]) -> Result<Vec<u8>, Reserved> {
        match self {
            Self::AsItIs => Ok(bytes.to_vec()),
            Self::Rewritten { memory_pages } => rewrite::rewritten(bytes, memory_pages),
        }
    }
}

impl Compiler {
    pub(crate) fn new(budget: Duration, joins: bool, shape: Shape) -> Self {
        Self { budget, abandoned: Mutex::default(), joins, shape }
    }

    /// Compiles a module. When the budget has passed, the thread goes on alone and its result is
    /// dropped.
    ///
    /// # Errors
    /// When the module is not valid or takes too long.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Module, LoadError> {
        let slow = || LoadError::SlowCompile { limit_s: self.budget.as_secs_f64() };
        let failed = |reason: String| LoadError::Compiler { reason };
        if self.budget.is_zero() {
            return Err(slow());
        }
        if self.abandoned_count() >= ABANDONED_MAX {
            return Err(failed(format!(
                "{ABANDONED_MAX} other compilations took too long and are still running"
            )));
        }
        let (sender, receiver) = sync_channel(1);
        let (engine, bytes, shape) = (engine.clone(), bytes.to_vec(), self.shape);
        let work = move || {
            let compiled = shape.of(&bytes).map(|bytes| Module::from_binary(&engine, &bytes));
            // Nobody listens any more when the budget has passed.
            let _ = sender.send(compiled);
        };
        let thread = Builder::new().name("effect-compile".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn(work).map_err(|error| failed(error.to_string()))?;
        let compiled = receiver.recv_timeout(self.budget);
        if matches!(compiled, Err(RecvTimeoutError::Timeout)) {
            self.abandoned.lock().push(thread);
            return Err(slow());
        }
        // It is at its end; a plugin's code may be unloaded soon after.
        let _ = thread.join();
        match compiled {
            Ok(Ok(Ok(module))) => Ok(module),
            Ok(Ok(Err(error))) => Err(LoadError::Invalid { reason: reason(&error) }),
            Ok(Err(Reserved)) => Err(LoadError::Invalid { reason: RESERVED.into() }),
            Err(_) => Err(failed("the compiler failed".into())),
        }
    }

    fn abandoned_count(&self) -> usize {
        let mut abandoned = self.abandoned.lock();
        abandoned.retain(|thread| !thread.is_finished());
        abandoned.len()
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        let abandoned = self.abandoned.get_mut();
        if self.joins {
            for thread in abandoned.drain(..) {
                // Its result was given up already.
                let _ = thread.join();
            }
        }
    }
}

/// The error in one line, with advice where there is some.
fn reason(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}").replace(['\n', '\r'], " ");
    let advice = ADVICE.iter().find(|(part, _)| text.contains(part));
    match advice {
        Some((_, advice)) => format!("{text}; {advice}"),
        None => text,
    }
}
