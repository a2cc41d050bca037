//! The frames of a track.
//!
//! Source: RFC 9559, 10 (blocks and lacing), 5.1.3 (clusters), 11.3 (times).

use super::ebml::{Element, Elements, signed, split_number, unsigned};
use super::header::id;
use super::resync;
use crate::decode::compressed::{Between, Packets, UNKNOWN_PLACE};
use crate::decode::repair::{Note, RepairKind};
use crate::decode::{Damaged, DecodeError};
use std::collections::VecDeque;
use symphonia::core::packet::{Packet, PacketBuilder};
use symphonia::core::units::{Duration, Timestamp};
use wavemill_audio::limits::{PACKET_BYTES_MAX, PACKET_FRAMES_MAX};

/// Bytes of the elements that are read besides blocks.
const FIELDS_BYTES_MAX: u64 = 64;

/// Nanoseconds of a second.
const SECOND_NS: i128 = 1_000_000_000;

/// Where the frames are, and how their times are to be read.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) track: u64,
    pub(super) sample_rate_hz: u32,
    /// Nanoseconds of a tick.
    pub(super) tick_ns: u64,
    /// Frames of audio before the sound.
    pub(super) delay: u64,
    /// Whether the first packet only prepares the second one, as in Vorbis.
    pub(super) is_first_silent: bool,
    /// First byte of the first cluster's name.
    pub(super) start: u64,
    /// First byte after the last one; `None` when its writer did not know.
    pub(super) end: Option<u64>,
    /// Bytes that every frame begins with.
    pub(super) prefix: Vec<u8>,
    pub(super) damaged: Damaged,
}

/// The packets of a track.
pub(super) struct Blocks {
    elements: Elements,
    stream: Stream,
    /// Ticks of the cluster.
    cluster_time: u64,
    ready: VecDeque<Packet>,
    /// Whether a packet was delivered.
    has_begun: bool,
    between: Between,
}

impl Blocks {
    /// The packets of `stream`, from the first one on.
    pub(super) fn new(mut elements: Elements, stream: Stream) -> Result<Self, DecodeError> {
        elements.go_to(stream.start)?;
        Ok(Self {
            elements,
            stream,
            cluster_time: 0,
            ready: VecDeque::new(),
            has_begun: false,
            between: Between::default(),
        })
    }

    /// What it reads.
    #[cfg(feature = "mpeg4")]
    pub(super) fn into_elements(self) -> Elements {
        self.elements
    }

    /// Goes back to the first packet.
    pub(super) fn restart(&mut self) -> Result<(), DecodeError> {
        self.elements.go_to(self.stream.start)?;
        self.cluster_time = 0;
        self.ready.clear();
        self.has_begun = false;
        self.between = Between::default();
        Ok(())
    }

    /// Reads the next element; `false` at the end. Where damage is repaired, what is none is passed over.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        let at = self.elements.position();
        match self.try_advance() {
            Err(error @ (DecodeError::Damaged { .. } | DecodeError::Truncated { .. }))
                if self.stream.damaged.is_repaired() =>
            {
                self.between.is_torn = true;
                let Some(next) = resync::find(&mut self.elements, at + 1, self.stream.track)?
                else {
                    let detail = Some(error.detail());
                    self.between.notes.push(Note { kind: RepairKind::CutShort, detail });
                    let end = self.elements.byte_count();
                    self.elements.go_to(end)?;
                    return Ok(false);
                };
                let detail = Some(format!("{} bytes first", next - at));
                self.between.notes.push(Note { kind: RepairKind::LeftOut, detail });
                self.elements.go_to(next)?;
                Ok(true)
            }
            other => other,
        }
    }

    fn try_advance(&mut self) -> Result<bool, DecodeError> {
        if self.stream.end.is_some_and(|end| self.elements.position() >= end) {
            return Ok(false);
        }
        let Some(element) = self.elements.next()? else { return Ok(false) };
        match element.id {
            // What it holds follows; where it ends need not be known.
            id::CLUSTER => self.cluster_time = 0,
            id::TIMESTAMP => {
                let data = self.elements.data(element, FIELDS_BYTES_MAX)?;
                self.cluster_time = unsigned(&data).unwrap_or(0);
            }
            id::SIMPLE_BLOCK => self.read_block(element)?,
            id::BLOCK_GROUP => self.read_group(element)?,
            // Chance makes names of elements too.
            _ if self.stream.damaged.is_repaired() && !resync::is_known(&element) => {
                return Err(DecodeError::damaged("unexpected element"));
            }
            _ => self.elements.skip(element)?,
        }
        Ok(true)
    }

    fn read_group(&mut self, group: Element) -> Result<(), DecodeError> {
        let end = group.end.ok_or_else(|| DecodeError::damaged("a group has no length"))?;
        let first = self.ready.len();
        let mut discarded_ns = 0;
        while self.elements.position() < end {
            let Some(element) = self.elements.next()? else { break };
            match element.id {
                id::BLOCK => self.read_block(element)?,
                id::DISCARD_PADDING => {
                    let data = self.elements.data(element, FIELDS_BYTES_MAX)?;
                    discarded_ns = signed(&data).unwrap_or(0);
                }
                _ => self.elements.skip(element)?,
            }
        }
        let frames = self.frames(discarded_ns.unsigned_abs().into());
        let frames = Duration::new(u64::try_from(frames).unwrap_or(0));
        if discarded_ns > 0
            && let Some(last) = self.ready.iter_mut().skip(first).next_back()
        {
            last.trim_end = frames;
        } else if discarded_ns < 0
            && let Some(first) = self.ready.get_mut(first)
        {
            first.trim_start = frames;
        }
        Ok(())
    }

    fn read_block(&mut self, block: Element) -> Result<(), DecodeError> {
        let short = || DecodeError::damaged("a block is cut short");
        let length = block.end.map_or(0, |end| end - block.start);
        // Of tracks that are not read, among them the pictures, no more than the head.
        let mut head = vec![0; usize::try_from(length.min(16)).expect("is a few bytes")];
        self.elements.read(&mut head)?;
        let (track, count, _) = split_number(&head).ok_or_else(short)?;
        if track != self.stream.track {
            return self.elements.skip(block);
        }
        let data = self.elements.data(block, PACKET_BYTES_MAX)?;
        let (&[high, low, flags], data) =
            data.get(count..).and_then(<[u8]>::split_first_chunk).ok_or_else(short)?;
        let ticks = i128::from(self.cluster_time) + i128::from(i16::from_be_bytes([high, low]));
        let place = self.frames(ticks * i128::from(self.stream.tick_ns));
        let mut place = i64::try_from(place).unwrap_or(i64::MAX);
        for frame in frames_of(data, flags >> 1 & 3).ok_or_else(short)? {
            let packet = PacketBuilder::new()
                .track_id(0)
                .pts(Timestamp::new(place))
                .dur(Duration::ZERO)
                .data([&self.stream.prefix, frame].concat())
                .build();
            self.ready.push_back(packet);
            // Where the others of the block belong is not stated.
            place = UNKNOWN_PLACE;
        }
        Ok(())
    }

    /// Nanoseconds in frames.
    fn frames(&self, nanoseconds: i128) -> i128 {
        let rate = i128::from(self.stream.sample_rate_hz);
        (nanoseconds.saturating_mul(rate) + SECOND_NS / 2).div_euclid(SECOND_NS)
    }
}

impl Packets for Blocks {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            if let Some(mut packet) = self.ready.pop_front() {
                let is_first = !std::mem::replace(&mut self.has_begun, true);
                if is_first && self.stream.is_first_silent {
                    packet.trim_start = Duration::new(PACKET_FRAMES_MAX.0);
                }
                return Ok(Some(packet));
            }
            if !self.advance()? {
                return Ok(None);
            }
        }
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.restart()?;
        Ok(self)
    }

    fn delay(&self) -> Option<u64> {
        Some(self.stream.delay)
    }

    fn between(&mut self) -> Between {
        std::mem::take(&mut self.between)
    }
}

/// Splits a block's data into its frames.
fn frames_of(data: &[u8], lacing: u8) -> Option<Vec<&[u8]>> {
    if lacing == 0 {
        return Some(vec![data]);
    }
    let (&count, mut rest) = data.split_first()?;
    let count = usize::from(count) + 1;
    let mut lengths: Vec<usize> = Vec::with_capacity(count);
    match lacing {
        // Of Xiph: 255 and so on.
        1 => {
            for _ in 1..count {
                let mut length = 0;
                loop {
                    let (&byte, after) = rest.split_first()?;
                    rest = after;
                    length += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                lengths.push(length);
            }
        }
        // Of EBML: a number, then differences.
        3 => {
            for index in 1..count {
                let (number, bytes, after) = split_number(rest)?;
                rest = after;
                let number = i64::try_from(number).ok()?;
                let length = match lengths.last() {
                    None if index == 1 => number,
                    last => {
                        let bias = (1i64 << (7 * bytes - 1)) - 1;
                        i64::try_from(*last?).ok()? + number - bias
                    }
                };
                lengths.push(usize::try_from(length).ok()?);
            }
        }
        // All equally long.
        _ => {
            let is_even = rest.len().is_multiple_of(count);
            lengths = vec![rest.len() / count; if is_even { count - 1 } else { return None }];
        }
    }
    let mut frames = Vec::with_capacity(count);
    for length in lengths {
        let (frame, after) = rest.split_at_checked(length)?;
        frames.push(frame);
        rest = after;
    }
    frames.push(rest);
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laces_of_every_kind_are_split() {
        let three: [&[u8]; 3] = [&[1; 3], &[2; 260], &[3; 2]];
        let body = three.concat();
        assert_eq!(frames_of(&body, 0).unwrap(), [&body[..]]);
        let xiph = [&[2, 3, 255, 5][..], &body].concat();
        assert_eq!(frames_of(&xiph, 1).unwrap(), three);
        // 3, then +257 in two bytes: 257 + 8191.
        let ebml = [&[2, 0x83, 0x61, 0x00][..], &body].concat();
        assert_eq!(frames_of(&ebml, 3).unwrap(), three);
        assert_eq!(frames_of(&[1, 7, 7, 8, 8], 2).unwrap(), [[7, 7], [8, 8]]);
    }

    #[test]
    fn laces_that_lie_are_no_frames() {
        assert_eq!(frames_of(&[], 1), None);
        assert_eq!(frames_of(&[2, 255], 1), None);
        assert_eq!(frames_of(&[1, 9, 0], 1), None);
        assert_eq!(frames_of(&[1, 7, 7, 8], 2), None);
        assert_eq!(frames_of(&[2, 0x81, 0x80, 1], 3), None);
    }
}
