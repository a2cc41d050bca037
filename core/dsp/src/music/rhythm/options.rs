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

/// Slowest and fastest tempo that may be asked for, BPM.
const TEMPO_BPM: (f64, f64) = (30.0, 300.0);

/// Narrowest range, as a ratio: every pulse then has one tempo in it.
const TEMPO_RATIO_MIN: f64 = 1.2;

impl RhythmOptions {
    /// Only tempi in a range are reported.
    ///
    /// # Errors
    /// What the range must be, when it is too narrow or reaches outside of 30 to 300 BPM.
    pub fn of_range(min_bpm: f64, max_bpm: f64) -> Result<Self, String> {
        let (least, most) = TEMPO_BPM;
        if !(min_bpm >= least && max_bpm <= most) {
            return Err(format!("must be from {least} to {most} BPM"));
        }
        if max_bpm < min_bpm * TEMPO_RATIO_MIN {
            return Err(format!("must end at {TEMPO_RATIO_MIN} times its beginning or higher"));
        }
        Ok(Self { tempo_bpm_min: min_bpm, tempo_bpm_max: max_bpm, prior: None })
    }

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
