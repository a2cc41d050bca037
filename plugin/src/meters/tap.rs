//! The latest samples, for what looks at them beside the audio thread: spectrum, vectorscope, tempo and key.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

/// Frames kept: four times what the largest display looks at, so that the audio thread does not overtake
/// a reader within a frame of the editor. 85 ms at 384 kHz, 0.7 s at 48 kHz.
pub(super) const FRAMES: usize = 32_768;

/// Channels that are shown: the front left and right ones, or the only one.
const CHANNELS: usize = 2;

/// The oldest frames are no longer read: the audio thread may be writing there, some blocks ahead of what it said.
const MARGIN: u64 = 4096;

/// A ring of samples, written by the audio thread while the editor is open.
#[derive(Debug)]
pub struct Tap {
    samples: Box<[[AtomicU32; CHANNELS]]>,
    /// Frames written since the beginning.
    position: AtomicU64,
    /// Where the frames begin that belong together: when writing, or the meters, began anew.
    start: AtomicU64,
    /// Whether someone looks: nothing is written otherwise.
    is_open: AtomicBool,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            samples: (0..FRAMES).map(|_| [const { AtomicU32::new(0) }; CHANNELS]).collect(),
            position: AtomicU64::new(0),
            start: AtomicU64::new(0),
            is_open: AtomicBool::new(false),
        }
    }
}

impl Tap {
    /// Begins or ends writing.
    pub(crate) fn open(&self, is_open: bool) {
        if is_open {
            self.begin();
        }
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    /// Whether someone looks.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// What follows has nothing to do with what came before. Real-time.
    pub(crate) fn begin(&self) {
        self.start.store(self.position.load(Ordering::Relaxed), Ordering::Release);
    }

    /// The first frame that belongs together with the latest ones.
    pub fn start(&self) -> u64 {
        self.start.load(Ordering::Acquire)
    }

    /// Keeps samples of two channels, or twice of one. Real-time.
    pub(crate) fn push(&self, left: &[f32], right: &[f32]) {
        if !self.is_open.load(Ordering::Relaxed) {
            return;
        }
        let position = self.position.load(Ordering::Relaxed);
        for (offset, (left, right)) in left.iter().zip(right).enumerate() {
            let frame = &self.samples[index(position + offset as u64)];
            frame[0].store(left.to_bits(), Ordering::Relaxed);
            frame[1].store(right.to_bits(), Ordering::Relaxed);
        }
        self.position.store(position + left.len() as u64, Ordering::Release);
    }

    /// Frames written since the beginning.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Copies the latest frames, oldest first; silence where there were none yet.
    pub(crate) fn latest(&self, left: &mut [f32], right: &mut [f32]) {
        let end = self.position();
        let count = left.len().min(right.len()) as u64;
        for (offset, (left, right)) in left.iter_mut().zip(right).enumerate() {
            let back = count - offset as u64;
            let Some(position) = end.checked_sub(back) else {
                (*left, *right) = (0.0, 0.0);
                continue;
            };
            [*left, *right] = self.frame(position);
        }
    }

    /// Copies the frames from `first` on, which were written; says whether all of them were still there.
    pub(crate) fn read(&self, first: u64, left: &mut [f32], right: &mut [f32]) -> bool {
        for (position, (left, right)) in (first..).zip(left.iter_mut().zip(right)) {
            [*left, *right] = self.frame(position);
        }
        // Before the samples could be replaced, the position would have been.
        fence(Ordering::Acquire);
        self.position.load(Ordering::Relaxed) + MARGIN <= first + FRAMES as u64
    }

    fn frame(&self, position: u64) -> [f32; CHANNELS] {
        let frame = &self.samples[index(position)];
        [0, 1].map(|channel: usize| f32::from_bits(frame[channel].load(Ordering::Relaxed)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder of a small number")]
fn index(position: u64) -> usize {
    (position % FRAMES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_frames_come_back_across_the_end_of_the_ring() {
        let tap = Tap::default();
        tap.open(true);
        let ramp = |start: u32| -> Vec<f32> {
            (start..start + 3000).map(|n| f32::from(u16::try_from(n).unwrap())).collect()
        };
        for block in 0..12 {
            let left = ramp(block * 3000);
            let right: Vec<f32> = left.iter().map(|sample| -sample).collect();
            tap.push(&left, &right);
        }
        let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
        tap.latest(&mut left, &mut right);
        let first = 36_000 - 8192;
        for (offset, (left, right)) in left.iter().zip(&right).enumerate() {
            let expected = f32::from(u16::try_from(first + offset).unwrap());
            assert_eq!(
                (left.to_bits(), right.to_bits()),
                (expected.to_bits(), (-expected).to_bits())
            );
        }
    }

    #[test]
    fn before_the_first_frame_there_is_silence() {
        let tap = Tap::default();
        tap.open(true);
        tap.push(&[1.0], &[2.0]);
        let (mut left, mut right) = ([9.0; 3], [9.0; 3]);
        tap.latest(&mut left, &mut right);
        assert_eq!((left, right), ([0.0, 0.0, 1.0], [0.0, 0.0, 2.0]));
    }

    #[test]
    fn frames_are_read_in_order_while_they_are_there() {
        let tap = Tap::default();
        tap.open(true);
        let block = |start: u16| (start..start + 1000).map(f32::from).collect::<Vec<f32>>();
        for start in 0..40 {
            tap.push(&block(start * 1000), &block(start * 1000));
        }
        let (mut left, mut right) = ([0.0; 3], [0.0; 3]);
        assert!(tap.read(39_000, &mut left, &mut right));
        assert_eq!((left, right), ([39_000.0, 39_001.0, 39_002.0], left));
        let oldest = 40_000 + MARGIN - FRAMES as u64;
        assert!(tap.read(oldest, &mut left, &mut right));
        assert!(!tap.read(oldest - 1, &mut left, &mut right), "may be overwritten");
    }

    #[test]
    fn frames_that_belong_together_begin_where_it_was_opened_or_begun() {
        let tap = Tap::default();
        tap.open(true);
        tap.push(&[1.0; 10], &[1.0; 10]);
        assert_eq!(tap.start(), 0);
        tap.begin();
        assert_eq!(tap.start(), 10);
        tap.push(&[1.0; 10], &[1.0; 10]);
        tap.open(false);
        assert_eq!(tap.start(), 10);
        tap.open(true);
        assert_eq!(tap.start(), 20);
    }

    #[test]
    fn closed_tap_costs_nothing() {
        let tap = Tap::default();
        tap.push(&[1.0], &[2.0]);
        assert_eq!(tap.position(), 0);
    }
}
