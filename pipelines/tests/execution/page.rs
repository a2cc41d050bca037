//! The page for people that a run writes.

use crate::lab::{Lab, noise, pipeline, wav};
use wavemill_pipelines::execution::OutputKind;

const PAGE: &str =
    "[report]\njson = \"{stem}.json\"\nhtml = \"{stem}.html\"\ntitle = \"Mill & Sons\"\n";
const FLAC: &str = "[[export]]\nformat = \"flac\"\npath = \"{stem}.{ext}\"\n";
const GAIN: &str = "[[step]]\nuse = \"gain\"\nwith = { gain_db = -6.0 }\n";

fn page(lab: &Lab) -> String {
    std::fs::read_to_string(lab.path("out/a.html")).unwrap()
}

#[test]
fn page_shows_source_and_export() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 96_000), noise(2, 96_000)]));
    let outcome = lab.run(&pipeline(&format!("{GAIN}{FLAC}{PAGE}")), &input).unwrap();
    let kinds: Vec<_> = outcome.outputs.iter().map(|output| output.kind).collect();
    assert_eq!(kinds, [OutputKind::Export, OutputKind::Page, OutputKind::Report]);
    let page = page(&lab);
    for part in ["Mill &amp; Sons", ">Source</p>", ">Export</p>", "a.flac", "Gain"] {
        assert!(page.contains(part), "{part}");
    }
    // Both loudnesses, 6 dB apart.
    let loudness = |report: &serde_json::Value| report["integrated_lufs"].as_f64().unwrap();
    let report = &outcome.report;
    let (before, after) =
        (loudness(&report["loudness"]), loudness(&report["outputs"][0]["loudness"]));
    assert!((before - after - 6.0).abs() < 0.01, "{before} and {after}");
    for lufs in [before, after] {
        let shown = format!("{lufs:.1}").replace('-', "\u{2212}");
        assert!(page.contains(&shown), "{shown}");
    }
}

#[test]
fn file_that_is_rejected_has_a_page_that_says_why() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 48_000)]));
    let gate = "[[require]]\nintegrated_lufs = { max = -60.0 }\n";
    let outcome = lab.run(&pipeline(&format!("{gate}{FLAC}{PAGE}")), &input).unwrap();
    assert!(outcome.rejected.is_some());
    assert_eq!(lab.files("out"), ["a.html", "a.json"]);
    let page = page(&lab);
    assert!(page.contains("class=\"badge bad\""), "{page}");
    assert!(!page.contains(">Export</p>"));
}

#[test]
fn logo_that_is_no_picture_is_refused_before_the_work() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 4800)]));
    let logo = lab.file("logo.png", b"no picture");
    let text = format!("{FLAC}{PAGE}logo = \"{}\"\n", logo.display());
    let error = lab.run(&pipeline(&text), &input).unwrap_err().to_string();
    assert!(error.contains("`[report] logo`") && error.contains("is no PNG"), "{error}");
    assert_eq!(lab.files("out"), [""; 0]);
}
