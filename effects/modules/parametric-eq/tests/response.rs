//! The frequency response against the analog prototypes of the cookbook, evaluated on their own: no
//! digital coefficient of the effect is used.

use effect_parametric_eq::{ParametricEq, Shape};
use std::f64::consts::{PI, TAU};
use std::ops::{Add, Div, Mul};
use wavemill_effect::testing;

/// Largest deviation of a magnitude in dB, where it is above [`FLOOR_LIN`].
const TOLERANCE_DB: f64 = 0.01;

/// Below it, the output's 24 bits cannot resolve 0.01 dB.
const FLOOR_LIN: f64 = 1e-3;

#[derive(Clone, Copy)]
struct Complex(f64, f64);

impl Complex {
    fn abs(self) -> f64 {
        self.0.hypot(self.1)
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let scale = 1.0 / (other.0 * other.0 + other.1 * other.1);
        self * Self(other.0 * scale, -other.1 * scale)
    }
}

#[derive(Clone, Copy)]
struct Band {
    shape: Shape,
    frequency_hz: f64,
    gain_db: f64,
    q: f64,
}

/// `|H(s)|` of the analog prototype where the bilinear transform puts `at_hz`.
fn expected(band: Band, at_hz: f64, rate_hz: f64) -> f64 {
    let corner_hz = band.frequency_hz.min(0.49 * rate_hz);
    let s = Complex(0.0, (PI * at_hz / rate_hz).tan() / (PI * corner_hz / rate_hz).tan());
    let polynomial = |c2: f64, c1: f64, c0: f64| {
        Complex(c2, 0.0) * s * s + Complex(c1, 0.0) * s + Complex(c0, 0.0)
    };
    let q = band.q;
    let high_shelf = |gain_db: f64| {
        let a = 10.0_f64.powf(gain_db / 40.0);
        let middle = a.sqrt() / q;
        a * (polynomial(a, middle, 1.0) / polynomial(1.0, middle, a)).abs()
    };
    let a = 10.0_f64.powf(band.gain_db / 40.0);
    let plain = polynomial(1.0, 1.0 / q, 1.0);
    match band.shape {
        Shape::Off => 1.0,
        Shape::Peak => (polynomial(1.0, a / q, 1.0) / polynomial(1.0, 1.0 / (a * q), 1.0)).abs(),
        Shape::LowShelf => {
            let middle = a.sqrt() / q;
            a * (polynomial(1.0, middle, a) / polynomial(a, middle, 1.0)).abs()
        }
        Shape::HighShelf => high_shelf(band.gain_db),
        Shape::HighPass => (polynomial(1.0, 0.0, 0.0) / plain).abs(),
        Shape::LowPass => (polynomial(0.0, 0.0, 1.0) / plain).abs(),
        Shape::Notch => (polynomial(1.0, 0.0, 1.0) / plain).abs(),
        Shape::BandPass => (polynomial(0.0, 1.0 / q, 0.0) / plain).abs(),
        Shape::Tilt => high_shelf(2.0 * band.gain_db) / 10.0_f64.powf(band.gain_db / 20.0),
    }
}

/// `|H|` of an impulse response.
fn measured(response: &[f32], at_hz: f64, rate_hz: f64) -> f64 {
    let mut sum = Complex(0.0, 0.0);
    for (frame, sample) in response.iter().enumerate() {
        let angle = TAU * (at_hz * frame as f64 / rate_hz).fract();
        sum = sum + Complex(f64::from(*sample) * angle.cos(), f64::from(*sample) * angle.sin());
    }
    sum.abs()
}

fn assert_responds(bands: &[Band], rate_hz: f64) {
    let mut keys = Vec::new();
    for number in 1..=8 {
        let fields = ["type", "frequency_hz", "gain_db", "q"];
        keys.push(fields.map(|field| format!("band_{number}_{field}")));
    }
    let mut params: Vec<(&str, f64)> =
        keys.iter().map(|keys| (keys[0].as_str(), f64::from(Shape::Off as u32))).collect();
    for (keys, band) in keys.iter().zip(bands) {
        let values = [f64::from(band.shape as u32), band.frequency_hz, band.gain_db, band.q];
        params.extend(keys.iter().map(String::as_str).zip(values));
    }
    let impulse = [vec![1.0_f32], vec![-1.0]];
    let response = testing::render::<ParametricEq>(rate_hz, &params, &impulse, 4096);
    for step in 0..60 {
        let at_hz = 5.0 * (0.495 * rate_hz / 5.0).powf(f64::from(step) / 59.0);
        let expected: f64 = bands.iter().map(|band| expected(*band, at_hz, rate_hz)).product();
        for plane in &response {
            let measured = measured(plane, at_hz, rate_hz);
            let what = format!("{measured} instead of {expected} at {at_hz} Hz");
            if expected > FLOOR_LIN {
                let off_db = 20.0 * (measured / expected).ln() / 10.0_f64.ln();
                assert!(off_db.abs() < TOLERANCE_DB, "{what}");
            } else {
                assert!(measured < 1.1 * FLOOR_LIN, "{what}");
            }
        }
    }
}

fn assert_shape_responds(shape: Shape) {
    for rate_hz in [8000.0, 44_100.0, 48_000.0, 192_000.0] {
        for (frequency_hz, gain_db, q) in [
            (20.0, 6.0, 0.707),
            (100.0, -12.0, 4.0),
            (1000.0, 24.0, 0.3),
            (3000.0, -24.0, 12.0),
            (18_000.0, 3.0, 1.0),
        ] {
            assert_responds(&[Band { shape, frequency_hz, gain_db, q }], rate_hz);
        }
    }
}

#[test]
fn peak_responds_as_its_prototype() {
    assert_shape_responds(Shape::Peak);
}

#[test]
fn low_shelf_responds_as_its_prototype() {
    assert_shape_responds(Shape::LowShelf);
}

#[test]
fn high_shelf_responds_as_its_prototype() {
    assert_shape_responds(Shape::HighShelf);
}

#[test]
fn high_pass_responds_as_its_prototype() {
    assert_shape_responds(Shape::HighPass);
}

#[test]
fn low_pass_responds_as_its_prototype() {
    assert_shape_responds(Shape::LowPass);
}

#[test]
fn notch_responds_as_its_prototype() {
    assert_shape_responds(Shape::Notch);
}

#[test]
fn band_pass_responds_as_its_prototype() {
    assert_shape_responds(Shape::BandPass);
}

#[test]
fn tilt_responds_as_its_prototype() {
    assert_shape_responds(Shape::Tilt);
}

#[test]
fn eight_bands_respond_as_their_product() {
    let band = |shape, frequency_hz, gain_db, q| Band { shape, frequency_hz, gain_db, q };
    let bands = [
        band(Shape::HighPass, 30.0, 0.0, 0.707),
        band(Shape::LowShelf, 150.0, 4.0, 0.6),
        band(Shape::Peak, 300.0, -6.0, 2.0),
        band(Shape::Off, 500.0, 9.0, 1.0),
        band(Shape::Peak, 1000.0, 0.0, 1.0),
        band(Shape::Peak, 2500.0, 5.0, 1.0),
        band(Shape::Tilt, 4000.0, -1.5, 0.5),
        band(Shape::HighShelf, 9000.0, 8.0, 0.707),
    ];
    for rate_hz in [44_100.0, 96_000.0] {
        assert_responds(&bands, rate_hz);
    }
}

#[test]
fn gain_of_a_peak_at_its_frequency_is_the_gain_asked_for() {
    // The prototype itself, against a number worked out by hand: 6 dB is a factor of 1.995.
    let band = Band { shape: Shape::Peak, frequency_hz: 1000.0, gain_db: 6.0, q: 1.0 };
    assert!((expected(band, 1000.0, 48_000.0) - 1.995_262_3).abs() < 1e-6);
}
