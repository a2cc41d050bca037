//! The true peak of each channel by itself.

use super::steps::{HISTORY, Steps};
use super::true_peak::{LOOK_AHEAD, TruePeak};
use wavemill_audio::units::{Dbtp, SampleRate};
use wavemill_audio::{Block, StreamSpec};

/// Measures the largest true peak of each channel so far. Real-time, but for being made; results do not depend on how
/// the signal was cut into blocks.
///
/// Values are those of [`LoudnessReport::larger_true_peak`](super::LoudnessReport::larger_true_peak), of one channel
/// alone. The filters look ahead: a peak is known 10 to 20 ms after its frame.
#[derive(Clone, Debug)]
pub struct ChannelPeaks {
    steps: Steps,
    step_frames: usize,
    channels: Vec<TruePeak>,
}

impl ChannelPeaks {
    /// A meter at the beginning of a stream.
    pub fn new(spec: &StreamSpec) -> Self {
        let step_frames = step_frames(spec.sample_rate);
        Self {
            steps: Steps::new(spec.channel_count(), step_frames),
            step_frames,
            channels: vec![TruePeak::new(spec.sample_rate); spec.channel_count()],
        }
    }

    /// As at the beginning.
    pub fn reset(&mut self) {
        self.steps.clear();
        self.channels.iter_mut().for_each(TruePeak::clear);
    }

    /// Takes further frames. Samples that are not finite, or beyond
    /// [`limits::SAMPLE_MAGNITUDE_MAX`](wavemill_audio::limits::SAMPLE_MAGNITUDE_MAX), count as silence.
    pub fn push(&mut self, block: &Block) {
        let mut start = 0;
        while start < block.frame_count() {
            start += self.steps.fill(block, start, self.step_frames);
            if self.steps.frame_count() == self.step_frames {
                self.look();
            }
        }
    }

    /// Looks at the frames that became complete with the step, and begins the next one.
    fn look(&mut self) {
        let first = HISTORY - LOOK_AHEAD;
        for (peak, plane) in self.channels.iter_mut().zip(self.steps.planes()) {
            peak.look(std::iter::once(plane), &(first..first + self.step_frames));
        }
        self.steps.advance();
    }

    /// The largest true peak of a channel so far; `None` for silence, and where there is no such channel.
    pub fn true_peak(&self, channel: usize) -> Option<Dbtp> {
        let peaks = self.channels.get(channel)?.peaks();
        Dbtp::from_amplitude(f64::from(peaks.standard.max(peaks.precise)))
    }
}

/// 10 ms.
fn step_frames(rate: SampleRate) -> usize {
    usize::try_from(rate.0 / 100).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loudness::{LoudnessMeter, MonoMode};

    /// Noise of another level in each channel, with silence behind it, which filters need.
    fn noise(channel_count: u32, frames: u32) -> Vec<Vec<f32>> {
        let mut state = 1u32;
        let mut plane = |channel: u32| {
            let mut samples = vec![0.0f32; 4096];
            let peak = 0.9 / (1 << channel) as f32;
            samples.splice(
                0..0,
                (0..frames).map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    peak * (f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0)
                }),
            );
            samples
        };
        (0..channel_count).map(&mut plane).collect()
    }

    #[test]
    fn each_channel_has_the_peak_of_a_file_with_this_channel_alone() {
        for rate_hz in [44_100, 96_000, 192_000] {
            let planes = noise(3, 40_000);
            let mut peaks = ChannelPeaks::new(&StreamSpec::new(rate_hz, 3));
            peaks.push(&Block::from_planes(&planes));
            for (channel, plane) in planes.iter().enumerate() {
                let mut alone = LoudnessMeter::new(&StreamSpec::new(rate_hz, 1), MonoMode::Single);
                alone.push(&Block::from_planes(std::slice::from_ref(plane)));
                let expected = alone.finish().larger_true_peak();
                assert_eq!(peaks.true_peak(channel), expected, "{rate_hz} {channel}");
                assert!(expected.is_some());
            }
            assert_eq!(peaks.true_peak(3), None);
        }
    }

    #[test]
    fn peaks_do_not_depend_on_the_blocks_and_a_reset_meter_has_none() {
        let planes = noise(2, 10_000);
        let whole = Block::from_planes(&planes);
        let mut peaks = ChannelPeaks::new(&StreamSpec::new(48_000, 2));
        peaks.push(&whole);
        let expected = [0, 1].map(|channel| peaks.true_peak(channel));
        for block_frames in [1, 7, 64, 4096] {
            peaks.reset();
            assert_eq!(peaks.true_peak(0), None);
            for start in (0..whole.frame_count()).step_by(block_frames) {
                let end = whole.frame_count().min(start + block_frames);
                let pieces: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
                peaks.push(&Block::from_planes(&pieces));
            }
            assert_eq!([0, 1].map(|channel| peaks.true_peak(channel)), expected, "{block_frames}");
        }
    }
}
