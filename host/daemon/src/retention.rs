//! Forgets finished jobs, and deletes files that a pipeline made and that are older than it says.

use super::event::DaemonEvent;
use super::plans::Plan;
use super::shared::Shared;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wavemill_api::expire;
use wavemill_pipelines::model::Duplicates;
use wavemill_store::Clock;
use wavemill_store::{ClockRecord, History, PruneCounts, Store, StoreError};

/// Time between two sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// Most files that one sweep deletes of a pipeline.
const FILES_MAX: usize = 100_000;

/// Time without a look at the clock from which it is not believed at once: it may have been set.
const SILENCE_MAX_MS: u64 = 7 * 24 * 3_600_000;

/// Time that a clock in doubt has to go on for before anything is deleted.
const DOUBT_MS: u64 = 24 * 3_600_000;

/// Sweeps now and then, on a thread of its own: a file system may take its time, or be gone.
#[derive(Debug, Default)]
pub(super) struct Retention {
    swept: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

impl Retention {
    /// Begins a sweep if one is due.
    pub(super) fn look(&mut self, shared: &Arc<Shared>) -> Result<(), StoreError> {
        let is_due = self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_INTERVAL);
        if !is_due || self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        self.swept = Some(Instant::now());
        let current = shared.plans.current();
        let terms = current
            .values()
            .filter_map(|plan| Some((plan.pipeline.name.clone(), plan.pipeline.keep_for?)));
        let mut terms: Vec<_> = terms.collect();
        let is_clock_believed = is_clock_believed(&shared.store)?;
        if !is_clock_believed {
            terms.clear();
        }
        let history = history(shared, is_clock_believed);
        let shared = Arc::clone(shared);
        let sweep = move || {
            if let Err(error) = prune(&shared, &history) {
                tracing::warn!(%error, "Finished jobs could not be forgotten.");
            }
            for (pipeline, keep_for) in terms {
                if let Err(error) = sweep(&shared, &pipeline, keep_for) {
                    tracing::warn!(pipeline, %error, "Expired files not deleted.");
                }
            }
        };
        let thread = std::thread::Builder::new().name("retention".to_owned()).spawn(sweep);
        match thread {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => tracing::warn!(%error, "Search for old jobs and expired files failed."),
        }
        Ok(())
    }

    /// Waits for the sweep that is under way.
    pub(super) fn finish(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether the clock goes on from where it was; a look at it is noted.
fn is_clock_believed(store: &Store) -> Result<bool, StoreError> {
    let now_ms = Clock::now_ms();
    let next = doubted(store.clock()?, now_ms);
    store.set_clock(next)?;
    let is_believed = now_ms >= next.doubted_until_ms;
    if !is_believed {
        tracing::warn!(
            "Nothing is deleted or forgotten by age for a day: the clock jumped ahead, or \
            no daemon ran for a week."
        );
    }
    Ok(is_believed)
}

/// What is noted of the clock at a look.
fn doubted(known: Option<ClockRecord>, now_ms: u64) -> ClockRecord {
    let Some(known) = known else { return ClockRecord { seen_ms: now_ms, doubted_until_ms: 0 } };
    let is_jump = now_ms > known.seen_ms.saturating_add(SILENCE_MAX_MS);
    let until_ms = if is_jump { now_ms.saturating_add(DOUBT_MS) } else { known.doubted_until_ms };
    // It was set back since.
    let doubted_until_ms = until_ms.min(now_ms.saturating_add(DOUBT_MS));
    ClockRecord { seen_ms: now_ms, doubted_until_ms }
}

/// What is remembered of finished jobs. Their number bounds them whatever the clock says.
fn history(shared: &Shared, is_clock_believed: bool) -> History {
    let history_ms = u64::try_from(shared.history.as_millis()).unwrap_or(u64::MAX);
    let since_ms = Clock::now_ms().saturating_sub(history_ms);
    let current = shared.plans.current();
    let skips = |plan: &&Arc<Plan>| {
        plan.pipeline.watches.iter().any(|watch| watch.duplicates == Duplicates::Skip)
    };
    History {
        since_ms: if is_clock_believed { since_ms } else { 0 },
        jobs_max: shared.history_jobs,
        skip_duplicates: current
            .values()
            .filter(skips)
            .map(|it| it.pipeline.name.clone())
            .collect(),
    }
}

fn prune(shared: &Shared, history: &History) -> Result<(), StoreError> {
    let is_stopped = || shared.stop.level() == wavemill_api::StopLevel::Now;
    let PruneCounts { jobs, files, plans } = shared.store.prune(history, &is_stopped)?;
    if jobs + files + plans > 0 {
        tracing::info!(jobs, files, plans, "Old jobs are forgotten.");
    }
    Ok(())
}

fn sweep(shared: &Shared, pipeline: &str, keep_for: Duration) -> Result<(), StoreError> {
    let keep_ms = u64::try_from(keep_for.as_millis()).unwrap_or(u64::MAX);
    let until_ms = Clock::now_ms().saturating_sub(keep_ms);
    let mut old: Vec<PathBuf> = Vec::new();
    shared.store.visit_catalog(0, until_ms, &mut |path, record| {
        if record.pipeline.as_deref() == Some(pipeline) {
            old.push(path.to_owned());
        }
        Ok(old.len() < FILES_MAX)
    })?;
    let mut files = 0;
    for path in old {
        if shared.stop.level() == wavemill_api::StopLevel::Now {
            break;
        }
        let path_shown = path.display();
        match expire(&shared.store, &path, &shared.output_root)? {
            Ok(()) => {
                files += 1;
                tracing::info!(pipeline, path = %path_shown, "Expired file deleted.");
            }
            Err(reason) => {
                tracing::debug!(pipeline, path = %path_shown, reason, "Expired file kept.");
            }
        }
    }
    if files > 0 {
        shared.emit(DaemonEvent::Expired { pipeline: pipeline.to_owned(), files });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_that_jumps_is_believed_a_day_later() {
        let hour = 3_600_000;
        let first = doubted(None, 1_000 * hour);
        assert_eq!(first.doubted_until_ms, 0);
        // A weekend off is nothing.
        let second = doubted(Some(first), 1_060 * hour);
        assert!(second.doubted_until_ms <= 1_060 * hour);
        let jumped = doubted(Some(second), 90_000 * hour);
        assert_eq!(jumped.doubted_until_ms, 90_024 * hour);
        let later = doubted(Some(jumped), 90_001 * hour);
        assert_eq!(later.doubted_until_ms, 90_024 * hour);
        assert!(doubted(Some(later), 90_025 * hour).doubted_until_ms <= 90_025 * hour);
        // It was set right again.
        let back = doubted(Some(later), 1_061 * hour);
        assert_eq!(back.doubted_until_ms, 1_085 * hour);
    }
}
