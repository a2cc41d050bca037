//! Files that are at fault: one line says why, nothing is left behind.

use crate::lab::{Lab, noise, pipeline, wav};
use std::path::Path;
use wavemill_pipelines::execution::RunError;

const BODY: &str = r#"
[[step]]
use = "loudness"
with = { target_lufs = -16.0 }
[[export]]
format = "flac"
path = "{stem}.{ext}"
[[export]]
after = "decode"
format = "wav"
path = "{stem}.{ext}"
"#;

fn failure(lab: &Lab, input: &Path) -> (String, bool) {
    let error = lab.run(&pipeline(BODY), input).unwrap_err();
    let RunError::Input { reason, incomplete } = error else { panic!("{error:?}") };
    assert_eq!(lab.files("out"), [""; 0]);
    assert_eq!(reason.lines().count(), 1);
    (reason, incomplete)
}

#[test]
fn empty_text_and_random_files_are_no_audio() {
    let lab = Lab::new();
    assert_eq!(failure(&lab, &lab.file("a.wav", b"")), ("is empty (0 bytes)".to_owned(), false));
    let (reason, _) = failure(&lab, &lab.file("b.wav", b"just some text, no audio at all\n"));
    assert!(reason.contains("not an audio file"), "{reason}");
    let bytes: Vec<u8> = noise(9, 9000).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    for name in ["c.wav", "c.flac", "c.mp3", "c.ogg", "c.aiff"] {
        failure(&lab, &lab.file(name, &bytes));
    }
}

#[test]
fn what_is_no_file_is_refused_without_being_opened() {
    let lab = Lab::new();
    assert_eq!(failure(&lab, &lab.path("in")).0, "is a folder, not a file");
    assert_eq!(failure(&lab, &lab.path("in/none.wav")).0, "does not exist");
}

#[cfg(unix)]
#[test]
fn symbolic_link_to_itself_is_named() {
    let lab = Lab::new();
    let path = lab.path("in/loop.wav");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_eq!(failure(&lab, &path).0, "is a symbolic link that leads to itself");
}

#[test]
fn truncated_file_is_incomplete_at_every_tenth() {
    let bytes = wav(48_000, 16, &[noise(1, 50_000)]);
    for tenth in 1..10 {
        let lab = Lab::new();
        let input = lab.file("a.wav", &bytes[..bytes.len() * tenth / 10]);
        let (reason, incomplete) = failure(&lab, &input);
        assert!(incomplete && reason.contains("cut short"), "{reason}");
    }
}

#[test]
fn file_without_a_frame_is_refused_and_is_not_incomplete() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[Vec::new()]));
    assert_eq!(failure(&lab, &input), ("holds no audio (0 frames)".to_owned(), false));
}

#[test]
fn nan_and_infinity_name_their_frame() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut planes = [noise(1, 20_000), noise(2, 20_000)];
        planes[1][12_345] = bad;
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 0, &planes));
        let (reason, incomplete) = failure(&lab, &input);
        assert_eq!(reason, "holds a NaN or infinite sample at frame 12345");
        assert!(!incomplete);
    }
}

#[test]
fn nan_in_a_copy_that_nothing_processes_is_found_too() {
    let body = "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let mut plane = noise(1, 9000);
    plane[8999] = f32::NAN;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 0, &[plane]));
    let error = lab.run(&pipeline(body), &input).unwrap_err();
    assert!(error.to_string().contains("frame 8999"), "{error}");
    assert_eq!(lab.files("out"), [""; 0]);
}
