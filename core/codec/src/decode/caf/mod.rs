//! Core Audio Format files with PCM, mu-law, A-law, IMA ADPCM or Apple Lossless.
//!
//! Source: Apple, "Apple Core Audio Format Specification 1.0" (2011): chunks with names of four letters
//! and signed lengths of 64 bits, big-endian; -1 stands for "up to the end of the file".

mod header;
#[cfg(feature = "mpeg4")]
mod lossless;
mod markers;

use super::adpcm::{AdpcmSetup, AdpcmStream};
use super::chunks::{missing, u32_be, u64_be};
use super::companding::{self, Law};
use super::pcm::{Coding, PcmDecoder, PcmStream};
use super::{Damaged, DecodeError, Decoder, Source, core_audio};
pub(crate) use header::information;
pub(super) use header::read_header;
use header::{Description, Header};
pub(crate) use markers::markers;
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat};

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
        b"lpcm" | b"ulaw" | b"alaw" => open_pcm(source, description, &header, byte_count, damaged),
        b"ima4" => open_ima(source, description, &header, byte_count, damaged),
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
    let layout = layout(header, channel_count);
    let data = data(header, byte_count)?;
    let there = byte_count.saturating_sub(data.start);
    let frame_bytes = (coding.container_bytes * channel_count) as u64;
    let stream = PcmStream {
        container: "caf",
        coding,
        sample_rate_hz: description.sample_rate_hz,
        layout,
        data_start: data.start,
        promised: data.claimed.unwrap_or(there) / frame_bytes,
        available: there / frame_bytes,
        warnings: Vec::new(),
        leaves_out: header.has_odd_rest,
    };
    PcmDecoder::open(source, stream, damaged)
}

/// Opens blocks of IMA ADPCM. The table of packets, where there is one, says which frames are audio.
fn open_ima(
    mut source: Box<dyn Source>,
    description: &Description,
    header: &Header,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let channel_count = usize::try_from(description.channel_count).expect("was checked");
    let data = data(header, byte_count)?;
    let table =
        header.packets.map(|range| range.read(source.as_mut(), 24, byte_count)).transpose()?;
    let valid = table.and_then(|table| {
        let start = u64::from(u32_be(&table, 16)?);
        Some(start..start.saturating_add(u64_be(&table, 8)?))
    });
    let stream = AdpcmStream {
        container: "caf",
        setup: AdpcmSetup::quick_time(channel_count)?,
        sample_rate_hz: description.sample_rate_hz,
        layout: layout(header, channel_count),
        start: data.start,
        claimed: data.claimed,
        valid,
    };
    stream.open(source, byte_count, damaged)
}

fn layout(header: &Header, channel_count: usize) -> ChannelLayout {
    let layout = header.chan.as_deref().and_then(|chan| core_audio::layout(chan, channel_count));
    layout.unwrap_or_else(|| ChannelLayout::usual(channel_count))
}

fn data(header: &Header, byte_count: u64) -> Result<header::Data, DecodeError> {
    header.data.ok_or_else(|| missing("data", Some(header.promised()), byte_count))
}

fn coding(description: &Description) -> Result<Coding, DecodeError> {
    let &Description { flags, bits, packet_bytes, packet_frames, channel_count, .. } = description;
    let law = match &description.format {
        b"ulaw" => Some(Law::Mu),
        b"alaw" => Some(Law::A),
        _ => None,
    };
    // Bits are left at 0 where a writer takes them for those of PCM.
    let bits = if law.is_some() { 8 } else { bits };
    let is_float = law.is_none() && flags & IS_FLOAT != 0;
    let container_bytes = packet_bytes / channel_count;
    if packet_frames != 1
        || container_bytes * channel_count != packet_bytes
        || bits == 0
        || container_bytes.saturating_mul(8) < bits
    {
        return Err(DecodeError::damaged(format!(
            "packets of {packet_bytes} bytes and {packet_frames} frames cannot hold \
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
    if law.is_some() && container_bytes != 1 {
        let name = codec_name(description.format);
        return Err(DecodeError::unsupported(format!("{name} of more than 8 bits in CAF")));
    }
    let bit_depth = if law.is_some() { companding::BIT_DEPTH.into() } else { bits };
    let bit_depth = u16::try_from(bit_depth).expect("has at most 64 bits");
    Ok(Coding {
        format: PcmFormat {
            sample_format: if is_float { SampleFormat::Float } else { SampleFormat::Int },
            bit_depth: bit_depth.max(8),
        },
        container_bytes: container_bytes as usize,
        big_endian: flags & IS_LITTLE_ENDIAN == 0,
        is_unsigned: false,
        law,
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
