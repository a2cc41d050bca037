//! EBU's minimum requirements as a DAW would meet them: signals, and what a meter must say of them.
//!
//! Signals and expected values: EBU Tech 3341 (2023), table 1, and Tech 3342 (2016), table 1. Those rows are
//! here whose requirement a display of largest and final values can show.

use crate::signals::{
    LOUDNESS_TOLERANCE_LU, PEAK_ABOVE_DB, PEAK_BELOW_DB, RANGE_TOLERANCE_LU, RATE_HZ, SILENCE,
    peak_plane, thinned_burst, tone,
};
use serde_json::Value;
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};

/// Largest difference between a reading of the plugin and the analysis of the same samples, in LU or dB:
/// one bin of the live meter.
const ANALYSIS_TOLERANCE: f64 = 0.01;

/// One row.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) planes: Vec<Vec<f32>>,
    expected: Vec<Expected>,
}

/// What a reading must be, by its key in reports.
struct Expected {
    key: &'static str,
    value: f64,
    above: f64,
    below: f64,
}

fn loudness(key: &'static str, value: f64) -> Expected {
    Expected { key, value, above: LOUDNESS_TOLERANCE_LU, below: LOUDNESS_TOLERANCE_LU }
}

fn stereo(name: &'static str, plane: Vec<f32>, expected: Vec<Expected>) -> Case {
    Case { name, planes: vec![plane.clone(), plane], expected }
}

fn integrated(name: &'static str, parts: &[(f64, f64)]) -> Case {
    stereo(name, tone(parts), vec![loudness("integrated_lufs", -23.0)])
}

fn steady(name: &'static str, level: f64) -> Case {
    let keys = [
        "integrated_lufs",
        "momentary_max_lufs",
        "short_term_max_lufs",
        "momentary_lufs",
        "short_term_lufs",
    ];
    stereo(name, tone(&[(level, 20.0)]), keys.map(|key| loudness(key, level)).into())
}

fn peak(name: &'static str, divisor: f64, phase_degrees: f64, amplitude: f64, value: f64) -> Case {
    let expected =
        Expected { key: "true_peak_dbtp", value, above: PEAK_ABOVE_DB, below: PEAK_BELOW_DB };
    stereo(name, peak_plane(RATE_HZ, divisor, phase_degrees, amplitude), vec![expected])
}

fn range(name: &'static str, levels: &[f64], value: f64) -> Case {
    let expected = Expected {
        key: "loudness_range_lu",
        value,
        above: RANGE_TOLERANCE_LU,
        below: RANGE_TOLERANCE_LU,
    };
    let parts: Vec<_> = levels.iter().map(|&level| (level, 20.0)).collect();
    stereo(name, tone(&parts), vec![expected])
}

/// Row 6 of Tech 3341, as 5.0 or, with low-frequency effects that must not count, as 5.1.
fn surround(name: &'static str, has_effects: bool) -> Case {
    let mut planes: Vec<Vec<f32>> =
        [-28.0, -28.0, -24.0, -30.0, -30.0].iter().map(|&level| tone(&[(level, 20.0)])).collect();
    if has_effects {
        planes.insert(3, tone(&[(0.0, 20.0)]));
    }
    Case { name, planes, expected: vec![loudness("integrated_lufs", -23.0)] }
}

/// Rows 10 and 13: one window of tone, beginning anywhere.
fn windows(name: &'static str, key: &'static str, window_s: f64) -> impl Iterator<Item = Case> {
    (0..20).map(move |file| {
        let silence_s = f64::from(file) * window_s / 20.0;
        let parts = [(SILENCE, silence_s), (-23.0, window_s), (SILENCE, 1.0)];
        stereo(name, tone(&parts), vec![loudness(key, -23.0)])
    })
}

/// Rows 20 to 23.
fn burst(name: &'static str, offset: usize) -> Case {
    let (key, above, below) = ("true_peak_dbtp", PEAK_ABOVE_DB, PEAK_BELOW_DB);
    let mut plane = thinned_burst(offset);
    // It lasts 3 s, the window of what is reported beside the peak: silence brings what the filters hold.
    plane.resize(plane.len() + RATE_HZ as usize / 5, 0.0);
    stereo(name, plane, vec![Expected { key, value: 0.0, above, below }])
}

/// Rows of two channels.
pub(crate) fn stereo_cases() -> Vec<Case> {
    let parts_9 = [(-20.0, 1.34), (-30.0, 1.66)].repeat(5);
    let parts_12 = [(-20.0, 0.18), (-30.0, 0.22)].repeat(25);
    let constant = |key, max| vec![loudness(key, -23.0), loudness(max, -23.0)];
    let mut cases = vec![
        steady("3341 case 1", -23.0),
        steady("3341 case 2", -33.0),
        integrated("3341 case 3", &[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)]),
        integrated(
            "3341 case 4",
            &[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)],
        ),
        integrated("3341 case 5", &[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)]),
        stereo("3341 case 9", tone(&parts_9), constant("short_term_lufs", "short_term_max_lufs")),
        stereo("3341 case 12", tone(&parts_12), constant("momentary_lufs", "momentary_max_lufs")),
        peak("3341 case 15", 4.0, 0.0, 0.5, -6.0),
        peak("3341 case 16", 4.0, 45.0, 0.5, -6.0),
        peak("3341 case 17", 6.0, 60.0, 0.5, -6.0),
        peak("3341 case 18", 8.0, 67.5, 0.5, -6.0),
        peak("3341 case 19", 4.0, 45.0, 1.41, 3.0),
        range("3342 case 1", &[-20.0, -30.0], 10.0),
        range("3342 case 2", &[-20.0, -15.0], 5.0),
        range("3342 case 3", &[-40.0, -20.0], 20.0),
        range("3342 case 4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
        burst("3341 case 20", 0),
        burst("3341 case 21", 1),
        burst("3341 case 22", 2),
        burst("3341 case 23", 3),
    ];
    cases.extend(windows("3341 case 10", "short_term_max_lufs", 3.0));
    cases.extend(windows("3341 case 13", "momentary_max_lufs", 0.4));
    cases
}

/// Rows of more channels.
pub(crate) fn surround_cases() -> Vec<Case> {
    vec![surround("3341 case 6 as 5.0", false), surround("3341 case 6 as 5.1", true)]
}

impl Case {
    /// Holds the readings of a saved state against the standard and against the analysis of the samples.
    pub(crate) fn judge(&self, readings: &Value) {
        let name = self.name;
        let reading = |key: &str| readings[key].as_f64();
        for Expected { key, value, above, below } in &self.expected {
            let reading = reading(key).unwrap_or_else(|| panic!("{name}: no {key} in {readings}"));
            let is_fine = reading <= value + above && reading >= value - below;
            assert!(is_fine, "{name}: {key} is {reading}, expected {value}");
        }
        let spec = StreamSpec::new(RATE_HZ, self.planes.len());
        let options = Options { groups: vec![MeasureGroup::Loudness], ..Options::default() };
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let report = analysis::analyze(&planes, &spec, PcmFormat::FLOAT, &options).unwrap();
        let report = report.loudness.unwrap();
        for (key, exact) in [
            ("integrated_lufs", report.integrated_lufs.map(|value| value.0)),
            ("momentary_max_lufs", report.momentary_max_lufs.map(|value| value.0)),
            ("short_term_max_lufs", report.short_term_max_lufs.map(|value| value.0)),
            ("loudness_range_lu", report.loudness_range_lu.map(|value| value.0)),
            ("true_peak_dbtp", report.true_peak_dbtp.map(|value| value.0)),
            ("peak_to_loudness_lu", report.peak_to_loudness_lu.map(|value| value.0)),
            ("peak_to_short_term_lu", report.peak_to_short_term_lu.map(|value| value.0)),
        ] {
            match (reading(key), exact) {
                (Some(reading), Some(exact)) => {
                    let is_equal = (reading - exact).abs() <= ANALYSIS_TOLERANCE;
                    assert!(is_equal, "{name}: {key} is {reading}, but {exact} of the file");
                }
                (reading, exact) => assert_eq!(reading, exact, "{name}: {key}"),
            }
        }
    }
}
