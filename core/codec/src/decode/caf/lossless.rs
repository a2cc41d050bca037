//! Apple Lossless in CAF.
//!
//! Source: the specification, "Packet Table Chunk": how many packets there are, how many frames are
//! valid, how many before and after them are not, then the packets' lengths, seven bits a byte.

use super::header::{Data, Header, Range};
use crate::decode::alac::{self, AlacConfig};
use crate::decode::chunks::{missing, read_at, read_packet, read_up_to, u32_be, u64_be};
use crate::decode::compressed::{CodedDecoder, Packets};
use crate::decode::cut::Cut;
use crate::decode::window::Fault;
use crate::decode::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
use std::io::{BufReader, Seek};
use symphonia::core::packet::Packet;
use wavemill_audio::limits::PACKET_BYTES_MAX;
use wavemill_audio::units::SampleRate;
use wavemill_audio::{PcmFormat, StreamSpec};

/// Bytes of the table before the lengths.
const TABLE_HEAD_BYTES: usize = 24;

/// Bytes of lengths that are read at once.
const WINDOW_BYTES: usize = 4096;

/// Bytes of sound read at once.
const BUFFER_BYTES: usize = 128 * 1024;

pub(super) fn open(
    mut source: Box<dyn Source>,
    header: &Header,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let absent = |name| missing(name, Some(header.promised()), byte_count);
    let config = AlacConfig::parse(header.cookie.as_deref().ok_or_else(|| absent("kuki"))?)?;
    let data = header.data.ok_or_else(|| absent("data"))?;
    let range = header.packets.ok_or_else(|| absent("pakt"))?;
    if range.end > byte_count {
        return Err(absent("pakt"));
    }
    let table = PacketTable::new(source.as_mut(), range)?;
    let rate = claims::check_stream(config.sample_rate_hz.into(), config.channel_count.into())?;
    let packet_frames = u64::from(config.packet_frames);
    claims::check_frames(table.packet_count.saturating_mul(packet_frames), rate)?;
    // Of a file that is cut short the last packet is not there to be asked.
    let head = match walk(source.as_mut(), table.clone(), data, byte_count) {
        Ok(last) => read_up_to(source.as_mut(), last, alac::HEAD_BYTES)?,
        Err(DecodeError::Truncated { .. } | DecodeError::Damaged { .. })
            if damaged.is_repaired() && table.packet_count > 0 =>
        {
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let decoded = (table.packet_count - 1) * packet_frames + config.frame_count(&head);
    let end = table.priming.saturating_add(table.valid);
    // Writers are known that count the last packet as a whole one.
    let held = table.packet_count * packet_frames;
    if end > held && !damaged.is_repaired() {
        return Err(DecodeError::damaged(format!(
            "its packet table states {end} frames, but its packets hold {held}"
        )));
    }
    let cut = Cut::new(table.priming, end, decoded);
    let info = StreamInfo {
        container: "caf",
        codec: "alac",
        spec: StreamSpec { sample_rate: SampleRate(rate), layout: config.layout() },
        format: PcmFormat::int(config.bit_depth),
        lossless: true,
        frame_count: Some(claims::check_frames(cut.frame_count(), rate)?),
        warnings: Vec::new(),
    };
    let packets = CafPackets {
        reader: BufReader::with_capacity(BUFFER_BYTES, source),
        next: table.clone(),
        table,
        data_start: data.start,
        place: data.start,
        packet_frames,
        decoded,
        cut,
        position: 0,
    };
    CodedDecoder::open(info, Box::new(packets), config.params(), Fault::default(), damaged)
}

/// Checks that every packet is there and returns where the last one starts.
fn walk(
    source: &mut dyn Source,
    mut table: PacketTable,
    data: Data,
    byte_count: u64,
) -> Result<u64, DecodeError> {
    let end = data.claimed.map_or(byte_count, |claimed| data.start.saturating_add(claimed));
    let (mut place, mut last) = (data.start, None);
    while let Some(length) = table.next(source)? {
        last = Some(place);
        place = place.saturating_add(length);
    }
    if place > end {
        return Err(DecodeError::damaged("its packets are longer than its sound"));
    }
    if place > byte_count {
        return Err(DecodeError::truncated(
            format_args!("{place} bytes"),
            format_args!("{byte_count} bytes"),
        ));
    }
    last.ok_or_else(|| DecodeError::damaged("it holds no audio"))
}

/// The lengths of the packets, one after another; they stay in the file.
#[derive(Clone)]
struct PacketTable {
    packet_count: u64,
    /// Frames that are audio.
    valid: u64,
    /// Frames before them.
    priming: u64,
    /// Packets that follow.
    left: u64,
    /// Where the bytes after `window` are.
    rest: Range,
    window: Vec<u8>,
    /// Bytes of the window that were used.
    used: usize,
}

impl PacketTable {
    fn new(source: &mut dyn Source, range: Range) -> Result<Self, DecodeError> {
        let head = read_up_to(source, range.start, TABLE_HEAD_BYTES)?;
        let start = range.start + TABLE_HEAD_BYTES as u64;
        let read = || Some((u64_be(&head, 0)?, u64_be(&head, 8)?, u32_be(&head, 16)?));
        let (packet_count, valid, priming) =
            read().filter(|_| start <= range.end).ok_or_else(too_short)?;
        // Every length has a byte at least.
        if packet_count > range.end - start {
            return Err(too_short());
        }
        Ok(Self {
            packet_count,
            valid,
            priming: priming.into(),
            left: packet_count,
            rest: Range { start, end: range.end },
            window: Vec::new(),
            used: 0,
        })
    }

    /// The next packet's length.
    fn next(&mut self, source: &mut dyn Source) -> Result<Option<u64>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut length = 0u64;
        loop {
            let byte = self.byte(source)?;
            length = length << 7 | u64::from(byte & 0x7f);
            if length > PACKET_BYTES_MAX {
                return Err(DecodeError::damaged(format!(
                    "a packet of more than {PACKET_BYTES_MAX} bytes"
                )));
            }
            if byte & 0x80 == 0 {
                break;
            }
        }
        if length == 0 {
            return Err(DecodeError::damaged("a packet of 0 bytes"));
        }
        Ok(Some(length))
    }

    fn byte(&mut self, source: &mut dyn Source) -> Result<u8, DecodeError> {
        if self.used == self.window.len() {
            let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
            self.window.resize(left.min(WINDOW_BYTES), 0);
            read_at(source, self.rest.start, &mut self.window)?;
            self.rest.start += self.window.len() as u64;
            self.used = 0;
        }
        let byte = *self.window.get(self.used).ok_or_else(too_short)?;
        self.used += 1;
        Ok(byte)
    }
}

fn too_short() -> DecodeError {
    DecodeError::damaged("its packet table is cut short")
}

/// The packets of the file.
struct CafPackets {
    reader: BufReader<Box<dyn Source>>,
    /// From the first packet on.
    table: PacketTable,
    /// From the next one on.
    next: PacketTable,
    data_start: u64,
    /// Where the next packet starts.
    place: u64,
    packet_frames: u64,
    /// Frames of all packets.
    decoded: u64,
    cut: Cut,
    /// Frames of the packets so far.
    position: u64,
}

impl Packets for CafPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let Some(length) = self.next.next(&mut self.reader)? else { return Ok(None) };
        // What is in the buffer stays there, unless the table was read.
        let there = self.reader.stream_position()?;
        self.reader.seek_relative(self.place.cast_signed() - there.cast_signed())?;
        let byte_count = usize::try_from(length).expect("was checked against the limit");
        let data = read_packet(&mut self.reader, byte_count)?;
        self.place += length;
        let first = self.position;
        let frame_count = self.packet_frames.min(self.decoded - first);
        self.position += frame_count;
        Ok(Some(self.cut.packet(first, frame_count, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.next = self.table.clone();
        self.place = self.data_start;
        self.position = 0;
        Ok(self)
    }
}
