//! A saturator: bends the waveform on a smooth curve, at a multiple of the sample rate so that the new
//! harmonics do not fold back.
//!
//! Signal path of a sub-block and channel: up ([`oversampler`]) -> bent ([`curve`]) -> down -> without the constant that
//! the bending made ([`dc`]) -> mixed with the untouched signal, which was delayed as much.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod controls;
pub mod curve;
pub mod dc;
pub mod description;
pub mod half_band;
pub mod oversampler;
#[cfg(test)]
mod tests;

use controls::{Controls, Now};
use dc::DcRemover;
use description::{OVERSAMPLING, describe};
use effect_common::glide::small;
use effect_common::{Delay, Grid, SUB_BLOCK, Segment};
use oversampler::Oversampler;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, Tail};

/// The saturator on one stream.
#[derive(Debug)]
pub struct Saturator {
    controls: Controls,
    now: Now,
    oversampler: Oversampler,
    dc: DcRemover,
    dry: Delay,
    grid: Grid,
}

wavemill_effect::export_effect!(Saturator);

impl Effect for Saturator {
    const DESCRIPTION: Description = describe();

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let mut controls = Controls::new(setup);
        let doublings = match setup.param(OVERSAMPLING) {
            ..0.5 => 0,
            0.5..1.5 => 1,
            1.5..2.5 => 2,
            _ => 3,
        };
        let oversampler = Oversampler::new(setup.channels, doublings);
        Ok(Self {
            now: controls.advance(),
            controls,
            dc: DcRemover::new(setup.channels, setup.sample_rate),
            dry: Delay::new(setup.channels, oversampler.latency()),
            oversampler,
            grid: Grid::new(),
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        self.controls.set(id, value);
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let mut at = 0;
        while let Some(segment) = self.grid.next(at, block.frames()) {
            if segment.starts() {
                self.now = self.controls.advance();
                self.dc.begin_sub_block();
            }
            for (channel, plane) in block.planes_mut().enumerate() {
                self.saturate(channel, &mut plane[segment.from..segment.to], segment);
            }
            self.oversampler.advance(segment.frames());
            self.dry.advance(segment.frames());
            at = segment.to;
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.controls.finish();
        self.now = self.controls.advance();
        self.oversampler.reset();
        self.dc.reset();
        self.dry.reset();
        self.grid = Grid::new();
    }

    fn latency(&self) -> u32 {
        u32::try_from(self.oversampler.latency()).unwrap_or(u32::MAX)
    }

    /// The filters ring as long after the latency as before it; what the removal of the constant
    /// added lasts longer.
    fn tail(&self) -> Tail {
        Tail::Frames(self.latency() + self.dc.tail())
    }
}

impl Saturator {
    fn saturate(&mut self, channel: usize, samples: &mut [f32], segment: Segment) {
        let now = self.now;
        let curve = self.controls.curve();
        let factor = self.oversampler.factor();
        let (first, frame) = ((segment.phase * factor + 1) as f32, 1.0 / factor as f32);
        let mut wet = [0.0; SUB_BLOCK];
        let wet = &mut wet[..samples.len()];
        wet.copy_from_slice(samples);
        self.oversampler.process(channel, wet, |high| {
            curve.shape(high, |index| now.point((first + small(index)) * frame));
        });
        self.dry.swap(channel, samples);
        self.dc.remove(channel, wet, samples);
        for ((index, sample), wet) in samples.iter_mut().enumerate().zip(wet) {
            let at = segment.phase + index;
            let mixed = *sample + now.mix.at(at) * (*wet - *sample);
            *sample = mixed * now.output.at(at);
        }
    }
}
