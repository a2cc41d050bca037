//! Open or closed, and the gain between.

use effect_common::convert::{frames_of_ms, narrow, one_pole_step};
use wavemill_effect::math;

/// At or beyond this range a closed gate is silent.
pub const RANGE_SILENT_DB: f64 = 100.0;

/// Gains this close to where they are going are there: -240 dB.
const GAIN_ERROR_MAX: f64 = 1e-12;

/// What opens and closes the gate, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Amplitude from which on it opens.
    open_at: f32,
    /// Amplitude from which on it stays open.
    stay_at: f32,
    hold_frames: u32,
    attack_step: f64,
    release_step: f64,
    /// Gain of the closed gate.
    floor: f64,
}

/// What users set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Amplitude from which on it opens, in dBFS.
    pub threshold_db: f64,
    /// How far below it the level may fall before it closes.
    pub hysteresis_db: f64,
    /// Time constant of opening.
    pub attack_ms: f64,
    /// How long it stays open after the level fell.
    pub hold_ms: f64,
    /// Time constant of closing.
    pub release_ms: f64,
    /// How much quieter the closed gate is.
    pub range_db: f64,
}

impl Law {
    /// From what users set.
    pub fn new(settings: &Settings, sample_rate: f64) -> Self {
        let stay_db = settings.threshold_db - settings.hysteresis_db;
        let is_silent = settings.range_db >= RANGE_SILENT_DB;
        let hold_frames = frames_of_ms(settings.hold_ms, sample_rate);
        Self {
            open_at: narrow(math::db_to_amplitude(settings.threshold_db)),
            stay_at: narrow(math::db_to_amplitude(stay_db)),
            hold_frames: u32::try_from(hold_frames).unwrap_or(u32::MAX),
            attack_step: one_pole_step(settings.attack_ms, sample_rate),
            release_step: one_pole_step(settings.release_ms, sample_rate),
            floor: if is_silent { 0.0 } else { math::db_to_amplitude(-settings.range_db) },
        }
    }
}

/// The state of the gate.
///
/// A Schmitt trigger with a hold time, and a one-pole low-pass on the linear gain. Source: Zoelzer (ed.), "DAFX: Digital Audio Effects",
/// 2nd ed., 2011, ch. 4.2.3 (noise gate: hysteresis, hold, attack and release).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latch {
    is_open: bool,
    /// Frames it stays open without a loud one.
    left: u32,
    gain: f64,
}

impl Latch {
    /// Closed, as at the start of a stream.
    pub fn closed(law: &Law) -> Self {
        Self { is_open: false, left: 0, gain: law.floor }
    }

    /// The gain of the last frame.
    pub fn gain(&self) -> f64 {
        self.gain
    }

    /// Ends the last bit of the way at once, so that nothing gets denormal.
    pub fn begin_sub_block(&mut self, law: &Law) {
        let target = if self.is_open { 1.0 } else { law.floor };
        if (self.gain - target).abs() < GAIN_ERROR_MAX {
            self.gain = target;
        }
        // A hold time that was shortened holds from now on.
        self.left = self.left.min(law.hold_frames);
    }

    /// Turns amplitudes into gains, in place.
    pub fn gains(&mut self, row: &mut [f32], law: &Law) {
        let Self { mut is_open, mut left, mut gain } = *self;
        for value in row {
            let threshold = if is_open { law.stay_at } else { law.open_at };
            let is_loud = *value >= threshold;
            is_open = is_loud || left > 0;
            left = if is_loud { law.hold_frames } else { left.saturating_sub(1) };
            let target = if is_open { 1.0 } else { law.floor };
            let step = if is_open { law.attack_step } else { law.release_step };
            gain += step * (target - gain);
            *value = narrow(gain);
        }
        *self = Self { is_open, left, gain };
    }
}
