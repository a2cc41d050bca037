//! Slots are filled, exchanged, moved and bypassed.

use crate::{Player, RATE_HZ, allocations, part};
use wavemill_core::units::Decibels;
use wavemill_pipelines::Effects;
use wavemill_rack::{Mix, SLOT_COUNT};

/// The loudest that is above 5 kHz of a signal that has nothing there, in dBFS: what a click leaves.
///
/// A high-pass filter of second order, twice, with the cookbook's coefficients (R. Bristow-Johnson).
pub(crate) struct ClickMeter {
    states: [[f64; 2]; 2],
    coefficients: [f64; 5],
    peak: f64,
}

impl ClickMeter {
    pub(crate) fn new() -> Self {
        let omega = std::f64::consts::TAU * 5_000.0 / f64::from(RATE_HZ);
        let (sin, cos) = omega.sin_cos();
        let alpha = sin / (2.0 * std::f64::consts::FRAC_1_SQRT_2);
        let a0 = 1.0 + alpha;
        let b = f64::midpoint(1.0, cos) / a0;
        let coefficients = [b, -2.0 * b, b, -2.0 * cos / a0, (1.0 - alpha) / a0];
        Self { states: [[0.0; 2]; 2], coefficients, peak: 0.0 }
    }

    pub(crate) fn push(&mut self, samples: &[f32]) {
        let [b0, b1, b2, a1, a2] = self.coefficients;
        for sample in samples {
            let mut value = f64::from(*sample);
            for [one, two] in &mut self.states {
                let output = b0 * value + *one;
                *one = b1 * value - a1 * output + *two;
                *two = b2 * value - a2 * output;
                value = output;
            }
            self.peak = self.peak.max(value.abs());
        }
    }

    /// What was heard so far does not count.
    pub(crate) fn forget(&mut self) {
        self.peak = 0.0;
    }

    pub(crate) fn level_db(&self) -> f64 {
        Decibels::from_amplitude(self.peak).map_or(-200.0, |level| level.0)
    }
}

/// Parts that make no overtones of a tone of 220 Hz by themselves.
pub(crate) const CLEAN: [&str; 6] =
    ["gain", "high-pass", "low-pass", "invert", "stereo-width", "parametric-eq"];

#[test]
fn random_changes_never_click_and_never_allocate() {
    let effects = Effects::live(None);
    let parts: Vec<_> = CLEAN.iter().map(|name| part(&effects, name)).collect();
    let mut player = Player::new(Default::default());
    let mut random = fastrand::Rng::with_seed(7);
    let mut mixes = [Mix::default(); SLOT_COUNT];
    let mut meter = ClickMeter::new();
    for _ in 0..50 {
        player.play(480, false);
    }
    // The start of the tone rings in the filter.
    let (planes, _) = player.play(48_000, false);
    meter.push(&planes[0]);
    meter.forget();
    for operation in 0..600 {
        let slot = random.usize(..SLOT_COUNT);
        match random.u8(..6) {
            0 => player.wanted[slot] = None,
            1 => player.wanted[slot] = Some(parts[random.usize(..parts.len())].clone()),
            2 => player.wanted.swap(slot, random.usize(..SLOT_COUNT)),
            3 => mixes[slot].is_bypassed ^= true,
            4 => mixes[slot].is_soloed = random.u8(..8) == 0,
            _ => mixes[slot].wet = random.f32(),
        }
        player.tend();
        player.rack.set_shares(&Mix::shares(&mixes, operation % 97 == 0));
        for _ in 0..random.usize(1..20) {
            let (planes, goes_on) = player.play(random.usize(1..600), false);
            assert!(goes_on);
            assert_eq!(allocations::latest(), 0, "operation {operation}");
            meter.push(&planes[0]);
        }
    }
    assert_eq!(player.incidents, []);
    assert!(meter.level_db() < -80.0, "{} dBFS", meter.level_db());
}

#[test]
fn value_of_a_step_is_changed_by_a_fade() {
    let effects = Effects::live(None);
    let mut player = Player::new(Default::default());
    player.wanted[0] = Some(part(&effects, "gain"));
    player.settle();
    player.wanted[0].as_mut().unwrap().set(0, -20.0);
    player.settle();
    let (planes, _) = player.play(4_800, false);
    let peak = planes[0].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    assert!((peak - 0.05).abs() < 1e-4, "{peak}");
}

#[test]
fn latency_is_the_sum_of_all_slots_bypassed_or_not() {
    let effects = Effects::live(None);
    let mut player = Player::new(Default::default());
    assert_eq!(player.rack.latency().0, 0);
    player.wanted[2] = Some(part(&effects, "limit"));
    player.settle();
    let one = player.rack.latency().0;
    assert!(one > 0);
    player.wanted[5] = Some(part(&effects, "limit"));
    player.settle();
    assert_eq!(player.rack.latency().0, 2 * one);
    player.rack.set_shares(&[0.0; SLOT_COUNT]);
    player.play(4_800, false);
    assert_eq!(player.rack.latency().0, 2 * one);
}
