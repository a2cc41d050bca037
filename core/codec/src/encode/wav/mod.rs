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
use wavemill_audio::units::Frames;
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

/// Everything before the samples of a WAV file, for writers that keep a file complete while it grows.
#[derive(Debug)]
pub struct WavHeader(Header);

impl WavHeader {
    /// The header of such a file. It has no room for sizes beyond 32 bits.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] where WAV does not store what the settings ask for.
    pub fn new(settings: &EncodeSettings) -> Result<Self, EncodeError> {
        let settings = EncodeSettings { frame_count: Some(Frames(0)), ..settings.clone() };
        DESCRIPTOR.check(&settings)?;
        Ok(Self(Header::new(&settings)))
    }

    /// Its bytes for so many bytes of samples; always as many. Sizes beyond 32 bits are the largest that there are.
    pub fn bytes(&self, data_bytes: u64) -> Vec<u8> {
        let room = u64::from(u32::MAX) - self.0.to_bytes(0).len() as u64;
        self.0.to_bytes(data_bytes.min(room))
    }
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
