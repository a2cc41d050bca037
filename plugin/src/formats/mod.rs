//! The plugin's two formats: the framework's, with what it leaves to hosts checked before.
//!
//! `nice-plug` 0.4.2 takes the mode of a VST3 from the setup before the current one, and ends the DAW's process when
//! a host processes without having activated, or with other channels than it asked for.

mod buses;
mod clap;
mod outputs;
mod session;
mod vst3;

pub use clap::clap_entry;
pub(crate) use outputs::{Output, Outputs};
pub(crate) use session::{ParamName, ParamNames, Session};
pub use vst3::GetPluginFactory;
