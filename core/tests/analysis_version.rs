//! The version of the analyzer against the numbers it stands for.

use serde_json::Value;
use wavemill_core::analysis::{self, Options, VERSION};
use wavemill_core::audio::{PcmFormat, StreamSpec};

/// Known numbers: `{ "version": .., "analysis": .. }`.
const GOLDEN: &str = include_str!("golden/analysis.json");

/// Other machines' `sin` and `log10` differ in the last digit; nothing else may.
const RELATIVE_TOLERANCE: f64 = 1e-9;

/// Rhythm is found in spectra of `f32` that are made by the machine's own vectors.
const RHYTHM_TOLERANCE: f64 = 1e-3;

/// Six seconds of decaying bursts of noise over a tone with harmonics, left and right different: every
/// group has values. Made by products and sums alone, so that it is the same everywhere.
fn signal() -> [Vec<f32>; 2] {
    let mut state = 1u32;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    };
    let mut planes = [Vec::new(), Vec::new()];
    let mut envelope = 0.0;
    for frame in 0..6 * 48_000u32 {
        envelope = if frame % 24_000 == 0 { 0.5 } else { envelope * 0.9997 };
        let phase = f64::from(frame % 120) / 120.0;
        let triangle = 4.0 * (phase - 0.5).abs() - 1.0;
        let (left, right) = (noise(), noise());
        for (plane, noise) in planes.iter_mut().zip([left, 0.5 * left + 0.5 * right]) {
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            plane.push((0.1 * triangle + envelope * noise) as f32);
        }
    }
    planes
}

fn is_near(one: &Value, other: &Value, tolerance: f64) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let near = |(one, other): (f64, f64)| {
                (one - other).abs() <= tolerance * one.abs().max(other.abs())
            };
            one.as_f64().zip(other.as_f64()).is_some_and(near)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_near(one, other, tolerance))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |key: &String, value| {
                let tolerance = if key == "rhythm" { RHYTHM_TOLERANCE } else { tolerance };
                other.get(key).is_some_and(|other| is_near(value, other, tolerance))
            };
            one.len() == other.len() && one.iter().all(|(key, value)| has(key, value))
        }
        _ => one == other,
    }
}

/// Results are kept by this version: whoever changes a number, or adds one, must raise it.
#[test]
fn numbers_are_those_of_the_analyzers_version() {
    let [left, right] = signal();
    let spec = StreamSpec::new(48_000, 2);
    let report =
        analysis::analyze(&[&left, &right], &spec, PcmFormat::FLOAT, &Options::default()).unwrap();
    let found = serde_json::json!({ "version": VERSION, "analysis": report });
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    assert!(
        is_near(&found, &golden, RELATIVE_TOLERANCE),
        "these are not the numbers of version {}: raise `analysis::VERSION` and let \
         core/tests/golden/analysis.json be\n{}",
        golden["version"],
        serde_json::to_string_pretty(&found).unwrap()
    );
}
