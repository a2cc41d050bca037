//! Rates converted by a step and for an export.

use crate::lab::{Lab, floats, integers, noise, pipeline, wav};
use std::f64::consts::TAU;
use wavemill_core::resample::{Quality, Resampler};
use wavemill_core::units::{Frames, SampleRate};

/// What the library makes of whole planes.
fn converted(planes: &[Vec<f32>], from: u32, to: u32) -> Vec<Vec<f32>> {
    let mut resampler =
        Resampler::new(SampleRate(from), SampleRate(to), planes.len(), Quality::Best).unwrap();
    let frame_count = planes[0].len();
    let length = resampler.output_length(Frames(frame_count as u64)).as_usize();
    let mut output = vec![vec![0.0; length]; planes.len()];
    let (mut pushed, mut pulled) = (0, 0);
    while pulled < length {
        let count = resampler.room().min(frame_count - pushed);
        resampler.push(planes.iter().map(|plane| &plane[pushed..pushed + count]));
        pushed += count;
        if pushed == frame_count {
            resampler.push_silence(resampler.room());
        }
        let ready = resampler.available().min(length - pulled);
        resampler.pull(output.iter_mut().map(|plane| &mut plane[pulled..pulled + ready]));
        pulled += ready;
    }
    output
}

fn interleaved(planes: &[Vec<f32>]) -> Vec<f32> {
    (0..planes[0].len()).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect()
}

fn step(rate: u32) -> String {
    format!("[[step]]\nuse = \"resample\"\nwith = {{ sample_rate_hz = {rate} }}\n")
}

const LOUDNESS: &str = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -23.0 }\n";
const FLOAT: &str = "[[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"{stem}.wav\"\n";

#[test]
fn step_and_export_store_what_the_library_makes_at_the_new_rate() {
    let planes = [noise(1, 50_001), noise(2, 50_001)];
    for (from, to) in [(48_000, 44_100), (44_100, 96_000), (48_000, 47_999), (8_000, 192_000)] {
        let expected = interleaved(&converted(&planes, from, to));
        let by_step = format!("{}{FLOAT}", step(to));
        let by_export = format!("{FLOAT}sample_rate_hz = {to}\n");
        for body in [by_step, by_export] {
            let lab = Lab::new();
            let input = lab.file("a.wav", &wav(from, 0, &planes));
            lab.run(&pipeline(&body), &input).unwrap();
            let (spec, stored) = floats(&lab.path("out/a.wav"));
            assert_eq!((spec.sample_rate, spec.channels), (to, 2));
            assert_eq!(stored.len(), expected.len());
            assert!(stored == expected, "{from} to {to}:\n{body}");
        }
    }
}

#[test]
fn steps_after_a_conversion_work_at_the_new_rate() {
    // More than twenty times the frames: all blocks behind it are cut to their usual size.
    let planes = [noise(3, 60_000), noise(4, 60_000)];
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(8_000, 24, &planes));
    let fade = "[[step]]\nuse = \"fade\"\nwith = { out_s = 1.0 }\n";
    let body = format!("{}{LOUDNESS}{fade}{FLOAT}[report]\njson = \"r.json\"\n", step(176_400));
    let outcome = lab.run(&pipeline(&body), &input).unwrap();
    let (spec, stored) = floats(&lab.path("out/a.wav"));
    assert_eq!((spec.sample_rate, stored.len()), (176_400, 2 * 60_000 * 176_400 / 8_000));
    assert!(stored[stored.len() - 1].abs() < 1e-6, "the fade ends with the file");
    let loudness = outcome.report["outputs"][0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((loudness + 23.0).abs() < 0.5, "{loudness}");
    assert_eq!(lab.files("spool"), [""; 0]);
}

#[test]
fn conversion_anywhere_in_the_chain_gives_the_promised_length() {
    let planes = [[vec![0.0; 9_000], noise(5, 90_000), vec![0.0; 9_000]].concat()];
    let trim = "[[step]]\nuse = \"trim-silence\"\n";
    let orders = [
        format!("{}{trim}{LOUDNESS}", step(44_100)),
        format!("{trim}{}{LOUDNESS}", step(44_100)),
        format!("{trim}{LOUDNESS}{}", step(44_100)),
        format!("{}{}{trim}", step(96_000), step(44_100)),
    ];
    for steps in orders {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, &planes));
        lab.run(&pipeline(&format!("{steps}{FLOAT}")), &input).unwrap();
        let (spec, stored) = floats(&lab.path("out/a.wav"));
        assert_eq!(spec.sample_rate, 44_100);
        // 90,000 frames become 82,688; trimming after a conversion keeps some that ring around them.
        assert!(stored.len().abs_diff(82_688) < 200, "{} frames:\n{steps}", stored.len());
    }
}

#[test]
fn exports_take_rate_and_channels_of_their_own() {
    let tone = |frame: usize| (TAU * 1_000.0 * frame as f64 / 48_000.0).sin();
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    let plane: Vec<f32> = (0..96_000).map(|frame| 0.5 * tone(frame) as f32).collect();
    let body = r#"
[[export]]
format = "flac"
sample_rate_hz = 44100
path = "{stem}.flac"
[[export]]
format = "wav"
sample_rate_hz = 16000
channels = 1
path = "{stem}-16k.wav"
[[export]]
format = "wav"
sample_rate_hz = 48000
path = "{stem}-same.wav"
"#;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[plane.clone(), plane.clone()]));
    lab.run(&pipeline(body), &input).unwrap();
    let (spec, mono) = integers(&lab.path("out/a-16k.wav"));
    assert_eq!((spec.sample_rate, spec.channels, mono.len()), (16_000, 1, 32_000));
    for (frame, sample) in mono.iter().enumerate().skip(8_000).take(100) {
        let expected = 0.5 * 32_768.0 * tone(3 * frame);
        assert!((f64::from(*sample) - expected).abs() < 2.0, "frame {frame}");
    }
    let (spec, same) = integers(&lab.path("out/a-same.wav"));
    let (_, source) = integers(&input);
    assert!(spec.sample_rate == 48_000 && same == source, "nothing to convert, nothing changed");
    let flac = std::fs::read(lab.path("out/a.flac")).unwrap();
    // STREAMINFO: 20 bits of rate after 10 bytes of sizes (RFC 9639, 8.2).
    let rate = u32::from(flac[18]) << 12 | u32::from(flac[19]) << 4 | u32::from(flac[20]) >> 4;
    assert_eq!(rate, 44_100);
}

#[test]
fn rates_too_far_apart_are_refused_before_anything_is_written() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(4_000, 16, &[noise(1, 1_000)]));
    let reason = "cannot convert 4000 Hz to 655350 Hz; one rate may be at most 128 times the other";
    for body in [format!("{}{FLOAT}", step(655_350)), format!("{FLOAT}sample_rate_hz = 655350\n")] {
        let error = lab.run(&pipeline(&body), &input).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(lab.files("out"), [""; 0]);
}

/// A third harmonic of a third flattens a sine to 0.943 of it; at 16 kHz it is gone.
fn flattened() -> Vec<f32> {
    let turn = TAU * 3_000.0 / 48_000.0;
    let value = |frame: usize| {
        let at = turn * frame as f64;
        0.5 * (at.sin() + (3.0 * at).sin() / 3.0)
    };
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    let plane = (0..240_000).map(|frame| value(frame) as f32).collect();
    plane
}

/// How far above a ceiling a conversion may leave a peak: the limiter's own promise.
const CEILING_DB: f64 = 0.05;

/// How far below its ceiling an export may be that was turned down for it.
const TURNED_DOWN_DB: f64 = 0.2;

#[test]
fn peaks_that_a_conversion_raises_above_a_ceiling_are_turned_down_and_reported() {
    let report = "[report]\njson = \"r.json\"\n";
    let peak = "[[step]]\nuse = \"peak-normalize\"\nwith = { target_dbfs = -1.0 }\n";
    let loud = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -1.0, ceiling_dbtp = -3.0 }\n";
    let most = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -1.0, mode = \"limit\", \
        ceiling_dbtp = -3.0, character = \"clean\" }\n";
    let gain = "[[step]]\nuse = \"gain\"\nwith = { gain_db = 9.0 }\n";
    let limit = format!(
        "{gain}[[step]]\nuse = \"limit\"\nwith = {{ ceiling_dbtp = -3.0, character = \"clean\" }}\n"
    );
    let fade = "[[step]]\nuse = \"fade\"\nwith = { out_s = 0.1 }\n";
    let own = format!("{FLOAT}sample_rate_hz = 16000\n");
    for (body, key, ceiling) in [
        (format!("{peak}{own}"), "sample_peak_dbfs", -1.0),
        (format!("{loud}{own}"), "true_peak_precise_dbtp", -3.0),
        (format!("{most}{own}"), "true_peak_precise_dbtp", -3.0),
        (format!("{limit}{own}"), "true_peak_precise_dbtp", -3.0),
        (format!("{limit}{fade}{own}"), "true_peak_precise_dbtp", -3.0),
        (format!("{loud}{}{FLOAT}", step(16_000)), "true_peak_precise_dbtp", -3.0),
    ] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, &[flattened()]));
        let outcome = lab.run(&pipeline(&format!("{body}{report}")), &input).unwrap();
        let output = &outcome.report["outputs"][0];
        let peak = output["loudness"][key].as_f64().unwrap();
        assert!(peak <= ceiling + CEILING_DB, "{peak}\n{body}");
        assert!(peak >= ceiling - TURNED_DOWN_DB, "{peak}\n{body}");
        // What is flattened by 0.5 dB gets less gain by as much, or is limited lower.
        let gain = output["gain_db"].as_f64();
        let lower = output["ceiling_lowered_db"].as_f64();
        assert_eq!(lower.is_some(), body.contains("limit"), "{output:#}");
        let lower = gain.map(|gain| -gain).or(lower).unwrap();
        assert!((0.4..=0.8).contains(&lower), "{lower}\n{body}");
        assert_eq!(output["attempts"], 2, "{body}");
        assert_eq!(output["ceiling_kept"], true);
        let warnings = outcome.report["warnings"].to_string();
        let line = format!("so that, converted, it stays below the ceiling of {ceiling:.2}");
        assert_eq!(warnings.contains(&line), gain.is_some(), "{warnings}\n{body}");
        assert_eq!(lab.files("out"), ["a.wav", "r.json"]);
    }
}

#[test]
fn conversion_before_the_ceiling_changes_nothing_behind_it() {
    let loud = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -1.0, ceiling_dbtp = -3.0 }\n";
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 24, &[flattened()]));
    let body = format!("{}{loud}{FLOAT}[report]\njson = \"r.json\"\n", step(16_000));
    let outcome = lab.run(&pipeline(&body), &input).unwrap();
    assert!(outcome.report["outputs"][0]["gain_db"].is_null());
    let warnings = outcome.report["warnings"].to_string();
    assert!(!warnings.contains("converted"), "{warnings}");
}
