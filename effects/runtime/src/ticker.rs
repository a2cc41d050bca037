//! The clocks of deadlines: threads that tick while instances exist.
//!
//! A call's deadline is counted in ticks, so no call reads a clock. A thread ends with the last sandbox of its
//! clock: a plugin's code may be unloaded after that. Nothing wakes a thread from an audio thread, because that
//! would be a system call: while no deadline runs, it only looks every [`limits::REST`] whether one was set.

use crate::limits;
use crate::sandbox::Mode;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

static FILE: Ticker = Ticker::new(limits::TICK);

static LIVE: Ticker = Ticker::new(limits::LIVE_TICK);

/// The clock of a mode.
pub(crate) fn of(mode: Mode) -> &'static Ticker {
    match mode {
        Mode::File | Mode::Metered => &FILE,
        Mode::Live => &LIVE,
    }
}

/// A clock and its thread.
pub(crate) struct Ticker {
    tick: Duration,
    /// Ticks so far, without the time in which nothing had a deadline.
    ticks: AtomicU64,
    /// The tick until which deadlines run; it ticks as far.
    awake_until: AtomicU64,
    state: Mutex<State>,
    /// Wakes the thread: there is an instance again, or no sandbox any more.
    changed: Condvar,
}

struct State {
    engines: Vec<EngineWeak>,
    sandbox_count: usize,
    instance_count: usize,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    const fn new(tick: Duration) -> Self {
        let state =
            State { engines: Vec::new(), sandbox_count: 0, instance_count: 0, thread: None };
        Self {
            tick,
            ticks: AtomicU64::new(0),
            awake_until: AtomicU64::new(0),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Time from tick to tick.
    pub(crate) fn tick(&self) -> Duration {
        self.tick
    }

    /// Ticks so far; only differences mean something. Real-time.
    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Ticks that begin or end in `time`, rounded up.
    pub(crate) fn ticks_in(&self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos().div_ceil(self.tick.as_nanos())).unwrap_or(u64::MAX - 1)
    }

    /// The fewest ticks that last at least `time`. The tick under way counts for nothing, hence one more.
    pub(crate) fn ticks(&self, time: Duration) -> u64 {
        self.ticks_in(time) + 1
    }

    /// A call begins that may last so many ticks: it is ticked at least as long, and a while after. Real-time,
    /// and mostly a comparison: the threads that call share what is read, and seldom write it.
    pub(crate) fn wake_for(&self, ticks: u64) {
        /// So long after the last deadline it still ticks, so that a stream of calls never waits for it.
        const LINGER: u64 = 200;
        let until = self.now().saturating_add(ticks).saturating_add(LINGER / 2);
        if self.awake_until.load(Ordering::Relaxed) < until {
            self.awake_until.fetch_max(until.saturating_add(LINGER / 2), Ordering::Relaxed);
        }
    }

    fn is_awake(&self) -> bool {
        self.now() < self.awake_until.load(Ordering::Relaxed)
    }

    fn run(&self) {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        // A sandbox made while the last one ends starts a thread of its own; this one then ends too.
        while state.thread.as_ref().is_some_and(|thread| thread.thread().id() == me) {
            if state.instance_count == 0 {
                self.changed.wait(&mut state);
                continue;
            }
            let is_awake = self.is_awake();
            let pause = if is_awake { self.tick } else { limits::REST };
            if self.changed.wait_for(&mut state, pause).timed_out() && is_awake {
                self.ticks.fetch_add(1, Ordering::Relaxed);
                state
                    .engines
                    .retain(|engine| engine.upgrade().inspect(Engine::increment_epoch).is_some());
            }
        }
    }
}

/// Keeps a clock's thread alive, and ticks for one engine.
pub(crate) struct TickerHandle(&'static Ticker);

impl TickerHandle {
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn to(engine: &Engine, ticker: &'static Ticker) -> std::io::Result<Self> {
        let mut state = ticker.state.lock();
        if state.thread.is_none() {
            let thread = std::thread::Builder::new().name("effect-ticks".into());
            state.thread = Some(thread.spawn(|| ticker.run())?);
        }
        state.engines.push(engine.weak());
        state.sandbox_count += 1;
        Ok(Self(ticker))
    }
}

impl Drop for TickerHandle {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.sandbox_count -= 1;
        if state.sandbox_count > 0 {
            return;
        }
        state.engines = Vec::new();
        let thread = state.thread.take();
        drop(state);
        if let Some(thread) = thread {
            self.0.changed.notify_all();
            // It cannot have panicked in a way that matters: nothing waits for ticks any more.
            let _ = thread.join();
        }
    }
}

/// While one lives, its clock's thread runs; a process without instances is not woken.
pub(crate) struct Running(&'static Ticker);

impl Running {
    pub(crate) fn new(ticker: &'static Ticker) -> Self {
        let mut state = ticker.state.lock();
        state.instance_count += 1;
        if state.instance_count == 1 {
            ticker.changed.notify_all();
        }
        Self(ticker)
    }

    /// Its clock.
    pub(crate) fn ticker(&self) -> &'static Ticker {
        self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().instance_count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_last_at_least_the_time() {
        assert_eq!(FILE.ticks(Duration::ZERO), 1);
        assert_eq!(FILE.ticks(limits::TICK), 2);
        assert_eq!(FILE.ticks(limits::TICK + Duration::from_nanos(1)), 3);
        assert_eq!(FILE.ticks(limits::DESCRIBE_TIME_MAX), 101);
    }

    #[test]
    fn clock_rests_without_deadlines_and_ticks_through_each() {
        let ticker = Ticker::new(Duration::from_micros(1));
        assert!(!ticker.is_awake());
        ticker.wake_for(5);
        let ticks_left = || ticker.awake_until.load(Ordering::Relaxed) - ticker.now();
        assert_eq!(ticks_left(), 205);
        // It is not written again before half of the time after the deadline has passed.
        ticker.ticks.store(100, Ordering::Relaxed);
        ticker.wake_for(5);
        assert_eq!(ticks_left(), 105);
        ticker.ticks.store(101, Ordering::Relaxed);
        ticker.wake_for(5);
        assert_eq!(ticks_left(), 205);
        ticker.ticks.store(306, Ordering::Relaxed);
        assert!(!ticker.is_awake());
        ticker.wake_for(u64::MAX);
        assert!(ticker.is_awake());
    }

    /// How far a clock gets in a time.
    fn ticks_within(ticker: &Ticker, time: Duration) -> u64 {
        let before = ticker.now();
        std::thread::park_timeout(time);
        ticker.now() - before
    }

    #[test]
    fn thread_ticks_while_an_instance_has_a_deadline() {
        let ticker: &'static Ticker = Box::leak(Box::new(Ticker::new(limits::LIVE_TICK)));
        let engine = Engine::default();
        let handle = TickerHandle::to(&engine, ticker).unwrap();
        ticker.wake_for(1);
        assert_eq!(ticks_within(ticker, 4 * limits::REST), 0);
        let running = Running::new(ticker);
        while ticker.is_awake() {
            std::thread::park_timeout(limits::REST);
        }
        assert!(ticker.now() >= 201);
        assert_eq!(ticks_within(ticker, 4 * limits::REST), 0);
        ticker.wake_for(1_000_000);
        while ticks_within(ticker, limits::REST) == 0 {}
        drop(running);
        // The tick under way may still be counted.
        std::thread::park_timeout(limits::REST);
        assert_eq!(ticks_within(ticker, 4 * limits::REST), 0);
        drop(handle);
        assert!(ticker.state.lock().thread.is_none());
    }
}
