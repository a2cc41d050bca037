//! AIFF, and for floats AIFF-C: samples as they are, big-endian, up to 4 GB.
//!
//! Sources: Apple, "Audio Interchange File Format: AIFF", version 1.3 (1989); "AIFF-C", draft of
//! 1991-08-26; the compression type `fl32` and the `CHAN` chunk as Apple's `CoreAudio` writes them; the
//! `ID3 ` chunk as taggers do.

mod header;

use self::header::Header;
use super::pack::{self, Order, Packer};
use super::{EncodeError, EncodeSettings, Encoder, FormatDescriptor, Sink};
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

fn create(sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let header = Header::new(&settings);
    let frame_bytes = settings.frame_bytes();
    let announced = settings.frame_count.map_or(0, |frames| frames.0.saturating_mul(frame_bytes));
    if !header.can_hold(announced) {
        return Err(too_large());
    }
    let packer = Packer::begin(sink, &settings, Order::Big, &header.to_bytes(0))?;
    Ok(Box::new(AiffEncoder { packer, settings, header }))
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
    pack::overwrite(sink, offset, id3)
}

/// An AIFF file being written.
struct AiffEncoder {
    packer: Packer,
    settings: EncodeSettings,
    header: Header,
}

impl Encoder for AiffEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let bytes = samples.frame_count() as u64 * self.settings.frame_bytes();
        // Reported at once, not after hours of writing what nobody can read.
        if !self.header.can_hold(self.packer.data_bytes + bytes) {
            return Err(too_large());
        }
        self.packer.write(samples)
    }

    fn finish(self: Box<Self>) -> Result<(), EncodeError> {
        self.packer.finish(|data_bytes| Ok(self.header.to_bytes(data_bytes)))
    }
}
