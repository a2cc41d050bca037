//! The sandbox of effect modules. A loaded module is a [`Processor`](wavemill_core::processor::Processor); the contract is
//! `effects/ABI.md`.

mod allowance;
mod budgets;
pub mod bundled;
mod cache;
mod changes;
pub mod check;
mod compile;
mod contract;
mod create;
mod deadline;
mod description;
mod effect;
mod engine;
mod fault;
mod guest;
mod host;
mod lane;
mod limiter;
pub mod limits;
mod load;
mod module;
mod planes;
mod rewrite;
mod sandbox;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod ticker;

pub use allowance::Allowance;
pub use bundled::{Bundled, bundled};
pub use check::{CheckReport, CheckResult, Verdict, check};
pub use create::CreateError;
pub use description::{Description, DescriptionError, Meter, Param, Preset, Scale};
pub use effect::{Effect, PlacedFault};
pub use engine::prepare_thread;
pub use fault::Failure;
pub use load::LoadError;
pub use module::{Module, sha256};
pub use sandbox::{Mode, Sandbox, SandboxError};
pub use settings::{Settings, SettingsError};
