//! How fast an effect is natively, to compare its module with.

use std::hint::black_box;
use std::time::Instant;

use super::{Rig, noise};
use crate::{Block, Effect, Flow};

/// Frames between two looks at the clock.
const FRAMES: usize = 65_536;

/// How often that is repeated; the fastest counts, since other programs only ever slow it down.
const ROUNDS: usize = 30;

/// Nanoseconds a frame of all channels takes, with these parameters and blocks of `block_frames`
/// frames, copied in and out as a host does. Build with optimization; a debug build measures
/// itself.
///
/// # Panics
/// When the effect cannot be created or fails, or a parameter does not exist.
pub fn ns_per_frame<E: Effect>(
    sample_rate: f64,
    channels: usize,
    params: &[(&str, f64)],
    block_frames: usize,
) -> f64 {
    let mut rig = Rig::<E>::new(sample_rate, channels, block_frames).with_all(params);
    rig.start().expect("the effect can be created");
    let input = noise(channels, FRAMES, 0.5);
    let mut output = input.clone();
    let mut samples = vec![0.0; block_frames * channels];
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for at in (0..FRAMES).step_by(block_frames) {
            let frames = block_frames.min(FRAMES - at);
            for (plane, input) in samples.chunks_exact_mut(block_frames).zip(&input) {
                plane[..frames].copy_from_slice(&input[at..][..frames]);
            }
            let mut block = Block::new(&mut samples, block_frames, frames);
            let flow = rig.effect_mut().process(&mut block);
            assert!(!matches!(flow, Flow::Failed(_)), "the effect failed");
            for (plane, output) in samples.chunks_exact(block_frames).zip(&mut output) {
                output[at..][..frames].copy_from_slice(&plane[..frames]);
            }
        }
        fastest = fastest.min(start.elapsed().as_secs_f64());
        black_box(&mut output);
    }
    fastest * 1e9 / FRAMES as f64
}
