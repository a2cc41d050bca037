//! Peaks that hold on: without it the level of a tone would fall to nothing twice in a period, and attack
//! and reduction with it.

use alloc::{vec, vec::Vec};
use effect_common::SUB_BLOCK;

/// Longest hold: half a period of 50 Hz.
const HOLD_MS: f64 = 10.0;

/// Part of the release that the hold may take.
const RELEASE_SHARE: f64 = 0.5;

/// How long peaks hold on, and what is left of the release then.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HoldTime {
    /// Whole sub-blocks before the one at hand.
    pub sub_blocks: usize,
    /// Time constant after the hold, so that both together have the set time.
    pub release_ms: f64,
}

impl HoldTime {
    /// For a release that users set.
    pub fn new(release_ms: f64, sample_rate: f64) -> Self {
        let sub_block_ms = SUB_BLOCK as f64 * 1_000.0 / sample_rate;
        let longest_ms = RELEASE_SHARE * release_ms;
        let wanted_ms = if longest_ms < HOLD_MS { longest_ms } else { HOLD_MS };
        let sub_blocks = whole(wanted_ms / sub_block_ms);
        // A peak lies in the middle of its sub-block, on average.
        let held_ms = (sub_blocks as f64 + 0.5) * sub_block_ms;
        let held_ms = if held_ms < longest_ms { held_ms } else { longest_ms };
        Self { sub_blocks, release_ms: release_ms - held_ms }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, not negative")]
fn whole(number: f64) -> usize {
    number as usize
}

/// The largest amplitude of the last milliseconds, of one channel.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Largest amplitude of each of the last sub-blocks, a ring.
    maxima: Vec<f32>,
    next: usize,
    /// Of the sub-blocks that count.
    held: f32,
    /// Of the sub-block at hand.
    own: f32,
}

impl Hold {
    /// Without any input yet.
    pub fn new(sample_rate: f64) -> Self {
        let most = whole(HOLD_MS * sample_rate / 1_000.0) / SUB_BLOCK + 1;
        Self { maxima: vec![0.0; most], next: 0, held: 0.0, own: 0.0 }
    }

    /// A sub-block begins; `sub_blocks` before it count.
    pub fn begin_sub_block(&mut self, sub_blocks: usize) {
        self.maxima[self.next] = self.own;
        self.next = (self.next + 1) % self.maxima.len();
        self.own = 0.0;
        let (newer, older) = (&self.maxima[..self.next], &self.maxima[self.next..]);
        let latest = newer.iter().rev().chain(older.iter().rev()).take(sub_blocks);
        self.held = latest.fold(0.0, |most, value| larger(most, *value));
    }

    /// Turns amplitudes into the largest up to each.
    pub fn apply(&mut self, row: &mut [f32]) {
        let mut own = self.own;
        for value in row {
            own = larger(own, *value);
            *value = larger(own, self.held);
        }
        self.own = own;
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.maxima.fill(0.0);
        (self.next, self.held, self.own) = (0, 0.0, 0.0);
    }
}

fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
