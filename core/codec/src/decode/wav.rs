//! WAVE files: RIFF, RF64 and BW64.
//!
//! Sources: Microsoft/IBM, "Multimedia Programming Interface and Data Specifications 1.0" and
//! "Multiple Channel Audio Data and WAVE Files" (2007); EBU Tech 3306 (RF64); ITU-R BS.2088-1 (BW64).

use super::adpcm::{AdpcmSetup, AdpcmStream, Scheme};
use super::chunks::{Chunk, Chunks, Order, missing, read_up_to, u16_le, u32_le, u64_le};
use super::companding::{self, Law};
use super::pcm::{Coding, PcmDecoder, PcmStream};
use super::window::Window;
use super::{Damaged, DecodeError, Decoder, Source, mpeg};
use wavemill_audio::{ChannelLayout, ChannelPosition, PcmFormat, SampleFormat};

/// Length that means "not known when the header was written", or in RF64 "see `ds64`".
const LENGTH_UNKNOWN: u64 = 0xffff_ffff;

/// What `sox` writes as the data's length when it writes into a pipe.
const LENGTH_UNKNOWN_SOX: u64 = 0x7fff_f000;

/// Bytes of a `fmt ` chunk before the coefficients of Microsoft ADPCM.
const COEFFICIENTS_START: usize = 22;

/// Bytes of a `fmt ` chunk that are looked at: `WAVEFORMATEXTENSIBLE` has 40, the rest is room for as many
/// coefficients as a block can name.
pub(super) const FMT_BYTES: usize = COEFFICIENTS_START + 256 * 4;

/// Format tags of `WAVEFORMATEX`.
const TAG_PCM: u16 = 1;
const TAG_MS_ADPCM: u16 = 2;
const TAG_FLOAT: u16 = 3;
const TAG_A_LAW: u16 = 6;
const TAG_MU_LAW: u16 = 7;
const TAG_IMA_ADPCM: u16 = 0x11;
const TAG_MP3: u16 = 0x55;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// The last 14 bytes of the subformat GUID that continues a format tag (`KSDATAFORMAT_SUBTYPE_*`).
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// The same for ambisonic B format (R. Dobson, `AMBISONIC_B_FORMAT`); PCM or float as above.
const GUID_TAIL_AMBISONIC: [u8; 14] =
    [0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0];

/// Where everything is.
pub(super) struct Header {
    /// Bytes the file has by its own account; `None` when its writer did not know.
    pub(super) promised_bytes: Option<u64>,
    pub(super) fmt: Option<Vec<u8>>,
    /// Frames by the `fact` chunk.
    pub(super) fact: Option<u64>,
    pub(super) data: Option<Data>,
}

/// The `data` chunk.
pub(super) struct Data {
    pub(super) start: u64,
    /// `None` when its writer did not know.
    pub(super) claimed: Option<u64>,
}

/// Lengths beyond 32 bits, from the `ds64` chunk.
struct LongLengths {
    riff: u64,
    data: u64,
    /// Other long chunks.
    table: Vec<([u8; 4], u64)>,
}

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let header = read_header(source.as_mut(), byte_count)?;
    open_samples(source, "wav", header, byte_count, damaged)
}

/// Opens the samples that a header describes.
pub(super) fn open_samples(
    source: Box<dyn Source>,
    container: &'static str,
    Header { fmt, fact, data, promised_bytes }: Header,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let fmt = fmt.ok_or_else(|| missing("fmt ", promised_bytes, byte_count))?;
    let data = data.ok_or_else(|| missing("data", promised_bytes, byte_count))?;
    let format = Format::parse(&fmt)?;
    let coding = match format.stored {
        Storage::Pcm(coding) => coding,
        Storage::Adpcm(setup) => {
            let stream = AdpcmStream {
                container,
                setup,
                sample_rate_hz: format.sample_rate_hz,
                layout: format.layout,
                start: data.start,
                claimed: data.claimed,
                valid: fact.map(|count| 0..count),
            };
            return stream.open(source, byte_count, damaged);
        }
        Storage::Mp3 => return open_mp3(source, container, &data, byte_count, damaged),
    };
    let there = byte_count.saturating_sub(data.start);
    let frame_bytes = (coding.container_bytes * format.layout.channel_count()) as u64;
    let promised = data.claimed.unwrap_or(there) / frame_bytes;
    // Wave64 begins chunks at multiples of eight bytes; ffmpeg counts what fills up to there among the samples.
    let is_filling =
        |fact: &u64| promised.checked_sub(*fact).is_some_and(|it| it * frame_bytes < 8);
    let promised = fact.filter(|fact| container == "w64" && is_filling(fact)).unwrap_or(promised);
    let stream = PcmStream {
        container,
        coding,
        sample_rate_hz: format.sample_rate_hz,
        layout: format.layout,
        data_start: data.start,
        promised,
        available: there / frame_bytes,
        warnings: Vec::new(),
        leaves_out: false,
    };
    PcmDecoder::open(source, stream, damaged)
}

/// Opens MP3 frames in a `data` chunk.
fn open_mp3(
    source: Box<dyn Source>,
    container: &'static str,
    data: &Data,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let end = data.claimed.map_or(byte_count, |claimed| data.start.saturating_add(claimed));
    if end > byte_count && !damaged.is_repaired() {
        let bytes = |end: u64| format!("{} bytes of MP3", end.saturating_sub(data.start));
        return Err(DecodeError::truncated(bytes(end), bytes(byte_count)));
    }
    let length = end.min(byte_count).saturating_sub(data.start);
    let mut frames = Window::new(source, data.start, data.start + length)?;
    let start = mpeg::find(&mut frames, 0, length)?;
    let start = start.ok_or_else(|| DecodeError::damaged("its `data` chunk contains no MP3"))?;
    mpeg::open(Box::new(frames), container, start, length, damaged)
}

/// Finds the chunks that matter for decoding.
pub(super) fn read_header(source: &mut dyn Source, byte_count: u64) -> Result<Header, DecodeError> {
    let mut walk = WavChunks::new(source, byte_count)?;
    let mut header = Header { promised_bytes: None, fmt: None, fact: None, data: None };
    while header.fmt.is_none() || header.data.is_none() {
        let Some((chunk, length)) = walk.next()? else { break };
        match &chunk.id {
            b"fmt " if header.fmt.is_none() => {
                header.fmt = Some(walk.chunks.data(chunk, FMT_BYTES)?);
            }
            b"fact" if header.fact.is_none() => {
                header.fact = u32_le(&walk.chunks.data(chunk, 4)?, 0).map(u64::from);
            }
            b"data" if header.data.is_none() => {
                header.data = Some(Data { start: chunk.start, claimed: length });
            }
            _ => {}
        }
    }
    header.promised_bytes = walk.promised_bytes();
    Ok(header)
}

/// A chunk that holds tags.
pub(crate) struct TagChunk {
    pub(crate) id: [u8; 4],
    pub(crate) data: Vec<u8>,
}

/// The chunks that hold tags: `LIST`, `id3 `, `bext`, `iXML` and `cue `.
///
/// Chunks of more than `byte_count_max` bytes, or beyond the file's end, are left out. What follows
/// the samples need not be chunks at all: the walk ends where they do, and fails only when reading
/// does.
pub(crate) fn tag_chunks(
    source: &mut dyn Source,
    byte_count_max: usize,
) -> Result<Vec<TagChunk>, DecodeError> {
    let byte_count = super::byte_count(source)?;
    let mut walk = WavChunks::new(source, byte_count)?;
    let mut found = Vec::new();
    let mut left = byte_count_max;
    let mut is_after_samples = false;
    loop {
        let (chunk, length) = match walk.next() {
            Ok(Some(next)) => next,
            Err(DecodeError::Io(error)) => return Err(error.into()),
            Ok(None) | Err(_) => break,
        };
        // Zeros that pad a file are no chunks.
        if is_after_samples && chunk.id == [0; 4] {
            break;
        }
        is_after_samples |= &chunk.id == b"data";
        let is_tag = matches!(&chunk.id, b"LIST" | b"id3 " | b"ID3 " | b"bext" | b"iXML" | b"cue ");
        let length = length.and_then(|length| usize::try_from(length).ok());
        if is_tag && let Some(length) = length.filter(|&length| length <= left) {
            let data = walk.chunks.data(chunk, length)?;
            if data.len() == length {
                left -= length;
                found.push(TagChunk { id: chunk.id, data });
            }
        }
    }
    Ok(found)
}

/// Walks the chunks of a WAVE file with their true lengths.
struct WavChunks<'a> {
    chunks: Chunks<'a>,
    byte_count: u64,
    riff_length: u64,
    /// Whether a `ds64` chunk can be expected.
    is_long: bool,
    long_lengths: Option<LongLengths>,
}

impl<'a> WavChunks<'a> {
    fn new(source: &'a mut dyn Source, byte_count: u64) -> Result<Self, DecodeError> {
        let start = read_up_to(source, 0, 12)?;
        Ok(Self {
            riff_length: u32_le(&start, 4).map_or(0, u64::from),
            is_long: !start.starts_with(b"RIFF"),
            long_lengths: None,
            byte_count,
            chunks: Chunks::new(source, Order::Little, 12, byte_count),
        })
    }

    /// The next chunk and its length; `None` for the length when the writer did not know it, and
    /// nothing after it can be found.
    fn next(&mut self) -> Result<Option<(Chunk, Option<u64>)>, DecodeError> {
        let Some(chunk) = self.chunks.next()? else { return Ok(None) };
        if self.is_long && &chunk.id == b"ds64" {
            self.long_lengths = Some(LongLengths::parse(&self.chunks.data(chunk, 28 + 12 * 64)?)?);
        }
        let long = self.long_lengths.as_ref();
        let length = match &chunk.id {
            b"data" => data_length(chunk, long, self.riff_length, self.byte_count),
            _ => Some(long.and_then(|long| long.of(chunk)).unwrap_or(chunk.claimed)),
        };
        self.chunks.skip(chunk, length.unwrap_or(u64::MAX));
        Ok(Some((chunk, length)))
    }

    /// Bytes the file has by its own account; `None` when its writer did not know.
    fn promised_bytes(&self) -> Option<u64> {
        promised(self.long_lengths.as_ref().map_or(self.riff_length, |long| long.riff))
    }
}

/// The file's length by the length field of its first chunk.
fn promised(riff_length: u64) -> Option<u64> {
    let is_known = ![0, LENGTH_UNKNOWN, u64::MAX].contains(&riff_length);
    is_known.then(|| riff_length.saturating_add(8))
}

/// The data's length, or `None` when its writer did not know it.
fn data_length(
    chunk: Chunk,
    long_lengths: Option<&LongLengths>,
    riff_length: u64,
    byte_count: u64,
) -> Option<u64> {
    match (chunk.claimed, long_lengths) {
        (LENGTH_UNKNOWN, Some(long)) => {
            let is_known = long.data != u64::MAX && (long.data, long.riff) != (0, 0);
            is_known.then_some(long.data)
        }
        (LENGTH_UNKNOWN | LENGTH_UNKNOWN_SOX, None) => None,
        // An empty file is one whose outer length agrees that nothing is missing; otherwise the
        // writer was a pipe or died before it could fill the length in.
        (0, _) => (riff_length.saturating_add(8).abs_diff(byte_count) <= 1).then_some(0),
        (claimed, _) => Some(claimed),
    }
}

impl LongLengths {
    fn parse(ds64: &[u8]) -> Result<Self, DecodeError> {
        let read = || {
            let count = u32_le(ds64, 24).unwrap_or(0) as usize;
            let rows = ds64.get(28..).unwrap_or_default().as_chunks::<12>().0;
            let row = |row: &[u8; 12]| Some((*row.first_chunk()?, u64_le(row, 4)?));
            Some(Self {
                riff: u64_le(ds64, 0)?,
                data: u64_le(ds64, 8)?,
                table: rows.iter().take(count).filter_map(row).collect(),
            })
        };
        read().ok_or_else(|| DecodeError::damaged("its `ds64` chunk is too short"))
    }

    /// The length of a chunk other than `data` whose own length field refers to the table.
    fn of(&self, chunk: Chunk) -> Option<u64> {
        let find =
            || self.table.iter().find(|(other, _)| *other == chunk.id).map(|(_, length)| *length);
        if chunk.claimed == LENGTH_UNKNOWN { find() } else { None }
    }
}

/// How the sound is stored.
enum Storage {
    Pcm(Coding),
    Adpcm(AdpcmSetup),
    Mp3,
}

/// A parsed `fmt ` chunk.
struct Format {
    stored: Storage,
    sample_rate_hz: u64,
    layout: ChannelLayout,
}

impl Format {
    fn parse(fmt: &[u8]) -> Result<Self, DecodeError> {
        let field = |offset| {
            u16_le(fmt, offset).ok_or_else(|| DecodeError::damaged("its `fmt ` chunk is too short"))
        };
        let (tag, channel_count) = (field(0)?, field(2)?);
        let (block_align, bits) = (field(12)?, field(14)?);
        let sample_rate_hz = u32_le(fmt, 4).map_or(0, u64::from);
        // Before anything is divided by it or allocated for it.
        super::claims::check_stream(sample_rate_hz, u64::from(channel_count))?;
        let extension = (tag == TAG_EXTENSIBLE).then(|| Extension::parse(fmt)).transpose()?;
        let tag = extension.as_ref().map_or(tag, |extension| extension.tag);
        let valid_bits = extension.as_ref().map_or(bits, |extension| extension.valid_bits(bits));
        let stored = match tag {
            TAG_MP3 => Storage::Mp3,
            TAG_MS_ADPCM | TAG_IMA_ADPCM => {
                Storage::Adpcm(adpcm(tag, bits, block_align, channel_count, fmt)?)
            }
            _ => Storage::Pcm(coding(tag, bits, valid_bits, block_align, channel_count)?),
        };
        let layout = match extension {
            Some(extension) => extension.layout(usize::from(channel_count)),
            None => ChannelLayout::usual(usize::from(channel_count)),
        };
        Ok(Self { stored, sample_rate_hz, layout })
    }
}

/// What `WAVEFORMATEXTENSIBLE` adds.
struct Extension {
    tag: u16,
    valid_bits: u16,
    mask: u32,
    is_ambisonic: bool,
}

impl Extension {
    fn parse(fmt: &[u8]) -> Result<Self, DecodeError> {
        let read = || {
            let guid_tail = fmt.get(26..40)?;
            let tag = u16_le(fmt, 24)?;
            let is_ambisonic = guid_tail == GUID_TAIL_AMBISONIC;
            // 0 is no format's tag: a subformat that continues none.
            let tag = if is_ambisonic || guid_tail == GUID_TAIL { tag } else { 0 };
            Some(Self { tag, valid_bits: u16_le(fmt, 18)?, mask: u32_le(fmt, 20)?, is_ambisonic })
        };
        read().ok_or_else(|| DecodeError::damaged("its `fmt ` chunk is too short"))
    }

    /// Some writers leave the field at 0, others put more in than the container has.
    fn valid_bits(&self, bits: u16) -> u16 {
        if self.valid_bits == 0 { bits } else { self.valid_bits.min(bits) }
    }

    fn layout(&self, channel_count: usize) -> ChannelLayout {
        if self.is_ambisonic {
            return ChannelLayout::new(vec![ChannelPosition::Unknown; channel_count]);
        }
        ChannelLayout::from_mask(self.mask, channel_count)
    }
}

/// What a `fmt ` chunk says of ADPCM: after the usual fields the number of frames in a block, and for
/// Microsoft's the coefficients.
fn adpcm(
    tag: u16,
    bits: u16,
    block_align: u16,
    channel_count: u16,
    fmt: &[u8],
) -> Result<AdpcmSetup, DecodeError> {
    if bits != 4 {
        return Err(DecodeError::unsupported(format!("{bits}-bit {} in WAV", codec_name(tag))));
    }
    let scheme = if tag == TAG_IMA_ADPCM {
        Scheme::Ima
    } else {
        let count = usize::from(u16_le(fmt, COEFFICIENTS_START - 2).unwrap_or(0));
        let pairs = fmt.get(COEFFICIENTS_START..).unwrap_or_default().as_chunks::<4>().0.iter();
        let number = |low: u8, high: u8| i32::from(i16::from_le_bytes([low, high]));
        let pairs = pairs.take(count).map(|&[a, b, c, d]| [number(a, b), number(c, d)]);
        Scheme::Microsoft(pairs.collect())
    };
    let block_frames = u16_le(fmt, 18).map(usize::from);
    AdpcmSetup::new(scheme, channel_count.into(), block_align.into(), block_frames)
}

fn coding(
    tag: u16,
    bits: u16,
    valid_bits: u16,
    block_align: u16,
    channel_count: u16,
) -> Result<Coding, DecodeError> {
    let container_bytes = block_align / channel_count;
    let contradiction = || {
        DecodeError::damaged(format!(
            "frames of {block_align} bytes cannot hold {channel_count} channels of {bits} bits"
        ))
    };
    let law = match tag {
        TAG_MU_LAW => Some(Law::Mu),
        TAG_A_LAW => Some(Law::A),
        _ => None,
    };
    let sample_format = match tag {
        TAG_PCM | TAG_MU_LAW | TAG_A_LAW => SampleFormat::Int,
        TAG_FLOAT => SampleFormat::Float,
        _ => return Err(DecodeError::unsupported(format!("{} in WAV", codec_name(tag)))),
    };
    if bits == 0
        || container_bytes * channel_count != block_align
        || container_bytes.saturating_mul(8) < bits
    {
        return Err(contradiction());
    }
    let bit_depth = match (sample_format, container_bytes) {
        (SampleFormat::Int, 1) if law.is_some() => companding::BIT_DEPTH,
        (SampleFormat::Int, 1..=4) if law.is_none() => valid_bits.max(8),
        (SampleFormat::Float, 4 | 8) if bits == container_bytes * 8 => bits,
        (SampleFormat::Int, _) => {
            return Err(DecodeError::unsupported(format!("{bits}-bit integers in WAV")));
        }
        (SampleFormat::Float, _) => {
            return Err(DecodeError::unsupported(format!("{bits}-bit floats in WAV")));
        }
    };
    Ok(Coding {
        format: PcmFormat { sample_format, bit_depth },
        container_bytes: usize::from(container_bytes),
        big_endian: false,
        is_unsigned: container_bytes == 1 && law.is_none(),
        law,
    })
}

/// Names of the formats people meet.
///
/// Source: IANA, "WAVE and AVI Codec Registries" (RFC 2361).
fn codec_name(tag: u16) -> String {
    let name = match tag {
        0x0002 => "Microsoft ADPCM",
        0x0006 => "A-law",
        0x0007 => "mu-law",
        0x0011 => "IMA ADPCM",
        0x0031 => "GSM 6.10",
        0x0040 => "G.721 ADPCM",
        0x0050 => "MPEG audio layer 2",
        0x0055 => "MP3",
        0x0092 | 0x2000 => "AC-3",
        0x00ff | 0x1600 | 0x1602 => "AAC",
        0x0161..=0x0163 => "Windows Media Audio",
        0x2001 => "DTS",
        0xf1ac => "FLAC",
        0 => return "an unknown subformat".into(),
        _ => return format!("format 0x{tag:04x}"),
    };
    name.into()
}
