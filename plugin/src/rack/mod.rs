//! Wavemill Rack: a chain of effects and steps on a track.

mod face;
mod files;
pub(crate) mod folders;
mod loudness;
mod model;
mod params;
mod plugin;
pub(crate) mod source;

pub use plugin::Rack;
