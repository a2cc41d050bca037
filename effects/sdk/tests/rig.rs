//! The rig and the shared properties, tried on an effect that keeps them and on effects that break
//! one each.
#![expect(clippy::cast_possible_truncation, reason = "samples")]

use wavemill_effect::testing::{
    Rig, assert_block_invariant, assert_finite, assert_reset_is_fresh, assert_tail_is_honest,
    impulse, render,
};
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Param, Preset, Setup, Tail};

/// What is wrong with a [`Smoother`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    DependsOnBlocks,
    ResetKeepsState,
    BlowsUp,
    TailTooShort,
    SilentIsNot,
}

const FLAWS: [Flaw; 6] = [
    Flaw::None,
    Flaw::DependsOnBlocks,
    Flaw::ResetKeepsState,
    Flaw::BlowsUp,
    Flaw::TailTooShort,
    Flaw::SilentIsNot,
];

/// A one-pole smoother with one of the flaws.
struct Smoother<const FLAW: usize> {
    share: f64,
    state: Vec<f64>,
}

const PARAMS: &[Param] = &[Param::new(7, "share", "Share", (0.01, 1.0, 0.1))];

impl<const FLAW: usize> Effect for Smoother<FLAW> {
    const DESCRIPTION: Description = Description::new("smoother", "Smoother", "1.0.0")
        .channels(1, 2)
        .params(PARAMS)
        .presets(&[Preset::new("slow", &[("share", 0.02)])]);

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        Ok(Self { share: setup.param(7), state: vec![0.0; setup.channels] })
    }

    fn set_param(&mut self, _: u32, value: f64) {
        self.share = value;
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let flaw = FLAWS[FLAW];
        let frames = block.frames();
        for (plane, state) in block.planes_mut().zip(&mut self.state) {
            for sample in plane {
                *state += self.share * (f64::from(*sample) - *state);
                *sample = *state as f32;
                if flaw == Flaw::BlowsUp {
                    *sample /= *state as f32;
                }
            }
            if flaw == Flaw::DependsOnBlocks && frames < 100 {
                *state = 0.0;
            }
        }
        if flaw == Flaw::SilentIsNot { Flow::Silent } else { Flow::Continue }
    }

    fn reset(&mut self) {
        if FLAWS[FLAW] != Flaw::ResetKeepsState {
            self.state.fill(0.0);
        }
    }

    fn tail(&self) -> Tail {
        Tail::Frames(if FLAWS[FLAW] == Flaw::TailTooShort { 1 } else { 132 })
    }
}

#[test]
fn honest_effect_has_all_properties() {
    assert_block_invariant::<Smoother<0>>(48_000.0, 2, &[]);
    assert_reset_is_fresh::<Smoother<0>>(48_000.0, 2, &[]);
    assert_finite::<Smoother<0>>(48_000.0, 2, &[]);
    assert_tail_is_honest::<Smoother<0>>(48_000.0, 2, &[]);
}

#[test]
#[should_panic(expected = "blocks of 1 frames")]
fn output_that_depends_on_blocks_is_found() {
    assert_block_invariant::<Smoother<1>>(48_000.0, 1, &[]);
}

#[test]
#[should_panic(expected = "after a reset")]
fn state_that_outlives_a_reset_is_found() {
    assert_reset_is_fresh::<Smoother<2>>(48_000.0, 1, &[]);
}

#[test]
#[should_panic(expected = "NaN for silence")]
fn output_that_is_no_number_is_found() {
    assert_finite::<Smoother<3>>(48_000.0, 1, &[]);
}

#[test]
#[should_panic(expected = "after latency and tail")]
fn tail_that_is_too_short_is_found() {
    assert_tail_is_honest::<Smoother<4>>(48_000.0, 1, &[]);
}

#[test]
#[should_panic(expected = "it said `Silent`")]
fn silence_that_is_not_is_found() {
    let mut rig = Rig::<Smoother<5>>::new(48_000.0, 1, 64);
    rig.start().unwrap();
    rig.process(&mut impulse(1, 64), 16);
}

#[test]
fn render_appends_the_tail() {
    let output = render::<Smoother<0>>(48_000.0, &[("share", 0.5)], &impulse(1, 10), 64);
    assert_eq!(output[0].len(), 142);
    assert_eq!(output[0][..3], [0.5, 0.25, 0.125]);
}

#[test]
fn preset_sets_its_values() {
    let mut rig = Rig::<Smoother<0>>::new(48_000.0, 1, 64).preset("slow");
    rig.start().unwrap();
    let mut signal = impulse(1, 1);
    rig.process(&mut signal, 1);
    assert_eq!(signal[0], [0.02]);
}

#[test]
#[should_panic(expected = "there is no parameter `shore`; there are [\"share\"]")]
fn unknown_parameter_is_named() {
    let _ = Rig::<Smoother<0>>::new(48_000.0, 1, 64).with("shore", 0.5);
}

#[test]
#[should_panic(expected = "`share` is 2, not in 0.01..=1")]
fn value_outside_its_range_is_refused() {
    let _ = Rig::<Smoother<0>>::new(48_000.0, 1, 64).with("share", 2.0);
}
