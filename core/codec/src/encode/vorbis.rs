//! Ogg Vorbis: as long as what went in, by the granule position of the last page.
//!
//! The encoder is libvorbis with the tunings of aoTuV and Lancer. It writes pages of its own; their headers
//! are replaced by ours, with comments, pictures and room for gains, and the pages behind them numbered anew.
//!
//! Sources: Xiph.Org, "Vorbis I specification", 4 and A; RFC 3533, 6.

use super::ogg::{self, PageRenumberer};
use super::ogg_crc;
use super::{
    BitRateMode, BitRates, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Lossy,
    LossyQuality, Refusal, Sink, comments,
};
use crate::vorbis_order;
use std::io::{SeekFrom, Write};
use std::num::{NonZeroU8, NonZeroU32};
use vorbis_rs::{VorbisBitrateManagementStrategy, VorbisEncoderBuilder, VorbisError};
use wavemill_audio::{PcmFormat, Samples, StreamSpec};

/// Name of the format.
const NAME: &str = "vorbis";

/// `vorbis`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "ogg",
    summary: "Ogg Vorbis: small files for games and free players, with tags; exact length.",
    lossy: Some(Lossy {
        bit_rates_kbps: BitRates::Between(8, 2000),
        bit_rate_modes: &[BitRateMode::Average],
        vbr_qualities: Some(QUALITIES),
        default: "quality 5, about 160 kbit/s for stereo",
        usual_kbps: 160,
        decoded_rate_hz: None,
        resolve,
    }),
    formats: &[PcmFormat::FLOAT],
    channel_count_max: vorbis_order::CHANNEL_COUNT_MAX,
    sample_rate_hz_max: RATE_HZ_MAX,
    sample_rates_hz: None,
    byte_count_max: None,
    compression_levels: None,
    create,
    retag,
};

/// Rates that the encoder is tuned for, in Hz. Source: libvorbis, `vorbisenc.c`, the tables of setups.
const RATE_HZ_MIN: u32 = 8_000;
const RATE_HZ_MAX: u32 = 192_000;

/// Qualities: of the best sound, and of the smallest files. `oggenc -q` has -1 too, which is rougher than
/// anything that is asked for today.
const QUALITIES: (u8, u8) = (10, 0);

/// What holds when nothing is asked.
const QUALITY_DEFAULT: u8 = 5;

/// Frames given to the encoder at once: it slows down with many, and must not see how samples come.
const CHUNK_FRAMES: usize = 1024;

/// Room behind the comments for gains that are known after the samples: the longest four take 180 bytes.
/// Readers stop at the framing bit before it.
const COMMENTS_ROOM_BYTES: usize = 256;

/// Most bytes of the comments with pictures: readers give up on larger packets.
const COMMENTS_BYTES_MAX: usize = 12 << 20;

/// What is spent on such a stream.
fn resolve(spec: &StreamSpec, asked: Option<LossyQuality>) -> Result<LossyQuality, Refusal> {
    let rate_hz = spec.sample_rate.0;
    if rate_hz < RATE_HZ_MIN {
        return Err(Refusal {
            what: spec.sample_rate.to_string(),
            instead: format!("it stores {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz"),
        });
    }
    if vorbis_order::indices(&spec.layout).is_none() {
        return Err(Refusal {
            what: "this channel layout".to_owned(),
            instead: "it stores mono, stereo and the usual layouts up to 7.1".to_owned(),
        });
    }
    let asked = asked.unwrap_or(LossyQuality::Vbr(QUALITY_DEFAULT));
    let refusal = |instead: String| Err(Refusal { what: asked.to_string(), instead });
    match asked {
        LossyQuality::Vbr(quality) if quality <= QUALITIES.0 => Ok(asked),
        LossyQuality::Vbr(_) => {
            refusal(format!("it has {} (best) to {}", QUALITIES.0, QUALITIES.1))
        }
        // Which bit rates there are for which stream only the encoder knows.
        LossyQuality::AverageKbps(_) if begin(spec, asked, 0, std::io::sink()).is_ok() => Ok(asked),
        LossyQuality::AverageKbps(_) => refusal(format!(
            "it does not support this bit rate for {} channels at {}; use `vbr_quality`",
            spec.channel_count(),
            spec.sample_rate
        )),
        LossyQuality::BitRateKbps(_) => {
            refusal("its bit rates are averages; use those or `vbr_quality`".to_owned())
        }
    }
}

/// The encoder, its headers written.
fn begin<W: Write>(
    spec: &StreamSpec,
    quality: LossyQuality,
    serial: u32,
    sink: W,
) -> Result<vorbis_rs::VorbisEncoder<W>, VorbisError> {
    let strategy = match quality {
        LossyQuality::Vbr(quality) => VorbisBitrateManagementStrategy::QualityVbr {
            target_quality: f32::from(quality) / 10.0,
        },
        LossyQuality::AverageKbps(kbps) | LossyQuality::BitRateKbps(kbps) => {
            let target_bitrate = NonZeroU32::MIN.saturating_add(u32::from(kbps) * 1000 - 1);
            VorbisBitrateManagementStrategy::Vbr { target_bitrate }
        }
    };
    let rate = NonZeroU32::new(spec.sample_rate.0).unwrap_or(NonZeroU32::MIN);
    let channel_count = u8::try_from(spec.channel_count()).unwrap_or(u8::MAX);
    let channel_count = NonZeroU8::new(channel_count).unwrap_or(NonZeroU8::MIN);
    VorbisEncoderBuilder::new_with_serial(rate, channel_count, sink, serial.cast_signed())
        .bitrate_management_strategy(strategy)
        .build()
}

/// What stands before the sound, and how that is distinguished from what the encoder writes there.
struct Headers {
    /// Our pages.
    bytes: Vec<u8>,
    /// How many these are.
    page_count: u32,
    /// How many pages of the encoder they replace.
    replaced: u32,
}

impl Headers {
    fn new(settings: &EncodeSettings, quality: LossyQuality) -> Result<Self, EncodeError> {
        let serial = serial(settings);
        // An empty stream has the same headers.
        let empty = begin(&settings.spec, quality, serial, Vec::new())
            .and_then(vorbis_rs::VorbisEncoder::finish)
            .map_err(failed_by)?;
        let (packets, replaced) =
            ogg::first_packets(&empty, 3).ok_or_else(|| failed("libvorbis wrote no headers"))?;
        let comment = comment_packet(settings);
        let (bytes, page_count) = ogg::headers(serial, &packets[0], &[&comment, &packets[2]]);
        Ok(Self { bytes, page_count, replaced })
    }
}

/// The number of the stream: that of its tags but for the gains, so that files that are put one behind the
/// other have two, and the same file has the same one twice.
fn serial(settings: &EncodeSettings) -> u32 {
    ogg_crc(&[&comments::body(comments::texts(settings))])
}

/// The comment header, of one size whatever the gains are.
fn comment_packet(settings: &EncodeSettings) -> Vec<u8> {
    const TYPE_AND_MAGIC: &[u8] = b"\x03vorbis";
    const FRAMING: &[u8] = &[1];
    let packet = |gains: Vec<comments::Field>| {
        let pictures = comments::pictures_within(&settings.tags, COMMENTS_BYTES_MAX);
        let fields = comments::texts(settings).chain(pictures).chain(gains);
        [TYPE_AND_MAGIC, &comments::body(fields), FRAMING].concat()
    };
    let gains = settings.tags.replay_gain.as_ref();
    let room = if gains.is_some() { COMMENTS_ROOM_BYTES } else { 0 };
    let byte_count = packet(Vec::new()).len() + room;
    let mut packet = packet(gains.map(comments::gains).unwrap_or_default());
    packet.resize(byte_count, 0);
    packet
}

fn create(
    mut sink: Box<dyn Sink>,
    settings: EncodeSettings,
) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let quality =
        resolve(&settings.spec, settings.quality).map_err(|Refusal { what, .. }| failed(&what))?;
    let order = vorbis_order::indices(&settings.spec.layout)
        .ok_or_else(|| failed("its channels have no defined order"))?;
    let headers = Headers::new(&settings, quality)?;
    sink.write_all(&headers.bytes)?;
    let pages = PageRenumberer::new(sink, headers.replaced, headers.page_count);
    let encoder = begin(&settings.spec, quality, serial(&settings), pages).map_err(failed_by)?;
    let planes = vec![Vec::with_capacity(CHUNK_FRAMES); order.len()];
    Ok(Box::new(VorbisEncoder { encoder: Movable(encoder), settings, order, planes }))
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let quality =
        resolve(&settings.spec, settings.quality).map_err(|Refusal { what, .. }| failed(&what))?;
    sink.seek(SeekFrom::Start(0))?;
    sink.write_all(&Headers::new(settings, quality)?.bytes)?;
    sink.flush()?;
    Ok(())
}

fn failed(reason: &str) -> EncodeError {
    EncodeError::Failed { format: NAME, reason: reason.to_owned() }
}

fn failed_by(error: VorbisError) -> EncodeError {
    match error {
        VorbisError::Io(error) => EncodeError::Io(error),
        other => failed(&other.to_string()),
    }
}

/// The encoder, which another thread may take over.
struct Movable(vorbis_rs::VorbisEncoder<PageRenumberer>);

// SAFETY: libvorbis and libogg keep all they know of a stream in the structures the encoder owns, on the
// heap; they have no thread-local or global state, and are reached only through `&mut`.
unsafe impl Send for Movable {}

/// A Vorbis file being written.
struct VorbisEncoder {
    encoder: Movable,
    settings: EncodeSettings,
    /// For each channel of the stream which one of the samples it is.
    order: Vec<usize>,
    /// Samples on their way to the encoder.
    planes: Vec<Vec<f32>>,
}

impl VorbisEncoder {
    /// Encodes what is in `planes`.
    fn encode(&mut self) -> Result<(), EncodeError> {
        self.encoder.0.encode_audio_block(&self.planes).map_err(failed_by)?;
        self.planes.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl Encoder for VorbisEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Float { planes } = samples else {
            return Err(failed("it accepts only floats"));
        };
        if planes.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err(failed("a sample is NaN or infinite"));
        }
        let (mut start, end) = (0, samples.frame_count());
        while start < end {
            let count = (CHUNK_FRAMES - self.planes[0].len()).min(end - start);
            for (plane, &channel) in self.planes.iter_mut().zip(&self.order) {
                plane.extend_from_slice(&planes[channel][start..start + count]);
            }
            start += count;
            if self.planes[0].len() == CHUNK_FRAMES {
                self.encode()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        if !self.planes[0].is_empty() {
            self.encode()?;
        }
        let mut pages = self.encoder.0.finish().map_err(failed_by)?;
        pages.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{GainBasis, ReplayGain, Tags};
    use wavemill_audio::units::{Dbtp, Lufs};

    #[test]
    fn comments_have_one_size_before_and_after_the_gain_is_known() {
        let of = |replay_gain| {
            let tags = Tags { replay_gain: Some(replay_gain), ..Tags::default() };
            comment_packet(&EncodeSettings {
                spec: StreamSpec::new(48_000, 2),
                format: PcmFormat::FLOAT,
                frame_count: None,
                compression_level: None,
                quality: None,
                tags: tags.into(),
            })
        };
        let leveled = Some(GainBasis { loudness: Lufs(-99.0), true_peak: Dbtp(60.0) });
        let after = of(ReplayGain { track: leveled, album: leveled });
        assert_eq!(of(ReplayGain::default()).len(), after.len());
        assert!(after.ends_with(&[0; 16]), "the room is large enough for the largest values");
    }

    #[test]
    fn bit_rates_are_those_that_the_encoder_has_for_the_stream() {
        let of = |rate, channels, kbps| {
            resolve(&StreamSpec::new(rate, channels), Some(LossyQuality::AverageKbps(kbps)))
        };
        assert_eq!(of(44_100, 2, 160), Ok(LossyQuality::AverageKbps(160)));
        let refusal = of(44_100, 2, 1900).unwrap_err();
        assert_eq!(refusal.what, "1900 kbit/s on average");
        assert_eq!(
            refusal.instead,
            "it does not support this bit rate for 2 channels at 44100 Hz; use `vbr_quality`"
        );
        assert!(of(4_000, 2, 64).unwrap_err().instead.contains("8000 to 192000 Hz"));
    }
}
