//! The log as a DAW's session leaves it.

use crate::captures::{files, state_of};
use crate::host::{Running, STEREO, Stream, instance, load, transport};
use crate::signals::{LOUDNESS_TOLERANCE_LU, tone};

/// EBU Tech 3341, case 1, at an hour of the song.
#[test]
fn each_second_of_a_bounce_is_a_line_with_its_place_in_the_song() {
    let folder = tempfile::tempdir().unwrap();
    let choices = serde_json::json!({ "capture_folder": folder.path(), "logs": true });
    let mut instance = instance();
    assert!(load(&mut instance, &state_of(&choices)));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    for (index, piece) in tone(&[(-23.0, 10.0)]).chunks(480).enumerate() {
        let at_s = 3600.0 + index as f64 * 0.01;
        running.process(&[piece, piece], Some(&transport(true, at_s)));
    }
    drop(running.stop());
    let paths = files(folder.path());
    let [path] = &paths[..] else { panic!("{paths:?}") };
    assert!(path.to_string_lossy().ends_with(" loudness.csv"), "{path:?}");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let keys = [
        "position",
        "written",
        "momentary_max_lufs",
        "short_term_max_lufs",
        "true_peak_dbtp",
        "integrated_lufs",
        "loudness_range_lu",
    ];
    assert_eq!(rows[0], keys);
    let places: Vec<_> = rows[1..].iter().map(|row| row[0]).collect();
    let expected: Vec<_> = (1..=10).map(|second| format!("01:00:{second:02}.000")).collect();
    assert_eq!(places, expected);
    for column in [2, 3, 4, 5] {
        let value: f64 = rows[10][column].parse().unwrap();
        assert!((value + 23.0).abs() <= LOUDNESS_TOLERANCE_LU, "{}: {value}", keys[column]);
    }
    assert_eq!(rows[1][3], "", "there are no 3 s yet");
}
