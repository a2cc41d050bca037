//! `wavemill references`: tracks that others are compared with.

use super::*;
use serde_json::Value;

/// Six seconds of a beat on a chord, stereo, 16-bit; another piece for each number.
fn track(lab: &Lab, name: &str, piece: u32) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(lab.path(name), spec).unwrap();
    let (beat_s, root_hz) = (0.35 + 0.11 * f64::from(piece), 110.0 + 31.0 * f64::from(piece));
    let bright = f64::from(piece % 3) + 0.7;
    let mut state = piece + 1;
    for frame in 0..6 * 44_100 {
        let time_s = f64::from(frame) / 44_100.0;
        let fade = (-8.0 * (time_s % beat_s)).exp();
        let wave = |n: f64| (std::f64::consts::TAU * root_hz * n * time_s).sin() / n.powf(bright);
        let note: f64 = [1.0, 2.0, 2.5, 3.0, 4.0, 7.0].map(wave).iter().sum();
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state >> 16) / 65_536.0 - 0.5;
        for side in [1.0, 0.6] {
            let sample = 6000.0 * (0.4 + fade) * note * side + 2000.0 * fade * noise;
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
            writer.write_sample(sample as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn track_and_its_mp3_find_it_first() {
    let lab = Lab::new();
    for piece in 0..4 {
        let name = format!("{piece}.wav");
        track(&lab, &name, piece);
        let genre = if piece < 2 { "Deep House" } else { "ambient" };
        let line = ["references", "add", &name, "--genre", genre, "--year", "2001"];
        assert!(lab.run(&line).status.success());
    }
    let found = json(&lab.run(&["references", "similar", "2.wav", "--top", "2", "--json"]));
    assert_eq!(found["similar"][0]["reference"]["name"], "2");
    assert!(found["similar"][0]["score"].as_f64().unwrap() > 0.9999);
    assert_eq!((found["similar"].as_array().unwrap().len(), &found["searched"]), (2, &4.into()));
    let parts = found["similar"][1]["groups"].as_array().unwrap().iter();
    let sum: f64 = parts.map(|part| part["part"].as_f64().unwrap()).sum();
    assert!((sum - found["similar"][1]["score"].as_f64().unwrap()).abs() < 1e-5);

    let genre = ["references", "similar", "2.wav", "--genre", "deep-house", "--json"];
    let found = json(&lab.run(&genre));
    let names = found["similar"].as_array().unwrap().iter();
    assert!(
        names.clone().count() == 2
            && names.clone().all(|one| one["reference"]["genre"] == "Deep House")
    );

    let export = ["export", "2.wav", "2.mp3", "--bit-rate", "192"];
    let made = lab.run(&export);
    if String::from_utf8_lossy(&made.stderr).contains("built without") {
        return;
    }
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let found = json(&lab.run(&["references", "similar", "2.mp3", "--json"]));
    assert_eq!(found["similar"][0]["reference"]["name"], "2");

    let explained = lab.run(&["references", "similar", "2.mp3", "--top", "1", "--explain"]);
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(text.contains("of 128 features shared: ") && text.contains("PART"), "{text}");
}

#[test]
fn references_are_listed_shown_used_and_removed() {
    let lab = Lab::new();
    track(&lab, "a.wav", 1);
    track(&lab, "b.wav", 2);
    let add =
        ["references", "add", "a.wav", "--name", "My hit", "--artist", "Ada", "--year", "1999"];
    assert!(lab.run(&add).status.success());
    assert!(lab.run(&add).status.success(), "the same file again");
    let taken = error(&lab.run(&["references", "add", "b.wav", "--name", "My hit"]));
    assert!(taken.contains("another file's reference; choose another with --name"), "{taken}");
    assert!(lab.run(&["references", "add", "b.wav"]).status.success());
    for (filter, count) in [("--artist", 1), ("--name", 0)] {
        let list = json(&lab.run(&["references", "list", filter, "ada", "--json"]));
        assert_eq!(list["references"].as_array().unwrap().len(), count, "{filter}");
    }
    let list = json(&lab.run(&["references", "list", "--year", "1999", "--json"]));
    assert_eq!(list["references"][0]["name"], "My hit");
    let shown = json(&lab.run(&["references", "show", "My hit", "--json"]));
    assert_eq!(shown["features"].as_object().unwrap().len(), 128);
    assert!(shown["measures"]["loudness"]["integrated_lufs"].is_number());
    let advice = ["analyze", "b.wav", "--recommend", "--reference", "My hit", "--json"];
    assert_eq!(json(&lab.run(&advice))["files"][0]["profile"], "reference");
    let gone = json(&lab.run(&["references", "remove", "My hit", "--json"]));
    assert_eq!(gone["references"][0]["artist"], "Ada");
    let unknown = error(&lab.run(&["references", "show", "My hit"]));
    assert!(unknown.contains("no reference is called `My hit`"), "{unknown}");
    let unknown = error(&lab.run(&advice[..5]));
    assert!(unknown.contains("--reference My hit: no such file, and no reference"), "{unknown}");
}

#[test]
fn what_cannot_be_compared_is_said_in_a_line() {
    let lab = Lab::new();
    track(&lab, "a.wav", 1);
    let none = error(&lab.run(&["references", "similar", "a.wav"]));
    assert!(none.contains("no references to compare with"), "{none}");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(lab.path("silence.wav"), spec).unwrap();
    (0..44_100).for_each(|_| writer.write_sample(0i16).unwrap());
    writer.finalize().unwrap();
    let silent = error(&lab.run(&["references", "add", "silence.wav"]));
    assert!(
        silent.contains("silence.wav: cannot be compared: it is silent or too short"),
        "{silent}"
    );
    let unknown = error(&lab.run(&["references", "remove", "nothing"]));
    assert!(unknown.contains("no reference is called `nothing`"), "{unknown}");
}

#[test]
fn profile_of_own_tracks_advises() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("own")).unwrap();
    for piece in 0..2 {
        track(&lab, &format!("own/{piece}.wav"), piece);
    }
    let make = ["references", "profile", "own", "--genre", "My House", "--output", "own.toml"];
    let few = error(&lab.run(&make));
    assert!(few.contains("2 tracks that can be measured; a profile needs at least 3"), "{few}");
    track(&lab, "own/2.wav", 2);
    assert!(lab.run(&make).status.success());
    track(&lab, "x.wav", 3);
    let advice = ["analyze", "x.wav", "--recommend", "--genre", "own.toml", "--json"];
    assert_eq!(json(&lab.run(&advice))["files"][0]["profile"], "my-house-own");
}
