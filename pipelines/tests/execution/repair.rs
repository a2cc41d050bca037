//! Damaged sources: refused, or repaired and reported.

use crate::lab::{Lab, integers, noise, pipeline, wav};
use wavemill_pipelines::execution::RunError;

const EXPORT: &str = "[[export]]\nformat = \"wav\"\nbit_depth = 16\npath = \"{stem}.{ext}\"\n\
                      [report]\njson = \"{stem}.json\"\n";

const REPAIR: &str = "[decode]\ndamaged = \"repair\"\n";

/// A FLAC file with a frame that cannot be read, and the frames of the sound one.
fn holed(lab: &Lab) -> (std::path::PathBuf, usize) {
    let planes = [noise(1, 100_000), noise(2, 100_000)];
    let source = lab.file("whole.wav", &wav(48_000, 16, &planes));
    let flac = "[[export]]\nformat = \"flac\"\npath = \"{stem}.{ext}\"\n";
    lab.run(&pipeline(flac), &source).unwrap();
    let mut bytes = std::fs::read(lab.path("out/whole.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 16].fill(0x55);
    (lab.file("holed.flac", &bytes), planes[0].len())
}

#[test]
fn source_with_a_hole_is_refused_unless_it_is_to_be_repaired() {
    let lab = Lab::new();
    let (input, frames) = holed(&lab);
    let error = lab.run(&pipeline(EXPORT), &input).unwrap_err();
    let RunError::Input { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.contains("missing or unreadable near frame"), "{reason}");
    let outcome = lab.run(&pipeline(&format!("{REPAIR}{EXPORT}")), &input).unwrap();
    let (_, repaired) = integers(&lab.path("out/holed.wav"));
    let (_, whole) = integers(&lab.path("in/whole.wav"));
    assert_eq!((repaired.len(), whole.len()), (2 * frames, 2 * frames));
    let differing = repaired.iter().zip(&whole).filter(|(a, b)| a != b).count();
    assert!(differing > 0 && differing <= 2 * 4608, "{differing} samples differ");
    let repairs = outcome.report["input"]["repairs"].as_array().unwrap();
    assert_eq!(repairs[0]["kind"], "missing");
    assert_eq!(repairs[0]["count"], 1);
    let lines = outcome.notes;
    assert!(
        lines[0].starts_with("repaired: audio is missing in one place and was replaced by silence"),
        "{lines:?}"
    );
}

#[test]
fn source_cut_short_is_processed_by_several_passes_and_reported_once() {
    let lab = Lab::new();
    let bytes = wav(48_000, 16, &[noise(3, 96_000)]);
    let input = lab.file("cut.wav", &bytes[..bytes.len() / 2]);
    let body = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -20.0 }\n";
    assert!(lab.run(&pipeline(&format!("{body}{EXPORT}")), &input).is_err());
    let outcome = lab.run(&pipeline(&format!("{REPAIR}{body}{EXPORT}")), &input).unwrap();
    let (_, repaired) = integers(&lab.path("out/cut.wav"));
    // The header has 44 bytes.
    assert_eq!(repaired.len(), (bytes.len() / 2 - 44) / 2);
    let lines = outcome.notes;
    assert_eq!(lines.iter().filter(|line| line.starts_with("repaired:")).count(), 1, "{lines:?}");
    assert!(lines[0].contains("its header states 96000 frames"), "{lines:?}");
}

#[test]
fn sound_source_comes_out_the_same_either_way() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 16, &[noise(4, 50_000)]));
    lab.run(&pipeline(EXPORT), &input).unwrap();
    let refused = std::fs::read(lab.path("out/a.wav")).unwrap();
    let outcome = lab.run(&pipeline(&format!("{REPAIR}{EXPORT}")), &input).unwrap();
    assert_eq!(std::fs::read(lab.path("out/a.wav")).unwrap(), refused);
    assert!(outcome.report["input"].get("repairs").is_none());
    assert_eq!(outcome.notes, [""; 0]);
}
