//! Ogg files: Vorbis, and FLAC in Ogg.
//!
//! Source: RFC 3533; Xiph.Org, "Vorbis I specification", A.2: the granule position of a page is the
//! number of frames up to its end, that of the last page cuts the padding.

use super::chunks::read_up_to;
use super::coded::{CodedDecoder, Packets, guard, layout};
use super::flac::needs_checksum;
use super::vorbis_setup::reverse_couplings;
use super::window::{Fault, Window};
use super::{DecodeError, Decoder, Source, StreamInfo, claims};
use crate::audio::{PcmFormat, StreamSpec};
use crate::units::SampleRate;
use std::io::{Seek, SeekFrom};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_VORBIS};
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::packet::Packet;
use symphonia::default::formats::OggReader;

/// Bytes of a Vorbis identification header.
const IDENTIFICATION_BYTES: usize = 30;

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let head = read_up_to(source.as_mut(), 0, 4096)?;
    #[cfg(feature = "opus")]
    if first_packet(&head).is_some_and(|packet| packet.starts_with(b"OpusHead")) {
        return super::opus::open(source, byte_count);
    }
    let window = Window::new(source, 0, byte_count)?;
    let fault = window.fault();
    let stream = MediaSourceStream::new(Box::new(window), MediaSourceStreamOptions::default());
    let reader = guard(&fault, || OggReader::try_new(stream, FormatOptions::default()));
    let reader: Box<dyn FormatReader> = match reader {
        Ok(reader) => Box::new(reader),
        Err(error) => return Err(refusal(&head).unwrap_or(error)),
    };
    let (track, mut params, codec) = choose(reader.as_ref()).ok_or_else(|| {
        refusal(&head).unwrap_or_else(|| DecodeError::unsupported("Ogg without Vorbis or FLAC"))
    })?;
    let channels = params.channels.clone();
    let channel_count = channels.as_ref().map_or(0, |channels| channels.count() as u64);
    let rate = claims::check_stream(params.sample_rate.unwrap_or(0).into(), channel_count)?;
    if codec == "vorbis" && channel_count > 2 {
        correct_couplings(&mut params, channel_count)?;
    }
    // A stream that was cut from a longer one starts later than 0.
    let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
    let frame_count = track.num_frames.map(|end| end.saturating_sub(start));
    let frame_count = frame_count.map(|count| claims::check_frames(count, rate)).transpose()?;
    let bit_depth = params.bits_per_sample.and_then(|bits| u16::try_from(bits).ok()).unwrap_or(16);
    let info = StreamInfo {
        container: "ogg",
        codec,
        spec: StreamSpec {
            sample_rate: SampleRate(rate),
            layout: channels.as_ref().map(layout).expect("was checked to have channels"),
        },
        format: match codec {
            "flac" => PcmFormat::int(bit_depth.max(8)),
            _ => PcmFormat::FLOAT,
        },
        lossless: codec == "flac",
        frame_count,
        warnings: Vec::new(),
    };
    let packets = OggPackets { reader, fault: fault.clone(), track_id: track.id };
    let is_verified = codec == "flac" && needs_checksum(&info, &params)?;
    CodedDecoder::open(info, Box::new(packets), params, fault, is_verified)
}

/// The first track that can be decoded.
fn choose(reader: &dyn FormatReader) -> Option<(Track, AudioCodecParameters, &'static str)> {
    reader.tracks().iter().find_map(|track| {
        let params = track.codec_params.as_ref()?.audio()?;
        let codec = match params.codec {
            CODEC_ID_VORBIS => "vorbis",
            CODEC_ID_FLAC => "flac",
            _ => return None,
        };
        Some((track.clone(), params.clone(), codec))
    })
}

/// See [`reverse_couplings`]; with one or two channels there is one coupling at most.
fn correct_couplings(
    params: &mut AudioCodecParameters,
    channel_count: u64,
) -> Result<(), DecodeError> {
    let channel_count = u32::try_from(channel_count).expect("was checked against the limit");
    // The identification header and the setup header follow each other.
    let headers = params.extra_data.as_mut();
    let setup = headers.and_then(|headers| headers.get_mut(IDENTIFICATION_BYTES..));
    setup
        .and_then(|setup| reverse_couplings(setup, channel_count))
        .ok_or_else(|| DecodeError::damaged("its Vorbis setup header cannot be read"))
}

/// What stands on the first page.
pub(crate) fn first_packet(head: &[u8]) -> Option<&[u8]> {
    head.get(27 + usize::from(*head.get(26)?)..)
}

/// Names what the first page holds when it is known and not read.
fn refusal(head: &[u8]) -> Option<DecodeError> {
    let packet = first_packet(head)?;
    let known: [(&[u8], &str); 4] = [
        (b"OpusHead", "Opus (programs built with `--features opus` read it)"),
        (b"Speex   ", "Speex"),
        (b"\x80theora", "Theora video"),
        (b"PCM     ", "PCM in Ogg"),
    ];
    let (_, what) = known.iter().find(|(magic, _)| packet.starts_with(magic))?;
    Some(DecodeError::unsupported(*what))
}

/// The packets of one track.
struct OggPackets {
    reader: Box<dyn FormatReader>,
    fault: Fault,
    track_id: u32,
}

impl Packets for OggPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            let reader = &mut self.reader;
            match guard(&self.fault, || reader.next_packet()) {
                Ok(Some(packet)) if packet.track_id != self.track_id => {}
                Err(DecodeError::Truncated { .. }) => {
                    return Err(DecodeError::truncated("a last page", "none"));
                }
                other => return other,
            }
        }
    }

    fn rewind(self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        let mut stream = self.reader.into_inner();
        stream.seek(SeekFrom::Start(0))?;
        let reader = guard(&self.fault, || OggReader::try_new(stream, FormatOptions::default()))?;
        Ok(Box::new(Self { reader: Box::new(reader), ..*self }))
    }
}
