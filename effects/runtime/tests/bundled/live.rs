//! A live sandbox gives the bits of files.

use crate::bench::{FRAMES_MAX, RATE_HZ, Signal, noise, settings};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};
use wavemill_core::units::SampleRate;
use wavemill_runtime::bundled::MODULES;
use wavemill_runtime::{Allowance, Effect, Mode, Module, Sandbox, limits};

/// Blocks as DAWs cut them, and larger than a call may be.
const BLOCKS: &[usize] = &[1, 32, 64, 333, 512, 5_000];

/// Shorter blocks are played for a shorter time: calls are what takes the test's time.
const CALLS: usize = 600;

fn instance(module: &Module, max_frames: usize) -> Effect {
    let spec = StreamSpec::new(RATE_HZ, 2);
    module.instantiate(&spec, &settings(module, &[]), max_frames).unwrap()
}

/// Half of the signal, then every automatable parameter another value, then the rest.
fn play(
    effect: &mut Effect,
    input: &[Vec<f32>],
    block_frames: usize,
    call: fn(&mut Effect, &mut Block) -> Status,
) -> Signal {
    let mut signal = vec![Vec::new(); input.len()];
    let half = input[0].len() / 2;
    for range in [0..half, half..input[0].len()] {
        if range.start > 0 {
            for param in effect.module().description().params.clone() {
                effect.set(param.id, param.default.midpoint(param.max));
            }
        }
        for start in range.clone().step_by(block_frames) {
            let end = (start + block_frames).min(range.end);
            let planes: Vec<&[f32]> = input.iter().map(|plane| &plane[start..end]).collect();
            let mut block = Block::from_planes(&planes);
            assert_ne!(call(effect, &mut block), Status::Failed, "{:?}", effect.failure());
            for (plane, out) in block.planes().zip(&mut signal) {
                out.extend_from_slice(plane);
            }
        }
    }
    signal
}

fn live_call(effect: &mut Effect, block: &mut Block) -> Status {
    let frames = block.frame_count();
    // In two pieces of one allowance, as around an event.
    let mut allowance = Allowance::offline(frames, SampleRate(RATE_HZ));
    let cut = frames / 3;
    let _ = effect.advance(block, 0, cut, &mut allowance).unwrap();
    effect.advance(block, cut, frames - cut, &mut allowance).unwrap()
}

#[test]
fn live_sandbox_gives_the_bits_of_files() {
    let sandboxes = [Mode::File, Mode::Live].map(|mode| Sandbox::new(mode, None).unwrap());
    for bundled in MODULES {
        let [file, live] = sandboxes
            .each_ref()
            .map(|sandbox| sandbox.load(bundled.bytes, limits::MEMORY_MIB).unwrap());
        let noise = noise(2, RATE_HZ as usize, 0.5);
        for &block_frames in BLOCKS {
            let frames = noise[0].len().min(block_frames * CALLS);
            let input: Signal = noise.iter().map(|plane| plane[..frames].to_vec()).collect();
            let of_file =
                play(&mut instance(&file, FRAMES_MAX), &input, FRAMES_MAX, |effect, block| {
                    effect.process(block)
                });
            let mut effect = instance(&live, block_frames);
            effect.warm_up().unwrap();
            for round in ["a warm instance", "one after a reset"] {
                let of_live = play(&mut effect, &input, block_frames, live_call);
                let differs = |(a, b): &(&f32, &f32)| a.to_bits() != b.to_bits();
                let pairs = of_file.iter().flatten().zip(of_live.iter().flatten());
                let count = pairs.filter(differs).count();
                assert_eq!(count, 0, "{}, blocks of {block_frames}, {round}", bundled.name);
                for param in live.description().params.clone() {
                    effect.set(param.id, param.default);
                }
                assert!(effect.reset_if_real_time(), "{}", bundled.name);
            }
        }
    }
}
