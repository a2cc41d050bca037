//! How sharp the sound is, and how much that is to be reduced.

use effect_common::convert::{narrow, octaves_of_db};
use effect_common::pole::{POWER_MIN, larger, smaller};
use effect_common::{Pole, Row, SUB_BLOCK, Segment, fast};
use wavemill_effect::Block;

/// Averaging time of the upper band: some periods of it, shorter than the shortest sibilant.
const BAND_MS: f64 = 1.5;

/// Averaging time of the whole signal: about a syllable, so that a sibilant is compared with the vowels around it.
const VOICE_MS: f64 = 200.0;

/// Power added to that of the whole signal, -60 dBFS: quiet hiss in a pause is no sibilant.
const FLOOR_POWER: f64 = 1e-6;

/// Part of what is above the threshold that is taken away: a ratio of 4.
const SLOPE: f64 = 0.75;

/// Reduction in octaves that counts as none.
const REDUCTION_MIN: f64 = 1e-12;

/// What is reduced, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// In octaves.
    threshold: f32,
    /// In octaves.
    reduction_max: f32,
    attack: Pole,
    release: Pole,
    is_attack_faster: bool,
}

impl Law {
    /// From what users set.
    pub fn new(
        threshold_db: f64,
        reduction_db_max: f64,
        attack_ms: f64,
        release_ms: f64,
        sample_rate: f64,
    ) -> Self {
        Self {
            threshold: narrow(octaves_of_db(threshold_db)),
            reduction_max: narrow(octaves_of_db(reduction_db_max)),
            attack: Pole::new(attack_ms, sample_rate),
            release: Pole::new(release_ms, sample_rate),
            is_attack_faster: attack_ms <= release_ms,
        }
    }
}

/// Compares the upper band with the whole, all channels together.
///
/// The reference is the louder of the averages over a syllable and over the last moment: a lone sibilant
/// is compared with itself, and the ratio never exceeds 0 dB by more than what noise makes of it.
#[derive(Debug)]
pub struct Detector {
    band_mean: Pole,
    voice_mean: Pole,
    band: f64,
    moment: f64,
    voice: f64,
    /// In octaves.
    reduction: f64,
}

impl Detector {
    /// Nothing heard yet.
    pub fn new(sample_rate: f64) -> Self {
        Self {
            band_mean: Pole::new(BAND_MS, sample_rate),
            voice_mean: Pole::new(VOICE_MS, sample_rate),
            band: 0.0,
            moment: 0.0,
            voice: 0.0,
            reduction: 0.0,
        }
    }

    /// Rounds what is left of faded signals to zero.
    pub fn begin_sub_block(&mut self) {
        for power in [&mut self.band, &mut self.moment, &mut self.voice] {
            if *power < POWER_MIN {
                *power = 0.0;
            }
        }
        if self.reduction < REDUCTION_MIN {
            self.reduction = 0.0;
        }
    }

    /// Gain factors for a segment with this upper band.
    pub fn gains(
        &mut self,
        block: &Block<'_>,
        segment: Segment,
        high: &[Row],
        law: &Law,
        gains: &mut [f32],
    ) {
        let (mut whole, mut band) = ([0.0; SUB_BLOCK], [0.0; SUB_BLOCK]);
        let frames = segment.frames();
        let (whole, band) = (&mut whole[..frames], &mut band[..frames]);
        for (channel, row) in high.iter().enumerate() {
            add_squares(whole, &block.plane(channel)[segment.from..segment.to]);
            add_squares(band, row);
        }
        self.average(whole, band);
        for ((gain, whole), band) in gains.iter_mut().zip(&*whole).zip(&*band) {
            let ratio = 0.5 * (fast::log2(*band) - fast::log2(*whole));
            let wanted = narrow(SLOPE) * (ratio - law.threshold);
            let wanted = if wanted > 0.0 { wanted } else { 0.0 };
            *gain = if wanted < law.reduction_max { wanted } else { law.reduction_max };
        }
        self.follow(gains, law);
        for gain in gains {
            *gain = fast::exp2(-*gain);
        }
    }

    /// Turns squares into the powers that are compared, in place.
    fn average(&mut self, whole: &mut [f32], band: &mut [f32]) {
        let (short, long) = (self.band_mean, self.voice_mean);
        let (mut moment, mut voice, mut upper) = (self.moment, self.voice, self.band);
        for (whole, band) in whole.iter_mut().zip(band) {
            let square = f64::from(*whole);
            moment = short.next(moment, square);
            voice = long.next(voice, square);
            upper = short.next(upper, f64::from(*band));
            *whole = narrow(larger(moment, voice) + FLOOR_POWER);
            *band = narrow(upper);
        }
        (self.moment, self.voice, self.band) = (moment, voice, upper);
    }

    /// Attack and release; the smooth branching detector of Giannoulis, Massberg & Reiss, 2012, eq. (16).
    fn follow(&mut self, row: &mut [f32], law: &Law) {
        let mut reduction = self.reduction;
        for value in row {
            let wanted = f64::from(*value);
            let (attack, release) =
                (law.attack.next(reduction, wanted), law.release.next(reduction, wanted));
            reduction = if law.is_attack_faster {
                larger(attack, release)
            } else {
                smaller(attack, release)
            };
            *value = narrow(reduction);
        }
        self.reduction = reduction;
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        (self.band, self.moment, self.voice, self.reduction) = (0.0, 0.0, 0.0, 0.0);
    }
}

fn add_squares(sums: &mut [f32], samples: &[f32]) {
    for (sum, sample) in sums.iter_mut().zip(samples) {
        *sum += sample * sample;
    }
}
