//! Lossy sources, made by independent encoders where those are installed.

use crate::lab::{Lab, floats, noise, pipeline, wav};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const BODY: &str = r#"
[[step]]
use = "fade"
with = { out_s = 0.5 }
[[step]]
use = "loudness"
with = { target_lufs = -20.0 }
[[export]]
format = "wav"
bit_depth = "FLOAT"
path = "{artist} - {title}.wav"
[[export]]
after = "decode"
format = "flac"
path = "{stem}.flac"
[report]
json = "{stem}.json"
"#;

/// Two seconds of stereo, encoded by `program`; `None` where it is not installed.
fn encoded(lab: &Lab, program: &str, arguments: &[&str], name: &str) -> Option<PathBuf> {
    let planes = [noise(1, 88_200), noise(2, 88_200)];
    let source = lab.file("source.wav", &wav(44_100, 16, &planes));
    let target = lab.path("in").join(name);
    let arguments = arguments.iter().map(|argument| match *argument {
        "IN" => source.clone().into_os_string(),
        "OUT" => target.clone().into_os_string(),
        other => other.into(),
    });
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if let Ok(status) = status {
        assert!(status.success(), "{program} failed");
        return Some(target);
    }
    eprintln!("skipped: {program} is not installed");
    None
}

fn check(lab: &Lab, input: &std::path::Path) {
    let outcome = lab.run(&pipeline(BODY), input).unwrap();
    let (spec, samples) = floats(&lab.path("out/Ann - Night.wav"));
    assert_eq!((spec.sample_rate, samples.len()), (44_100, 2 * 88_200));
    assert!(samples[samples.len() - 2].abs() < 1e-3, "it was faded to its real end");
    let outputs = &outcome.report["outputs"];
    assert_eq!(outputs[1]["bit_depth"], 24);
    assert_eq!(outputs[1]["frames"], 88_200);
    let loudness = outputs[0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((loudness + 20.0).abs() < 0.05, "{loudness}");
    assert!(outcome.report["input"]["bit_depth"].is_null());
    assert_eq!(lab.files("spool"), [""; 0]);
}

#[test]
fn mp3_is_processed_to_the_sample() {
    let lab = Lab::new();
    let arguments = ["--quiet", "--ta", "Ann", "--tt", "Night", "IN", "OUT"];
    if let Some(input) = encoded(&lab, "lame", &arguments, "a.mp3") {
        check(&lab, &input);
    }
}

#[test]
fn ogg_vorbis_is_processed_to_the_sample() {
    let lab = Lab::new();
    let arguments = ["-Q", "-a", "Ann", "-t", "Night", "-o", "OUT", "IN"];
    if let Some(input) = encoded(&lab, "oggenc", &arguments, "a.ogg") {
        check(&lab, &input);
    }
}

/// Without a Xing frame only decoding shows the length, which a fade must know before.
#[test]
fn mp3_without_length_is_scanned_first() {
    let lab = Lab::new();
    let arguments = ["--quiet", "-t", "IN", "OUT"];
    let Some(input) = encoded(&lab, "lame", &arguments, "a.mp3") else { return };
    let body = "[[step]]\nuse = \"fade\"\nwith = { out_s = 0.5 }\n[[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"a.wav\"\n";
    lab.run(&pipeline(body), &input).unwrap();
    let (_, samples) = floats(&lab.path("out/a.wav"));
    assert!(samples.len() >= 2 * 88_200);
    assert!(samples[samples.len() - 2].abs() < 1e-3);
}
