//! Loudness before and behind the rack, and a gain that makes them equal, so that ears judge the sound and not the level.

use std::sync::atomic::{AtomicU32, Ordering};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::{Decibels, Lufs, Seconds};

/// What the meters remember of the signal's energy; short-term loudness needs three seconds.
const KEPT: Seconds = Seconds(4.0);

/// Most gain of the match, either way.
const MATCH_DB_MAX: f64 = 24.0;

/// Time in which the gain follows a change by 63 %.
const MATCH_S: f64 = 0.5;

/// Frames measured at a time.
const PIECE_FRAMES: usize = 1024;

/// What the window shows; written by the audio thread.
#[derive(Debug)]
pub(crate) struct Strip {
    before: AtomicU32,
    behind: AtomicU32,
    gain_db: AtomicU32,
}

impl Default for Strip {
    fn default() -> Self {
        let none = || AtomicU32::new(f32::NAN.to_bits());
        Self { before: none(), behind: none(), gain_db: none() }
    }
}

/// Short-term loudness before and behind, in LUFS, and the gain of the match, in dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) before_lufs: Option<f32>,
    pub(crate) behind_lufs: Option<f32>,
    pub(crate) gain_db: Option<f32>,
}

impl Strip {
    /// What was measured last.
    pub(crate) fn reading(&self) -> Reading {
        let number = |bits: &AtomicU32| {
            Some(f32::from_bits(bits.load(Ordering::Relaxed))).filter(|value| value.is_finite())
        };
        Reading {
            before_lufs: number(&self.before),
            behind_lufs: number(&self.behind),
            gain_db: number(&self.gain_db),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "shown with one decimal")]
fn store(to: &AtomicU32, value: Option<f64>) {
    to.store(value.map_or(f32::NAN, |value| value as f32).to_bits(), Ordering::Relaxed);
}

/// Both meters and the gain. On the audio thread; real-time.
pub(crate) struct Loudness {
    before: LoudnessMeter,
    behind: LoudnessMeter,
    block: Block,
    rate_hz: f64,
    gain_db: f64,
    /// The gain that the last frame had, as a factor.
    factor: f32,
    /// What the gain goes to while the match is on, in dB.
    wanted_db: f64,
    /// Frames until the meters are read again.
    until_reading: usize,
}

impl Loudness {
    pub(crate) fn new(spec: &StreamSpec) -> Self {
        // Not clones of one: those have no room.
        let meter = || {
            let mut meter = LoudnessMeter::new(spec, MonoMode::Single);
            meter.keep_at_most(KEPT);
            meter
        };
        Self {
            before: meter(),
            behind: meter(),
            block: Block::new(spec.channel_count(), PIECE_FRAMES),
            rate_hz: f64::from(spec.sample_rate.0),
            gain_db: 0.0,
            factor: 1.0,
            wanted_db: 0.0,
            until_reading: 0,
        }
    }

    /// Forgets the signal.
    pub(crate) fn reset(&mut self) {
        self.before.reset();
        self.behind.reset();
        self.wanted_db = self.gain_db;
    }

    /// Measures what comes.
    pub(crate) fn measure_before(&mut self, planes: &[&mut [f32]]) {
        measure(&mut self.before, &mut self.block, planes);
    }

    /// Measures what goes, before the gain.
    pub(crate) fn measure_behind(&mut self, planes: &[&mut [f32]]) {
        measure(&mut self.behind, &mut self.block, planes);
    }

    /// Applies the gain, which follows the difference while the match is on, and 0 dB while it is off; at 0 dB no sample
    /// changes.
    pub(crate) fn apply(&mut self, planes: &mut [&mut [f32]], is_matched: bool) {
        let frames = planes.first().map_or(0, |plane| plane.len());
        if frames == 0 {
            return;
        }
        let wanted_db = if is_matched { self.wanted_db } else { 0.0 };
        let share = 1.0 - (-(frames as f64) / (self.rate_hz * MATCH_S)).exp();
        self.gain_db += (wanted_db - self.gain_db) * share;
        if !is_matched && self.gain_db.abs() < 0.01 {
            self.gain_db = 0.0;
        }
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let factor = Decibels(self.gain_db).to_amplitude() as f32;
        if factor.to_bits() != 1.0f32.to_bits() || self.factor.to_bits() != factor.to_bits() {
            #[expect(clippy::cast_precision_loss, reason = "frames of a block")]
            let step = (factor - self.factor) / frames as f32;
            for plane in planes {
                let mut own = self.factor;
                for sample in plane.iter_mut() {
                    own += step;
                    *sample *= own;
                }
            }
            self.factor = factor;
        }
    }

    /// Reads the meters every 100 ms, as often as they have something new, and shows what they say.
    pub(crate) fn read(&mut self, frames: usize, strip: &Strip) {
        self.until_reading = self.until_reading.saturating_sub(frames);
        if self.until_reading > 0 {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is small"
        )]
        let frames_of_100_ms = (self.rate_hz / 10.0) as usize;
        self.until_reading = frames_of_100_ms;
        let short = |meter: &LoudnessMeter| meter.reading().short_term_lufs;
        let (before, behind) = (short(&self.before), short(&self.behind));
        // Below the absolute gate of BS.1770 nothing is heard that could be matched.
        let heard = |lufs: Option<Lufs>| lufs.filter(|lufs| lufs.0 > -70.0);
        if let (Some(before), Some(behind)) = (heard(before), heard(behind)) {
            self.wanted_db = (before.0 - behind.0).clamp(-MATCH_DB_MAX, MATCH_DB_MAX);
        }
        store(&strip.before, before.map(|lufs| lufs.0));
        store(&strip.behind, behind.map(|lufs| lufs.0));
        store(&strip.gain_db, Some(self.gain_db));
    }
}

fn measure(meter: &mut LoudnessMeter, block: &mut Block, planes: &[&mut [f32]]) {
    let _flush = FlushDenormals::on();
    let frames = planes.first().map_or(0, |plane| plane.len());
    for start in (0..frames).step_by(PIECE_FRAMES) {
        let count = (frames - start).min(PIECE_FRAMES);
        block.set_frame_count(count);
        for (own, plane) in block.planes_mut().zip(planes) {
            own.copy_from_slice(&plane[start..start + count]);
        }
        meter.push(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a tone through a gain that the rack would have; returns the level of the last block.
    fn played(gain: f32, is_matched: bool, seconds: usize) -> (f32, Reading) {
        let spec = StreamSpec::new(48_000, 2);
        let (mut loudness, strip) = (Loudness::new(&spec), Strip::default());
        let mut peak = 0.0;
        for block in 0..seconds * 100 {
            let sample = |frame: usize| {
                let at = u16::try_from((block * 480 + frame) % 48).unwrap();
                (f32::from(at) / 48.0 * std::f32::consts::TAU).sin() * 0.25
            };
            let mut left: Vec<f32> = (0..480).map(sample).collect();
            let mut right = left.clone();
            let mut planes = [left.as_mut_slice(), right.as_mut_slice()];
            loudness.measure_before(&planes);
            for plane in &mut planes {
                plane.iter_mut().for_each(|one| *one *= gain);
            }
            loudness.measure_behind(&planes);
            loudness.apply(&mut planes, is_matched);
            loudness.read(480, &strip);
            peak = left.iter().fold(0.0f32, |most, one| most.max(one.abs()));
        }
        (peak, strip.reading())
    }

    #[test]
    fn gain_makes_loudness_equal_and_is_none_while_off() {
        let (peak, reading) = played(0.5, true, 8);
        assert!((peak - 0.25).abs() < 0.002, "{peak}");
        let gain_db = reading.gain_db.unwrap();
        assert!((gain_db - 6.02).abs() < 0.05, "{gain_db}");
        let (before, behind) = (reading.before_lufs.unwrap(), reading.behind_lufs.unwrap());
        assert!((before - behind - 6.02).abs() < 0.01, "{before} {behind}");
        let (peak, reading) = played(0.5, false, 4);
        assert_eq!((peak.to_bits(), reading.gain_db), (0.125f32.to_bits(), Some(0.0)));
    }

    #[test]
    fn silence_has_no_loudness_and_no_gain() {
        let (peak, reading) = played(0.0, true, 4);
        assert_eq!((peak, reading.behind_lufs, reading.gain_db), (0.0, None, Some(0.0)));
    }
}
