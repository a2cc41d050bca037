//! Numbers about audio. What each means is said at its field, with its source.

mod dynamic_range;
mod gating;
mod level;
mod loudness;
mod true_peak;

pub use level::{LevelMeter, LevelReport};
pub use loudness::{LoudnessMeter, LoudnessReport, MonoMode};
