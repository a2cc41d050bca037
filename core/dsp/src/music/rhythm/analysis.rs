//! All steps from the bands of a stretch of music to its candidates.

use super::bands::Bands;
use super::beat_tracker::track_beats;
use super::candidate::{Candidate, candidates};
use super::grid::Grid;
use super::harmony::Harmony;
use super::lattice::Wide;
use super::level;
use super::onset_strength::OnsetStrength;
use super::pulse::Pulse;

/// What is known before anything is decided.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    pub(crate) pulse: Pulse,
    pub(crate) grid: Grid,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) onset_rates: [f64; 4],
    /// Mean onset strength at the beats, relative to the mean of all.
    pub(crate) beat_contrast: f64,
    /// Mean onset strength, and its deviation relative to it.
    pub(crate) strength_mean: f64,
    pub(crate) strength_deviation: f64,
}

impl Analysis {
    /// `None` if nothing repeats.
    pub(crate) fn new(bands: &Bands, hop_s: f64) -> Option<Self> {
        let onsets = OnsetStrength::new(bands, hop_s)?;
        let pulse = Pulse::new(&onsets)?;
        let beats = track_beats(&onsets.total, pulse.period);
        let grid = Grid::new(&beats, &onsets.total, hop_s)?;
        let harmony = Harmony::new(&bands.tone_magnitudes, hop_s);
        let candidates = candidates(&Wide::new(&onsets), &harmony, &grid);
        let count = onsets.total.len().max(1) as f64;
        let mean = onsets.total.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let square =
            onsets.total.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        let at_beats = beats.iter().filter_map(|&beat| onsets.total.get(beat));
        let on_beats = at_beats.map(|&x| f64::from(x)).sum::<f64>() / beats.len().max(1) as f64;
        Some(Self {
            pulse,
            grid,
            candidates,
            onset_rates: level::onset_rates(&onsets),
            beat_contrast: on_beats / mean.max(1e-9),
            strength_mean: mean,
            strength_deviation: square.sqrt() / mean.max(1e-9),
        })
    }
}
