//! Samples without a container: what they are is said by whoever sends them.

use thiserror::Error;
use wavemill_core::audio::SampleFormat;
use wavemill_core::descriptor::must_be_from;
use wavemill_core::limits;

/// How raw samples are stored; interleaved, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SampleCoding {
    /// Unsigned 8-bit integers
    U8,
    /// Signed 16-bit integers
    #[value(alias = "s16le")]
    S16,
    /// Signed 24-bit integers in three bytes
    #[value(alias = "s24le")]
    S24,
    /// Signed 32-bit integers
    #[value(alias = "s32le")]
    S32,
    /// 32-bit floats, full scale 1.0
    #[value(alias = "f32le")]
    F32,
    /// 64-bit floats, full scale 1.0
    #[value(alias = "f64le")]
    F64,
}

impl SampleCoding {
    fn bits(self) -> u16 {
        match self {
            Self::U8 => 8,
            Self::S16 => 16,
            Self::S24 => 24,
            Self::S32 | Self::F32 => 32,
            Self::F64 => 64,
        }
    }

    fn sample_format(self) -> SampleFormat {
        match self {
            Self::F32 | Self::F64 => SampleFormat::Float,
            Self::U8 | Self::S16 | Self::S24 | Self::S32 => SampleFormat::Int,
        }
    }
}

/// What raw samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawFormat {
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u16,
    /// How a sample is stored.
    pub coding: SampleCoding,
}

/// What was said of raw samples cannot be; reads on after the beginning of an option's name.
#[derive(Debug, Error)]
#[error("{name} is {value}; {}", must_be_from(min, max, ""))]
pub(crate) struct BadRawFormat {
    name: &'static str,
    value: u64,
    min: u64,
    max: u64,
}

impl RawFormat {
    /// Of what was said; `None` where not all of it was.
    ///
    /// # Errors
    /// When nothing can have such a rate or so many channels.
    pub(crate) fn of(
        rate: Option<u32>,
        channels: Option<u16>,
        coding: Option<SampleCoding>,
    ) -> Result<Option<Self>, BadRawFormat> {
        let (Some(sample_rate_hz), Some(channels), Some(coding)) = (rate, channels, coding) else {
            return Ok(None);
        };
        let check = |name, value: u64, min: u64, max: u64| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(BadRawFormat { name, value, min, max })
            }
        };
        let (min, max) = (limits::SAMPLE_RATE_HZ_MIN, limits::SAMPLE_RATE_HZ_MAX);
        check("rate", sample_rate_hz.into(), min.into(), max.into())?;
        check("channels", channels.into(), 1, limits::CHANNEL_COUNT_MAX as u64)?;
        Ok(Some(Self { sample_rate_hz, channels, coding }))
    }
}

/// Raw samples do not fit their description; reads on after the stream's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum RawError {
    /// There is nothing.
    #[error("is empty (0 bytes)")]
    Empty,
    /// It ends in the middle of a frame.
    #[error("has {bytes} bytes, which is not a multiple of the frame size, {frame_bytes} bytes")]
    PartialFrame {
        /// Bytes that came.
        bytes: u64,
        /// Bytes of a frame.
        frame_bytes: u64,
    },
}

impl RawFormat {
    fn frame_bytes(self) -> u16 {
        self.channels.saturating_mul(self.coding.bits() / 8)
    }

    pub(super) fn check_length(self, bytes: u64) -> Result<(), RawError> {
        let frame_bytes = u64::from(self.frame_bytes());
        match bytes {
            0 => Err(RawError::Empty),
            _ if !bytes.is_multiple_of(frame_bytes.max(1)) => {
                Err(RawError::PartialFrame { bytes, frame_bytes })
            }
            _ => Ok(()),
        }
    }
}

/// The header of a WAVE file whose data are all that follows: so raw samples are read by the code that
/// reads files, and checked against the same limits.
pub(super) fn wave_header(format: RawFormat) -> Vec<u8> {
    let tag: u16 = match format.coding.sample_format() {
        SampleFormat::Int => 1,
        SampleFormat::Float => 3,
    };
    let frame_bytes = format.frame_bytes();
    let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
    header.extend(tag.to_le_bytes());
    header.extend(format.channels.to_le_bytes());
    header.extend(format.sample_rate_hz.to_le_bytes());
    header.extend(format.sample_rate_hz.wrapping_mul(frame_bytes.into()).to_le_bytes());
    header.extend(frame_bytes.to_le_bytes());
    header.extend(format.coding.bits().to_le_bytes());
    header.extend(b"data\xff\xff\xff\xff");
    header
}
