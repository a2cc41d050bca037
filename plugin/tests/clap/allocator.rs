//! How often the C library's allocator is called.
//!
//! The framework's `assert_process_allocs` takes the place of a global allocator, and a program has one.
//! So this program has functions of the C library's names, which count and pass every call on. Counted
//! are allocations, reallocations and frees of the calling thread, C code of this program included. Only
//! glibc says where its own functions are: elsewhere nothing is counted, and the framework alone watches.

use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

#[cfg_attr(not(target_env = "gnu"), expect(dead_code, reason = "nothing is counted there"))]
fn count() {
    // At the end of a thread the counter may be gone already; nothing is measured there.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

/// Calls of the allocator by this thread while `work` runs.
pub(crate) fn calls_of<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.get();
    let done = work();
    (CALLS.get() - before, done)
}

/// In front of the C library's functions.
#[cfg(target_env = "gnu")]
mod front {
    use super::count;
    use std::ffi::{c_int, c_void};
    use std::ptr;

    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
        fn __libc_free(pointer: *mut c_void);
    }

    // SAFETY: as the C library's own, to which it leads.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        count();
        // SAFETY: the caller's promises hold for what it leads to.
        unsafe { __libc_malloc(size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(elements: usize, size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_calloc(elements, size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_realloc(pointer, size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(
        place: *mut *mut c_void,
        align: usize,
        size: usize,
    ) -> c_int {
        /// Source: `errno.h` of Linux.
        const ENOMEM: c_int = 12;
        count();
        // SAFETY: as above; an `align` that is no power of two is refused there.
        let pointer = unsafe { __libc_memalign(align, size) };
        if pointer.is_null() {
            return ENOMEM;
        }
        // SAFETY: the caller says where the result goes.
        unsafe { ptr::write(place, pointer) };
        0
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(pointer: *mut c_void) {
        if !pointer.is_null() {
            count();
        }
        // SAFETY: as above.
        unsafe { __libc_free(pointer) }
    }
}

#[cfg(target_env = "gnu")]
#[test]
fn allocations_and_frees_are_counted() {
    #[repr(align(64))]
    struct Wide(#[expect(dead_code, reason = "it takes room")] [u8; 64]);

    let (calls, kept) = calls_of(|| std::hint::black_box(vec![1u8; 100]));
    assert_eq!(calls, 1);
    assert_eq!(calls_of(|| drop(kept)).0, 1);
    assert_eq!(calls_of(|| drop(std::hint::black_box(vec![0u8; 100]))).0, 2);
    assert_eq!(calls_of(|| drop(std::hint::black_box(Box::new(Wide([1; 64]))))).0, 2);
    let mut growing = Vec::with_capacity(1);
    assert!(calls_of(|| growing.extend([1u8; 1000])).0 >= 1);
}
