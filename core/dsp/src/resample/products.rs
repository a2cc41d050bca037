//! Products of a signal with a filter between the rows of a table.

use rustfft::FftNum;

/// Samples that an output frame is made of: enough for 200 dB with the widest band the first step
/// leaves.
pub(super) const TAPS: usize = 28;

/// The filter of one output frame.
pub(super) type Taps<T> = [T; TAPS];

/// Neighbors in the table, between the middle two of which a filter lies.
pub(super) type Rows<T> = [Taps<T>; 4];

/// Sums that a product is gathered in, beside each other.
const LANES: usize = 4;

/// Both signals' products with the filter that the weighted rows make, on any processor.
pub(super) fn any<T: FftNum>(rows: &Rows<T>, weights: [T; 4], signals: [&Taps<T>; 2]) -> [T; 2] {
    let [a, b, c, d] = rows;
    let mut filter = [T::zero(); TAPS];
    for (tap, value) in filter.iter_mut().enumerate() {
        *value = (a[tap] * weights[0] + b[tap] * weights[1])
            + (c[tap] * weights[2] + d[tap] * weights[3]);
    }
    signals.map(|signal| {
        let mut sums = [T::zero(); LANES];
        for (taps, samples) in filter.chunks_exact(LANES).zip(signal.chunks_exact(LANES)) {
            for ((sum, &tap), &sample) in sums.iter_mut().zip(taps).zip(samples) {
                *sum = *sum + tap * sample;
            }
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    })
}

/// The same with vectors of 256 bits that multiply and add with one rounding: the last bits differ from
/// those of [`any`]. The filter stays in registers.
pub(super) trait Fused: Sized {
    /// [`any`], fused.
    ///
    /// # Safety
    ///
    /// The processor must have AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    unsafe fn products_fused(
        rows: &Rows<Self>,
        weights: [Self; 4],
        signals: [&Taps<Self>; 2],
    ) -> [Self; 2];
}

#[cfg(not(target_arch = "x86_64"))]
impl<T: FftNum> Fused for T {}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{Fused, Rows, TAPS, Taps};
    use std::arch::x86_64::{
        __m128d, __m256, __m256d, _mm_add_pd, _mm_add_ps, _mm_add_sd, _mm_add_ss, _mm_cvtsd_f64,
        _mm_cvtss_f32, _mm_movehl_ps, _mm_shuffle_ps, _mm_unpackhi_pd, _mm256_castpd256_pd128,
        _mm256_castps256_ps128, _mm256_extractf128_pd, _mm256_extractf128_ps, _mm256_fmadd_pd,
        _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_maskload_ps, _mm256_mul_pd,
        _mm256_mul_ps, _mm256_set1_pd, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_pd,
        _mm256_setzero_ps,
    };

    /// Values of a vector.
    const DOUBLES: usize = 4;
    const SINGLES: usize = 8;

    impl Fused for f64 {
        #[inline]
        unsafe fn products_fused(
            rows: &Rows<Self>,
            weights: [Self; 4],
            signals: [&Taps<Self>; 2],
        ) -> [Self; 2] {
            // SAFETY: the caller promises the features.
            unsafe { doubles(rows, weights, signals) }
        }
    }

    impl Fused for f32 {
        #[inline]
        unsafe fn products_fused(
            rows: &Rows<Self>,
            weights: [Self; 4],
            signals: [&Taps<Self>; 2],
        ) -> [Self; 2] {
            // SAFETY: the caller promises the features.
            unsafe { singles(rows, weights, signals) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn doubles(rows: &Rows<f64>, weights: [f64; 4], signals: [&Taps<f64>; 2]) -> [f64; 2] {
        let weights = weights.map(|weight| _mm256_set1_pd(weight));
        let mut sums = [_mm256_setzero_pd(); 2];
        for first in (0..TAPS).step_by(DOUBLES) {
            // SAFETY: `TAPS` is a multiple of `DOUBLES`, so all of them lie within.
            let at = |taps: &Taps<f64>| unsafe { _mm256_loadu_pd(taps.as_ptr().add(first)) };
            let one =
                _mm256_fmadd_pd(at(&rows[1]), weights[1], _mm256_mul_pd(at(&rows[0]), weights[0]));
            let other = _mm256_fmadd_pd(at(&rows[3]), weights[3], one);
            let filter = _mm256_fmadd_pd(at(&rows[2]), weights[2], other);
            for (sum, signal) in sums.iter_mut().zip(signals) {
                *sum = _mm256_fmadd_pd(filter, at(signal), *sum);
            }
        }
        sums.map(|sum| total_of_doubles(sum))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn total_of_doubles(sum: __m256d) -> f64 {
        let halves: __m128d =
            _mm_add_pd(_mm256_castpd256_pd128(sum), _mm256_extractf128_pd::<1>(sum));
        _mm_cvtsd_f64(_mm_add_sd(halves, _mm_unpackhi_pd(halves, halves)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn singles(rows: &Rows<f32>, weights: [f32; 4], signals: [&Taps<f32>; 2]) -> [f32; 2] {
        let weights = weights.map(|weight| _mm256_set1_ps(weight));
        let mut sums = [_mm256_setzero_ps(); 2];
        let rest = _mm256_setr_epi32(-1, -1, -1, -1, 0, 0, 0, 0);
        for first in (0..TAPS).step_by(SINGLES) {
            // SAFETY: all of them lie within but in the last step, where the mask leaves four.
            let at = |taps: &Taps<f32>| unsafe {
                let place = taps.as_ptr().add(first);
                if first + SINGLES <= TAPS {
                    _mm256_loadu_ps(place)
                } else {
                    _mm256_maskload_ps(place, rest)
                }
            };
            let one =
                _mm256_fmadd_ps(at(&rows[1]), weights[1], _mm256_mul_ps(at(&rows[0]), weights[0]));
            let other = _mm256_fmadd_ps(at(&rows[3]), weights[3], one);
            let filter = _mm256_fmadd_ps(at(&rows[2]), weights[2], other);
            for (sum, signal) in sums.iter_mut().zip(signals) {
                *sum = _mm256_fmadd_ps(filter, at(signal), *sum);
            }
        }
        sums.map(|sum| total_of_singles(sum))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn total_of_singles(sum: __m256) -> f32 {
        let fours = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
        let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
        _mm_cvtss_f32(_mm_add_ss(twos, _mm_shuffle_ps::<1>(twos, twos)))
    }
}
