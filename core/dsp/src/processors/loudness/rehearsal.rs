//! A gain and a limiter, tried on the whole signal before it is processed.

use crate::limit::{Limited, Limiter, LimiterSettings};
use crate::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use crate::processor::Processor;
use crate::processors::gain::Gain;
use wavemill_audio::units::{Decibels, Frames};
use wavemill_audio::{Block, StreamSpec};

/// A gain before a limiter.
#[derive(Clone, Debug)]
pub(super) struct GainThenLimiter {
    gain: Gain,
    limiter: Limiter,
}

impl GainThenLimiter {
    pub(super) fn new(spec: &StreamSpec, gain: Decibels, settings: &LimiterSettings) -> Self {
        Self { gain: Gain::new(gain), limiter: Limiter::new(spec, settings) }
    }

    pub(super) fn process(&mut self, block: &mut Block) {
        let _ = self.gain.process(block);
        self.limiter.process(block);
    }

    pub(super) fn reset(&mut self) {
        self.limiter.reset();
    }

    pub(super) fn latency(&self) -> Frames {
        self.limiter.latency()
    }

    pub(super) fn limited(&self) -> Limited {
        self.limiter.limited()
    }
}

/// Measures what a gain and a limiter would make of a signal, which comes again for it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    stage: GainThenLimiter,
    meter: LoudnessMeter,
    /// Frames that come out before the signal does.
    late: usize,
    /// As wide as the signal; as long as its longest block so far.
    block: Block,
}

impl Rehearsal {
    pub(super) fn new(spec: &StreamSpec, mono: MonoMode, stage: GainThenLimiter) -> Self {
        Self {
            late: stage.latency().as_usize(),
            stage,
            meter: LoudnessMeter::new(spec, mono),
            block: Block::new(spec.channel_count(), 0),
        }
    }

    /// Takes further frames. Not real-time.
    pub(super) fn push(&mut self, block: &Block) {
        if self.block.frame_capacity() < block.frame_count() {
            self.block = Block::new(block.channel_count(), block.frame_count());
        }
        self.block.copy_from(block, 0, block.frame_count());
        self.run();
    }

    /// What came out.
    pub(super) fn finish(mut self) -> (LoudnessReport, Limited) {
        let latency = self.stage.latency().as_usize();
        self.block = Block::new(self.block.channel_count(), latency);
        self.block.set_frame_count(latency);
        self.run();
        (self.meter.finish(), self.stage.limited())
    }

    fn run(&mut self) {
        self.stage.process(&mut self.block);
        let late = self.late.min(self.block.frame_count());
        self.late -= late;
        self.block.drop_front(late);
        self.meter.push(&self.block);
    }
}
