//! AIFF, and for floats AIFF-C: samples as they are, big-endian, up to 4 GB.
//!
//! Sources: Apple, "Audio Interchange File Format: AIFF", version 1.3 (1989); "AIFF-C", draft of
//! 1991-08-26; the compression type `fl32` and the `CHAN` chunk as Apple's `CoreAudio` writes them; the
//! `ID3 ` chunk as taggers do.

mod header;

use self::header::Header;
use super::pack::{self, Order};
use super::{EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
use std::io::SeekFrom;
use wavemill_audio::limits::{CHANNEL_COUNT_MAX, SAMPLE_RATE_HZ_MAX};
use wavemill_audio::{PcmFormat, Samples};

/// Name of the format.
const NAME: &str = "aiff";

/// Most bytes of samples: sizes have 32 bits, and count the chunks before the samples too, by far the most
/// of them without tags in 1 KiB. Tags may take more: then [`Header::can_hold`] has the last word.
const DATA_BYTES_MAX: u64 = u32::MAX as u64 - 1023;

/// `aiff`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "aiff",
    summary: "Uncompressed samples in Apple's format; floats as AIFF-C; up to 4 GB.",
    lossy: None,
    formats: &[PcmFormat::int(16), PcmFormat::int(24), PcmFormat::int(32), PcmFormat::FLOAT],
    channel_count_max: CHANNEL_COUNT_MAX,
    sample_rate_hz_max: SAMPLE_RATE_HZ_MAX,
    sample_rates_hz: None,
    byte_count_max: Some(DATA_BYTES_MAX),
    compression_levels: None,
    create,
    retag,
};

/// Bytes gathered before they are written: few calls, and still inside the second-level cache.
const BUFFER_BYTES: usize = 128 * 1024;

fn create(
    mut sink: Box<dyn Sink>,
    settings: EncodeSettings,
) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let header = Header::new(&settings);
    let frame_bytes = settings.frame_bytes();
    let announced = settings.frame_count.map_or(0, |frames| frames.0.saturating_mul(frame_bytes));
    if !header.can_hold(announced) {
        return Err(too_large());
    }
    sink.write_all(&header.to_bytes(0))?;
    Ok(Box::new(AiffEncoder {
        sink,
        settings,
        header,
        buffer: Vec::with_capacity(BUFFER_BYTES),
        data_bytes: 0,
    }))
}

/// What a file is that outgrows its sizes.
fn too_large() -> EncodeError {
    EncodeError::Unsupported {
        format: NAME,
        what: "more than 4 GB".to_owned(),
        instead: "wav stores more".to_owned(),
    }
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let header = Header::new(settings);
    let (offset, id3) = header.id3();
    if !id3.is_empty() {
        sink.seek(SeekFrom::Start(offset))?;
        sink.write_all(id3)?;
        sink.flush()?;
    }
    Ok(())
}

/// An AIFF file being written.
struct AiffEncoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    header: Header,
    /// Bytes not written yet; never more than [`BUFFER_BYTES`].
    buffer: Vec<u8>,
    /// Bytes of samples so far, those in the buffer included.
    data_bytes: u64,
}

impl AiffEncoder {
    fn flush(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Encoder for AiffEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let frame_bytes = self.settings.frame_bytes();
        let (mut start, end) = (0, samples.frame_count());
        // Reported at once, not after hours of writing what nobody can read.
        if !self.header.can_hold(self.data_bytes + end as u64 * frame_bytes) {
            return Err(too_large());
        }
        self.data_bytes += end as u64 * frame_bytes;
        while start < end {
            let room = (BUFFER_BYTES - self.buffer.len()) as u64 / frame_bytes;
            let count = usize::try_from(room).unwrap_or(usize::MAX).min(end - start);
            pack::append(samples, start, count, Order::Big, &mut self.buffer);
            start += count;
            if start < end {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        self.flush()?;
        if self.data_bytes % 2 == 1 {
            self.sink.write_all(&[0])?; // chunks have even lengths; the pad byte is not counted
        }
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&self.header.to_bytes(self.data_bytes))?;
        self.sink.flush()?;
        Ok(())
    }
}
