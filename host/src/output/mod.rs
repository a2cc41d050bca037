//! Making finished files visible: names, conflicts, renames, and what becomes of the source.
//!
//! The rule "an output is complete or absent" lives here: files are written under temporary names in
//! their destination folder, and get their final names only by an atomic rename, after every byte of
//! the whole set was verified and synced.

mod conflict;
mod hash;
mod local;
mod names;
mod publish;
mod source;

pub(crate) use conflict::refusal;
pub use conflict::{Choice, Names, Standing, choose, standing_on_disk};
pub use hash::hash_file;
pub use local::{LocalHooks, publish_outcome};
pub use names::{part_path, suffixed};
pub use publish::{Finished, PublishError, Trust, publish, withdraw};
pub use source::{PlannedMove, SourceContext, carry_out, plan_move};

/// A place where a crash is made in tests; nothing otherwise. Fails when the crash happens, and the
/// caller stops at once, leaving everything as it is.
#[cfg(test)]
pub(crate) fn crash_point(name: &'static str) -> std::io::Result<()> {
    crash_tests::pass(name)
}

/// A place where a crash is made in tests; nothing otherwise.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(crate) fn crash_point(_name: &'static str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) mod crash_tests {
    //! Crashes on demand: a test counts the crash points of a run, then lets it end at each of them.
    //! What someone else does meanwhile, and what the disk refuses, happens at points too.

    use std::cell::{Cell, RefCell};
    use std::io;

    /// A point and what happens there.
    type Meanwhile = (&'static str, Box<dyn FnOnce() -> io::Result<()>>);

    thread_local! {
        static PASSED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
        static CRASH_AT: Cell<usize> = const { Cell::new(usize::MAX) };
        static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
    }

    /// Text of the error of a made crash.
    pub(crate) const MESSAGE: &str = "crash made by a test";

    /// Lets this thread crash at the point with this number, counted from 0, and at all after it.
    pub(crate) fn arm(at: usize) {
        PASSED.take();
        CRASH_AT.set(at);
    }

    /// Crash points passed since the last [`arm`].
    pub(crate) fn passed() -> Vec<&'static str> {
        PASSED.with_borrow(Clone::clone)
    }

    /// Lets something happen when this thread next comes to a point; its error is the point's.
    pub(crate) fn meanwhile(
        point: &'static str,
        happens: impl FnOnce() -> io::Result<()> + 'static,
    ) {
        MEANWHILE.replace(Some((point, Box::new(happens))));
    }

    /// Whether the thread has not come to the point of the last [`meanwhile`].
    pub(crate) fn is_meanwhile_pending() -> bool {
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
        let number = PASSED.with_borrow_mut(|passed| {
            passed.push(name);
            passed.len() - 1
        });
        if number >= CRASH_AT.get() {
            return Err(io::Error::other(MESSAGE));
        }
        Ok(())
    }
}
