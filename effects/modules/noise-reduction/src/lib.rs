//! Reduction of steady noise: hiss, fans, traffic far away.
//!
//! Every hop, a quarter of a piece, counted from the start of the stream: the last piece of each channel goes to its spectrum ([`fft`]), the noise is
//! learned ([`noise`]), every bin is turned down by what noise it holds ([`gain`]), and the piece is added to the output ([`channel`]).
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod channel;
pub mod controls;
pub mod description;
pub mod fft;
pub mod gain;
pub mod noise;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use channel::{Bench, Channel, OVERLAP};
use controls::Controls;
use description::describe;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, Tail};

/// Shortest piece in seconds; the next power of two of frames is taken, 43 ms at 48 kHz. Long enough to
/// distinguish the overtones of a low voice, short enough that speech is steady within.
const PIECE_S: f64 = 0.032;

/// Longest piece in frames, enough for 256 kHz: with longer ones 64 channels would not fit into 64 MiB.
const PIECE_FRAMES_MAX: usize = 8_192;

/// Noise reduction on one stream.
#[derive(Debug)]
pub struct NoiseReduction {
    controls: Controls,
    bench: Bench,
    channels: Vec<Channel>,
    hop: usize,
    /// Frames since the hop began.
    position: usize,
}

wavemill_effect::export_effect!(NoiseReduction);

impl Effect for NoiseReduction {
    const DESCRIPTION: Description = describe();

    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let size = piece_frames(setup.sample_rate);
        let channels = (0..setup.channels).map(|_| Channel::new(size, setup.sample_rate));
        Ok(Self {
            controls: Controls::new(setup, size / OVERLAP),
            bench: Bench::new(size),
            channels: channels.collect(),
            hop: size / OVERLAP,
            position: 0,
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        self.controls.set(id, value);
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let mut at = 0;
        while at < block.frames() {
            let count = (self.hop - self.position).min(block.frames() - at);
            for (channel, plane) in self.channels.iter_mut().zip(block.planes_mut()) {
                channel.exchange(self.position, &mut plane[at..at + count]);
            }
            self.position += count;
            at += count;
            if self.position == self.hop {
                self.position = 0;
                let order = self.controls.advance();
                for channel in &mut self.channels {
                    channel.turn(&mut self.bench, &order);
                }
            }
        }
        Flow::Continue
    }

    fn reset(&mut self) {
        self.controls.reset();
        self.channels.iter_mut().for_each(Channel::reset);
        self.position = 0;
    }

    /// A piece: its first sample is only done when the last piece that holds it is.
    fn latency(&self) -> u32 {
        u32::try_from(self.hop * OVERLAP).unwrap_or(u32::MAX)
    }

    /// What a bin keeps is spread over its piece.
    fn tail(&self) -> Tail {
        Tail::Frames(self.latency())
    }
}

/// Frames of a piece: a power of two from 64 to [`PIECE_FRAMES_MAX`].
fn piece_frames(sample_rate: f64) -> usize {
    let mut frames = 64;
    while frames < PIECE_FRAMES_MAX && (frames as f64) < PIECE_S * sample_rate {
        frames *= 2;
    }
    frames
}
