//! A de-esser: turns sharp sibilants down and leaves everything else.
//!
//! Signal path of a sub-block: each channel split in two bands ([`crossover`]) -> how loud the upper band is compared
//! with the voice below it, and the reduction that asks for ([`detector`]) -> one gain a frame, for the upper band or for everything.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod controls;
pub mod crossover;
pub mod description;
pub mod detector;
#[cfg(test)]
mod tests;

use controls::{Controls, Now};
use crossover::Crossover;
use description::describe;
use detector::Detector;
use effect_common::pole::larger;
use effect_common::{Grid, Row, SUB_BLOCK, Segment, convert};
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, Tail};

/// How long the crossover rings: at its lowest frequency, 2 kHz, it has died away by 60 dB after about 1 ms.
const TAIL_MS: f64 = 2.0;

/// The de-esser on one stream.
#[derive(Debug)]
pub struct DeEsser {
    controls: Controls,
    now: Now,
    crossover: Crossover,
    detector: Detector,
    grid: Grid,
    /// Gains of the frames at hand.
    gains: Row,
    tail_frames: usize,
    /// Largest reduction of the last block in octaves, at the ends of its segments.
    shown: f64,
}

wavemill_effect::export_effect!(DeEsser);

impl Effect for DeEsser {
    const DESCRIPTION: Description = describe();

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let mut controls = Controls::new(setup);
        Ok(Self {
            now: controls.advance(),
            controls,
            crossover: Crossover::new(setup.channels),
            detector: Detector::new(setup.channels, setup.sample_rate),
            grid: Grid::new(),
            gains: [0.0; SUB_BLOCK],
            tail_frames: convert::frames_of_ms(TAIL_MS, setup.sample_rate),
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
                self.now = self.controls.advance();
                self.crossover.begin_sub_block();
                self.detector.begin_sub_block();
            }
            self.crossover.split(block, segment, self.now.split);
            let gains = &mut self.gains[..segment.frames()];
            self.detector.gains(segment, &self.crossover, &self.now, gains);
            self.shown = larger(self.shown, self.detector.reduction());
            self.mix(block, segment);
            at = segment.to;
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.controls.finish();
        self.now = self.controls.advance();
        self.crossover.reset();
        self.detector.reset();
        self.grid = Grid::new();
        self.shown = 0.0;
    }

    fn meter(&self, _: usize) -> f32 {
        convert::narrow(-self.shown / convert::OCTAVES_PER_DB)
    }

    fn tail(&self) -> Tail {
        Tail::Frames(u32::try_from(self.tail_frames).unwrap_or(u32::MAX))
    }
}

impl DeEsser {
    /// Puts together the output: the bands, the upper one reduced; everything, reduced; or the upper band alone.
    fn mix(&self, block: &mut Block<'_>, segment: Segment) {
        let (bands, listen) = (self.now.bands, self.now.listen);
        let is_wide = bands.is_constantly(0.0) && listen.is_constantly(0.0);
        let (low_rows, high_rows) = (self.crossover.low(), self.crossover.high());
        for (channel, plane) in block.planes_mut().enumerate() {
            let samples = &mut plane[segment.from..segment.to];
            if is_wide {
                effect_common::side_chain::amplify(samples, &self.gains);
                continue;
            }
            let (low, high) = (&low_rows[channel], &high_rows[channel]);
            let rows = low.iter().zip(high).zip(&self.gains);
            for ((index, sample), ((low, high), gain)) in samples.iter_mut().enumerate().zip(rows) {
                let at = segment.phase + index;
                let wide = *sample * gain;
                let split = low + gain * high;
                let out = wide + bands.at(at) * (split - wide);
                *sample = out + listen.at(at) * (high - out);
            }
        }
    }
}
