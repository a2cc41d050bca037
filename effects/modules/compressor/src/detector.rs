//! The side chain: what level each channel has, frame by frame.

use crate::controls::Now;
use crate::hold::Hold;
use alloc::{vec, vec::Vec};
use effect_common::convert::narrow;
use effect_common::pole::POWER_MIN;
use effect_common::side_chain::rectify;
use effect_common::{Pole, Row, Segment, SideChain, fast};
use wavemill_effect::Block;

/// Time constant of the mean square: shorter, and low tones ripple; longer, and syllables slip through.
const RMS_MS: f64 = 10.0;

/// Measures every channel.
#[derive(Debug)]
pub struct Detector {
    /// Per channel: amplitude of each frame, or mean square.
    chain: SideChain,
    power: Vec<f64>,
    mean: Pole,
    /// One a channel.
    holds: Vec<Hold>,
    /// From `log2` of what is in the rows to octaves of amplitude: 1, or 1/2 for squares.
    octaves: f32,
}

impl Detector {
    /// Allocates for `channels` channels.
    pub fn new(channels: usize, sample_rate: f64) -> Self {
        Self {
            chain: SideChain::new(channels),
            power: vec![0.0; channels],
            mean: Pole::new(RMS_MS, sample_rate),
            holds: vec![Hold::new(sample_rate); channels],
            octaves: 1.0,
        }
    }

    /// Rounds what is left of faded signals to zero.
    pub fn begin_sub_block(&mut self, now: &Now) {
        self.chain.begin_sub_block(&now.filters);
        for power in &mut self.power {
            if !now.is_rms || *power < POWER_MIN {
                *power = 0.0;
            }
        }
        for hold in &mut self.holds {
            if now.is_rms {
                hold.reset();
            } else {
                hold.begin_sub_block(now.timing.hold.sub_blocks);
            }
        }
    }

    /// Reads a segment of all channels.
    pub fn read(&mut self, block: &Block<'_>, segment: Segment, now: &Now) {
        let rows = self.chain.read(block, segment, &now.filters);
        if now.is_rms {
            self.octaves = 0.5;
            average(rows, &mut self.power, self.mean, segment.frames());
        } else {
            self.octaves = 1.0;
            rectify(rows, segment.frames());
            for (row, hold) in rows.iter_mut().zip(&mut self.holds) {
                hold.apply(&mut row[..segment.frames()]);
            }
        }
    }

    /// Level of the loudest channel in octaves re full scale.
    pub fn loudest(&self, levels: &mut [f32]) {
        self.chain.largest(levels);
        for level in levels {
            *level = self.octaves * fast::log2(*level);
        }
    }

    /// Level of one channel in octaves re full scale, moved toward the loudest one's by `link` (0 to 1).
    pub fn blend(&self, channel: usize, loudest: &[f32], link: f32, levels: &mut [f32]) {
        let row = &self.chain.rows()[channel];
        for ((level, value), loudest) in levels.iter_mut().zip(row).zip(loudest) {
            let own = self.octaves * fast::log2(*value);
            *level = own + link * (loudest - own);
        }
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.chain.reset();
        self.power.fill(0.0);
        self.holds.iter_mut().for_each(Hold::reset);
    }
}

/// Turns samples into mean squares by a one-pole low-pass; two channels at a time, because each one's next
/// value must wait for its last, the other's need not.
fn average(rows: &mut [Row], powers: &mut [f64], mean: Pole, frames: usize) {
    let next = |power: f64, sample: f32| mean.next(power, f64::from(sample) * f64::from(sample));
    for (rows, powers) in rows.chunks_mut(2).zip(powers.chunks_mut(2)) {
        if let ([first, second], [one, two]) = (&mut *rows, &mut *powers) {
            let (mut a, mut b) = (*one, *two);
            for (first, second) in first[..frames].iter_mut().zip(&mut second[..frames]) {
                (a, b) = (next(a, *first), next(b, *second));
                (*first, *second) = (narrow(a), narrow(b));
            }
            (*one, *two) = (a, b);
        } else {
            for sample in &mut rows[0][..frames] {
                powers[0] = next(powers[0], *sample);
                *sample = narrow(powers[0]);
            }
        }
    }
}
