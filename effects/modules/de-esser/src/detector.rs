//! How sharp the sound is, and how much that is to be reduced.

use crate::controls::Now;
use crate::crossover::Crossover;
use alloc::{vec, vec::Vec};
use effect_common::convert::{narrow, octaves_of_db};
use effect_common::pole::{POWER_MIN, larger, smaller};
use effect_common::{Pole, Row, SUB_BLOCK, Segment, SvfState, fast};

/// Averaging time of the upper band: some periods of it, shorter than the shortest sibilant.
const BAND_MS: f64 = 1.5;

/// Averaging time of the lower band while a vowel begins: some periods of it.
const VOWEL_MS: f64 = 10.0;

/// Averaging time of the lower band while it gets louder: about a syllable.
const VOICE_RISE_MS: f64 = 200.0;

/// And while it gets softer: a sibilant is compared with the vowels before it, also where it is long.
const VOICE_FALL_MS: f64 = 1_000.0;

/// Where the voice ends, as a part of the frequency from which on sounds are sibilants: an octave below, so
/// that none of them counts as voice.
pub const VOICE_SHARE: f64 = 0.5;

/// Power added to that of the lower band, -60 dBFS: quiet hiss in a pause is no sibilant.
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

/// Compares the upper band with the voice below it, all channels together.
///
/// The reference is the voice without its sibilants, in the lower band after one more low-pass: the louder of its
/// averages over the last syllables and over the last moment.
#[derive(Debug)]
pub struct Detector {
    filters: Vec<SvfState>,
    rows: Vec<Row>,
    band_mean: Pole,
    vowel_mean: Pole,
    voice_rise: Pole,
    voice_fall: Pole,
    band: f64,
    vowel: f64,
    voice: f64,
    /// In octaves.
    reduction: f64,
}

impl Detector {
    /// Without any input yet.
    pub fn new(channels: usize, sample_rate: f64) -> Self {
        Self {
            filters: vec![SvfState::default(); channels],
            rows: vec![[0.0; SUB_BLOCK]; channels],
            band_mean: Pole::new(BAND_MS, sample_rate),
            vowel_mean: Pole::new(VOWEL_MS, sample_rate),
            voice_rise: Pole::new(VOICE_RISE_MS, sample_rate),
            voice_fall: Pole::new(VOICE_FALL_MS, sample_rate),
            band: 0.0,
            vowel: 0.0,
            voice: 0.0,
            reduction: 0.0,
        }
    }

    /// Rounds what is left of faded signals to zero.
    pub fn begin_sub_block(&mut self) {
        self.filters.iter_mut().for_each(SvfState::tidy);
        for power in [&mut self.band, &mut self.vowel, &mut self.voice] {
            if *power < POWER_MIN {
                *power = 0.0;
            }
        }
        if self.reduction < REDUCTION_MIN {
            self.reduction = 0.0;
        }
    }

    /// The reduction of the last frame, in octaves.
    pub fn reduction(&self) -> f64 {
        self.reduction
    }

    /// Gain factors for a segment with these bands.
    pub fn gains(&mut self, segment: Segment, bands: &Crossover, now: &Now, gains: &mut [f32]) {
        let law = &now.law;
        let (mut voice, mut band) = ([0.0; SUB_BLOCK], [0.0; SUB_BLOCK]);
        let frames = segment.frames();
        let (voice, band) = (&mut voice[..frames], &mut band[..frames]);
        self.rows.copy_from_slice(bands.low());
        now.voice.low_pass(&mut self.filters, &mut self.rows, frames);
        for (low, high) in self.rows.iter().zip(bands.high()) {
            add_squares(voice, low);
            add_squares(band, high);
        }
        self.average(voice, band);
        for ((gain, voice), band) in gains.iter_mut().zip(&*voice).zip(&*band) {
            let ratio = 0.5 * (fast::log2(*band) - fast::log2(*voice));
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
    fn average(&mut self, lower: &mut [f32], band: &mut [f32]) {
        let (mut vowel, mut voice, mut upper) = (self.vowel, self.voice, self.band);
        for (lower, band) in lower.iter_mut().zip(band) {
            let square = f64::from(*lower);
            vowel = self.vowel_mean.next(vowel, square);
            // The farther one toward the input, as in `follow`.
            voice = larger(self.voice_rise.next(voice, vowel), self.voice_fall.next(voice, vowel));
            upper = self.band_mean.next(upper, f64::from(*band));
            *lower = narrow(larger(vowel, voice) + FLOOR_POWER);
            *band = narrow(upper);
        }
        (self.vowel, self.voice, self.band) = (vowel, voice, upper);
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
        self.filters.fill(SvfState::default());
        (self.band, self.vowel, self.voice, self.reduction) = (0.0, 0.0, 0.0, 0.0);
    }
}

fn add_squares(sums: &mut [f32], samples: &[f32]) {
    for (sum, sample) in sums.iter_mut().zip(samples) {
        *sum += sample * sample;
    }
}
