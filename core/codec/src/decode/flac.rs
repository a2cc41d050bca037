//! FLAC files.
//!
//! Source: RFC 9639. Symphonia checks each frame's CRC and leaves out those that fail; the driver
//! finds the holes. The MD5 sum of the samples is computed only where it is needed (see
//! [`needs_checksum`]): the CRCs cover every frame, and the sum costs two thirds of what decoding does.

use super::chunks::{read_at, read_up_to};
use super::compressed::{Between, CodedDecoder, Packets, Setup, guard, layout};
use super::repair::{Note, RepairKind};
use super::window::{Fault, Window};
use super::{Damaged, DecodeError, Decoder, Repair, Source, StreamInfo, claims};
use std::io::{Seek, SeekFrom};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::RawValue;
use symphonia::core::packet::Packet;
use symphonia::default::formats::FlacReader;
use wavemill_audio::limits::CHUNK_COUNT_MAX;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{ChannelLayout, PcmFormat, Samples, StreamSpec};

/// Bytes of the `STREAMINFO` block.
pub(super) const STREAMINFO_BYTES: usize = 34;

/// Comment that names the channels' places.
const MASK_KEY: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";

/// MD5 sum of no bytes: what an encoder states of a file that is finished and holds no frame. The length
/// does not show it, as 0 means that it is not known.
const SUM_OF_NOTHING: [u8; 16] =
    *b"\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e";

/// Bytes of an `ID3v1` tag, which some taggers append to any file.
const ID3V1_BYTES: u64 = 128;

/// The mandatory first metadata block.
pub(super) struct StreamFacts {
    pub(super) sample_rate_hz: u32,
    pub(super) channel_count: u8,
    pub(super) bit_depth: u16,
    /// `None` when the encoder did not know.
    pub(super) frame_count: Option<u64>,
    /// Whether it is finished and holds no frame.
    pub(super) is_empty: bool,
    /// Frames of a block, when all but the last are equally long.
    pub(super) block_frames: Option<u64>,
    /// Bytes of the largest frame; `None` when the encoder did not know.
    pub(super) frame_bytes_max: Option<usize>,
    /// First byte after the metadata, from the file's start.
    pub(super) audio_start: u64,
}

pub(super) fn open(
    mut source: Box<dyn Source>,
    start: u64,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let facts = read_facts(source.as_mut(), start, byte_count)?;
    let rate = claims::check_stream(facts.sample_rate_hz.into(), facts.channel_count.into())?;
    let frame_count =
        facts.frame_count.map(|count| claims::check_frames(count, rate)).transpose()?;
    if facts.is_empty && facts.audio_start == byte_count {
        return Ok(Box::new(EmptyFile(info_of(
            &facts,
            ChannelLayout::usual(facts.channel_count.into()),
        ))));
    }
    let window = Window::new(source, start, byte_count)?;
    let fault = window.fault();
    let stream = MediaSourceStream::new(Box::new(window), MediaSourceStreamOptions::default());
    if frame_count.is_none_or(|count| count.0 == 0) && facts.audio_start == byte_count {
        return Err(DecodeError::damaged("it holds no audio"));
    }
    let mut reader = guard(&fault, || FlacReader::try_new(stream, FormatOptions::default()))?;
    let mask = channel_mask(&mut reader);
    let params = reader.tracks().first().and_then(|track| track.codec_params.as_ref());
    let params = params.and_then(|params| params.audio()).cloned();
    let params = params.ok_or_else(|| DecodeError::damaged("it has no stream information"))?;
    let layout = match mask {
        Some(mask) => Some(ChannelLayout::from_mask(mask, facts.channel_count.into())),
        None => params.channels.as_ref().map(layout),
    };
    let layout = layout.ok_or_else(|| DecodeError::damaged("it names no channels"))?;
    let info = StreamInfo { frame_count, ..info_of(&facts, layout) };
    let audio_bytes = byte_count - facts.audio_start;
    let packets = FlacPackets {
        reader: Box::new(reader),
        fault: fault.clone(),
        audio_bytes,
        bytes_left: audio_bytes,
        is_length_known: frame_count.is_some(),
        is_first: true,
        damaged,
        rest: None,
    };
    let is_verified = needs_checksum(&info, &params)?;
    let setup = Setup::verified_flac(params, is_verified);
    CodedDecoder::open(info, Box::new(packets), setup, fault, damaged)
}

/// What the stream information says, of an empty file as long as nothing else is known.
fn info_of(facts: &StreamFacts, layout: ChannelLayout) -> StreamInfo {
    StreamInfo {
        container: "flac",
        codec: "flac",
        spec: StreamSpec { sample_rate: SampleRate(facts.sample_rate_hz), layout },
        format: PcmFormat::int(facts.bit_depth.max(8)),
        lossless: true,
        frame_count: Some(Frames(0)),
        warnings: Vec::new(),
    }
}

/// A file without a frame, which Symphonia does not open.
struct EmptyFile(StreamInfo);

impl Decoder for EmptyFile {
    fn info(&self) -> &StreamInfo {
        &self.0
    }

    fn read(&mut self, out: &mut Samples, _frame_count_max: usize) -> Result<usize, DecodeError> {
        *out = Samples::empty(self.0.format, self.0.spec.channel_count());
        Ok(0)
    }

    fn rewind(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn repairs(&self) -> Vec<Repair> {
        Vec::new()
    }
}

/// The layout's mask where it is not the usual one of its channel count.
///
/// Source: RFC 9639, 8.6.2: the comment `WAVEFORMATEXTENSIBLE_CHANNEL_MASK`, hexadecimal.
fn channel_mask(reader: &mut FlacReader<'_>) -> Option<u32> {
    let metadata = reader.metadata();
    let tags = &metadata.current()?.media.tags;
    let tag = tags.iter().find(|tag| tag.raw.key.eq_ignore_ascii_case(MASK_KEY))?;
    let RawValue::String(text) = &tag.raw.value else { return None };
    let digits = text.trim().strip_prefix("0x").or_else(|| text.trim().strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok().filter(|&mask| mask != 0)
}

/// Whether decoding must be held against the MD5 sum of the samples.
///
/// The difference of two channels of 32 bits has 33. Symphonia 0.6.1 computes in 32: most such files
/// are refused, some would be delivered with wrong samples, and only the sum shows it.
///
/// # Errors
/// When it must, and there is no sum.
pub(super) fn needs_checksum(
    info: &StreamInfo,
    params: &AudioCodecParameters,
) -> Result<bool, DecodeError> {
    let is_needed = info.format == PcmFormat::int(32) && info.spec.channel_count() == 2;
    match params.verification_check {
        None if is_needed => Err(DecodeError::unsupported("32-bit stereo FLAC without a checksum")),
        _ => Ok(is_needed),
    }
}

/// Reads `STREAMINFO` and finds the end of the metadata.
pub(super) fn read_facts(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<StreamFacts, DecodeError> {
    let cut = || DecodeError::truncated("more metadata", format_args!("{byte_count} bytes"));
    let mut position = start + 4;
    let mut facts = None;
    loop {
        let header = read_up_to(source, position, 4)?;
        let &[kind, high, middle, low] = header.first_chunk().ok_or_else(cut)?;
        let length = u32::from_be_bytes([0, high, middle, low]);
        if facts.is_none() {
            if kind & 0x7f != 0 || length as usize != STREAMINFO_BYTES {
                return Err(DecodeError::damaged("it does not start with its stream information"));
            }
            if position + 4 + STREAMINFO_BYTES as u64 > byte_count {
                return Err(cut());
            }
            let mut block = [0; STREAMINFO_BYTES];
            read_at(source, position + 4, &mut block)?;
            facts = Some(parse_streaminfo(&block));
        }
        position += 4 + u64::from(length);
        if position > byte_count {
            return Err(cut());
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    let facts = facts.expect("the loop fails or sets it in its first turn");
    Ok(StreamFacts { audio_start: position, ..facts })
}

/// The body of the first metadata block of this kind, of at most `byte_count_max` bytes; what is broken before it
/// ends the search.
///
/// Source: RFC 9639, 8.1.
pub(crate) fn metadata_block(
    source: &mut dyn Source,
    start: u64,
    kind: u8,
    byte_count_max: usize,
) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut position = start + 4;
    for _ in 0..CHUNK_COUNT_MAX {
        let header = read_up_to(source, position, 4)?;
        let Some(&[found, high, middle, low]) = header.first_chunk() else { break };
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if found & 0x7f == kind {
            return read_up_to(source, position + 4, length.min(byte_count_max)).map(Some);
        }
        if found & 0x80 != 0 {
            break;
        }
        position += 4 + length as u64;
    }
    Ok(None)
}

/// Source: RFC 9639, 8.2.
pub(super) fn parse_streaminfo(block: &[u8; STREAMINFO_BYTES]) -> StreamFacts {
    let number = |range: std::ops::Range<usize>| {
        block[range].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte))
    };
    let (block_min, block_max) = (number(0..2), number(2..4));
    // 20 bits of rate, 3 of channels - 1, 5 of depth - 1, 36 of length.
    let packed = number(10..18);
    let field = |shift: u32, bits: u32| (packed >> shift) & ((1 << bits) - 1);
    let small = |value: u64| u8::try_from(value).expect("has at most 5 bits");
    let frame_count = field(0, 36);
    StreamFacts {
        sample_rate_hz: u32::try_from(field(44, 20)).expect("has 20 bits"),
        channel_count: small(field(41, 3)) + 1,
        bit_depth: u16::from(small(field(36, 5))) + 1,
        frame_count: (frame_count != 0).then_some(frame_count),
        is_empty: frame_count == 0 && block[18..] == SUM_OF_NOTHING,
        block_frames: (block_min == block_max).then_some(block_max),
        frame_bytes_max: usize::try_from(number(7..10)).ok().filter(|&count| count != 0),
        audio_start: 0,
    }
}

/// The frames of a FLAC file.
struct FlacPackets {
    reader: Box<dyn FormatReader>,
    fault: Fault,
    /// Bytes after the metadata.
    audio_bytes: u64,
    /// Bytes after the metadata that no packet had yet.
    bytes_left: u64,
    is_length_known: bool,
    is_first: bool,
    damaged: Damaged,
    /// What is to be reported of bytes at the end that are no frame.
    rest: Option<Note>,
}

impl Packets for FlacPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let reader = &mut self.reader;
        let packet = match guard(&self.fault, || reader.next_packet()) {
            // The driver counts and names what is missing.
            Err(DecodeError::Truncated { .. }) if self.is_length_known => None,
            // Where a file ends that does not say how long it is.
            Err(DecodeError::Truncated { .. }) if self.damaged.is_repaired() => None,
            other => other?,
        };
        match &packet {
            Some(packet) if self.damaged.is_repaired() => {
                self.bytes_left = self.bytes_left.saturating_sub(packet.data.len() as u64);
            }
            Some(packet) => {
                if std::mem::take(&mut self.is_first) && packet.pts.get() != 0 {
                    return Err(DecodeError::damaged("its first frame is missing or unreadable"));
                }
                self.bytes_left = self.bytes_left.saturating_sub(packet.data.len() as u64);
            }
            None if self.damaged.is_repaired() => self.note_rest()?,
            None if self.fault_or_rest()? => {
                return Err(DecodeError::damaged(format!(
                    "its last {} bytes are an incomplete frame",
                    self.bytes_left
                )));
            }
            None => {}
        }
        Ok(packet)
    }

    fn rewind(self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        let mut stream = self.reader.into_inner();
        stream.seek(SeekFrom::Start(0))?;
        let reader = guard(&self.fault, || FlacReader::try_new(stream, FormatOptions::default()))?;
        Ok(Box::new(Self {
            reader: Box::new(reader),
            fault: self.fault,
            audio_bytes: self.audio_bytes,
            bytes_left: self.audio_bytes,
            is_length_known: self.is_length_known,
            is_first: true,
            damaged: self.damaged,
            rest: None,
        }))
    }

    fn between(&mut self) -> Between {
        Between { notes: self.rest.take().into_iter().collect(), is_torn: false }
    }
}

impl FlacPackets {
    /// Reports bytes at the end that are no frame.
    fn note_rest(&mut self) -> Result<(), DecodeError> {
        if self.fault_or_rest()? {
            let detail = format!("{} bytes", self.bytes_left);
            self.rest = Some(Note { kind: RepairKind::LeftOut, detail: Some(detail) });
            self.bytes_left = 0;
        }
        Ok(())
    }

    /// Whether a file that does not say how long it is ends in something that is no frame.
    fn fault_or_rest(&mut self) -> Result<bool, DecodeError> {
        if let Some(error) = self.fault.take() {
            return Err(DecodeError::Io(error));
        }
        Ok(!self.is_length_known && self.bytes_left > 0 && self.bytes_left != ID3V1_BYTES)
    }
}
