//! Without the constant that an uneven curve adds.

use alloc::{vec, vec::Vec};
use effect_common::Pole;
use effect_common::convert::narrow;

/// Cutoff of what is removed in Hz: far enough below hearing that bass keeps its phase.
const CUTOFF_HZ: f64 = 5.0;

/// Time constants until a constant is gone: it has fallen by 139 dB.
const TAIL_TIME_CONSTANTS: f64 = 16.0;

/// Constants smaller than this are zero: -240 dBFS.
const CONSTANT_MIN: f64 = 1e-12;

/// Removes the slow part of what the curve added: a one-pole low-pass of the difference between the bent and the untouched signal. A constant
/// that was in the input stays, and a signal that was not bent is not changed.
#[derive(Debug)]
pub struct DcRemover {
    mean: Pole,
    constants: Vec<f64>,
    tail: u32,
}

impl DcRemover {
    /// Allocates for `channels` channels.
    pub fn new(channels: usize, sample_rate: f64) -> Self {
        let time_ms = 1_000.0 / (2.0 * core::f64::consts::PI * CUTOFF_HZ);
        let tail = TAIL_TIME_CONSTANTS * time_ms * 0.001 * sample_rate;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "half a second"
        )]
        let tail = tail as u32;
        Self { mean: Pole::new(time_ms, sample_rate), constants: vec![0.0; channels], tail }
    }

    /// Frames it sounds on after its input ended.
    pub fn tail(&self) -> u32 {
        self.tail
    }

    /// Rounds what is left of faded signals to zero.
    pub fn begin_sub_block(&mut self) {
        for constant in &mut self.constants {
            if constant.abs() < CONSTANT_MIN {
                *constant = 0.0;
            }
        }
    }

    /// Removes it from the bent signal of a channel.
    pub fn remove(&mut self, channel: usize, bent: &mut [f32], untouched: &[f32]) {
        let mut constant = self.constants[channel];
        for (bent, untouched) in bent.iter_mut().zip(untouched) {
            constant = self.mean.next(constant, f64::from(*bent - *untouched));
            *bent -= narrow(constant);
        }
        self.constants[channel] = constant;
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.constants.fill(0.0);
    }
}
