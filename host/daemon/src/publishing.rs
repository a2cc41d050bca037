//! From a prepared job to its end: final names, ledger, source. The same code after a crash.

use super::crash::survive;
use super::event::DaemonEvent;
use super::shared::Shared;
use super::sources;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use wavemill_api::output_view;
use wavemill_pipelines::execution::OutputKind;
use wavemill_pipelines::model::OnConflict;
#[cfg(test)]
use wavemill_pipelines::publishing::crash_tests;
use wavemill_pipelines::publishing::{
    FileIdentity, Finished, KnownOutput, Memory, NameClaim, PublishError, Trust, publish, suffixed,
    withdraw,
};
use wavemill_pipelines::report::Report;
use wavemill_store::cache::Outputs;
use wavemill_store::{Clock, JobState, Lease, Publication};
use wavemill_store::{Ending, JobRecord, OutputProgress, OutputRecord, StoreError};

/// How publishing went.
#[derive(Debug)]
pub(super) enum PublishResult {
    /// The job reached its end.
    Ended(Box<JobRecord>),
    /// A temporary file is gone or damaged: the job must run again.
    Lost(String),
    /// A name was taken meanwhile; nothing of the set remains.
    Refused(String),
    /// The disk failed; nothing of the set remains.
    Transient(String),
}

/// Publishes the outputs of a prepared job, in order, and ends it.
pub(super) fn publish_job(
    shared: &Shared,
    job: &JobRecord,
    mut outputs: Vec<OutputRecord>,
    trust: Trust,
) -> Result<PublishResult, StoreError> {
    let mut done: Vec<(Finished, FileIdentity)> = Vec::new();
    for index in 0..outputs.len() {
        match publish_output(shared, job, &mut outputs, index, trust)? {
            Ok(Some(published)) => done.push(published),
            Ok(None) => {}
            // What has its name already stays: the next attempt knows it as its own.
            Err(PublishError::Lost { path, how }) => {
                return Ok(PublishResult::Lost(format!("{} is {how}", path.display())));
            }
            Err(error) => {
                take_back(&outputs, &done);
                let reason = error.to_string();
                return Ok(match error {
                    PublishError::Taken { .. } => PublishResult::Refused(reason),
                    _ => PublishResult::Transient(reason),
                });
            }
        }
    }
    let ending = ending_of(&job.ending, &outputs);
    let made: Vec<_> = done.iter().map(|(file, identity)| made(job, file, *identity)).collect();
    let publication = Publication {
        outputs,
        identities: done.into_iter().map(|(file, identity)| (file.path, identity)).collect(),
        source: sources::plan_for_ending(shared, job, &ending)?,
        ending,
        now_ms: Clock::now_ms(),
    };
    survive("before ledger")?;
    let job = shared.queue().publish(&Lease::of(job), publication)?;
    survive("after ledger")?;
    let memory = Outputs::of_state(&shared.state);
    for (path, made) in &made {
        memory.remember(path, made);
    }
    sources::carry_out(shared, job).map(|job| PublishResult::Ended(Box::new(job)))
}

/// An output as `wavemill run` shall know it.
fn made(job: &JobRecord, file: &Finished, identity: FileIdentity) -> (PathBuf, KnownOutput) {
    let made = KnownOutput {
        pipeline: job.file.pipeline.clone(),
        input: job.file.path(),
        input_blake3: job.hash.clone(),
        identity,
        blake3: file.blake3.clone(),
    };
    (file.path.clone(), made)
}

/// How a job ends whose outputs have their names: as prepared, unless names were taken meanwhile, so
/// that no export is left. Its source may then not be treated as delivered.
fn ending_of(prepared: &Ending, outputs: &[OutputRecord]) -> Ending {
    let is_made = |output: &OutputRecord| {
        output.kind == OutputKind::Export
            && matches!(output.progress, OutputProgress::Published { .. })
    };
    if *prepared != Ending::Done || outputs.iter().any(is_made) {
        return prepared.clone();
    }
    let skipped = outputs.iter().find_map(|output| match &output.progress {
        OutputProgress::Skipped { reason } => Some(Ending::Skipped { reason: reason.clone() }),
        _ => None,
    });
    skipped.unwrap_or(Ending::Done)
}

/// Gives one output its name. `None` when it is left out.
fn publish_output(
    shared: &Shared,
    job: &JobRecord,
    outputs: &mut [OutputRecord],
    index: usize,
    trust: Trust,
) -> Result<Result<Option<(Finished, FileIdentity)>, PublishError>, StoreError> {
    loop {
        let Some(file) = finished(&outputs[index]) else { return Ok(Ok(None)) };
        match publish(&file, trust) {
            Ok(identity) => {
                let (size_bytes, blake3) = (file.size_bytes, file.blake3.clone());
                outputs[index].progress = OutputProgress::Published { size_bytes, blake3 };
                return Ok(Ok(Some((file, identity))));
            }
            Err(PublishError::Taken { path }) => {
                if !replan(&mut outputs[index]) {
                    return Ok(Err(PublishError::Taken { path }));
                }
                shared.queue().replan(&Lease::of(job), outputs.to_vec())?;
            }
            #[cfg(test)]
            Err(PublishError::Io { error, .. }) if error.to_string() == crash_tests::MESSAGE => {
                return Err(StoreError::Io { reason: error.to_string() });
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn finished(output: &OutputRecord) -> Option<Finished> {
    let (OutputProgress::Prepared { size_bytes, blake3 }
    | OutputProgress::Published { size_bytes, blake3 }) = &output.progress
    else {
        return None;
    };
    Some(Finished {
        temporary: output.temporary.clone(),
        path: output.path.clone(),
        takes: output.takes,
        size_bytes: *size_bytes,
        blake3: blake3.clone(),
    })
}

/// Does what the pipeline says about a name that was taken since it was chosen; false when that is
/// an error.
fn replan(output: &mut OutputRecord) -> bool {
    match output.on_conflict {
        OnConflict::Error => false,
        OnConflict::Replace => {
            let is_new = output.takes != NameClaim::Any;
            output.takes = NameClaim::Any;
            is_new
        }
        OnConflict::Skip => {
            let _ = fs::remove_file(&output.temporary);
            let reason = format!("{} already exists", output.path.display());
            output.progress = OutputProgress::Skipped { reason };
            true
        }
        OnConflict::Suffix => {
            let free = (2..).map(|number| suffixed(&output.path, number));
            let free = free.into_iter().find(|path| fs::symlink_metadata(path).is_err());
            output.takes = NameClaim::Free;
            free.is_some_and(|path| {
                output.path = path;
                true
            })
        }
    }
}

fn take_back(outputs: &[OutputRecord], done: &[(Finished, FileIdentity)]) {
    remove_parts(outputs);
    for (file, identity) in done {
        if let Err(error) = withdraw(file, *identity) {
            tracing::warn!(path = %file.path.display(), %error, "Output could not be removed.");
        }
    }
}

/// Removes the temporary files of an attempt that did not end well.
pub(super) fn remove_parts(outputs: &[OutputRecord]) {
    for output in outputs.iter().filter(|output| output.temporary != PathBuf::new()) {
        match fs::remove_file(&output.temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = output.temporary.display();
                tracing::warn!(%path, %error, "Temporary file could not be removed.");
            }
            _ => {}
        }
    }
}

/// Reports how a job ended.
pub(super) fn emit_end(
    shared: &Shared,
    job: &JobRecord,
    report: Option<Box<Report>>,
    elapsed: Duration,
) -> Result<(), StoreError> {
    if job.state == JobState::Skipped {
        shared.emit_skipped(job);
        return Ok(());
    }
    let outputs = shared.store.outputs(&job.id)?.iter().map(output_view).collect();
    let (id, pipeline, input) = (job.id.clone(), job.file.pipeline.clone(), job.input.clone());
    shared.emit(if let Ending::Rejected { reason } = &job.ending {
        tracing::info!(job = %id, input = %input.display(), %reason, "Job rejected.");
        let reason = reason.clone();
        DaemonEvent::JobRejected { job: id, pipeline, input, reason, outputs, report }
    } else {
        tracing::info!(job = %id, input = %input.display(), "Job done.");
        DaemonEvent::JobDone { job: id, pipeline, input, outputs, report, elapsed }
    });
    Ok(())
}
