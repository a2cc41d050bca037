//! FLAC, on the `flac-codec` library.
//!
//! Source: RFC 9639.

mod buffer;
mod comments;

use self::buffer::{Buffer, LateError};
use super::{CompressionLevels, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
use crate::audio::{PcmFormat, Samples};
use flac_codec::encode::{FlacChannelWriter, Options, OptionsError};

/// Name of the format.
const NAME: &str = "flac";

/// `flac`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "flac",
    summary: "Losslessly compressed integers, with checksum, tags and pictures.",
    lossless: true,
    formats: &[PcmFormat::int(16), PcmFormat::int(24)],
    channel_count_max: 8,
    sample_rate_hz_max: crate::limits::SAMPLE_RATE_HZ_MAX,
    compression_levels: Some(CompressionLevels { min: 0, max: 8, default: LEVEL_DEFAULT }),
    create,
};

/// Fixed predictors: on 24-bit music 2.5 % larger files than the linear prediction of level 5, in
/// half of its time.
const LEVEL_DEFAULT: u8 = 2;

/// What a level asks of the encoder.
struct Effort {
    /// Highest order of linear prediction; `None` uses the fixed predictors only.
    lpc_order_max: Option<u8>,
    /// Highest power of two of residual partitions per block.
    partition_order_max: u32,
    /// Whether stereo may be stored as mid and side.
    mid_side: bool,
    /// Whether all stereo representations are encoded and the smallest kept.
    exhaustive: bool,
}

/// By level, 0 to 8.
#[rustfmt::skip]
const EFFORTS: [Effort; 9] = [
    Effort { lpc_order_max: None,     partition_order_max: 0, mid_side: false, exhaustive: false },
    Effort { lpc_order_max: None,     partition_order_max: 3, mid_side: false, exhaustive: false },
    Effort { lpc_order_max: None,     partition_order_max: 3, mid_side: true,  exhaustive: false },
    Effort { lpc_order_max: Some(6),  partition_order_max: 3, mid_side: true,  exhaustive: false },
    Effort { lpc_order_max: Some(8),  partition_order_max: 3, mid_side: true,  exhaustive: false },
    Effort { lpc_order_max: Some(8),  partition_order_max: 5, mid_side: true,  exhaustive: false },
    Effort { lpc_order_max: Some(8),  partition_order_max: 5, mid_side: true,  exhaustive: true },
    Effort { lpc_order_max: Some(12), partition_order_max: 5, mid_side: true,  exhaustive: true },
    Effort { lpc_order_max: Some(12), partition_order_max: 6, mid_side: true,  exhaustive: true },
];

/// Samples per channel of a block: what the format's streamable subset allows at every rate, and
/// divisible by the largest count of partitions.
const BLOCK_FRAMES: u16 = 4096;

fn create(sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let late_error = LateError::default();
    let buffer = Buffer::new(sink, late_error.clone());
    let channel_count = u8::try_from(settings.spec.channel_count())
        .expect("the channel count was checked against the format's limit");
    let writer = FlacChannelWriter::new(
        buffer,
        options(&settings).map_err(|error| failed(format!("{error:?}")))?,
        settings.spec.sample_rate.0,
        settings.format.bit_depth.into(),
        channel_count,
        settings.frame_count.map(|frames| frames.0).filter(|&frames| frames > 0),
    )
    .map_err(encode_error)?;
    Ok(Box::new(FlacEncoder { writer, settings, late_error, is_empty: true }))
}

fn options(settings: &EncodeSettings) -> Result<Options, OptionsError> {
    let level = settings.compression_level.unwrap_or(LEVEL_DEFAULT);
    let effort = &EFFORTS[usize::from(level)];
    let mut options = Options::default()
        .block_size(BLOCK_FRAMES)?
        .max_lpc_order(effort.lpc_order_max)?
        .max_partition_order(effort.partition_order_max)?
        .mid_side(effort.mid_side)
        .fast_channel_correlation(!effort.exhaustive)
        .comment(comments::comments(settings));
    for picture in &settings.tags.pictures {
        if let Some(picture) = comments::picture(picture) {
            options = options.picture(picture);
        }
    }
    Ok(options)
}

/// A FLAC file being written.
struct FlacEncoder {
    writer: FlacChannelWriter<Buffer>,
    settings: EncodeSettings,
    late_error: LateError,
    is_empty: bool,
}

impl Encoder for FlacEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Int { planes, .. } = samples else {
            return Err(failed("it stores integers only".to_owned()));
        };
        if samples.frame_count() == 0 {
            return Ok(());
        }
        self.is_empty = false;
        self.writer.write(planes).map_err(encode_error)
    }

    fn finish(self: Box<Self>) -> Result<(), EncodeError> {
        let Self { writer, late_error, is_empty, .. } = *self;
        match writer.finalize() {
            // The library refuses to complete a stream without frames; the header it wrote at the
            // start is right for it already.
            Err(flac_codec::Error::NoSamples) if is_empty => {}
            result => result.map_err(encode_error)?,
        }
        late_error.take().map_or(Ok(()), |error| Err(error.into()))
    }
}

fn failed(reason: String) -> EncodeError {
    EncodeError::Failed { format: NAME, reason }
}

fn encode_error(error: flac_codec::Error) -> EncodeError {
    match error {
        flac_codec::Error::Io(error) => EncodeError::Io(error),
        other => failed(other.to_string()),
    }
}
