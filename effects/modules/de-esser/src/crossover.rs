//! Two bands that add up to the signal, its phase turned.

use alloc::{vec, vec::Vec};
use effect_common::convert::narrow;
use effect_common::{Row, SUB_BLOCK, Segment, Svf, SvfState};
use wavemill_effect::Block;

/// A fourth-order crossover: both bands are 6.02 dB down at its frequency, fall 24 dB an octave and add up to an
/// all-pass: every frequency keeps its level.
///
/// Source: Linkwitz, "Active Crossover Networks for Noncoincident Drivers", J. Audio Eng. Soc. 24(1), 1976: each band is a
/// Butterworth filter twice. The upper band is taken as all-pass minus lower band, which is the same and saves a filter.
#[derive(Debug)]
pub struct Crossover {
    first: Vec<SvfState>,
    second: Vec<SvfState>,
    low: Vec<Row>,
    high: Vec<Row>,
}

impl Crossover {
    /// Allocates for `channels` channels.
    pub fn new(channels: usize) -> Self {
        Self {
            first: vec![SvfState::default(); channels],
            second: vec![SvfState::default(); channels],
            low: vec![[0.0; SUB_BLOCK]; channels],
            high: vec![[0.0; SUB_BLOCK]; channels],
        }
    }

    /// Rounds what is left of faded signals to zero.
    pub fn begin_sub_block(&mut self) {
        self.first.iter_mut().chain(&mut self.second).for_each(SvfState::tidy);
    }

    /// Splits a segment of every channel; two channels at a time, because each one's next sample must
    /// wait for its last, the other's need not.
    pub fn split(&mut self, block: &Block<'_>, segment: Segment, filter: Svf) {
        let channels = self.low.len();
        let frames = segment.frames();
        let samples = |channel: usize| &block.plane(channel)[segment.from..segment.to];
        for channel in (0..channels - 1).step_by(2) {
            let mut states = [self.states(channel), self.states(channel + 1)];
            let (lows, highs) =
                (&mut self.low[channel..channel + 2], &mut self.high[channel..channel + 2]);
            let pairs = samples(channel).iter().zip(samples(channel + 1));
            for (index, (left, right)) in pairs.enumerate() {
                (lows[0][index], highs[0][index]) = next(&filter, &mut states[0], *left);
                (lows[1][index], highs[1][index]) = next(&filter, &mut states[1], *right);
            }
            (self.first[channel], self.second[channel]) = states[0];
            (self.first[channel + 1], self.second[channel + 1]) = states[1];
        }
        if !channels.is_multiple_of(2) {
            let channel = channels - 1;
            let mut states = self.states(channel);
            let rows =
                self.low[channel][..frames].iter_mut().zip(&mut self.high[channel][..frames]);
            for ((low, high), sample) in rows.zip(samples(channel)) {
                (*low, *high) = next(&filter, &mut states, *sample);
            }
            (self.first[channel], self.second[channel]) = states;
        }
    }

    fn states(&self, channel: usize) -> (SvfState, SvfState) {
        (self.first[channel], self.second[channel])
    }

    /// The lower band of what was last split.
    pub fn low(&self) -> &[Row] {
        &self.low
    }

    /// The upper band of what was last split.
    pub fn high(&self) -> &[Row] {
        &self.high
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.first.fill(SvfState::default());
        self.second.fill(SvfState::default());
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "the states must stay in registers")]
fn next(filter: &Svf, (first, second): &mut (SvfState, SvfState), sample: f32) -> (f32, f32) {
    let once = filter.next(first, f64::from(sample));
    let low = filter.next(second, once.low).low;
    (narrow(low), narrow(once.all_pass() - low))
}
