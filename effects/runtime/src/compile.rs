//! Compiling, on a thread of its own: it cannot be interrupted, so it is waited for with a budget.

use crate::load::LoadError;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
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

/// Compiles a module. When the budget has passed, the thread goes on alone and its result is
/// dropped.
///
/// # Errors
/// When the module is not valid or takes too long.
pub(crate) fn compile(
    engine: &Engine,
    bytes: &[u8],
    budget: Duration,
) -> Result<Module, LoadError> {
    let slow = || LoadError::SlowCompile { limit_s: budget.as_secs_f64() };
    if budget.is_zero() {
        return Err(slow());
    }
    let (sender, receiver) = sync_channel(1);
    let (engine, bytes) = (engine.clone(), bytes.to_vec());
    let work = move || {
        // Nobody listens any more when the budget has passed.
        let _ = sender.send(Module::from_binary(&engine, &bytes));
    };
    let thread = std::thread::Builder::new().name("effect-compile".into());
    let failed = |reason: String| LoadError::Compiler { reason };
    thread.stack_size(STACK_BYTES).spawn(work).map_err(|error| failed(error.to_string()))?;
    match receiver.recv_timeout(budget) {
        Ok(Ok(module)) => Ok(module),
        Ok(Err(error)) => Err(LoadError::Invalid { reason: reason(&error) }),
        Err(RecvTimeoutError::Timeout) => Err(slow()),
        Err(RecvTimeoutError::Disconnected) => Err(failed("the compiler gave up".into())),
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
