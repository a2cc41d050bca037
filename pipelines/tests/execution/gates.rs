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
