//! What would be done, without doing it.

use crate::lab::{Lab, noise, pipeline, wav};
use wavemill_pipelines::execution::Places;
use wavemill_pipelines::plan::{Plan, plan};

const BODY: &str = r#"
[[require]]
duration = { min = "1s" }
[[step]]
use = "high-pass"
with = { cutoff_hz = 80.0 }
[[step]]
use = "gain"
with = { gain_db = 3.0 }
when = { min_duration = "1h" }
[[step]]
id = "loud"
use = "loudness"
with = { target_lufs = -16.0 }
[[export]]
format = "wav"
path = "out/{stem}.wav"
[[export]]
after = "decode"
format = "flac"
path = "keep/{stem}.flac"
[report]
json = "out/{stem}.json"
"#;

fn planned(seconds: usize) -> (Lab, Plan) {
    planned_by(BODY, seconds)
}

fn planned_by(body: &str, seconds: usize) -> (Lab, Plan) {
    let lab = Lab::new();
    // A file without a frame is refused before any gate.
    let frames = (seconds * 48_000).max(480);
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, frames), noise(2, frames)]));
    let (output_root, spool) = (lab.path("out"), lab.path("spool"));
    let places = Places {
        output_root: &output_root,
        spool: &spool,
        cancel: &lab.cancel,
        access: Places::direct(),
    };
    let plan = plan(&pipeline(body), &Lab::job(&input), &places, &mut |_| {}).unwrap();
    (lab, plan)
}

#[test]
fn plan_states_passes_steps_and_files_and_writes_nothing() {
    let (lab, plan) = planned(2);
    assert_eq!(lab.files("out"), [""; 0]);
    let root = lab.path("out").display().to_string();
    let text = plan.to_string().replace(&root, "ROOT");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "step gain does not run: 2.000 s is shorter than 1h",
            "pass 1: source -> high-pass -> measured by loud, spooled (0.8 MB) -> export 2",
            "pass 2: spool -> loud -> export 1",
            "export 1: ROOT/out/a.wav (wav, 16-bit, 48000 Hz, 2 channels, dithered)",
            "export 2: ROOT/keep/a.flac (flac, 16-bit, 48000 Hz, 2 channels, every sample kept)",
            "report: ROOT/out/a.json",
        ]
    );
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][1]["use"], "gain");
    assert_eq!(json["passes"][0]["observed_by"], "loud");
    assert_eq!(json["exports"][1]["exact"], true);
}

#[test]
fn plan_states_which_dither_will_run() {
    for (dither, text) in [
        ("none", "2 channels)"),
        ("triangular", "2 channels, dithered)"),
        ("shaped", "2 channels, shaped dither)"),
    ] {
        let body = BODY.replace(
            "path = \"out/{stem}.wav\"",
            &format!("path = \"out/{{stem}}.wav\"\ndither = \"{dither}\""),
        );
        let (_, plan) = planned_by(&body, 2);
        let name = if dither == "triangular" { "tpdf" } else { dither };
        assert_eq!(plan.exports[0].dither, name);
        assert!(plan.exports[0].to_string().ends_with(text), "{}", plan.exports[0]);
        assert_eq!(plan.exports[1].dither, "none");
    }
}

#[test]
fn plan_of_a_file_that_a_gate_rejects_says_so() {
    let (_, plan) = planned(0);
    assert!(plan.rejected.unwrap().contains("duration 0"));
    assert!(plan.exports.is_empty());
}
