//! FLAC, written by our own encoder: streaming, bounded memory, the streamable subset.
//!
//! Every frame is tried with fixed and linear prediction; sizes are those of the reference encoder
//! at the same level within a percent or two, at its speed or better. Outputs are verified by an
//! independent decoder before they are published.
//!
//! Source: RFC 9639.

mod bits;
mod frame;
mod lpc;
mod metadata;
mod rice;
mod subframe;

pub(crate) use bits::crc16;

use super::{CompressionLevels, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
use frame::{FrameMaker, FrameShape};
use metadata::{SeekPoint, StreamFacts};
use std::io::SeekFrom;
use wavemill_audio::{PcmFormat, Samples};

/// Frames per block. 4096 suits all usual rates and is within the subset's 4608 up to 48 kHz.
const BLOCK_LENGTH: u16 = 4096;

/// Bytes collected before they go to the sink.
const WRITE_BYTES: usize = 256 * 1024;

/// Name of the format.
const NAME: &str = "flac";

/// Whether samples of 32 bits are stored too.
const IS_WIDE: bool = cfg!(feature = "flac-32");

const FORMATS: &[PcmFormat] = if IS_WIDE {
    &[PcmFormat::int(8), PcmFormat::int(16), PcmFormat::int(24), PcmFormat::int(32)]
} else {
    &[PcmFormat::int(8), PcmFormat::int(16), PcmFormat::int(24)]
};

/// `flac`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "flac",
    summary: "Lossless compression of integer samples, with checksum, tags and pictures.",
    lossy: None,
    formats: FORMATS,
    channel_count_max: 8,
    sample_rate_hz_max: wavemill_audio::limits::SAMPLE_RATE_HZ_MAX,
    sample_rates_hz: None,
    byte_count_max: None,
    compression_levels: Some(CompressionLevels { min: 0, max: 8, default: LEVEL_DEFAULT }),
    create,
    retag: metadata::retag,
};

/// The reference encoder's default too.
const LEVEL_DEFAULT: u8 = 5;

/// What a level tries.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Highest order of linear prediction; 0 is none.
    lpc_order_max: usize,
    /// Residuals are cut into up to two to this power partitions.
    partition_order_max: u32,
    /// Whether stereo may be stored as a sum and a difference.
    stereo: bool,
    /// Windows tried, as the tapered share of a Tukey window.
    tapers: &'static [f64],
}

/// By level, 0 to 8; they grow as the reference encoder's do.
#[rustfmt::skip]
const EFFORTS: [Effort; 9] = [
    Effort { lpc_order_max: 0,  partition_order_max: 3, stereo: false, tapers: &[] },
    Effort { lpc_order_max: 0,  partition_order_max: 3, stereo: true,  tapers: &[] },
    Effort { lpc_order_max: 0,  partition_order_max: 5, stereo: true,  tapers: &[] },
    Effort { lpc_order_max: 6,  partition_order_max: 4, stereo: true,  tapers: &[0.5] },
    Effort { lpc_order_max: 8,  partition_order_max: 4, stereo: true,  tapers: &[0.5] },
    Effort { lpc_order_max: 8,  partition_order_max: 5, stereo: true,  tapers: &[0.5] },
    Effort { lpc_order_max: 8,  partition_order_max: 6, stereo: true,  tapers: &[0.5, 0.05] },
    Effort { lpc_order_max: 12, partition_order_max: 6, stereo: true,  tapers: &[0.5, 0.05] },
    Effort { lpc_order_max: 12, partition_order_max: 6, stereo: true,  tapers: &[0.5, 0.05, 0.9] },
];

fn create(sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError> {
    Ok(Box::new(FlacEncoder::new(sink, settings)?))
}

/// A FLAC file being written.
struct FlacEncoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    maker: FrameMaker,
    /// Frames that do not fill a block yet, `[channel][frame]`.
    pending: Vec<Vec<i32>>,
    /// Bytes on their way to the sink.
    out: Vec<u8>,
    facts: StreamFacts,
    block_count: u64,
    audio_bytes: u64,
    md5: md5::Context,
    md5_bytes: Vec<u8>,
    seek_points: Vec<SeekPoint>,
    seek_table_at: u64,
    seek_room: u64,
}

impl FlacEncoder {
    fn new(mut sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Self, EncodeError> {
        DESCRIPTOR.check(&settings)?;
        let channel_count = settings.spec.channel_count();
        let preamble = metadata::preamble(&settings, BLOCK_LENGTH);
        sink.write_all(&preamble.bytes)?;
        let level = settings.compression_level.unwrap_or(LEVEL_DEFAULT);
        let shape = FrameShape {
            sample_rate_hz: settings.spec.sample_rate.0,
            bit_depth: settings.format.bit_depth,
        };
        Ok(Self {
            sink,
            maker: FrameMaker::new(shape, EFFORTS[usize::from(level)]),
            pending: vec![Vec::new(); channel_count],
            out: Vec::with_capacity(WRITE_BYTES + WRITE_BYTES / 4),
            facts: StreamFacts::default(),
            block_count: 0,
            audio_bytes: 0,
            md5: md5::Context::new(),
            md5_bytes: Vec::new(),
            seek_points: Vec::new(),
            seek_table_at: preamble.seek_table_at,
            seek_room: preamble.seek_points,
            settings,
        })
    }

    /// Encodes the pending frames `[start, start + length)`.
    fn encode_block(&mut self, start: usize, length: usize) -> Result<(), EncodeError> {
        let planes: Vec<&[i32]> =
            self.pending.iter().map(|plane| &plane[start..start + length]).collect();
        interleave(&planes, self.settings.format.bit_depth, &mut self.md5_bytes);
        self.md5.consume(&self.md5_bytes);
        let bytes = self.maker.make(self.block_count, &planes);
        let byte_count = u32::try_from(bytes.len()).expect("a frame is below 2 MiB");
        self.out.extend_from_slice(bytes);
        self.note_seek_point(length);
        self.facts.frame_bytes_max = self.facts.frame_bytes_max.max(byte_count);
        self.facts.frame_bytes_min = match self.facts.frame_bytes_min {
            0 => byte_count,
            least => least.min(byte_count),
        };
        self.facts.frame_count += length as u64;
        self.block_count += 1;
        self.audio_bytes += u64::from(byte_count);
        if self.out.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Notes a seek point when the block just encoded holds the next position worth one.
    fn note_seek_point(&mut self, length: usize) {
        let Some(total) = self.settings.frame_count else { return };
        let distance = metadata::seek_distance(&self.settings, total.0);
        let wanted = self.seek_points.len() as u64 * distance;
        if wanted < self.facts.frame_count + length as u64 {
            self.seek_points.push(SeekPoint {
                first: self.facts.frame_count,
                offset: self.audio_bytes,
                length: u16::try_from(length).unwrap_or(BLOCK_LENGTH),
            });
        }
    }

    /// The seek table was sized for the announced length.
    fn expect_announced_length(&self) -> Result<(), EncodeError> {
        match self.settings.frame_count {
            Some(announced) if announced.0 != self.facts.frame_count => Err(EncodeError::Failed {
                format: NAME,
                reason: format!("{announced} were announced, but {} came", self.facts.frame_count),
            }),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

impl Encoder for FlacEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Int { planes, .. } = samples else {
            let reason = "it stores only integers".to_owned();
            return Err(EncodeError::Failed { format: NAME, reason });
        };
        for (pending, plane) in self.pending.iter_mut().zip(planes) {
            pending.extend_from_slice(plane);
        }
        let block_length = usize::from(BLOCK_LENGTH);
        let mut start = 0;
        while self.pending[0].len() - start >= block_length {
            self.encode_block(start, block_length)?;
            start += block_length;
        }
        for pending in &mut self.pending {
            pending.drain(..start);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        let rest = self.pending[0].len();
        if rest > 0 {
            self.encode_block(0, rest)?;
        }
        self.flush()?;
        self.expect_announced_length()?;
        self.facts.md5 = self.md5.clone().finalize().0;
        self.sink.seek(SeekFrom::Start(metadata::STREAMINFO_AT))?;
        self.sink.write_all(&metadata::stream_info(&self.settings, BLOCK_LENGTH, &self.facts))?;
        if self.seek_room > 0 {
            self.sink.seek(SeekFrom::Start(self.seek_table_at))?;
            self.sink.write_all(&metadata::seek_table(&self.seek_points, self.seek_room))?;
        }
        self.sink.seek(SeekFrom::End(0))?;
        self.sink.flush()?;
        Ok(())
    }
}

/// The bytes the MD5 of STREAMINFO is over: interleaved, little-endian, whole bytes a sample.
fn interleave(planes: &[&[i32]], bit_depth: u16, out: &mut Vec<u8>) {
    let width = usize::from(bit_depth.div_ceil(8));
    let stride = width * planes.len();
    out.resize(stride * planes[0].len(), 0);
    for (channel, plane) in planes.iter().enumerate() {
        for (frame, sample) in out.chunks_exact_mut(stride).zip(*plane) {
            frame[channel * width..(channel + 1) * width]
                .copy_from_slice(&sample.to_le_bytes()[..width]);
        }
    }
}
