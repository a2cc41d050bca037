//! Attack and release: the reduction in time.

use crate::hold::HoldTime;
use effect_common::Pole;
use effect_common::convert::narrow;
use effect_common::pole::{larger, smaller};

/// How long sustained reduction takes to fill the slow follower of the automatic release.
const SLOW_CHARGE_MS: f64 = 400.0;

/// How much slower than the set release the slow follower lets go.
const SLOW_RELEASE: f64 = 8.0;

/// Reduction in octaves (-240 dB of a decibel) that counts as none: far below what changes a sample.
const REDUCTION_MIN: f64 = 1e-12;

/// Times of attack, hold and release.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// How long peaks hold on; for the peak detector only.
    pub hold: HoldTime,
    attack: Pole,
    release: Pole,
    slow_charge: Pole,
    slow_release: Pole,
    is_attack_faster: bool,
    is_automatic: bool,
}

impl Timing {
    /// From what users set.
    pub fn new(
        attack_ms: f64,
        release_ms: f64,
        is_automatic: bool,
        is_rms: bool,
        sample_rate: f64,
    ) -> Self {
        let hold = HoldTime::new(release_ms, sample_rate);
        let fast_release_ms = if is_rms { release_ms } else { hold.release_ms };
        Self {
            hold,
            attack: Pole::new(attack_ms, sample_rate),
            release: Pole::new(fast_release_ms, sample_rate),
            slow_charge: Pole::new(SLOW_CHARGE_MS, sample_rate),
            slow_release: Pole::new(SLOW_RELEASE * release_ms, sample_rate),
            is_attack_faster: attack_ms <= fast_release_ms,
            is_automatic,
        }
    }
}

/// Smooths the reduction.
///
/// The smooth, branching peak detector in the logarithmic domain behind the gain computer. Source: Giannoulis, Massberg & Reiss, 2012,
/// eq. (16). With the automatic release a second follower fills up under sustained reduction and lets go slowly;
/// the larger of both counts, so that a short peak recovers fast and a dense passage does not pump.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Follower {
    fast: f64,
    slow: f64,
}

impl Follower {
    /// Rounds what is left of a faded reduction to none, and takes over from the slow follower when it is not used (any more).
    pub fn begin_sub_block(&mut self, timing: &Timing) {
        if !timing.is_automatic {
            self.fast = larger(self.fast, self.slow);
            self.slow = 0.0;
        }
        if self.fast < REDUCTION_MIN {
            self.fast = 0.0;
        }
        if self.slow < REDUCTION_MIN {
            self.slow = 0.0;
        }
    }

    /// The reduction applied to the last frame, in octaves.
    pub fn reduction(&self) -> f64 {
        larger(self.fast, self.slow)
    }

    /// Turns the reduction asked for into that applied, in place.
    pub fn follow(&mut self, row: &mut [f32], timing: &Timing) {
        match (timing.is_automatic, timing.is_attack_faster) {
            (false, true) => self.follow_branching(row, timing, larger),
            (false, false) => self.follow_branching(row, timing, smaller),
            (true, true) => self.follow_automatic(row, timing, larger),
            (true, false) => self.follow_automatic(row, timing, smaller),
        }
    }

    /// While the reduction grows the attack is to be taken, else the release. The faster of both
    /// is the farther one toward the input: picking by size instead of comparing with the input saves
    /// a step in the chain from frame to frame.
    fn follow_branching(
        &mut self,
        row: &mut [f32],
        timing: &Timing,
        pick: impl Fn(f64, f64) -> f64,
    ) {
        let (attack, release) = (timing.attack, timing.release);
        let mut fast = self.fast;
        for value in row {
            let input = f64::from(*value);
            fast = pick(attack.next(fast, input), release.next(fast, input));
            *value = narrow(fast);
        }
        self.fast = fast;
    }

    fn follow_automatic(
        &mut self,
        row: &mut [f32],
        timing: &Timing,
        pick: impl Fn(f64, f64) -> f64,
    ) {
        let (mut fast, mut slow) = (self.fast, self.slow);
        for value in row {
            let input = f64::from(*value);
            fast = pick(timing.attack.next(fast, input), timing.release.next(fast, input));
            let (charged, released) =
                (timing.slow_charge.next(slow, input), timing.slow_release.next(slow, input));
            slow = if input > slow { charged } else { released };
            *value = narrow(larger(fast, slow));
        }
        (self.fast, self.slow) = (fast, slow);
    }
}
