//! Counts what the audio thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// A trap of a module makes two small allocations in the engine, and frees them.
const CALLS_OF_A_TRAP: u64 = 4;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting per thread.
struct Counting;

fn count() {
    // At the end of a thread the counter may be gone already; nothing is measured there.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches only a `Cell` of the thread,
// which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` holds for the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: `pointer` came from the system's allocator with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a callback; the test fails if it calls the allocator more often than one trap does. [`latest`] says how often.
pub(crate) fn at_most_a_trap<T>(work: impl FnOnce() -> T) -> T {
    let before = CALLS.get();
    let result = work();
    let calls = CALLS.get() - before;
    LATEST.set(calls);
    assert!(calls <= CALLS_OF_A_TRAP, "{calls} calls of the allocator");
    result
}

thread_local! {
    static LATEST: Cell<u64> = const { Cell::new(0) };
}

/// Calls of the allocator in the last callback.
pub(crate) fn latest() -> u64 {
    LATEST.get()
}
