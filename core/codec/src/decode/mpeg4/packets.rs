//! The packets of a track, and how many frames they hold.

use super::alac::{self, AlacConfig};
use super::fragments::{Fragments, Next};
use super::table::{PacketTable, Place};
use crate::decode::chunks::{read_packet, read_up_to};
use crate::decode::completeness::flac_frames;
use crate::decode::compressed::Packets;
use crate::decode::cut::Cut;
use crate::decode::flac::StreamFacts;
use crate::decode::{Damaged, DecodeError, ReadAhead, Source};
use std::io::{Seek, SeekFrom};
use symphonia::core::packet::Packet;

/// Frames of PCM that are read at once.
const PCM_FRAMES: u64 = 4096;

/// Where a track's packets are: by the tables of the movie header, then by those of fragments.
pub(super) struct Places {
    pub(super) table: Option<PacketTable>,
    pub(super) fragments: Option<Fragments>,
    /// Bytes of a frame, of samples that are not compressed.
    pub(super) frame_bytes: Option<u64>,
    is_behind_table: bool,
}

impl Places {
    pub(super) fn new(
        table: Option<PacketTable>,
        fragments: Option<Fragments>,
        frame_bytes: Option<u64>,
    ) -> Self {
        Self { table, fragments, frame_bytes, is_behind_table: false }
    }

    pub(super) fn rewind(&mut self) {
        self.is_behind_table = false;
        if let Some(table) = &mut self.table {
            table.rewind();
        }
        if let Some(fragments) = &mut self.fragments {
            fragments.rewind();
        }
    }

    /// What comes next.
    pub(super) fn next(&mut self, source: &mut dyn Source) -> Result<Next, DecodeError> {
        if let Some(table) = self.table.as_mut().filter(|_| !self.is_behind_table) {
            let place = match self.frame_bytes {
                Some(_) => table.next_run(source, PCM_FRAMES)?,
                None => table.next(source)?,
            };
            if let Some(place) = place {
                return Ok(Next::Packet(place));
            }
            self.is_behind_table = true;
        }
        self.fragments.as_mut().map_or(Ok(Next::End), |fragments| fragments.next(source))
    }
}

/// How many frames packets hold.
pub(super) enum Timing {
    /// All the same.
    Fixed(u64),
    /// All the same but the last.
    Alac(AlacConfig),
    Flac(Box<StreamFacts>),
    #[cfg(feature = "opus")]
    Opus,
    /// By their lengths: bytes of a frame.
    Pcm(u64),
}

impl Timing {
    /// Frames of a packet; `None` where it is none.
    fn frames(&self, packet: &[u8], length: u64) -> Option<u64> {
        match self {
            Self::Fixed(frames) => Some(*frames),
            Self::Alac(config) => Some(config.frame_count(packet)),
            Self::Flac(facts) => flac_frames(packet, facts),
            #[cfg(feature = "opus")]
            Self::Opus => crate::opus::packet_frames(packet).map(u64::from),
            Self::Pcm(frame_bytes) => {
                length.is_multiple_of(*frame_bytes).then_some(length / frame_bytes)
            }
        }
    }
}

/// What a walk over all packets found.
#[derive(Default)]
pub(super) struct Walk {
    has_first: bool,
    /// The last one; `None` where it is not there.
    last: Option<Place>,
    packet_count: u64,
    byte_count: u64,
    /// Whether it ends before all packets are there.
    is_cut: bool,
    /// Units of what fragments say is missing.
    missing: u64,
    /// Units of all fragments.
    pub(super) fragments: u64,
}

impl Walk {
    /// Checks that every packet is there; ends at the first packet again. Of a file to repair, packets may
    /// be missing.
    pub(super) fn over(
        source: &mut dyn Source,
        places: &mut Places,
        byte_count: u64,
        damaged: Damaged,
    ) -> Result<Self, DecodeError> {
        let mut walk = Self::default();
        loop {
            match places.next(source) {
                Ok(Next::Packet(place)) => {
                    if !walk.take(place, byte_count, damaged)? {
                        break;
                    }
                }
                Ok(Next::Missing(units)) if damaged.is_repaired() => walk.missing += units,
                Ok(Next::Missing(_)) => {
                    return Err(DecodeError::damaged(format!(
                        "what its fragments hold is missing behind packet {}",
                        walk.packet_count
                    )));
                }
                Ok(Next::End) => break,
                Err(DecodeError::Truncated { .. } | DecodeError::Damaged { .. })
                    if damaged.is_repaired() && walk.has_first =>
                {
                    walk.is_cut = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if !walk.has_first {
            return Err(DecodeError::damaged("it holds no audio"));
        }
        walk.fragments = places.fragments.as_ref().map_or(0, Fragments::time);
        places.rewind();
        Ok(walk)
    }

    /// Looks at a packet; `false` where a file to repair ends before it.
    fn take(
        &mut self,
        place: Place,
        byte_count: u64,
        damaged: Damaged,
    ) -> Result<bool, DecodeError> {
        let is_beyond = place.start.saturating_add(place.length) > byte_count;
        let is_there = !is_beyond && place.can_be();
        if !is_there && !damaged.is_repaired() {
            return Err(place.refusal(byte_count));
        }
        if is_beyond {
            self.is_cut = true;
            return Ok(false);
        }
        self.has_first |= is_there;
        self.last = Some(place).filter(|_| is_there);
        self.packet_count += 1;
        self.byte_count = self.byte_count.saturating_add(place.length);
        Ok(true)
    }

    /// Frames of all packets, whose durations are `duration` units.
    pub(super) fn decoded(
        &self,
        source: &mut dyn Source,
        scale: &Scale,
        duration: u64,
    ) -> Result<u64, DecodeError> {
        if self.is_cut {
            return Ok(scale.frames(duration));
        }
        let missing = scale.frames(self.missing);
        let frames = match &scale.timing {
            Timing::Fixed(frames) => self.packet_count.saturating_mul(*frames),
            Timing::Alac(config) => {
                let usual = u64::from(config.packet_frames);
                let last = match self.last {
                    Some(last) => {
                        let there = usize::try_from(last.length).unwrap_or(usize::MAX);
                        let count = there.min(alac::HEAD_BYTES);
                        config.frame_count(&read_up_to(source, last.start, count)?)
                    }
                    None => usual,
                };
                (self.packet_count - 1).saturating_mul(usual).saturating_add(last)
            }
            Timing::Pcm(frame_bytes) => self.byte_count / frame_bytes,
            // Their durations are in frames.
            Timing::Flac(_) => return Ok(scale.frames(duration)),
            #[cfg(feature = "opus")]
            Timing::Opus => return Ok(scale.frames(duration)),
        };
        Ok(frames.saturating_add(missing))
    }
}

/// How packets and the track's units are turned into frames.
pub(super) struct Scale {
    pub(super) timing: Timing,
    pub(super) sample_rate_hz: u32,
    /// Units in a second.
    pub(super) timescale: u32,
}

impl Scale {
    /// Units of the track's timescale in frames.
    pub(super) fn frames(&self, units: u64) -> u64 {
        let timescale = u128::from(self.timescale.max(1));
        let frames = u128::from(units) * u128::from(self.sample_rate_hz);
        u64::try_from((frames + timescale / 2) / timescale).unwrap_or(u64::MAX)
    }
}

/// The packets of a track.
pub(super) struct Mpeg4Packets {
    pub(super) reader: ReadAhead<Box<dyn Source>>,
    pub(super) places: Places,
    pub(super) scale: Scale,
    pub(super) cut: Cut,
    /// Frames of the packets so far.
    pub(super) position: u64,
    /// Frames of the first packet, for those that do not say.
    pub(super) usual: u64,
    pub(super) byte_count: u64,
}

impl Packets for Mpeg4Packets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let place = match self.places.next(&mut self.reader)? {
            Next::Packet(place) => place,
            Next::Missing(units) => {
                // One packet stands for them, however many they were.
                let frames = self.scale.frames(units);
                return Ok(Some(self.packet(frames, Vec::new())));
            }
            Next::End => return Ok(None),
        };
        // The walk made sure of all that, but where damage is repaired.
        if place.start.saturating_add(place.length) > self.byte_count {
            return Err(place.refusal(self.byte_count));
        }
        let length = if place.can_be() { place.length } else { 0 };
        self.reader.seek(SeekFrom::Start(place.start))?;
        let length = usize::try_from(length).expect("was checked against the limit");
        let data = read_packet(&mut self.reader, length)?;
        let frames = self.scale.timing.frames(&data, place.length).unwrap_or(self.usual);
        self.usual = if self.usual == 0 { frames } else { self.usual };
        Ok(Some(self.packet(frames, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.places.rewind();
        (self.position, self.usual) = (0, 0);
        Ok(self)
    }
}

impl Mpeg4Packets {
    fn packet(&mut self, frames: u64, data: Vec<u8>) -> Packet {
        let first = self.position;
        self.position += frames;
        self.cut.packet(first, frames, data)
    }
}
