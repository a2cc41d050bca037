//! `loudness` with `mode = "limit"`: the target is met, the ceiling holds, and nothing more is done.

use crate::lab::{Answers, Lab, floats, noise, pipeline, wav};
use serde_json::Value;
use std::f64::consts::{PI, TAU};

const RATE_HZ: u32 = 44_100;
const CEILING_DBTP: f64 = -1.0;

/// What the step promises of the loudness.
const LOUDNESS_LU: f64 = 0.1;

/// What the limiter promises of the true peak.
const TRUE_PEAK_DB: f64 = 0.05;

/// Something like a dense mix on two sides, `frames` long: a bass, chords that swell, drums.
fn mix(frames: usize) -> Vec<Vec<f32>> {
    let side = |side: u32| -> Vec<f32> {
        let dirt = noise(side, frames);
        (0..frames)
            .map(|frame| {
                let time_s = frame as f64 / f64::from(RATE_HZ);
                let beat_s = time_s % 0.5;
                let drum = (-15.0 * beat_s).exp() * (TAU * 60.0 * beat_s).sin();
                let hat = (-50.0 * (time_s % 0.25)).exp() * f64::from(dirt[frame]);
                let tone = |hz: f64| (TAU * hz * time_s).sin();
                let chord = (tone(220.0) + tone(277.2) + tone(329.6 + f64::from(side)))
                    * (0.6 + 0.4 * tone(0.3));
                let sum = 0.9 * drum + 0.5 * hat + 0.12 * chord + 0.15 * tone(55.0);
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let sample = (0.9 * sum.tanh()) as f32;
                sample
            })
            .collect()
    };
    vec![side(0), side(1)]
}

/// The largest true peak of interleaved channels in dBTP: 16 places a sample, 64 taps each, a sinc
/// under a Kaiser window, written without any speed. Only around loud samples, as true peaks of this
/// signal are.
fn true_peak_dbtp(interleaved: &[f32], channels: usize) -> f64 {
    let bessel = |x: f64| {
        (0..200).map(|step| (x * (TAU * f64::from(step) / 200.0).cos()).exp()).sum::<f64>() / 200.0
    };
    let tap = |distance: f64| {
        let inside = (1.0 - (distance / 32.0).powi(2)).max(0.0).sqrt();
        let sinc = if distance == 0.0 { 1.0 } else { (PI * distance).sin() / (PI * distance) };
        sinc * bessel(9.0 * inside) / bessel(9.0)
    };
    let phases: Vec<Vec<f64>> = (0..16)
        .map(|phase| {
            let offset = 31.0 + f64::from(phase) / 16.0;
            (0..64).map(|index| tap(f64::from(index) - offset)).collect()
        })
        .collect();
    let mut peak = 0.0f64;
    for channel in 0..channels {
        let plane: Vec<f64> =
            interleaved.iter().skip(channel).step_by(channels).map(|&x| x.into()).collect();
        for near in plane.windows(64).filter(|near| near[31].abs().max(near[32].abs()) > 0.6) {
            for taps in &phases {
                let value: f64 = taps.iter().zip(near).map(|(tap, sample)| tap * sample).sum();
                peak = peak.max(value.abs());
            }
        }
    }
    20.0 * peak.ln() / std::f64::consts::LN_10
}

fn mastering(before: &str, with: &str) -> String {
    format!(
        "{before}[[step]]\nid = \"master\"\nuse = \"loudness\"\n\
         with = {{ mode = \"limit\", ceiling_dbtp = {CEILING_DBTP}, {with} }}\n\
         [[export]]\nformat = \"wav\"\nsample_format = \"float\"\npath = \"{{stem}}.wav\"\n\
         [report]\njson = \"{{stem}}.json\"\n"
    )
}

const FADE: &str = "[[step]]\nuse = \"fade\"\nwith = { in_s = 0.05 }\n";

/// What the step `master` says.
fn findings(report: &Value) -> &Value {
    let steps = report["steps"].as_array().unwrap();
    &steps.iter().find(|step| step["id"] == "master").unwrap()["findings"]
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn dense_mix_reaches_its_target_below_the_ceiling_with_and_without_a_spool() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(RATE_HZ, 24, &mix(8 * RATE_HZ as usize)));
    // The first is decoded again for each rehearsal, the second replayed from the spool.
    for before in ["", FADE] {
        for target in [-12.5, -11.5] {
            let body = mastering(before, &format!("target_lufs = {target:?}"));
            let mut answers = Answers::new();
            let outcome = lab.run_with(&pipeline(&body), &input, &mut answers).unwrap();
            let findings = findings(&outcome.report);
            let stored = &outcome.report["outputs"][0]["loudness"];
            let loudness = number(&stored["integrated_lufs"]);
            assert!((loudness - target).abs() <= LOUDNESS_LU, "{loudness} LUFS: {findings}");
            assert!((loudness - number(&findings["expected_integrated_lufs"])).abs() < 1e-4);
            let (spec, samples) = floats(&lab.path("out/a.wav"));
            let peak = true_peak_dbtp(&samples, spec.channels.into());
            assert!(peak < CEILING_DBTP + TRUE_PEAK_DB && peak > CEILING_DBTP - 0.2, "{peak}");
            assert!(number(&stored["true_peak_dbtp"]) <= CEILING_DBTP);
            assert!(number(&findings["reduction_max_db"]) > 0.5, "{findings}");
            assert!(number(&findings["rehearsals"]) >= 1.0);
            assert_eq!(findings["mode"], "limit");
            assert_eq!(findings["ceiling_bound"], false);
            // Passes that are added make nobody's progress go back.
            assert!(answers.shares.is_sorted());
        }
    }
}

#[test]
fn reduction_beyond_the_limit_is_refused_and_the_shortfall_reported() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(RATE_HZ, 24, &mix(5 * RATE_HZ as usize)));
    let body = mastering(FADE, "target_lufs = -5.0, max_reduction_db = 2.0");
    let report = lab.run(&pipeline(&body), &input).unwrap().report;
    let findings = findings(&report);
    let loudness = number(&report["outputs"][0]["loudness"]["integrated_lufs"]);
    assert!((loudness + number(&findings["shortfall_lu"]) + 5.0).abs() < 1e-3, "{findings}");
    assert!(number(&findings["shortfall_lu"]) > 1.0);
    assert!((number(&findings["reduction_max_db"]) - 2.0).abs() < 0.05, "{findings}");
    assert!(findings["refused"].as_str().unwrap().contains("max_reduction_db"));
}

#[test]
fn mix_that_needs_no_limiting_keeps_its_range_and_every_ratio() {
    let lab = Lab::new();
    let planes = mix(12 * RATE_HZ as usize);
    let input = lab.file("a.wav", &wav(RATE_HZ, 0, &planes));
    let body = mastering("", "target_lufs = -23.0");
    let report = lab.run(&pipeline(&body), &input).unwrap().report;
    let range = |loudness: &Value| number(&loudness["loudness_range_lu"]);
    let (before, after) = (&report["source"]["loudness"], &report["outputs"][0]["loudness"]);
    let before = if before.is_object() { before } else { &report["loudness"] };
    assert!((range(before) - range(after)).abs() < 1e-3, "{before} {after}");
    assert_eq!(findings(&report)["rehearsals"], Value::Null);
    let (_, samples) = floats(&lab.path("out/a.wav"));
    let gain = samples[40_000] / planes[0][20_000];
    for (frame, sample) in planes[0].iter().enumerate().filter(|(_, sample)| sample.abs() > 0.01) {
        assert!((samples[2 * frame] / sample - gain).abs() < 1e-6, "{frame}");
    }
}

#[test]
fn limited_outputs_have_the_same_bytes_each_time() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(RATE_HZ, 16, &mix(2 * RATE_HZ as usize)));
    let pipeline = pipeline(&mastering(FADE, "target_lufs = -12.0"));
    let bytes = || {
        lab.run(&pipeline, &input).unwrap();
        std::fs::read(lab.path("out/a.wav")).unwrap()
    };
    assert!(bytes() == bytes());
}
