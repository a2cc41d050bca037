//! Streamed chains against a straightforward computation on the whole signal.

use crate::lab::{Lab, floats, integers, noise, pipeline, wav};
use std::path::Path;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::descriptor::{ParamValue, Params};
use wavemill_core::processors;
use wavemill_core::units::Frames;
use wavemill_pipelines::execution::RunError;

/// Silence, noise, silence; louder in the middle.
fn speech(seed: u32) -> Vec<f32> {
    let mut plane = vec![0.0; 40_000];
    plane.extend(noise(seed, 200_000).iter().map(|sample| sample * 0.05));
    plane.extend(noise(seed + 7, 100_000).iter().map(|sample| sample * 0.3));
    plane.extend(vec![0.0; 60_000]);
    plane
}

/// Runs steps over the whole signal in one block each, without latency (none of these has any).
fn whole(planes: &[Vec<f32>], steps: &[(&str, &[(&str, ParamValue)])]) -> Vec<Vec<f32>> {
    let mut block = Block::from_planes(planes);
    for (name, given) in steps {
        let spec = StreamSpec::new(48_000, block.channel_count());
        let step = processors::step(name).unwrap();
        let mut params = Params::default();
        for (key, value) in *given {
            params.set(*key, value.clone());
        }
        let params = step.complete(&params).unwrap();
        let mut processor = (step.build)(&params, &spec).unwrap();
        if let Some(observer) = processor.observer() {
            observer.observe(&block);
        }
        let length = Frames(block.frame_count() as u64);
        processor.begin(Some(length)).unwrap();
        let _ = processor.process(&mut block);
        let length = processor.span(length).length.as_usize();
        block.set_frame_count(length);
    }
    block.planes().map(<[f32]>::to_vec).collect()
}

fn interleaved(planes: &[Vec<f32>]) -> Vec<f32> {
    (0..planes[0].len()).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect()
}

const CHAIN: &str = r#"
[[step]]
use = "trim-silence"
with = { threshold_dbfs = -60.0 }
[[step]]
id = "faded"
use = "fade"
with = { in_s = 0.5, out_s = 1.0 }
[[step]]
use = "loudness"
with = { target_lufs = -23.0 }
[[export]]
format = "wav"
bit_depth = "FLOAT"
path = "{stem}-loud.wav"
[[export]]
after = "faded"
format = "wav"
bit_depth = "FLOAT"
path = "{stem}-faded.wav"
[report]
json = "{stem}.json"
"#;

#[test]
fn trim_fade_loudness_equals_the_computation_on_the_whole_signal() {
    let planes = [speech(1), speech(2)];
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 0, &planes));
    let outcome = lab.run(&pipeline(CHAIN), &input).unwrap();
    let number = ParamValue::Number;
    let mut steps: Vec<(&str, &[(&str, ParamValue)])> = Vec::new();
    let trim = [("threshold_dbfs", number(-60.0))];
    let fade = [("in_s", number(0.5)), ("out_s", number(1.0))];
    let loudness = [("target_lufs", number(-23.0))];
    steps.push(("trim-silence", &trim));
    steps.push(("fade", &fade));
    let faded = interleaved(&whole(&planes, &steps));
    steps.push(("loudness", &loudness));
    let loud = interleaved(&whole(&planes, &steps));
    assert!(faded.len() < 2 * 400_000 && faded.len() > 2 * 290_000, "{}", faded.len());
    assert!(floats(&lab.path("out/a-faded.wav")).1 == faded);
    assert!(floats(&lab.path("out/a-loud.wav")).1 == loud);
    let steps = outcome.report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    assert!(steps[2]["findings"]["gain_db"].is_number(), "{steps:#?}");
    let measured = outcome.report["outputs"][0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((measured + 23.0).abs() < 0.05, "{measured}");
}

#[test]
fn same_job_gives_the_same_bytes_twice() {
    let body = CHAIN.replace("bit_depth = \"FLOAT\"", "bit_depth = 16");
    let run = || {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, &[speech(1), speech(2)]));
        lab.run(&pipeline(&body), &input).unwrap();
        let read = |name: &str| std::fs::read(lab.path("out").join(name)).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&read("a.json")).unwrap();
        let mut without_places = report;
        without_places["input"]["path"] = "".into();
        for output in without_places["outputs"].as_array_mut().unwrap() {
            output["path"] = "".into();
        }
        (read("a-loud.wav"), read("a-faded.wav"), without_places)
    };
    assert!(run() == run());
}

#[test]
fn report_states_source_steps_outputs_and_nothing_of_the_clock() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[speech(1)]));
    let outcome = lab.run(&pipeline(CHAIN), &input).unwrap();
    let text = std::fs::read_to_string(lab.path("out/a.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report, outcome.report);
    assert_eq!(report["version"], 1);
    assert_eq!(report["input"]["channels"], 1);
    assert_eq!(report["input"]["bit_depth"], 16);
    assert_eq!(report["input"]["blake3"].as_str().unwrap().len(), 64);
    assert!(report["loudness"]["integrated_lufs"].is_number());
    assert_eq!(report["job"]["created"], "2026-03-31T23:30:00+02:00[Europe/Berlin]");
    assert_eq!(report["pipeline"]["hash"].as_str().unwrap().len(), 64);
    let bytes = std::fs::read(lab.path("out/a-loud.wav")).unwrap();
    assert_eq!(report["outputs"][0]["blake3"], blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(report["outputs"][0]["size_bytes"], bytes.len());
    assert_eq!(outcome.outputs.last().unwrap().path, lab.path("out/a.json"));
}

#[test]
fn exports_with_other_channels_are_remixed() {
    let body = r#"
[[export]]
format = "wav"
channels = 1
bit_depth = "FLOAT"
path = "{stem}-mono.wav"
"#;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 0, &[vec![0.5; 9000], vec![-0.25; 9000]]));
    lab.run(&pipeline(body), &input).unwrap();
    let (spec, mono) = floats(&lab.path("out/a-mono.wav"));
    assert_eq!((spec.channels, mono.len()), (1, 9000));
    assert!(mono.iter().all(|sample| (sample - 0.125).abs() < 1e-7));
}

#[test]
fn conditions_on_the_sources_loudness_are_judged_before_the_first_step() {
    let body = r#"
[[step]]
use = "gain"
with = { gain_db = 6.0 }
when = { max_lufs = -20.0 }
[[step]]
use = "gain"
with = { gain_db = 6.0 }
when = { min_lufs = -20.0 }
[[export]]
format = "wav"
bit_depth = "FLOAT"
path = "{stem}.wav"
"#;
    let lab = Lab::new();
    let plane: Vec<f32> = noise(3, 96_000).iter().map(|sample| sample * 0.01).collect();
    let input = lab.file("a.wav", &wav(48_000, 0, std::slice::from_ref(&plane)));
    let outcome = lab.run(&pipeline(body), &input).unwrap();
    assert!(outcome.report["steps"][0]["skipped"].is_null());
    assert!(outcome.report["steps"][1]["skipped"].as_str().unwrap().contains("quieter"));
    let gained = floats(&lab.path("out/a.wav")).1;
    assert!((gained[10] / plane[10] - 1.99526).abs() < 1e-4);
}

#[test]
fn reduced_bits_are_dithered_unless_that_is_turned_off() {
    let body = |dither: &str| {
        format!(
            "[[export]]\nformat = \"wav\"\nbit_depth = 16\npath = \"{{stem}}.wav\"\ndither = \"{dither}\"\n"
        )
    };
    let plane = vec![100.25 / 32768.0; 20_000];
    let stored = |dither: &str| {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, std::slice::from_ref(&plane)));
        lab.run(&pipeline(&body(dither)), &input).unwrap();
        integers(&lab.path("out/a.wav")).1
    };
    assert!(stored("none").iter().all(|sample| *sample == 100));
    let dithered = stored("tpdf");
    let mean = dithered.iter().map(|sample| f64::from(*sample)).sum::<f64>() / 20_000.0;
    assert!((mean - 100.25).abs() < 0.02, "{mean}");
    assert!(stored("triangular") == dithered);
}

/// An export of 16 bits with shaped dither.
const SHAPED: &str =
    "[[export]]\nformat = \"wav\"\nbit_depth = 16\npath = \"{stem}.wav\"\ndither = \"shaped\"\n";

#[test]
fn shaped_dither_runs_where_it_has_a_curve_and_is_reported() {
    for (rate, variance) in [(44_100, 1.525), (48_000, 1.362)] {
        let lab = Lab::new();
        let plane = vec![100.25 / 32768.0; 40_000];
        let input = lab.file("a.wav", &wav(rate, 24, &[plane]));
        let report = lab.run(&pipeline(SHAPED), &input).unwrap().report;
        assert_eq!(report["outputs"][0]["dither"], "shaped");
        let errors = integers(&lab.path("out/a.wav")).1.into_iter().map(|s| f64::from(s) - 100.25);
        let power = errors.map(|error| error * error).sum::<f64>() / 40_000.0;
        assert!((power / variance - 1.0).abs() < 0.05, "{rate} Hz: {power}");
    }
}

#[test]
fn shaped_dither_without_a_curve_is_refused_only_where_bits_are_lost() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(32_000, 24, &[noise(1, 9_000)]));
    let RunError::Refused { reason } = lab.run(&pipeline(SHAPED), &input).unwrap_err() else {
        panic!("refused")
    };
    assert!(
        reason.starts_with("export 1 (wav): `dither = \"shaped\"` is for 44100 Hz, 48000 Hz, ")
    );
    assert!(reason.ends_with("this is 32000 Hz; use \"tpdf\""), "{reason}");
    assert_eq!(lab.files("out"), [""; 0]);
    let keeps_all = SHAPED.replace("bit_depth = 16", "bit_depth = 24");
    let report = lab.run(&pipeline(&keeps_all), &input).unwrap().report;
    assert_eq!(report["outputs"][0]["dither"], "none");
}

/// Memory and disk of a long file: the spool is used and nothing of it remains.
#[test]
fn long_chain_leaves_no_spool() {
    let lab = Lab::new();
    let planes = [noise(1, 2_500_000), noise(2, 2_500_000)];
    let input = lab.file("a.wav", &wav(48_000, 16, &planes));
    let body = CHAIN.replace("[[step]]\nuse = \"trim-silence\"", "[[step]]\nuse = \"high-pass\"\nwith = { cutoff_hz = 80.0 }\n[[step]]\nuse = \"trim-silence\"");
    lab.run(&pipeline(&body), &input).unwrap();
    assert_eq!(lab.files("spool"), [""; 0]);
    assert!(Path::new(&lab.path("spool")).exists(), "the spool was on disk");
}

#[test]
fn loudness_of_the_source_is_the_same_whoever_measured_it() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[speech(1), speech(2)]));
    let report = "[report]\njson = \"{stem}.json\"\n";
    let step = |with: &str| format!("[[step]]\nuse = \"loudness\"\nwith = {{ {with} }}\n{report}");
    let loudness =
        |body: &str| lab.run(&pipeline(body), &input).unwrap().report["loudness"].clone();
    let by_the_meter = loudness(report);
    assert!(by_the_meter["integrated_lufs"].is_number());
    assert_eq!(loudness(&step("target_lufs = -16.0")), by_the_meter);
    assert_eq!(loudness(&step("target_lufs = -16.0, mono = \"dual\"")), by_the_meter);
}
