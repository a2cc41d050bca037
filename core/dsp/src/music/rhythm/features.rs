//! What the models are trained on, as JSON. Written by a test on request; see `tests/bench/music`.

use super::analysis::Analysis;
use super::bands::Bands;
use super::downsample::Downsampler;
use super::spectra::Spectra;
use super::{bar_position, level};
use crate::music::wav::{files, read};
use serde_json::{Value, json};

/// Of the channels of a whole file; `Null` where nothing repeats.
fn features(rate_hz: u32, planes: &[&[f32]]) -> Value {
    let mut downsampler = Downsampler::new(rate_hz);
    let mut spectra = Spectra::new(f64::from(rate_hz) / downsampler.factor() as f64);
    let mut bands = Bands::new(&spectra);
    let mut samples = Vec::new();
    downsampler.push(planes, &mut samples);
    spectra.push(&mut samples, |bins| bands.push(bins));
    spectra.finish(|bins| bands.push(bins));
    let Some(analysis) = Analysis::new(&bands, spectra.hop_s()) else { return Value::Null };
    let (pulse, grid) = (&analysis.pulse, &analysis.grid);
    let candidates: Vec<Value> = analysis.candidates.iter().map(|candidate| {
        let positions = bar_position::bar_positions(candidate);
        let beats = candidate.lattice.values.len() / 12;
        let first = candidate.lattice.first_beat as f64;
        json!({
            "bpm": candidate.bpm,
            "first_beat": candidate.lattice.first_beat,
            "beats_s": (0..beats).map(|b| grid.time_s((first + b as f64) * candidate.lattice.ratio)).collect::<Vec<_>>(),
            "bar4": candidate.bar_of_four, "bar3": candidate.bar_of_three,
            "rep": candidate.repetitions,
            "features": level::features(candidate, &positions, &analysis.onset_rates),
        })
    }).collect();
    json!({
        "period_bpm": 60.0 / (pulse.period * spectra.hop_s()), "grid_bpm": grid.mean_bpm(),
        "clarity": super::clarity::features(&analysis),
        "candidates": candidates,
    })
}

/// `WAVEMILL_FEATURES=FOLDER`: prints a line of JSON for each of its WAV files.
#[test]
fn features_of_a_folder() {
    for file in files() {
        let (rate_hz, planes) = read(&file);
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        let mut value = features(rate_hz, &planes);
        if value.is_null() {
            value = json!({ "candidates": [] });
        }
        value["file"] = file.file_name().unwrap().to_string_lossy().into();
        println!("{value}");
    }
}
