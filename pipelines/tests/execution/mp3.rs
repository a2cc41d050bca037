//! MP3 exports: decoded again before they are published, and measured as decoded.

use crate::lab::{Lab, dull, noise, pipeline, wav};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};
use std::path::Path;
use wavemill_core::audio::Samples;
use wavemill_core::decode;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_pipelines::execution::RunError;

/// Frames, integrated loudness and the larger true peak of a file, from what our decoder reads.
fn decoded(path: &Path) -> (usize, f64, f64) {
    let mut decoder = decode::open(Box::new(std::fs::File::open(path).unwrap()), None).unwrap();
    let spec = decoder.info().spec.clone();
    let mut samples = Samples::empty(decoder.info().format, spec.channel_count());
    let mut block = wavemill_core::audio::Block::new(spec.channel_count(), 4096);
    let mut meter = LoudnessMeter::new(&spec, MonoMode::Single);
    let mut frames = 0;
    loop {
        let count = decoder.read(&mut samples, 4096).unwrap();
        if count == 0 {
            break;
        }
        frames += count;
        wavemill_core::audio::convert::to_block(&samples, &mut block);
        meter.push(&block);
    }
    let found = meter.finish();
    (frames, found.integrated_lufs.unwrap().0, found.larger_true_peak().unwrap().0)
}

#[test]
fn mp3_export_is_exact_in_length_and_reported_as_it_is_decoded() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(100_003)));
    let body = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -16.0 }\n\
                [[export]]\nformat = \"mp3\"\nbit_rate_kbps = 192\npath = \"{stem}.{ext}\"\n\
                [[export]]\nformat = \"mp3\"\nvbr_quality = 4\nchannels = 1\npath = \"{stem}-small.{ext}\"\n\
                [[export]]\nformat = \"flac\"\npath = \"{stem}.{ext}\"\n\
                [report]\njson = \"{stem}.json\"\n";
    let outcome = lab.run(&pipeline(body), &input).unwrap();
    let outputs = outcome.report["outputs"].as_array().unwrap();
    for (output, name) in outputs.iter().zip(["a.mp3", "a-small.mp3"]) {
        let (frames, loudness, peak) = decoded(&lab.path("out").join(name));
        assert_eq!(frames, 100_003);
        assert_eq!(output["frames"], 100_003);
        let number = |key: &str| output[key].as_f64().unwrap();
        assert!((number("decoded_integrated_lufs") - loudness).abs() < 0.001, "{output:#}");
        assert!((number("decoded_true_peak_dbtp") - peak).abs() < 0.001, "{output:#}");
        assert!((loudness - output["loudness"]["integrated_lufs"].as_f64().unwrap()).abs() < 0.5);
        assert!(output["bit_depth"].is_null() && output["sample_format"].is_null());
        assert_eq!(output["dither"], "none");
    }
    assert_eq!(outputs[0]["bit_rate_kbps"], 192);
    assert_eq!(outputs[1]["vbr_quality"], 4);
    assert!(outputs[2]["decoded_true_peak_dbtp"].is_null());
    assert_eq!(outputs[2]["bit_depth"], 24);
}

#[test]
fn mp3_export_of_the_same_file_has_the_same_bytes() {
    let hashes = [(); 2].map(|()| {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 16, &dull(50_000)));
        let body = "[[export]]\nformat = \"mp3\"\npath = \"{stem}.{ext}\"\n";
        lab.run(&pipeline(body), &input).unwrap().outputs[0].blake3.clone()
    });
    assert_eq!(hashes[0], hashes[1]);
}

/// A step whose peaks are all at its ceiling, where a lossy format raises many of them.
const LIMITED: &str = "[[step]]\nuse = \"loudness\"\n\
     with = { mode = \"limit\", target_lufs = -8.0, max_reduction_db = 12.0, character = \"clean\" }\n";

/// What a step's ceiling is held to when the export is decoded again: the limiter's own promise.
const CEILING_DB: f64 = 0.05;

fn mp3(options: &str) -> String {
    format!("[[export]]\nformat = \"mp3\"\n{options}path = \"{{stem}}-{{n}}.{{ext}}\"\n")
}

#[test]
fn decoded_peaks_above_a_ceiling_lower_the_limiter_of_that_export_alone() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(200_000)));
    let [rate_64, rate_128, vbr] =
        ["bit_rate_kbps = 64\n", "bit_rate_kbps = 128\n", "vbr_quality = 4\n"].map(mp3);
    let body = format!(
        "{LIMITED}{}{}{}[[export]]\nformat = \"wav\"\nbit_depth = 24\npath = \"{{stem}}.wav\"\n\
         [report]\njson = \"{{stem}}.json\"\n",
        rate_64.replace("{n}", "64"),
        rate_128.replace("{n}", "128"),
        vbr.replace("{n}", "vbr")
    );
    let outcome = lab.run(&pipeline(&body), &input).unwrap();
    let outputs = outcome.report["outputs"].as_array().unwrap();
    for (output, name) in outputs.iter().zip(["a-64.mp3", "a-128.mp3", "a-vbr.mp3"]) {
        let (frames, loudness, peak) = decoded(&lab.path("out").join(name));
        assert_eq!(frames, 200_000, "{name}");
        assert!(peak <= -1.0 + CEILING_DB, "{name} reaches {peak}");
        let number = |key: &str| output[key].as_f64().unwrap();
        assert!((number("decoded_true_peak_dbtp") - peak).abs() < 0.001, "{output:#}");
        assert!((number("decoded_integrated_lufs") - loudness).abs() < 0.001, "{output:#}");
        // The first attempt was 0.4 dB above the ceiling and more.
        assert!(number("ceiling_lowered_db") > 0.4 && number("attempts") >= 2.0, "{output:#}");
        assert_eq!((number("ceiling_dbtp"), &output["ceiling_kept"]), (-1.0, &true.into()));
        // What is said of the signal that was encoded is what was encoded last.
        let fed = output["loudness"]["integrated_lufs"].as_f64().unwrap();
        let first = outputs[3]["loudness"]["integrated_lufs"].as_f64().unwrap();
        assert!(first - fed > 0.1, "{output:#}");
    }
    assert!(outputs[3]["attempts"].is_null(), "a lossless export keeps the ceiling as it is");
    // It is bound by `max_reduction_db`: what a lower ceiling takes cannot be given again.
    let warnings = outcome.report["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for warning in warnings {
        let line = warning.as_str().unwrap();
        assert!(line.contains(" LU below the target"), "{line}");
    }
    assert_eq!(lab.files("out"), ["a-128.mp3", "a-64.mp3", "a-vbr.mp3", "a.json", "a.wav"]);
    assert_eq!(lab.files("spool"), [""; 0]);
}

#[test]
fn export_that_keeps_its_ceiling_is_made_once() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(100_000)));
    let soft = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -30.0 }\n";
    for steps in [soft, ""] {
        let body =
            format!("{steps}{}[report]\njson = \"{{stem}}.json\"\n", mp3("").replace("-{n}", ""));
        let lab_of_one = Lab::new();
        let outcome = lab_of_one.run(&pipeline(&body), &input).unwrap();
        assert!(outcome.report["outputs"][0]["attempts"].is_null(), "{steps}");
        assert_eq!(outcome.report["warnings"], serde_json::json!([]), "{steps}");
    }
}

/// A finished master, limited to a ceiling, of `gain_db` more.
fn master(lab: &Lab, gain_db: f64) -> std::path::PathBuf {
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(200_000)));
    let body = format!(
        "{LIMITED}[[step]]\nuse = \"gain\"\nwith = {{ gain_db = {gain_db:?} }}\n\
         [[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"master.wav\"\n"
    );
    lab.run(&pipeline(&body), &input).unwrap();
    lab.path("out/master.wav")
}

#[test]
fn mp3_of_a_finished_master_does_not_exceed_full_scale() {
    let lab = Lab::new();
    let export = mp3("bit_rate_kbps = 128\n").replace("-{n}", "");
    // At -0.1 dBTP; the format raises it by more than that.
    let input = master(&lab, 0.9);
    let outcome = lab.run(&pipeline(&export), &input).unwrap();
    let (_, _, peak) = decoded(&lab.path("out/master.mp3"));
    assert!((-0.5..=0.0).contains(&peak), "{peak}");
    let output = &outcome.report["outputs"][0];
    assert!(output["gain_db"].as_f64().unwrap() < -0.4, "{output:#}");
    assert_eq!((&output["ceiling_dbtp"], &output["ceiling_kept"]), (&0.0.into(), &true.into()));
    assert!((output["decoded_true_peak_dbtp"].as_f64().unwrap() - peak).abs() < 0.001);
    // A master above full scale is not what the format made of it.
    let lab = Lab::new();
    let input = master(&lab, 2.0);
    let outcome = lab.run(&pipeline(&export), &input).unwrap();
    assert!(outcome.report["outputs"][0]["attempts"].is_null());
    let warnings = outcome.report["warnings"].as_array().unwrap();
    let line = warnings[0].as_str().unwrap();
    assert!(line.starts_with("export 1 (mp3): decoded, it reaches "), "{line}");
    let (_, _, encoded) = decoded(&input);
    let end = format!("its input already reached {encoded:.2} dBTP, so its gain was not reduced");
    assert!(encoded > 0.5 && line.ends_with(&end), "{line}");
    assert_eq!(warnings.len(), 1);
}

#[test]
fn ceiling_of_a_gate_is_kept_too_when_only_the_lossy_format_exceeds_it() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(200_000)));
    let gate = "[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = -1.0 }\n";
    let export = mp3("bit_rate_kbps = 128\n").replace("-{n}", "");
    let report = "[report]\njson = \"{stem}.json\"\n";
    let outcome = lab.run(&pipeline(&format!("{gate}{LIMITED}{export}{report}")), &input).unwrap();
    assert_eq!(outcome.rejected, None);
    let peak = outcome.report["outputs"][0]["decoded_true_peak_dbtp"].as_f64().unwrap();
    assert!(peak <= -1.0, "{peak}");
    // What exceeds the gate by itself is rejected, not turned down unasked.
    let gain = "[[step]]\nuse = \"gain\"\nwith = { gain_db = 20.0 }\n";
    let lab = Lab::new();
    let outcome = lab.run(&pipeline(&format!("{gate}{gain}{export}{report}")), &input).unwrap();
    let line = outcome.rejected.unwrap();
    assert!(line.starts_with("export 1 (mp3)") && line.contains("true peak"), "{line}");
    assert_eq!(lab.files("out"), ["a.json"]);
}

#[test]
fn mp3_of_a_rate_it_does_not_have_is_refused_before_anything_is_written() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(96_000, 24, &dull(1000)));
    let body = "[[export]]\nformat = \"mp3\"\npath = \"{stem}.{ext}\"\n";
    let error = lab.run(&pipeline(body), &input).unwrap_err();
    assert!(matches!(error, RunError::Refused { .. }), "{error:?}");
    let line = error.to_string();
    assert!(line.contains("export 1 (mp3): mp3 cannot store 96000 Hz; it stores 8000,"), "{line}");
    assert!(line.ends_with("48000 Hz; `sample_rate_hz = 48000` converts it"), "{line}");
    assert!(!line.contains('\n'));
    let low = body.replace("path", "bit_rate_kbps = 24\npath");
    let input = lab.file("b.wav", &wav(44_100, 24, &dull(1000)));
    let line = lab.run(&pipeline(&low), &input).unwrap_err().to_string();
    assert!(line.contains("24 kbit/s at 44100 Hz stereo; it has 64,"), "{line}");
    assert!(line.contains("24 kbit/s at 8000 Hz"), "{line}");
    assert_eq!(lab.files("out"), [""; 0]);
}

#[test]
fn mp3_plan_states_bit_rates_and_never_says_exact() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 16, &dull(1000)));
    let body = "[[export]]\nformat = \"mp3\"\npath = \"{stem}.{ext}\"\n\
                [[export]]\nformat = \"mp3\"\nvbr_quality = 2\npath = \"{stem}-v.{ext}\"\n";
    let (out, spool) = (lab.path("out"), lab.path("spool"));
    let places = wavemill_pipelines::execution::Places {
        output_root: &out,
        spool: &spool,
        cancel: &lab.cancel,
        access: wavemill_pipelines::execution::Places::direct(),
    };
    let plan =
        wavemill_pipelines::plan::plan(&pipeline(body), &Lab::job(&input), &places, &mut |_| {});
    let plan = plan.unwrap();
    let planned = plan.exports.iter().map(|e| (e.bit_rate_kbps, e.vbr_quality, e.exact));
    assert_eq!(planned.collect::<Vec<_>>(), [(Some(192), None, false), (None, Some(2), false)]);
    let text = plan.to_string();
    assert!(text.contains("a.mp3 (mp3, 192 kbit/s, 44100 Hz, 2 channels)"), "{text}");
    assert!(text.contains("a-v.mp3 (mp3, VBR quality 2, 44100 Hz, 2 channels)"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn decoded_peak_keeps_the_ceiling_or_is_reported(
        seed in any::<u32>(),
        kbps in prop::sample::select(vec![64, 96, 128, 192, 320]),
        smooth in 0.02f32..1.0,
        gain_db in 0.0f64..24.0,
        ceiling in -6.0f64..=-0.1,
        rate in prop::sample::select(vec![32_000, 44_100, 48_000]),
    ) {
        let mut state = 0.0;
        let plane: Vec<f32> = noise(seed, 40_000)
            .into_iter()
            .map(|sample| {
                state += smooth * (sample - state);
                state
            })
            .collect();
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, &[plane]));
        let body = format!(
            "[[step]]\nuse = \"gain\"\nwith = {{ gain_db = {gain_db:.3} }}\n\
             [[step]]\nuse = \"limit\"\nwith = {{ ceiling_dbtp = {ceiling:.2} }}\n\
             {}[report]\njson = \"r.json\"\n",
            mp3(&format!("bit_rate_kbps = {kbps}\nsample_rate_hz = {rate}\n"))
                .replace("-{n}", "")
        );
        let report = lab.run(&pipeline(&body), &input).unwrap().report;
        let (_, _, peak) = decoded(&lab.path("out/a.mp3"));
        let is_kept = peak <= (ceiling * 100.0).round() / 100.0 + CEILING_DB;
        let output = &report["outputs"][0];
        prop_assert_eq!(is_kept, output["ceiling_kept"] != false, "{}: {:#}", peak, output);
        prop_assert!(output["attempts"].as_u64().is_none_or(|attempts| attempts <= 7));
    }
}
