//! What constants and weights are found from. Written by a test on request; see `tests/bench/references`.

use super::raw_values;
use crate::analysis::{Options, analyze};
use crate::features::GROUPS;
use crate::music::wav::{files, read};
use std::fs::File;
use std::io::Write as _;
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
