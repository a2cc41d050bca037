//! Denormal numbers as zero, for the threads that process audio.
//!
//! A decaying filter ends in numbers below the normal range, with which common processors are up to
//! a hundred times slower, at an inaudible amplitude of 1e-38. Every thread that processes
//! holds a guard, so that results do not depend on which thread ran.

use std::marker::PhantomData;

/// Flush to zero and denormals are zero. Source: Intel SDM volume 1, 10.2.3, MXCSR bits 15 and 6.
#[cfg(target_arch = "x86_64")]
const FLUSH_BITS: u32 = 1 << 15 | 1 << 6;

/// FZ. Source: Arm Architecture Reference Manual for A-profile, FPCR bit 24.
#[cfg(target_arch = "aarch64")]
const FLUSH_BITS: u64 = 1 << 24;

/// Replaces denormal samples by zeros of their sign and leaves all others, infinities and NaNs
/// included, as they are, bit by bit. Real-time.
///
/// For a signal that only passes: no arithmetic flushes it, and the next program may stumble over it.
pub fn flush(samples: &mut [f32]) {
    const SIGN: u32 = 1 << 31;
    const EXPONENT: u32 = 0xff << 23;
    for sample in samples {
        let bits = sample.to_bits();
        let kept = if bits & EXPONENT == 0 { SIGN } else { u32::MAX };
        *sample = f32::from_bits(bits & kept);
    }
}

/// While it lives, the thread that made it treats denormal inputs and results as zero; when it is
/// dropped, the former setting holds again. Does nothing on processors other than x86-64 and
/// 64-bit Arm. Real-time.
#[derive(Debug)]
pub struct FlushDenormals {
    #[cfg(target_arch = "x86_64")]
    former: u32,
    #[cfg(target_arch = "aarch64")]
    former: u64,
    /// The setting belongs to one thread, so the guard must not leave it.
    not_send: PhantomData<*const ()>,
}

impl FlushDenormals {
    /// Turns flushing on for this thread.
    #[must_use = "flushing ends when the guard is dropped"]
    pub fn on() -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        {
            let former = control::read();
            // A write costs more than a block of some effects; inside another guard none is needed.
            if former & FLUSH_BITS != FLUSH_BITS {
                control::write(former | FLUSH_BITS);
            }
            Self { former, not_send: PhantomData }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        Self { not_send: PhantomData }
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if self.former & FLUSH_BITS != FLUSH_BITS {
            control::write(control::read() & !FLUSH_BITS | self.former & FLUSH_BITS);
        }
    }
}

/// The MXCSR register. Inline assembly, because the intrinsics are deprecated: the compiler may move
/// float arithmetic across them, as across these. A guard around a whole processing loop, whose
/// calls it cannot see through, is not affected.
#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    pub(super) fn read() -> u32 {
        let mut value = 0u32;
        // SAFETY: stores four bytes to a local of four bytes.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags));
        }
        value
    }

    pub(super) fn write(value: u32) {
        // SAFETY: loads a value read from the register before, with only the two flush bits changed,
        // so no reserved bit is set and no exception is unmasked.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags));
        }
    }
}

/// The FPCR register.
#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    pub(super) fn read() -> u64 {
        let value: u64;
        // SAFETY: reads a register that user code may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }

    pub(super) fn write(value: u64) {
        // SAFETY: writes a value read from the register before, with only the flush bit changed.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    /// A denormal, computed where the compiler cannot.
    fn denormal() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn denormals_are_zero_while_the_guard_lives() {
        assert!(denormal() > 0.0);
        let guard = FlushDenormals::on();
        assert_eq!(denormal().to_bits(), 0);
        assert_eq!((black_box(f32::from_bits(1)) * black_box(2.0)).to_bits(), 0);
        drop(guard);
        assert!(denormal() > 0.0);
    }

    #[test]
    fn flushed_samples_keep_their_bits_unless_denormal() {
        let smallest = f32::MIN_POSITIVE;
        let kept =
            [0.0, -0.0, smallest, -smallest, 1.0, f32::INFINITY, f32::from_bits(0x7fc0_1234)];
        let mut samples = kept;
        flush(&mut samples);
        assert_eq!(samples.map(f32::to_bits), kept.map(f32::to_bits));
        let mut denormals = [f32::from_bits(1), -f32::from_bits(0x007f_ffff)];
        flush(&mut denormals);
        assert_eq!(denormals.map(f32::to_bits), [0.0_f32, -0.0].map(f32::to_bits));
    }

    #[test]
    fn inner_guard_leaves_the_outer_one_in_force() {
        let _outer = FlushDenormals::on();
        drop(FlushDenormals::on());
        assert_eq!(denormal().to_bits(), 0);
    }
}
