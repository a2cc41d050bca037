//! The magnitude response of parts that are filters, from their impulse response.

use crate::part::Part;
use std::f64::consts::TAU;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::Tail;
use wavemill_core::units::Decibels;
use wavemill_runtime::Allowance;

/// Length of the impulse response in seconds: a resonance of quality 10 at 20 Hz falls by 60 dB in 1.1.
const LENGTH_S: f64 = 1.5;

/// Frames of a call.
const PIECE_FRAMES: usize = 1024;

/// The lowest and the highest frequency.
const LOWEST_HZ: f64 = 20.0;
const HIGHEST_HZ: f64 = 20_000.0;
const POINTS_PER_OCTAVE: f64 = 24.0;

/// Ten octaves.
const POINTS: u16 = 241;

/// The amplitudes of two noises. What answers them differently is no filter.
const AMPLITUDES: [f64; 2] = [0.5, 0.000_5];

/// The energy by which the answers may differ, over that of one: -40 dB. Rounding is far below, and a gain that changes
/// by a tenth of a decibel about there.
const DIFFERENCE_MAX: f64 = 1e-4;

/// The share of the energy that the last quarter may have: -60 dB. What rings on is a room and no filter.
const REST_MAX: f64 = 1e-6;

/// The lowest level of a point.
const FLOOR_DB: f64 = -120.0;

/// What a filter does to the level of each frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// From 20 Hz to 20 kHz or half of the sample rate, rising.
    pub frequencies_hz: Vec<f64>,
    /// One a frequency: output over input, at least -120.
    pub levels_db: Vec<f64>,
}

impl Part {
    /// The response of an instance with the values of now; `None` where the part has no value in Hz, answers loud and
    /// soft noise differently, or rings on. Not real-time: it builds four instances.
    pub fn response(&self, spec: &StreamSpec) -> Option<Response> {
        if !self.controls().iter().any(|control| control.unit == "Hz") {
            return None;
        }
        let frames = frames(spec);
        let rings_on = match self.build(spec, PIECE_FRAMES).ok()?.tail() {
            Tail::Frames(tail) => tail.as_usize() > frames,
            Tail::Infinite => true,
        };
        if rings_on {
            return None;
        }
        let impulse =
            (0..frames).map(|frame| if frame == 0 { 1.0 } else { 0.0 }).collect::<Vec<_>>();
        let response = self.answer(spec, &impulse, 1.0)?;
        let is_short = energy(&response[frames / 4 * 3..]) <= REST_MAX * energy(&response);
        (is_short && self.is_linear(spec)?).then(|| spectrum(&response, spec))
    }

    /// Whether loud and soft noise are treated alike.
    fn is_linear(&self, spec: &StreamSpec) -> Option<bool> {
        let noise = noise(frames(spec));
        let [loud, soft] = AMPLITUDES;
        let (loud, soft) = (self.answer(spec, &noise, loud)?, self.answer(spec, &noise, soft)?);
        let difference: Vec<f64> = loud.iter().zip(&soft).map(|(loud, soft)| loud - soft).collect();
        Some(energy(&difference) <= DIFFERENCE_MAX * energy(&loud))
    }

    /// What the first channel answers to an input on all channels at this amplitude, divided by it.
    fn answer(&self, spec: &StreamSpec, input: &[f64], amplitude: f64) -> Option<Vec<f64>> {
        let mut stage = self.build(spec, PIECE_FRAMES).ok()?;
        let mut allowance = Allowance::offline(input.len(), spec.sample_rate);
        let mut block = Block::new(spec.channel_count(), PIECE_FRAMES);
        let mut answer = Vec::with_capacity(input.len());
        for piece in input.chunks(PIECE_FRAMES) {
            block.set_frame_count(piece.len());
            for plane in block.planes_mut() {
                for (sample, value) in plane.iter_mut().zip(piece) {
                    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                    let value = (value * amplitude) as f32;
                    *sample = value;
                }
            }
            stage.process(&mut block, &mut allowance).ok()?;
            let first = block.planes().next()?;
            answer.extend(first.iter().map(|sample| f64::from(*sample) / amplitude));
        }
        Some(answer)
    }
}

fn frames(spec: &StreamSpec) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, below 2^53"
    )]
    let frames = (f64::from(spec.sample_rate.0) * LENGTH_S) as usize;
    frames
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|sample| sample * sample).sum()
}

/// White noise from -1 to 1, always the same: Knuth's linear congruential generator (MMIX).
fn noise(frames: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 32) as u32) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    (0..frames).map(|_| next()).collect()
}

/// The discrete-time Fourier transform at each frequency.
fn spectrum(response: &[f64], spec: &StreamSpec) -> Response {
    let rate_hz = f64::from(spec.sample_rate.0);
    let point = |index: u16| LOWEST_HZ * (f64::from(index) / POINTS_PER_OCTAVE).exp2();
    let frequencies_hz: Vec<f64> = (0..POINTS)
        .map(point)
        .take_while(|hertz| *hertz <= HIGHEST_HZ.min(rate_hz / 2.0))
        .collect();
    let level = |hertz: &f64| {
        let (sin, cos) = (TAU * hertz / rate_hz).sin_cos();
        // Horner's rule from the last sample on.
        let sum = response.iter().rev().fold((0.0, 0.0), |(re, im), sample| {
            (re * cos + im * sin + sample, im * cos - re * sin)
        });
        Decibels::from_amplitude(sum.0.hypot(sum.1)).map_or(FLOOR_DB, |it| it.0.max(FLOOR_DB))
    };
    Response { levels_db: frequencies_hz.iter().map(level).collect(), frequencies_hz }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::processors::step;
    use wavemill_pipelines::Effects;

    fn spec() -> StreamSpec {
        StreamSpec::new(48_000, 2)
    }

    fn effect(name: &str, values: &[(&str, f64)]) -> Part {
        let module = Effects::live(None).load(name).expect("it is bundled");
        let mut part = Part::effect(name, module, None).expect("it has defaults");
        part.set_by_key(values.iter().copied());
        part
    }

    fn level_at(response: &Response, hertz: f64) -> f64 {
        let points = response.frequencies_hz.iter().zip(&response.levels_db);
        let distance = |point: &(&f64, &f64)| (point.0 / hertz).ln().abs();
        let nearest = points.min_by(|a, b| distance(a).total_cmp(&distance(b)));
        *nearest.expect("there are points").1
    }

    #[test]
    fn high_pass_has_the_levels_of_a_butterworth_filter() {
        let mut part = Part::step(step("high-pass").expect("there is one"));
        part.set_by_key([("cutoff_hz", 160.0)].into_iter());
        let response = part.response(&spec()).expect("it is a filter");
        for hertz in [20.0_f64, 80.0, 160.0, 5120.0] {
            // Of the second order: 1 / sqrt(1 + (fc / f)^4).
            let amplitude = (1.0 + (160.0 / hertz).powi(4)).sqrt().recip();
            let expected = Decibels::from_amplitude(amplitude).expect("it is not silent").0;
            let actual = level_at(&response, hertz);
            assert!((actual - expected).abs() < 0.01, "{hertz} Hz: {actual}, not {expected}");
        }
    }

    #[test]
    fn equalizer_is_flat_at_its_defaults_and_a_compressor_is_no_filter() {
        let flat = effect("parametric-eq", &[]).response(&spec()).expect("it is a filter");
        assert!(flat.levels_db.iter().all(|level| level.abs() < 0.01), "{flat:?}");
        for name in ["compressor", "reverb", "saturator", "delay", "de-esser"] {
            assert_eq!(effect(name, &[]).response(&spec()), None, "{name}");
        }
        assert_eq!(Part::step(step("gain").expect("there is one")).response(&spec()), None);
    }
}
