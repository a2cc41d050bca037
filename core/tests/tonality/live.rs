//! The same, of a stream while it runs.

use super::song;
use wavemill_core::analysis::{MeasureGroup, Options, analyze};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};
use wavemill_core::music::{LiveMeter, LiveReport};
use wavemill_core::units::{Decibels, Seconds};

const RATE_HZ: u32 = 22_050;

/// Reports are asked for so often.
const EVERY_FRAMES: usize = 4 * RATE_HZ as usize;

fn spec() -> StreamSpec {
    StreamSpec::new(RATE_HZ, 1)
}

/// Reports of a stream, one every four seconds and one at the end.
fn reports(samples: &[f32], kept: Seconds, block_frames: usize) -> Vec<LiveReport> {
    let mut meter = LiveMeter::new(&spec(), kept);
    let mut block = Block::new(1, block_frames);
    let mut reports = Vec::new();
    for part in samples.chunks(EVERY_FRAMES) {
        for piece in part.chunks(block_frames) {
            block.set_frame_count(piece.len());
            block.plane_mut(0).copy_from_slice(piece);
            meter.push(&block);
        }
        reports.push(meter.report());
    }
    assert_eq!(meter.frame_count().0, samples.len() as u64);
    reports
}

fn last(samples: &[f32], kept: Seconds) -> LiveReport {
    reports(samples, kept, 4_096).pop().unwrap()
}

fn near(one: [Option<Decibels>; 5], other: [Option<Decibels>; 5], tolerance_db: f64) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| (one.unwrap().0 - other.unwrap().0).abs() < tolerance_db)
}

#[test]
fn report_of_all_there_was_is_its_analysis() {
    let samples = song(124.0, 9, RATE_HZ);
    let groups = vec![MeasureGroup::Rhythm, MeasureGroup::Tonality, MeasureGroup::Bands];
    let options = Options { groups, ..Options::default() };
    let expected = analyze(&[&samples], &spec(), PcmFormat::FLOAT, &options).unwrap();
    let found = last(&samples, Seconds(60.0));
    assert_eq!(Some(found.rhythm), expected.rhythm);
    assert_eq!(Some(found.tonality), expected.tonality);
    let shares: Vec<_> = expected.bands.unwrap().iter().map(|band| band.energy_share).collect();
    let levels = std::array::from_fn(|band| Decibels::from_power(shares[band].unwrap()));
    assert!(near(found.bands, levels, 1e-9), "{:?}", found.bands);
}

#[test]
fn reports_follow_the_song_and_do_not_depend_on_the_blocks() {
    let (first, second) = (song(98.0, 0, RATE_HZ), song(131.0, 3, RATE_HZ));
    let alone = last(&second[second.len() - 20 * RATE_HZ as usize..], Seconds(20.0));
    let samples = [first, second].concat();
    let all = reports(&samples, Seconds(20.0), 4_096);
    let bpm = |report: &LiveReport| report.rhythm.tempo_bpm.unwrap();
    let found = all.last().unwrap();
    assert!((bpm(&all[5]) / 98.0 - 1.0).abs() < 0.005, "{}", bpm(&all[5]));
    assert!((bpm(found) / 131.0 - 1.0).abs() < 0.005, "{}", bpm(found));
    assert_eq!(all[5].tonality.key.as_deref(), Some("C"));
    assert_eq!(found.tonality.key.as_deref(), Some("Eb"));
    // Energies are forgotten at the reports before.
    assert!(near(found.bands, alone.bands, 0.5), "{:?} {:?}", found.bands, alone.bands);
    assert_eq!(reports(&samples, Seconds(20.0), 509), all);
}

#[test]
fn silence_and_too_little_have_no_values() {
    for seconds in [0, 1, 12] {
        let report = last(&vec![0.0; (seconds * RATE_HZ as usize).max(1)], Seconds(60.0));
        assert_eq!((report.rhythm.tempo_bpm, report.tonality.key), (None, None));
        assert_eq!(report.bands, [None; 5]);
    }
    let short = last(&song(124.0, 9, RATE_HZ)[..RATE_HZ as usize / 2], Seconds(60.0));
    assert_eq!((short.rhythm.tempo_bpm, short.tonality.key), (None, None));
}
