//! Signals that are hard for a limiter, made from a seed.

use std::f64::consts::{PI, TAU};

/// A repeatable source of numbers.
pub(crate) struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// From 0 to 1. D. Knuth's MMIX constants; the upper bits.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From -1 to 1.
    pub(crate) fn value(&mut self) -> f64 {
        2.0 * self.share() - 1.0
    }

    /// From `low` to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }
}

/// Numbers as samples.
pub(crate) fn samples(signal: &[f64]) -> Vec<f32> {
    signal.iter().map(|&value| value as f32).collect()
}

/// A signal with a peak of 1.
pub(crate) fn normalized(mut signal: Vec<f64>) -> Vec<f64> {
    let peak = signal.iter().fold(0.0f64, |peak, value| peak.max(value.abs()));
    if peak > 0.0 {
        for value in &mut signal {
            *value /= peak;
        }
    }
    signal
}

/// Passes what lies below 0.435 of the sample rate, and nothing from 0.449 on. Silence comes before and
/// after, so that nothing is cut off what rings.
pub(crate) fn band_limited(signal: &[f64]) -> Vec<f64> {
    low_passed(&[&[0.0; HALF], signal, &[0.0; HALF]].concat(), 0.442)
}

/// Taps before and behind the middle of a low-pass filter.
const HALF: usize = 200;

/// A sinc of 401 taps under a Blackman window; `cutoff` is a share of the sample rate, in the middle of a
/// transition of 5.5 / 401.
pub(crate) fn low_passed(signal: &[f64], cutoff: f64) -> Vec<f64> {
    let taps: Vec<f64> = (0..=2 * HALF)
        .map(|index| {
            let distance = index as f64 - HALF as f64;
            let turn = TAU * index as f64 / (2 * HALF) as f64;
            let window = 0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
            let sinc = if distance == 0.0 {
                2.0 * cutoff
            } else {
                (TAU * cutoff * distance).sin() / (PI * distance)
            };
            window * sinc
        })
        .collect();
    let padded: Vec<f64> = [&vec![0.0; HALF][..], signal, &vec![0.0; HALF]].concat();
    padded
        .windows(taps.len())
        .map(|near| near.iter().zip(&taps).map(|(sample, tap)| sample * tap).sum())
        .collect()
}

/// White noise from -1 to 1.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.value()).collect()
}

/// A sine; `share` is its frequency as a share of the sample rate.
pub(crate) fn sine(count: usize, share: f64, phase: f64) -> Vec<f64> {
    (0..count).map(|frame| (TAU * share * frame as f64 + phase).sin()).collect()
}

/// Multiplies with another signal.
pub(crate) fn times(mut signal: Vec<f64>, by: impl Fn(usize) -> f64) -> Vec<f64> {
    signal.iter_mut().enumerate().for_each(|(frame, value)| *value *= by(frame));
    signal
}

/// A raised cosine in and out over `length` frames, within `[start, end)`; 0 elsewhere.
pub(crate) fn burst(start: usize, end: usize, length: usize) -> impl Fn(usize) -> f64 {
    move |frame| {
        if frame < start || frame >= end {
            return 0.0;
        }
        let edge = (frame - start + 1).min(end - frame) as f64 / length.max(1) as f64;
        0.5 - 0.5 * (PI * edge.min(1.0)).cos()
    }
}

/// A signal of `count` frames and 400 more without anything above 0.45 of the sample rate and with a
/// sample peak of 1: noise, tones or impulses, in bursts or swelling, of any color.
pub(crate) fn random(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let kind = random.share();
    let signal = if kind < 0.3 {
        noise(count, seed)
    } else if kind < 0.8 {
        let mut sum = vec![0.0; count];
        for _ in 0..=(random.share() * 5.0) as usize {
            // As many low tones as high ones.
            let share = 0.45 * 10f64.powf(-3.0 * random.share() * random.share());
            let (phase, size) = (random.between(0.0, TAU), random.share());
            let tone = sine(count, share, phase);
            sum.iter_mut().zip(tone).for_each(|(sum, value)| *sum += size * value);
        }
        sum
    } else {
        (0..count).map(|_| if random.share() < 0.01 { random.value() } else { 0.0 }).collect()
    };
    let shape = random.share();
    let (start, end) = (random.share(), random.between(0.0, 1.2));
    let (start, end) = ((start * count as f64) as usize, (end * count as f64) as usize);
    let signal = if shape < 0.4 {
        times(signal, burst(start.min(end), start.max(end) + 1, (1.0 + 200.0 * shape) as usize))
    } else if shape < 0.7 {
        let rate = random.between(0.5, 30.0) / count as f64;
        times(signal, |frame| 1.0 + 0.8 * (TAU * rate * frame as f64).sin())
    } else {
        signal
    };
    let limited = band_limited(&signal);
    let is_dark = random.share() < 0.3;
    normalized(if is_dark { low_passed(&limited, random.between(0.01, 0.4)) } else { limited })
}

/// Something like a dense mix: bass, chords, drums on each beat and hats between, pressed by a curve.
pub(crate) fn dense(count: usize, rate_hz: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let chord: Vec<f64> = [110.0, 138.6, 164.8, 220.0, 329.6]
        .iter()
        .map(|hz| hz * random.between(0.999, 1.001))
        .collect();
    let dirt = noise(count, seed);
    let mix = (0..count).map(|frame| {
        let time_s = frame as f64 / rate_hz;
        let beat_s = time_s % 0.5;
        let drum =
            (-12.0 * beat_s).exp() * (TAU * (50.0 + 60.0 * (-30.0 * beat_s).exp()) * beat_s).sin();
        let hat = (-60.0 * (time_s % 0.125)).exp() * dirt[frame];
        let chords: f64 = chord
            .iter()
            .flat_map(|hz| (1..8).map(move |partial| (hz * f64::from(partial), partial)))
            .map(|(hz, partial)| (TAU * hz * time_s).sin() / f64::from(partial))
            .sum();
        let bass = (TAU * 55.0 * time_s).sin();
        (1.2 * drum + 0.6 * hat + 0.07 * chords + 0.15 * bass).tanh()
    });
    normalized(low_passed(&mix.collect::<Vec<f64>>(), 0.42))
}
