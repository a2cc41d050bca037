//! The trait of an effect.

use crate::{Block, Description};

/// An effect on one stream.
///
/// `create` and `drop` may allocate; everything else is real-time: no allocation, no lock, no
/// panic.
pub trait Effect: Sized + 'static {
    /// What it is called and what can be set.
    const DESCRIPTION: Description;

    /// Prepares for a stream.
    ///
    /// # Errors
    /// When it cannot run with this rate, channel count or these parameters.
    fn create(setup: &Setup<'_>) -> Result<Self, CreateError>;

    /// Sets a parameter that does not need a restart; the value lies within its range and holds
    /// from the next frame on.
    fn set_param(&mut self, id: u32, value: f64) {
        let _ = (id, value);
    }

    /// Processes a block in place. The output must not depend on how the stream is cut into blocks.
    fn process(&mut self, block: &mut Block<'_>) -> Flow;

    /// Forgets the signal: from here on the same, bit by bit, as a new instance with the same
    /// parameters. Values that glide to their target are at it.
    fn reset(&mut self);

    /// Frames by which output lags behind input; constant.
    fn latency(&self) -> u32 {
        0
    }

    /// How long it sounds after its input ended.
    fn tail(&self) -> Tail {
        Tail::Frames(0)
    }

    /// What the meter at this position of the description shows for the last block, in its unit. Asking must
    /// not change what is heard.
    fn meter(&self, index: usize) -> f32 {
        let _ = index;
        0.0
    }
}

/// What an effect is created for.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Sample rate in Hz.
    pub sample_rate: f64,
    /// Channels, within the description.
    pub channels: usize,
    /// Most frames of a block, 1 to 65,536.
    pub max_frames: usize,
    /// The parameters and their values.
    pub(crate) params: &'a [(u32, f64)],
}

impl Setup<'_> {
    /// Value of the parameter with this id; 0 where there is none.
    pub fn param(&self, id: u32) -> f64 {
        self.params.iter().find(|(known, _)| *known == id).map_or(0.0, |(_, value)| *value)
    }
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Go on.
    Continue,
    /// From here on the output is zero for as long as the input is.
    Silent,
    /// It cannot go on, and why.
    Failed(&'static str),
}

/// How long an effect sounds after its input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// This many frames.
    Frames(u32),
    /// For ever.
    Infinite,
}

/// Why an effect cannot be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// This sample rate is not supported; what is.
    SampleRate(&'static str),
    /// This number of channels is not supported; what is.
    Channels(&'static str),
    /// These parameters do not go together; why.
    Params(&'static str),
    /// Anything else.
    Other(&'static str),
}
