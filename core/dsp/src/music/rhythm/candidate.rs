//! A level of the meter that could be the one that musicians count.

use super::grid::Grid;
use super::harmony::Harmony;
use super::lattice::{LAYERS, Lattice, PLACES, Wide};

/// Pulses of the grid in a beat, as far as meters go.
const RATIOS: [f64; 11] =
    [0.25, 1.0 / 3.0, 0.5, 2.0 / 3.0, 0.75, 1.0, 4.0 / 3.0, 1.5, 2.0, 3.0, 4.0];

/// Tempi that are looked at; wider than what is reported, so that halves and doubles are known.
const BPM_MIN: f64 = 40.0;
const BPM_MAX: f64 = 245.0;

/// Lags at which repetition is looked at, in [`PLACES`].
const LAGS: [usize; 14] = [3, 4, 6, 8, 9, 12, 18, 24, 36, 48, 72, 96, 144, 192];

/// Sums of layers whose repetition is looked at: drums' bodies, voices, noise, harmony, all onsets.
const SUMS: [(usize, usize); 5] = [(0, 2), (2, 4), (4, 6), (6, 7), (0, 6)];

/// Numbers about repetition.
pub(crate) const REPETITIONS: usize = LAGS.len() * SUMS.len();

/// A tempo, and the music on its beats.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) bpm: f64,
    pub(crate) lattice: Lattice,
    /// Mean bars of four and of three beats, `[place][layer]`.
    pub(crate) bar_of_four: Vec<[f32; LAYERS]>,
    pub(crate) bar_of_three: Vec<[f32; LAYERS]>,
    /// How it repeats, sum of layers by sum of layers, lag by lag.
    pub(crate) repetitions: Vec<f32>,
}

impl Candidate {
    fn new(wide: &Wide, harmony: &Harmony, grid: &Grid, ratio: f64) -> Self {
        let lattice = Lattice::new(wide, harmony, grid, ratio);
        let repetition = |&(first, end): &(usize, usize)| lattice.repetition(first..end, &LAGS);
        Self {
            bpm: grid.mean_bpm() / ratio,
            bar_of_four: lattice.bar(4),
            bar_of_three: lattice.bar(3),
            repetitions: SUMS.iter().flat_map(repetition).collect(),
            lattice,
        }
    }
}

impl Candidate {
    /// The highest correlation of all onsets with themselves a whole number of beats later.
    pub(crate) fn best_repetition(&self) -> f64 {
        let of_all = self.repetitions.get((SUMS.len() - 1) * LAGS.len()..).unwrap_or_default();
        let whole = of_all.iter().zip(&LAGS).filter(|(_, lag)| **lag % PLACES == 0);
        whole.map(|(value, _)| f64::from(*value)).fold(0.0, f64::max)
    }
}

/// All candidates of a grid of pulses, slow ones last.
pub(crate) fn candidates(wide: &Wide, harmony: &Harmony, grid: &Grid) -> Vec<Candidate> {
    let bpm = grid.mean_bpm();
    let fits = |ratio: &&f64| (BPM_MIN..=BPM_MAX).contains(&(bpm / **ratio));
    let ratios = RATIOS.iter().filter(fits);
    let candidates = ratios.map(|&ratio| Candidate::new(wide, harmony, grid, ratio));
    candidates.filter(|candidate| candidate.lattice.values.len() >= 4 * PLACES).collect()
}
