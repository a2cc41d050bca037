//! What the driver makes of damage, and of pauses where times are those of a player: silence in the place of packets that are missing or cannot be
//! decoded, so that what follows stays where it belongs.

use super::{CodedDecoder, NextOutput, UNKNOWN_PLACE, audio_frames, failed_before};
use crate::decode::repair::{Ledger, RepairKind};
use crate::decode::{Damaged, DecodeError, StreamInfo};
use std::ops::Range;
use symphonia::core::packet::Packet;
use wavemill_audio::units::Frames;

/// How far, in parts of a second, a time may be off that containers round to milliseconds: both ends of
/// a stretch by half of one, and a little for clocks.
const ROUNDING: u32 = 500;

/// What is known while a damaged stream is decoded.
pub(super) struct Repairer {
    pub(super) ledger: Ledger,
    damaged: Damaged,
    /// Frames by the header.
    promised: Option<Frames>,
    /// A packet that silence comes before.
    ahead: Option<Packet>,
    is_over: bool,
    has_decoded: bool,
    /// Whether the codec forgot what came before, and its first block is no sound for that.
    is_fresh: bool,
    counted: FrameCounts,
}

/// What is learned of packets that do not know how many frames they hold.
#[derive(Clone, Copy, Debug, Default)]
struct FrameCounts {
    /// Frames of each packet so far, where all had the same.
    usual: Option<u64>,
    varies: bool,
    /// By how much the last time was later than what was counted.
    late: i64,
    /// Whether frames are known to be missing since then.
    is_torn: bool,
}

/// How a packet follows the one before.
enum Follows {
    At,
    /// So many frames later.
    After(u64),
    /// It holds what was delivered already.
    Within,
}

impl Repairer {
    /// Takes the promised length from `info`, where damage is repaired: it is none that will be kept.
    pub(super) fn new(info: &mut StreamInfo, damaged: Damaged) -> Self {
        Self {
            ledger: Ledger::new(info.spec.sample_rate),
            damaged,
            promised: if damaged.is_repaired() { info.frame_count.take() } else { None },
            ahead: None,
            is_over: false,
            has_decoded: false,
            is_fresh: false,
            counted: FrameCounts::default(),
        }
    }

    /// Whether damage is refused, so that only pauses are filled.
    pub(super) fn is_strict(&self) -> bool {
        !self.damaged.is_repaired()
    }

    pub(super) fn rewind(&mut self) {
        self.ledger.rewind();
        self.ahead = None;
        (self.is_over, self.has_decoded, self.is_fresh) = (false, false, false);
        self.counted = FrameCounts::default();
    }
}

impl CodedDecoder {
    fn repairer(&mut self) -> &mut Repairer {
        self.repairer.as_mut().expect("is called where damage is repaired")
    }

    /// Makes ready what comes next, which may be nothing for once; `false` at the end.
    pub(super) fn repair_next(&mut self) -> Result<bool, DecodeError> {
        let Some(packet) = self.take_packet()? else {
            self.repair_end()?;
            return Ok(false);
        };
        let at = self.position;
        match self.follows(&packet) {
            Follows::At => self.repair_decode(&packet)?,
            Follows::After(count) => {
                let kept = count - self.cut_delay(count);
                if self.repairer().is_strict() {
                    self.repairer().ledger.pause(at, kept)?;
                } else {
                    self.repairer().ledger.missing(at, kept)?;
                    self.forget()?;
                }
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.expected = self.expected.and_then(|expected| expected.checked_add(count));
                self.pending = NextOutput::Silent(kept);
                self.repairer().ahead = Some(packet);
            }
            Follows::Within if self.repairer().is_strict() => {
                return Err(self.damaged("part of it is missing or unreadable"));
            }
            Follows::Within => {
                self.repairer().ledger.note(RepairKind::LeftOut, at, 1, 0);
            }
        }
        Ok(true)
    }

    /// The next packet. Where the container cannot be read any further, the stream ends.
    fn take_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        if let Some(packet) = self.repairer().ahead.take() {
            return Ok(Some(packet));
        }
        if self.repairer().is_over {
            return Ok(None);
        }
        let packets = self.packets.as_mut().ok_or_else(failed_before)?;
        let next = packets.next();
        let between = packets.between();
        let at = self.position;
        for note in between.notes {
            self.repairer().ledger.take(note, at);
        }
        if between.is_torn {
            self.repairer().counted.is_torn = true;
            self.forget()?;
        }
        let is_strict = self.repairer().is_strict();
        match next {
            Err(error) if is_strict => Err(error),
            Err(error @ (DecodeError::Damaged { .. } | DecodeError::Truncated { .. })) => {
                let repair = self.repairer().ledger.note(RepairKind::CutShort, at, 1, 0);
                repair.detail = Some(error.detail());
                Ok(None)
            }
            other => other,
        }
    }

    /// Notes how the stream ends, once.
    fn repair_end(&mut self) -> Result<(), DecodeError> {
        let (position, repairer) = (self.position, self.repairer());
        if std::mem::replace(&mut repairer.is_over, true) {
            return Ok(());
        }
        if repairer.is_strict() {
            return self.check_end();
        }
        let repairs = repairer.ledger.repairs();
        if !repairer.has_decoded
            && (repairer.promised.is_some_and(|it| it.0 > 0) || !repairs.is_empty())
        {
            return Err(DecodeError::damaged("none of it can be decoded"));
        }
        match repairer.promised {
            Some(promised) if position < promised.0 => {
                let repair = repairer.ledger.note(RepairKind::CutShort, position, 1, 0);
                repair.count = 1;
                repair.detail = Some(format!("its header states {promised}"));
            }
            Some(promised) if position > promised.0 => {
                let repair = repairer.ledger.note(RepairKind::Longer, promised.0, 1, 0);
                repair.detail = Some(format!("by {}", Frames(position - promised.0)));
            }
            _ => {}
        }
        // The checksum of samples that were not repaired still decides: see `needs_checksum`.
        if self.is_verified && !self.codec.is_right() {
            return Err(super::too_wide());
        }
        Ok(())
    }

    /// How a packet follows the one before.
    fn follows(&mut self, packet: &Packet) -> Follows {
        let place = packet.pts.get();
        if self.counting.is_some() {
            return self.follows_by_time(place);
        }
        let expected = *self.expected.get_or_insert(place.min(0));
        let follows = match place.saturating_sub(expected) {
            0 => Follows::At,
            late @ 1.. => return Follows::After(late.unsigned_abs()),
            _ => return Follows::Within,
        };
        let duration = i64::try_from(packet.block_dur().get()).unwrap_or(i64::MAX);
        self.expected = place.checked_add(duration);
        follows
    }

    /// The same where times are rounded and the decoder counts.
    fn follows_by_time(&mut self, place: i64) -> Follows {
        if place == UNKNOWN_PLACE {
            return Follows::At;
        }
        let expected = *self.expected.get_or_insert(place);
        let drift = self.counting.map_or(0, |counting| counting.drift);
        let rounding = i64::from(self.info.spec.sample_rate.0 / ROUNDING);
        let is_strict = self.repairer().is_strict();
        let counted = &mut self.repairer().counted;
        let late = place.saturating_sub(expected);
        let missing = late - counted.late;
        let is_torn = std::mem::take(&mut counted.is_torn);
        if is_strict && missing < -drift {
            return Follows::Within;
        }
        let is_hole = missing > if is_torn { rounding } else { drift };
        if !is_hole {
            counted.late = late;
            return Follows::At;
        }
        // Packets of one length were lost as wholes.
        let usual = counted.usual.filter(|_| !counted.varies).map_or(1, u64::cast_signed);
        let whole = (missing + usual / 2) / usual * usual;
        let exact = if (whole - missing).abs() <= rounding { whole } else { missing };
        if exact > 0 { Follows::After(exact.unsigned_abs()) } else { Follows::At }
    }

    /// Decodes a packet; silence of its length where that fails.
    fn repair_decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let at = self.position;
        if packet.data.is_empty() && !self.repairer().is_strict() {
            let kept = audio_frames(packet);
            self.pending = NextOutput::Silent(kept.end - kept.start);
            return self.repairer().ledger.missing(at, kept.end - kept.start);
        }
        let has_decoded = self.repairer().has_decoded;
        let is_strict = self.repairer().is_strict();
        match self.decode(packet) {
            Err(error) if is_strict => return Err(error),
            Ok(range) => {
                return self.note_decoded(range);
            }
            Err(error @ (DecodeError::Io(_) | DecodeError::OutOfLimits { .. })) => {
                return Err(error);
            }
            Err(error @ DecodeError::Unsupported { .. }) if !has_decoded || self.is_verified => {
                return Err(error);
            }
            _ => {}
        }
        let frame_count = if self.counting.is_some() {
            let usual = self.repairer().counted.usual.unwrap_or(0);
            self.repairer().counted.is_torn = true;
            let signed = i64::try_from(usual).unwrap_or(i64::MAX);
            self.expected = self.expected.and_then(|expected| expected.checked_add(signed));
            usual - self.cut_delay(usual)
        } else {
            let kept = audio_frames(packet);
            kept.end - kept.start
        };
        self.repairer().ledger.note(RepairKind::Undecodable, at, 1, frame_count);
        self.pending = NextOutput::Silent(frame_count);
        // A block of Vorbis is found by the length of the one before.
        if self.setup.is_vorbis() { Ok(()) } else { self.forget() }
    }

    /// Learns from frames that were decoded, and delivers them.
    fn note_decoded(&mut self, range: Range<usize>) -> Result<(), DecodeError> {
        let at = self.position;
        let frame_count = self.codec.frame_count() as u64;
        let repairer = self.repairer();
        repairer.has_decoded = true;
        if std::mem::take(&mut repairer.is_fresh) {
            // The block before is not known, so this one is no sound yet.
            self.pending = NextOutput::Silent(range.len() as u64);
            return self.repairer().ledger.missing(at, range.len() as u64);
        }
        let usual = *repairer.counted.usual.get_or_insert(frame_count);
        repairer.counted.varies |= usual != frame_count;
        self.pending = NextOutput::Decoded(range);
        Ok(())
    }

    /// Lets the codec forget what it knows of packets before.
    fn forget(&mut self) -> Result<(), DecodeError> {
        self.codec.forget()?;
        self.repairer().is_fresh = self.setup.is_vorbis();
        Ok(())
    }

    /// Frames of `count` that belong to the delay before the sound.
    fn cut_delay(&mut self, count: u64) -> u64 {
        let Some(counting) = &mut self.counting else { return 0 };
        let cut = counting.delay_left.min(count);
        counting.delay_left -= cut;
        cut
    }
}
