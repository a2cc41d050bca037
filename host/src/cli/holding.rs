//! Waiting until there is room for the store again, and going on.

use super::{CliError, Context};
use crate::daemon::{DaemonError, StopLevel, StopSignal};
use crate::platform::{service_manager, space, start_anew};
use crate::report::one_line;
use std::path::Path;
use std::time::{Duration, Instant};

/// Room from which the store is opened again: many times what the jobs of all workers write there.
const ROOM_BYTES: u64 = 16 << 20;

/// The same for the count of files that can be made.
const ROOM_FILES: u64 = 64;

/// Shortest time between two starts: where a quota says no, the file system may have room all the same.
const HOLD_MIN: Duration = Duration::from_secs(10);

/// Time between two looks; a service manager wants to hear more often than each minute.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Holds a daemon whose store has no room until somebody stops it, or there is some. Then it starts anew in this
/// process, and this never returns: what its jobs had done by then is judged as after a crash.
pub(super) fn hold(
    error: &DaemonError,
    stop: &StopSignal,
    context: &Context,
) -> Result<(), CliError> {
    let reason = one_line(&format!("{error}; nothing is done until there is room"));
    context.report.error(&reason);
    tracing::info!(%reason, "Daemon holds.");
    service_manager::holding(&reason);
    if !wait_for_room(&context.settings.state, stop) {
        return Ok(());
    }
    context.report.note("there is room again");
    tracing::info!("Daemon starts anew: there is room again.");
    let error = start_anew();
    Err(CliError::failed(format!(
        "there is room again, but this program cannot start anew: {error}"
    )))
}

/// Returns when there is room, or with false when a stop is asked for.
fn wait_for_room(state: &Path, stop: &StopSignal) -> bool {
    let (stopped, until) = (stop.subscribe(), Instant::now() + HOLD_MIN);
    loop {
        if stop.asked() != StopLevel::Run {
            return false;
        }
        if Instant::now() >= until && has_room(state) {
            return true;
        }
        service_manager::alive();
        // A stop wakes this up, the end of the interval is no error.
        let _ = stopped.recv_timeout(LOOK_INTERVAL);
    }
}

fn has_room(state: &Path) -> bool {
    space(state).is_ok_and(|room| {
        room.free_bytes >= ROOM_BYTES && room.free_files.is_none_or(|files| files >= ROOM_FILES)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_ends_when_a_stop_is_asked_for() {
        let stop = StopSignal::new();
        stop.raise(StopLevel::Drain);
        assert!(!wait_for_room(Path::new("/"), &stop));
    }
}
