//! How often a thread has to wait for another.
//!
//! Locks of Rust's library and of `parking_lot` that are taken wait in the kernel, through the C library's
//! `syscall`; this program has a function of that name, which counts and passes every call on. Waiting
//! of C code is not counted, nor is a lock that nobody else holds. On other processors nothing is.

use std::cell::Cell;

thread_local! {
    static WAITS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread waits while `work` runs.
pub(crate) fn waits_of<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = WAITS.get();
    let done = work();
    (WAITS.get() - before, done)
}

/// In front of the C library's function.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod front {
    use super::WAITS;
    use std::arch::asm;
    use std::ffi::{c_int, c_long};

    /// Source: `asm/unistd_64.h`.
    const FUTEX: c_long = 202;

    /// What waits. Source: `linux/futex.h`: `FUTEX_WAIT`, `FUTEX_LOCK_PI`, `FUTEX_WAIT_BITSET`.
    const WAITING: [c_long; 3] = [0, 6, 9];
    const COMMAND: c_long = 0x7f;

    /// Results from here up to -1 are errors. Source: System V ABI for AMD64, A.2.1.
    const ERRORS: c_long = -4095;

    unsafe extern "C" {
        fn __errno_location() -> *mut c_int;
    }

    // SAFETY: as the C library's own, whose work it does; calls with any number of words pass them in the
    // same places as calls with seven.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn syscall(
        number: c_long,
        a: c_long,
        b: c_long,
        c: c_long,
        d: c_long,
        e: c_long,
        f: c_long,
    ) -> c_long {
        if number == FUTEX && WAITING.contains(&(b & COMMAND)) {
            let _ = WAITS.try_with(|waits| waits.set(waits.get() + 1));
        }
        let result: c_long;
        // SAFETY: the kernel's convention; what it may change is said.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => result,
                in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
        }
        if !(ERRORS..0).contains(&result) {
            return result;
        }
        // SAFETY: the C library says where this thread's number is.
        unsafe { *__errno_location() = c_int::try_from(-result).unwrap_or(0) };
        -1
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[test]
fn waiting_for_a_taken_lock_is_counted() {
    use parking_lot::Mutex;
    use std::sync::Arc;
    use std::time::Duration;
    let lock = Arc::new(Mutex::new(0));
    assert_eq!(waits_of(|| *lock.lock() += 1).0, 0, "nobody holds it");
    let held = lock.lock();
    let (waits, is_taken) = waits_of(|| lock.try_lock_for(Duration::from_millis(20)).is_none());
    assert!(is_taken && waits > 0, "{waits}");
    drop(held);
    assert!(waits_of(|| std::thread::park_timeout(Duration::from_millis(1))).0 > 0);
}
