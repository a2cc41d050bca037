//! From a file's bytes to samples.
//!
//! Containers are read by our own code but for FLAC, which Symphonia reads as it decodes what is
//! coded; its types stay inside [`self`]. What a decoder delivers is gapless: encoder delay and padding
//! are removed.

#[cfg(feature = "mpeg4")]
mod aac;
mod adpcm;
pub(crate) mod aiff;
#[cfg(feature = "mpeg4")]
mod alac;
#[cfg(feature = "mpeg4")]
mod bits;
pub(crate) mod caf;
mod chunks;
mod claims;
mod companding;
mod completeness;
mod compressed;
mod core_audio;
mod cut;
pub(crate) mod flac;
mod formats;
pub(crate) mod id3;
pub(crate) mod kind;
#[cfg(feature = "matroska")]
pub(crate) mod matroska;
mod mpeg;
#[cfg(feature = "mpeg4")]
pub(crate) mod mpeg4;
mod ogg;
#[cfg(feature = "opus")]
mod opus;
mod pcm;
mod read_ahead;
mod repair;
mod scan;
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
mod streams;
mod vorbis_setup;
pub(crate) mod wav;
mod wave64;
mod window;

pub use completeness::{Completeness, completeness};
pub use formats::{FORMATS, ReadFormat, extensions};
pub(crate) use ogg::first_packet;
pub use read_ahead::ReadAhead;
pub use repair::{Damaged, Repair, RepairKind};

use kind::Kind;
use std::io::{Read, Seek, SeekFrom};
use thiserror::Error;
use wavemill_audio::units::Frames;
use wavemill_audio::{ChannelPosition, PcmFormat, Samples, StreamSpec};

/// Bytes to decode: anything that reads and seeks.
pub trait Source: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> Source for T {}

/// Opens a file for decoding; a damaged one is refused.
///
/// The content decides what it is; `extension` (without a dot, any case) only helps to say what a
/// file that nobody knows was meant to be.
///
/// # Errors
/// When it is no audio, not supported, damaged, cut short, or claims what [`wavemill_audio::limits`] forbids.
pub fn open(
    source: Box<dyn Source>,
    extension: Option<&str>,
) -> Result<Box<dyn Decoder>, DecodeError> {
    open_as(source, extension, Damaged::Refuse)
}

/// As [`open`]; `damaged` says what becomes of a file that is.
///
/// # Errors
/// As [`open`]. A file to repair is refused too where nothing can be had of it: its header is what is
/// damaged, or more is missing than [`wavemill_audio::limits::REPAIRED_SILENCE_MAX`].
pub fn open_as(
    mut source: Box<dyn Source>,
    extension: Option<&str>,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let byte_count = byte_count(source.as_mut())?;
    match kind::detect(source.as_mut(), byte_count, extension)? {
        Kind::Wav => wav::open(source, byte_count, damaged),
        Kind::Wave64 => wave64::open(source, byte_count, damaged),
        Kind::Caf => caf::open(source, byte_count, damaged),
        Kind::Aiff => aiff::open(source, byte_count, damaged),
        Kind::Flac { start } => flac::open(source, start, byte_count, damaged),
        Kind::Ogg => ogg::open(source, damaged),
        Kind::Mpeg { start } => mpeg::open(source, "mp3", start, byte_count, damaged),
        #[cfg(feature = "matroska")]
        Kind::Matroska => matroska::open(source, byte_count, damaged),
        #[cfg(feature = "mpeg4")]
        Kind::Mpeg4 => mpeg4::open(source, byte_count, damaged),
        #[cfg(feature = "mpeg4")]
        Kind::Adts { start } => aac::adts::open(source, start, byte_count, damaged),
    }
}

/// The first bytes of a source.
pub(crate) fn head(source: &mut dyn Source) -> Result<Vec<u8>, DecodeError> {
    chunks::read_up_to(source, 0, 4096)
}

/// Length of a source; leaves it at its start.
pub(crate) fn byte_count(source: &mut dyn Source) -> Result<u64, DecodeError> {
    let byte_count = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    if byte_count == 0 { Err(DecodeError::Empty) } else { Ok(byte_count) }
}

/// What is known of a stream before its first sample is decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamInfo {
    /// Container, as `wavemill formats` names it: see [`FORMATS`].
    pub container: &'static str,
    /// Codec: `pcm`, `mulaw`, `alaw`, `ima-adpcm`, `ms-adpcm`, `flac`, `alac`, `mp3`, `vorbis`, `opus`, `aac`.
    pub codec: &'static str,
    /// Rate and channels.
    pub spec: StreamSpec,
    /// How the samples are stored; for lossy codecs 32-bit float.
    pub format: PcmFormat,
    /// Whether the codec keeps every sample.
    pub lossless: bool,
    /// The exact number of frames, where the header can be held to it; `None` when only decoding
    /// shows it, as it does of what is coded and to be repaired.
    pub frame_count: Option<Frames>,
    /// What the caller should report of the file, though it can be decoded: one line each, without its
    /// name. Audio streams that are left out are named here.
    pub warnings: Vec<String>,
}

impl StreamInfo {
    /// [`Self::warnings`], and one where loudness cannot know what the channels are for.
    pub fn all_warnings(&self) -> Vec<String> {
        let positions = self.spec.layout.positions();
        let unknown = positions.iter().filter(|&&it| it == ChannelPosition::Unknown).count();
        let which = match unknown {
            0 => return self.warnings.clone(),
            all if all == positions.len() => format!("its {all} channels"),
            some => format!("{some} of its {} channels", positions.len()),
        };
        let line = format!(
            "the positions of {which} are unknown; loudness counts each with weight 1, even LFE or \
            surround channels"
        );
        self.warnings.iter().cloned().chain([line]).collect()
    }
}

/// A file being decoded.
pub trait Decoder: Send {
    /// What the stream is.
    fn info(&self) -> &StreamInfo;

    /// Replaces `out` with up to `frame_count_max` further frames and returns how many; 0 is the end.
    ///
    /// `out` always has the stream's channel count and the variant of `info().format`.
    ///
    /// # Errors
    /// When the file is damaged or cut short. What was delivered before stays valid.
    fn read(&mut self, out: &mut Samples, frame_count_max: usize) -> Result<usize, DecodeError>;

    /// Goes back to the first frame.
    ///
    /// # Errors
    /// As for opening.
    fn rewind(&mut self) -> Result<(), DecodeError>;

    /// What was repaired so far, by kind: all of it once the end was read, also after going back. Where
    /// damage is refused, no more than pauses.
    fn repairs(&self) -> Vec<Repair>;
}

/// Why a file cannot be decoded; the caller adds the path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is nothing in it.
    #[error("is empty (0 bytes)")]
    Empty,
    /// No reader knows it.
    #[error("is not an audio file that Wavemill reads{}", .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Unrecognized {
        /// What it looks like instead, if that is known.
        hint: Option<String>,
    },
    /// A codec or variant that is known but not supported.
    #[error("uses {what}, which is not supported")]
    Unsupported {
        /// Its name.
        what: String,
    },
    /// It ends before its header says.
    #[error("is cut short: its header states {promised}, but there are {actual}")]
    Truncated {
        /// With unit.
        promised: String,
        /// With unit.
        actual: String,
    },
    /// Its structure contradicts itself.
    #[error("is damaged: {reason}")]
    Damaged {
        /// What is wrong and where.
        reason: String,
    },
    /// A claim beyond [`wavemill_audio::limits`].
    #[error("has {value} {what}; Wavemill accepts {min} to {max}")]
    OutOfLimits {
        /// What was claimed.
        what: &'static str,
        /// The claim.
        value: u64,
        /// Smallest value accepted.
        min: u64,
        /// Largest value accepted.
        max: u64,
    },
    /// A sample that is no number.
    #[error("holds a NaN or infinite sample at frame {}", frame.0)]
    NonFinite {
        /// Frame from the file's start.
        frame: Frames,
    },
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

impl DecodeError {
    fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged { reason: reason.into() }
    }

    fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// What is stated of it in the report of a repair.
    fn detail(&self) -> String {
        match self {
            Self::Truncated { promised, actual } => format!("{actual} of {promised}"),
            Self::Damaged { reason } => reason.clone(),
            other => other.to_string(),
        }
    }

    fn truncated(promised: impl std::fmt::Display, actual: impl std::fmt::Display) -> Self {
        Self::Truncated { promised: promised.to_string(), actual: actual.to_string() }
    }
}
