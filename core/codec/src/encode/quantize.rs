//! From the samples at hand to the format a file stores.

use super::noise_shaping::{NoiseShape, Shaper};
use super::random::Xoshiro256;
use wavemill_audio::convert::int_scale;
use wavemill_audio::{Block, PcmFormat, SampleFormat, Samples};

/// Seed of every dither: fixed, so that the same input gives the same bytes.
const DITHER_SEED: u64 = 0x5741_5645_4d49_4c4c;

/// 1.5 * 2^52: adding it to a double below 2^51 rounds that to the nearest integer (ties to even)
/// and leaves it, in two's complement, in the low bits. It costs one addition where
/// `f64::round_ties_even` is a library call on machines without SSE 4.1.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// Frames in a row whose samples fit the target exactly before the noise of their channel ends.
///
/// Longer than half a period of the lowest audible tone (20 Hz) at every usual rate, 4800 frames at 192 kHz:
/// a tone so soft that it is 0 between its crests keeps its noise, so that noise comes and goes with
/// digital black and never with a signal.
const EXACT_FRAMES: u32 = 8192;

/// Noise added before bits are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dither {
    /// None: plain rounding.
    None,
    /// Triangular, two LSB wide: makes mean and variance of the error independent of the signal.
    ///
    /// Source: S. Lipshitz, R. Wannamaker, J. Vanderkooy, "Quantization and Dither: A Theoretical
    /// Survey", J. Audio Eng. Soc. 40(5), 1992.
    #[default]
    Tpdf,
    /// The same, and the error is fed back so that its noise lies where hearing is worst.
    Shaped(NoiseShape),
}

impl Dither {
    /// Its name in pipelines and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tpdf => "tpdf",
            Self::Shaped(_) => "shaped",
        }
    }
}

/// Brings samples into the format a file stores.
///
/// Where the target holds every value of the source (16 to 24 bit, 24 bit to float, the same
/// format) values are kept exactly and no dither is added. Else samples get the dither, are rounded
/// to the nearest step and clamped at full scale. Float targets are never dithered. A NaN becomes 0.
///
/// Nor is a channel dithered while its samples fit the target as they are, as those of 16 bits in a file of 24
/// do, and digital black: from the start up to the first sample that does not fit, and later after
/// [`EXACT_FRAMES`] in a row that do.
/// The noise of each channel is independent of the others', and the result does not depend on how
/// the signal was cut into blocks.
#[derive(Clone, Debug)]
pub struct Quantizer {
    to: PcmFormat,
    dither: Dither,
    /// One a channel; empty when nothing is dithered.
    noise: Vec<Noise>,
    clipped_samples: u64,
}

/// What one channel adds.
#[derive(Clone, Debug)]
struct Noise {
    random: Xoshiro256,
    shaper: Option<Shaper>,
    /// Frames in a row that fit, up to [`EXACT_FRAMES`].
    exact: u32,
}

impl Noise {
    /// Whether the next sample, in steps of the target, is stored as it is.
    #[inline]
    fn is_left_out(&mut self, value: f64) -> bool {
        let distance = (value + ROUNDING) - ROUNDING - value;
        let fits = distance.abs() <= 0.0;
        if !fits {
            self.exact = 0;
            return false;
        }
        self.exact = (self.exact + 1).min(EXACT_FRAMES);
        if self.exact < EXACT_FRAMES {
            return false;
        }
        if let Some(shaper) = &mut self.shaper {
            shaper.forget();
        }
        true
    }

    /// The integer stored for a sample, as a double with [`ROUNDING`] added; `clamp` keeps it in range.
    #[inline]
    fn stored(&mut self, value: f64, clamp: &mut impl FnMut(f64) -> f64) -> f64 {
        if self.is_left_out(value) {
            return clamp(value) + ROUNDING;
        }
        let noise = self.random.next_triangular();
        let Some(shaper) = &mut self.shaper else { return clamp(value + noise) + ROUNDING };
        let shaped = shaper.shaped(value);
        let rounded = clamp(shaped + noise) + ROUNDING;
        shaper.remember(shaped, rounded - ROUNDING);
        rounded
    }
}

impl Quantizer {
    /// A quantizer for `channel_count` channels of samples in the format `from`.
    pub fn new(from: PcmFormat, to: PcmFormat, dither: Dither, channel_count: usize) -> Self {
        let loses_bits = to.sample_format == SampleFormat::Int && !from.fits(to);
        let dither = if loses_bits { dither } else { Dither::None };
        let noise = |channel| Noise {
            random: Xoshiro256::new(DITHER_SEED + channel),
            shaper: match dither {
                Dither::Shaped(shape) => Some(Shaper::new(shape)),
                Dither::Tpdf | Dither::None => None,
            },
            exact: EXACT_FRAMES,
        };
        let dithered_count = if dither == Dither::None { 0 } else { channel_count as u64 };
        let noise = (0..dithered_count).map(noise).collect();
        Self { to, dither, noise, clipped_samples: 0 }
    }

    /// What is added: [`Dither::None`] where no bits are lost, whatever was asked for.
    pub fn dither(&self) -> Dither {
        self.dither
    }

    /// Samples so far that lay beyond full scale and were clamped.
    pub fn clipped_samples(&self) -> u64 {
        self.clipped_samples
    }

    /// Replaces `out` with `samples` in the target format.
    pub fn quantize(&mut self, samples: &Samples, out: &mut Samples) {
        match samples {
            Samples::Float { planes } => self.floats(planes.iter().map(Vec::as_slice), out),
            Samples::Int { bit_depth, planes } => self.ints(*bit_depth, planes, out),
        }
    }

    /// As [`Self::quantize`], for the floats of a block.
    pub fn quantize_block(&mut self, block: &Block, out: &mut Samples) {
        self.floats(block.planes(), out);
    }

    fn floats<'a>(&mut self, planes: impl Iterator<Item = &'a [f32]>, out: &mut Samples) {
        match self.to.sample_format {
            SampleFormat::Float => {
                let planes: Vec<&[f32]> = planes.collect();
                let outs = float_planes(out, planes.len());
                for (plane, out) in planes.into_iter().zip(outs) {
                    out.clear();
                    out.extend_from_slice(plane);
                }
            }
            SampleFormat::Int => {
                let scale = 1.0 / int_scale(self.to.bit_depth);
                let planes: Vec<&[f32]> = planes.collect();
                let outs = int_planes(out, self.to.bit_depth, planes.len());
                for (channel, (plane, out)) in planes.into_iter().zip(outs).enumerate() {
                    let values = plane.iter().map(|&sample| f64::from(sample) * scale);
                    self.clipped_samples +=
                        round_all(values, self.to.bit_depth, self.noise.get_mut(channel), out);
                }
            }
        }
    }

    fn ints(&mut self, bit_depth: u16, planes: &[Vec<i32>], out: &mut Samples) {
        match self.to.sample_format {
            SampleFormat::Float => {
                let scale = int_scale(bit_depth);
                for (plane, out) in planes.iter().zip(float_planes(out, planes.len())) {
                    out.clear();
                    #[expect(clippy::cast_possible_truncation, reason = "rounding is meant")]
                    out.extend(plane.iter().map(|&sample| (f64::from(sample) * scale) as f32));
                }
            }
            SampleFormat::Int if bit_depth <= self.to.bit_depth => {
                let shift = self.to.bit_depth - bit_depth;
                let outs = int_planes(out, self.to.bit_depth, planes.len());
                for (plane, out) in planes.iter().zip(outs) {
                    out.clear();
                    out.extend(plane.iter().map(|&sample| sample << shift));
                }
            }
            SampleFormat::Int => {
                let scale = int_scale(bit_depth) / int_scale(self.to.bit_depth);
                let outs = int_planes(out, self.to.bit_depth, planes.len());
                for (channel, (plane, out)) in planes.iter().zip(outs).enumerate() {
                    let values = plane.iter().map(|&sample| f64::from(sample) * scale);
                    self.clipped_samples +=
                        round_all(values, self.to.bit_depth, self.noise.get_mut(channel), out);
                }
            }
        }
    }
}

/// Rounds `values`, in steps of the target, into `out`; returns how many were clamped.
fn round_all(
    values: impl Iterator<Item = f64>,
    bit_depth: u16,
    noise: Option<&mut Noise>,
    out: &mut Vec<i32>,
) -> u64 {
    let max = 1.0 / int_scale(bit_depth) - 1.0;
    let mut clipped = 0;
    let mut clamp = |value: f64| {
        clipped += u64::from(value > max + 0.5 || value < -max - 1.5);
        clamp_or_zero(value, -max - 1.0, max)
    };
    out.clear();
    match noise {
        None => out.extend(values.map(|value| to_integer(clamp(value) + ROUNDING))),
        Some(noise) => out.extend(values.map(|value| to_integer(noise.stored(value, &mut clamp)))),
    }
    clipped
}

/// `value` within `min..=max`; a NaN becomes 0.
#[inline]
pub(super) fn clamp_or_zero(value: f64, min: f64, max: f64) -> f64 {
    // The order of the comparisons makes a NaN 0 where `clamp` would keep it.
    if value > max {
        max
    } else if value >= min {
        value
    } else if value < 0.0 {
        min
    } else {
        0.0
    }
}

/// The integer to which adding [`ROUNDING`] rounded.
#[inline]
fn to_integer(rounded: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "the integer is in the low 32 bits")]
    let integer = rounded.to_bits() as i32;
    integer
}

/// The planes of `out` as integers of `bit_depth`; a variant of another kind is replaced.
fn int_planes(out: &mut Samples, bit_depth: u16, channel_count: usize) -> &mut Vec<Vec<i32>> {
    if out.format() != PcmFormat::int(bit_depth) || out.channel_count() != channel_count {
        *out = Samples::empty(PcmFormat::int(bit_depth), channel_count);
    }
    match out {
        Samples::Int { planes, .. } => planes,
        Samples::Float { .. } => unreachable!("the variant was set above"),
    }
}

/// The planes of `out` as floats; a variant of another kind is replaced.
fn float_planes(out: &mut Samples, channel_count: usize) -> &mut Vec<Vec<f32>> {
    if out.format() != PcmFormat::FLOAT || out.channel_count() != channel_count {
        *out = Samples::empty(PcmFormat::FLOAT, channel_count);
    }
    match out {
        Samples::Float { planes } => planes,
        Samples::Int { .. } => unreachable!("the variant was set above"),
    }
}
