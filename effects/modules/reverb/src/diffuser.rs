//! Diffusion: all passes in a row turn an impulse into a burst without coloring it.

use crate::absorption::prime_from;
use crate::ring::Ring;
use crate::{ROW, Row, TILE, tiles_mut};
use wavemill_effect::lanes::F32x4;

/// Delays in milliseconds and coefficients. Source: Dattorro 1997, table 1: 142, 107, 379, and 277 samples
/// at 29,761 Hz.
const STAGES: [(f64, f32); 4] = [(4.771, 0.75), (3.595, 0.75), (12.735, 0.625), (9.307, 0.625)];

/// By how much each further channel's delays are longer, so that channels do not burst alike.
const CHANNEL_STRETCH: f64 = 0.073;

/// Four all passes. Source: Schroeder 1962, fig. 2; `v[n] = x[n] + g v[n-D]`, `y[n] = v[n-D] - g v[n]`.
#[derive(Debug)]
pub(crate) struct Diffuser {
    stages: [(Ring, f32); 4],
}

impl Diffuser {
    /// For a channel; delays are `scale` times as long as the source's.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a rate within the contract"
    )]
    pub(crate) fn new(channel: usize, scale: f64, rate_hz: f64) -> Self {
        let stretch = 1.0 + CHANNEL_STRETCH * channel as f64;
        let stages = STAGES.map(|(ms, gain)| {
            let frames = ms * 1e-3 * scale * stretch * rate_hz;
            (Ring::new(prime_from((frames as usize).max(ROW))), gain)
        });
        Self { stages }
    }

    /// Diffuses the first `frames` frames of a row.
    pub(crate) fn process(&mut self, row: &mut Row, frames: usize) {
        if frames == ROW {
            self.process_row(row);
        } else {
            for (ring, gain) in &mut self.stages {
                all_pass(&mut row[..frames], &mut ring.row(frames)[..frames], *gain);
            }
        }
        for (ring, _) in &mut self.stages {
            ring.advance(frames);
        }
    }

    /// All stages at once, two tiles a turn: each turn of a loop in the sandbox costs a look at the clock.
    fn process_row(&mut self, row: &mut Row) {
        let [g0, g1, g2, g3] = self.stages.each_ref().map(|(_, gain)| F32x4::splat(*gain));
        let [s0, s1, s2, s3] = &mut self.stages;
        let rings = [s0, s1, s2, s3].map(|(ring, _)| turns(ring.row(ROW)));
        let [r0, r1, r2, r3] = rings;
        let old = r0.iter_mut().zip(r1).zip(r2.iter_mut().zip(r3));
        for (samples, ((r0, r1), (r2, r3))) in turns(row).iter_mut().zip(old) {
            for tile in 0..TURN {
                let x = F32x4::new(samples[tile]);
                let x = all_pass_tile(x, &mut r0[tile], g0);
                let x = all_pass_tile(x, &mut r1[tile], g1);
                let x = all_pass_tile(x, &mut r2[tile], g2);
                samples[tile] = all_pass_tile(x, &mut r3[tile], g3).to_array();
            }
        }
    }

    /// Frames of its delays together.
    pub(crate) fn length(&self) -> usize {
        self.stages.iter().map(|(ring, _)| ring.length()).sum()
    }

    /// Silence.
    pub(crate) fn clear(&mut self) {
        for (ring, _) in &mut self.stages {
            ring.clear();
        }
    }
}

fn all_pass(row: &mut [f32], old: &mut [f32], gain: f32) {
    for (sample, delayed) in row.iter_mut().zip(old) {
        let v = *sample + gain * *delayed;
        *sample = *delayed - gain * v;
        *delayed = v;
    }
}

#[inline]
fn all_pass_tile(x: F32x4, old: &mut [f32; TILE], gain: F32x4) -> F32x4 {
    let delayed = F32x4::new(*old);
    let v = x + gain * delayed;
    *old = v.to_array();
    delayed - gain * v
}

/// Tiles of a turn of the loop.
const TURN: usize = 2;

#[inline]
fn turns(row: &mut Row) -> &mut [[[f32; TILE]; TURN]] {
    tiles_mut(row).as_chunks_mut().0
}
