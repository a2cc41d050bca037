//! Numbers about audio. What each means is said at its field, with its source.

mod dynamic_range;
mod level;

pub use level::{LevelMeter, LevelReport};
