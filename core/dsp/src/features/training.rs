//! What constants and weights are found from. Written by a test on request; see `tests/bench/references`.

use super::similarity::tests::track;
use super::values::raw_values;
use super::{DIMENSIONS, FeatureGroup, FeatureIndex, Features, GROUPS};
use crate::analysis::{Options, analyze};
use crate::music::wav::{files, read};
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;
use wavemill_audio::{PcmFormat, StreamSpec};

/// `WAVEMILL_FEATURES=FOLDER WAVEMILL_FEATURES_OUT=FILE`: for each WAV file a line of JSON, its name and the numbers of
/// its dimensions.
#[test]
fn values_of_a_folder() {
    let files = files();
    if files.is_empty() {
        return;
    }
    let out = std::env::var_os("WAVEMILL_FEATURES_OUT").expect("WAVEMILL_FEATURES_OUT is set");
    let mut out = File::create(out).unwrap();
    let options = Options { groups: GROUPS.to_vec(), ..Options::default() };
    for file in files {
        let (rate_hz, planes) = read(&file);
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        let spec = StreamSpec::new(rate_hz, planes.len());
        let analysis = analyze(&planes, &spec, PcmFormat::FLOAT, &options).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let values = raw_values(&analysis).to_vec();
        writeln!(out, "{}", serde_json::json!([name, values])).unwrap();
    }
}

/// `WAVEMILL_SEARCH=COUNT`: prints how long one search through so many pieces takes. Asserts nothing about time.
#[test]
fn time_of_a_search() {
    let Some(count) = std::env::var_os("WAVEMILL_SEARCH") else {
        println!("skipped: WAVEMILL_SEARCH says no number of pieces");
        return;
    };
    let count: u32 = count.to_str().unwrap().parse().unwrap();
    let mut index = FeatureIndex::default();
    (0..count).for_each(|seed| index.push(&track(seed)));
    let mut mono = track(count).to_standardized();
    for (value, dimension) in mono.iter_mut().zip(&DIMENSIONS) {
        *value = value.filter(|_| dimension.group != FeatureGroup::Stereo);
    }
    for (name, query) in [("all", track(count)), ("mono", Features::of_standardized(&mono))] {
        let times: Vec<f64> = (0..21)
            .map(|_| {
                let start = Instant::now();
                assert_eq!(index.search(&query, 5, |_| true).len(), 5);
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        println!("{name} of {count} in ms: {times:.2?}");
    }
}
