//! Watched folders whose files get one gain.

use serde_json::Value;
use std::cell::Cell;
use std::path::PathBuf;
use wavemill_tests::lab::{Ended, Lab, put};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "album"

[[watch]]
path = "in"
ready = { stable_for = "50ms" }

[[step]]
use = "loudness"
with = { target_lufs = -23.0, group = "folder" }

[[export]]
format = "wav"
path = "out/{reldir}/{stem}.{ext}"

[report]
json = "out/{reldir}/{stem}.json"
"#;

struct Album {
    lab: Lab,
    pipeline: PathBuf,
}

impl Album {
    fn new(more: &str) -> Self {
        let lab = Lab::new();
        let pipeline = lab.pipeline("album", &format!("{PIPELINE}{more}"));
        Self { lab, pipeline }
    }

    /// Five seconds of noise of this amplitude.
    fn drop_piece(&self, name: &str, amplitude: f64) {
        let piece = signal::pink(48_000, 1, 5 * 48_000, amplitude, 1);
        let path = self.lab.path(&format!("in/{name}.wav"));
        std::fs::create_dir_all(path.parent().expect("it is below in")).expect("a folder");
        wav::write(&path, &piece, Stored::Int(24));
    }

    fn watch(&self) -> Ended {
        self.lab.until_idle(&[&self.pipeline])
    }

    fn report(&self, name: &str) -> Value {
        let path = self.lab.path(&format!("out/{name}.json"));
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).expect("a report is JSON")
    }

    /// Gain and count of files of the group.
    fn gain(&self, name: &str) -> (f64, u64) {
        let findings = self.report(name)["steps"][0]["findings"].clone();
        let number = |key: &str| {
            findings[key].as_f64().unwrap_or_else(|| panic!("{key} of {name}: {findings}"))
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let files = number("group_files") as u64;
        (number("gain_db"), files)
    }
}

fn assert_same(gains: &[(f64, u64)]) {
    let (gain, files) = gains[0];
    let is_same = |other: &(f64, u64)| (other.0 - gain).abs() < 1e-12 && other.1 == files;
    assert!(gains.iter().all(is_same), "{gains:?}");
}

#[test]
fn files_of_a_watched_folder_get_one_gain_and_each_folder_its_own() {
    let album = Album::new("");
    for (name, amplitude) in [("1", 0.5), ("2", 0.1), ("3", 0.02), ("other/4", 0.05)] {
        album.drop_piece(name, amplitude);
    }
    assert_eq!(album.watch().code, Some(0));
    let gains = ["1", "2", "3"].map(|name| album.gain(name));
    assert_same(&gains);
    assert_eq!(gains[0].1, 3);
    let other = album.gain("other/4");
    assert_eq!(other.1, 1);
    assert!(other.0 - gains[0].0 > 6.0, "{other:?} {gains:?}");
}

#[test]
fn late_file_takes_the_gain_of_the_folder_as_it_is_then_and_redoes_nothing() {
    let album = Album::new("");
    album.drop_piece("1", 0.5);
    album.drop_piece("2", 0.1);
    assert_eq!(album.watch().code, Some(0));
    let before = [album.gain("1"), album.gain("2")];
    let report = album.report("1");
    album.drop_piece("3", 0.9);
    let ended = album.watch();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout.matches("\"job-done\"").count(), 1, "{ended:?}");
    assert_eq!([album.gain("1"), album.gain("2")], before);
    assert_eq!(album.report("1"), report);
    let late = album.gain("3");
    assert_eq!(late.1, 3);
    assert!(late.0 < before[0].0 - 1.0, "{late:?} {before:?}");
}

#[test]
fn sources_that_move_away_leave_the_gain_of_the_others_as_it_was() {
    let album = Album::new("[source]\non_success = \"move:done\"\n");
    for (name, amplitude) in [("1", 0.5), ("2", 0.1), ("3", 0.02)] {
        album.drop_piece(name, amplitude);
    }
    assert_eq!(album.watch().code, Some(0));
    let gains = ["1", "2", "3"].map(|name| album.gain(name));
    assert_same(&gains);
    assert_eq!(gains[0].1, 3);
    assert!(album.lab.files("in").is_empty());
    // Those that moved away are no longer of the folder.
    album.drop_piece("4", 0.02);
    assert_eq!(album.watch().code, Some(0));
    assert_eq!(album.gain("4").1, 1);
}

#[test]
fn broken_file_is_left_out_and_named_in_the_reports_of_the_others() {
    let album = Album::new("");
    album.drop_piece("1", 0.5);
    album.drop_piece("2", 0.1);
    put(&album.lab.path("in/broken.wav"), b"RIFF\x04\0\0\0WAVE");
    let ended = album.watch();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let gains = [album.gain("1"), album.gain("2")];
    assert_same(&gains);
    assert_eq!(gains[0].1, 2);
    let warnings = album.report("2")["warnings"].to_string();
    assert!(warnings.contains("left out of the group: broken.wav: "), "{warnings}");
}

#[test]
fn daemon_that_dies_at_any_time_gives_all_files_the_same_gain() {
    for kill_after in [1, 2, 3] {
        let album = Album::new("[source]\non_success = \"move:done\"\n");
        let names = ["1", "2", "3", "4", "5"];
        for (index, name) in names.iter().enumerate() {
            album.drop_piece(name, 0.5 / f64::from(1 << index));
        }
        let mut daemon = album.lab.watch(&[&album.pipeline]);
        let seen = Cell::new(0);
        // Jobs begin, then the first of them ends: the group was measured in between.
        daemon.wait_for("an event of a job", |event| {
            let name = event["event"].as_str().unwrap_or_default();
            seen.set(seen.get() + u32::from(name == "job-started" || name == "job-done"));
            seen.get() >= kill_after
        });
        daemon.kill_with_workers();
        assert_eq!(album.watch().code, Some(0));
        let gains: Vec<_> = names.iter().map(|name| album.gain(name)).collect();
        assert_same(&gains);
        assert_eq!(gains[0].1, 5);
        assert_eq!(album.lab.files("out").len(), 10, "{:?}", album.lab.files("out"));
    }
}
