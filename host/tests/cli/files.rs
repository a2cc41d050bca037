//! `wavemill files`: the catalog over the life of a few files.

use super::{Lab, code, json, square_wave, stderr, stdout};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;

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
    assert!(stderr(&taken).contains("exists already; nothing is replaced"), "{}", stderr(&taken));
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
    assert!(stderr(&output).contains("no file that was made or adopted"), "{}", stderr(&output));
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
}
