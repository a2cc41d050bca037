//! What works in a voice: an instance of an effect, or a built-in step.

use wavemill_core::audio::Block;
use wavemill_core::processor::{Status, StepProcessor, Tail};
use wavemill_runtime::{Allowance, Effect, PlacedFault};

/// An instance at work.
pub(crate) enum Stage {
    Effect(Box<Effect>),
    Step(StepProcessor),
}

/// Why a stage cannot go on; what it means is asked on another thread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StageFault {
    Effect(PlacedFault),
    /// A built-in step failed; it says why.
    Step,
    /// It cannot forget the signal; nothing is wrong.
    NoReset,
}

impl Stage {
    /// Real-time but for a trap.
    pub(crate) fn process(
        &mut self,
        block: &mut Block,
        allowance: &mut Allowance,
    ) -> Result<(), StageFault> {
        let status = match self {
            Self::Effect(effect) => {
                let frames = block.frame_count();
                effect.advance(block, 0, frames, allowance).map_err(StageFault::Effect)?
            }
            Self::Step(step) => step.process(block),
        };
        if status == Status::Failed { Err(StageFault::Step) } else { Ok(()) }
    }

    /// Sets a parameter of an effect from the next frame on. Real-time.
    pub(crate) fn set(&mut self, id: u32, value: f64, allowance: &mut Allowance) {
        if let Self::Effect(effect) = self {
            effect.set_within(id, value, allowance);
        }
    }

    /// The state after creation; `false` where that takes a fresh instance. Real-time.
    pub(crate) fn reset(&mut self) -> bool {
        match self {
            Self::Effect(effect) => effect.reset_if_real_time(),
            Self::Step(step) => {
                step.reset();
                true
            }
        }
    }

    /// Frames by which output lags behind input.
    pub(crate) fn latency(&self) -> usize {
        match self {
            Self::Effect(effect) => effect.latency().as_usize(),
            Self::Step(step) => step.properties().latency.as_usize(),
        }
    }

    /// How long it sounds after the input's end.
    pub(crate) fn tail(&self) -> Tail {
        match self {
            Self::Effect(effect) => effect.tail(),
            Self::Step(step) => step.properties().tail,
        }
    }

    /// Why it broke, in one line. Allocates, and calls the module.
    pub(crate) fn explain(&mut self, fault: StageFault) -> String {
        match (self, fault) {
            (Self::Effect(effect), StageFault::Effect(fault)) => effect.explain(fault).to_string(),
            (Self::Step(step), _) => {
                step.report().failure.unwrap_or_else(|| "it failed".to_owned())
            }
            (Self::Effect(_), _) => "it failed".to_owned(),
        }
    }
}
