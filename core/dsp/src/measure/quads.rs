//! Four `f64` worked on beside each other.
//!
//! Written with the machine's own vectors where it has such, since the compiler finds them only in
//! simpler loops than a filter's; no number is ever added to its neighbor, and products are never
//! fused with sums, so that both kinds give the same bits.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

/// Four numbers.
pub(super) trait Quad: Copy {
    /// From an array.
    fn from_array(numbers: [f64; 4]) -> Self;
    /// As an array.
    fn into_array(self) -> [f64; 4];
    /// The sums.
    fn plus(self, other: Self) -> Self;
    /// The differences.
    fn minus(self, other: Self) -> Self;
    /// The products.
    fn times(self, other: Self) -> Self;
    /// The absolute values.
    fn magnitude(self) -> Self;
    /// The larger ones; nothing is NaN.
    fn larger(self, other: Self) -> Self;

    /// The same number four times.
    #[inline(always)]
    fn all(number: f64) -> Self {
        Self::from_array([number; 4])
    }
}

/// For every machine.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Plain([f64; 4]);

impl Plain {
    #[inline(always)]
    fn with(self, other: Self, join: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|lane| join(self.0[lane], other.0[lane])))
    }
}

impl Quad for Plain {
    #[inline(always)]
    fn from_array(numbers: [f64; 4]) -> Self {
        Self(numbers)
    }

    #[inline(always)]
    fn into_array(self) -> [f64; 4] {
        self.0
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn magnitude(self) -> Self {
        Self(self.0.map(f64::abs))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if b > a { b } else { a })
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use wide::Wide;

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::Quad;
    use std::arch::x86_64::{
        __m256d, _mm256_add_pd, _mm256_andnot_pd, _mm256_loadu_pd, _mm256_max_pd, _mm256_mul_pd,
        _mm256_set1_pd, _mm256_storeu_pd, _mm256_sub_pd,
    };

    /// For machines with AVX; used only in functions that ask for it.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Wide(__m256d);

    impl Quad for Wide {
        #[inline(always)]
        fn from_array(numbers: [f64; 4]) -> Self {
            // SAFETY: the machine has AVX, and the array is as long as the vector.
            Self(unsafe { _mm256_loadu_pd(numbers.as_ptr()) })
        }

        #[inline(always)]
        fn into_array(self) -> [f64; 4] {
            let mut numbers = [0.0; 4];
            // SAFETY: the machine has AVX, and the array is as long as the vector.
            unsafe { _mm256_storeu_pd(numbers.as_mut_ptr(), self.0) };
            numbers
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            // SAFETY: the machine has AVX.
            Self(unsafe { _mm256_add_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            // SAFETY: the machine has AVX.
            Self(unsafe { _mm256_sub_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            // SAFETY: the machine has AVX.
            Self(unsafe { _mm256_mul_pd(self.0, other.0) })
        }

        #[inline(always)]
        fn magnitude(self) -> Self {
            // SAFETY: the machine has AVX.
            Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            // SAFETY: the machine has AVX.
            Self(unsafe { _mm256_max_pd(self.0, other.0) })
        }
    }
}
