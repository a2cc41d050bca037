//! What a capture reports to the editor while it runs.

use parking_lot::{Mutex, MutexGuard};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// State of one capture, shared by the audio thread, the writer and the editor. The audio thread only
/// touches the atomics.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Frames handed over to the writer, those that stand for lost ones included.
    recorded: AtomicU64,
    /// Frames that found no room, or could not be written. They are silence in the file.
    lost: AtomicU64,
    /// Place of the first frame in the song, in frames; set before the first frame is handed over.
    start: OnceLock<i64>,
    /// No more samples follow.
    is_finished: AtomicBool,
    /// Set by the writer, read by the editor; the audio thread never takes the lock.
    state: Mutex<CaptureState>,
}

/// What the writer reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CaptureState {
    /// The files written so far, in order; all but the last are complete.
    pub parts: Vec<PathBuf>,
    /// One line: why nothing more can be written.
    pub error: Option<String>,
    /// Everything is written and every file closed.
    pub is_complete: bool,
}

impl Progress {
    /// Frames handed over to the writer, lost ones included.
    pub(crate) fn recorded_frames(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Frames that are silence in the file because they were lost.
    pub(crate) fn lost_frames(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Place of the first frame in the song, in frames, where the DAW says it.
    pub(crate) fn start(&self) -> Option<i64> {
        self.start.get().copied()
    }

    /// The first frame is at this place. Real-time: only the first of all calls sets it, and nobody waits.
    pub(super) fn set_start(&self, place: i64) {
        // The first one counts.
        let _ = self.start.set(place);
    }

    /// Whether it ended without a sample: it was only prepared.
    pub(super) fn is_unused(&self) -> bool {
        self.recorded_frames() == 0 && self.lock().is_complete
    }

    /// What the writer reports.
    pub(crate) fn state(&self) -> CaptureState {
        self.lock().clone()
    }

    pub(super) fn add_recorded(&self, frames: u64) {
        self.recorded.fetch_add(frames, Ordering::Relaxed);
    }

    pub(super) fn add_lost(&self, frames: u64) {
        self.lost.fetch_add(frames, Ordering::Relaxed);
    }

    /// Says that every sample is in the ring: what was pushed before is seen by who sees this.
    pub(super) fn finish(&self) {
        self.is_finished.store(true, Ordering::Release);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, CaptureState> {
        // Nothing is left half-done when a holder panics: every change is one assignment.
        self.state.lock()
    }
}
