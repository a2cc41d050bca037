//! Harmonic distortion of a test tone.

use std::f64::consts::TAU;
use wavemill_audio::Block;

/// Harmonics that count, beside the fundamental. The usual range of analyzers.
const HARMONICS: std::ops::RangeInclusive<usize> = 2..=10;

/// Half of the main lobe of the window, in bins.
const LOBE: usize = 7;

/// The window's cosines: seven terms, whose side lobes lie 180 dB down.
///
/// Source: H.-H. Albrecht, "A family of cosine-sum windows for high-resolution measurements",
/// ICASSP 2001, table 2 (minimum sidelobes, K = 6).
const WINDOW: [f64; 7] = [
    0.271_051_400_693_42,
    0.433_297_939_234_48,
    0.218_122_999_543_11,
    0.065_925_446_388_03,
    0.010_811_742_098_37,
    0.000_776_584_825_22,
    0.000_013_887_217_35,
];

/// Lowest fundamental, in bins: below it the lobes of two harmonics, or of the fundamental and of a
/// constant, would overlap.
const FUNDAMENTAL_BIN_MIN: usize = 2 * LOBE + 1;

/// Shortest part of a file that is looked at, in samples.
const PART_MIN: usize = 4096;

/// Largest sample that still is silence: -80 dBFS.
const SILENCE: f32 = 1e-4;

/// Least share of the energy that a dominating tone's fundamental has. A square wave's has 0.81, a
/// saw's 0.61.
const FUNDAMENTAL_SHARE_MIN: f64 = 0.5;

/// Largest share of the energy that is not at a multiple of the fundamental: 20 dB below the tone.
const REST_SHARE_MAX: f64 = 0.01;

/// Largest deviation of the level, from part to part, of a steady tone: 0.1 dB.
const LEVEL_RATIO_MAX: f64 = 1.023_293;

/// Largest deviation of the frequency, in bins of a part.
const FREQUENCY_BINS_MAX: f64 = 0.5;

/// Looks for one steady tone in the channels' mean, and what harmonics it has.
///
/// The signal is looked at in parts of a good second; the first that is no steady tone ends the
/// search, so that music costs a single transform. Silence before the tone and behind it does not
/// count, nor does the last part, which is not full. State kept: a part.
#[derive(Clone, Debug)]
pub(crate) struct ToneMeter {
    part: Vec<f32>,
    part_frames: usize,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing but silence so far.
    Silent,
    /// Parts are steady so far.
    Steady(Option<Sums>),
    /// The latest part was not steady, or silent at its end: only silence may follow.
    Ending(Option<Sums>),
    /// No steady tone.
    Refused,
}

/// A tone in one part.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tone {
    /// In bins.
    frequency: f64,
    fundamental: f64,
    harmonics: f64,
}

/// Sums over parts.
#[derive(Clone, Copy, Debug)]
struct Sums {
    first: Tone,
    fundamental: f64,
    harmonics: f64,
}

impl ToneMeter {
    pub(crate) fn new(rate_hz: u32) -> Self {
        let part_frames = (rate_hz as usize).next_power_of_two().max(PART_MIN);
        Self { part: Vec::with_capacity(part_frames), part_frames, state: State::Silent }
    }

    /// Takes further frames.
    pub(crate) fn push(&mut self, block: &Block) {
        let count = block.channel_count();
        for frame in 0..block.frame_count() {
            if matches!(self.state, State::Refused) || count == 0 {
                return;
            }
            let sum: f32 = block.planes().map(|plane| plane[frame]).sum();
            self.take(sum / count as f32);
        }
    }

    fn take(&mut self, sample: f32) {
        let is_silent = sample.abs() <= SILENCE;
        match self.state {
            State::Silent if is_silent => return,
            State::Silent => self.state = State::Steady(None),
            State::Ending(_) if !is_silent => {
                self.state = State::Refused;
                self.part = Vec::new();
                return;
            }
            State::Ending(_) | State::Refused => return,
            State::Steady(_) => {}
        }
        self.part.push(sample);
        if self.part.len() == self.part_frames {
            self.end_part();
        }
    }

    fn end_part(&mut self) {
        let State::Steady(sums) = self.state else { return };
        let tone = tone(&self.part);
        let is_same = |tone: &Tone| sums.is_none_or(|sums| sums.first.is_like(tone));
        self.state = match tone.filter(is_same) {
            Some(tone) => State::Steady(Some(Sums::with(sums, tone))),
            // It may have ended here; without a part before there was no tone.
            None if sums.is_some() && is_silent_at_its_end(&self.part) => State::Ending(sums),
            None => State::Refused,
        };
        self.part.clear();
    }

    /// THD in percent: the root of the harmonics' energy over that of the fundamental.
    pub(crate) fn finish(mut self) -> Option<f64> {
        if let State::Steady(None) = self.state {
            // Shorter than a part: as much as a power of two holds.
            let length = (self.part.len() + 1).next_power_of_two() / 2;
            if length < PART_MIN {
                return None;
            }
            self.part.truncate(length);
            self.end_part();
        }
        match self.state {
            State::Steady(sums) | State::Ending(sums) => {
                sums.map(|sums| 100.0 * (sums.harmonics / sums.fundamental).sqrt())
            }
            State::Silent | State::Refused => None,
        }
    }
}

impl Tone {
    fn is_like(&self, other: &Self) -> bool {
        let ratio = (other.fundamental / self.fundamental).sqrt();
        let is_level = ratio <= LEVEL_RATIO_MAX && ratio >= 1.0 / LEVEL_RATIO_MAX;
        is_level && (other.frequency - self.frequency).abs() <= FREQUENCY_BINS_MAX
    }
}

impl Sums {
    fn with(sums: Option<Self>, tone: Tone) -> Self {
        let mut sums = sums.unwrap_or(Self { first: tone, fundamental: 0.0, harmonics: 0.0 });
        sums.fundamental += tone.fundamental;
        sums.harmonics += tone.harmonics;
        sums
    }
}

/// Whether a part ends in a hundredth of silence: no tone that can be measured passes through zero
/// that slowly.
fn is_silent_at_its_end(part: &[f32]) -> bool {
    part[part.len() - part.len() / 100..].iter().all(|sample| sample.abs() <= SILENCE)
}

/// The tone that dominates a part, whose length is a power of two.
fn tone(part: &[f32]) -> Option<Tone> {
    let powers = powers(part);
    let bins = FUNDAMENTAL_BIN_MIN..powers.len() - LOBE;
    let peak = bins.max_by(|a, b| powers[*a].total_cmp(&powers[*b]))?;
    let frequency = center(&powers, peak);
    // Without the constant, which is no sound.
    let total: f64 = powers[LOBE + 1..].iter().sum();
    let fundamental = lobe(&powers, frequency)?;
    let energies = (1..).map_while(|k| lobe(&powers, f64::from(k) * frequency));
    // At low frequencies lobes would cover nearly everything; noise must not pass as a tone.
    let tonal: f64 = energies.take(TONAL_HARMONICS_MAX).sum();
    let mut harmonics = None;
    for k in HARMONICS {
        if let Some(energy) = lobe(&powers, k as f64 * frequency) {
            *harmonics.get_or_insert(0.0) += energy;
        }
    }
    let is_dominating = fundamental >= FUNDAMENTAL_SHARE_MIN * total
        && total - tonal <= REST_SHARE_MAX * total
        && total > 0.0;
    is_dominating.then_some(Tone { frequency, fundamental, harmonics: harmonics? })
}

/// Harmonics that count as part of the tone, beyond those that are measured: those of a square wave
/// beyond the thirty-second have 1 % of its energy.
const TONAL_HARMONICS_MAX: usize = 64;

/// Power of each bin of a windowed part, up to half of the sample rate.
fn powers(part: &[f32]) -> Vec<f64> {
    let n = part.len();
    let step = TAU / n as f64;
    let mut numbers: Vec<(f64, f64)> = part
        .iter()
        .enumerate()
        .map(|(index, &sample)| (f64::from(sample) * window(step * index as f64), 0.0))
        .collect();
    transform(&mut numbers);
    numbers[..=n / 2].iter().map(|(re, im)| re * re + im * im).collect()
}

/// The window at an angle of its period. Signs alternate: it is smallest at the ends.
fn window(angle: f64) -> f64 {
    let cosine = angle.cos();
    // Chebyshev: cos((k + 1) x) = 2 cos(x) cos(k x) - cos((k - 1) x).
    let (mut before, mut now, mut sum) = (1.0, cosine, WINDOW[0]);
    for (index, weight) in WINDOW.iter().enumerate().skip(1) {
        sum += if index % 2 == 1 { -weight * now } else { weight * now };
        (before, now) = (now, 2.0 * cosine * now - before);
    }
    sum
}

/// The discrete Fourier transform in place, by radix 2.
///
/// Source: J. W. Cooley, J. W. Tukey 1965.
fn transform(numbers: &mut [(f64, f64)]) {
    let n = numbers.len();
    let bits = n.trailing_zeros();
    for index in 0..n {
        let other = index.reverse_bits() >> (usize::BITS - bits);
        if index < other {
            numbers.swap(index, other);
        }
    }
    let roots: Vec<(f64, f64)> = (0..n / 2)
        .map(|k| {
            let (sin, cos) = (TAU * k as f64 / n as f64).sin_cos();
            (cos, -sin)
        })
        .collect();
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        for part in numbers.chunks_exact_mut(2 * half) {
            let (low, high) = part.split_at_mut(half);
            for (index, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (re, im) = roots[index * stride];
                let product = (b.0 * re - b.1 * im, b.0 * im + b.1 * re);
                *b = (a.0 - product.0, a.1 - product.1);
                *a = (a.0 + product.0, a.1 + product.1);
            }
        }
        half *= 2;
    }
}

/// Mean of the bins around a peak, weighted by power: the lobe is symmetrical around the frequency.
fn center(powers: &[f64], peak: usize) -> f64 {
    let (mut sum, mut moment) = (0.0, 0.0);
    for (bin, power) in powers.iter().enumerate().skip(peak - LOBE).take(2 * LOBE + 1) {
        sum += power;
        moment += power * bin as f64;
    }
    if sum > 0.0 { moment / sum } else { peak as f64 }
}

/// Energy of the main lobe around a frequency in bins: all that the window makes of a sine, wherever
/// between two bins it lies. `None` where the lobe does not fit below half of the sample rate.
fn lobe(powers: &[f64], frequency: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and `as` saturates"
    )]
    let bin = frequency.round() as usize;
    let range = bin.checked_sub(LOBE)?..=bin.checked_add(LOBE)?;
    powers.get(range).map(|bins| bins.iter().sum())
}
