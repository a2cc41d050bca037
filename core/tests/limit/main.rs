//! The limiter against measures that share nothing with it.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a test binary: a panic is a failed test, rounding is meant, and what is printed is measured"
)]

mod ceiling;
mod characters;
mod distortion;
#[path = "../common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "several binaries use parts of it")]
mod drive;
mod group;
mod identity;
mod loudness;
mod meter;
mod oracle;
mod release;
mod signals;

use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::limit::{Character, Limited, Limiter, LimiterSettings, Linking};
use wavemill_core::units::Dbtp;

/// Below full scale by as much as most deliveries ask.
const CEILING_DBTP: f64 = -1.0;

/// What a limiter makes of whole channels, its delay taken away, and what it says about it.
fn limit(
    planes: &[Vec<f32>],
    rate_hz: u32,
    linking: Linking,
    block_frames: usize,
) -> (Vec<Vec<f32>>, Limited) {
    limit_as(Character::Clean, planes, rate_hz, linking, block_frames)
}

/// A limiter of a character.
fn limiter(character: Character, spec: &StreamSpec, linking: Linking) -> Limiter {
    let ceiling = Dbtp(CEILING_DBTP);
    Limiter::new(spec, &LimiterSettings { ceiling, linking, character, release: None })
}

/// The same for any character.
fn limit_as(
    character: Character,
    planes: &[Vec<f32>],
    rate_hz: u32,
    linking: Linking,
    block_frames: usize,
) -> (Vec<Vec<f32>>, Limited) {
    let spec = StreamSpec::new(rate_hz, planes.len());
    let mut limiter = limiter(character, &spec, linking);
    let latency = limiter.latency().as_usize();
    let padded: Vec<Vec<f32>> =
        planes.iter().map(|plane| [&plane[..], &vec![0.0; latency]].concat()).collect();
    let mut output = vec![Vec::new(); planes.len()];
    for start in (0..padded[0].len()).step_by(block_frames) {
        let end = (start + block_frames).min(padded[0].len());
        let cut: Vec<&[f32]> = padded.iter().map(|plane| &plane[start..end]).collect();
        let mut block = Block::from_planes(&cut);
        limiter.process(&mut block);
        for (output, plane) in output.iter_mut().zip(block.planes()) {
            output.extend(plane);
        }
    }
    for plane in &mut output {
        plane.drain(..latency);
    }
    (output, limiter.limited())
}

/// One channel, linked or not.
fn limit_mono(samples: &[f32], rate_hz: u32) -> Vec<f32> {
    limit(&[samples.to_vec()], rate_hz, Linking::Linked, 4096).0.remove(0)
}

/// The amplitude that lies so many decibels above the ceiling.
fn above_ceiling(gain_db: f64) -> f64 {
    10f64.powf((CEILING_DBTP + gain_db) / 20.0)
}
