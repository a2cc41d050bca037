//! Wavemill in a DAW: meters and captures on the master bus, as CLAP and VST3.

mod addresses;
mod audition;
mod capture;
mod codecs;
mod editor;
mod exported;
mod formats;
mod judge;
mod log;
mod lookup;
mod meters;
mod outputs;
mod params;
mod plugin;
mod rack;
mod render;
mod targets;
mod transport;
mod window;
mod worker;

pub use formats::{GetPluginFactory, clap_entry};
pub use plugin::Wavemill;
pub use rack::Rack;
