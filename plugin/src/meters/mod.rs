//! What the audio thread measures, and how the editor sees it.

mod distribution;
mod engine;
mod history;
mod listener;
mod music;
mod readings;
mod stereo;
mod tap;

pub use distribution::{BINS, Distribution, LOWEST_LUFS};
pub(crate) use engine::Meters;
pub use engine::Shared;
#[cfg(test)]
pub(crate) use history::Scribe;
pub use history::{History, POINT_S, POINTS_MAX, Point, Snapshot};
pub(crate) use listener::Listener;
pub use music::{Key, Music, Tempo};
pub use readings::{Reading, Readings, Values};
pub use tap::Tap;
