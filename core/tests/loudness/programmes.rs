//! EBU's own files, where they are: rows 7 and 8 are real programmes that nobody can synthesize.
//!
//! They are not redistributable; EBU offers them as "EBU loudness test set". The variable
//! [`FOLDER`] names the folder that holds the files.

use crate::signals::{assert_loudness, assert_range, assert_true_peak};
use std::fs::File;
use std::path::{Path, PathBuf};
use wavemill_core::analysis::{Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode;
use wavemill_core::loudness::LoudnessReport;

const FOLDER: &str = "WAVEMILL_EBU_TEST_SET";

/// The folder; says that the test is skipped when there is none.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER);
    if folder.is_none() {
        eprintln!("skipped: {FOLDER} names no folder with EBU's loudness test set");
    }
    folder.map(PathBuf::from)
}

/// The files whose names begin and end so; says which are missing.
fn files(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    });
    if paths.is_empty() {
        eprintln!("skipped: {FOLDER} has no file {start}*{end}");
    }
    paths
}

fn measured(path: &PathBuf) -> LoudnessReport {
    let mut decoder = decode::open(Box::new(File::open(path).unwrap()), Some("wav")).unwrap();
    let info = decoder.info().clone();
    let options = Options { groups: vec![MeasureGroup::Loudness], ..Options::default() };
    let mut analyzer = Analyzer::new(&info.spec, info.format, &options);
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut block = Block::new(channel_count, 4096);
    while decoder.read(&mut samples, 4096).unwrap() > 0 {
        convert::to_block(&samples, &mut block);
        analyzer.push(&block).unwrap();
    }
    analyzer.finish().loudness.unwrap()
}

fn reports(folder: &Path, start: &str, end: &str) -> Vec<LoudnessReport> {
    files(folder, start, end).iter().map(measured).collect()
}

#[test]
fn ebu_3341_case_07_and_3342_case_5_narrow_range_programme() {
    let Some(folder) = folder() else { return };
    for report in reports(&folder, "seq-3341-7_seq-3342-5", ".wav") {
        assert_loudness(report.integrated_lufs, -23.0);
        assert_range(report.loudness_range_lu, 5.0);
    }
}

#[test]
fn ebu_3341_case_08_and_3342_case_6_wide_range_programme() {
    let Some(folder) = folder() else { return };
    for report in reports(&folder, "seq-3341-", "8_seq-3342-6-24bit-v02.wav") {
        assert_loudness(report.integrated_lufs, -23.0);
        assert_range(report.loudness_range_lu, 15.0);
    }
}

/// Rows of integrated loudness as EBU's files have them.
#[test]
fn ebu_files_of_integrated_loudness() {
    let Some(folder) = folder() else { return };
    for (row, expected) in [(1, -23.0), (2, -33.0), (3, -23.0), (4, -23.0), (5, -23.0), (6, -23.0)]
    {
        for report in reports(&folder, &format!("seq-3341-{row}-"), ".wav") {
            assert_loudness(report.integrated_lufs, expected);
        }
    }
}

/// Rows of largest short-term and momentary loudness as EBU's files have them.
#[test]
fn ebu_files_of_largest_short_term_and_momentary_loudness() {
    let Some(folder) = folder() else { return };
    for row in [9, 10] {
        for report in reports(&folder, &format!("seq-3341-{row}-"), ".wav") {
            assert_loudness(report.short_term_max_lufs, -23.0);
        }
    }
    for row in [12, 13] {
        for report in reports(&folder, &format!("seq-3341-{row}-"), ".wav") {
            assert_loudness(report.momentary_max_lufs, -23.0);
        }
    }
}

/// Rows of true peak as EBU's files have them.
#[test]
fn ebu_files_of_true_peak() {
    let Some(folder) = folder() else { return };
    for row in 15..=23 {
        let expected = match row {
            15..=18 => -6.0,
            19 => 3.0,
            _ => 0.0,
        };
        for report in reports(&folder, &format!("seq-3341-{row}-"), ".wav") {
            assert_true_peak(&report, expected);
        }
    }
}

/// Rows of loudness range as EBU's files have them.
#[test]
fn ebu_files_of_loudness_range() {
    let Some(folder) = folder() else { return };
    for (row, expected) in [(1, 10.0), (2, 5.0), (3, 20.0), (4, 15.0)] {
        for report in reports(&folder, &format!("seq-3342-{row}-"), ".wav") {
            assert_range(report.loudness_range_lu, expected);
        }
    }
}
