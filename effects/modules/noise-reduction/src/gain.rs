//! How much of each bin is kept.

use alloc::{vec, vec::Vec};

/// Weight of the last spectrum in the signal-to-noise ratio. Source: Ephraim & Malah, 1984, ch. V.A.
const MEMORY: f32 = 0.98;

/// Smallest power divided by.
const POWER_MIN: f32 = 1e-14;

/// The Wiener filter with a decision-directed signal-to-noise ratio, one channel.
///
/// Source: Ephraim & Malah, "Speech Enhancement Using a Minimum Mean-Square Error Short-Time Spectral Amplitude Estimator", IEEE Trans. ASSP 32(6), 1984,
/// eq. (51) for the ratio `xi`; gain `xi / (1 + xi)`. The memory of the ratio is what keeps single bins of noise from
/// popping up ("musical noise"): Cappe, IEEE Trans. Speech and Audio Processing 2(2), 1994.
#[derive(Debug)]
pub struct Wiener {
    /// What was kept of the last spectrum: power over noise.
    kept: Vec<f32>,
    gains: Vec<f32>,
}

impl Wiener {
    /// Allocates for `bins` bins.
    pub fn new(bins: usize) -> Self {
        Self { kept: vec![0.0; bins], gains: vec![1.0; bins] }
    }

    /// Gains for a spectrum with these powers, none below `floor`; `raise` multiplies the noise.
    pub fn gains(&mut self, powers: &[f32], noise: &[f32], raise: f32, floor: f32) -> &mut [f32] {
        let bins = self.gains.iter_mut().zip(&mut self.kept).zip(powers).zip(noise);
        for (((gain, kept), power), noise) in bins {
            let ratio = power / (raise * noise + POWER_MIN);
            let over = ratio - 1.0;
            let over = if over > 0.0 { over } else { 0.0 };
            let xi = MEMORY * *kept + (1.0 - MEMORY) * over;
            let wiener = xi / (1.0 + xi);
            *kept = wiener * wiener * ratio;
            *gain = if wiener > floor { wiener } else { floor };
        }
        &mut self.gains
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.kept.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_bin_is_kept_and_one_like_the_noise_falls_to_the_floor() {
        let mut wiener = Wiener::new(2);
        for _ in 0..200 {
            wiener.gains(&[1_000.0, 1.0], &[1.0, 1.0], 1.0, 0.25);
        }
        assert!(wiener.gains[0] > 0.998);
        assert_eq!(wiener.gains[1], 0.25);
    }

    #[test]
    fn single_bins_of_noise_stay_near_the_floor() {
        // Powers of noise in a bin are distributed exponentially; take them by even steps of probability, shuffled.
        let mut wiener = Wiener::new(1);
        let mut above = 0;
        for step in 0..10_007_u32 {
            let share = (f64::from(step * 5_003 % 10_007) + 0.5) / 10_007.0;
            let power = effect_common::convert::narrow(-share.ln());
            let gain = wiener.gains(&[power], &[1.0], 1.0, 0.25)[0];
            above += u32::from(gain > 0.5);
        }
        assert!(above < 20, "{above} of 10,007");
    }
}
