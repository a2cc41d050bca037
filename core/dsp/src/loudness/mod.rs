//! Program loudness and true peak: ITU-R BS.1770-5, EBU R 128.

mod channel_peaks;
mod energies;
mod gating;
mod group;
mod hops;
pub(crate) mod interpolation;
mod k_weighting;
mod meter;
mod peak_to_short_term;
mod report;
mod running;
mod short_term;
mod steps;
pub(crate) mod true_peak;
mod weights;

pub use channel_peaks::ChannelPeaks;
pub use group::{GroupLoudness, Piece};
pub use hops::{Hop, HopLoudness, HopPeak, loudness_curve};
pub use meter::LoudnessMeter;
pub use report::{DistributionBin, HistoryPoint, LoudnessReading, LoudnessReport};
pub use weights::MonoMode;
