//! WAV, and RF64 by itself where 4 GB are not enough.
//!
//! Sources: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF) and
//! `WAVEFORMATEXTENSIBLE`; EBU Tech 3306 (RF64); EBU Tech 3285 (`bext`).

mod chunks;
mod header;
mod ixml;

use self::header::Header;
use super::pack::{self, Order};
use super::{EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
use std::io::SeekFrom;
use wavemill_audio::limits::{CHANNEL_COUNT_MAX, SAMPLE_RATE_HZ_MAX};
use wavemill_audio::{PcmFormat, Samples};

/// Name of the format.
const NAME: &str = "wav";

/// `wav`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "wav",
    summary: "Uncompressed samples that every program reads; RF64 above 4 GB.",
    lossy: None,
    formats: &[PcmFormat::int(16), PcmFormat::int(24), PcmFormat::int(32), PcmFormat::FLOAT],
    channel_count_max: CHANNEL_COUNT_MAX,
    sample_rate_hz_max: SAMPLE_RATE_HZ_MAX,
    sample_rates_hz: None,
    byte_count_max: None,
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
    sink.write_all(&header.to_bytes(0))?;
    Ok(Box::new(WavEncoder {
        sink,
        settings,
        header,
        buffer: Vec::with_capacity(BUFFER_BYTES),
        data_bytes: 0,
    }))
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let (offset, tags) = Header::new(settings).tags();
    if !tags.is_empty() {
        sink.seek(SeekFrom::Start(offset))?;
        sink.write_all(&tags)?;
        sink.flush()?;
    }
    Ok(())
}

/// A WAV file being written.
struct WavEncoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    header: Header,
    /// Bytes not written yet; never more than [`BUFFER_BYTES`].
    buffer: Vec<u8>,
    /// Bytes of the data chunk so far, those in the buffer included.
    data_bytes: u64,
}

impl WavEncoder {
    fn flush(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Encoder for WavEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let frame_bytes = self.header.frame_bytes();
        let (mut start, end) = (0, samples.frame_count());
        while start < end {
            let room = (BUFFER_BYTES - self.buffer.len()) / frame_bytes;
            let count = room.min(end - start);
            pack::append(samples, start, count, Order::Little, &mut self.buffer);
            self.data_bytes += (count * frame_bytes) as u64;
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
        if !self.header.can_hold(self.data_bytes) {
            let reason = "more frames came than were announced".to_owned();
            return Err(EncodeError::Failed { format: NAME, reason });
        }
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&self.header.to_bytes(self.data_bytes))?;
        self.sink.flush()?;
        Ok(())
    }
}
