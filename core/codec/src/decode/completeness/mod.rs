//! Whether all of a file is there, by what can be said cheaply.

mod flac_tail;
mod ogg_tail;

pub(super) use flac_tail::flac_frames;

use super::kind::{self, Kind};
#[cfg(feature = "matroska")]
use super::matroska;
use super::{Damaged, DecodeError, Source, aiff, byte_count, caf, mpeg, wav, wave64};
#[cfg(feature = "mpeg4")]
use super::{aac::adts, mpeg4};
use std::fmt::Display;

/// Bytes a file may lack of what its outermost header promises. Writers are known that forget to
/// subtract the header itself; copies stop at larger places.
const RIFF_SLACK_BYTES: u64 = 8;

/// Whether a file is as long as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing is missing.
    Complete,
    /// Something is: perhaps it is still being copied.
    Incomplete {
        /// What the header promises, with its unit.
        promised: String,
        /// What is there, with its unit.
        actual: String,
    },
    /// The format does not say, or it is none that is read.
    Unknown,
}

impl Completeness {
    pub(super) fn incomplete(promised: impl Display, actual: impl Display) -> Self {
        Self::Incomplete { promised: promised.to_string(), actual: actual.to_string() }
    }

    pub(super) fn of_bytes(promised: u64, actual: u64) -> Self {
        if promised > actual {
            Self::incomplete(format_args!("{promised} bytes"), format_args!("{actual} bytes"))
        } else {
            Self::Complete
        }
    }
}

/// Says whether a file's header promises more than is there, from its headers and its last pages.
///
/// A complete file may still be damaged: only decoding shows it.
///
/// # Errors
/// Only when reading fails.
pub fn completeness(source: &mut dyn Source) -> Result<Completeness, DecodeError> {
    match check(source) {
        Ok(completeness) => Ok(completeness),
        Err(DecodeError::Truncated { promised, actual }) => {
            Ok(Completeness::Incomplete { promised, actual })
        }
        Err(DecodeError::Io(error)) => Err(DecodeError::Io(error)),
        // What is wrong with it is reported when it is decoded.
        Err(_) => Ok(Completeness::Unknown),
    }
}

fn check(source: &mut dyn Source) -> Result<Completeness, DecodeError> {
    let byte_count = byte_count(source)?;
    match kind::detect(source, byte_count, None)? {
        Kind::Wav => {
            let header = wav::read_header(source, byte_count)?;
            let data = header.data.map(|data| (data.start, data.claimed));
            Ok(of_chunks(header.promised_bytes, SamplesEnd::new(data), byte_count))
        }
        Kind::Aiff => {
            let header = aiff::read_header(source, byte_count)?;
            let sound = header.sound.map(|sound| (sound.start, sound.claimed));
            Ok(of_chunks(header.promised_bytes, SamplesEnd::new(sound), byte_count))
        }
        Kind::Wave64 => {
            let header = wave64::read_header(source, byte_count)?;
            let data = header.data.map(|data| (data.start, data.claimed));
            Ok(of_chunks(header.promised_bytes, SamplesEnd::new(data), byte_count))
        }
        Kind::Caf => {
            let header = caf::read_header(source, byte_count, Damaged::Refuse)?;
            let data = header.data.map(|data| (data.start, data.claimed));
            Ok(of_chunks(Some(header.promised()), SamplesEnd::new(data), byte_count))
        }
        Kind::Flac { start } => flac_tail::check(source, start, byte_count),
        Kind::Ogg => ogg_tail::check(source, byte_count),
        Kind::Mpeg { start } => {
            let promised = mpeg::promised_bytes(source, start, byte_count)?;
            Ok(promised.map_or(Completeness::Unknown, |promised| {
                Completeness::of_bytes(promised, byte_count)
            }))
        }
        #[cfg(feature = "matroska")]
        Kind::Matroska => matroska::completeness(source, byte_count),
        #[cfg(feature = "mpeg4")]
        Kind::Mpeg4 => mpeg4::completeness(source, byte_count),
        #[cfg(feature = "mpeg4")]
        Kind::Adts { start } => adts::completeness(source, start, byte_count),
    }
}

/// Where the samples' chunk ends.
#[derive(Clone, Copy)]
enum SamplesEnd {
    /// There is no such chunk (yet).
    NotFound,
    /// Its writer did not know.
    NotStated,
    /// At this byte.
    At(u64),
}

impl SamplesEnd {
    /// From the chunk's start and length.
    fn new(chunk: Option<(u64, Option<u64>)>) -> Self {
        match chunk {
            None => Self::NotFound,
            Some((_, None)) => Self::NotStated,
            Some((start, Some(length))) => Self::At(start.saturating_add(length)),
        }
    }
}

fn of_chunks(promised: Option<u64>, samples: SamplesEnd, byte_count: u64) -> Completeness {
    let samples_end = match samples {
        SamplesEnd::NotStated => return Completeness::Unknown,
        SamplesEnd::NotFound => None,
        SamplesEnd::At(end) => Some(end),
    };
    let there = byte_count.max(samples_end.unwrap_or(0)).saturating_add(RIFF_SLACK_BYTES);
    if let Some(promised) = promised.filter(|&promised| promised > there) {
        return Completeness::of_bytes(promised, byte_count);
    }
    samples_end.map_or(Completeness::Unknown, |end| Completeness::of_bytes(end, byte_count))
}
