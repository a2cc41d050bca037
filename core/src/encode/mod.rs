//! From samples to a finished file's bytes.

use crate::audio::{PcmFormat, Samples, StreamSpec};
use crate::tags::Tags;
use crate::units::Frames;
use std::io::{Read, Seek, Write};
use thiserror::Error;

/// Where a file's bytes go. Reading back is needed by writers that finish their header last.
pub trait Sink: Read + Write + Seek + Send {}
impl<T: Read + Write + Seek + Send> Sink for T {}

/// What an export asks of its writer.
#[derive(Clone, Debug)]
pub struct EncodeSettings {
    /// Rate and channels of the samples to come.
    pub spec: StreamSpec,
    /// How they are stored; the samples come in this format already.
    pub format: PcmFormat,
    /// Exact number of frames to come, when it is known.
    pub frame_count: Option<Frames>,
    /// Effort of lossless compression, where the format has one; `None` is its default.
    pub compression_level: Option<u8>,
    /// Tags to carry.
    pub tags: Tags,
}

/// A file being written.
pub trait Encoder: Send {
    /// Appends frames; they have the format and channels of the settings.
    ///
    /// # Errors
    /// When writing fails.
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError>;

    /// Completes the file: afterwards its bytes are what a reader expects. Does not sync.
    ///
    /// # Errors
    /// When writing fails.
    fn finish(self: Box<Self>) -> Result<(), EncodeError>;
}

/// A format that can be written, as `wavemill formats` shows it.
#[derive(Debug)]
pub struct FormatDescriptor {
    /// Name in a pipeline.
    pub name: &'static str,
    /// Extension of its files, without the dot.
    pub extension: &'static str,
    /// One sentence: what it is for.
    pub summary: &'static str,
    /// Whether every sample survives.
    pub lossless: bool,
    /// Sample formats it stores.
    pub formats: &'static [PcmFormat],
    /// Most channels it stores.
    pub channel_count_max: usize,
    /// Highest rate it stores, in Hz.
    pub sample_rate_hz_max: u32,
    /// Levels of compression effort, lowest to highest, and the default; `None` when it has none.
    pub compression_levels: Option<CompressionLevels>,
    /// Begins a file.
    pub create: fn(Box<dyn Sink>, EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError>,
}

/// Range of a format's compression effort.
#[derive(Clone, Copy, Debug)]
pub struct CompressionLevels {
    /// Fastest.
    pub min: u8,
    /// Smallest files.
    pub max: u8,
    /// What holds when a pipeline names none.
    pub default: u8,
}

/// Why a file cannot be written; the caller adds the path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The format cannot hold what was asked.
    #[error("{format} cannot store {what}; {instead}")]
    Unsupported {
        /// The format's name.
        format: &'static str,
        /// What was asked.
        what: String,
        /// What would work.
        instead: String,
    },
    /// The encoder broke off.
    #[error("encoding {format} failed: {reason}")]
    Failed {
        /// The format's name.
        format: &'static str,
        /// The encoder's reason.
        reason: String,
    },
    /// Writing failed.
    #[error("cannot be written: {0}")]
    Io(#[from] std::io::Error),
}
