//! Programme loudness and true peak: ITU-R BS.1770-5, EBU R 128.

mod gating;
mod interpolation;
mod k_weighting;
mod meter;
mod pending;
mod true_peak;
mod vectors;
mod weights;

pub use meter::{LoudnessMeter, LoudnessReport};
pub use weights::MonoMode;
