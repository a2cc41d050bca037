//! What the meter says.

use serde::{Deserialize, Serialize};
use wavemill_audio::units::{Dbfs, Dbtp, Lu, Lufs, Seconds};

/// Loudness of a whole file. Fields are `None` where no value exists (silence, too short).
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoudnessReport {
    /// K-weighted, 400 ms blocks, 75 % overlap, gates at -70 LUFS and -10 LU. BS.1770-5.
    pub integrated_lufs: Option<Lufs>,
    /// Of the 3 s windows every 100 ms. EBU Tech 3342.
    pub loudness_range_lu: Option<Lu>,
    /// Largest of the 400 ms windows every 10 ms. EBU Tech 3341.
    pub momentary_max_lufs: Option<Lufs>,
    /// End of that window.
    pub momentary_max_at_s: Option<Seconds>,
    /// Largest of the 3 s windows every 10 ms, as of the momentary ones: on a grid of 100 ms an event of 3 s can
    /// be missed by 0.07 LU. EBU Tech 3341.
    pub short_term_max_lufs: Option<Lufs>,
    /// End of that window.
    pub short_term_max_at_s: Option<Seconds>,
    /// 4x oversampled (2x from 96 kHz, the samples themselves from 192 kHz). BS.1770-5, Annex 2.
    pub true_peak_dbtp: Option<Dbtp>,
    /// 16x oversampled with filters of 256 taps a phase: within 0.03 dB of the truth up to 0.45 of the
    /// sample rate, and close to it up to 0.4875.
    pub true_peak_precise_dbtp: Option<Dbtp>,
    /// Largest absolute sample.
    pub sample_peak_dbfs: Option<Dbfs>,
    /// PLR: true peak minus integrated loudness.
    pub peak_to_loudness_lu: Option<Lu>,
    /// PSR: true peak of 3 s minus the short-term loudness of the same 3 s, the smallest of all windows
    /// every 100 ms that pass the absolute gate of -70 LUFS (below it noise is measured, not
    /// programme). I. Shepherd and others, "Measuring micro-dynamics - a first step: standardizing PSR,
    /// the peak to short-term loudness ratio", AES Convention 143, 2017.
    pub peak_to_short_term_lu: Option<Lu>,
    /// Samples that are not finite or beyond
    /// [`SAMPLE_MAGNITUDE_MAX`](wavemill_audio::limits::SAMPLE_MAGNITUDE_MAX): they count as silence.
    pub invalid_samples: u64,
}

impl LoudnessReport {
    /// The larger of both measures of the true peak: each may be what another meter finds.
    pub fn larger_true_peak(&self) -> Option<Dbtp> {
        match (self.true_peak_dbtp, self.true_peak_precise_dbtp) {
            (Some(standard), Some(precise)) => Some(Dbtp(standard.0.max(precise.0))),
            (standard, precise) => standard.or(precise),
        }
    }
}

/// What a live display shows. Fields are `None` where no value exists yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LoudnessReading {
    /// Of the latest 400 ms, renewed every 10 ms. EBU Tech 3341.
    pub momentary_lufs: Option<Lufs>,
    /// Of the latest 3 s, renewed every 100 ms. EBU Tech 3341.
    pub short_term_lufs: Option<Lufs>,
    /// As in the report, but that a gating block within 0.01 LU of the relative gate may count on its
    /// other side.
    pub integrated_lufs: Option<Lufs>,
    /// As in the report, within 0.02 LU.
    pub loudness_range_lu: Option<Lu>,
    /// As in the report.
    pub momentary_max_lufs: Option<Lufs>,
    /// As in the report.
    pub short_term_max_lufs: Option<Lufs>,
    /// Largest of the latest 100 ms that are complete, 10 to 20 ms ago. BS.1770-5, Annex 2.
    pub true_peak_now_dbtp: Option<Dbtp>,
    /// Largest so far, without the latest 10 to 20 ms. BS.1770-5, Annex 2.
    pub true_peak_dbtp: Option<Dbtp>,
    /// Largest so far, finely interpolated.
    pub true_peak_precise_dbtp: Option<Dbtp>,
    /// PLR so far.
    pub peak_to_loudness_lu: Option<Lu>,
    /// PSR so far.
    pub peak_to_short_term_lu: Option<Lu>,
    /// As in the report.
    pub invalid_samples: u64,
}

/// One point of the loudness curve.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HistoryPoint {
    /// End of the windows, from the signal's start; a multiple of 100 ms.
    pub at_s: Seconds,
    /// Of the 400 ms that end here; `None` before 0.4 s and in silence.
    pub momentary_lufs: Option<Lufs>,
    /// Of the 3 s that end here; `None` before 3 s and in silence.
    pub short_term_lufs: Option<Lufs>,
    /// Of the 100 ms that end here, all channels; `None` in silence.
    pub true_peak_dbtp: Option<Dbtp>,
}

/// How often short-term loudness lay in a range of 1 LU.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DistributionBin {
    /// Lower edge, a whole number of LUFS; the bin reaches up to 1 LU above, that edge excluded.
    pub lufs: f64,
    /// Share of all 3 s windows above -70 LUFS, one every 100 ms; the bins' shares sum to 1.
    pub share: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_of_both_true_peaks_counts() {
        let report = |standard, precise| LoudnessReport {
            true_peak_dbtp: Some(Dbtp(standard)),
            true_peak_precise_dbtp: Some(Dbtp(precise)),
            ..LoudnessReport::default()
        };
        assert_eq!(report(-1.0, -0.5).larger_true_peak(), Some(Dbtp(-0.5)));
        assert_eq!(report(-1.0, -1.5).larger_true_peak(), Some(Dbtp(-1.0)));
        assert_eq!(LoudnessReport::default().larger_true_peak(), None);
    }
}
