//! From samples to a finished file's bytes. Adding a format: a file here, its two lines below,
//! and its line in `names`.

#[cfg(feature = "fdk-aac")]
mod aac;
mod aiff;
mod comments;
mod flac;
mod id3;
mod lossy;
#[cfg(feature = "mp3")]
mod mp3;
mod names;
mod noise_shaping;
#[cfg(any(feature = "opus", feature = "vorbis"))]
mod ogg;
#[cfg(feature = "opus")]
mod opus;
mod pack;
mod page_crc;
mod quantize;
mod random;
#[cfg(feature = "vorbis")]
mod vorbis;
mod wav;

pub(crate) use flac::crc16;
pub use lossy::{BitRateMode, BitRates, Lossy, LossyQuality};
pub use names::{format, format_words, missing_format, missing_formats};
pub use noise_shaping::NoiseShape;
pub(crate) use page_crc::crc as ogg_crc;
pub use quantize::{Dither, Quantizer};
pub use wav::WavHeader;

use crate::tags::{self, Chapter, Tags};
use std::io::{Read, Seek, Write};
use std::sync::Arc;
use thiserror::Error;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{PcmFormat, Samples, StreamSpec};

/// Every format that can be written, by name.
#[rustfmt::skip]
pub const FORMATS: &[&FormatDescriptor] = &[
    #[cfg(feature = "fdk-aac")]
    &aac::DESCRIPTOR,
    &aiff::DESCRIPTOR,
    &flac::DESCRIPTOR,
    #[cfg(feature = "mp3")]
    &mp3::DESCRIPTOR,
    #[cfg(feature = "opus")]
    &opus::DESCRIPTOR,
    #[cfg(feature = "vorbis")]
    &vorbis::DESCRIPTOR,
    &wav::DESCRIPTOR,
];

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
    /// How many bits a lossy format spends; `None` is its default.
    pub quality: Option<LossyQuality>,
    /// Tags to carry; shared, since pictures are large and a file may have several exports.
    pub tags: Arc<Tags>,
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

/// Begins a file.
pub type CreateEncoder = fn(Box<dyn Sink>, EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError>;

/// Writes the tags of a complete file once more, in the same room: for values that are known only after the
/// samples. Everything else in the settings must be as it was when the file was written.
pub(crate) type Retag = fn(&mut dyn Sink, &EncodeSettings) -> Result<(), EncodeError>;

/// A format that can be written, as `wavemill formats` shows it.
#[derive(Debug)]
pub struct FormatDescriptor {
    /// Name in a pipeline.
    pub name: &'static str,
    /// Extension of its files, without the dot.
    pub extension: &'static str,
    /// One sentence: what it is for.
    pub summary: &'static str,
    /// What it spends bits on; `None` where every sample survives.
    pub lossy: Option<Lossy>,
    /// Sample formats it stores.
    pub formats: &'static [PcmFormat],
    /// Most channels it stores.
    pub channel_count_max: usize,
    /// Highest rate it stores, in Hz.
    pub sample_rate_hz_max: u32,
    /// The only rates it stores, in Hz, ascending; `None` for all up to the highest.
    pub sample_rates_hz: Option<&'static [u32]>,
    /// Most bytes of samples that a file holds; `None` where the format sets no such limit.
    pub byte_count_max: Option<u64>,
    /// Levels of compression effort, lowest to highest, and the default; `None` when it has none.
    pub compression_levels: Option<CompressionLevels>,
    /// Begins a file.
    pub create: CreateEncoder,
    /// Writes what `settings.tags` have of `ReplayGain` and measured loudness into a file that was written
    /// with room for it.
    pub retag: Retag,
}

impl FormatDescriptor {
    /// Whether every sample survives.
    pub const fn is_lossless(&self) -> bool {
        self.lossy.is_none()
    }

    /// Bytes that a minute of stereo at 48 kHz takes by default, about; samples of 16 bits where they are
    /// kept.
    pub fn bytes_a_minute(&self) -> u64 {
        const PCM: u64 = 60 * 48_000 * 2 * 2;
        match &self.lossy {
            Some(lossy) => u64::from(lossy.usual_kbps) * 1000 * 60 / 8,
            // Music comes out at half to two thirds.
            None if self.compression_levels.is_some() => PCM * 3 / 5,
            None => PCM,
        }
    }

    /// Whether it stores files of this rate.
    pub fn stores_rate(&self, rate: SampleRate) -> bool {
        match self.sample_rates_hz {
            Some(rates) => rates.contains(&rate.0),
            None => rate.0 > 0 && rate.0 <= self.sample_rate_hz_max,
        }
    }

    /// The rate it stores that a signal of this one loses least in: the next one up, else the highest, in
    /// Hz; `None` where it stores any.
    pub fn rate_near(&self, rate: SampleRate) -> Option<u32> {
        let rates = self.sample_rates_hz?;
        rates.iter().find(|stored| **stored >= rate.0).or(rates.last()).copied()
    }

    /// Whether it stores what `settings` ask for.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] with what would work.
    pub fn check(&self, settings: &EncodeSettings) -> Result<(), EncodeError> {
        self.check_spec(settings)
            .and_then(|()| self.check_size(settings))
            .and_then(|()| self.check_level(settings.compression_level))
            .and_then(|()| match (&self.lossy, settings.quality) {
                (Some(lossy), asked) => (lossy.resolve)(&settings.spec, asked).map(|_| ()),
                (None, None) => Ok(()),
                (None, Some(asked)) => Err(Refusal {
                    what: asked.to_string(),
                    instead: "it is lossless: remove the key".to_owned(),
                }),
            })
            .map_err(|Refusal { what, instead }| EncodeError::Unsupported {
                format: self.name,
                what,
                instead,
            })
    }

    /// Format, channels and rate.
    fn check_spec(&self, settings: &EncodeSettings) -> Result<(), Refusal> {
        let channel_count = settings.spec.channel_count();
        let rate = settings.spec.sample_rate;
        if !self.formats.contains(&settings.format) {
            return Err(Refusal {
                what: format!("{} samples", settings.format),
                instead: format!("it stores {}", list(self.formats, ", ")),
            });
        }
        if channel_count == 0 || channel_count > self.channel_count_max {
            return Err(Refusal {
                what: format!("{channel_count} channels"),
                instead: format!("it stores 1 to {}", self.channel_count_max),
            });
        }
        if self.stores_rate(rate) {
            return Ok(());
        }
        let instead = match self.sample_rates_hz {
            Some(rates) => format!("it stores {} Hz", list(rates, ", ")),
            None => format!("it stores 1 to {} Hz", self.sample_rate_hz_max),
        };
        Err(Refusal { what: rate.to_string(), instead })
    }

    /// Bytes of the samples that were announced.
    fn check_size(&self, settings: &EncodeSettings) -> Result<(), Refusal> {
        let (Some(max), Some(frames)) = (self.byte_count_max, settings.frame_count) else {
            return Ok(());
        };
        let byte_count = frames.0.saturating_mul(settings.frame_bytes());
        if byte_count <= max {
            return Ok(());
        }
        Err(Refusal {
            what: format!("{byte_count} bytes of samples"),
            instead: format!("it stores up to {max}; wav stores more"),
        })
    }

    fn check_level(&self, level: Option<u8>) -> Result<(), Refusal> {
        let Some(level) = level else { return Ok(()) };
        match self.compression_levels {
            Some(levels) if level >= levels.min && level <= levels.max => Ok(()),
            Some(levels) => Err(Refusal {
                what: format!("compression level {level}"),
                instead: format!("it has {} to {}", levels.min, levels.max),
            }),
            None => Err(Refusal {
                what: "a compression level".to_owned(),
                instead: "remove the key".to_owned(),
            }),
        }
    }
}

/// What a format cannot store, and what would work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub what: String,
    /// What would work.
    pub instead: String,
}

/// The values in a line.
fn list(values: &[impl std::fmt::Display], separator: &str) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

impl EncodeSettings {
    /// Bytes of one frame where samples are stored as they are.
    fn frame_bytes(&self) -> u64 {
        self.spec.channel_count() as u64 * u64::from(self.format.bit_depth / 8)
    }

    /// The cue points and chapters, for formats that have chapters.
    fn chapters(&self) -> Vec<Chapter<'_>> {
        let frame_count = self.frame_count.map(|frames| frames.0);
        tags::chapters(&self.tags.cues, self.spec.sample_rate, frame_count)
    }

    /// Whether `samples` are what these settings announced.
    ///
    /// # Errors
    /// [`EncodeError::Failed`]: it is a bug of the caller.
    fn expect_samples(&self, format: &'static str, samples: &Samples) -> Result<(), EncodeError> {
        let channel_count = self.spec.channel_count();
        if samples.format() == self.format && samples.channel_count() == channel_count {
            return Ok(());
        }
        let reason = format!(
            "{} channels of {} samples came, {channel_count} of {} were announced",
            samples.channel_count(),
            samples.format(),
            self.format
        );
        Err(EncodeError::Failed { format, reason })
    }
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
