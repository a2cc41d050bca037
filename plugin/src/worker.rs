//! A thread for what the audio thread must not do, shared by all instances in a process.
//!
//! The framework has such a thread, too; in version 0.4.2 it ends for every instance as soon as one is
//! removed that still had a task waiting, and takes the DAW with it when the last one is.

use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// Something that has to be done now and then, outside of the audio thread.
pub(crate) trait Task: Send + Sync {
    /// Does what was asked for since the last call, if anything; says after what time at most to call again, if nobody
    /// wakes the worker before. `None` where there is nothing to do until then.
    fn tend(&self) -> Option<Duration>;
}

type List = Mutex<Vec<Weak<dyn Task>>>;

/// The thread; it ends with the last instance.
pub(crate) struct Worker {
    thread: Option<JoinHandle<()>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    list: List,
    is_over: AtomicBool,
}

static SHARED: Mutex<Weak<Worker>> = Mutex::new(Weak::new());

impl Worker {
    /// The process's worker.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn shared() -> io::Result<Arc<Self>> {
        let mut shared = SHARED.lock();
        if let Some(worker) = shared.upgrade() {
            return Ok(worker);
        }
        let state = Arc::new(State::default());
        let work = Arc::clone(&state);
        let thread =
            std::thread::Builder::new().name("wavemill".into()).spawn(move || run(&work))?;
        let worker = Arc::new(Self { thread: Some(thread), state });
        *shared = Arc::downgrade(&worker);
        Ok(worker)
    }

    /// Finds the worker of the process for a task of a new instance, and lets it be woken by `waker`. `None` where no
    /// thread can be started.
    pub(crate) fn hire(task: Weak<dyn Task>, waker: &OnceLock<Waker>) -> Option<Arc<Self>> {
        let worker = Self::shared().ok()?;
        worker.add(task);
        if let Some(own) = worker.waker() {
            // Set once: an instance has one worker.
            let _ = waker.set(own);
        }
        Some(worker)
    }

    /// Lets the worker tend the task as long as it lives. Not for the audio thread.
    pub(crate) fn add(&self, task: Weak<dyn Task>) {
        self.state.list.lock().push(task);
    }

    /// What wakes the worker.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.thread.as_ref().map(|thread| Waker(thread.thread().clone()))
    }
}

/// Wakes the worker.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Thread);

impl Waker {
    /// Lets the worker tend everything soon. Real-time: neither waits nor allocates.
    pub(crate) fn wake(&self) {
        self.0.unpark();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The last instance may be dropped by the worker itself, which then ends by itself.
            if thread.thread().id() != std::thread::current().id() {
                drop(thread.join());
            }
        }
    }
}

fn run(state: &State) {
    while !state.is_over.load(Ordering::Acquire) {
        let tasks: Vec<_> = {
            let mut list = state.list.lock();
            list.retain(|task| task.strong_count() > 0);
            list.iter().filter_map(Weak::upgrade).collect()
        };
        let pause = tasks.into_iter().filter_map(|task| task.tend()).min();
        match pause {
            Some(pause) => std::thread::park_timeout(pause),
            None => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Task for Counter {
        fn tend(&self) -> Option<Duration> {
            self.0.fetch_add(1, Ordering::Relaxed);
            None
        }
    }

    /// Has something to do by itself, three times.
    #[derive(Default)]
    struct Clock(AtomicU32);

    impl Task for Clock {
        fn tend(&self) -> Option<Duration> {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            (count < 3).then_some(Duration::from_millis(1))
        }
    }

    fn wait_for(counter: &Counter, count: u32) {
        while counter.0.load(Ordering::Relaxed) < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn task_that_asks_for_it_is_tended_again_without_being_woken() {
        let worker = Worker::shared().unwrap();
        let clock = Arc::new(Clock::default());
        let weak: Weak<Clock> = Arc::downgrade(&clock);
        worker.add(weak);
        worker.waker().unwrap().wake();
        while clock.0.load(Ordering::Relaxed) < 4 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn waker_works_even_when_others_are_gone() {
        let worker = Worker::shared().unwrap();
        let waker = worker.waker().unwrap();
        let (gone, stays) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        let weak: Weak<Counter> = Arc::downgrade(&gone);
        worker.add(weak);
        let weak: Weak<Counter> = Arc::downgrade(&stays);
        worker.add(weak);
        waker.wake();
        drop(gone);
        wait_for(&stays, 1);
        let before = stays.0.load(Ordering::Relaxed);
        waker.wake();
        wait_for(&stays, before + 1);
        // A second instance meanwhile, gone again: the worker stays.
        drop(Worker::shared().unwrap());
        let before = stays.0.load(Ordering::Relaxed);
        waker.wake();
        wait_for(&stays, before + 1);
    }
}
