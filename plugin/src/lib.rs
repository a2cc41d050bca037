//! Wavemill in a DAW: meters and captures on the master bus, as CLAP and VST3.

pub mod capture;
mod editor;
pub mod meters;
pub mod params;
mod plugin;
mod render;
mod transport;
mod worker;

pub use plugin::Wavemill;

nice_plug::nice_export_clap!(Wavemill);
nice_plug::nice_export_vst3!(Wavemill);
