//! WAV, and RF64 by itself where 4 GB are not enough.
//!
//! Sources: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF) and
//! `WAVEFORMATEXTENSIBLE`; EBU Tech 3306 (RF64); EBU Tech 3285 (`bext`).

mod chunks;
mod header;
mod ixml;

use self::header::Header;
use super::pack::{self, Order, Packer};
use super::{EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
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

fn create(sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let header = Header::new(&settings);
    let packer = Packer::begin(sink, &settings, Order::Little, &header.to_bytes(0))?;
    Ok(Box::new(WavEncoder { packer, settings, header }))
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let (offset, tags) = Header::new(settings).tags();
    pack::overwrite(sink, offset, &tags)
}

/// A WAV file being written.
struct WavEncoder {
    packer: Packer,
    settings: EncodeSettings,
    header: Header,
}

impl Encoder for WavEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        self.packer.write(samples)
    }

    fn finish(self: Box<Self>) -> Result<(), EncodeError> {
        self.packer.finish(|data_bytes| {
            if self.header.can_hold(data_bytes) {
                return Ok(self.header.to_bytes(data_bytes));
            }
            let reason = "more frames came than were announced".to_owned();
            Err(EncodeError::Failed { format: NAME, reason })
        })
    }
}
