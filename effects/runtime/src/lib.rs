//! The sandbox of effect modules. A loaded module is a [`Processor`](wavemill_core::processor::Processor); the contract is
//! `effects/ABI.md`.

pub mod description;
pub mod limits;
pub mod settings;

pub use description::{Description, DescriptionError, Given, Param, ParamError, Preset, Scale};
pub use settings::Settings;
