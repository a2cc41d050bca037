//! The latest samples, for displays that need them: spectrum and vectorscope.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Frames kept: four times what the largest display looks at, so that the audio thread does not overtake
/// a reader within a frame of the editor. 85 ms at 384 kHz, 0.7 s at 48 kHz.
const FRAMES: usize = 32_768;

/// Channels that are shown: the front left and right ones, or the only one.
const CHANNELS: usize = 2;

/// A ring of samples, written by the audio thread while the editor is open.
#[derive(Debug)]
pub struct Tap {
    samples: Box<[[AtomicU32; CHANNELS]]>,
    /// Frames written since the beginning.
    position: AtomicU64,
    /// Whether someone looks: nothing is written otherwise.
    is_open: AtomicBool,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            samples: (0..FRAMES).map(|_| [const { AtomicU32::new(0) }; CHANNELS]).collect(),
            position: AtomicU64::new(0),
            is_open: AtomicBool::new(false),
        }
    }
}

impl Tap {
    /// Begins or ends writing.
    pub fn open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
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
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Copies the latest frames, oldest first; silence where there were none yet.
    pub fn latest(&self, left: &mut [f32], right: &mut [f32]) {
        let end = self.position();
        let count = left.len().min(right.len()) as u64;
        for (offset, (left, right)) in left.iter_mut().zip(right).enumerate() {
            let back = count - offset as u64;
            let Some(position) = end.checked_sub(back) else {
                (*left, *right) = (0.0, 0.0);
                continue;
            };
            let frame = &self.samples[index(position)];
            *left = f32::from_bits(frame[0].load(Ordering::Relaxed));
            *right = f32::from_bits(frame[1].load(Ordering::Relaxed));
        }
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
    fn closed_tap_costs_nothing() {
        let tap = Tap::default();
        tap.push(&[1.0], &[2.0]);
        assert_eq!(tap.position(), 0);
    }
}
