//! Places where tests make a daemon end without warning.

use wavemill_pipelines::publishing::crash_point;
use wavemill_store::StoreError;

/// A place where tests make a crash.
pub(super) fn survive(point: &'static str) -> Result<(), StoreError> {
    crash_point(point).map_err(|error| StoreError::Io { reason: error.to_string() })
}
