//! From the channels to their mean at a low rate.
//!
//! Beats are found between 30 Hz and 10 kHz; a third of the samples carries them.

use std::f64::consts::PI;

/// Lowest rate that is kept: its half holds all bands that are looked at.
const RATE_HZ_MIN: u32 = 20_000;

/// Taps of the filter for each sample that is left out. What folds back lies above three quarters of
/// the new band and is a cymbal's as well.
const TAPS_PER_FACTOR: usize = 8;

/// Numbers that are added up beside each other: the order of additions is the same on every machine.
const LANES: usize = 8;

/// Frames that are averaged at a time.
const CHUNK: usize = 4096;

/// Averages channels and keeps every n-th sample of the low-passed mean. Results do not depend on how
/// the signal was cut into blocks.
#[derive(Clone, Debug)]
pub(crate) struct Downsampler {
    factor: usize,
    taps: Vec<f32>,
    /// Samples of the mean that are still needed.
    mean: Vec<f32>,
}

impl Downsampler {
    pub(crate) fn new(rate_hz: u32) -> Self {
        let factor = usize::try_from((rate_hz / RATE_HZ_MIN).max(1)).unwrap_or(1);
        let taps = if factor == 1 { vec![1.0] } else { low_pass(factor) };
        // The filter is centered: the first output is the first sample's.
        let mean = vec![0.0; taps.len() / 2];
        Self { factor, taps, mean }
    }

    /// Samples in for each sample out.
    pub(crate) fn factor(&self) -> usize {
        self.factor
    }

    /// Takes further samples of every channel; appends to `out`.
    pub(crate) fn push(&mut self, planes: &[&[f32]], out: &mut Vec<f32>) {
        let frame_count = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut start = 0;
        while start < frame_count {
            let end = (start + CHUNK).min(frame_count);
            append_mean(planes, start, end, &mut self.mean);
            self.filter(out);
            start = end;
        }
    }

    fn filter(&mut self, out: &mut Vec<f32>) {
        if self.factor == 1 {
            out.append(&mut self.mean);
            return;
        }
        let length = self.taps.len();
        let count = (self.mean.len() + self.factor).saturating_sub(length) / self.factor;
        let windows = self.mean.windows(length).step_by(self.factor);
        out.extend(windows.take(count).map(|window| dot(window, &self.taps)));
        self.mean.drain(..count * self.factor);
    }
}

/// Appends the mean of the channels from frame `start` to `end`.
fn append_mean(planes: &[&[f32]], start: usize, end: usize, mean: &mut Vec<f32>) {
    match planes {
        [] => {}
        [only] => mean.extend(only.get(start..end).unwrap_or_default()),
        [left, right] => {
            let left = left.get(start..end).unwrap_or_default();
            let right = right.get(start..end).unwrap_or_default();
            mean.extend(left.iter().zip(right).map(|(left, right)| 0.5 * (left + right)));
        }
        _ => {
            let scale = 1.0 / planes.len() as f32;
            let sum = |frame| planes.iter().filter_map(|plane| plane.get(frame)).sum::<f32>();
            mean.extend((start..end).map(|frame| scale * sum(frame)));
        }
    }
}

fn dot(window: &[f32], taps: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (samples, taps) in window.chunks_exact(LANES).zip(taps.chunks_exact(LANES)) {
        for ((sum, sample), tap) in sums.iter_mut().zip(samples).zip(taps) {
            *sum += sample * tap;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// A sinc under a Hann window, cut off at 0.9 of half of the new rate, with a sum of one.
fn low_pass(factor: usize) -> Vec<f32> {
    let length = TAPS_PER_FACTOR * factor;
    let middle = (length as f64 - 1.0) / 2.0;
    let cutoff = 0.9 / factor as f64;
    let tap = |index: usize| {
        let x = index as f64 - middle;
        let sinc = if x == 0.0 { cutoff } else { (PI * cutoff * x).sin() / (PI * x) };
        sinc * (0.5 + 0.5 * (PI * x / (middle + 1.0)).cos())
    };
    let taps: Vec<f64> = (0..length).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_does_not_change_the_result() {
        let left: Vec<f32> = (0..10_000u16).map(|n| (f32::from(n) * 0.1).sin()).collect();
        let right: Vec<f32> = left.iter().map(|x| x * x).collect();
        let run = |size: usize| {
            let mut sampler = Downsampler::new(96_000);
            let mut out = Vec::new();
            for (left, right) in left.chunks(size).zip(right.chunks(size)) {
                sampler.push(&[left, right], &mut out);
            }
            out
        };
        let whole = run(10_000);
        assert!(whole.len() > 2400);
        for size in [1, 7, 64, 4096] {
            assert_eq!(run(size), whole);
        }
    }

    #[test]
    fn constant_stays_the_same() {
        let mut sampler = Downsampler::new(44_100);
        let mut out = Vec::new();
        sampler.push(&[&[0.5; 1000]], &mut out);
        assert!(out[20..].iter().all(|x| (x - 0.5).abs() < 1e-6));
    }
}
