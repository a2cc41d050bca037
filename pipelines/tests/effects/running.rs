//! What an effect makes of a file, and how it fails.

use crate::lab::{Answers, Lab, floats, noise, wav};
use crate::module::{gain, gain_and, gain_saying, gain_with};
use serde_json::Value;
use std::path::PathBuf;
use wavemill_core::limits::INFINITE_TAIL_MAX;
use wavemill_core::units::SampleRate;
use wavemill_pipelines::execution::{Places, RunError};
use wavemill_pipelines::model::{Defaults, Pipeline};
use wavemill_pipelines::plan::plan;
use wavemill_pipelines::{Effects, load};

const FRAMES: usize = 20_000;

const EXPORT: &str = "[[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"{stem}.wav\"\n[report]\njson = \"{stem}.json\"\n";

/// A lab with the module `gain.wasm` and an input of two channels.
fn lab(module: &[u8]) -> (Lab, PathBuf) {
    let lab = Lab::new();
    lab.file("gain.wasm", module);
    let input = lab.file("a.wav", &wav(48_000, 0, &[noise(1, FRAMES), noise(2, FRAMES)]));
    (lab, input)
}

fn pipeline(lab: &Lab, steps: &str) -> Pipeline {
    let text = format!("version = 1\n[pipeline]\nname = \"test\"\n{steps}\n{EXPORT}");
    let effects = Effects::new(None).in_folder(&lab.path("in"));
    load(&text, &Defaults::default(), &effects).unwrap().pipeline
}

fn run(lab: &Lab, steps: &str, input: &std::path::Path) -> Result<Value, RunError> {
    std::fs::create_dir_all(lab.path("out")).unwrap();
    let outcome = lab.run_with(&pipeline(lab, steps), input, &mut Answers::new())?;
    Ok(outcome.report)
}

const STEP: &str = "[[step]]\neffect = \"gain.wasm\"\n";

#[test]
fn effect_changes_the_samples_and_the_report_says_which_module_did() {
    let (lab, input) = lab(&gain());
    let report =
        run(&lab, &format!("{STEP}preset = \"loud\"\nwith = {{ shape = \"hard\" }}"), &input);
    let step = &report.unwrap()["steps"][0];
    assert_eq!(step["effect"], "gain.wasm");
    assert_eq!(step["module"]["id"], "com.example.gain");
    assert_eq!(step["module"]["version"], "1.0.0");
    assert_eq!(step["module"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(step["preset"], "loud");
    assert_eq!(step["params"]["gain_lin"], 2.0);
    assert_eq!(step["params"]["shape"], "hard");
    assert_eq!(step["latency_frames"], 0);
    let (_, samples) = floats(&lab.path("out/a.wav"));
    let expected: Vec<f32> = noise(1, FRAMES)
        .iter()
        .zip(&noise(2, FRAMES))
        .flat_map(|(l, r)| [2.0 * l, 2.0 * r])
        .collect();
    assert_eq!(samples, expected);
}

#[test]
fn effect_between_built_in_steps_is_one_of_them() {
    let (lab, input) = lab(&gain());
    let steps = format!(
        "[[step]]\nuse = \"gain\"\nwith = {{ gain_db = 6.0 }}\n{STEP}[[step]]\nuse = \"loudness\"\nwith = {{ target_lufs = -20.0 }}"
    );
    let report = run(&lab, &steps, &input).unwrap();
    assert_eq!(report["steps"][0]["use"], "gain");
    assert_eq!(report["steps"][1]["effect"], "gain.wasm");
    let loudness = report["outputs"][0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((loudness + 20.0).abs() < 0.01, "{loudness}");
}

#[test]
fn stream_that_the_module_does_not_take_is_refused_before_anything_is_written() {
    let (lab, input) = lab(&gain_with("1.0.0", "[6,6]", ""));
    let error = run(&lab, STEP, &input).unwrap_err().to_string();
    assert!(error.contains("gain.wasm") && error.contains("6 channels"), "{error}");
    assert_eq!(lab.files("out"), [""; 0]);
}

#[test]
fn module_for_one_channel_is_run_once_for_each() {
    let (lab, input) = lab(&gain_with("1.0.0", "[1,1]", ""));
    run(&lab, STEP, &input).unwrap();
    let (spec, samples) = floats(&lab.path("out/a.wav"));
    assert_eq!(spec.channels, 2);
    let expected: Vec<f32> = noise(2, FRAMES).iter().map(|sample| 0.5 * sample).collect();
    assert!(samples.iter().skip(1).step_by(2).eq(&expected));
}

/// Does `what` in the block that holds this frame.
fn from_frame(frame: usize, what: &str) -> String {
    format!("(if (i32.gt_u (global.get $frames) (i32.const {frame})) (then {what}))")
}

/// How a run with a module that does this in the middle of the file ends.
fn failure(what: &str) -> (Lab, String) {
    let (lab, input) = lab(&gain_with("1.0.0", "[1,8]", &from_frame(10_000, what)));
    let error = run(&lab, STEP, &input).unwrap_err();
    assert!(matches!(error, RunError::Refused { .. }), "{error:?}");
    (lab, error.to_string())
}

#[test]
fn effect_that_fails_in_the_middle_is_named_with_the_frame_and_leaves_nothing() {
    for what in [
        "(unreachable)",
        "(f32.store (i32.const 65536) (f32.const nan)) (return (i32.const 0))",
        "(f32.store (i32.const 65536) (f32.const inf)) (return (i32.const 0))",
        "(f32.store (i32.const -4) (f32.const 0))",
        "(return (i32.const -9))",
    ] {
        let (lab, line) = failure(what);
        assert!(line.contains("gain.wasm") && line.contains("`Gain`"), "{what}: {line}");
        assert!(line.contains("at frame 8192"), "{what}: {line}");
        assert!(!line.contains('\n'), "{what}: {line}");
        assert_eq!(lab.files("out"), [""; 0], "{what}");
    }
}

#[test]
fn endless_tail_is_cut_and_the_report_says_so() {
    let endless = "(func (export \"fx_tail\") (result i32) (i32.const -1))";
    let (lab, input) = lab(&gain_and(endless));
    let report = run(&lab, &format!("{STEP}keep_length = false\n"), &input).unwrap();
    let warning = report["warnings"][0].as_str().unwrap();
    assert!(warning.contains("gain.wasm") && warning.contains("infinite tail"), "{warning}");
    let (_, samples) = floats(&lab.path("out/a.wav"));
    let tail = INFINITE_TAIL_MAX.to_frames(SampleRate(48_000)).as_usize();
    assert_eq!(samples.len(), 2 * (FRAMES + tail));
}

#[test]
fn files_keep_their_length_unless_the_module_or_the_step_says_otherwise() {
    const TAIL: usize = 100;
    let frames = |is_kept: Option<bool>, step: &str| {
        let tail = format!("(func (export \"fx_tail\") (result i32) (i32.const {TAIL}))");
        let (lab, input) = lab(&gain_saying(is_kept, &tail));
        let report = run(&lab, &format!("{STEP}{step}\n"), &input).unwrap();
        assert_eq!(report["warnings"], Value::Array(Vec::new()));
        floats(&lab.path("out/a.wav")).1.len() / 2
    };
    let (kept, longer) = (FRAMES, FRAMES + TAIL);
    assert_eq!(frames(None, ""), kept);
    assert_eq!(frames(None, "keep_length = false"), longer);
    assert_eq!(frames(Some(false), ""), longer);
    assert_eq!(frames(Some(false), "keep_length = true"), kept);
    assert_eq!(frames(Some(true), ""), kept);
}

#[test]
fn only_reverb_and_delay_of_the_bundled_effects_lengthen_files() {
    for effect in wavemill_runtime::bundled::MODULES {
        let (lab, input) = lab(&gain());
        let step = format!("[[step]]\neffect = \"{}\"\n", effect.name);
        let report = run(&lab, &step, &input).unwrap();
        let is_longer = floats(&lab.path("out/a.wav")).1.len() != 2 * FRAMES;
        assert_eq!(is_longer, ["reverb", "delay"].contains(&effect.name), "{}", effect.name);
        assert_eq!(report["steps"][0]["keep_length"], !is_longer);
    }
}

#[test]
fn latency_is_taken_off_and_reported() {
    // An honest delay of 10 frames is more than a line of WebAssembly text; a false claim of one
    // shows as well that the host takes it off.
    let late = "(func (export \"fx_latency\") (result i32) (i32.const 10))";
    let (lab, input) = lab(&gain_and(late));
    let report = run(&lab, STEP, &input).unwrap();
    assert_eq!(report["steps"][0]["latency_frames"], 10);
    let (_, samples) = floats(&lab.path("out/a.wav"));
    assert_eq!(samples.len(), 2 * FRAMES);
    assert_eq!(samples[0].to_bits(), (0.5 * noise(1, 11)[10]).to_bits());
}

#[test]
fn plan_shows_an_effect_with_its_module_and_timing() {
    let (lab, input) = lab(&gain());
    let (output_root, spool) = (lab.path("out"), lab.path("spool"));
    let places = Places {
        output_root: &output_root,
        spool: &spool,
        cancel: &lab.cancel,
        access: Places::direct(),
    };
    let plan = plan(&pipeline(&lab, STEP), &Lab::job(&input), &places, &mut |_| {}).unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("effect gain.wasm (Gain 1.0.0): latency 0.000 s (0 frames), tail"),
        "{text}"
    );
    assert!(text.contains("pass 1: source -> gain.wasm -> export 1"), "{text}");
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][0]["effect"], "gain.wasm");
    assert_eq!(json["steps"][0]["latency_frames"], 0);
    assert_eq!(json["steps"][0]["tail_frames"], 0);
    assert_eq!(json["steps"][0]["use"], Value::Null);
}
