//! Programs that are played in pieces, against the analysis of the whole.

use super::*;
use crate::meters::{Meters, engine::Shared};
use std::sync::Arc;
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::loudness::{LoudnessReport, MonoMode};

/// A reading is of 32 bits, and the filters of a piece begin from rest.
const TOLERANCE_LU: f64 = 0.002;

/// What a grid of 100 ms may miss of a maximum. See [`LoudnessReport::short_term_max_lufs`].
const GRID_LU: f64 = 0.07;

/// Noise whose level wanders, in both channels.
fn noise(frame_count: usize, seed: u32) -> Vec<Vec<f32>> {
    let mut state = seed;
    let plane = (0..frame_count).map(|frame| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5;
        let level = 0.02 + 0.6 * (frame % 200_000) as f64 / 200_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let sample = (level * noise) as f32;
        sample
    });
    let plane: Vec<f32> = plane.collect();
    vec![plane.clone(), plane]
}

fn analyzed(planes: &[Vec<f32>], rate_hz: u32) -> LoudnessReport {
    let options = Options { groups: vec![MeasureGroup::Loudness], ..Options::default() };
    let spec = StreamSpec::new(rate_hz, planes.len());
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let analysis = analysis::analyze(&planes, &spec, PcmFormat::FLOAT, &options);
    analysis.unwrap().loudness.unwrap()
}

/// A DAW with a song.
struct Daw {
    meters: Meters,
    shared: Arc<Shared>,
}

impl Daw {
    fn new(rate_hz: u32) -> Self {
        let shared = Arc::new(Shared::default());
        shared.timeline.turn(true);
        let spec = StreamSpec::new(rate_hz, 2);
        Self { meters: Meters::new(&spec, MonoMode::Single, Arc::clone(&shared)), shared }
    }

    /// Plays frames of the song, which begins at this place.
    fn play(&mut self, song: &mut [Vec<f32>], start: i64, frames: std::ops::Range<usize>) {
        let mut at = frames.start;
        while at < frames.end {
            let end = (at + 509).min(frames.end);
            let block: Vec<&mut [f32]> = song.iter_mut().map(|plane| &mut plane[at..end]).collect();
            let place = start + i64::try_from(at).unwrap();
            self.meters.push_at(&block, Some(place));
            at = end;
        }
        self.settle();
    }

    fn settle(&self) {
        let timeline = &self.shared.timeline;
        timeline.tend();
        while timeline.work.lock().is_changed {
            timeline.tend();
        }
    }

    fn measured_cells(&self) -> f32 {
        (self.shared.timeline.readings().measured_s.get().unwrap_or(0.0) * 10.0).round()
    }

    fn expect(&self, report: &LoudnessReport, tolerance_lu: f64) {
        let readings = self.shared.shown().0.get();
        let near = |name: &str, reading: Option<f32>, exact: Option<f64>, tolerance: f64| {
            let (reading, exact) = (f64::from(reading.unwrap()), exact.unwrap());
            assert!((reading - exact).abs() <= tolerance, "{name}: {reading} is not {exact}");
        };
        let lufs = |value: Option<wavemill_core::units::Lufs>| value.map(|value| value.0);
        near("I", readings.integrated_lufs, lufs(report.integrated_lufs), tolerance_lu);
        let range = report.loudness_range_lu.map(|range| range.0);
        near("LRA", readings.loudness_range_lu, range, 2.0 * tolerance_lu);
        near("M", readings.momentary_max_lufs, lufs(report.momentary_max_lufs), GRID_LU);
        near("S", readings.short_term_max_lufs, lufs(report.short_term_max_lufs), GRID_LU);
        let peak = report.true_peak_dbtp.map(|peak| peak.0);
        near("TP", readings.true_peak_dbtp, peak, 0.001);
    }
}

#[test]
fn program_played_in_pieces_with_overdub_reads_as_its_file() {
    for rate_hz in [44_100, 96_000] {
        let second = rate_hz as usize;
        let mut song = noise(20 * second, 1);
        let report = analyzed(&song, rate_hz);
        let mut daw = Daw::new(rate_hz);
        daw.play(&mut song, 0, 0..20 * second);
        daw.expect(&report, TOLERANCE_LU);
        // Something else, louder, all of which is replaced; the pieces overlap and come in any order.
        let mut other = noise(20 * second, 2);
        other.iter_mut().flatten().for_each(|sample| *sample *= 1.4);
        daw.play(&mut other, 0, 0..20 * second);
        let pieces = [(12.31, 20.0), (0.0, 5.77), (8.2, 13.0), (3.25, 9.5)];
        for (from_s, to_s) in pieces {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "frames")]
            let frame = |at_s: f64| (at_s * f64::from(rate_hz)) as usize;
            daw.play(&mut song, 0, frame(from_s)..frame(to_s));
        }
        daw.expect(&report, TOLERANCE_LU);
        assert!((daw.measured_cells() - 200.0).abs() < f32::EPSILON);
    }
}

/// One cell at each edge is measured by filters that begin from rest.
#[test]
fn pieces_that_only_touch_read_as_their_file() {
    let mut song = noise(30 * 48_000, 3);
    let report = analyzed(&song, 48_000);
    let mut daw = Daw::new(48_000);
    for second in [20, 0, 10] {
        daw.play(&mut song, 0, second * 48_000..(second + 10) * 48_000);
    }
    daw.expect(&report, 0.02);
}

#[test]
fn replaced_part_is_the_only_one_that_changes() {
    let mut song = noise(30 * 48_000, 1);
    let mut daw = Daw::new(48_000);
    daw.play(&mut song, 0, 0..30 * 48_000);
    let mut part = noise(30 * 48_000, 9);
    part.iter_mut().flatten().for_each(|sample| *sample *= 2.0);
    // From a cell earlier on, so that the filters have settled; there the song is as it was.
    for (plane, part) in song.iter_mut().zip(&part) {
        plane[480_000..720_000].copy_from_slice(&part[480_000..720_000]);
    }
    daw.play(&mut song, 0, 475_200..720_000);
    daw.expect(&analyzed(&song, 48_000), 0.005);
}

#[test]
fn pause_is_no_jump_and_each_pass_of_a_loop_replaces_the_one_before() {
    let mut song = noise(20 * 48_000, 1);
    let mut daw = Daw::new(48_000);
    // In the middle of cells.
    for (from, to) in [(0, 100_001), (100_001, 300_007), (300_007, 480_000)] {
        daw.play(&mut song, 0, from..to);
    }
    assert!((daw.measured_cells() - 100.0).abs() < f32::EPSILON, "no cell is lost");
    daw.expect(
        &analyzed(&song.iter().map(|plane| plane[..480_000].to_vec()).collect::<Vec<_>>(), 48_000),
        TOLERANCE_LU,
    );
    for _ in 0..3 {
        daw.play(&mut song, 0, 240_000..480_000);
    }
    assert!((daw.measured_cells() - 100.0).abs() < f32::EPSILON);
    assert_eq!(daw.shared.timeline.doubt(), None);
}

#[test]
fn song_may_begin_anywhere() {
    for start in [-5_000_001i64, 1, 172_800_000 * 48] {
        let mut song = noise(10 * 48_000, 1);
        let mut daw = Daw::new(48_000);
        daw.play(&mut song, start, 0..480_000);
        // Both edges are parts of cells, which are dropped.
        assert!(daw.measured_cells() >= 99.0, "{start}: {}", daw.measured_cells());
        let mut snapshot = Snapshot::default();
        daw.shared.read_history(&mut snapshot);
        #[expect(clippy::cast_precision_loss, reason = "a time")]
        let start_s = start as f64 / 48_000.0;
        assert!((0.0..0.1001).contains(&(snapshot.start_s - start_s)), "{}", snapshot.start_s);
        assert!((snapshot.points.len() as f64 - 99.0).abs() <= 1.0);
    }
}

#[test]
fn what_has_no_place_is_not_on_the_timeline_and_reset_clears_it() {
    let mut song = noise(10 * 48_000, 1);
    let mut daw = Daw::new(48_000);
    let live = |daw: &Daw| !daw.shared.shows_timeline();
    let block: Vec<&mut [f32]> = song.iter_mut().map(|plane| &mut plane[..480_000]).collect();
    daw.meters.push_at(&block, None);
    daw.settle();
    assert!(live(&daw) && daw.shared.shown().0.integrated_lufs.get().is_some());
    daw.play(&mut song, 0, 0..480_000);
    assert!(!live(&daw));
    daw.meters.reset();
    daw.settle();
    assert!(live(&daw) && daw.shared.shown().0.integrated_lufs.get().is_none());
    daw.play(&mut song, 0, 0..240_000);
    assert!((daw.measured_cells() - 50.0).abs() < f32::EPSILON, "nothing is left");
    daw.shared.timeline.turn(false);
    assert!(live(&daw));
}

#[test]
fn passage_is_measured_as_if_it_were_all() {
    let mut song = noise(30 * 48_000, 1);
    let mut daw = Daw::new(48_000);
    daw.play(&mut song, 0, 0..30 * 48_000);
    let passage = daw.shared.timeline.passage(10.0, 25.0);
    let part: Vec<Vec<f32>> = song.iter().map(|plane| plane[480_000..1_200_000].to_vec()).collect();
    let report = analyzed(&part, 48_000);
    let difference =
        passage.loudness.integrated_lufs.unwrap().0 - report.integrated_lufs.unwrap().0;
    // The filters of a file begin from rest.
    assert!(difference.abs() < 0.005, "{difference}");
    assert!((passage.measured_s - 15.0).abs() < 1e-9);
    assert!(daw.shared.timeline.passage(40.0, 50.0).loudness.integrated_lufs.is_none());
}

#[test]
fn two_loudspeakers_of_one_channel_count_twice() {
    let measure = |mono| {
        let shared = Arc::new(Shared::default());
        shared.timeline.turn(true);
        let spec = StreamSpec::new(48_000, 1);
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        meters.set_mono(mono);
        let mut plane = noise(480_000, 1).remove(0);
        meters.push_at(&[&mut plane], Some(0));
        shared.timeline.tend();
        shared.timeline.readings().integrated_lufs.get().unwrap()
    };
    let difference = measure(MonoMode::Dual) - measure(MonoMode::Single);
    assert!((difference - 3.0103).abs() < 1e-3, "{difference}");
}

#[test]
fn long_song_with_a_gap_has_as_many_points_as_a_live_history() {
    let runs = [
        Run { first: 0, energies: vec![0.01; 40], peaks: vec![-1.0; 40] },
        Run { first: 100_000, energies: vec![0.01; 40], peaks: vec![-2.0; 40] },
    ];
    let snapshot = snapshot(&runs);
    assert!(snapshot.points.len() <= POINTS_MAX && snapshot.points.len() > POINTS_MAX / 2);
    assert_eq!(snapshot.points[0].true_peak_dbtp, Some(-1.0));
    assert_eq!(snapshot.points[1_000].true_peak_dbtp, None);
    assert_eq!(snapshot.points.last().unwrap().true_peak_dbtp, Some(-2.0));
}
