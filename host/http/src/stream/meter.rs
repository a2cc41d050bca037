//! Loudness of what a session sends.

use super::message::Event;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::Seconds;

/// Readings a second of output.
const READINGS_PER_SECOND: u64 = 10;

/// Signal whose energies the meter keeps; readings need none.
const KEPT: Seconds = Seconds(60.0);

/// Measures the output.
pub(crate) struct Meter {
    loudness: LoudnessMeter,
    rate_hz: u32,
    frames: u64,
    piece: Block,
}

impl Meter {
    pub(crate) fn new(spec: &StreamSpec, frames_max: usize) -> Self {
        let mut loudness = LoudnessMeter::new(spec, MonoMode::Single);
        loudness.keep_at_most(KEPT);
        let piece = Block::new(spec.channel_count(), frames_max);
        Self { loudness, rate_hz: spec.sample_rate.0, frames: 0, piece }
    }

    /// Measures a block; `report` gets a reading for each tenth of a second that is complete.
    pub(crate) fn push(&mut self, block: &Block, mut report: impl FnMut(Event)) {
        let mut start = 0;
        while start < block.frame_count() {
            let until_due = Self::reading_end(self.rate_hz, self.frames) - self.frames;
            let rest = block.frame_count() - start;
            let count = usize::try_from(until_due).unwrap_or(rest).min(rest);
            let count = count.min(self.piece.frame_capacity());
            self.piece.copy_from(block, start, count);
            self.loudness.push(&self.piece);
            self.frames += count as u64;
            start += count;
            if count as u64 == until_due {
                report(self.reading());
            }
        }
    }

    /// The frame where the reading under way is due.
    fn reading_end(rate_hz: u32, frames: u64) -> u64 {
        let rate = u64::from(rate_hz);
        let index = frames * READINGS_PER_SECOND / rate + 1;
        let end = (index * rate).div_ceil(READINGS_PER_SECOND);
        if end > frames { end } else { ((index + 1) * rate).div_ceil(READINGS_PER_SECOND) }
    }

    fn reading(&self) -> Event {
        let reading = self.loudness.reading();
        Event::Meters {
            at_s: self.frames as f64 / f64::from(self.rate_hz),
            momentary_lufs: reading.momentary_lufs,
            short_term_lufs: reading.short_term_lufs,
            integrated_lufs: reading.integrated_lufs,
            true_peak_dbtp: reading.true_peak_dbtp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_come_ten_a_second_however_it_is_cut() {
        for (rate_hz, size) in [(48_000, 1024), (44_100, 7), (11_025, 333)] {
            let spec = StreamSpec::new(rate_hz, 1);
            let mut meter = Meter::new(&spec, 1024);
            let mut block = Block::new(1, size);
            block.set_frame_count(size);
            let mut times = Vec::new();
            while meter.frames < u64::from(rate_hz) * 2 {
                meter.push(&block, |event| {
                    let Event::Meters { at_s, .. } = event else { panic!("{event:?}") };
                    times.push(at_s);
                });
            }
            assert!((20..=21).contains(&times.len()), "{times:?}");
            for (index, at_s) in times.iter().enumerate() {
                let due_s = (index + 1) as f64 / 10.0;
                assert!((at_s - due_s).abs() < 1e-4, "{rate_hz}: {at_s} for {due_s}");
            }
        }
    }
}
