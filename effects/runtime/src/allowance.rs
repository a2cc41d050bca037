//! The time of all calls of modules in one callback.

use crate::limits;
use crate::sandbox::Mode;
use crate::ticker;
use std::time::Duration;
use wavemill_core::units::SampleRate;

/// Time that the calls of all live effects in one callback may take together. A chain makes one a callback
/// and hands it to each call; when it is used up, every further call gets two ticks (1 ms), so that an
/// effect is not blamed for what one before it took, nor for what its thread waited. Counted in ticks:
/// real-time, no call reads a clock.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Of which the first is under way.
    ticks_left: u64,
}

impl Allowance {
    /// The block's duration, rounded up to ticks: a callback that calls modules for so long ends no later
    /// than about one block late. Real-time.
    pub fn real_time(frames: usize, rate: SampleRate) -> Self {
        Self::of(duration(frames, rate))
    }

    /// For rendering faster or slower than real time: as much as a call for these frames gets in files.
    /// Real-time.
    pub fn offline(frames: usize, rate: SampleRate) -> Self {
        Self::of(limits::BLOCK_TIME_MIN.max(duration(frames, rate) * limits::BLOCK_TIME_FACTOR))
    }

    /// This time, rounded up to ticks; up to one tick more may pass. Real-time.
    pub fn of(time: Duration) -> Self {
        Self::of_ticks(ticker::of(Mode::Live).ticks(time))
    }

    pub(crate) fn of_ticks(ticks_left: u64) -> Self {
        Self { ticks_left }
    }

    /// Ticks the next call gets.
    pub(crate) fn deadline(&self) -> u64 {
        self.ticks_left.max(limits::LIVE_TICKS_MIN)
    }

    /// A call took this many ticks.
    pub(crate) fn spend(&mut self, ticks: u64) {
        self.ticks_left = self.ticks_left.saturating_sub(ticks);
    }
}

fn duration(frames: usize, rate: SampleRate) -> Duration {
    let nanos = (frames as u64).saturating_mul(1_000_000_000);
    Duration::from_nanos(nanos.div_ceil(u64::from(rate.0.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(48_000);

    fn deadlines(frames: usize) -> (u64, u64) {
        let (real, off) = (Allowance::real_time(frames, RATE), Allowance::offline(frames, RATE));
        (real.deadline(), off.deadline())
    }

    #[test]
    fn allowance_is_the_duration_live_and_that_of_files_offline() {
        // 1.33 ms are three ticks of 0.5 ms, and one is under way.
        assert_eq!(deadlines(64), (4, 2_001));
        assert_eq!(deadlines(0), (3, 2_001));
        assert_eq!(deadlines(48_000), (2_001, 100_001));
        assert!(deadlines(usize::MAX).0 > 1_000_000);
        assert!(Allowance::real_time(64, SampleRate(0)).deadline() > 2);
    }

    #[test]
    fn calls_share_it_and_each_gets_two_ticks() {
        let mut allowance = Allowance::real_time(64, RATE);
        allowance.spend(1);
        assert_eq!(allowance.deadline(), 3);
        for _ in 0..3 {
            allowance.spend(2);
            assert_eq!(allowance.deadline(), limits::LIVE_TICKS_MIN);
        }
    }
}
