//! What the meters say in a DAW, read from the saved project.

use crate::ebu::{Case, stereo_cases, surround_cases};
use crate::host::{Running, STEREO, Stream, instance, load, save};
use crate::signals::{LOUDNESS_TOLERANCE_LU, RATE_HZ, SILENCE, tone};
use serde_json::Value;

/// Frames of a block: no divisor of anything that is measured.
const BLOCK_FRAMES: usize = 509;

/// Readings in a state: behind the state's length, as a text in a text.
pub(crate) fn readings(state: &[u8]) -> Value {
    let state: Value = serde_json::from_slice(&state[8..]).unwrap();
    serde_json::from_str(state["fields"]["readings"].as_str().unwrap()).unwrap()
}

fn play(running: &mut Running, planes: &[Vec<f32>]) {
    for start in (0..planes[0].len()).step_by(BLOCK_FRAMES) {
        let end = (start + BLOCK_FRAMES).min(planes[0].len());
        let block: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        running.process(&block, None);
    }
}

fn judge(case: &Case) {
    let channel_count = case.planes.len();
    let mut running = Running::new(Stream { channel_count, ..STEREO });
    play(&mut running, &case.planes);
    // What the filters still hold is published once the stream ends.
    case.judge(&readings(&save(&mut running.stop())));
}

#[test]
fn readings_of_stereo_meet_ebu_3341_and_3342() {
    stereo_cases().iter().for_each(judge);
}

#[test]
fn readings_of_surround_meet_ebu_3341() {
    surround_cases().iter().for_each(judge);
}

/// A tone of changing level whose reading must stand still after a while.
fn stands_still(parts: &[(f64, f64)], key: &str, after_s: f64) {
    let plane = tone(parts);
    let mut running = Running::new(STEREO);
    let tenth = RATE_HZ as usize / 10;
    let mut seen = 0;
    for (index, piece) in plane.chunks(tenth).enumerate() {
        play(&mut running, &[piece.to_vec(), piece.to_vec()]);
        if (index + 1) as f64 / 10.0 >= after_s {
            let readings = readings(&save(&mut running.instance));
            let reading = readings[key].as_f64().unwrap();
            assert!((reading + 23.0).abs() <= LOUDNESS_TOLERANCE_LU, "{reading}");
            seen += 1;
        }
    }
    assert!(seen > 50);
}

#[test]
fn ebu_3341_case_9_short_term_stands_still_after_3_s() {
    stands_still(&[(-20.0, 1.34), (-30.0, 1.66)].repeat(5), "short_term_lufs", 3.0);
}

#[test]
fn ebu_3341_case_12_momentary_stands_still_after_1_s() {
    stands_still(&[(-20.0, 0.18), (-30.0, 0.22)].repeat(25), "momentary_lufs", 1.0);
}

/// Rows 11 and 14: windows of tone that get louder from -38 LUFS, one by one.
fn rising(window_s: f64) -> impl Iterator<Item = (f64, Vec<f32>)> {
    (0..20).map(move |step| {
        let (level, silence_s) = (f64::from(step) - 38.0, f64::from(step) * window_s / 20.0);
        (level, tone(&[(SILENCE, silence_s), (level, window_s), (SILENCE, window_s - silence_s)]))
    })
}

/// Windows of tone whose largest reading must be that of the latest, looked at after each.
fn rises(window_s: f64, key: &str) {
    let mut running = Running::new(STEREO);
    for (level, plane) in rising(window_s) {
        play(&mut running, &[plane.clone(), plane]);
        let reading = readings(&save(&mut running.instance))[key].as_f64().unwrap();
        assert!((reading - level).abs() <= LOUDNESS_TOLERANCE_LU, "{reading}, expected {level}");
    }
}

#[test]
fn ebu_3341_case_11_live_short_term_maxima() {
    rises(3.0, "short_term_max_lufs");
}

#[test]
fn ebu_3341_case_14_live_momentary_maxima() {
    rises(0.4, "momentary_max_lufs");
}

/// A state with the readings of a tone.
fn measured() -> Vec<u8> {
    let mut running = Running::new(STEREO);
    let plane = tone(&[(-23.0, 5.0)]);
    play(&mut running, &[plane.clone(), plane]);
    save(&mut running.instance)
}

#[test]
fn saved_readings_stay_until_something_is_measured() {
    let saved = measured();
    let mut instance = instance();
    assert!(load(&mut instance, &saved));
    assert_eq!(save(&mut instance), saved, "as they were");
    let mut running = Running::with(instance, STEREO);
    play(&mut running, &[vec![0.0; 24_000], vec![0.0; 24_000]]);
    assert_eq!(save(&mut running.instance), saved, "silence is nothing");
    let plane = tone(&[(-30.0, 1.0)]);
    play(&mut running, &[plane.clone(), plane]);
    let now = readings(&save(&mut running.instance));
    // The first windows are half silent.
    assert!((now["integrated_lufs"].as_f64().unwrap() + 30.0).abs() < 1.0, "{now}");
    assert_eq!(now["short_term_lufs"], Value::Null, "nothing of the old session is left");
}

#[test]
fn readings_are_those_of_the_last_frame_once_a_stream_ends() {
    for is_offline in [false, true] {
        let mut running = Running::new(Stream { is_offline, ..STEREO });
        let mut plane = tone(&[(-23.0, 1.0)]);
        plane.extend([0.0; 100]);
        *plane.last_mut().unwrap() = 1.5;
        let measured_s = plane.len() as f64 / f64::from(RATE_HZ);
        play(&mut running, &[plane.clone(), plane]);
        if is_offline {
            let shown = readings(&save(&mut running.instance))["measured_s"].as_f64().unwrap();
            assert!((shown - measured_s).abs() < 1e-6, "{shown} before it is deactivated");
        }
        let mut instance = running.stop();
        let readings = readings(&save(&mut instance));
        assert!((readings["measured_s"].as_f64().unwrap() - measured_s).abs() < 1e-6, "{readings}");
        assert!(readings["true_peak_dbtp"].as_f64().unwrap() > 3.0, "{readings}");
    }
}

#[test]
fn dual_mono_counts_from_the_next_block_also_out_of_a_state() {
    let mono = Stream { channel_count: 1, ..STEREO };
    let integrated = |running: &mut Running| {
        play(running, &[tone(&[(-23.0, 3.0)])]);
        readings(&save(&mut running.instance))["integrated_lufs"].as_f64().unwrap()
    };
    let mut running = Running::new(mono);
    let single = integrated(&mut running);
    running.set("Dual mono", 1.0);
    let dual = integrated(&mut running);
    assert!((dual - single - 3.0103).abs() < 0.01, "{single} and {dual}");
    let saved = save(&mut running.instance);
    let mut other = Running::new(mono);
    assert!((integrated(&mut other) - single).abs() < 0.01);
    assert!(load(&mut other.instance, &saved));
    assert!((integrated(&mut other) - dual).abs() < 0.01);
}

#[test]
fn saved_readings_go_when_the_meters_are_reset() {
    let mut instance = instance();
    assert!(load(&mut instance, &measured()));
    let mut running = Running::with(instance, STEREO);
    running.set("Reset meters", 1.0);
    running.process(&[[0.0; 64]; 2], None);
    assert_eq!(readings(&save(&mut running.instance)), serde_json::json!({}));
}
