//! The daemon: watches folders, hands jobs to workers, publishes what they make.

mod event;
mod settings;
mod stop;

pub use event::{DaemonEvent, StartedWatch};
pub use settings::{DaemonError, DaemonSettings, PipelineSource, Summary};
pub use stop::{StopLevel, StopSignal};

/// Runs until stopped, or until nothing is left to do if that was asked.
///
/// # Errors
/// When it cannot start, or when the store can no longer be written: whatever was under way then is
/// resumed by the next start.
pub fn run(_settings: DaemonSettings) -> Result<Summary, DaemonError> {
    Err(DaemonError::Start { reason: "the daemon is not built yet".to_owned() })
}
