//! What is known about a tempo beforehand.

/// How rhythm is to be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RhythmOptions {
    /// Slowest tempo that is reported.
    pub(crate) tempo_bpm_min: f64,
    /// Fastest tempo that is reported.
    pub(crate) tempo_bpm_max: f64,
    /// What tempo is expected; `None` to rely on the music alone.
    pub(crate) prior: Option<TempoPrior>,
}

/// A tempo that is expected, as of a genre: a normal distribution of the logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TempoPrior {
    /// The most likely tempo.
    pub(crate) mean_bpm: f64,
    /// Standard deviation in octaves.
    pub(crate) width_octaves: f64,
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
