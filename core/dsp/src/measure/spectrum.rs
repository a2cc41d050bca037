//! Where the energy lies in frequency.

use super::bands::{BAND_COUNT, BANDS};
use super::fourier::{BINS, FRAME};
use super::lanes::{LANES, Lanes};
use super::meter::{Meter, Needs, Setup};
use super::stft::FrameBatch;
use serde::{Deserialize, Serialize};
use wavemill_audio::StreamSpec;
use wavemill_audio::Vectors;
use wavemill_audio::units::{Hertz, SampleRate};

/// Spectrum of a whole file: plain means over short-time spectra of the channels' mean, silent ones
/// included, as librosa's. All are `None` when there is no signal.
///
/// Source: librosa 0.11, `feature.spectral_centroid`, `spectral_bandwidth`, `spectral_rolloff`,
/// `spectral_flatness`, of a file loaded with `sr=None` and with their default parameters.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpectrumReport {
    /// Mean frequency, weighted by magnitude.
    pub centroid_hz: Option<Hertz>,
    /// Standard deviation of the frequency around the frame's centroid, weighted by magnitude.
    pub bandwidth_hz: Option<Hertz>,
    /// Frequency below which 85 % of the magnitude lies.
    pub rolloff_hz: Option<Hertz>,
    /// Geometric by arithmetic mean of the power: 0 for a tone, 1 for a single impulse.
    pub flatness: Option<f64>,
}

/// Spectrum within a band: means over the frames that have something in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BandShape {
    pub(super) centroid_hz: Option<Hertz>,
    pub(super) rolloff_hz: Option<Hertz>,
    pub(super) flatness: Option<f64>,
}

/// Spectrum of a whole signal and within each band.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shapes {
    pub(super) whole: SpectrumReport,
    pub(super) bands: [BandShape; BAND_COUNT],
}

/// The spectrum of the whole signal, of which every meter has the sums.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeSpectrum;

impl Meter for WholeSpectrum {
    type Report = SpectrumReport;

    const NEEDS: Needs = Needs::Shapes;

    fn new(_spec: &StreamSpec, _setup: Setup) -> Self {
        Self
    }

    fn finish(self, shapes: &Shapes) -> SpectrumReport {
        shapes.whole.clone()
    }
}

/// Share of the magnitude below the rolloff. Source: librosa, `roll_percent`.
const ROLLOFF_SHARE: f32 = 0.85;

/// Smallest power that counts in the flatness. Source: librosa, `spectral_flatness`, `amin`.
const POWER_MIN: f32 = 1e-10;

/// Parts that the bands' edges cut the spectrum into: the bands, what is below and what is above.
const PARTS: usize = BAND_COUNT + 2;

/// Describes the frames of a stream.
#[derive(Clone, Debug)]
pub(crate) struct SpectrumMeter {
    rate: SampleRate,
    /// First frequency of each part, and the end of the last.
    edges: [usize; PARTS + 1],
    frame_count: u64,
    has_signal: bool,
    /// In steps between frequencies.
    centroids: f64,
    bandwidths: f64,
    rolloffs: f64,
    flatnesses: f64,
    bands: [BandSums; BAND_COUNT],
    is_wide: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct BandSums {
    frame_count: u64,
    centroids: f64,
    rolloffs: f64,
    flatnesses: f64,
}

/// Sums over some frequencies of each frame.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    magnitude: Lanes,
    /// Of magnitude times index.
    moment: Lanes,
    power: Lanes,
    /// The product of the powers: its mantissa and its exponent, biased by [`BIAS`] for each factor.
    mantissa: Lanes,
    exponent: [u32; LANES],
}

/// Of the exponent of an `f32`. Source: IEEE 754.
const BIAS: u32 = 127;
const MANTISSA_BITS: u32 = 23;
const MANTISSA_MASK: u32 = (1 << MANTISSA_BITS) - 1;

/// Mantissas below 2 that are multiplied before their product is brought below 2 again; 127 of them
/// could not overflow.
const FACTORS: usize = 64;

impl SpectrumMeter {
    pub(crate) fn new(rate: SampleRate) -> Self {
        let mut edges = [0; PARTS + 1];
        edges[1] = first_bin(BANDS[0].low_hz, rate);
        for (edge, band) in edges[2..].iter_mut().zip(&BANDS) {
            *edge = first_bin(band.high_hz, rate);
        }
        edges[PARTS] = BINS;
        Self {
            rate,
            edges,
            frame_count: 0,
            has_signal: false,
            centroids: 0.0,
            bandwidths: 0.0,
            rolloffs: 0.0,
            flatnesses: 0.0,
            bands: [BandSums::default(); BAND_COUNT],
            is_wide: Vectors::of_machine().are_wide(),
        }
    }

    /// Looks at further frames.
    pub(crate) fn push(&mut self, frames: FrameBatch<'_>) {
        let mut parts = [Sums::default(); PARTS];
        sum_parts(frames.magnitudes, &self.edges, &mut parts, self.is_wide);
        let mut total = [0.0; LANES];
        let mut centroid = [0.0; LANES];
        for lane in 0..frames.count {
            total[lane] = sum_of(&parts, |part| part.magnitude.0[lane]);
            if total[lane] > 0.0 {
                centroid[lane] = sum_of(&parts, |part| part.moment.0[lane]) / total[lane];
            }
        }
        let (spread, below) = spread(frames.magnitudes, total, centroid, self.is_wide);
        let band_edges = &self.edges[1..=BAND_COUNT + 1];
        let rolloffs: [Lanes; BAND_COUNT] = std::array::from_fn(|band| {
            let bins = &frames.magnitudes[band_edges[band]..band_edges[band + 1]];
            below_rolloff(bins, parts[band + 1].magnitude, self.is_wide)
        });
        for lane in 0..frames.count {
            self.has_signal |= total[lane] > 0.0;
            self.centroids += centroid[lane];
            if total[lane] > 0.0 {
                self.bandwidths += (f64::from(spread.0[lane]) / total[lane]).sqrt();
            }
            self.rolloffs += f64::from(below.0[lane]);
            self.describe_lane(&parts, &rolloffs, lane);
        }
        self.frame_count += frames.count as u64;
    }

    /// Flatness of a frame, and what each band of it looks like.
    fn describe_lane(
        &mut self,
        parts: &[Sums; PARTS],
        rolloffs: &[Lanes; BAND_COUNT],
        lane: usize,
    ) {
        let mut logarithms = [0.0; PARTS];
        for (index, logarithm) in logarithms.iter_mut().enumerate() {
            let bin_count = self.edges[index + 1] - self.edges[index];
            *logarithm = parts[index].logarithm(lane, bin_count);
        }
        let power = sum_of(parts, |part| part.power.0[lane]);
        self.flatnesses += flatness(logarithms.iter().sum(), power, BINS);
        for (index, band) in self.bands.iter_mut().enumerate() {
            let part = &parts[index + 1];
            let magnitude = f64::from(part.magnitude.0[lane]);
            if magnitude > 0.0 {
                let bin_count = self.edges[index + 2] - self.edges[index + 1];
                let power = f64::from(part.power.0[lane]);
                band.frame_count += 1;
                band.centroids += f64::from(part.moment.0[lane]) / magnitude;
                let first_bin = self.edges[index + 1] as f64;
                band.rolloffs += first_bin + f64::from(rolloffs[index].0[lane]);
                band.flatnesses += flatness(logarithms[index + 1], power, bin_count);
            }
        }
    }

    /// What was found, of everything and of each band.
    pub(crate) fn finish(self) -> Shapes {
        let step_hz = f64::from(self.rate.0) / FRAME as f64;
        let mean = |sum: f64| self.has_signal.then(|| sum / self.frame_count as f64);
        let mean_hz = |sum| mean(sum).map(|bins| Hertz(bins * step_hz));
        let whole = SpectrumReport {
            centroid_hz: mean_hz(self.centroids),
            bandwidth_hz: mean_hz(self.bandwidths),
            rolloff_hz: mean_hz(self.rolloffs),
            flatness: mean(self.flatnesses),
        };
        Shapes { whole, bands: self.bands.map(|band| band.shape(step_hz)) }
    }
}

impl BandSums {
    fn shape(self, step_hz: f64) -> BandShape {
        let mean = |sum: f64| (self.frame_count > 0).then(|| sum / self.frame_count as f64);
        BandShape {
            centroid_hz: mean(self.centroids).map(|bins| Hertz(bins * step_hz)),
            rolloff_hz: mean(self.rolloffs).map(|bins| Hertz(bins * step_hz)),
            flatness: mean(self.flatnesses),
        }
    }
}

impl Sums {
    /// Base 2, of the product of the powers.
    fn logarithm(&self, lane: usize, bin_count: usize) -> f64 {
        let bias = f64::from(BIAS) * bin_count as f64;
        f64::from(self.exponent[lane]) - bias + f64::from(self.mantissa.0[lane]).log2()
    }
}

/// Geometric by arithmetic mean, from the base-2 logarithm of the product and the sum.
fn flatness(logarithm: f64, sum: f64, count: usize) -> f64 {
    let count = count as f64;
    // The geometric mean is never the larger one; rounding makes it so where both are equal.
    ((logarithm / count).exp2() / (sum / count)).min(1.0)
}

fn sum_of(parts: &[Sums; PARTS], number: impl Fn(&Sums) -> f32) -> f64 {
    parts.iter().map(|part| f64::from(number(part))).sum()
}

/// Index of the first frequency that is not below `hz`.
fn first_bin(hz: Hertz, rate: SampleRate) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, and `as` saturates"
    )]
    let bin = (hz.0 * FRAME as f64 / f64::from(rate.0.max(1))).ceil() as usize;
    bin.min(BINS)
}

/// Fills in the sums of each part; the result is the same with any width of vectors.
fn sum_parts(
    magnitudes: &[Lanes],
    edges: &[usize; PARTS + 1],
    parts: &mut [Sums; PARTS],
    is_wide: bool,
) {
    #[cfg(target_arch = "x86_64")]
    if is_wide {
        // SAFETY: `is_wide` says that this machine has AVX2.
        return unsafe { sum_parts_avx2(magnitudes, edges, parts) };
    }
    let _ = is_wide;
    sum_parts_any(magnitudes, edges, parts);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sum_parts_avx2(magnitudes: &[Lanes], edges: &[usize; PARTS + 1], parts: &mut [Sums; PARTS]) {
    sum_parts_any(magnitudes, edges, parts);
}

#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn sum_parts_any(magnitudes: &[Lanes], edges: &[usize; PARTS + 1], parts: &mut [Sums; PARTS]) {
    for (part, ends) in parts.iter_mut().zip(edges.windows(2)) {
        let mut sums = Sums { mantissa: Lanes::all(1.0), ..Sums::default() };
        let mut index = ends[0] as f32;
        for factors in magnitudes[ends[0]..ends[1]].chunks(FACTORS) {
            for &magnitude in factors {
                let power = (magnitude * magnitude).map(|power| power.max(POWER_MIN));
                sums.magnitude += magnitude;
                sums.moment += magnitude * index;
                sums.power += power;
                sums.mantissa = sums.mantissa * power.map(mantissa);
                for (exponent, power) in sums.exponent.iter_mut().zip(power.0) {
                    *exponent += power.to_bits() >> MANTISSA_BITS;
                }
                index += 1.0;
            }
            for (exponent, product) in sums.exponent.iter_mut().zip(sums.mantissa.0) {
                *exponent += (product.to_bits() >> MANTISSA_BITS) - BIAS;
            }
            sums.mantissa = sums.mantissa.map(mantissa);
        }
        *part = sums;
    }
}

/// A positive number's, from 1 to below 2.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn mantissa(number: f32) -> f32 {
    f32::from_bits(number.to_bits() & MANTISSA_MASK | BIAS << MANTISSA_BITS)
}

/// Of each frame: the number of frequencies below the rolloff of these, whose magnitudes sum to `total`. The result is
/// the same with any width of vectors.
fn below_rolloff(magnitudes: &[Lanes], total: Lanes, is_wide: bool) -> Lanes {
    let threshold = total * ROLLOFF_SHARE;
    #[cfg(target_arch = "x86_64")]
    if is_wide {
        // SAFETY: `is_wide` says that this machine has AVX2.
        return unsafe { below_rolloff_avx2(magnitudes, threshold) };
    }
    let _ = is_wide;
    below_rolloff_any(magnitudes, threshold)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn below_rolloff_avx2(magnitudes: &[Lanes], threshold: Lanes) -> Lanes {
    below_rolloff_any(magnitudes, threshold)
}

#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn below_rolloff_any(magnitudes: &[Lanes], threshold: Lanes) -> Lanes {
    let (mut sum, mut below) = (Lanes::default(), Lanes::default());
    for &magnitude in magnitudes {
        sum += magnitude;
        for lane in 0..LANES {
            below.0[lane] += if sum.0[lane] < threshold.0[lane] { 1.0 } else { 0.0 };
        }
    }
    below
}

/// Of each frame: the sum of magnitudes times squared distance from the centroid, and the number of
/// frequencies below the rolloff. The result is the same with any width of vectors.
fn spread(
    magnitudes: &[Lanes],
    total: [f64; LANES],
    centroid: [f64; LANES],
    is_wide: bool,
) -> (Lanes, Lanes) {
    #[expect(clippy::cast_possible_truncation, reason = "magnitudes are f32")]
    let narrow = |numbers: [f64; LANES]| Lanes(numbers.map(|number| number as f32));
    let threshold = narrow(total) * ROLLOFF_SHARE;
    let centroid = narrow(centroid);
    #[cfg(target_arch = "x86_64")]
    if is_wide {
        // SAFETY: `is_wide` says that this machine has AVX2.
        return unsafe { spread_avx2(magnitudes, threshold, centroid) };
    }
    let _ = is_wide;
    spread_any(magnitudes, threshold, centroid)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn spread_avx2(magnitudes: &[Lanes], threshold: Lanes, centroid: Lanes) -> (Lanes, Lanes) {
    spread_any(magnitudes, threshold, centroid)
}

#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn spread_any(magnitudes: &[Lanes], threshold: Lanes, centroid: Lanes) -> (Lanes, Lanes) {
    let mut spread = Lanes::default();
    let mut below = Lanes::default();
    let mut sum = Lanes::default();
    let mut index = 0.0;
    for &magnitude in magnitudes {
        let distance = Lanes::all(index) - centroid;
        spread += distance * distance * magnitude;
        sum += magnitude;
        for lane in 0..LANES {
            below.0[lane] += if sum.0[lane] < threshold.0[lane] { 1.0 } else { 0.0 };
        }
        index += 1.0;
    }
    (spread, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        if !Vectors::of_machine().are_wide() {
            println!("skipped: this machine has vectors of one width");
        }
        let magnitudes: Vec<Lanes> = (0..BINS)
            .map(|bin| Lanes(std::array::from_fn(|lane| ((bin * 7 + lane * 13) % 97) as f32 * 0.3)))
            .collect();
        let report = |is_wide: bool| {
            let mut meter = SpectrumMeter::new(SampleRate(44_100));
            meter.is_wide = is_wide;
            meter.push(FrameBatch { magnitudes: &magnitudes, count: LANES });
            meter.finish()
        };
        assert_eq!(report(false), report(Vectors::of_machine().are_wide()));
    }

    #[test]
    fn parts_of_the_spectrum_meet_at_the_edges_of_bands() {
        // 21.53 Hz between frequencies.
        assert_eq!(
            SpectrumMeter::new(SampleRate(44_100)).edges,
            [0, 1, 10, 24, 93, 279, 929, BINS]
        );
        // Nothing of the upper bands.
        assert_eq!(
            SpectrumMeter::new(SampleRate(8000)).edges,
            [0, 6, 52, 128, 512, BINS, BINS, BINS]
        );
    }
}
