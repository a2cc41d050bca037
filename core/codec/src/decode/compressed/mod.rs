//! Compressed audio: packets go through a Symphonia decoder, and what comes out is held against the
//! places the container gives it.
//!
//! Symphonia skips what it cannot read, as a player should. Here every frame must come out, so the
//! driver follows the packets' timestamps: a hole is an error, or what [`repairing`] makes of it.

mod codec;
mod repairing;

use super::repair::Note;
use super::window::Fault;
use super::{Damaged, DecodeError, Decoder, Repair, StreamInfo, pcm};
pub(super) use codec::{Codec, Setup};
use repairing::Repairer;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;
use wavemill_audio::limits::PACKET_FRAMES_MAX;
use wavemill_audio::units::{Frames, Seconds};
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat, Samples};

/// Where a stream's packets come from.
///
/// Timestamps and durations are in frames; those that the packet's `trim_start` and `trim_end` or a
/// negative timestamp exclude are no part of the audio. Where damage is repaired, a packet without data
/// stands for one that is missing.
pub(super) trait Packets: Send {
    /// The next packet, or `None` at the end.
    fn next(&mut self) -> Result<Option<Packet>, DecodeError>;

    /// The packets from the first one on again.
    fn rewind(self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError>;

    /// Frames before the audio, of packets that do not know how many frames they hold: then the
    /// decoder counts, and timestamps only show holes. `None` where packets know.
    fn delay(&self) -> Option<u64> {
        None
    }

    /// What was wrong before the last packet, where damage is repaired; reported once.
    fn between(&mut self) -> Between {
        Between::default()
    }
}

/// What was wrong between two packets.
#[derive(Debug, Default)]
pub(super) struct Between {
    pub(super) notes: Vec<Note>,
    /// Whether packets are missing, so that the codec must not go on from the one before.
    pub(super) is_torn: bool,
}

/// Timestamp of a packet that does not know its place, either: it follows the one before.
#[cfg(feature = "matroska")]
pub(super) const UNKNOWN_PLACE: i64 = i64::MIN;
#[cfg(not(feature = "matroska"))]
const UNKNOWN_PLACE: i64 = i64::MIN;

/// How far a timestamp may be off where packets do not know their lengths: containers round times to
/// milliseconds, and recorders' clocks drift. Less than the shortest hole worth reporting.
#[cfg(feature = "matroska")]
pub(super) const DRIFT_S: f64 = 0.1;
#[cfg(not(feature = "matroska"))]
const DRIFT_S: f64 = 0.1;

/// Frames that a packet's time may be off besides: Vorbis holds back half of its largest block.
const HELD_BACK: i64 = 8192;

/// What is to be delivered next.
#[derive(Clone, Debug)]
enum NextOutput {
    /// These frames of the codec's buffer.
    Decoded(Range<usize>),
    /// So many frames of silence.
    Silent(u64),
}

impl NextOutput {
    const NOTHING: Self = Self::Silent(0);

    fn len(&self) -> u64 {
        match self {
            Self::Decoded(range) => range.len() as u64,
            Self::Silent(count) => *count,
        }
    }
}

/// What is known of packets that do not know how many frames they hold.
#[derive(Clone, Copy, Debug)]
struct FrameCounter {
    /// Frames still to be cut off at the start.
    delay_left: u64,
    drift: i64,
}

impl FrameCounter {
    fn new(packets: &dyn Packets, info: &StreamInfo, setup: &Setup) -> Option<Self> {
        let held_back = if setup.holds_back() { HELD_BACK } else { 0 };
        let drift = Seconds(DRIFT_S).to_frames(info.spec.sample_rate).0.cast_signed() + held_back;
        packets.delay().map(|delay_left| Self { delay_left, drift })
    }
}

/// Decodes [`Packets`].
pub(super) struct CodedDecoder {
    info: StreamInfo,
    setup: Setup,
    /// Whether the samples are to be held against a checksum.
    is_verified: bool,
    /// `None` after a failure: nothing more can be had.
    packets: Option<Box<dyn Packets>>,
    codec: Box<dyn Codec>,
    fault: Fault,
    counting: Option<FrameCounter>,
    /// Timestamp the next packet must have.
    expected: Option<i64>,
    /// Frames that were not delivered yet.
    pending: NextOutput,
    /// Frames delivered.
    position: u64,
    /// Where damage is repaired.
    repairer: Option<Repairer>,
}

impl CodedDecoder {
    /// A decoder of `packets` by the codec that `setup` describes.
    ///
    /// What is to be repaired is delivered as far as it goes: its length is known at the end only.
    pub(super) fn open(
        mut info: StreamInfo,
        packets: Box<dyn Packets>,
        setup: impl Into<Setup>,
        fault: Fault,
        damaged: Damaged,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let setup = setup.into();
        // Where times are those of a player, they may pause.
        let may_fill_holes = damaged.is_repaired() || packets.delay().is_some();
        let repairer = may_fill_holes.then(|| Repairer::new(&mut info, damaged));
        Ok(Box::new(Self {
            repairer,
            codec: setup.make(&fault)?,
            counting: FrameCounter::new(packets.as_ref(), &info, &setup),
            info,
            is_verified: setup.is_verified(),
            setup,
            packets: Some(packets),
            fault,
            expected: None,
            pending: NextOutput::NOTHING,
            position: 0,
        }))
    }

    /// Decodes packets until there are frames to deliver; `false` at the end.
    fn fill(&mut self) -> Result<bool, DecodeError> {
        while self.pending.len() == 0 {
            if self.repairer.is_some() {
                if !self.repair_next()? {
                    return Ok(false);
                }
                continue;
            }
            let Some(packets) = &mut self.packets else { return Err(failed_before()) };
            let Some(packet) = packets.next()? else {
                self.check_end()?;
                return Ok(false);
            };
            self.check_place(&packet)?;
            self.pending = NextOutput::Decoded(self.decode(&packet)?);
        }
        Ok(true)
    }

    /// Fails when the packet does not follow the one before.
    fn check_place(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let timestamp = match (packet.pts.get(), self.expected) {
            (UNKNOWN_PLACE, expected) => expected.unwrap_or(0),
            (timestamp, _) => timestamp,
        };
        let drift = self.counting.map_or(0, |counting| counting.drift).unsigned_abs();
        if self.expected.is_some_and(|expected| expected.abs_diff(timestamp) > drift) {
            return Err(self.damaged("part of it is missing or unreadable"));
        }
        // Where the decoder counts, its frames are added later.
        let duration = self.counting.map_or_else(|| packet.block_dur().get(), |_| 0);
        let duration = i64::try_from(duration).ok();
        self.expected = duration.and_then(|duration| timestamp.checked_add(duration));
        Ok(())
    }

    /// Decodes a packet and returns which frames of the codec's buffer are audio.
    fn decode(&mut self, packet: &Packet) -> Result<Range<usize>, DecodeError> {
        match self.codec.decode(packet) {
            Ok(()) => {}
            Err(DecodeError::Damaged { .. }) if self.is_verified => return Err(too_wide()),
            Err(DecodeError::Damaged { reason }) => return Err(self.damaged(&reason)),
            Err(error) => return Err(error),
        }
        let frame_count = self.codec.frame_count() as u64;
        if self.codec.channel_count() != self.info.spec.channel_count() {
            return Err(self.damaged("the number of channels changes"));
        }
        let is_stated = self.counting.is_none();
        if is_stated && frame_count != packet.block_dur().get() || frame_count > PACKET_FRAMES_MAX.0
        {
            return Err(self.damaged("a packet has an unexpected number of frames"));
        }
        let before_start = match &mut self.counting {
            // Frames before time 0 are cut as well.
            None => packet.pts.get().min(0).unsigned_abs(),
            Some(counting) => {
                let counted = i64::try_from(frame_count).unwrap_or(i64::MAX);
                self.expected = self.expected.and_then(|expected| expected.checked_add(counted));
                let cut = counting.delay_left.min(frame_count);
                counting.delay_left -= cut;
                cut
            }
        };
        let Range { start, end } = kept(packet, frame_count, before_start);
        Ok(Frames(start).as_usize()..Frames(end).as_usize())
    }

    /// Fails unless what was delivered is what the header promised.
    fn check_end(&mut self) -> Result<(), DecodeError> {
        self.check_count()?;
        if self.is_verified && !self.codec.is_right() {
            return Err(too_wide());
        }
        // Once is enough: the checksum of nothing more is another one.
        self.is_verified = false;
        Ok(())
    }

    fn check_count(&self) -> Result<(), DecodeError> {
        match self.info.frame_count {
            Some(promised) if self.position < promised.0 => {
                Err(DecodeError::truncated(promised, Frames(self.position)))
            }
            Some(promised) if self.position > promised.0 => Err(DecodeError::damaged(format!(
                "its header states {promised}, but there are {}",
                self.position
            ))),
            _ => Ok(()),
        }
    }

    fn damaged(&self, reason: &str) -> DecodeError {
        DecodeError::damaged(format!("{reason} near frame {}", self.position))
    }

    /// Copies pending frames.
    fn deliver(&mut self, out: &mut Samples, frame_count: usize) -> Result<(), DecodeError> {
        let range = match &mut self.pending {
            NextOutput::Decoded(range) => {
                let start = range.start;
                range.start += frame_count;
                start..range.start
            }
            NextOutput::Silent(count) => {
                *count -= frame_count as u64;
                self.position += frame_count as u64;
                codec::silence(out, frame_count);
                return Ok(());
            }
        };
        self.codec.copy(range, out)?;
        if let Samples::Float { planes } = out {
            match self.repairer.as_mut().filter(|repairer| !repairer.is_strict()) {
                Some(repairer) => repairer.ledger.repair_floats(planes, Frames(self.position)),
                None => pcm::check_finite(planes, Frames(self.position))?,
            }
        }
        self.position += frame_count as u64;
        Ok(())
    }

    fn try_read(
        &mut self,
        out: &mut Samples,
        frame_count_max: usize,
    ) -> Result<usize, DecodeError> {
        let channel_count = self.info.spec.channel_count();
        let is_shaped = out.channel_count() == channel_count && self.holds(out);
        if !is_shaped {
            *out = Samples::empty(self.info.format, channel_count);
        }
        if frame_count_max == 0 || !self.fill()? {
            out.clear();
            return Ok(0);
        }
        let frame_count = Frames(self.pending.len().min(frame_count_max as u64)).as_usize();
        self.deliver(out, frame_count)?;
        Ok(frame_count)
    }

    fn holds(&self, out: &Samples) -> bool {
        match self.info.format.sample_format {
            SampleFormat::Int => out.format() == self.info.format,
            SampleFormat::Float => out.format() == PcmFormat::FLOAT,
        }
    }
}

impl Decoder for CodedDecoder {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, out: &mut Samples, frame_count_max: usize) -> Result<usize, DecodeError> {
        let result = self.try_read(out, frame_count_max);
        if result.is_err() {
            self.packets = None;
            self.pending = NextOutput::NOTHING;
        }
        result
    }

    fn rewind(&mut self) -> Result<(), DecodeError> {
        let packets = self.packets.take();
        let packets = packets.ok_or_else(failed_before)?;
        let packets = packets.rewind()?;
        self.counting = FrameCounter::new(packets.as_ref(), &self.info, &self.setup);
        self.packets = Some(packets);
        // A new one: to forget does not start a checksum again.
        self.codec = self.setup.make(&self.fault)?;
        self.is_verified = self.setup.is_verified();
        self.expected = None;
        self.pending = NextOutput::NOTHING;
        self.position = 0;
        if let Some(repairer) = &mut self.repairer {
            repairer.rewind();
        }
        Ok(())
    }

    fn repairs(&self) -> Vec<Repair> {
        self.repairer.as_ref().map_or_else(Vec::new, |repairer| repairer.ledger.repairs())
    }
}

/// Which of a packet's frames are audio, where it knows how many it holds.
pub(super) fn audio_frames(packet: &Packet) -> Range<u64> {
    let before_start = packet.pts.get().min(0).unsigned_abs();
    kept(packet, packet.block_dur().get(), before_start)
}

/// Which of the `frame_count` frames of a packet are audio, of which the first `before_start` are none.
fn kept(packet: &Packet, frame_count: u64, before_start: u64) -> Range<u64> {
    let start = packet.trim_start.get().max(before_start).min(frame_count);
    start..frame_count.saturating_sub(packet.trim_end.get()).max(start)
}

fn failed_before() -> DecodeError {
    DecodeError::damaged("decoding failed before")
}

/// What stands against a verified stream: see [`super::flac::needs_checksum`].
fn too_wide() -> DecodeError {
    DecodeError::unsupported("32-bit FLAC with coupled channels")
}

/// Calls Symphonia. A panic of it, as damaged files have caused, becomes an error.
pub(super) fn guard<T>(
    fault: &Fault,
    call: impl FnOnce() -> Result<T, Error>,
) -> Result<T, DecodeError> {
    let result = catch_unwind(AssertUnwindSafe(call))
        .map_err(|_| DecodeError::damaged("the decoder gave up on it"))?;
    result.map_err(|error| match (fault.take(), error) {
        (Some(error), _) => DecodeError::Io(error),
        (None, error) => meaning(error),
    })
}

/// What an error of Symphonia means for a file that is there as a whole.
fn meaning(error: Error) -> DecodeError {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::truncated("more", "no more bytes")
        }
        // The bit readers report running out of a packet this way.
        Error::IoError(error) if error.kind() == std::io::ErrorKind::Other => {
            DecodeError::damaged(format!("{error}"))
        }
        Error::IoError(error) => DecodeError::Io(error),
        Error::DecodeError(reason) => DecodeError::damaged(reason),
        Error::LimitError(reason) => DecodeError::damaged(format!("{reason} exceeds the limit")),
        Error::Unsupported(what) => DecodeError::unsupported(what),
        Error::ResetRequired => DecodeError::unsupported("several streams one after another"),
        other => DecodeError::damaged(other.to_string()),
    }
}

/// The channels that a decoder delivers.
pub(super) fn delivered_layout(
    params: &AudioCodecParameters,
) -> Result<ChannelLayout, DecodeError> {
    codec::delivered_layout(params)
}

/// The layout of a stream's channels.
pub(super) fn layout(channels: &Channels) -> ChannelLayout {
    let count = channels.count();
    match channels {
        // One channel is mono, wherever it is said to stand. Symphonia's first 18 positions are the
        // bits of the WAVE mask.
        Channels::Positioned(positions) if count > 1 => match u32::try_from(positions.bits()) {
            Ok(mask) if mask >> 18 == 0 => ChannelLayout::from_mask(mask, count),
            _ => ChannelLayout::usual(count),
        },
        _ => ChannelLayout::usual(count),
    }
}
