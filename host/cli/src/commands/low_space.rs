//! Waiting until there is room for the store again, and going on.

use super::{CliError, Context};
use crate::report::{one_line, shown, size};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use wavemill_api::{StopLevel, StopSignal};
use wavemill_daemon::DaemonError;
use wavemill_pipelines::publishing::create_dirs;
use wavemill_platform::{Space, random_hex, service_manager, space_near, start_anew};
use wavemill_store::{Store, StoreError, is_full};

/// Room from which the store is opened again, where the file system is not too small for that: many times what the jobs
/// of all workers write there.
const ROOM_BYTES: u64 = 16 << 20;

/// Files from which it is opened again, where the file system is not made for less: as many as a start makes.
const ROOM_FILES: u64 = 8;

/// Shortest time between two starts.
const HOLD_MIN: Duration = Duration::from_secs(10);

/// Time that threads of this process have to let go of the store.
const OWN_THREADS_END_WITHIN: Duration = Duration::from_secs(30);

/// Time between two looks; a service manager expects to be notified more often than each minute.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Holds a daemon whose store or log has no room in this folder until somebody stops it, or there is some. Then it starts
/// anew in this process, and this never returns: what its jobs had done by then is judged as after a crash.
pub(super) fn hold(
    error: &DaemonError,
    folder: &Path,
    stop: &StopSignal,
    context: &Context,
) -> Result<(), CliError> {
    let reason = one_line(&format!("{error}; paused until there is room"));
    context.report.error(&reason);
    tracing::info!(%reason, "Daemon paused: no room.");
    // One that is being started must be notified, or it is ended.
    service_manager::ready();
    service_manager::holding(&reason);
    if !wait_for_room(folder, &context.settings.state, stop) {
        return Ok(());
    }
    context.report.note("there is room again");
    tracing::info!("Daemon restarts: there is room again.");
    if stop.asked() != StopLevel::Run {
        return Ok(());
    }
    let error = start_anew();
    Err(CliError::failed(format!("there is room again, but Wavemill cannot restart: {error}")))
}

/// Why a daemon with its state or log in this folder would hold; one line.
pub(super) fn shortage(folder: &Path) -> Option<String> {
    let space = space_near(folder)?;
    let (free, room) = if lacks_files(space) {
        let files = space.free_files.unwrap_or(0);
        (format!("{files} files"), format!("{} files", room_files(space)))
    } else if space.free_bytes < room_bytes(space) {
        (size(space.free_bytes), size(room_bytes(space)))
    } else {
        return None;
    };
    let folder = shown(folder);
    Some(format!("{folder} has {free} free; a paused `wavemill watch` continues from {room}"))
}

fn lacks_files(space: Space) -> bool {
    space.free_files.is_some_and(|files| files < room_files(space))
}

fn room_files(space: Space) -> u64 {
    ROOM_FILES.min(space.total_files.div_ceil(2))
}

fn room_bytes(space: Space) -> u64 {
    ROOM_BYTES.min(space.total_bytes / 2)
}

/// Returns when there is room and nobody else has the store, or with false when a stop is asked for.
fn wait_for_room(folder: &Path, state: &Path, stop: &StopSignal) -> bool {
    let (stopped, until) = (stop.subscribe(), Instant::now() + HOLD_MIN);
    loop {
        if stop.asked() != StopLevel::Run {
            return false;
        }
        if Instant::now() >= until && has_room(folder) && !is_taken(state, until) {
            return true;
        }
        service_manager::alive();
        // A stop wakes this up, the end of the interval is no error.
        let _ = stopped.recv_timeout(LOOK_INTERVAL);
    }
}

/// Looks first, then tries it: a quota is not seen by looking. Whatever else is wrong is reported by the next start.
fn has_room(folder: &Path) -> bool {
    let Some(space) = space_near(folder) else { return true };
    space.free_bytes >= room_bytes(space)
        && !lacks_files(space)
        && takes_room(folder, space).err().is_none_or(|error| !is_full(&error))
}

/// Whether somebody else has the store, or a change of it has no room. A thread of this process that hangs, as in a dead
/// file system, and keeps the store does not count for long: the new start ends it.
fn is_taken(state: &Path, until: Instant) -> bool {
    let own = std::process::id().to_string();
    match Store::open(state) {
        Err(StoreError::Busy { pid }) => pid != own || until.elapsed() < OWN_THREADS_END_WITHIN,
        Err(StoreError::Full { .. }) => true,
        _ => false,
    }
}

/// Takes the room for a moment, in files without names: they go with this function.
fn takes_room(folder: &Path, space: Space) -> io::Result<()> {
    create_dirs(folder)?;
    let nameless = |_| {
        let path = folder.join(format!(".room.{}", random_hex()));
        let file = fs::File::create_new(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    };
    let files: Vec<_> = (0..room_files(space).max(1)).map(nameless).collect::<io::Result<_>>()?;
    let bytes = room_bytes(space);
    // A file system that cannot set room aside has only been looked at.
    match rustix::fs::fallocate(&files[0], rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_half_of_a_small_file_system_at_most() {
        let of = |total_bytes| {
            room_bytes(Space { free_bytes: 0, total_bytes, free_files: None, total_files: 0 })
        };
        let files = |total_files| {
            room_files(Space { free_bytes: 0, total_bytes: 0, free_files: Some(0), total_files })
        };
        assert_eq!([0, 1, 12, 1000].map(files), [0, 1, 6, 8]);
        assert_eq!([of(4 << 20), of(24 << 20), of(1 << 40)], [2 << 20, 12 << 20, 16 << 20]);
    }

    #[test]
    fn hold_ends_when_a_stop_is_asked_for() {
        let stop = StopSignal::new();
        stop.raise(StopLevel::Drain);
        assert!(!wait_for_room(Path::new("/"), Path::new("/"), &stop));
    }

    #[test]
    fn room_is_tried_where_the_state_is_or_would_be_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("not/made");
        assert!(shortage(&state).is_none());
        assert!(has_room(&state));
        assert_eq!(fs::read_dir(state).unwrap().count(), 0);
    }
}
