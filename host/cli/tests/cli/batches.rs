//! `jobs submit`, `batch`, `watch`, `cancel`, `pause` and `run --detach`.

use super::{Lab, code, json, square_wave, stderr, stdout};
use std::fs::File;
use std::io::Write;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"louder\"\n[[step]]\nuse = \"gain\"\n\
                        with = { gain_db = 1.0 }\n[[export]]\nformat = \"flac\"\n\
                        path = \"out/{stem}.{ext}\"\n";

const WATCHED: &str = "version = 1\n[pipeline]\nname = \"other\"\n[[watch]]\npath = \"in\"\n\
                       [[export]]\nformat = \"wav\"\npath = \"other/{stem}.{ext}\"\n";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("louder.toml", PIPELINE);
    lab.write("watch/other.toml", WATCHED);
    File::create(lab.path("one.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab.write("bad.wav", "RIFF no sound");
    lab
}

#[test]
fn batch_that_was_submitted_without_a_daemon_is_done_by_the_next_one() {
    let lab = lab();
    let submit =
        ["jobs", "submit", "one.wav", "bad.wav", "gone.wav", "-p", "louder.toml", "--name", "a b"];
    let output = lab.run(&submit);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("gone.wav cannot be read"), "{}", stderr(&output));
    assert!(stderr(&output).contains("no daemon is running"), "{}", stderr(&output));
    assert!(stdout(&output).contains("2 jobs"), "{}", stdout(&output));
    let output = lab.run(&["jobs", "watch", "a b"]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    assert_eq!(code(&lab.run(&["watch", "watch", "--until-idle"])), 3);
    let batch = json(&lab.run(&["jobs", "batch", "a b", "--json"]));
    assert_eq!(batch["jobs"], serde_json::json!({ "done": 1, "failed": 1 }));
    assert_eq!(batch["is_over"], true);
    assert!(batch["audio_done_s"].as_f64().unwrap() > 0.0, "{batch}");
    assert!(lab.path("out/one.flac").exists());
    let shown = lab.run(&["jobs", "batch", "a b"]);
    assert_eq!(code(&shown), 3);
    assert!(stdout(&shown).contains("bad.wav: "), "{}", stdout(&shown));
    let listed = stdout(&lab.run(&["jobs", "batches"]));
    assert!(listed.contains("1 done, 1 failed"), "{listed}");
    let of_batch = json(&lab.run(&["jobs", "list", "--batch", "a b", "--json"]));
    assert_eq!(of_batch["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn detached_run_can_be_canceled_before_it_begins() {
    let lab = lab();
    assert_eq!(code(&lab.run(&["run", "--detach", "louder.toml", "one.wav"])), 0);
    let again = lab.run(&["run", "--detach", "louder.toml", "one.wav"]);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("which has not ended"), "{}", stderr(&again));
    let output = lab.run(&["jobs", "cancel", "--waiting"]);
    assert!(stdout(&output).contains("canceled"), "{}", stdout(&output));
    assert_eq!(code(&lab.run(&["watch", "watch", "--until-idle"])), 0);
    assert!(!lab.path("out").exists());
    let output = lab.run(&["jobs", "cancel", "--waiting"]);
    assert!(stderr(&output).contains("nothing to cancel"), "{}", stderr(&output));
}

#[test]
fn pause_is_shown_and_kept_until_resume() {
    let lab = lab();
    assert_eq!(code(&lab.run(&["run", "--detach", "louder.toml", "one.wav"])), 0);
    let output = lab.run(&["jobs", "pause", "--pipeline", "louder"]);
    assert_eq!(stderr(&output), "pipeline `louder` is paused\n");
    lab.run(&["watch", "watch", "--until-idle"]);
    assert!(!lab.path("out").exists());
    assert_eq!(stderr(&lab.run(&["jobs", "resume"])), "nothing is paused\n");
    assert_eq!(code(&lab.run(&["watch", "watch", "--until-idle"])), 0);
    assert!(lab.path("out/one.flac").exists());
}

#[test]
fn bad_requests_say_what_would_be_right() {
    let lab = lab();
    for (words, reason) in [
        (&["jobs", "submit", "one.wav", "-p", "nothing"][..], "nothing"),
        (&["jobs", "batch", "nothing"][..], "batch nothing is not known"),
        (&["jobs", "watch"][..], "no batches"),
        (&["jobs", "drain"][..], "no daemon is running"),
    ] {
        let output = lab.run(words);
        assert!(code(&output) != 0 && stderr(&output).contains(reason), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
}
