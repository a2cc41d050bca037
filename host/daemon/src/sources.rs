//! Sources of jobs: whether they are still what was found, and what becomes of them.

use super::crash::survive;
use super::shared::Shared;
use std::io;
use std::path::PathBuf;
use wavemill_pipelines::execution::Job;
use wavemill_pipelines::model::SourceAction;
use wavemill_pipelines::publishing::{hash_file, identity, stays_below};
use wavemill_store::JobState;
use wavemill_store::source::{self, PlannedMove, SourceContext, plan_move};
use wavemill_store::{Ending, JobRecord, SourceRecord, StoreError};

/// Most names tried for a moved source: each is free when chosen, so a second try is rare.
const MOVES_MAX: usize = 100;

/// What a source is compared with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceState {
    /// The same bytes.
    Same,
    /// Other bytes.
    Changed,
    /// No regular file.
    Gone,
}

/// Looks at a job's source; reads it only when its time, size or inode changed.
pub(super) fn state_of(job: &JobRecord) -> SourceState {
    match identity(&job.input) {
        Ok(Some(found)) if found == job.identity => SourceState::Same,
        Ok(Some(found)) if found.size_bytes != job.identity.size_bytes => SourceState::Changed,
        Ok(Some(_)) => match hash_file(&job.input) {
            Ok(hash) if hash != job.hash => SourceState::Changed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SourceState::Gone,
            // An unreadable file is for the worker to complain of.
            _ => SourceState::Same,
        },
        Ok(None) => SourceState::Gone,
        Err(_) => SourceState::Same,
    }
}

/// What becomes of the source of a job that is published.
pub(super) fn plan_for_ending(
    shared: &Shared,
    job: &JobRecord,
    ending: &Ending,
) -> Result<SourceRecord, StoreError> {
    match ending {
        Ending::Rejected { reason } => plan_for_failure(shared, job, reason),
        // A file of which nothing was made stays: it may not be deleted for that.
        Ending::Skipped { .. } => Ok(SourceRecord::Kept),
        Ending::Done => plan(shared, job, None),
    }
}

/// What becomes of the source of a job that failed for this reason.
pub(super) fn plan_for_failure(
    shared: &Shared,
    job: &JobRecord,
    reason: &str,
) -> Result<SourceRecord, StoreError> {
    plan(shared, job, Some(reason))
}

fn plan(
    shared: &Shared,
    job: &JobRecord,
    failure: Option<&str>,
) -> Result<SourceRecord, StoreError> {
    if job.is_submitted() {
        return Ok(SourceRecord::Kept);
    }
    let plan = shared.plans.get(&shared.store, &job.file.pipeline, &job.plan)?;
    let Some(plan) = plan else { return Ok(SourceRecord::Kept) };
    let policy = &plan.pipeline.source;
    let action = if failure.is_some() { &policy.on_failure } else { &policy.on_success };
    let name = job.file.relative.file_name().unwrap_or_default();
    let planned = match action {
        SourceAction::Keep => Ok(SourceRecord::Kept),
        SourceAction::Delete => Ok(SourceRecord::Deleting),
        SourceAction::Trash => plan_move(&job.input, name, PlannedMove::Trash),
        SourceAction::Move(template) => match plan.pipeline.values(&to_job(job)) {
            Ok(values) => {
                let folder: PathBuf = shared.root.join(template.expand_folder(&values));
                let reason =
                    failure.map(|reason| format!("{}: {reason}", job.file.path().display()));
                let base = shared.root.join(template.fixed_part_of_folder());
                let bases = Vec::from_iter(shared.workers.is_confined.then_some(base));
                let stays = match stays_below(&bases, &folder.join(name)) {
                    // A disk that fails is for the move to meet, which is tried again.
                    Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Ok(()),
                    stays => stays,
                };
                stays.and_then(|()| plan_move(&job.input, name, PlannedMove::Into(&folder, reason)))
            }
            Err(error) => Err(io::Error::other(error.to_string())),
        },
    };
    Ok(planned.unwrap_or_else(|error| SourceRecord::Left { reason: error.to_string() }))
}

/// The job as the pipelines crate wants it.
pub(super) fn to_job(job: &JobRecord) -> Job {
    Job {
        id: job.id.clone(),
        attempt: job.attempt,
        input: job.input.clone(),
        name: job.file.relative.file_name().unwrap_or_default().into(),
        reldir: job.file.reldir().to_path_buf(),
        created: job.created.clone(),
        hash: job.hash.clone(),
        group: None,
    }
}

/// Whether a failure moved the source of a job to where it is, with its reason beside it, and no job since took it away.
fn has_reason(shared: &Shared, job: &JobRecord) -> Result<bool, StoreError> {
    let mut former = job.retry_of.clone().filter(|_| job.input != job.file.path());
    while let Some(id) = former {
        let last = match shared.store.job(&id) {
            Ok(last) => last,
            Err(StoreError::Missing { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let moved_here = SourceRecord::Moved { to: job.input.clone() };
        if last.source == moved_here {
            let has_failed = matches!(last.state, JobState::Failed | JobState::Rejected);
            return Ok(has_failed && !source::is_trashed(&job.input));
        }
        former = last.retry_of.filter(|_| last.input == job.input);
    }
    Ok(false)
}

/// Does what was decided about a source and records it.
pub(super) fn carry_out(shared: &Shared, mut job: JobRecord) -> Result<JobRecord, StoreError> {
    let found = job.file.path();
    let has_reason = has_reason(shared, &job)?;
    if has_reason && job.state == JobState::Done && job.source == SourceRecord::Kept {
        source::remove_reason(&job.input);
    }
    for _ in 0..MOVES_MAX {
        if !job.source.is_pending() {
            break;
        }
        let source = SourceContext {
            job: &job.id,
            input: &job.input,
            found: &found,
            has_reason,
            identity: job.identity,
            hash: &job.hash,
        };
        let done = source::carry_out(&source, &job.source)
            .map_err(|error| StoreError::Io { reason: error.to_string() })?;
        survive("before source record")?;
        job = shared.queue().settle_source(&job.id, done)?;
        survive("after source record")?;
    }
    Ok(job)
}
