//! The rhythm of one stretch of music: the decisions on what was analyzed.

use super::analysis::Analysis;
use super::bands::Bands;
use super::bar_position::{BarPosition, Meter, bar_positions};
use super::candidate::Candidate;
use super::clarity::{CLARITY_MIN, clarity};
use super::grid::Grid;
use super::lattice::PLACES;
use super::level;
use super::options::RhythmOptions;

/// Probability of a way to lay bars from which bars are clear.
const BAR_CLARITY_MIN: f64 = 0.4;

/// How much more likely the tempo of the stretch before is, as a logarithm.
const KEPT_TEMPO: f64 = 2.0;

/// What was found in a stretch.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) bpm: f64,
    /// Probability of a pulse.
    pub(crate) clarity: f64,
    /// Tempi and their probabilities, given a pulse; the reported one among them.
    pub(crate) weights: Vec<(f64, f64)>,
    pub(crate) beats_s: Vec<f64>,
    pub(crate) downbeats_s: Vec<f64>,
    pub(crate) beats_per_bar: Option<u32>,
}

impl Stretch {
    /// `None` if there is no pulse. `before_bpm` is the tempo of the stretch before.
    pub(crate) fn new(
        bands: &Bands,
        hop_s: f64,
        options: &RhythmOptions,
        before_bpm: Option<f64>,
    ) -> Option<Self> {
        let analysis = Analysis::new(bands, hop_s)?;
        let clarity = clarity(&analysis);
        if clarity < CLARITY_MIN {
            return None;
        }
        let positions: Vec<Vec<BarPosition>> =
            analysis.candidates.iter().map(bar_positions).collect();
        let weights = weights(&analysis, &positions, options, before_bpm);
        let admitted = weights.iter().enumerate().filter(|(_, (bpm, _))| options.admits(*bpm));
        let (chosen, &(bpm, _)) = admitted.max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
        let bars = Bars::new(analysis.candidates.get(chosen)?, positions.get(chosen)?)?;
        let duration_s = bands.frame_count() as f64 * hop_s;
        let (beats_s, downbeats_s) = bars.times_s(&analysis.grid, duration_s);
        let beats_per_bar = bars.is_clear.then_some(bars.beats);
        Some(Self { bpm, clarity, weights, beats_s, downbeats_s, beats_per_bar })
    }
}

/// Probability of each candidate.
fn weights(
    analysis: &Analysis,
    positions: &[Vec<BarPosition>],
    options: &RhythmOptions,
    before_bpm: Option<f64>,
) -> Vec<(f64, f64)> {
    let score = |(candidate, positions): (&Candidate, &Vec<BarPosition>)| {
        let features = level::features(candidate, positions, &analysis.onset_rates);
        let is_kept = before_bpm.is_some_and(|before| (candidate.bpm / before - 1.0).abs() < 0.04);
        let kept = if is_kept { KEPT_TEMPO } else { 0.0 };
        f64::from(level::score(&features)) + options.log_prior(candidate.bpm) + kept
    };
    let scores: Vec<f64> = analysis.candidates.iter().zip(positions).map(score).collect();
    let probabilities = softmax(&scores);
    analysis.candidates.iter().map(|candidate| candidate.bpm).zip(probabilities).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// Where bars lie, in a candidate's quarters.
#[derive(Clone, Copy, Debug)]
struct Bars {
    /// Pulses of the grid in a quarter.
    ratio: f64,
    /// Quarter at which a bar begins.
    start: f64,
    /// Quarters from beat to beat.
    step: f64,
    /// Beats in a bar.
    beats: u32,
    is_clear: bool,
}

impl Bars {
    fn new(candidate: &Candidate, positions: &[BarPosition]) -> Option<Self> {
        let best = positions.iter().max_by(|a, b| a.score.total_cmp(&b.score))?;
        let scores: Vec<f64> = positions.iter().map(|position| f64::from(position.score)).collect();
        let probability = softmax(&scores).into_iter().fold(0.0, f64::max);
        let (step, beats) = match best.meter {
            Meter::Four => (1.0, 4),
            Meter::Three => (1.0, 3),
            Meter::SixEight => (1.5, 2),
        };
        let start = best.turn as f64 / PLACES as f64;
        let is_clear = probability >= BAR_CLARITY_MIN;
        Some(Self { ratio: candidate.lattice.ratio, start, step, beats, is_clear })
    }

    /// Beats and downbeats where pulses were found and one before and behind.
    fn times_s(&self, grid: &Grid, duration_s: f64) -> (Vec<f64>, Vec<f64>) {
        let (mut beats_s, mut downbeats_s) = (Vec::new(), Vec::new());
        let (first, last) =
            (grid.time_s(-0.6).max(0.0), grid.time_s(grid.beat_count() as f64 - 0.4));
        let bar = self.step * f64::from(self.beats);
        let before = (grid.place(first) / self.ratio - self.start) / bar;
        let mut quarter = self.start + before.floor() * bar;
        let mut beat = 0;
        loop {
            let time_s = grid.time_s(quarter * self.ratio);
            if time_s > last.min(duration_s) {
                return (beats_s, downbeats_s);
            }
            if time_s >= first {
                beats_s.push(time_s);
                if self.is_clear && beat % self.beats == 0 {
                    downbeats_s.push(time_s);
                }
            }
            beat += 1;
            quarter += self.step;
        }
    }
}
