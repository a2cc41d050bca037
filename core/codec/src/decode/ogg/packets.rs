//! Packets with their places: each follows the one before; pages' positions show what is missing.
//!
//! Source: RFC 7845, 4 (Opus); Xiph.Org, "Vorbis I specification", A.2; "Ogg FLAC mapping".

use super::pages::{PagePackets, Pages};
use super::vorbis_blocks::Blocks;
use crate::decode::completeness::flac_frames;
use crate::decode::compressed::{Between, Packets, audio_frames};
use crate::decode::flac::StreamFacts;
use crate::decode::repair::{Note, RepairKind};
use crate::decode::{Damaged, DecodeError};
use std::collections::VecDeque;
use symphonia::core::packet::{Packet, PacketBuilder};
use symphonia::core::units::{Duration, Timestamp};
use wavemill_audio::units::Frames;

/// How packets say how many frames they hold.
pub(super) enum Timing {
    Vorbis(Blocks),
    Flac(StreamFacts),
    #[cfg(feature = "opus")]
    Opus {
        /// Frames before the sound.
        pre_skip: u16,
    },
}

/// A packet and the frames it holds.
struct Timed {
    data: Vec<u8>,
    frames: u64,
    /// How many of them are none of the sound.
    silent: u64,
}

impl Timing {
    /// Whether a packet holds sound.
    fn is_sound(&self, packet: &[u8]) -> bool {
        match self {
            Self::Vorbis(_) => packet.first().is_some_and(|first| first & 1 == 0),
            Self::Flac(_) => packet.first() == Some(&0xff),
            #[cfg(feature = "opus")]
            Self::Opus { .. } => !packet.starts_with(b"Opus"),
        }
    }

    /// `None` for a packet that does not say.
    fn timed(&mut self, data: Vec<u8>) -> Option<Timed> {
        let (frames, silent) = match self {
            Self::Vorbis(blocks) => blocks.frames(&data)?,
            Self::Flac(facts) => (flac_frames(&data, facts)?, 0),
            #[cfg(feature = "opus")]
            Self::Opus { .. } => (crate::opus::packet_frames(&data)?.into(), 0),
        };
        Some(Timed { data, frames, silent })
    }

    fn pre_skip(&self) -> i64 {
        match self {
            #[cfg(feature = "opus")]
            Self::Opus { pre_skip } => i64::from(*pre_skip),
            _ => 0,
        }
    }

    /// Forgets the packet before.
    fn tear(&mut self) {
        if let Self::Vorbis(blocks) = self {
            blocks.tear();
        }
    }
}

/// What the packets of a whole stream hold.
pub(super) struct Count {
    pub(super) frames: Frames,
    /// How far the positions of pages differ at most from what their packets hold.
    pub(super) deviation: Frames,
}

/// The packets of a stream.
pub(super) struct PagedPackets {
    pages: Pages,
    timing: Timing,
    damaged: Damaged,
    /// Packets to be delivered.
    ready: VecDeque<Packet>,
    /// Where the packets so far end; `None` before the first.
    end: Option<i64>,
    /// Where they end by the pages' positions, which may start anywhere.
    stated_end: i64,
    /// How many frames a page's position was off at most.
    deviation: u64,
    is_last: bool,
    between: Between,
}

impl PagedPackets {
    /// The packets of `pages`, the first of which holds a header.
    pub(super) fn begin(
        pages: Pages,
        timing: Timing,
        damaged: Damaged,
    ) -> Result<Self, DecodeError> {
        let mut packets = Self {
            pages,
            timing,
            damaged,
            ready: VecDeque::new(),
            end: None,
            stated_end: 0,
            deviation: 0,
            is_last: false,
            between: Between::default(),
        };
        while packets.ready.is_empty() && packets.advance()? {}
        Ok(packets)
    }

    /// Reads all packets and begins them again; no count where they are damaged.
    pub(super) fn count(mut self) -> Result<(Self, Option<Count>), DecodeError> {
        let mut frames = 0_u64;
        let is_whole = loop {
            match self.next() {
                Ok(Some(packet)) => {
                    let audio = audio_frames(&packet);
                    frames = frames.saturating_add(audio.end - audio.start);
                }
                Ok(None) => break !self.damaged.is_repaired(),
                Err(error @ DecodeError::Io(_)) => return Err(error),
                Err(_) => break false,
            }
        };
        let count = Count { frames: Frames(frames), deviation: Frames(self.deviation) };
        Ok((self.begin_again()?, is_whole.then_some(count)))
    }

    fn begin_again(mut self) -> Result<Self, DecodeError> {
        let pages = self.pages.restart()?;
        self.timing.tear();
        Self::begin(pages, self.timing, self.damaged)
    }

    /// Reads a page; `false` at the end.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        if self.is_last && !self.pages.goes_on()? {
            return Ok(false);
        }
        let Some(mut page) = self.pages.next()? else {
            if !self.damaged.is_repaired() {
                return Err(DecodeError::truncated("a last page", "none"));
            }
            self.note(RepairKind::CutShort, "its last page is missing".to_owned());
            self.is_last = true;
            return Ok(false);
        };
        let sound_count = page.packets.iter().filter(|it| self.timing.is_sound(it)).count();
        // Vorbis audio starts on a page of its own; taggers put padding behind the headers.
        let is_strict = self.end.is_none() && matches!(self.timing, Timing::Vorbis(_));
        let sound_min = if is_strict { page.packets.len() } else { 1 };
        let is_header = !page.packets.is_empty() && sound_count < sound_min;
        if is_header {
            page.packets.clear();
        }
        // A flag on pages of headers ends nothing.
        self.is_last = page.is_last && !is_header;
        self.take(page)?;
        Ok(true)
    }

    fn note(&mut self, kind: RepairKind, detail: String) {
        self.between.notes.push(Note { kind, detail: Some(detail) });
    }

    /// Places the packets of a page.
    fn take(&mut self, mut page: PagePackets) -> Result<(), DecodeError> {
        if page.left_out > 0 {
            self.note(RepairKind::LeftOut, format!("{} bytes first", page.left_out));
        }
        if page.is_torn {
            if self.end.is_none() {
                // Its place shows missing sound; comments have none.
                let detail = "pages before its audio, such as its comments".to_owned();
                self.note(RepairKind::LeftOut, detail);
            }
            self.between.is_torn = true;
            self.timing.tear();
        }
        // Behind a hole the driver makes the first block silent.
        let is_first = self.end.is_none() && !page.is_torn;
        let mut timed = Vec::with_capacity(page.packets.len());
        for packet in std::mem::take(&mut page.packets) {
            if !self.timing.is_sound(&packet) {
                continue;
            }
            match self.timing.timed(packet) {
                Some(packet) if is_first => timed.push(packet),
                Some(packet) => timed.push(Timed { silent: 0, ..packet }),
                None if self.damaged.is_repaired() => {
                    self.between.is_torn = true;
                    self.timing.tear();
                }
                None => return Err(DecodeError::damaged("a packet is broken")),
            }
        }
        if timed.is_empty() {
            return Ok(());
        }
        let all: u64 = timed.iter().map(|packet| packet.frames).sum();
        let silent: u64 = timed.iter().map(|packet| packet.silent).sum();
        let start = self.place(&page, signed(all), signed(silent))?;
        // The last page may state less than it holds: the rest is padding.
        let padding = self.stated_end.saturating_sub(page.granule.cast_signed()).max(0);
        let kept_end = start.saturating_add(signed(all) - if page.is_last { padding } else { 0 });
        let mut place = start;
        for packet in timed {
            let at = place;
            place = at.saturating_add(signed(packet.frames));
            let beyond = place.saturating_sub(kept_end).max(0);
            let trim_end = beyond.unsigned_abs().min(packet.frames - packet.silent);
            self.ready.push_back(
                PacketBuilder::new()
                    .track_id(0)
                    .pts(Timestamp::new(at))
                    .dur(Duration::new(packet.frames - packet.silent - trim_end))
                    .data(packet.data)
                    .trim_start(Duration::new(packet.silent))
                    .trim_end(Duration::new(trim_end))
                    .build(),
            );
        }
        self.end = Some(place);
        if !page.is_last || padding == 0 {
            self.deviation =
                self.deviation.max(self.stated_end.abs_diff(page.granule.cast_signed()));
        }
        self.stated_end = page.granule.cast_signed();
        Ok(())
    }

    /// Where the packets of a page start that hold `all` frames, `silent` of them no sound; the first
    /// frame is at 0. Moves the stated end behind them.
    ///
    /// They follow those before, whatever the page's position: some encoders state one that is off and
    /// go back with the next page, and libvorbis delivers all that packets hold. Only where pages are
    /// missing the positions show how much.
    fn place(&mut self, page: &PagePackets, all: i64, silent: i64) -> Result<i64, DecodeError> {
        let by_position = page.granule.cast_signed().saturating_sub(all);
        let (start, stated_start) = match self.end {
            Some(end) if page.is_torn => {
                let missing = by_position.saturating_sub(self.stated_end).max(0);
                (end.saturating_add(missing), self.stated_end.saturating_add(missing))
            }
            Some(end) => (end, self.stated_end),
            None => {
                let is_short = page.is_last && by_position.saturating_add(silent) <= 0;
                let stated_start = if is_short { -silent } else { by_position };
                (self.first_place(stated_start, page.is_torn)?, stated_start)
            }
        };
        self.stated_end = stated_start.saturating_add(all);
        Ok(start)
    }

    /// The place of the first frame by the position of the first page: a stream that was cut from a
    /// longer one starts later than 0.
    fn first_place(&self, stated: i64, is_torn: bool) -> Result<i64, DecodeError> {
        let is_early = stated < 0 && self.timing.pre_skip() > 0;
        if is_early && !self.damaged.is_repaired() {
            return Err(DecodeError::damaged("its first page states a position that is too early"));
        }
        // What is missing before the first page belongs to the sound.
        let place = if is_torn { stated } else { stated.min(0) };
        Ok(place.saturating_sub(self.timing.pre_skip()))
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Packets for PagedPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            if let Some(packet) = self.ready.pop_front() {
                return Ok(Some(packet));
            }
            if !self.advance()? {
                return Ok(None);
            }
        }
    }

    fn rewind(self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        Ok(Box::new(self.begin_again()?))
    }

    fn between(&mut self) -> Between {
        std::mem::take(&mut self.between)
    }
}
