//! Core Audio Format files with PCM or Apple Lossless.
//!
//! Source: Apple, "Apple Core Audio Format Specification 1.0" (2011): chunks with names of four letters
//! and signed lengths of 64 bits, big-endian; -1 stands for "up to the end of the file".

mod header;
#[cfg(feature = "mpeg4")]
mod lossless;
mod markers;

use super::chunks::missing;
use super::pcm::{Coding, PcmDecoder, PcmStream};
use super::{Damaged, DecodeError, Decoder, Source, core_audio};
use crate::audio::{ChannelLayout, PcmFormat, SampleFormat};
pub(crate) use header::information;
pub(super) use header::read_header;
use header::{Description, Header};
pub(crate) use markers::markers;

/// Flags of PCM.
const IS_FLOAT: u32 = 1;
const IS_LITTLE_ENDIAN: u32 = 2;

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let header = read_header(source.as_mut(), byte_count, damaged)?;
    let description = header.description.as_ref();
    let description =
        description.ok_or_else(|| missing("desc", Some(header.promised()), byte_count))?;
    match &description.format {
        b"lpcm" => open_pcm(source, description, &header, byte_count, damaged),
        #[cfg(feature = "mpeg4")]
        b"alac" => lossless::open(source, &header, byte_count, damaged),
        #[cfg(not(feature = "mpeg4"))]
        b"alac" => Err(super::kind::not_built("ALAC", "mpeg4")),
        other => Err(DecodeError::unsupported(format!("{} in CAF", codec_name(*other)))),
    }
}

fn open_pcm(
    source: Box<dyn Source>,
    description: &Description,
    header: &Header,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let coding = coding(description)?;
    let channel_count = usize::try_from(description.channel_count).expect("was checked");
    let layout = header.chan.as_deref().and_then(|chan| core_audio::layout(chan, channel_count));
    let data =
        header.data.as_ref().ok_or_else(|| missing("data", Some(header.promised()), byte_count))?;
    let there = byte_count.saturating_sub(data.start);
    let frame_bytes = (coding.container_bytes * channel_count) as u64;
    let stream = PcmStream {
        container: "caf",
        coding,
        sample_rate_hz: description.sample_rate_hz,
        layout: layout.unwrap_or_else(|| ChannelLayout::usual(channel_count)),
        data_start: data.start,
        promised: data.claimed.unwrap_or(there) / frame_bytes,
        available: there / frame_bytes,
        warnings: Vec::new(),
        leaves_out: header.has_odd_rest,
    };
    PcmDecoder::open(source, stream, damaged)
}

fn coding(description: &Description) -> Result<Coding, DecodeError> {
    let &Description { flags, bits, packet_bytes, packet_frames, channel_count, .. } = description;
    let is_float = flags & IS_FLOAT != 0;
    let container_bytes = packet_bytes / channel_count;
    if packet_frames != 1
        || container_bytes * channel_count != packet_bytes
        || bits == 0
        || container_bytes.saturating_mul(8) < bits
    {
        return Err(DecodeError::damaged(format!(
            "packets of {packet_bytes} bytes and {packet_frames} frames do not hold \
             {channel_count} channels of {bits} bits"
        )));
    }
    let is_known = if is_float {
        matches!(container_bytes, 4 | 8) && bits == container_bytes * 8
    } else {
        matches!(container_bytes, 1..=4)
    };
    if !is_known {
        let kind = if is_float { "floats" } else { "integers" };
        return Err(DecodeError::unsupported(format!("{bits}-bit {kind} in CAF")));
    }
    let bit_depth = u16::try_from(bits).expect("has at most 64 bits");
    Ok(Coding {
        format: PcmFormat {
            sample_format: if is_float { SampleFormat::Float } else { SampleFormat::Int },
            bit_depth: bit_depth.max(8),
        },
        container_bytes: container_bytes as usize,
        big_endian: flags & IS_LITTLE_ENDIAN == 0,
        is_unsigned: false,
    })
}

/// Names of the formats people meet.
///
/// Source: the specification, "Audio Data Formats", and `CoreAudioBaseTypes.h`.
fn codec_name(format: [u8; 4]) -> String {
    let name = match &format {
        b"aac " | b"aacl" => "AAC",
        b"aach" | b"aacp" => "HE-AAC",
        b"aace" | b"aacf" | b"aacg" => "AAC-ELD",
        b"usac" => "xHE-AAC",
        b"ima4" => "IMA ADPCM",
        b"ulaw" => "mu-law",
        b"alaw" => "A-law",
        b".mp1" => "MPEG audio layer 1",
        b".mp2" => "MPEG audio layer 2",
        b".mp3" => "MP3",
        b"MAC3" | b"MAC6" => "MACE",
        b"QDM2" | b"QDMC" | b"Qclp" => "QDesign Music",
        b"ac-3" => "AC-3",
        b"ec-3" => "E-AC-3",
        b"opus" => "Opus",
        b"flac" => "FLAC",
        b"samr" => "AMR",
        other => return format!("format `{}`", other.escape_ascii()),
    };
    name.to_owned()
}
