//! How long the limiter takes, and what it does: `limit FILE [GAIN_DB] [CEILING_DBTP] [REPETITIONS]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement for developers"
)]

use std::fs::File;
use std::time::Instant;
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode;
use wavemill_core::limit::{Character, Limiter, LimiterSettings, Linking};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::{Dbtp, Decibels};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |index: usize, default: f64| {
        arguments.get(index).map_or(default, |text| text.parse().unwrap())
    };
    let gain = Decibels(number(2, 3.0)).to_amplitude() as f32;
    let ceiling = Dbtp(number(3, -1.0));

    let mut decoder = decode::open(Box::new(File::open(&arguments[1]).unwrap()), None).unwrap();
    let spec = decoder.info().spec.clone();
    let mut samples = Samples::empty(decoder.info().format, spec.channel_count());
    let mut blocks = Vec::new();
    while decoder.read(&mut samples, BLOCK_FRAMES).unwrap() > 0 {
        let mut block = Block::new(spec.channel_count(), samples.frame_count());
        convert::to_block(&samples, &mut block);
        block.planes_mut().flatten().for_each(|sample| *sample *= gain);
        blocks.push(block);
    }
    let characters = [Character::Clean, Character::Auto, Character::Loud];
    for character in characters {
        let linking = Linking::Linked;
        let mut seconds = Vec::new();
        let mut limiter =
            Limiter::new(&spec, &LimiterSettings { ceiling, linking, character, release: None });
        let mut meter = LoudnessMeter::new(&spec, MonoMode::Single);
        let mut room = Block::new(spec.channel_count(), BLOCK_FRAMES);
        for repetition in 0..number(4, 5.0) as u32 {
            limiter.reset();
            let mut time = 0.0;
            for block in &blocks {
                room.copy_from(block, 0, block.frame_count());
                let start = Instant::now();
                limiter.process(&mut room);
                time += start.elapsed().as_secs_f64();
                if repetition == 0 {
                    meter.push(&room);
                }
            }
            seconds.push(time);
        }
        let report = meter.finish();
        println!("{character:?}: {seconds:.4?} s");
        println!("  {:?}", limiter.limited());
        println!("  {:?} {:?}", report.integrated_lufs, report.true_peak_precise_dbtp);
    }
}
