//! A decoder's own samples, before anything was computed with them.

use crate::{PcmFormat, SampleFormat};

/// Planar samples as a decoder delivers them and an encoder takes them.
///
/// Integers keep their own values, so that a conversion without processing is bit-exact for all
/// integer PCM up to 32 bit and for 32-bit float. All planes are equally long.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Signed integers, right-justified: `-2^(bit_depth-1) ..= 2^(bit_depth-1) - 1`.
    Int {
        /// Valid bits, 8 to 32.
        bit_depth: u16,
        /// `[channel][frame]`.
        planes: Vec<Vec<i32>>,
    },
    /// Full scale is +-1.0.
    Float {
        /// `[channel][frame]`.
        planes: Vec<Vec<f32>>,
    },
}

impl Samples {
    /// No frames of `channel_count` channels in `format`.
    pub fn empty(format: PcmFormat, channel_count: usize) -> Self {
        match format.sample_format {
            SampleFormat::Int => {
                Self::Int { bit_depth: format.bit_depth, planes: vec![Vec::new(); channel_count] }
            }
            SampleFormat::Float => Self::Float { planes: vec![Vec::new(); channel_count] },
        }
    }

    /// Number of channels.
    pub fn channel_count(&self) -> usize {
        match self {
            Self::Int { planes, .. } => planes.len(),
            Self::Float { planes } => planes.len(),
        }
    }

    /// Number of frames.
    pub fn frame_count(&self) -> usize {
        match self {
            Self::Int { planes, .. } => planes.first().map_or(0, Vec::len),
            Self::Float { planes } => planes.first().map_or(0, Vec::len),
        }
    }

    /// How the samples are held: integers of their depth, or 32-bit floats.
    pub fn format(&self) -> PcmFormat {
        match self {
            Self::Int { bit_depth, .. } => PcmFormat::int(*bit_depth),
            Self::Float { .. } => PcmFormat::FLOAT,
        }
    }

    /// Drops all frames, keeping the memory.
    pub fn clear(&mut self) {
        match self {
            Self::Int { planes, .. } => planes.iter_mut().for_each(Vec::clear),
            Self::Float { planes } => planes.iter_mut().for_each(Vec::clear),
        }
    }
}
