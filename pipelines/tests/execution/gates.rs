//! Gates: a miss delivers nothing but the report.

use crate::lab::{Answers, Lab, noise, pipeline, wav};
use wavemill_pipelines::execution::OutputKind;

const OUTPUTS: &str = r#"
[[export]]
format = "flac"
path = "{stem}.{ext}"
[report]
json = "{stem}.json"
"#;

fn rejection(gates: &str, seconds: f64) -> (Lab, Option<String>) {
    let lab = Lab::new();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test's length")]
    let frames = (seconds * 48_000.0) as usize;
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, frames), noise(2, frames)]));
    let outcome = lab.run(&pipeline(&format!("{gates}\n{OUTPUTS}")), &input).unwrap();
    (lab, outcome.rejected)
}

#[test]
fn file_that_passes_every_gate_is_delivered() {
    let (lab, rejected) = rejection(
        "[[require]]\nduration = { min = \"1s\" }\nchannels = [1, 2]\nintegrated_lufs = { min = -40.0 }\n[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = 3.0 }\n",
        2.0,
    );
    assert_eq!(rejected, None);
    assert_eq!(lab.files("out"), ["a.flac", "a.json"]);
}

#[test]
fn short_file_is_rejected_with_its_report_only() {
    let (lab, rejected) = rejection("[[require]]\nduration = { min = \"1s\" }\n", 0.5);
    assert_eq!(
        rejected.as_deref(),
        Some("the source has duration 0.50 s; at least 1 s is required")
    );
    assert_eq!(lab.files("out"), ["a.json"]);
    let report = std::fs::read_to_string(lab.path("out/a.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["gates"][0]["passed"], false);
    assert_eq!(report["rejected"], rejected.unwrap());
}

#[test]
fn loudness_of_the_source_is_gated_before_anything_is_written() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 96_000)]));
    let mut answers = Answers::new();
    let pipeline =
        pipeline(&format!("[[require]]\nintegrated_lufs = {{ max = -60.0 }}\n{OUTPUTS}"));
    let outcome = lab.run_with(&pipeline, &input, &mut answers).unwrap();
    assert!(outcome.rejected.unwrap().contains("at most -60.00 LUFS is allowed"));
    assert_eq!(answers.proposals.len(), 1);
    assert_eq!(answers.proposals[0].kind, OutputKind::Report);
}

#[test]
fn output_that_misses_its_gate_is_removed() {
    let gate = "[[step]]\nuse = \"gain\"\nwith = { gain_db = 3.0 }\n[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = -20.0 }\n";
    let (lab, rejected) = rejection(gate, 1.0);
    let line = rejected.unwrap();
    assert!(line.starts_with("export 1 (flac) has true peak"), "{line}");
    assert_eq!(lab.files("out"), ["a.json"]);
}

#[test]
fn silence_has_no_loudness_for_a_gate() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[vec![0.0; 96_000]]));
    let pipeline =
        pipeline(&format!("[[require]]\nintegrated_lufs = {{ min = -60.0 }}\n{OUTPUTS}"));
    let outcome = lab.run(&pipeline, &input).unwrap();
    assert!(outcome.rejected.unwrap().contains("has no integrated loudness"));
}

#[test]
fn target_gates_the_finished_file_by_all_its_limits() {
    let step =
        "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -23.0, ceiling_dbtp = -1.0 }\n";
    let gate = "[[require]]\non = \"output\"\ntarget = \"r128\"\n";
    let (lab, rejected) = rejection(&format!("{step}{gate}"), 2.0);
    assert_eq!(rejected, None);
    let report = std::fs::read_to_string(lab.path("out/a.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let gates = report["gates"].as_array().unwrap();
    let measures: Vec<_> = gates.iter().map(|gate| gate["measure"].as_str().unwrap()).collect();
    assert_eq!(measures, ["integrated_loudness_lufs", "true_peak_dbtp"]);
    assert!(gates.iter().all(|gate| gate["target"] == "r128" && gate["passed"] == true));
    let (_, rejected) = rejection(gate, 2.0);
    let line = rejected.unwrap();
    assert!(
        line.ends_with("is allowed by r128") || line.ends_with("is required by r128"),
        "{line}"
    );
}

#[test]
fn target_of_a_file_beside_the_pipeline_is_found() {
    let lab = Lab::new();
    let house = "version = 1\n[[target]]\nid = \"house\"\nname = \"House\"\nintegrated_lufs = -60\n\
                 tolerance_lu = 1\n[[target]]\nid = \"other\"\nname = \"Other\"\n";
    lab.file("house.toml", house.as_bytes());
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 96_000)]));
    let load = |name: &str| {
        let gate = format!("[[require]]\ntarget = \"{name}\"\n");
        let text = format!("version = 1\n[pipeline]\nname = \"t\"\n{gate}{OUTPUTS}");
        let effects = wavemill_pipelines::Effects::default().in_folder(&lab.path("in"));
        let defaults = wavemill_pipelines::model::Defaults::default();
        wavemill_pipelines::load(&text, &defaults, &effects)
    };
    let pipeline = load("house.toml#house").unwrap().pipeline;
    let line = lab.run(&pipeline, &input).unwrap().rejected.unwrap();
    assert!(line.ends_with("at most -59.00 LUFS is allowed by house"), "{line}");
    let found = load("house.toml").unwrap_err();
    assert!(
        found[0].message.ends_with("has 2 targets; name one, such as house.toml#other"),
        "{found:?}"
    );
}
