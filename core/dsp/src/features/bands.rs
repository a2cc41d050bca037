//! Levels of bands in every short-time spectrum.

use crate::log2::log2;
use crate::measure::fourier::{BINS, FRAME};
use crate::measure::lanes::{LANES, Lanes};
use wavemill_audio::units::SampleRate;

/// Number of bands.
pub(super) const BAND_COUNT: usize = 20;

/// Edges of the bands: equal steps on the scale of equivalent rectangular bandwidths (B. C. J. Moore, B. R. Glasberg
/// 1983, as revised 1990) from 30 Hz to 16 kHz, rounded.
pub(super) const EDGES_HZ: [f64; BAND_COUNT + 1] = [
    30.0, 90.0, 165.0, 255.0, 365.0, 500.0, 665.0, 875.0, 1150.0, 1450.0, 1800.0, 2300.0, 2850.0,
    3600.0, 4450.0, 5550.0, 6850.0, 8500.0, 10_500.0, 12_950.0, 16_000.0,
];

/// Power that counts as nothing, by that of a sine at full scale: -80 dB. What lossy coding leaves out lies below.
pub(super) const POWER_FLOOR: f32 = 1e-8;

/// What the window leaves of a sine at full scale, over all of its bins.
const SINE_POWER: f32 = 1.5 * (FRAME / 4) as f32 * (FRAME / 4) as f32;

/// Decibels per octave of power: 10 log10(2).
pub(super) const DB_PER_OCTAVE: f32 = 3.010_299_9;

/// Levels of a frame, in dB by a sine at full scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameLevels {
    /// Of each band; of one that does not exist the floor.
    pub(super) bands: [f32; BAND_COUNT],
    /// Power of all bins, linear.
    pub(super) power: f32,
}

/// Which bins make a band.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    bins: [(usize, usize); BAND_COUNT],
    /// Which bands exist: those that lie below half the sample rate and have a bin.
    pub(super) exist: [bool; BAND_COUNT],
}

impl Bands {
    pub(super) fn new(rate: SampleRate) -> Self {
        let rate_hz = f64::from(rate.0.max(1));
        let bin = |hz: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
            let bin = (hz * FRAME as f64 / rate_hz).ceil() as usize;
            bin.min(BINS)
        };
        let bins = std::array::from_fn(|band| (bin(EDGES_HZ[band]), bin(EDGES_HZ[band + 1])));
        let exists = |band: usize| {
            let (start, end): (usize, usize) = bins[band];
            EDGES_HZ[band + 1] <= rate_hz / 2.0 && end > start
        };
        Self { bins, exist: std::array::from_fn(exists) }
    }

    /// The levels of each frame of a batch.
    pub(super) fn levels(&self, magnitudes: &[Lanes]) -> [FrameLevels; LANES] {
        let sum = |(start, end): (usize, usize)| {
            let mut sum = Lanes::default();
            for &magnitude in magnitudes.get(start..end).unwrap_or_default() {
                sum += magnitude * magnitude;
            }
            sum
        };
        let powers = self.bins.map(sum);
        let all = sum((1, BINS));
        std::array::from_fn(|lane| FrameLevels {
            bands: powers.map(|power| level_db(power.0[lane] / SINE_POWER)),
            power: all.0[lane] / SINE_POWER,
        })
    }
}

/// A power in dB, no less than the floor.
pub(super) fn level_db(power: f32) -> f32 {
    DB_PER_OCTAVE * log2(power.max(POWER_FLOOR))
}
