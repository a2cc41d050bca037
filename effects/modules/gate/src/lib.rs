//! A noise gate: lets through what is loud enough and turns the rest down.
//!
//! Signal path of a sub-block: amplitude of the loudest channel in the filtered side chain -> open or closed, and the gain
//! on its way there ([`latch`]) -> one gain a frame for the delayed audio of all channels.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod controls;
pub mod description;
pub mod latch;
#[cfg(test)]
mod tests;

use controls::{Controls, Now};
use description::{LOOKAHEAD_MS, describe};
use effect_common::pole::smaller;
use effect_common::side_chain::{amplify, rectify};
use effect_common::{Delay, Grid, Row, SUB_BLOCK, Segment, SideChain, convert};
use latch::Latch;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, math};

/// The gate on one stream.
#[derive(Debug)]
pub struct Gate {
    controls: Controls,
    now: Now,
    chain: SideChain,
    latch: Latch,
    delay: Delay,
    grid: Grid,
    /// Amplitude, then gain of the frames at hand.
    row: Row,
    /// Smallest gain of the last block, at the ends of its segments.
    shown: f64,
}

wavemill_effect::export_effect!(Gate);

impl Effect for Gate {
    const DESCRIPTION: Description = describe();

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let mut controls = Controls::new(setup);
        let now = controls.advance();
        let lookahead = convert::frames_of_ms(setup.param(LOOKAHEAD_MS), setup.sample_rate);
        Ok(Self {
            controls,
            now,
            chain: SideChain::new(setup.channels),
            latch: Latch::closed(&now.law),
            delay: Delay::new(setup.channels, lookahead),
            grid: Grid::new(),
            row: [0.0; SUB_BLOCK],
            shown: 1.0,
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        self.controls.set(id, value);
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        self.shown = 1.0;
        let mut at = 0;
        while let Some(segment) = self.grid.next(at, block.frames()) {
            if segment.starts() {
                self.now = self.controls.advance();
                self.chain.begin_sub_block(&self.now.filters);
                self.latch.begin_sub_block(&self.now.law);
            }
            self.gate(block, segment);
            self.shown = smaller(self.shown, self.latch.gain());
            at = segment.to;
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.controls.finish();
        self.now = self.controls.advance();
        self.chain.reset();
        self.latch = Latch::closed(&self.now.law);
        self.delay.reset();
        self.grid = Grid::new();
        self.shown = 1.0;
    }

    fn meter(&self, _: usize) -> f32 {
        convert::narrow(math::amplitude_to_db(self.shown))
    }

    fn latency(&self) -> u32 {
        u32::try_from(self.delay.frames()).unwrap_or(u32::MAX)
    }
}

impl Gate {
    fn gate(&mut self, block: &mut Block<'_>, segment: Segment) {
        let row = &mut self.row[..segment.frames()];
        rectify(self.chain.read(block, segment, &self.now.filters), segment.frames());
        self.chain.largest(row);
        self.latch.gains(row, &self.now.law);
        for (channel, plane) in block.planes_mut().enumerate() {
            let samples = &mut plane[segment.from..segment.to];
            self.delay.swap(channel, samples);
            amplify(samples, row);
        }
        self.delay.advance(segment.frames());
    }
}
