//! Sample-rate conversion.
//!
//! [`Resampler`] streams planar samples from one rate to another: linear phase, zero delay, exactly
//! [`Resampler::output_length`] frames, the same bits however the input is cut. Decision 5 of core says
//! why it is built as it is.

mod filter;
mod interpolation;
mod plan;
mod products;
mod sample;
mod transform;

pub use sample::Sample;

use filter::LowPass;
use interpolation::Interpolator;
use plan::{Ratio, Route};
use sample::Real;
use thiserror::Error;
use transform::Transformer;
use wavemill_audio::units::{Decibels, Frames, SampleRate};

/// How exact a conversion is.
///
/// All keep linear phase and stop everything from half of the lower rate on, so that nothing folds back
/// into the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// 110 dB, flat to 0.87 of half the lower rate (19.2 kHz at 44.1 kHz), in `f32`.
    Fast,
    /// 145 dB, flat to 0.913 of half the lower rate (20.1 kHz at 44.1 kHz), in `f32`, whose rounding
    /// leaves some 135 dB.
    High,
    /// 180 dB, flat to 0.913 of half the lower rate, in `f64`.
    Best,
}

impl Quality {
    /// The band that is kept, as a share of half the lower rate: flat within 0.001 dB.
    pub fn pass_band(self) -> f64 {
        match self {
            Self::Fast => 0.87,
            Self::High | Self::Best => 0.913,
        }
    }

    /// What aliases and images are attenuated by, before rounding.
    pub(crate) fn attenuation(self) -> Decibels {
        match self {
            Self::Fast => Decibels(110.0),
            Self::High => Decibels(145.0),
            // With more, the overlap would no longer fit one period of 44.1 to 48 kHz and back; what is
            // longer wastes a second one.
            Self::Best => Decibels(180.0),
        }
    }

    /// The filter at the input's rate.
    fn low_pass(self, ratio: Ratio) -> LowPass {
        let stop_edge = 0.5 * ratio.factor().min(1.0);
        LowPass {
            pass_edge: self.pass_band() * stop_edge,
            stop_edge,
            attenuation: self.attenuation(),
        }
    }
}

/// Why two rates cannot be converted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResampleError {
    /// Too far apart.
    #[error(
        "cannot convert {} Hz to {} Hz; one rate may be at most {} times the other",
        input.0, output.0, plan::RATIO_MAX
    )]
    Ratio {
        /// Rate of the input.
        input: SampleRate,
        /// Rate asked for.
        output: SampleRate,
    },
    /// Nothing to convert.
    #[error("the sample rate is already {} Hz", rate.0)]
    SameRate {
        /// Rate of both.
        rate: SampleRate,
    },
}

/// Converts a stream of planar samples from one rate to another.
///
/// Memory is fixed at construction; nothing allocates afterwards. Feed it in a loop: `push` at most
/// [`room`](Self::room) frames, then `pull` all that is [`available`](Self::available). After the input's
/// end push silence until [`output_length`](Self::output_length) frames were pulled.
pub struct Resampler {
    ratio: Ratio,
    engine: Engine,
}

enum Engine {
    Single(Converter<f32>),
    Double(Converter<f64>),
}

impl Resampler {
    /// A converter from `input` to `output` Hz for `channel_count` channels.
    ///
    /// # Errors
    /// When the rates are equal, or further apart than what fixed memory can hold.
    pub fn new(
        input: SampleRate,
        output: SampleRate,
        channel_count: usize,
        quality: Quality,
    ) -> Result<Self, ResampleError> {
        let route = Route::new(input, output, quality)?;
        let ratio = Ratio::new(u64::from(output.0), u64::from(input.0));
        let filter = quality.low_pass(ratio);
        let engine = match quality {
            Quality::Best => Engine::Double(Converter::new(&route, &filter, channel_count)),
            _ => Engine::Single(Converter::new(&route, &filter, channel_count)),
        };
        Ok(Self { ratio, engine })
    }

    /// Frames that `input` frames become: to the nearest, halves up.
    pub fn output_length(&self, input: Frames) -> Frames {
        Frames(self.ratio.output_length(input.0))
    }

    /// The most frames that become available, in all, while `input_frames` are pushed.
    pub(crate) fn max_output_frames(&self, input_frames: usize) -> usize {
        let proportional = self.ratio.output_length(input_frames as u64);
        let output_step = match &self.engine {
            Engine::Single(converter) => converter.output_step(),
            Engine::Double(converter) => converter.output_step(),
        };
        Frames(proportional).as_usize() + output_step + 1
    }

    /// The most frames of silence that bring out what is held back at the input's end.
    pub(crate) fn held_back(&self) -> Frames {
        let size = match &self.engine {
            Engine::Single(converter) => converter.transformer.input_size(),
            Engine::Double(converter) => converter.transformer.input_size(),
        };
        // A piece to the frame before the end and one beyond it.
        Frames(2 * size as u64)
    }

    /// Frames that may be pushed now; 0 while any are available.
    pub fn room(&self) -> usize {
        match &self.engine {
            Engine::Single(converter) => converter.room(),
            Engine::Double(converter) => converter.room(),
        }
    }

    /// Takes a plane for each channel, all equally long. Real-time.
    ///
    /// # Panics
    /// When there are more frames than [`room`](Self::room): that is a bug of the caller.
    pub fn push<'a, S: Sample>(&mut self, planes: impl IntoIterator<Item = &'a [S]>) {
        match &mut self.engine {
            Engine::Single(converter) => converter.push(planes.into_iter()),
            Engine::Double(converter) => converter.push(planes.into_iter()),
        }
    }

    /// Takes `frames` of silence. Real-time.
    ///
    /// # Panics
    /// When there are more frames than [`room`](Self::room): that is a bug of the caller.
    pub fn push_silence(&mut self, frames: usize) {
        match &mut self.engine {
            Engine::Single(converter) => converter.push_silence(frames),
            Engine::Double(converter) => converter.push_silence(frames),
        }
    }

    /// Frames that are ready to be pulled.
    pub fn available(&self) -> usize {
        match &self.engine {
            Engine::Single(converter) => converter.available(),
            Engine::Double(converter) => converter.available(),
        }
    }

    /// Fills a plane for each channel, all equally long. Real-time.
    ///
    /// # Panics
    /// When there are more frames than are [`available`](Self::available): that is a bug of the caller.
    pub fn pull<'a, S: Sample>(&mut self, planes: impl IntoIterator<Item = &'a mut [S]>) {
        match &mut self.engine {
            Engine::Single(converter) => converter.pull(planes.into_iter()),
            Engine::Double(converter) => converter.pull(planes.into_iter()),
        }
    }

    /// Forgets the signal so far. Real-time.
    pub fn reset(&mut self) {
        match &mut self.engine {
            Engine::Single(converter) => converter.reset(),
            Engine::Double(converter) => converter.reset(),
        }
    }
}

/// One step, or two.
struct Converter<T: Real> {
    transformer: Transformer<T>,
    interpolator: Option<Interpolator<T>>,
}

impl<T: Real> Converter<T> {
    fn new(route: &Route, filter: &LowPass, channel_count: usize) -> Self {
        match *route {
            Route::Direct(shape) => Self {
                transformer: Transformer::new(shape, filter, channel_count, 0),
                interpolator: None,
            },
            Route::Near { shape, near, rest } => {
                let step = shape.output_step;
                let interpolator = Interpolator::new(filter, near, rest, step, channel_count);
                let lead = interpolator.lead_frames();
                Self {
                    transformer: Transformer::new(shape, filter, channel_count, lead),
                    interpolator: Some(interpolator),
                }
            }
        }
    }

    fn output_step(&self) -> usize {
        let step = self.transformer.output_step();
        self.interpolator.as_ref().map_or(step, Interpolator::output_frames_max)
    }

    fn room(&self) -> usize {
        if self.available() > 0 { 0 } else { self.transformer.room() }
    }

    fn push<'a, S: Sample>(&mut self, planes: impl Iterator<Item = &'a [S]>) {
        self.transformer.push(planes);
        self.pass_on();
    }

    fn push_silence(&mut self, frames: usize) {
        self.transformer.push_silence(frames);
        self.pass_on();
    }

    /// Hands what the first step made to the second.
    fn pass_on(&mut self) {
        let frames = self.transformer.available();
        if let Some(interpolator) = self.interpolator.as_mut().filter(|_| frames > 0) {
            self.transformer.pull(interpolator.append(frames));
        }
    }

    fn available(&self) -> usize {
        match &self.interpolator {
            Some(interpolator) => interpolator.available(),
            None => self.transformer.available(),
        }
    }

    fn pull<'a, S: Sample>(&mut self, planes: impl Iterator<Item = &'a mut [S]>) {
        match &mut self.interpolator {
            Some(interpolator) => interpolator.pull(planes),
            None => self.transformer.pull(planes),
        }
    }

    fn reset(&mut self) {
        self.transformer.reset();
        if let Some(interpolator) = &mut self.interpolator {
            interpolator.reset();
        }
    }
}
