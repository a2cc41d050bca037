//! Diffusion: all passes in a row turn an impulse into a burst without coloring it.

use crate::absorption::prime_from;
use crate::ring::Ring;
use crate::{ROW, Row, tiles_mut};
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
        for (ring, gain) in &mut self.stages {
            let old = ring.row(frames);
            if frames == ROW {
                all_pass_row(row, old, *gain);
            } else {
                all_pass(&mut row[..frames], &mut old[..frames], *gain);
            }
            ring.advance(frames);
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

/// As [`all_pass`]; two tiles at a time, since each turn of a loop in the sandbox costs a look at the clock.
fn all_pass_row(row: &mut Row, old: &mut Row, gain: f32) {
    let gain = F32x4::splat(gain);
    let (pairs, _) = tiles_mut(row).as_chunks_mut::<2>();
    let (old_pairs, _) = tiles_mut(old).as_chunks_mut::<2>();
    for (pair, old) in pairs.iter_mut().zip(old_pairs) {
        for (samples, delayed) in pair.iter_mut().zip(old) {
            let past = F32x4::new(*delayed);
            let v = F32x4::new(*samples) + gain * past;
            *samples = (past - gain * v).to_array();
            *delayed = v.to_array();
        }
    }
}
