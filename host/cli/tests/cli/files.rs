//! `wavemill files`: the catalog over the life of a few files.

use super::{Lab, code, json, square_wave, stderr, stdout};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"p\"\n[[watch]]\npath = \"in\"\n\
                        ready = { stable_for = \"20ms\" }\n[[export]]\nformat = \"flac\"\n\
                        path = \"out/{date:%Y/%m/%d}/{job_id}.{ext}\"\n[[export]]\nformat = \"wav\"\n\
                        path = \"out/wav/{stem}.{ext}\"\n[tags]\nartist = \"Ada\"\n";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("p/p.toml", PIPELINE);
    fs::create_dir(lab.path("in")).unwrap();
    File::create(lab.path("in/one.wav")).unwrap().write_all(&square_wave()).unwrap();
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    lab
}

fn files(lab: &Lab, words: &[&str]) -> Vec<Value> {
    let words: Vec<_> = ["files", "list", "--json"].iter().chain(words).copied().collect();
    json(&lab.run(&words))["files"].as_array().unwrap().clone()
}

#[test]
fn what_was_made_is_listed_by_date_type_pipeline_and_loudness() {
    let lab = lab();
    assert_eq!(files(&lab, &[]).len(), 2);
    let flac = &files(&lab, &["--ext", "FLAC"])[0];
    let path = std::path::Path::new(flac["path"].as_str().unwrap());
    assert_eq!(path.extension().unwrap(), "flac");
    assert_eq!((flac["state"].as_str(), flac["pipeline"].as_str()), (Some("present"), Some("p")));
    assert!(flac["duration_s"].as_f64().unwrap() > 0.0, "{flac}");
    assert_eq!(files(&lab, &["--pipeline", "other"]).len(), 0);
    assert_eq!(files(&lab, &["--tag", "artist=ada"]).len(), 2);
    assert_eq!(files(&lab, &["--tag", "artist=Bob"]).len(), 0);
    assert_eq!(files(&lab, &["--since", "1h"]).len(), 2);
    assert_eq!(files(&lab, &["--until", "1h"]).len(), 0);
    assert_eq!(files(&lab, &["--limit", "1", "--sort", "size"]).len(), 1);
    let loud = files(&lab, &["--min-lufs", "-70"]).len();
    assert_eq!(loud + files(&lab, &["--max-lufs", "-70"]).len(), loud);
    let job = flac["job"].as_str().unwrap();
    assert_eq!(code(&lab.run(&["files", "exists", job])), 0);
    assert_eq!(code(&lab.run(&["files", "exists", job, "--date", "2001-01-01"])), 1);
    assert!(stdout(&lab.run(&["files", "show", job])).contains("blake3"));
    let stats = json(&lab.run(&["files", "stats", "--json"]));
    assert_eq!((&stats["count"], &stats["by_extension"]["wav"]["count"]), (&2.into(), &1.into()));
    assert_eq!(code(&lab.run(&["files", "list", "--since", "soon"])), 2);
}

#[test]
fn moving_copying_and_deleting_keep_catalog_and_disk_in_step() {
    let lab = lab();
    lab.write("out/taken.wav", "foreign");
    let taken = lab.run(&["files", "move", "out/wav/one.wav", "out/taken.wav"]);
    assert_eq!(code(&taken), 1);
    assert!(stderr(&taken).contains("already exists; nothing was replaced"), "{}", stderr(&taken));
    assert_eq!(code(&lab.run(&["files", "move", "out/wav/one.wav", "kept/1.wav"])), 0);
    assert!(lab.path("kept/1.wav").exists() && !lab.path("out/wav/one.wav").exists());
    assert_eq!(code(&lab.run(&["files", "copy", "kept/1.wav", "kept/2.wav"])), 0);
    let bytes = |name: &str| fs::read(lab.path(name)).unwrap();
    assert_eq!(bytes("kept/1.wav"), bytes("kept/2.wav"));
    let listed = files(&lab, &["--ext", "wav"]);
    assert!(listed.iter().all(|file| file["state"] == "present"), "{listed:?}");
    assert_eq!(listed.len(), 2);
    // What was changed since stays, and so does what is not ours.
    lab.write("kept/2.wav", "edited");
    let output = lab.run(&["files", "delete", "kept/1.wav", "kept/2.wav", "out/taken.wav"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("it changed"), "{}", stderr(&output));
    assert!(stderr(&output).contains("was neither made nor adopted"), "{}", stderr(&output));
    assert!(!lab.path("kept/1.wav").exists() && lab.path("kept/2.wav").exists());
    assert_eq!(files(&lab, &["--ext", "wav"])[0]["state"], "changed");
}

#[test]
fn cleaning_shows_first_and_removes_what_became_empty() {
    let lab = lab();
    let soon = "2999-01-01";
    let shown = lab.run(&["files", "clean", "--older-than", soon]);
    assert!(stderr(&shown).contains("2 files") && stderr(&shown).contains("--delete"));
    assert_eq!(files(&lab, &[]).len(), 2);
    let gone = lab.run(&["files", "clean", "--older-than", soon, "--delete"]);
    assert_eq!(code(&gone), 0, "{}", stderr(&gone));
    assert!(stderr(&gone).contains("2 files and "), "{}", stderr(&gone));
    assert!(files(&lab, &[]).is_empty());
    assert!(!lab.path("out").exists(), "its folders were empty");
    assert!(lab.path("in/one.wav").exists(), "sources are not ours");
}

#[test]
fn cleaning_shows_what_stays_and_what_is_gone_before_it_deletes() {
    let lab = lab();
    let made = files(&lab, &[]);
    let path = |index: usize| PathBuf::from(made[index]["path"].as_str().unwrap());
    let mut edited = fs::OpenOptions::new().append(true).open(path(0)).unwrap();
    edited.write_all(b"edited").unwrap();
    fs::remove_file(path(1)).unwrap();
    let shown = stderr(&lab.run(&["files", "clean", "--older-than", "2999-01-01"]));
    for part in ["0 files, 0 B;", "1 changed since and kept", "1 missing"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let gone = lab.run(&["files", "clean", "--older-than", "2999-01-01", "--delete"]);
    assert_eq!(code(&gone), 3, "{}", stderr(&gone));
    assert!(path(0).exists());
}

#[test]
fn adopted_tree_is_known_by_job_and_left_as_it_is() {
    let lab = Lab::new();
    let name = "2024/03/05/1m2k8r0vd4qxa.wav";
    let path = lab.write(name, "");
    File::create(&path).unwrap().write_all(&square_wave()).unwrap();
    lab.write("2024/03/05/notes.txt", "no audio");
    lab.write("2024/.hidden/x.wav", "hidden");
    let output = lab.run(&["files", "adopt", "2024"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, "1 new file adopted, of 1\n"));
    assert!(stderr(&lab.run(&["files", "adopt", "2024"])).starts_with("0 new files"));
    assert_eq!(code(&lab.run(&["files", "exists", "1m2k8r0vd4qxa"])), 0);
    let listed = files(&lab, &[]);
    assert_eq!((listed.len(), &listed[0]["pipeline"]), (1, &Value::Null));
    fs::remove_file(path).unwrap();
    assert_eq!(files(&lab, &[])[0]["state"], "missing");
    assert_eq!(code(&lab.run(&["files", "exists", "1m2k8r0vd4qxa"])), 1);
    // A job that is none of ours.
    let path = lab.write("2024/03/06/job77.wav", "");
    File::create(&path).unwrap().write_all(&square_wave()).unwrap();
    assert_eq!(code(&lab.run(&["files", "adopt", "2024"])), 0);
    let shown = lab.run(&["files", "show", "job77"]);
    assert!(stdout(&shown).contains("2024/03/06/job77.wav"), "{}", stderr(&shown));
}

/// Ten seconds of the first test signal of EBU Tech 3341: 1 kHz in two channels, with peaks at `level_dbfs` in each, which
/// a meter must read as so many LUFS, give or take 0.1. With the name of an artist.
fn stereo_tone(level_dbfs: f64, artist: &str) -> Vec<u8> {
    const RATE_HZ: u32 = 48_000;
    let peak = 32_768.0 * 10_f64.powf(level_dbfs / 20.0);
    #[expect(clippy::cast_possible_truncation, reason = "levels here are below full scale")]
    let sample = |frame: u32| {
        let phase = std::f64::consts::TAU * 1000.0 * f64::from(frame) / f64::from(RATE_HZ);
        ((peak * phase.sin()).round() as i16).to_le_bytes()
    };
    let samples: Vec<u8> =
        (0..10 * RATE_HZ).flat_map(|frame| [sample(frame); 2]).flatten().collect();
    let chunk = |id: &[u8; 4], body: &[u8]| {
        let size = u32::try_from(body.len()).unwrap();
        let pad = vec![0; body.len() % 2];
        [&id[..], &size.to_le_bytes(), body, &pad].concat()
    };
    let mut format = vec![1, 0, 2, 0];
    format.extend(RATE_HZ.to_le_bytes());
    format.extend((RATE_HZ * 4).to_le_bytes());
    format.extend([4, 0, 16, 0]);
    let list = [&b"INFO"[..], &chunk(b"IART", format!("{artist}\0").as_bytes())].concat();
    let chunks =
        [chunk(b"fmt ", &format), chunk(b"LIST", &list), chunk(b"data", &samples)].concat();
    chunk(b"RIFF", &[&b"WAVE"[..], &chunks].concat())
}

/// A folder of two tones by different artists.
fn old_tones(lab: &Lab) {
    for (name, level_dbfs, artist) in [("a", -23.0, "Ada"), ("b", -33.0, "Bob")] {
        let path = lab.write(&format!("old/{name}/{name}.wav"), "");
        File::create(path).unwrap().write_all(&stereo_tone(level_dbfs, artist)).unwrap();
    }
}

fn names(lab: &Lab, words: &[&str]) -> Vec<String> {
    let name = |file: &Value| file["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    files(lab, words).iter().map(name).collect()
}

#[test]
fn adopted_files_are_found_by_their_tags_and_once_measured_by_their_loudness() {
    let lab = Lab::new();
    old_tones(&lab);
    assert_eq!(stderr(&lab.run(&["files", "adopt", "old"])), "2 new files adopted, of 2\n");
    assert_eq!(names(&lab, &["--tag", "artist=ada"]), ["a.wav"]);
    assert!(names(&lab, &["--min-lufs", "-70"]).is_empty(), "measured without being asked");
    let measured = lab.run(&["files", "adopt", "old", "--measure"]);
    assert_eq!(
        (code(&measured), stderr(&measured).as_str()),
        (0, "0 new files adopted, of 2; 2 completed\n")
    );
    assert_eq!(names(&lab, &["--min-lufs", "-23.1", "--max-lufs", "-22.9"]), ["a.wav"]);
    assert_eq!(names(&lab, &["--min-lufs", "-33.1", "--max-lufs", "-32.9"]), ["b.wav"]);
    assert_eq!(names(&lab, &["--tag", "artist=Bob", "--max-lufs", "-30"]), ["b.wav"]);
    let listed = files(&lab, &["--tag", "artist=Ada"]);
    assert_eq!(listed[0]["duration_s"], 10.0);
    // Nothing is left to do.
    let again = lab.run(&["files", "adopt", "old", "--measure", "--json"]);
    let answer = json(&again);
    assert_eq!((&answer["adopted"], &answer["completed"]), (&0.into(), &0.into()), "{answer}");
}

#[test]
fn file_that_cannot_be_measured_is_adopted_all_the_same_and_named() {
    let lab = Lab::new();
    old_tones(&lab);
    lab.write("old/broken.wav", "no audio at all");
    let output = lab.run(&["files", "adopt", "old", "--measure"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("old/broken.wav"), "{}", stderr(&output));
    assert!(stderr(&output).contains("3 new files adopted, of 3"), "{}", stderr(&output));
    assert_eq!(files(&lab, &[]).len(), 3);
    assert_eq!(names(&lab, &["--min-lufs", "-70"]).len(), 2);
}

#[test]
fn file_that_changed_since_it_was_adopted_keeps_what_was_known_of_it() {
    let lab = Lab::new();
    old_tones(&lab);
    assert_eq!(code(&lab.run(&["files", "adopt", "old"])), 0);
    File::create(lab.path("old/a/a.wav")).unwrap().write_all(&stereo_tone(-10.0, "Eve")).unwrap();
    assert_eq!(code(&lab.run(&["files", "adopt", "old", "--measure"])), 0);
    assert!(names(&lab, &["--tag", "artist=Eve"]).is_empty());
    assert_eq!(names(&lab, &["--min-lufs", "-70"]), ["b.wav"]);
    assert_eq!(files(&lab, &["--tag", "artist=Ada"])[0]["state"], "changed");
}

#[test]
fn daemon_that_runs_is_notified_of_what_was_found_in_adopted_files() {
    let lab = Lab::new();
    old_tones(&lab);
    lab.write("p/p.toml", PIPELINE);
    let mut daemon = lab.command(&["watch", "p"]).stderr(Stdio::null()).spawn().unwrap();
    let pid = || json(&lab.run(&["status", "--json"]))["daemon"]["pid"].as_u64();
    while !lab.run(&["status", "--json"]).status.success() || pid() != Some(daemon.id().into()) {
        assert_eq!(daemon.try_wait().unwrap(), None, "it runs until it is stopped");
    }
    let adopted = lab.run(&["files", "adopt", "old", "--measure"]);
    assert_eq!(stderr(&adopted), "2 new files adopted, of 2\n");
    assert_eq!(names(&lab, &["--tag", "artist=Bob"]), ["b.wav"]);
    assert_eq!(names(&lab, &["--min-lufs", "-23.1", "--max-lufs", "-22.9"]), ["a.wav"]);
    assert_eq!(code(&lab.run(&["jobs", "drain"])), 0);
    daemon.wait().unwrap();
}
