//! Key, tuning, chords and tempo of music made by hand.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod degenerate;
mod live;
mod properties;
mod synthesis;

use synthesis::{DOMINANT, HALL, Hall, MAJOR, MINOR, Samples, add_drums};
use wavemill_core::analysis::{Analysis, Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};
use wavemill_core::music::{TonalityReport, write_lab};

const MAJOR_KEYS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const MINOR_KEYS: [&str; 12] =
    ["Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"];

/// A cadence in major and one in minor, three times.
fn cadence(tonic: i32, is_minor: bool) -> Vec<(i32, &'static [i32])> {
    let triad = if is_minor { MINOR } else { MAJOR };
    [(tonic, triad), (tonic + 5, triad), (tonic + 7, DOMINANT), (tonic, triad)].repeat(3)
}

/// Four times four bars of 4/4 with drums, a bar each of I, vi, IV and V, and the tonic at the end.
fn song(bpm: f64, tonic: i32, rate_hz: u32) -> Samples {
    let bars = [(tonic, MAJOR), (tonic + 9, MINOR), (tonic + 5, MAJOR), (tonic + 7, DOMINANT)];
    let mut bars = bars.repeat(4);
    bars.push((tonic, MAJOR));
    let mut samples = Hall { rate_hz, ..HALL }.play(&bars, 240.0 / bpm);
    add_drums(&mut samples, bpm, rate_hz);
    samples
}

fn analysis(planes: &[&[f32]], rate_hz: u32, block_frames: usize, group: MeasureGroup) -> Analysis {
    let spec = StreamSpec::new(rate_hz, planes.len());
    let options = Options { groups: vec![group], ..Options::default() };
    let mut analyzer = Analyzer::new(&spec, PcmFormat::FLOAT, &options);
    let mut block = Block::new(planes.len(), block_frames);
    let count = planes.first().map_or(0, |plane| plane.len());
    for start in (0..count).step_by(block_frames) {
        let end = (start + block_frames).min(count);
        block.set_frame_count(end - start);
        for (channel, plane) in planes.iter().enumerate() {
            block.plane_mut(channel).copy_from_slice(&plane[start..end]);
        }
        analyzer.push(&block).unwrap();
    }
    analyzer.finish()
}

fn report(planes: &[&[f32]], rate_hz: u32, block_frames: usize) -> TonalityReport {
    analysis(planes, rate_hz, block_frames, MeasureGroup::Tonality).tonality.unwrap()
}

#[test]
fn cadences_in_all_keys_have_their_key() {
    let hall = Hall { rate_hz: 11_025, ..HALL };
    for tonic in 0..12u8 {
        for (is_minor, names) in [(false, MAJOR_KEYS), (true, MINOR_KEYS)] {
            let samples = hall.play(&cadence(i32::from(tonic), is_minor), 1.2);
            let found = report(&[&samples], 11_025, 4_096).key;
            assert_eq!(found.as_deref(), Some(names[usize::from(tonic)]));
        }
    }
}

#[test]
fn tuning_is_found_and_does_not_move_the_key() {
    for tuning_hz in [430.0, 435.0, 443.0, 450.0] {
        let samples = Hall { tuning_hz, ..HALL }.play(&cadence(2, false), 1.0);
        let report = report(&[&samples], 44_100, 4_096);
        assert_eq!(report.key.as_deref(), Some("D"), "A4 at {tuning_hz} Hz");
        let found_hz = report.tuning_hz.unwrap();
        assert!((found_hz - tuning_hz).abs() < 1.0, "{found_hz}, not {tuning_hz}");
    }
}

#[test]
fn gain_channels_rate_and_blocks_do_not_change_the_key() {
    let samples = HALL.play(&cadence(9, true), 1.0);
    let whole = report(&[&samples], 44_100, samples.len());
    assert_eq!((whole.key.as_deref(), whole.camelot.as_deref()), (Some("Am"), Some("8A")));
    for block in [1, 7, 64, 4_096] {
        assert_eq!(report(&[&samples], 44_100, block), whole, "blocks of {block}");
    }
    assert_eq!(report(&[&samples, &samples], 44_100, 4_096).key.as_deref(), Some("Am"));
    for gain in [0.03, 0.001] {
        let soft: Samples = samples.iter().map(|sample| sample * gain).collect();
        let soft = report(&[&soft], 44_100, 4_096);
        assert_eq!(soft.key.as_deref(), Some("Am"), "times {gain}");
        let difference = soft.confidence.unwrap() - whole.confidence.unwrap();
        assert!(difference.abs() < 0.01, "times {gain}: {difference}");
    }
    for rate_hz in [22_050, 48_000, 96_000] {
        let samples = Hall { rate_hz, ..HALL }.play(&cadence(9, true), 1.0);
        assert_eq!(report(&[&samples], rate_hz, 4_096).key.as_deref(), Some("Am"), "{rate_hz} Hz");
    }
}

#[test]
fn change_of_key_is_found() {
    let mut chords = cadence(0, false).repeat(2);
    chords.extend(cadence(2, false));
    chords.extend(cadence(2, false));
    let report = report(&[&HALL.play(&chords, 1.2)], 44_100, 4_096);
    assert_eq!(report.changes.len(), 1, "{report:?}");
    assert_eq!(report.changes[0].key, "D");
    assert!((report.changes[0].time_s - 28.8).abs() < 3.0, "{report:?}");
}

#[test]
fn chords_are_found() {
    let samples = HALL.play(&[(0, MAJOR), (9, MINOR), (5, MAJOR), (7, DOMINANT)].repeat(2), 2.0);
    let chords = analysis(&[&samples], 44_100, 4_096, MeasureGroup::Chords).chords.unwrap();
    let labels: Vec<&str> = chords.iter().map(|chord| chord.label.as_str()).collect();
    assert_eq!(labels, ["C:maj", "A:min", "F:maj", "G:7", "C:maj", "A:min", "F:maj", "G:7"]);
    // Notes that fade leave a frame to the next chord as soon as it reaches it: half a frame early.
    for (index, chord) in chords.iter().enumerate() {
        assert!((chord.start_s - 2.0 * index as f64).abs() < 0.19, "{chord:?}");
    }
    assert!(write_lab(&chords).starts_with("0.000\t"));
}
