//! Two bands that add up to the signal, its phase turned.

use alloc::{vec, vec::Vec};
use effect_common::convert::narrow;
use effect_common::{Row, SUB_BLOCK, Segment, Svf, SvfPair, SvfState};
use wavemill_effect::Block;
use wavemill_effect::lanes::F64x2;

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
            let next = channel + 1;
            let mut first = SvfPair::of(self.first[channel], self.first[next]);
            let mut second = SvfPair::of(self.second[channel], self.second[next]);
            let (lows, highs) = (&mut self.low[channel..=next], &mut self.high[channel..=next]);
            let pairs = samples(channel).iter().zip(samples(next));
            for (index, (left, right)) in pairs.enumerate() {
                let x = F64x2::new([f64::from(*left), f64::from(*right)]);
                let once = filter.next_pair(&mut first, x);
                let low = filter.next_pair(&mut second, once.low).low;
                let [left, right] = (once.all_pass() - low).to_array();
                (highs[0][index], highs[1][index]) = (narrow(left), narrow(right));
                let [left, right] = low.to_array();
                (lows[0][index], lows[1][index]) = (narrow(left), narrow(right));
            }
            [self.first[channel], self.first[next]] = first.split();
            [self.second[channel], self.second[next]] = second.split();
        }
        if !channels.is_multiple_of(2) {
            let channel = channels - 1;
            let mut states = (self.first[channel], self.second[channel]);
            let rows =
                self.low[channel][..frames].iter_mut().zip(&mut self.high[channel][..frames]);
            for ((low, high), sample) in rows.zip(samples(channel)) {
                (*low, *high) = next(&filter, &mut states, *sample);
            }
            (self.first[channel], self.second[channel]) = states;
        }
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
