//! How bands rise, and how regularly.

use super::bands::{BAND_COUNT, EDGES_HZ};
use super::levels::mean;

/// Ranges of tempo in which a pulse is looked for: four to the octave.
pub(super) const PULSE_COUNT: usize = 16;

/// Lower end of the lowest, in beats a minute.
const BPM_MIN: f64 = 30.0;

/// Ranges of an octave.
const PER_OCTAVE: f64 = 4.0;

/// Places in a range at which it is looked at.
const PLACES: usize = 8;

/// Below and above there is bass and what shines.
const LOW_HZ_MAX: f64 = 255.0;
const HIGH_HZ_MIN: f64 = 4450.0;

/// The rises of the bands, summed, and their autocorrelation. Memory does not grow with the signal.
#[derive(Clone, Debug)]
pub(super) struct Flux {
    frames_per_second: f64,
    /// The latest sums, a ring.
    latest: Vec<f32>,
    /// Of each lag, the sum of products.
    products: Vec<f64>,
    count: u64,
    sum: f64,
    low: f64,
    high: f64,
}

/// What they are like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FluxStatistics {
    pub(super) mean_db: Option<f64>,
    pub(super) peakiness: Option<f64>,
    pub(super) low_share: Option<f64>,
    pub(super) high_share: Option<f64>,
    pub(super) pulse: Option<[f64; PULSE_COUNT]>,
}

impl Flux {
    pub(super) fn new(frames_per_second: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundred")]
        let lags = (frames_per_second * 60.0 / BPM_MIN).ceil() as usize + 2;
        Self {
            frames_per_second,
            latest: vec![0.0; lags],
            products: vec![0.0; lags],
            count: 0,
            sum: 0.0,
            low: 0.0,
            high: 0.0,
        }
    }

    /// Takes the levels of a frame and of the one before.
    pub(super) fn push(&mut self, levels: &[f32; BAND_COUNT], before: &[f32; BAND_COUNT]) {
        let mut rise = 0.0;
        for band in 0..BAND_COUNT {
            let up = (levels[band] - before[band]).max(0.0);
            rise += up;
            if EDGES_HZ[band + 1] <= LOW_HZ_MAX {
                self.low += f64::from(up);
            } else if EDGES_HZ[band] >= HIGH_HZ_MIN {
                self.high += f64::from(up);
            }
        }
        let lags = self.latest.len();
        #[expect(clippy::cast_possible_truncation, reason = "below the number of lags")]
        let place = (self.count % lags as u64) as usize;
        self.latest[place] = rise;
        // Lag by lag backward through the ring: first what lies before the place, then the rest.
        let (recent, old) = self.latest.split_at(place + 1);
        let backward = recent.iter().rev().chain(old.iter().rev());
        for (product, earlier) in self.products.iter_mut().zip(backward) {
            *product += f64::from(rise * earlier);
        }
        self.sum += f64::from(rise);
        self.count += 1;
    }

    pub(super) fn finish(&self) -> FluxStatistics {
        let Some(mean_rise) = mean(self.sum, self.count).filter(|mean| *mean > 0.0) else {
            return FluxStatistics::default();
        };
        let variance = self.covariance(0, mean_rise);
        FluxStatistics {
            mean_db: Some(mean_rise / BAND_COUNT as f64),
            peakiness: Some(variance.max(0.0).sqrt() / mean_rise),
            low_share: Some(self.low / self.sum),
            high_share: Some(self.high / self.sum),
            pulse: self.pulse(mean_rise, variance),
        }
    }

    /// `None` for what is too short to repeat.
    fn pulse(&self, mean_rise: f64, variance: f64) -> Option<[f64; PULSE_COUNT]> {
        if self.count < 2 * self.latest.len() as u64 || variance <= 0.0 {
            return None;
        }
        let at = |lag: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a lag")]
            let lower = (lag as usize).min(self.products.len() - 2);
            let share = lag - lower as f64;
            let one = self.covariance(lower, mean_rise);
            one + share * (self.covariance(lower + 1, mean_rise) - one)
        };
        Some(std::array::from_fn(|range| {
            let place = |place: usize| {
                let octaves = (range as f64 + place as f64 / PLACES as f64) / PER_OCTAVE;
                at(self.frames_per_second * 60.0 / (BPM_MIN * octaves.exp2())) / variance
            };
            (0..PLACES).map(place).fold(-1.0, f64::max).clamp(-1.0, 1.0)
        }))
    }

    fn covariance(&self, lag: usize, mean_rise: f64) -> f64 {
        let count = self.count.saturating_sub(lag as u64).max(1);
        self.products[lag] / count as f64 - mean_rise * mean_rise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulse_is_strong_at_its_tempo_and_weak_between() {
        // 100 frames a second, a rise every half second: 120 a minute.
        let mut flux = Flux::new(100.0);
        let quiet = [-60.0; BAND_COUNT];
        for frame in 0..2000 {
            let levels = if frame % 50 == 0 { [-20.0; BAND_COUNT] } else { quiet };
            flux.push(&levels, &quiet);
        }
        let found = flux.finish();
        let pulse = found.pulse.unwrap();
        // 30, 60 and 120 begin the ranges 0, 4 and 8; 90 lies in range 6.
        assert!(pulse[0] > 0.9 && pulse[4] > 0.9 && pulse[8] > 0.9, "{pulse:?}");
        assert!(pulse[6] < 0.1, "{pulse:?}");
        assert!((found.low_share.unwrap() - 3.0 / 20.0).abs() < 1e-6);
    }
}
