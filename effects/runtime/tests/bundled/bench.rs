//! Runs a bundled module over signals, `[channel][frame]`.

use std::collections::BTreeMap;
use std::path::Path;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::descriptor::ParamValue;
use wavemill_core::processor::{Processor, Status, Tail};
use wavemill_runtime::{Effect, Mode, Module, Sandbox, Settings};

/// Rate of the tests in Hz.
pub(crate) const RATE_HZ: u32 = 48_000;

/// Most frames of a call.
pub(crate) const FRAMES_MAX: usize = 4_096;

pub(crate) type Signal = Vec<Vec<f32>>;

/// The module `effects/bundled/NAME.wasm`.
pub(crate) fn module(name: &str) -> Module {
    let file = format!("../bundled/{name}.wasm");
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    Sandbox::new(Mode::File, None).unwrap().load(&bytes, 64).unwrap()
}

/// Settings with these values over the defaults.
pub(crate) fn settings(module: &Module, values: &[(&str, f64)]) -> Settings {
    let given: BTreeMap<String, ParamValue> =
        values.iter().map(|(key, value)| ((*key).to_owned(), ParamValue::Number(*value))).collect();
    Settings::of(module.description(), None, &given).unwrap()
}

/// The effect with these values over the defaults.
pub(crate) fn effect(
    module: &Module,
    rate_hz: u32,
    channels: usize,
    values: &[(&str, f64)],
) -> Effect {
    let spec = StreamSpec::new(rate_hz, channels);
    module.instantiate(&spec, &settings(module, values), FRAMES_MAX).unwrap()
}

/// Sets a parameter from the next frame on.
pub(crate) fn set(effect: &mut Effect, key: &str, value: f64) {
    let id = effect.module().description().param(key).unwrap().id;
    assert!(effect.set(id, value), "`{key}` can be set");
}

/// What came out of an effect.
pub(crate) struct Output {
    pub(crate) signal: Signal,
    /// What it said last.
    pub(crate) status: Status,
}

/// Feeds a signal in blocks.
pub(crate) fn run(effect: &mut Effect, input: &[Vec<f32>], block_frames: usize) -> Output {
    let mut signal = vec![Vec::new(); input.len()];
    let mut status = Status::Continue;
    for start in (0..input[0].len()).step_by(block_frames) {
        let end = (start + block_frames).min(input[0].len());
        let planes: Vec<&[f32]> = input.iter().map(|plane| &plane[start..end]).collect();
        let mut block = Block::from_planes(&planes);
        status = effect.process(&mut block);
        assert_ne!(status, Status::Failed, "{:?}", effect.failure());
        for (plane, out) in block.planes().zip(&mut signal) {
            out.extend_from_slice(plane);
        }
    }
    Output { signal, status }
}

/// The output of a fresh effect for a stereo or other signal.
pub(crate) fn render(module: &Module, values: &[(&str, f64)], input: &[Vec<f32>]) -> Signal {
    run(&mut effect(module, RATE_HZ, input.len(), values), input, 1_000).signal
}

/// Frames of a tail that ends.
pub(crate) fn tail_frames(effect: &Effect) -> usize {
    match effect.tail() {
        Tail::Frames(frames) => usize::try_from(frames.0).unwrap(),
        Tail::Infinite => panic!("an infinite tail"),
    }
}

/// 1.0 in the first frame of the first channel.
pub(crate) fn impulse(channels: usize, frames: usize) -> Signal {
    let mut signal = vec![vec![0.0; frames]; channels];
    signal[0][0] = 1.0;
    signal
}

/// White noise within +-`amplitude`, always the same, each channel its own.
pub(crate) fn noise(channels: usize, frames: usize, amplitude: f32) -> Signal {
    let mut state = 1_u32;
    let mut next = || {
        // Numerical Recipes' linear congruential generator; its upper bits are good enough.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0) * amplitude
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}

/// A sine on one channel.
#[allow(clippy::cast_possible_truncation, reason = "a sample")]
pub(crate) fn sine(frames: usize, frequency_hz: f64, amplitude: f64) -> Vec<f32> {
    let step = std::f64::consts::TAU * frequency_hz / f64::from(RATE_HZ);
    (0..frames).map(|frame| ((step * frame as f64).sin() * amplitude) as f32).collect()
}

/// Mean square.
pub(crate) fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / samples.len() as f64
}

/// Level of a power relative to another.
pub(crate) fn db(ratio: f64) -> f64 {
    10.0 * ratio.log2() / std::f64::consts::LOG2_10
}

/// Where a plane is not zero, and what stands there.
pub(crate) fn spikes(plane: &[f32]) -> Vec<(usize, f32)> {
    plane.iter().copied().enumerate().filter(|(_, sample)| *sample != 0.0).collect()
}

/// Largest sample.
pub(crate) fn peak(signal: &[Vec<f32>]) -> f32 {
    signal.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
}
