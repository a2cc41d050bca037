//! Crashes on demand: a test counts the crash points of a run, then lets it end at each of them.
//! What someone else does meanwhile, and what the disk refuses, happens at points too.

use std::cell::{Cell, RefCell};
use std::io;

/// A point and what happens there.
type Meanwhile = (&'static str, Box<dyn FnOnce() -> io::Result<()>>);

thread_local! {
    static PASSED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    /// `None` before the first [`arm`]: a program that tests start runs on, and keeps no list.
    static CRASH_AT: Cell<Option<usize>> = const { Cell::new(None) };
    static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
}

/// Text of the error of a made crash.
pub const MESSAGE: &str = "crash made by a test";

/// Lets this thread crash at the point with this number, counted from 0, and at all after it.
pub fn arm(at: usize) {
    PASSED.take();
    CRASH_AT.set(Some(at));
}

/// Crash points passed since the last [`arm`].
pub fn passed() -> Vec<&'static str> {
    PASSED.with_borrow(Clone::clone)
}

/// Lets something happen when this thread next comes to a point; its error is the point's.
pub fn meanwhile(point: &'static str, happens: impl FnOnce() -> io::Result<()> + 'static) {
    MEANWHILE.replace(Some((point, Box::new(happens))));
}

/// Whether the thread has not come to the point of the last [`meanwhile`].
pub fn is_meanwhile_pending() -> bool {
    MEANWHILE.with_borrow(Option::is_some)
}

/// A point where no crash is made, but something may happen.
pub(super) fn happen(point: &'static str) -> io::Result<()> {
    let is_here = |slot: &mut Option<Meanwhile>| slot.take_if(|(at, _)| *at == point);
    match MEANWHILE.with_borrow_mut(is_here) {
        Some((_, happens)) => happens(),
        None => Ok(()),
    }
}

pub(super) fn pass(name: &'static str) -> io::Result<()> {
    happen(name)?;
    let Some(crash_at) = CRASH_AT.get() else { return Ok(()) };
    let number = PASSED.with_borrow_mut(|passed| {
        passed.push(name);
        passed.len() - 1
    });
    if number >= crash_at {
        return Err(io::Error::other(MESSAGE));
    }
    Ok(())
}
