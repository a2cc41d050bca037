//! The threads that process audio: sessions take turns, a block each.
//!
//! What is live comes first: a session that was given more audio than time has passed waits while another one has not.

use super::session::Session;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::available_parallelism;
use wavemill_core::denormals::FlushDenormals;

/// Threads for the sessions' audio; dropping it ends them.
pub(crate) struct Pool(Arc<Turns>);

/// Sessions whose turn comes.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    live: VecDeque<Arc<Session>>,
    /// Those that are ahead of time.
    ahead: VecDeque<Arc<Session>>,
    has_threads: bool,
    is_over: bool,
}

/// Where a session is between its turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has nothing to do.
    #[default]
    Idle,
    /// It waits for its turn.
    Waiting,
    /// It has its turn.
    Working,
    /// It has its turn, and something to do afterward.
    Again,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Where sessions wait. Threads are started by the first one that asks.
    pub(crate) fn turns(&self) -> Arc<Turns> {
        let mut waiting = self.0.waiting.lock();
        if !std::mem::replace(&mut waiting.has_threads, true) {
            let count = available_parallelism().map_or(1, usize::from);
            for index in 0..count {
                let turns = Arc::clone(&self.0);
                let thread = std::thread::Builder::new().name(format!("stream-{index}"));
                if let Err(error) = thread.spawn(move || turns.work()) {
                    tracing::error!(%error, "A thread for live streams was not started.");
                }
            }
        }
        drop(waiting);
        Arc::clone(&self.0)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        *waiting = Waiting { is_over: true, has_threads: true, ..Waiting::default() };
        self.0.changed.notify_all();
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

impl Turns {
    /// A session has something to do.
    pub(crate) fn add(&self, session: &Arc<Session>) {
        let mut place = session.place.lock();
        match *place {
            Place::Idle => {
                *place = Place::Waiting;
                drop(place);
                self.push(session);
            }
            Place::Working => *place = Place::Again,
            Place::Waiting | Place::Again => {}
        }
    }

    fn push(&self, session: &Arc<Session>) {
        let mut waiting = self.waiting.lock();
        if waiting.is_over {
            return;
        }
        let queue = if session.is_ahead() { &mut waiting.ahead } else { &mut waiting.live };
        queue.push_back(Arc::clone(session));
        drop(waiting);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<Arc<Session>> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.is_over {
                return None;
            }
            let live = waiting.live.pop_front();
            if let Some(session) = live.or_else(|| waiting.ahead.pop_front()) {
                return Some(session);
            }
            self.changed.wait(&mut waiting);
        }
    }

    fn work(&self) {
        let _flush = FlushDenormals::on();
        wavemill_rack::prepare_thread();
        while let Some(session) = self.next() {
            *session.place.lock() = Place::Working;
            // A bug that one session meets must not take the thread from the others.
            let turn = catch_unwind(AssertUnwindSafe(|| session.turn()));
            let has_more = turn.unwrap_or_else(|_| {
                session.break_off();
                false
            });
            let mut place = session.place.lock();
            let goes_on = has_more || *place == Place::Again;
            *place = if goes_on { Place::Waiting } else { Place::Idle };
            drop(place);
            if goes_on {
                self.push(&session);
            }
        }
    }
}
