//! What a pipeline would do with a file: shown by `wavemill plan`, followed by [`crate::execution`].

pub(crate) mod blueprint;
pub(crate) mod ceiling;
mod format;
mod view;
mod when;

pub use view::{Plan, PlannedExport, PlannedInput, PlannedPass, PlannedStep, PlannedTiming, plan};
