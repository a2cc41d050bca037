//! A dynamic range compressor: feed-forward, in the logarithmic domain.
//!
//! Signal path of a sub-block: levels of the side chain ([`detector`]) -> reduction the curve asks for ([`curve`])
//! -> reduction in time ([`follower`]) -> one gain a frame for the delayed audio.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod controls;
pub mod curve;
pub mod description;
pub mod detector;
pub mod follower;
pub mod hold;
#[cfg(test)]
mod tests;

use alloc::{vec, vec::Vec};
use controls::{Controls, Now};
use description::{LOOKAHEAD_MS, describe};
use detector::Detector;
use effect_common::pole::larger;
use effect_common::side_chain::amplify;
use effect_common::{Delay, Grid, Row, SUB_BLOCK, Segment, convert, fast};
use follower::Follower;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup};

/// The compressor on one stream.
#[derive(Debug)]
pub struct Compressor {
    controls: Controls,
    now: Now,
    detector: Detector,
    /// One a channel; all the same as long as the channels are linked.
    followers: Vec<Follower>,
    delay: Delay,
    grid: Grid,
    /// Level, then reduction, then gain of the frames at hand.
    row: Row,
    /// Largest reduction of the last block in octaves, at the ends of its segments.
    shown: f64,
}

wavemill_effect::export_effect!(Compressor);

impl Effect for Compressor {
    const DESCRIPTION: Description = describe();

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let mut controls = Controls::new(setup);
        let now = controls.advance();
        let lookahead = convert::frames_of_ms(setup.param(LOOKAHEAD_MS), setup.sample_rate);
        Ok(Self {
            controls,
            now,
            detector: Detector::new(setup.channels, setup.sample_rate),
            followers: vec![Follower::default(); setup.channels],
            delay: Delay::new(setup.channels, lookahead),
            grid: Grid::new(),
            row: [0.0; SUB_BLOCK],
            shown: 0.0,
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        self.controls.set(id, value);
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        self.shown = 0.0;
        let mut at = 0;
        while let Some(segment) = self.grid.next(at, block.frames()) {
            if segment.starts() {
                self.begin_sub_block();
            }
            self.detector.read(block, segment, &self.now);
            if self.are_channels_one() {
                self.compress_linked(block, segment);
            } else {
                self.compress_each(block, segment);
            }
            self.delay.advance(segment.frames());
            for follower in &self.followers {
                self.shown = larger(self.shown, follower.reduction());
            }
            at = segment.to;
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.controls.finish();
        self.now = self.controls.advance();
        self.detector.reset();
        self.followers.fill(Follower::default());
        self.delay.reset();
        self.grid = Grid::new();
        self.shown = 0.0;
    }

    fn meter(&self, _: usize) -> f32 {
        convert::narrow(-self.shown / convert::OCTAVES_PER_DB)
    }

    fn latency(&self) -> u32 {
        u32::try_from(self.delay.frames()).unwrap_or(u32::MAX)
    }
}

impl Compressor {
    fn begin_sub_block(&mut self) {
        self.now = self.controls.advance();
        self.detector.begin_sub_block(&self.now);
        for follower in &mut self.followers {
            follower.begin_sub_block(&self.now.timing);
        }
    }

    /// Whether every channel gets the same gain: they are fully linked and nothing is left of a time when they were not.
    fn are_channels_one(&self) -> bool {
        let (first, others) = self.followers.split_at(1);
        self.now.is_linked && others.iter().all(|follower| *follower == first[0])
    }

    fn compress_linked(&mut self, block: &mut Block<'_>, segment: Segment) {
        let row = &mut self.row[..segment.frames()];
        self.detector.loudest(row);
        let follower = &mut self.followers[0];
        gains_of_levels(row, segment.phase, &self.now, follower);
        let follower = *follower;
        self.followers.fill(follower);
        for (channel, plane) in block.planes_mut().enumerate() {
            let samples = &mut plane[segment.from..segment.to];
            self.delay.swap(channel, samples);
            amplify(samples, row);
        }
    }

    fn compress_each(&mut self, block: &mut Block<'_>, segment: Segment) {
        let row = &mut self.row[..segment.frames()];
        let mut loudest = [0.0; SUB_BLOCK];
        let loudest = &mut loudest[..segment.frames()];
        self.detector.loudest(loudest);
        for (channel, plane) in block.planes_mut().enumerate() {
            self.detector.blend(channel, loudest, self.now.link, row);
            gains_of_levels(row, segment.phase, &self.now, &mut self.followers[channel]);
            let samples = &mut plane[segment.from..segment.to];
            self.delay.swap(channel, samples);
            amplify(samples, row);
        }
    }
}

/// Turns levels (octaves re full scale) into gain factors, in place.
fn gains_of_levels(row: &mut [f32], phase: usize, now: &Now, follower: &mut Follower) {
    for level in &mut *row {
        *level = now.curve.reduction(*level);
    }
    follower.follow(row, &now.timing);
    for (index, value) in row.iter_mut().enumerate() {
        let gain = fast::exp2(now.makeup.at(phase + index) - *value);
        *value = 1.0 + now.mix.at(phase + index) * (gain - 1.0);
    }
}
