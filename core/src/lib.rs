//! The DSP library of Wavemill: decode, measure, process, export.
//!
//! It starts no thread, reads no clock, opens no path and logs nothing. Types of the libraries it
//! uses never cross its border.

pub mod analysis;
pub mod audio;
pub mod decode;
pub mod delivery;
pub mod denormals;
pub mod descriptor;
pub mod encode;
pub mod limit;
pub mod limits;
pub mod loudness;
pub mod measure;
#[cfg(feature = "opus")]
mod opus;
pub mod processor;
pub mod processors;
pub mod resample;
pub mod suggestion;
pub mod tags;
pub mod typeface;
pub mod units;
pub mod waveform;
