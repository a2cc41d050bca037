//! `fade`: fades the beginning in and the end out.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{ProcessError, Processor, Properties, Status, StepProcessor};
use std::f64::consts::{FRAC_PI_2, PI};
use wavemill_audio::limits::STEP_TIME_MAX;
use wavemill_audio::units::{Frames, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// `fade{in_s, out_s, shape}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "fade",
    summary: "Fades in at the beginning and out at the end.",
    manual: "The first frame of a fade-in and the last frame of a fade-out are silent. If the \
        fades overlap, they multiply, and each keeps its slope. At its midpoint, a fade is at half \
        the amplitude (`linear`, `cosine`) or half the power (`equal-power`); `cosine` starts and \
        ends smoothly.",
    params: &[
        ParamDescriptor {
            key: "in_s",
            summary: "Length of the fade-in; 0 for none.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: STEP_TIME_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamDescriptor {
            key: "out_s",
            summary: "Length of the fade-out; 0 for none.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: STEP_TIME_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamDescriptor {
            key: "shape",
            summary: "How the amplitude rises and falls.",
            kind: ParamKind::Choice(&["linear", "equal-power", "cosine"]),
            default: ParamDefault::Choice("linear"),
        },
    ],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let frames = |key| Ok(Seconds(params.number(key)?).to_frames(spec.sample_rate));
    let shapes =
        [("linear", Shape::Linear), ("equal-power", Shape::EqualPower), ("cosine", Shape::Cosine)];
    let shape = params.choice("shape", &shapes)?;
    Ok(StepProcessor::streaming(Fade::new(frames("in_s")?, frames("out_s")?, shape)))
}

/// How the amplitude of a fade rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Proportional to time.
    Linear,
    /// A quarter of a sine: two crossing fades of unrelated signals keep their power.
    EqualPower,
    /// Half a cosine.
    Cosine,
}

impl Shape {
    /// Amplitude at a share of the fade, 0 to 1.
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    fn amplitude(self, share: f64) -> f32 {
        let amplitude = match self {
            Self::Linear => share,
            Self::EqualPower => (share * FRAC_PI_2).sin(),
            Self::Cosine => 0.5 - 0.5 * (share * PI).cos(),
        };
        amplitude as f32
    }
}

/// Fades in and out.
#[derive(Clone, Debug)]
pub(crate) struct Fade {
    rise: Frames,
    fall: Frames,
    shape: Shape,
    /// Frame of the input's end; known when there is a fade-out.
    end: Option<u64>,
    /// Next frame.
    position: u64,
}

impl Fade {
    /// A fade-in and a fade-out of these lengths.
    pub(crate) fn new(rise: Frames, fall: Frames, shape: Shape) -> Self {
        Self { rise, fall, shape, end: None, position: 0 }
    }

    /// First frame of the fade-out.
    fn out_start(&self) -> u64 {
        self.end.map_or(u64::MAX, |end| end.saturating_sub(self.fall.0))
    }

    /// Amplitude at a frame.
    fn amplitude(&self, frame: u64) -> f32 {
        let mut amplitude = 1.0;
        if frame < self.rise.0 {
            amplitude *= self.shape.amplitude(frame as f64 / self.rise.0 as f64);
        }
        if let Some(end) = self.end {
            let left = (end.saturating_sub(1)).saturating_sub(frame);
            if left < self.fall.0 {
                amplitude *= self.shape.amplitude(left as f64 / self.fall.0 as f64);
            }
        }
        amplitude
    }
}

impl Processor for Fade {
    fn process(&mut self, block: &mut Block) -> Status {
        let start = self.position;
        let end = start + block.frame_count() as u64;
        self.position = end;
        if start >= self.rise.0 && end <= self.out_start() {
            return Status::Continue;
        }
        for plane in block.planes_mut() {
            for (frame, sample) in (start..).zip(plane) {
                *sample *= self.amplitude(frame);
            }
        }
        Status::Continue
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn properties(&self) -> Properties {
        Properties {
            is_transparent: self.rise == Frames::ZERO && self.fall == Frames::ZERO,
            needs_length: self.fall > Frames::ZERO,
            ..Properties::default()
        }
    }

    fn begin(&mut self, length: Option<Frames>) -> Result<(), ProcessError> {
        if self.fall == Frames::ZERO {
            return Ok(());
        }
        let Some(length) = length else {
            let reason = "a fade-out needs the length of its input, which is unknown".to_owned();
            return Err(ProcessError { reason });
        };
        self.end = Some(length.0);
        Ok(())
    }
}
