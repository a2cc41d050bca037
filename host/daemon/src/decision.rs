//! Answering a worker's question which names its outputs get.

use super::crash::survive;
use super::names::choose_and_reserve;
use super::shared::Shared;
use std::path::{Path, PathBuf};
use wavemill_pipelines::execution::{Decision, Proposal, RunError};
use wavemill_pipelines::publishing::{
    Choice, NameClaim, create_dirs, part_path, refusal, stays_below,
};
use wavemill_store::Lease;
use wavemill_store::{JobRecord, OutputFacts, OutputProgress, OutputRecord, StoreError};

/// Decides about a run's outputs, none of which a link may lead out of these folders. When this returns, the decision is
/// on disk and their folders exist.
pub(super) fn decide(
    shared: &Shared,
    job: &JobRecord,
    folders: &[PathBuf],
    proposals: &[Proposal],
) -> Result<Result<Vec<Decision>, RunError>, StoreError> {
    let choices = match choose_and_reserve(shared, job, proposals)? {
        Ok(choices) => choices,
        Err(error) => return Ok(Err(error)),
    };
    let outputs: Vec<_> = proposals
        .iter()
        .zip(choices)
        .enumerate()
        .map(|(index, (proposal, choice))| plan(job, index, proposal, choice))
        .collect();
    for output in outputs.iter().filter(|output| output.progress == OutputProgress::Planned) {
        let folder = output.path.parent().unwrap_or(Path::new("/"));
        let stays = stays_below(folders, &output.path).map_err(|error| (&*output.path, error));
        let made = stays.and_then(|()| create_dirs(folder).map_err(|error| (folder, error)));
        if let Err((path, error)) = made {
            shared.names.free(&job.id);
            return Ok(Err(refusal(path, &error)));
        }
    }
    survive("before plan")?;
    shared.queue().plan_outputs(&Lease::of(job), outputs.clone())?;
    survive("after plan")?;
    Ok(Ok(outputs.into_iter().map(decision).collect()))
}

fn plan(job: &JobRecord, index: usize, proposal: &Proposal, choice: Choice) -> OutputRecord {
    let mut output = OutputRecord {
        attempt: job.attempt,
        kind: proposal.kind,
        temporary: std::path::PathBuf::new(),
        path: proposal.path.clone(),
        on_conflict: proposal.on_conflict,
        takes: NameClaim::Free,
        progress: OutputProgress::Planned,
        facts: OutputFacts::default(),
    };
    match choice {
        Choice::Skip { reason } => output.progress = OutputProgress::Skipped { reason },
        Choice::Write { path, takes } => {
            output.temporary = part_path(&path, &job.id, job.attempt, index);
            output.path = path;
            output.takes = takes;
        }
    }
    output
}

fn decision(output: OutputRecord) -> Decision {
    match output.progress {
        OutputProgress::Skipped { reason } => Decision::Skip { reason },
        _ => Decision::Write { temporary: output.temporary, path: output.path },
    }
}
