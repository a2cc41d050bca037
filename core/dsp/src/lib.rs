//! What is done with samples: meters, processors, resampling, waveforms.

pub mod advice;
pub mod analysis;
pub mod delivery;
pub mod descriptor;
pub mod features;
pub mod limit;
mod log2;
pub mod loudness;
pub mod matching;
pub mod measure;
pub mod music;
pub mod processor;
pub mod processors;
pub mod resample;
pub mod typeface;
pub mod waveform;
