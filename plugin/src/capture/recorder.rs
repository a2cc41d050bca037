//! The audio thread's side of a capture.

use super::progress::Progress;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time that the ring holds: a disk may stall for ten seconds, and the writer looks at the ring only now
/// and then.
pub(super) const RING_TIME: Duration = Duration::from_secs(12);

/// Gaps the writer may be behind by; more of them become one.
const GAPS_MAX: usize = 256;

/// How long an offline render waits for room before it looks again.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// How long it waits for a disk that takes nothing: then it loses frames, as real time does, until there is room.
const STALL_TIME: Duration = Duration::from_secs(10);

/// Frames that were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Frame of the capture at which it begins.
    pub(super) at: u64,
    pub(super) frames: u64,
}

/// What the writer reads from.
#[derive(Debug)]
pub(super) struct Rings {
    /// Interleaved.
    pub(super) samples: Consumer<f32>,
    pub(super) gaps: Consumer<Gap>,
}

/// What happens when the ring is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The audio thread cannot wait: frames are lost, and counted.
    RealTime,
    /// An offline render waits for the writer, [`STALL_TIME`] at most.
    Offline,
}

/// Hands samples over to the writer. Everything but making it is real-time, unless an offline render
/// waits.
#[derive(Debug)]
pub(crate) struct Recorder {
    samples: Producer<f32>,
    gaps: Producer<Gap>,
    channel_count: usize,
    /// Frames of the capture so far, lost ones included.
    position: u64,
    /// A gap that the writer does not know of yet.
    gap: Option<Gap>,
    /// The disk takes nothing: nobody waits for it any more.
    has_stalled: bool,
    pub(super) stall_time: Duration,
    progress: Arc<Progress>,
}

impl Recorder {
    /// A recorder for a stream and what the writer reads. Allocates: 12 s of samples.
    pub(super) fn new(
        channel_count: usize,
        sample_rate_hz: u32,
        progress: Arc<Progress>,
    ) -> (Self, Rings) {
        let frames = u64::from(sample_rate_hz) * RING_TIME.as_secs();
        let frames = usize::try_from(frames).unwrap_or(usize::MAX);
        let (samples, sample_reader) = RingBuffer::new(frames.saturating_mul(channel_count));
        let (gaps, gap_reader) = RingBuffer::new(GAPS_MAX);
        let recorder = Self {
            samples,
            gaps,
            channel_count,
            position: 0,
            gap: None,
            has_stalled: false,
            stall_time: STALL_TIME,
            progress,
        };
        (recorder, Rings { samples: sample_reader, gaps: gap_reader })
    }

    /// Records one block: as many planes as the stream has channels, of one length. A block that finds
    /// no room is lost as a whole; its place in the file is silent.
    pub(crate) fn record(&mut self, planes: &[&mut [f32]], timing: Timing) {
        let frame_count = planes.first().map_or(0, |plane| plane.len());
        if frame_count == 0 || planes.len() != self.channel_count {
            return;
        }
        let (mut start, mut waits_since) = (0, None);
        while start < frame_count {
            // An offline block may be longer than the whole ring.
            let count = match timing {
                Timing::RealTime => frame_count,
                Timing::Offline => {
                    let room = self.samples.buffer().capacity() / self.channel_count;
                    (frame_count - start).min(room.max(1))
                }
            };
            let is_in = self.push_gap() && self.push(planes, start, count).is_ok();
            let may_wait = timing == Timing::Offline && !self.samples.is_abandoned();
            if !is_in && may_wait && !self.has_stalled {
                let since = *waits_since.get_or_insert_with(Instant::now);
                self.has_stalled = since.elapsed() >= self.stall_time;
                std::thread::park_timeout(LOOK_INTERVAL);
                continue;
            }
            (self.has_stalled, waits_since) = (self.has_stalled && !is_in, None);
            if !is_in {
                self.lose(count as u64);
            }
            self.position += count as u64;
            self.progress.add_recorded(count as u64);
            start += count;
        }
    }

    /// Where in the song the first frame is, in frames.
    pub(super) fn begin_at(&self, place: Option<i64>) {
        if let Some(place) = place {
            self.progress.set_start(place);
        }
    }

    /// Frames before the recorder was there: lost, and their place in the file is silent.
    pub(super) fn miss(&mut self, frames: u64) {
        if frames > 0 {
            self.lose(frames);
            self.position += frames;
            self.progress.add_recorded(frames);
        }
    }

    fn push(
        &mut self,
        planes: &[&mut [f32]],
        start: usize,
        count: usize,
    ) -> Result<(), ChunkError> {
        let chunk = self.samples.write_chunk_uninit(count * self.channel_count)?;
        let frames = start..start + count;
        if let [left, right] = planes {
            // The usual case, without looking for the plane of every sample.
            let pairs = left[frames.clone()].iter().zip(&right[frames]);
            chunk.fill_from_iter(pairs.flat_map(|(&left, &right)| [left, right]));
            return Ok(());
        }
        chunk.fill_from_iter(frames.flat_map(|frame| planes.iter().map(move |plane| plane[frame])));
        Ok(())
    }

    fn lose(&mut self, frames: u64) {
        self.progress.add_lost(frames);
        let gap = self.gap.get_or_insert(Gap { at: self.position, frames: 0 });
        gap.frames += frames;
    }

    /// Notifies the writer of a gap before anything that follows it; `false` while there is no room for it.
    fn push_gap(&mut self) -> bool {
        let Some(gap) = self.gap else { return true };
        let is_pushed = self.gaps.push(gap).is_ok();
        if is_pushed {
            self.gap = None;
        }
        is_pushed
    }

    /// Ends the capture; a gap at its end is reported if there is room, else it stays counted only.
    /// The recorder itself is to be dropped elsewhere: it may free the ring.
    pub(crate) fn finish(&mut self) {
        self.push_gap();
        self.progress.finish();
    }

    #[cfg(test)]
    pub(super) fn has_stalled(&self) -> bool {
        self.has_stalled
    }

    /// The progress of this capture.
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}
