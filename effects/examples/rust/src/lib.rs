//! A tilt equalizer: what lies below the pivot gets quieter by half the tilt, what lies above it
//! louder.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use wavemill_effect::{
    Block, CreateError, Description, Effect, Flow, Param, Preset, Scale, Setup, Tail, math,
};

/// Ids of the parameters; never reused for another one.
const TILT: u32 = 0;
const PIVOT: u32 = 1;

/// What is left of the input in the low-pass is inaudible then: at its lowest pivot it has fallen by
/// 160 dB.
const TAIL_S: f64 = 0.03;

/// A tilt equalizer.
pub struct Tilt {
    sample_rate_hz: f64,
    tilt_db: f64,
    pivot_hz: f64,
    /// Gain below and above the pivot.
    low_gain: f32,
    high_gain: f32,
    /// How far the low-pass moves towards its input with every frame.
    share: f32,
    /// Output of the low-pass, one for each channel.
    lows: Vec<f32>,
}

impl Tilt {
    /// Turns the parameters into what the loop needs.
    fn prepare(&mut self) {
        self.low_gain = math::db_to_amplitude(-self.tilt_db / 2.0) as f32;
        self.high_gain = math::db_to_amplitude(self.tilt_db / 2.0) as f32;
        // A one-pole low-pass whose response to a step reaches 1 - 1/e after 1 / (2 pi pivot)
        // seconds.
        let step = core::f64::consts::TAU * self.pivot_hz / self.sample_rate_hz;
        self.share = (1.0 - math::exp(-step)) as f32;
    }
}

impl Effect for Tilt {
    const DESCRIPTION: Description = Description::new("com.example.tilt", "Tilt", "0.1.0")
        .summary("Turns the spectrum around a pivot: darker or brighter.")
        .manual("A one-pole low-pass splits the signal; its two parts get opposite gains.")
        .params(&[
            Param::new(TILT, "tilt_db", "Tilt", (-12.0, 12.0, 3.0))
                .unit("dB")
                .summary("Highs louder and lows quieter, by half of it each."),
            Param::new(PIVOT, "pivot_hz", "Pivot", (100.0, 5_000.0, 700.0))
                .unit("Hz")
                .scale(Scale::Logarithmic)
                .summary("Where the spectrum turns."),
        ])
        .presets(&[Preset::new("warm", &[("tilt_db", -4.0)])]);

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let mut tilt = Self {
            sample_rate_hz: setup.sample_rate,
            tilt_db: setup.param(TILT),
            pivot_hz: setup.param(PIVOT),
            low_gain: 1.0,
            high_gain: 1.0,
            share: 1.0,
            // All memory is taken here; `process` must not allocate.
            lows: vec![0.0; setup.channels],
        };
        tilt.prepare();
        Ok(tilt)
    }

    fn set_param(&mut self, id: u32, value: f64) {
        match id {
            TILT => self.tilt_db = value,
            _ => self.pivot_hz = value,
        }
        self.prepare();
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let (share, low_gain, high_gain) = (self.share, self.low_gain, self.high_gain);
        for (plane, state) in block.planes_mut().zip(&mut self.lows) {
            let mut low = *state;
            for sample in plane {
                low += share * (*sample - low);
                *sample = low_gain * low + high_gain * (*sample - low);
            }
            *state = low;
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.lows.fill(0.0);
    }

    fn tail(&self) -> Tail {
        Tail::Frames((TAIL_S * self.sample_rate_hz) as u32)
    }
}

wavemill_effect::export_effect!(Tilt);

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_effect::testing::{
        assert_block_invariant, assert_finite, assert_reset_is_fresh, assert_tail_is_honest, render,
    };

    #[test]
    fn every_promise_of_the_contract_is_kept() {
        for channels in [1, 2] {
            assert_block_invariant::<Tilt>(48_000.0, channels, &[]);
            assert_reset_is_fresh::<Tilt>(48_000.0, channels, &[]);
            assert_finite::<Tilt>(48_000.0, channels, &[]);
            assert_tail_is_honest::<Tilt>(48_000.0, channels, &[("pivot_hz", 100.0)]);
        }
    }

    #[test]
    fn tilt_of_6_db_lowers_constant_input_by_3_db() {
        let output = render::<Tilt>(48_000.0, &[("tilt_db", 6.0)], &[vec![1.0; 48_000]], 512);
        let settled = f64::from(output[0][47_999]);
        assert!((math::amplitude_to_db(settled) + 3.0).abs() < 0.001, "{settled}");
    }

    #[test]
    fn tilt_of_0_db_leaves_the_signal_alone() {
        let input = wavemill_effect::testing::noise(1, 1_000, 0.5);
        let output = render::<Tilt>(48_000.0, &[("tilt_db", 0.0)], &input, 512);
        for (before, after) in input[0].iter().zip(&output[0]) {
            assert!((before - after).abs() < 1e-6);
        }
    }
}
