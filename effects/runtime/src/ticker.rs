//! The clock of deadlines: one thread per process that ticks while an instance exists.
//!
//! A call's deadline is counted in ticks ([`limits::TICK`]), so no call reads a clock. The thread ends with
//! the last sandbox: a plugin's code may be unloaded after that.

use crate::limits;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

/// Ticks since the first instance of the process.
static TICKS: AtomicU64 = AtomicU64::new(0);

static STATE: Mutex<State> =
    Mutex::new(State { engines: Vec::new(), sandbox_count: 0, instance_count: 0, thread: None });

/// Wakes the thread: there is an instance again, or no sandbox any more.
static CHANGED: Condvar = Condvar::new();

struct State {
    engines: Vec<EngineWeak>,
    sandbox_count: usize,
    instance_count: usize,
    thread: Option<JoinHandle<()>>,
}

fn state() -> MutexGuard<'static, State> {
    // Nothing is left half-done when a holder panics: every change is one assignment.
    STATE.lock()
}

/// Ticks so far; only differences mean something. Real-time.
pub(crate) fn now() -> u64 {
    TICKS.load(Ordering::Relaxed)
}

/// The fewest ticks that last at least `time`. The tick under way counts for nothing, hence one more.
pub(crate) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(limits::TICK.as_nanos())).unwrap_or(u64::MAX - 1) + 1
}

/// Keeps the thread alive, and ticks for one engine.
#[derive(Debug)]
pub(crate) struct TickerHandle(());

impl TickerHandle {
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn to(engine: &Engine) -> std::io::Result<Self> {
        let mut state = state();
        if state.thread.is_none() {
            let thread = std::thread::Builder::new().name("effect-ticks".into()).spawn(run)?;
            state.thread = Some(thread);
        }
        state.engines.push(engine.weak());
        state.sandbox_count += 1;
        Ok(Self(()))
    }
}

impl Drop for TickerHandle {
    fn drop(&mut self) {
        let mut state = state();
        state.sandbox_count -= 1;
        let thread = if state.sandbox_count == 0 { state.thread.take() } else { None };
        drop(state);
        if let Some(thread) = thread {
            CHANGED.notify_all();
            // It cannot have panicked in a way that matters: nothing waits for ticks any more.
            let _ = thread.join();
        }
    }
}

/// While one lives, time is counted; an idle process is not woken.
#[derive(Debug)]
pub(crate) struct Running(());

impl Running {
    pub(crate) fn new() -> Self {
        let mut state = state();
        state.instance_count += 1;
        if state.instance_count == 1 {
            CHANGED.notify_all();
        }
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        state().instance_count -= 1;
    }
}

fn run() {
    let me = std::thread::current().id();
    let mut state = state();
    // A sandbox made while the last one ends starts a thread of its own; this one then ends too.
    while state.thread.as_ref().is_some_and(|thread| thread.thread().id() == me) {
        if state.instance_count == 0 {
            CHANGED.wait(&mut state);
            continue;
        }
        if CHANGED.wait_for(&mut state, limits::TICK).timed_out() {
            TICKS.fetch_add(1, Ordering::Relaxed);
            state
                .engines
                .retain(|engine| engine.upgrade().inspect(Engine::increment_epoch).is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_last_at_least_the_time() {
        assert_eq!(ticks(Duration::ZERO), 1);
        assert_eq!(ticks(limits::TICK), 2);
        assert_eq!(ticks(limits::TICK + Duration::from_nanos(1)), 3);
        assert_eq!(ticks(limits::DESCRIBE_TIME_MAX), 101);
    }
}
