//! Music of added sines.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "short signals")]

use std::f64::consts::TAU;

/// Samples of a signal, one channel.
pub(crate) type Samples = Vec<f32>;

/// Where and how notes sound.
#[derive(Clone, Copy)]
pub(crate) struct Hall {
    pub(crate) rate_hz: u32,
    /// Frequency of A4.
    pub(crate) tuning_hz: f64,
}

pub(crate) const HALL: Hall = Hall { rate_hz: 44_100, tuning_hz: 440.0 };

/// A triad, or a chord of seventh, by semitones above the root.
pub(crate) const MAJOR: &[i32] = &[0, 4, 7];
pub(crate) const MINOR: &[i32] = &[0, 3, 7];
pub(crate) const DOMINANT: &[i32] = &[0, 4, 7, 10];

impl Hall {
    /// Chords one after the other, each of so many seconds: root and semitones above it. The root
    /// sounds in the bass too.
    pub(crate) fn play(self, chords: &[(i32, &[i32])], seconds: f64) -> Samples {
        let length = (seconds * f64::from(self.rate_hz)) as usize;
        let mut samples = Vec::with_capacity(length * chords.len());
        for &(root, steps) in chords {
            let start = samples.len();
            samples.resize(start + length, 0.0);
            let chord = &mut samples[start..];
            self.add(chord, 36 + root.rem_euclid(12), 0.2);
            for step in steps {
                self.add(chord, 60 + (root + step).rem_euclid(12), 0.1);
            }
        }
        samples
    }

    /// Adds a note of six harmonics that fades.
    pub(crate) fn add(self, samples: &mut [f32], note: i32, amplitude: f64) {
        let hz = self.tuning_hz
            * f64::from(note - 69).div_euclid(12.0).exp2()
            * (f64::from((note - 69).rem_euclid(12)) / 12.0).exp2();
        for (index, sample) in samples.iter_mut().enumerate() {
            let time = index as f64 / f64::from(self.rate_hz);
            let fade = (-1.5 * time).exp() * (time * 200.0).min(1.0) * amplitude;
            let wave = |n: u32| (TAU * hz * f64::from(n) * time).sin() / f64::from(n * n);
            *sample += (fade * (1..=6).map(wave).sum::<f64>()) as f32;
        }
    }
}

/// Adds a bass drum on the first and third beat, a snare on the others, and a hi-hat on eighths.
pub(crate) fn add_drums(samples: &mut [f32], bpm: f64, rate_hz: u32) {
    let eighth_s = 30.0 / bpm;
    let hiss = noise(rate_hz as usize / 4);
    for eighth in 0..(samples.len() as f64 / f64::from(rate_hz) / eighth_s) as usize {
        let start = (eighth as f64 * eighth_s * f64::from(rate_hz)) as usize;
        let [drum, snare] = match eighth % 8 {
            0 | 4 => [0.6, 0.0],
            2 | 6 => [0.0, 0.3],
            _ => [0.0, 0.0],
        };
        for ((n, sample), hiss) in samples[start..].iter_mut().enumerate().zip(&hiss) {
            let time = n as f32 / rate_hz as f32;
            let deep = drum * (std::f32::consts::TAU * 52.0 * time).sin();
            *sample += deep * (-20.0 * time).exp() + hiss * snare * (-25.0 * time).exp();
            *sample += 0.06 * hiss * (-60.0 * time).exp();
        }
    }
}

/// Noise from -1 to 1.
pub(crate) fn noise(count: usize) -> Samples {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32_768.0 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}
