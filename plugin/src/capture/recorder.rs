//! The audio thread's side of a capture.

use super::progress::Progress;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::time::Duration;

/// Time that the ring holds: a disk may stall for ten seconds, and the writer looks at the ring only now
/// and then.
pub(super) const RING_TIME: Duration = Duration::from_secs(12);

/// Gaps the writer may be behind by; more of them become one.
const GAPS_MAX: usize = 256;

/// How long an offline render waits for room before it looks again.
const PATIENCE: Duration = Duration::from_millis(1);

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
pub enum Haste {
    /// The audio thread cannot wait: frames are lost, and counted.
    RealTime,
    /// An offline render waits for the writer.
    Offline,
}

/// Hands samples over to the writer. Everything but making it is real-time, unless an offline render
/// waits.
#[derive(Debug)]
pub struct Recorder {
    samples: Producer<f32>,
    gaps: Producer<Gap>,
    channel_count: usize,
    /// Frames of the capture so far, lost ones included.
    position: u64,
    /// A gap that the writer does not know of yet.
    gap: Option<Gap>,
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
        let recorder = Self { samples, gaps, channel_count, position: 0, gap: None, progress };
        (recorder, Rings { samples: sample_reader, gaps: gap_reader })
    }

    /// Records one block: as many planes as the stream has channels, of one length. A block that finds
    /// no room is lost as a whole; its place in the file is silent.
    pub fn record(&mut self, planes: &[&mut [f32]], haste: Haste) {
        let frame_count = planes.first().map_or(0, |plane| plane.len());
        if frame_count == 0 || planes.len() != self.channel_count {
            return;
        }
        let mut start = 0;
        while start < frame_count {
            // An offline block may be longer than the whole ring.
            let count = match haste {
                Haste::RealTime => frame_count,
                Haste::Offline => {
                    let room = self.samples.buffer().capacity() / self.channel_count;
                    (frame_count - start).min(room.max(1))
                }
            };
            let is_in = self.tell_gap() && self.push(planes, start, count).is_ok();
            if !is_in && haste == Haste::Offline && !self.samples.is_abandoned() {
                std::thread::park_timeout(PATIENCE);
                continue;
            }
            if !is_in {
                self.lose(count as u64);
            }
            self.position += count as u64;
            self.progress.add_recorded(count as u64);
            start += count;
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
        chunk.fill_from_iter(frames.flat_map(|frame| planes.iter().map(move |plane| plane[frame])));
        Ok(())
    }

    fn lose(&mut self, frames: u64) {
        self.progress.add_lost(frames);
        let gap = self.gap.get_or_insert(Gap { at: self.position, frames: 0 });
        gap.frames += frames;
    }

    /// Tells the writer of a gap before anything that follows it; `false` while it cannot be told.
    fn tell_gap(&mut self) -> bool {
        let Some(gap) = self.gap else { return true };
        let is_told = self.gaps.push(gap).is_ok();
        if is_told {
            self.gap = None;
        }
        is_told
    }

    /// Ends the capture; a gap at its end is told if there is room, else it stays counted only.
    /// The recorder itself is to be dropped elsewhere: it may free the ring.
    pub fn finish(&mut self) {
        self.tell_gap();
        self.progress.finish();
    }

    /// What this capture tells.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}
