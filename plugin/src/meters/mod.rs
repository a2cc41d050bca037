//! What the audio thread measures, and how the editor sees it.

mod channels;
mod distribution;
mod engine;
mod history;
mod levels;
mod listener;
mod music;
pub(crate) mod readings;
mod stereo;
mod tap;
mod timeline;

pub(crate) use channels::ChannelReading;
pub(crate) use distribution::{BINS, LOWEST_LUFS};
pub(crate) use engine::Meters;
pub(crate) use engine::Shared;
#[cfg(test)]
pub(crate) use history::HistoryWriter;
pub(crate) use history::{Point, Snapshot};
pub(crate) use levels::{CHANNELS_MAX, LevelKind, Levels};
pub(crate) use listener::Listener;
pub(crate) use music::{Key, Music, Tempo};
pub(crate) use readings::{Reading, Readings};
pub(crate) use tap::Tap;
pub(crate) use timeline::Passage;
