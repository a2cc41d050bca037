//! What is known about a tempo beforehand.

/// How rhythm is to be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RhythmOptions {
    /// Slowest tempo that is reported.
    pub tempo_bpm_min: f64,
    /// Fastest tempo that is reported.
    pub tempo_bpm_max: f64,
    /// What tempo is expected; `None` to rely on the music alone.
    pub prior: Option<TempoPrior>,
}

/// A tempo that is expected, as of a genre: a normal distribution of the logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TempoPrior {
    /// The most likely tempo.
    pub mean_bpm: f64,
    /// Standard deviation in octaves.
    pub width_octaves: f64,
}

/// Narrowest expectation, octaves: a tempo a sixth beside it is still believed where the music has it.
const PRIOR_OCTAVES_MIN: f64 = 0.2;

impl TempoPrior {
    /// What a range of tempi, as of a genre, makes one expect: its middle, and its half width as the deviation.
    pub fn of_range(min_bpm: f64, max_bpm: f64) -> Self {
        let half_octaves = (max_bpm / min_bpm).log2() / 2.0;
        Self {
            mean_bpm: (min_bpm * max_bpm).sqrt(),
            width_octaves: half_octaves.max(PRIOR_OCTAVES_MIN),
        }
    }
}

impl Default for RhythmOptions {
    fn default() -> Self {
        Self { tempo_bpm_min: 60.0, tempo_bpm_max: 200.0, prior: None }
    }
}

impl RhythmOptions {
    /// Whether a tempo is to be reported; rounding is forgiven.
    pub(crate) fn admits(&self, bpm: f64) -> bool {
        const SLACK: f64 = 1.02;
        bpm * SLACK >= self.tempo_bpm_min && bpm <= self.tempo_bpm_max * SLACK
    }

    /// Logarithm of how likely a tempo is beforehand, up to a constant.
    pub(crate) fn log_prior(&self, bpm: f64) -> f64 {
        self.prior.map_or(0.0, |prior| {
            let octaves = (bpm / prior.mean_bpm.max(1.0)).log2() / prior.width_octaves.max(0.01);
            -0.5 * octaves * octaves
        })
    }
}
