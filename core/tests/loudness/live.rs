//! What the meter says while the signal lasts, and its curve over time.

use crate::common::music;
use crate::signals::blocks;
use wavemill_core::analysis::{Analyzer, Options};
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec};
use wavemill_core::loudness::{HistoryPoint, LoudnessMeter, LoudnessReport, MonoMode};
use wavemill_core::units::{Dbtp, Seconds};

/// Readings count in bins of this width.
const BIN_LU: f64 = 0.01;

fn planes(frame_count: usize) -> Vec<Vec<f32>> {
    let Samples::Float { mut planes } = music(PcmFormat::FLOAT, 2, frame_count) else {
        panic!("floats")
    };
    // Fades, so that gates have something to do.
    for plane in &mut planes {
        for (frame, sample) in plane.iter_mut().enumerate() {
            let slow = (frame as f64 / frame_count as f64 * 9.0).sin();
            *sample *= (slow * slow) as f32;
        }
    }
    planes
}

fn meter() -> LoudnessMeter {
    LoudnessMeter::new(&StreamSpec::new(44_100, 2), MonoMode::Single).with_history()
}

/// Report and curve of a signal, the curve taken after every block.
fn measure(planes: &[Vec<f32>], block: usize) -> (LoudnessReport, Vec<HistoryPoint>) {
    let mut meter = meter();
    let mut history = Vec::new();
    for block in blocks(planes, block) {
        meter.push(&block);
        history.extend(meter.take_history());
    }
    meter.end();
    history.extend(meter.take_history());
    (meter.finish(), history)
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn reading_at_the_end_is_the_report_within_its_bins() {
    let planes = planes(30 * 44_100);
    let mut meter = meter();
    blocks(&planes, 4096).for_each(|block| meter.push(&block));
    meter.end();
    let reading = meter.reading();
    let report = meter.finish();
    let difference = reading.integrated_lufs.unwrap() - report.integrated_lufs.unwrap();
    assert!(difference.0.abs() < BIN_LU, "{difference}");
    let range = report.loudness_range_lu.unwrap().0;
    assert!(range > 5.0);
    assert!((reading.loudness_range_lu.unwrap().0 - range).abs() < 2.0 * BIN_LU);
    assert_eq!(reading.momentary_max_lufs, report.momentary_max_lufs);
    assert_eq!(reading.short_term_max_lufs, report.short_term_max_lufs);
    assert_eq!(reading.true_peak_dbtp, report.true_peak_dbtp);
    assert_eq!(reading.true_peak_precise_dbtp, report.true_peak_precise_dbtp);
    assert_eq!(reading.peak_to_short_term_lu, report.peak_to_short_term_lu);
}

#[test]
fn reading_of_a_steady_tone_appears_when_its_windows_are_full() {
    let tone: Vec<f32> = (0..441).map(|i| (f64::from(i) * 0.1424758).sin() as f32).collect();
    let block = Block::from_planes(&[&tone, &tone]);
    let mut meter = meter();
    for step in 1..=310 {
        meter.push(&block);
        let reading = meter.reading();
        assert_eq!(reading.momentary_lufs.is_some(), step >= 40, "{step}");
        assert_eq!(reading.integrated_lufs.is_some(), step >= 40, "{step}");
        assert_eq!(reading.short_term_lufs.is_some(), step >= 300, "{step}");
    }
}

#[test]
fn reading_of_nothing_is_empty() {
    let mut meter = meter();
    assert_eq!(meter.reading(), wavemill_core::loudness::LoudnessReading::default());
    meter.push(&Block::from_planes(&[vec![0.0; 44_100 * 4], vec![0.0; 44_100 * 4]]));
    assert_eq!(meter.reading(), wavemill_core::loudness::LoudnessReading::default());
}

#[test]
fn history_has_a_point_every_100_ms_whose_maxima_are_the_report() {
    let planes = planes(10 * 44_100);
    let (report, history) = measure(&planes, 1000);
    assert_eq!(history.len(), 100);
    for (index, point) in history.iter().enumerate() {
        assert_eq!(point.at_s, Seconds((index + 1) as f64 / 10.0));
        assert_eq!(point.momentary_lufs.is_some(), index >= 3);
        assert_eq!(point.short_term_lufs.is_some(), index >= 29);
    }
    let short_term = largest(history.iter().filter_map(|point| Some(point.short_term_lufs?.0)));
    // The report looks every 10 ms.
    assert!((-0.1..1e-9).contains(&(short_term - report.short_term_max_lufs.unwrap().0)));
    let true_peak = largest(history.iter().filter_map(|point| Some(point.true_peak_dbtp?.0)));
    assert_eq!(Some(Dbtp(true_peak)), report.true_peak_dbtp);
    let momentary = largest(history.iter().filter_map(|point| Some(point.momentary_lufs?.0)));
    assert!((-1.0..1e-9).contains(&(momentary - report.momentary_max_lufs.unwrap().0)));
    let psr = (29..100)
        .map(|end| {
            let peaks =
                history[end - 29..=end].iter().filter_map(|point| Some(point.true_peak_dbtp?.0));
            largest(peaks) - history[end].short_term_lufs.unwrap().0
        })
        .fold(f64::INFINITY, f64::min);
    assert!((psr - report.peak_to_short_term_lu.unwrap().0).abs() < 1e-9, "{psr}");
}

#[test]
fn report_history_and_distribution_do_not_depend_on_blocks() {
    let planes = planes(5 * 44_100 + 77);
    let whole = measure(&planes, planes[0].len());
    assert!(whole.0.peak_to_short_term_lu.is_some() && whole.1.len() == 50);
    for block in [1, 7, 64, 4096] {
        assert_eq!(measure(&planes, block), whole, "blocks of {block}");
    }
}

/// A click in the last frame of a hop belongs to it, though its filter ends in the next one; one in the
/// first frame of the next hop does not, but for what its filter says of the frames before.
#[test]
fn peak_belongs_to_the_100_ms_it_lies_in() {
    for (frame, hop) in [(4409, 0), (4410, 1), (8819, 1)] {
        let mut plane = vec![0.0; 3 * 4410];
        plane[frame] = 0.5;
        let (_, history) = measure(&[plane.clone(), plane], 64);
        let peaks: Vec<f64> =
            history.iter().map(|point| point.true_peak_dbtp.map_or(-99.0, |peak| peak.0)).collect();
        let loudest = (0..3).max_by(|&a, &b| peaks[a].total_cmp(&peaks[b])).unwrap();
        assert_eq!(loudest, hop, "{frame}: {peaks:?}");
        assert!((peaks[hop] + 6.0206).abs() < 1e-3, "{peaks:?}");
    }
}

#[test]
fn distribution_sums_to_1_and_holds_the_steady_loudness() {
    let tone: Vec<f32> =
        (0..44_100 * 6).map(|i| (0.1 * (f64::from(i) * 0.1424758).sin()) as f32).collect();
    let mut meter = meter();
    meter.push(&Block::from_planes(&[&tone, &tone]));
    let loudness = meter.reading().short_term_lufs.unwrap().0;
    let bins = meter.distribution();
    let [bin] = bins[..] else { panic!("{bins:?}") };
    assert!(bin.lufs <= loudness && loudness < bin.lufs + 1.0, "{bin:?}");
    assert!((bin.share - 1.0).abs() < 1e-12);
}

#[test]
fn analyzer_lends_its_meter_for_history_and_distribution() {
    let planes = planes(4 * 44_100);
    let spec = StreamSpec::new(44_100, 2);
    let mut analyzer = Analyzer::new(&spec, PcmFormat::FLOAT, &Options::default()).with_history();
    blocks(&planes, 4096).for_each(|block| analyzer.push(&block).unwrap());
    let meter = analyzer.loudness_mut().unwrap();
    meter.end();
    assert_eq!(meter.take_history(), measure(&planes, 64).1);
    assert_eq!(meter.take_history(), []);
    assert!(!meter.distribution().is_empty());
    assert_eq!(analyzer.finish().loudness.unwrap(), measure(&planes, 64).0);
}

#[test]
fn history_is_kept_only_when_asked_for() {
    let mut meter = LoudnessMeter::new(&StreamSpec::new(44_100, 2), MonoMode::Single);
    blocks(&planes(44_100), 4096).for_each(|block| meter.push(&block));
    meter.end();
    assert_eq!(meter.take_history(), []);
}

#[test]
fn reset_meter_is_a_fresh_one() {
    let planes = planes(8 * 44_100);
    let mut meter = meter();
    blocks(&planes, 1000).for_each(|block| meter.push(&block));
    meter.end();
    meter.reset();
    assert_eq!(meter.reading(), wavemill_core::loudness::LoudnessReading::default());
    let later: Vec<Vec<f32>> = planes.iter().map(|plane| plane[100_000..].to_vec()).collect();
    blocks(&later, 777).for_each(|block| meter.push(&block));
    meter.end();
    let history = meter.take_history();
    assert_eq!((meter.finish(), history), measure(&later, 4096));
}

#[test]
fn true_peak_now_is_that_of_the_curve() {
    let planes = planes(3 * 44_100);
    let mut meter = meter();
    let mut now = Vec::new();
    for block in blocks(&planes, 4410) {
        meter.push(&block);
        now.push(meter.reading().true_peak_now_dbtp);
    }
    // Peaks are known a little later: at the end of each 100 ms those of the 100 ms before.
    let (_, history) = measure(&planes, 4410);
    assert_eq!(now[0], None);
    for (reading, point) in now[1..].iter().zip(&history) {
        assert_eq!(*reading, point.true_peak_dbtp);
    }
}
