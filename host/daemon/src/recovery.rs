//! What an earlier start of the daemon left behind, judged by recorded states and by hashes.

use super::publishing::{PublishResult, emit_end, publish_job, remove_parts};
use super::shared::Shared;
use super::sources;
use std::time::Duration;
use wavemill_pipelines::publishing::Trust;
use wavemill_store::{Blame, Clock, End, EndReason, JobState, Lease, NextTry};
use wavemill_store::{JobRecord, StoreError};

/// Deaths of the daemon after which a job counts as their cause.
pub(super) const DEATHS_MAX: u32 = 100;

/// Finishes or releases every job that an earlier start held, and returns how they are then. No
/// worker of that start lives any more.
pub(super) fn recover(shared: &Shared) -> Result<Vec<JobRecord>, StoreError> {
    let mut recovered = Vec::new();
    shared.store.shorten_waits(Clock::now_ms())?;
    for job in shared.queue().held_by_others(&shared.boot_id)? {
        tracing::info!(job = %job.id, state = %job.state, "Job recovered.");
        recovered.push(match job.state {
            JobState::Running => release(shared, &job)?,
            JobState::Prepared => finish(shared, &job)?,
            JobState::Published => {
                let job = sources::carry_out(shared, job)?;
                emit_end(shared, &job, None, Duration::ZERO)?;
                job
            }
            // It ended and was reported then; only its source waited.
            _ => {
                sources::carry_out(shared, job)?;
                continue;
            }
        });
    }
    Ok(recovered)
}

/// A job whose files may be half written.
fn release(shared: &Shared, job: &JobRecord) -> Result<JobRecord, StoreError> {
    remove_parts(&parts_of_this_attempt(shared, job)?);
    if job.deaths + 1 < DEATHS_MAX {
        let job = shared.queue().release(&Lease::of(job), true)?;
        if job.state == JobState::Canceled {
            shared.emit_canceled(&job);
        }
        return Ok(job);
    }
    let end = End {
        why: EndReason::Failed,
        reason: format!("the daemon died during {DEATHS_MAX} attempts"),
        source: wavemill_store::SourceRecord::Kept,
        is_crash: false,
        now_ms: Clock::now_ms(),
    };
    let job = shared.queue().give_up(&Lease::of(job), end)?;
    shared.emit_failed(&job, None);
    Ok(job)
}

/// Outputs that the held attempt planned. Those of an earlier attempt may have their names already.
fn parts_of_this_attempt(
    shared: &Shared,
    job: &JobRecord,
) -> Result<Vec<wavemill_store::OutputRecord>, StoreError> {
    let mut outputs = shared.store.outputs(&job.id)?;
    outputs.retain(|output| output.attempt == job.attempt);
    Ok(outputs)
}

/// A job whose files are complete; some may have their names already.
fn finish(shared: &Shared, job: &JobRecord) -> Result<JobRecord, StoreError> {
    let outputs = shared.store.outputs(&job.id)?;
    let lease = Lease::of(job);
    match publish_job(shared, job, outputs.clone(), Trust::Nothing)? {
        PublishResult::Ended(job) => {
            emit_end(shared, &job, None, Duration::ZERO)?;
            Ok(*job)
        }
        PublishResult::Lost(reason) => {
            tracing::warn!(job = %job.id, %reason, "Job must run again.");
            remove_parts(&outputs);
            shared.queue().release(&lease, true)
        }
        PublishResult::Refused(reason) => {
            let source = sources::plan_for_failure(shared, job, &reason)?;
            let now_ms = Clock::now_ms();
            let end = End { why: EndReason::Failed, reason, source, is_crash: false, now_ms };
            let job = shared.queue().give_up(&lease, end)?;
            let job = sources::carry_out(shared, job)?;
            shared.emit_failed(&job, None);
            Ok(job)
        }
        PublishResult::Transient(reason) => {
            let now_ms = Clock::now_ms();
            let again = NextTry { run_at_ms: now_ms, reason, blame: Blame::Machine, now_ms };
            shared.queue().retry(&lease, again)
        }
    }
}
