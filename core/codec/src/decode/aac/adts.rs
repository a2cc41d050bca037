//! AAC in ADTS, as in `.aac` files and broadcast streams.
//!
//! Source: ISO/IEC 14496-3:2019, 1.A.3.2 (`adts_frame`). A walk over all headers when the file is opened
//! gives the number of packets and finds holes. Nothing in ADTS says what is delay and padding: every
//! frame is kept, as other decoders do.

use super::{AacConfig, AacSetup, LISTENED_TO};
use crate::decode::bits::Bits;
use crate::decode::chunks::read_up_to;
use crate::decode::completeness::Completeness;
use crate::decode::compressed::{CodedDecoder, Packets};
use crate::decode::cut::Cut;
use crate::decode::scan::{Framing, Scan, ScannedPackets};
use crate::decode::window::{Fault, Window};
use crate::decode::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use symphonia::core::packet::Packet;
use wavemill_audio::PcmFormat;
use wavemill_audio::units::Frames;

/// Bytes of a header without checksum.
const HEADER_BYTES: usize = 7;

/// Bytes of a checksum.
const CHECKSUM_BYTES: usize = 2;

/// Headers in a row that make bytes an ADTS file; fewer do where the file ends.
const CHAIN_HEADERS: usize = 4;

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// Object type less 1, index of the rate, channel configuration: the same in all frames.
    stream: (u32, u32, u32),
    has_checksum: bool,
    /// Bytes with the header.
    frame_bytes: u64,
    /// Packets in the frame.
    packet_count: u32,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(bytes.get(..HEADER_BYTES)?);
        if bits.read(12)? != 0xfff {
            return None;
        }
        let _version = bits.flag()?;
        if bits.read(2)? != 0 {
            return None;
        }
        let has_checksum = !bits.flag()?;
        let (profile, rate) = (bits.read(2)?, bits.read(4)?);
        let _private = bits.flag()?;
        let channels = bits.read(3)?;
        bits.skip(4)?;
        let frame_bytes = u64::from(bits.read(13)?);
        bits.skip(11)?;
        let packet_count = bits.read(2)? + 1;
        let header =
            Self { stream: (profile, rate, channels), has_checksum, frame_bytes, packet_count };
        (rate < 13 && frame_bytes > header.byte_count() as u64).then_some(header)
    }

    /// Bytes before the packet.
    fn byte_count(self) -> usize {
        HEADER_BYTES + if self.has_checksum { CHECKSUM_BYTES } else { 0 }
    }
}

/// Whether frames begin at byte `start`.
pub(in crate::decode) fn is_adts(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<bool, DecodeError> {
    let (mut position, mut first) = (start, None);
    for count in 0..CHAIN_HEADERS {
        if count > 0 && position >= byte_count {
            return Ok(true);
        }
        let bytes = read_up_to(source, position, HEADER_BYTES)?;
        let Some(header) = Header::parse(&bytes) else {
            return Ok(count > 0 && (is_trailer(&bytes) || bytes.len() < HEADER_BYTES));
        };
        if *first.get_or_insert(header.stream) != header.stream {
            return Ok(false);
        }
        position += header.frame_bytes;
    }
    Ok(true)
}

/// Whether a tag starts here: ID3 at either end, `APEv2`.
fn is_trailer(bytes: &[u8]) -> bool {
    [&b"TAG"[..], b"APETAGEX", b"ID3", b"3DI"].iter().any(|tag| {
        let count = tag.len().min(bytes.len());
        count >= 3 && bytes[..count] == tag[..count]
    })
}

/// Listens to the first packets of the stream that begins at byte `start`.
fn setup(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
    first: Header,
) -> Result<AacSetup, DecodeError> {
    let (profile, rate, channels) = first.stream;
    let config = AacConfig::of_adts(profile, rate, channels)?;
    let (mut packets, mut position) = (Vec::new(), start);
    while packets.len() < LISTENED_TO && position < byte_count {
        let head = read_up_to(source, position, HEADER_BYTES)?;
        let Some(header) = Header::parse(&head).filter(|it| it.stream == first.stream) else {
            break;
        };
        let frame_bytes = usize::try_from(header.frame_bytes).expect("has a few thousand bytes");
        let mut packet = read_up_to(source, position, frame_bytes)?;
        packet.drain(..header.byte_count().min(packet.len()));
        packets.push(packet);
        position += header.frame_bytes;
    }
    config.probed(&packets)
}

/// The first header.
fn first_header(source: &mut dyn Source, start: u64) -> Result<Header, DecodeError> {
    let first = Header::parse(&read_up_to(source, start, HEADER_BYTES)?);
    let first = first.ok_or_else(|| DecodeError::damaged("it changed while it was being read"))?;
    if first.packet_count != 1 {
        return Err(DecodeError::unsupported("ADTS with several packets per frame"));
    }
    Ok(first)
}

/// What a walk over all frames found.
struct Walk {
    setup: AacSetup,
    /// First byte after the last frame.
    end: u64,
    packet_count: u64,
}

fn walk(source: &mut dyn Source, start: u64, byte_count: u64) -> Result<Walk, DecodeError> {
    let first = first_header(source, start)?;
    let mut walk =
        Walk { setup: setup(source, start, byte_count, first)?, end: start, packet_count: 0 };
    source.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, source);
    while walk.end < byte_count {
        let mut bytes = Vec::new();
        reader.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut bytes)?;
        if is_trailer(&bytes) || bytes.iter().all(|&byte| byte == 0) {
            return Ok(walk);
        }
        let there = byte_count - walk.end;
        let header = match Header::parse(&bytes) {
            Some(header) if header.stream == first.stream => header,
            None if bytes.len() < HEADER_BYTES => {
                return Err(DecodeError::truncated(
                    "a whole last frame",
                    format_args!("{there} bytes"),
                ));
            }
            _ => {
                let (end, frame) = (walk.end, walk.packet_count * walk.setup.packet_frames);
                return Err(DecodeError::damaged(format!(
                    "no ADTS frame of its stream at byte {end}, near frame {frame}"
                )));
            }
        };
        if header.packet_count != 1 {
            return Err(DecodeError::unsupported("ADTS with several packets per frame"));
        }
        if header.frame_bytes > there {
            return Err(DecodeError::truncated(
                format_args!("{} bytes of its last frame", header.frame_bytes),
                there,
            ));
        }
        walk.end += header.frame_bytes;
        walk.packet_count += 1;
        let rest = header.frame_bytes - HEADER_BYTES as u64;
        reader.seek_relative(i64::try_from(rest).expect("a frame has a few thousand bytes"))?;
    }
    Ok(walk)
}

/// Whether the last frame is there; whether another should follow, nothing says.
pub(in crate::decode) fn completeness(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<Completeness, DecodeError> {
    walk(source, start, byte_count).map(|_| Completeness::Unknown)
}

pub(in crate::decode) fn open(
    mut source: Box<dyn Source>,
    start: u64,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    if damaged.is_repaired() {
        return open_repaired(source, start, byte_count);
    }
    let walk = walk(source.as_mut(), start, byte_count)?;
    let packet_frames = walk.setup.packet_frames;
    let decoded = walk.packet_count * packet_frames;
    let frame_count = claims::check_frames(decoded, walk.setup.spec.sample_rate.0)?;
    let window = Window::new(source, start, walk.end)?;
    let fault = window.fault();
    let packets = AdtsPackets {
        reader: BufReader::with_capacity(BUFFER_BYTES, window),
        fault: fault.clone(),
        cut: Cut::new(0, decoded, decoded),
        packet_frames,
        position: 0,
    };
    let info = info(&walk.setup, Some(frame_count));
    CodedDecoder::open(info, Box::new(packets), walk.setup, fault, damaged)
}

/// Opens a file that may be damaged.
fn open_repaired(
    mut source: Box<dyn Source>,
    start: u64,
    byte_count: u64,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let first = first_header(source.as_mut(), start)?;
    let setup = setup(source.as_mut(), start, byte_count, first)?;
    let packet_frames = setup.packet_frames;
    let window = Window::new(source, start, byte_count)?;
    let mut scan = Scan::new(window, byte_count - start, AdtsFraming(first));
    let fault = scan.fault();
    let decoded = scan.count(None)?.saturating_mul(packet_frames);
    claims::check_frames(decoded, setup.spec.sample_rate.0)?;
    let packets = ScannedPackets::new(scan, Cut::new(0, decoded, decoded), packet_frames);
    CodedDecoder::open(info(&setup, None), Box::new(packets), setup, fault, Damaged::Repair)
}

fn info(setup: &AacSetup, frame_count: Option<Frames>) -> StreamInfo {
    StreamInfo {
        container: "aac",
        codec: "aac",
        spec: setup.spec.clone(),
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count,
        warnings: Vec::new(),
    }
}

/// The frames of the stream that begins with a header.
struct AdtsFraming(Header);

impl Framing for AdtsFraming {
    const HEAD_BYTES: usize = HEADER_BYTES;

    fn frame_bytes(&self, head: &[u8]) -> Option<u64> {
        let header = Header::parse(head)?;
        let is_same = header.stream == self.0.stream && header.packet_count == 1;
        is_same.then_some(header.frame_bytes)
    }

    fn is_trailer(&self, head: &[u8]) -> bool {
        is_trailer(head)
    }

    fn skipped_bytes(&self, frame: &[u8]) -> usize {
        Header::parse(frame).map_or(0, Header::byte_count)
    }
}

/// The packets of the file.
struct AdtsPackets {
    reader: BufReader<Window>,
    fault: Fault,
    cut: Cut,
    packet_frames: u64,
    /// Frames of the packets so far.
    position: u64,
}

impl Packets for AdtsPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut bytes = [0; HEADER_BYTES];
        if let Err(error) = self.reader.read_exact(&mut bytes) {
            return match self.fault.take() {
                Some(fault) => Err(DecodeError::Io(fault)),
                // The walk made sure that it is not in the middle of a frame.
                None if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                None => Err(DecodeError::Io(error)),
            };
        }
        let header = Header::parse(&bytes)
            .ok_or_else(|| DecodeError::damaged("it changed while it was being read"))?;
        let frame_bytes = usize::try_from(header.frame_bytes).expect("has a few thousand bytes");
        let mut data = vec![0; frame_bytes - HEADER_BYTES];
        self.reader.read_exact(&mut data)?;
        data.drain(..header.byte_count() - HEADER_BYTES);
        let first = self.position;
        self.position += self.packet_frames;
        Ok(Some(self.cut.packet(first, self.packet_frames, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.reader.seek(SeekFrom::Start(0))?;
        self.position = 0;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_and_one_that_cannot_be_is_none() {
        // AAC-LC, 44.1 kHz, two channels, 371 bytes, no checksum.
        let bytes = [0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f, 0xfc];
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.stream, (1, 4, 2));
        assert_eq!((header.frame_bytes, header.packet_count, header.byte_count()), (371, 1, 7));
        // The index of no rate, a layer, and a frame shorter than its header.
        assert_eq!(Header::parse(&[0xff, 0xf1, 0x74, 0x80, 0x2e, 0x7f, 0xfc]), None);
        assert_eq!(Header::parse(&[0xff, 0xf3, 0x50, 0x80, 0x2e, 0x7f, 0xfc]), None);
        assert_eq!(Header::parse(&[0xff, 0xf1, 0x50, 0x80, 0x00, 0xff, 0xfc]), None);
    }
}
