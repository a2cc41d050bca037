//! What must hold for every effect, whatever it does. `wavemill effects check` asks the same of a
//! module.

use super::render::with_end;
use super::{Rig, impulse, noise, silence, sine};
use crate::{Effect, Param};

/// Frames of the test signals: more than the largest block, and not a multiple of any.
const FRAMES: usize = 9_001;

/// How signals are cut; the first is what the others are compared with.
const BLOCK_FRAMES: [usize; 6] = [4_096, 1, 7, 64, 333, 1_024];

/// Where parameters are changed while audio runs.
const CHANGE_AT: usize = 4_321;

/// Largest output sample the contract allows.
const OUTPUT_AMPLITUDE_MAX: f32 = 1e6;

/// What may sound on after the tail, as in `wavemill effects check`: -120 dBFS.
const AFTER_TAIL_MAX: f32 = 1e-6;

/// Asserts that the output has the same bits however the stream is cut into blocks, also when every
/// automatable parameter changes in its midst.
///
/// # Panics
/// When it has not, or the effect cannot be created.
pub fn assert_block_invariant<E: Effect>(
    sample_rate: f64,
    channels: usize,
    params: &[(&str, f64)],
) {
    let input = noise(channels, FRAMES, 0.5);
    let render = |block_frames: usize, do_change: bool| {
        let mut rig = started::<E>(sample_rate, channels, params);
        let mut first = input.clone();
        let mut second: Vec<Vec<f32>> =
            first.iter_mut().map(|plane| plane.split_off(CHANGE_AT)).collect();
        rig.process(&mut first, block_frames);
        if do_change {
            change_all(&mut rig);
        }
        rig.process(&mut second, block_frames);
        joined(first, &second)
    };
    for do_change in [false, true] {
        let whole = render(BLOCK_FRAMES[0], do_change);
        for block_frames in &BLOCK_FRAMES[1..] {
            let what = format!("blocks of {block_frames} frames, parameters change: {do_change}");
            assert_same_bits(&whole, &render(*block_frames, do_change), &what);
        }
    }
}

/// Asserts that after a reset the output has the same bits as that of a fresh instance, also when
/// parameters were changed before.
///
/// # Panics
/// When it has not, or the effect cannot be created.
pub fn assert_reset_is_fresh<E: Effect>(sample_rate: f64, channels: usize, params: &[(&str, f64)]) {
    let input = noise(channels, FRAMES, 0.5);
    for do_change in [false, true] {
        let mut used = started::<E>(sample_rate, channels, params);
        used.process(&mut sine(channels, FRAMES, sample_rate, 440.0, 0.9), BLOCK_FRAMES[0]);
        if do_change {
            change_all(&mut used);
            used.process(&mut noise(channels, 77, 0.9), BLOCK_FRAMES[0]);
        }
        let fresh_params: Vec<(&str, f64)> =
            E::DESCRIPTION.params.iter().map(|param| (param.key, used.value(param))).collect();
        used.reset();
        let mut fresh = started::<E>(sample_rate, channels, &fresh_params);
        let (mut of_used, mut of_fresh) = (input.clone(), input.clone());
        used.process(&mut of_used, BLOCK_FRAMES[0]);
        fresh.process(&mut of_fresh, BLOCK_FRAMES[0]);
        let what = format!("after a reset, parameters changed: {do_change}");
        assert_same_bits(&of_fresh, &of_used, &what);
    }
}

/// Asserts that the output is finite and within the contract's limit for silence, an impulse,
/// noise, full scale, tiny numbers and a sudden end, with these parameters and with every single
/// one at its ends. Ends that the effect refuses to be created with are left out.
///
/// # Panics
/// When it is not.
pub fn assert_finite<E: Effect>(sample_rate: f64, channels: usize, params: &[(&str, f64)]) {
    assert_finite_with(&mut started::<E>(sample_rate, channels, params), channels, "as given");
    for param in E::DESCRIPTION.params {
        for value in [param.min, param.max] {
            let rig = Rig::<E>::new(sample_rate, channels, BLOCK_FRAMES[0]);
            let mut rig = rig.with_all(params).with(param.key, value);
            if rig.start().is_ok() {
                let what = format!("`{}` = {value}", param.key);
                assert_finite_with(&mut rig, channels, &what);
            }
        }
    }
}

fn assert_finite_with<E: Effect>(rig: &mut Rig<E>, channels: usize, what: &str) {
    let constant = |value: f32| vec![vec![value; FRAMES]; channels];
    let alternating: Vec<f32> =
        (0..FRAMES).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let signals = [
        ("silence", silence(channels, FRAMES)),
        ("an impulse", impulse(channels, FRAMES)),
        ("noise", noise(channels, FRAMES, 1.0)),
        ("full scale", constant(1.0)),
        ("full scale at half the rate", vec![alternating; channels]),
        ("denormals", constant(1e-40)),
        ("+24 dBFS", noise(channels, FRAMES, 16.0)),
        ("silence after all that", silence(channels, FRAMES)),
    ];
    for (name, mut signal) in signals {
        rig.process(&mut signal, BLOCK_FRAMES[0]);
        for (channel, plane) in signal.iter().enumerate() {
            let wrong = plane
                .iter()
                .position(|sample| !sample.is_finite() || sample.abs() > OUTPUT_AMPLITUDE_MAX);
            if let Some(frame) = wrong {
                let value = plane[frame];
                panic!("{value} for {name}, {what}: channel {channel}, frame {frame}");
            }
        }
    }
}

/// Asserts that an impulse has died away (-120 dBFS) where the effect says that its tail ends.
///
/// # Panics
/// When it has not, or the effect cannot be created.
pub fn assert_tail_is_honest<E: Effect>(sample_rate: f64, channels: usize, params: &[(&str, f64)]) {
    let mut rig = started::<E>(sample_rate, channels, params);
    let mut block = with_end(&rig, sample_rate, &impulse(channels, 1));
    rig.process(&mut block, BLOCK_FRAMES[0]);
    let mut after = silence(channels, FRAMES);
    rig.process(&mut after, BLOCK_FRAMES[0]);
    let peak = after.iter().flatten().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!(peak <= AFTER_TAIL_MAX, "peak of {peak} after latency and tail");
}

fn started<E: Effect>(sample_rate: f64, channels: usize, params: &[(&str, f64)]) -> Rig<E> {
    let mut rig = Rig::<E>::new(sample_rate, channels, BLOCK_FRAMES[0]).with_all(params);
    rig.start().expect("the effect can be created");
    rig
}

/// Sets every automatable parameter to a value a third of its range away.
fn change_all<E: Effect>(rig: &mut Rig<E>) {
    for param in E::DESCRIPTION.params.iter().filter(|param| !param.needs_restart) {
        rig.set(param.key, changed(param, rig.value(param)));
    }
}

/// Another value of a parameter, on one of its steps.
fn changed(param: &Param, value: f64) -> f64 {
    let range = param.max - param.min;
    let moved = value + range / 3.0;
    let moved = if moved > param.max { moved - range } else { moved };
    if param.steps == 0 {
        return moved.max(param.min);
    }
    let step = range / f64::from(param.steps);
    let steps = ((moved - param.min) / step).round();
    let other = param.min + steps * step;
    // With one step or two, a third of the range may round to where it was.
    if (other - value).abs() < step / 2.0 {
        if value > param.min { param.min } else { param.max }
    } else {
        other.clamp(param.min, param.max)
    }
}

fn joined(mut first: Vec<Vec<f32>>, second: &[Vec<f32>]) -> Vec<Vec<f32>> {
    for (plane, rest) in first.iter_mut().zip(second) {
        plane.extend_from_slice(rest);
    }
    first
}

fn assert_same_bits(expected: &[Vec<f32>], actual: &[Vec<f32>], what: &str) {
    for (channel, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        for (frame, (a, b)) in expected.iter().zip(actual).enumerate() {
            let is_same = a.to_bits() == b.to_bits();
            assert!(is_same, "{what}: {b} instead of {a} at channel {channel}, frame {frame}");
        }
    }
}
