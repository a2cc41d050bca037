//! Programme loudness and true peak.

use crate::units::{Dbfs, Dbtp, Lu, Lufs, Seconds};
use serde::Serialize;

/// How a mono file counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonoMode {
    /// One channel, as ITU-R BS.1770 measures it.
    #[default]
    Single,
    /// As if it were played by two loudspeakers: 3.01 LU louder.
    Dual,
}

/// Loudness of a whole file. Fields are `None` where no value exists (silence, too short).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LoudnessReport {
    /// K-weighted, 400 ms blocks, 75 % overlap, gates at -70 LUFS and -10 LU. BS.1770-5.
    pub integrated_lufs: Option<Lufs>,
    /// EBU Tech 3342.
    pub loudness_range_lu: Option<Lu>,
    /// Largest of the 400 ms windows every 10 ms. EBU Tech 3341.
    pub momentary_max_lufs: Option<Lufs>,
    /// End of that window.
    pub momentary_max_at_s: Option<Seconds>,
    /// Largest of the 3 s windows every 100 ms. EBU Tech 3341.
    pub short_term_max_lufs: Option<Lufs>,
    /// End of that window.
    pub short_term_max_at_s: Option<Seconds>,
    /// 4x oversampled (2x from 96 kHz). BS.1770-5, Annex 2.
    pub true_peak_dbtp: Option<Dbtp>,
    /// Largest absolute sample.
    pub sample_peak_dbfs: Option<Dbfs>,
    /// PLR: true peak minus integrated loudness.
    pub peak_to_loudness_lu: Option<Lu>,
}

/// Measures loudness block by block.
#[derive(Debug)]
pub struct LoudnessMeter {}
