//! How far a recording's A4 lies from 440 Hz.
//!
//! The distances of its peaks from equal temperament at 440 Hz lie on a circle of one semitone; their
//! mean direction is the tuning, and how well they agree is its concentration.
//!
//! Source: T. Gerhard, "Tuning frequency estimation" as in M. Müller, "Fundamentals of music
//! processing", 2nd edition 2021, 3.1 (comb of semitones); K. V. Mardia, P. E. Jupp, "Directional
//! statistics", 2000 (circular mean).

use super::peaks::Peak;
use std::f64::consts::TAU;

/// Peaks below have too coarse a pitch: A2.
const PITCH_MIN: f32 = 45.0;

/// Collects peaks' distances from the semitones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tuning {
    re: f64,
    im: f64,
    weight: f64,
}

impl Tuning {
    pub(super) fn push(&mut self, peak: Peak) {
        if peak.pitch < PITCH_MIN {
            return;
        }
        let weight = f64::from(peak.ratio);
        let angle = TAU * f64::from(peak.pitch);
        self.re += weight * angle.cos();
        self.im += weight * angle.sin();
        self.weight += weight;
    }

    /// Semitones above 440 Hz, from -0.5 to 0.5.
    pub(super) fn semitones(&self) -> f64 {
        if self.weight > 0.0 { self.im.atan2(self.re) / TAU } else { 0.0 }
    }

    /// How well the peaks agree, from 0 to 1.
    pub(super) fn concentration(&self) -> f64 {
        if self.weight > 0.0 { self.re.hypot(self.im) / self.weight } else { 0.0 }
    }
}
