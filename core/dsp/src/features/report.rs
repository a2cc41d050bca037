//! What the meter of features reports.

use serde::{Deserialize, Serialize};

/// Statistics for finding similar music, which no other group has: [`super::values::raw_values`] takes them with those
/// of the others. Of the channels' mean; lists are empty, and fields `None`, where no value exists, as for silence and
/// less than a second of sound.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureReport {
    /// Mean level of 20 bands of equal width to the ear from 30 Hz to 16 kHz, by the mean of all, in dB. `None` for
    /// a band above half the sample rate.
    pub band_levels_db: Vec<Option<f64>>,
    /// Standard deviation of those levels over time, in dB.
    pub band_deviations_db: Vec<Option<f64>>,
    /// Levels that 5, 10, 25, 50, 75, 90 and 95 % of the frames do not exceed, by the RMS, in dB.
    pub level_percentiles_db: Vec<f64>,
    /// Mean absolute change of the level from a frame (512 samples) to the next.
    pub level_change_db: Option<f64>,
    /// The same from a second to the next.
    pub level_change_1_s_db: Option<f64>,
    /// Standard deviation of the level of seconds.
    pub level_deviation_1_s_db: Option<f64>,
    /// Share of the frames that lie more than 20 dB below the RMS, 0 to 1; silent ones are left out.
    pub quiet_share: Option<f64>,
    /// Mean rise of the bands from a frame to the next, in dB.
    pub flux_db: Option<f64>,
    /// Standard deviation of those rises by their mean.
    pub flux_peakiness: Option<f64>,
    /// Share of the rises below 255 Hz, 0 to 1.
    pub low_flux_share: Option<f64>,
    /// Share of the rises above 4450 Hz, 0 to 1.
    pub high_flux_share: Option<f64>,
    /// Autocorrelation of the rises, -1 to 1: the largest in each of 16 ranges of tempo, four to the octave from 30
    /// to 480 beats a minute.
    pub pulse: Vec<f64>,
    /// Shares of the pitch classes from C on in notes, 0 to 1.
    pub treble: Vec<f64>,
    /// The same in bass notes.
    pub bass: Vec<f64>,
    /// Mean distance of the pitch class profiles of two seconds that follow one another: one less the cosine, 0 to 1.
    pub harmonic_change: Option<f64>,
}
