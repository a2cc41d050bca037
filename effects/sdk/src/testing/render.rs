//! A whole signal through an effect.

use super::Rig;
use crate::{Effect, Tail};

/// How much of an infinite tail is rendered, in seconds.
const INFINITE_TAIL_S: f64 = 2.0;

/// The whole output for this input, `[channel][frame]`: its frames, then latency and tail (of an
/// infinite one, two seconds). The latency is still at the front.
///
/// # Panics
/// When the effect cannot be created or fails, or a parameter does not exist.
pub fn render<E: Effect>(
    sample_rate: f64,
    params: &[(&str, f64)],
    input: &[Vec<f32>],
    block_frames: usize,
) -> Vec<Vec<f32>> {
    let mut rig = Rig::<E>::new(sample_rate, input.len(), block_frames).with_all(params);
    rig.start().expect("the effect can be created");
    let mut signal = with_end(&rig, sample_rate, input);
    rig.process(&mut signal, block_frames);
    signal
}

/// The input and the zeros a host feeds after it.
pub(super) fn with_end<E: Effect>(
    rig: &Rig<E>,
    sample_rate: f64,
    input: &[Vec<f32>],
) -> Vec<Vec<f32>> {
    let frames = rig.latency() as usize + tail_frames(rig.tail(), sample_rate);
    let mut signal = input.to_vec();
    for plane in &mut signal {
        plane.resize(plane.len() + frames, 0.0);
    }
    signal
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
fn tail_frames(tail: Tail, sample_rate: f64) -> usize {
    match tail {
        Tail::Frames(frames) => frames as usize,
        Tail::Infinite => (sample_rate * INFINITE_TAIL_S) as usize,
    }
}
