//! Spectrum of the latest samples, in 24ths of an octave and in the lines of the transform.

use crate::meters::Tap;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;
use wavemill_core::units::Dbfs;

/// Length of the transform: 5.9 Hz between its lines at 48 kHz.
pub(super) const FFT_FRAMES: usize = 8192;

/// Bands of an octave.
pub(super) const BANDS_PER_OCTAVE: f32 = 24.0;

/// The lowest and the highest frequency shown.
pub(super) const LOWEST_HZ: f32 = 20.0;
pub(super) const HIGHEST_HZ: f32 = 20_000.0;

/// The quietest level that is kept.
const FLOOR_DB: f32 = -160.0;

/// What a full-scale sine gives under a Hann window over all lines, n^2 / 4 * 3 / 8, and on one line,
/// (n / 4)^2.
const SINE: f32 = (FFT_FRAMES * FFT_FRAMES) as f32 * 3.0 / 32.0;
const SINE_ON_A_LINE: f32 = (FFT_FRAMES * FFT_FRAMES) as f32 / 16.0;

/// How fast a level falls, and how fast a held peak does, in dB a second.
const FALL_DB_PER_S: f32 = 36.0;
const HELD_FALL_DB_PER_S: f32 = 3.0;

/// Time over which [`Spectrum::total_db`] is a mean, in seconds.
const TOTAL_TIME_S: f32 = 3.0;

/// A level for each band, and for each line.
pub(super) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    sides: [Vec<f32>; 2],
    windowed: Vec<f32>,
    lines: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    powers: Vec<f32>,
    /// Middles of the bands, in Hz.
    pub(super) middles_hz: Vec<f32>,
    /// Levels of the latest transform, in dBFS.
    pub(super) now_db: Vec<f32>,
    /// The same, falling slowly: a full-scale sine has 0.
    pub(super) levels_db: Vec<f32>,
    /// Peaks of the latest time.
    pub(super) held_db: Vec<f32>,
    /// Levels of the lines now, from 0 Hz on: a full-scale sine on a line has 0.
    pub(super) lines_db: Vec<f32>,
    /// Distance of the lines, in Hz.
    pub(super) line_hz: f32,
    /// Power of all bands now, as a mean of some seconds.
    total: f32,
    seen: u64,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT_FRAMES);
        let hann = |index: usize| {
            let phase = std::f64::consts::TAU * index as f64 / FFT_FRAMES as f64;
            #[expect(clippy::cast_possible_truncation, reason = "a display")]
            let value = (0.5 - 0.5 * phase.cos()) as f32;
            value
        };
        let octaves = (HIGHEST_HZ / LOWEST_HZ).log2();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "about 240 bands"
        )]
        let count = (octaves * BANDS_PER_OCTAVE) as u16 + 1;
        let middle = |band: u16| LOWEST_HZ * (f32::from(band) / BANDS_PER_OCTAVE).exp2();
        let middles_hz: Vec<f32> = (0..count).map(middle).collect();
        Self {
            window: (0..FFT_FRAMES).map(hann).collect(),
            sides: [vec![0.0; FFT_FRAMES], vec![0.0; FFT_FRAMES]],
            windowed: fft.make_input_vec(),
            lines: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            powers: vec![0.0; FFT_FRAMES / 2 + 1],
            now_db: vec![FLOOR_DB; middles_hz.len()],
            levels_db: vec![FLOOR_DB; middles_hz.len()],
            held_db: vec![FLOOR_DB; middles_hz.len()],
            middles_hz,
            lines_db: vec![FLOOR_DB; FFT_FRAMES / 2 + 1],
            line_hz: 48_000.0 / FFT_FRAMES as f32,
            fft,
            total: 0.0,
            seen: 0,
        }
    }

    /// Looks at the latest samples; says whether anything changed. Levels fall with the time of the signal, not
    /// with that of the wall: between the blocks of a DAW, however long, and after its transport has stopped, they
    /// stay as the meters do.
    pub(super) fn update(&mut self, tap: &Tap, sample_rate_hz: f32) -> bool {
        let position = tap.position();
        let frames = position.saturating_sub(self.seen);
        self.seen = position;
        if frames == 0 {
            return false;
        }
        self.transform(tap);
        #[expect(clippy::cast_precision_loss, reason = "a display")]
        let elapsed_s = (frames as f32 / sample_rate_hz.max(1.0)).min(1.0);
        let fall = FALL_DB_PER_S * elapsed_s;
        let held_fall = HELD_FALL_DB_PER_S * elapsed_s;
        let mut has_changed = false;
        for band in 0..self.middles_hz.len() {
            let level = self.band_db(band, sample_rate_hz);
            let before = self.levels_db[band];
            self.now_db[band] = level;
            self.levels_db[band] = level.max(before - fall).max(FLOOR_DB);
            self.held_db[band] = self.levels_db[band].max(self.held_db[band] - held_fall);
            has_changed |= (self.levels_db[band] - before).abs() > 0.01;
        }
        let total: f32 = self.levels_db.iter().map(|db| 10f32.powf(db / 10.0)).sum();
        self.total += (total - self.total) * (1.0 - (-elapsed_s / TOTAL_TIME_S).exp());
        self.line_hz = sample_rate_hz / FFT_FRAMES as f32;
        for (line_db, power) in self.lines_db.iter_mut().zip(&self.powers) {
            *line_db = decibels(power / SINE_ON_A_LINE).max(*line_db - fall).max(FLOOR_DB);
        }
        has_changed
    }

    /// Frames of the signal that were seen.
    pub(super) fn position(&self) -> u64 {
        self.seen
    }

    /// The rate of the signal, in Hz.
    pub(super) fn sample_rate_hz(&self) -> f32 {
        self.line_hz * FFT_FRAMES as f32
    }

    /// Power of both sides together, so that no phase cancels anything.
    fn transform(&mut self, tap: &Tap) {
        let [left, right] = &mut self.sides;
        tap.latest(left, right);
        self.powers.fill(0.0);
        for side in &self.sides {
            for ((windowed, sample), weight) in self.windowed.iter_mut().zip(side).zip(&self.window)
            {
                *windowed = sample * weight;
            }
            let done = self.fft.process_with_scratch(
                &mut self.windowed,
                &mut self.lines,
                &mut self.scratch,
            );
            if done.is_ok() {
                for (power, line) in self.powers.iter_mut().zip(&self.lines) {
                    *power += 0.5 * line.norm_sqr();
                }
            }
        }
    }

    /// Level of a band: the power of its lines; between lines where it is narrower than one.
    fn band_db(&self, band: usize, sample_rate_hz: f32) -> f32 {
        let line_hz = sample_rate_hz / FFT_FRAMES as f32;
        let half = (0.5 / BANDS_PER_OCTAVE).exp2();
        let middle = self.middles_hz[band] / line_hz;
        let (low, high) = (middle / half, middle * half);
        if middle >= (self.powers.len() - 1) as f32 {
            return FLOOR_DB;
        }
        let power = if high - low < 2.0 {
            self.between(middle) * (high - low)
        } else {
            self.sum(low, high)
        };
        decibels(power / SINE)
    }

    /// Power at a place between two lines.
    fn between(&self, line: f32) -> f32 {
        let (index, share) = split(line);
        let at = |index: usize| self.powers.get(index).copied().unwrap_or(0.0);
        at(index) + share * (at(index + 1) - at(index))
    }

    /// Power of all lines from `low` to `high`, parts of lines at the ends.
    fn sum(&self, low: f32, high: f32) -> f32 {
        let ((first, low_share), (last, high_share)) = (split(low + 0.5), split(high + 0.5));
        let last = last.min(self.powers.len() - 1);
        let whole: f32 = self.powers[first.min(last)..last].iter().sum();
        whole - low_share * self.powers[first.min(last)] + high_share * self.powers[last]
    }

    /// Level of all bands together, the mean of the latest seconds, in dBFS.
    pub(super) fn total_db(&self) -> f32 {
        decibels(self.total)
    }

    /// Forgets held peaks.
    pub(super) fn release(&mut self) {
        self.held_db.copy_from_slice(&self.levels_db);
    }
}

/// A power in dB, not below the floor.
pub(super) fn decibels(power: f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "a display")]
    let level = Dbfs::from_power(f64::from(power)).map_or(FLOOR_DB, |level| level.0 as f32);
    level.max(FLOOR_DB)
}

/// Whole part and rest of a number that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is the whole part")]
fn split(value: f32) -> (usize, f32) {
    let whole = value.max(0.0).floor();
    (whole as usize, value.max(0.0) - whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spectrum of a signal, and the tap that it came through.
    fn levels(signal: impl Fn(f32) -> f32) -> (Spectrum, Tap) {
        let tap = Tap::default();
        tap.open(true);
        let samples: Vec<f32> =
            (0..20_000u16).map(|frame| signal(f32::from(frame) / 48_000.0)).collect();
        tap.push(&samples, &samples);
        let mut spectrum = Spectrum::new();
        assert!(spectrum.update(&tap, 48_000.0));
        (spectrum, tap)
    }

    #[test]
    fn full_scale_sine_has_0_db_in_its_band() {
        for frequency_hz in [100.0, 997.0, 5_000.0, 15_000.0] {
            let (spectrum, _) = levels(|time| (std::f32::consts::TAU * frequency_hz * time).sin());
            let loudest = spectrum.levels_db.iter().copied().fold(f32::MIN, f32::max);
            let band = spectrum.levels_db.iter().position(|&db| db >= loudest).unwrap();
            let ratio = spectrum.middles_hz[band] / frequency_hz;
            assert!((0.97..1.03).contains(&ratio), "{frequency_hz}: {ratio}");
            // A band as wide as a few lines holds all of the sine; a narrower one only a part.
            let least = if frequency_hz > 500.0 { -1.6 } else { -6.0 };
            assert!(loudest < 0.5 && loudest > least, "{frequency_hz}: {loudest}");
        }
    }

    #[test]
    fn full_scale_sine_on_a_line_has_0_db_there_and_nothing_far_away() {
        let line = 512u16;
        let frequency_hz = f32::from(line) * 48_000.0 / FFT_FRAMES as f32;
        let (spectrum, _) = levels(|time| (std::f32::consts::TAU * frequency_hz * time).sin());
        let at = |line: u16| spectrum.lines_db[usize::from(line)];
        assert!(at(line).abs() < 0.05, "{}", at(line));
        // The neighbors of a Hann window have half the amplitude.
        assert!((at(line + 1) + 6.02).abs() < 0.1 && at(line + 40) < -90.0, "{}", at(line + 40));
        assert!((spectrum.line_hz - 48_000.0 / 8192.0).abs() < 1e-3);
    }

    #[test]
    fn silence_falls_and_peaks_are_held() {
        let (mut spectrum, tap) = levels(|time| (std::f32::consts::TAU * 1000.0 * time).sin());
        let loudest = |levels: &[f32]| levels.iter().copied().fold(f32::MIN, f32::max);
        let before = loudest(&spectrum.levels_db);
        let silence = vec![0.0; 24_000];
        tap.push(&silence, &silence);
        tap.push(&silence, &silence);
        assert!(spectrum.update(&tap, 48_000.0));
        assert!(loudest(&spectrum.levels_db) < before - 30.0);
        assert!(loudest(&spectrum.held_db) > before - 4.0);
        spectrum.release();
        assert!(loudest(&spectrum.held_db) < before - 30.0);
    }
    /// A buffer of 4096 frames lasts 85 ms, in which the editor is drawn twice.
    #[test]
    fn levels_stay_while_no_samples_come() {
        let (mut spectrum, tap) = levels(|time| (std::f32::consts::TAU * 1000.0 * time).sin());
        let (levels, held) = (spectrum.levels_db.clone(), spectrum.held_db.clone());
        for _ in 0..100 {
            assert!(!spectrum.update(&tap, 48_000.0));
        }
        assert_eq!((&spectrum.levels_db, &spectrum.held_db), (&levels, &held));
        let silence = vec![0.0; 8192];
        tap.push(&silence, &silence);
        assert!(spectrum.update(&tap, 48_000.0));
        let loudest = |levels: &[f32]| levels.iter().copied().fold(f32::MIN, f32::max);
        let fallen = loudest(&levels) - loudest(&spectrum.levels_db);
        let expected = FALL_DB_PER_S * 8192.0 / 48_000.0;
        assert!((fallen - expected).abs() < 0.01, "{fallen} instead of {expected}");
    }
}
