//! Names of outputs: what is on disk, what we made, and what running jobs are about to make.

use super::reservations::{HeldNames, Holder};
use super::shared::Shared;
use std::io;
use std::path::Path;
use std::time::Duration;
use wavemill_pipelines::execution::{Proposal, RunError};
use wavemill_pipelines::model::OnConflict;
use wavemill_pipelines::publishing::{
    Choice, FileIdentity, Memory, NameClaim, NameState, Names, Source, are_twins, choose,
    hash_file, standing_on_disk,
};
use wavemill_store::cache::Outputs;
use wavemill_store::{JobRecord, LedgerRecord, OutputProgress, OutputRecord, Store, StoreError};

/// Longest wait for another job before it is asked again whether to stop.
const WAIT: Duration = Duration::from_millis(500);

/// Names as one job sees them.
struct JobNames<'a> {
    store: &'a Store,
    job: &'a JobRecord,
    /// What earlier attempts of this job made; not in the ledger yet.
    former: &'a [OutputRecord],
    held: &'a HeldNames,
    /// What `run` made too.
    memory: &'a Outputs,
    /// The source as it was found.
    input: &'a Path,
}

impl Names for JobNames<'_> {
    fn standing(&self, path: &Path) -> io::Result<NameState> {
        if let Some(holder) = self.held.get(path) {
            let by = if holder.job == self.job.id {
                "is written twice by this pipeline".to_owned()
            } else {
                let by = format!(
                    "is being written from {} by job {}",
                    holder.input.display(),
                    holder.job
                );
                if holder.pipeline == self.job.file.pipeline && are_twins(&holder.input, self.input)
                {
                    return Ok(NameState::OfTwin { by });
                }
                by
            };
            return Ok(NameState::Taken { by, is_replaceable: holder.job != self.job.id });
        }
        let made = self.store.ledger(path).map_err(io::Error::other)?;
        let is_own = |made: &LedgerRecord| made.file == self.job.file;
        // Ids sort by age: newer content of the same name, which came while this job waited, is never replaced.
        let is_newer = |made: &LedgerRecord| is_own(made) && made.job > self.job.id;
        let standing = standing_on_disk(path, &self.job.input, |found| {
            if let Some(made) = made.as_ref().filter(|made| is_own(made) && !is_newer(made))
                && (made.identity == found || holds(path, found, made.identity, &made.blake3)?)
            {
                return Ok(true);
            }
            if self.is_of_former_attempt(path, found)? {
                return Ok(true);
            }
            // What `run` made, perhaps in place of what a job did. The ledger knows other sources better.
            if made.as_ref().is_some_and(|made| !is_own(made) || is_newer(made)) {
                return Ok(false);
            }
            let remembered = self.memory.recall(path);
            remembered
                .filter(|remembered| remembered.is_of(self.source()))
                .map_or(Ok(false), |remembered| remembered.is_unchanged(path, found))
        })?;
        Ok(match (standing, made) {
            (NameState::Taken { is_replaceable: true, .. }, Some(made))
                if self.is_of_twin(&made) =>
            {
                let by =
                    format!("was made from {} by job {}", made.file.path().display(), made.job);
                NameState::OfTwin { by }
            }
            (NameState::Taken { is_replaceable: true, .. }, Some(made)) => {
                let by = if is_own(&made) && !is_newer(&made) {
                    format!("was changed since job {} made it", made.job)
                } else {
                    format!("was made from {} by job {}", made.file.path().display(), made.job)
                };
                NameState::Taken { by, is_replaceable: !is_newer(&made) }
            }
            (NameState::Taken { is_replaceable: true, by }, None) => {
                match self.memory.recall(path).filter(|made| made.is_of_twin(self.source())) {
                    Some(_) => NameState::OfTwin { by },
                    None => NameState::Taken { by, is_replaceable: true },
                }
            }
            (standing, _) => standing,
        })
    }

    fn input(&self) -> &Path {
        self.input
    }

    fn advice(&self) -> &'static str {
        "move it away or set `on_conflict` in [[export]], then `wavemill jobs retry`"
    }
}

impl JobNames<'_> {
    fn source(&self) -> Source<'_> {
        Source { pipeline: &self.job.file.pipeline, input: self.input, blake3: &self.job.hash }
    }

    fn is_of_twin(&self, made: &LedgerRecord) -> bool {
        made.file.pipeline == self.job.file.pipeline && are_twins(&made.file.path(), self.input)
    }

    fn is_of_former_attempt(&self, path: &Path, found: FileIdentity) -> io::Result<bool> {
        for output in self.former.iter().filter(|output| output.path == path) {
            if output.takes == NameClaim::Own(found) {
                return Ok(true);
            }
            let (OutputProgress::Prepared { size_bytes, blake3 }
            | OutputProgress::Published { size_bytes, blake3 }) = &output.progress
            else {
                continue;
            };
            if found.size_bytes == *size_bytes && hash_file(path)? == *blake3 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a file whose inode or time changed still has the bytes that we made.
fn holds(path: &Path, found: FileIdentity, made: FileIdentity, blake3: &str) -> io::Result<bool> {
    Ok(found.size_bytes == made.size_bytes && hash_file(path)? == blake3)
}

/// Chooses names for all outputs of a job at once and reserves them. Waits where another running job
/// is about to make a file that this one replaces: the later job wins, as if they had run in turn.
pub(super) fn choose_and_reserve(
    shared: &Shared,
    job: &JobRecord,
    proposals: &[Proposal],
) -> Result<Result<Vec<Choice>, RunError>, StoreError> {
    let former = shared.store.outputs(&job.id)?;
    let mut held = shared.names.lock();
    while proposals.iter().any(|proposal| must_wait(&held, job, proposal)) {
        if shared.stop.level() == wavemill_api::StopLevel::Now {
            return Ok(Err(RunError::Canceled));
        }
        shared.names.freed.wait_for(&mut held, WAIT);
    }
    let mut choices = Vec::new();
    let (memory, input) = (Outputs::of_state(&shared.state), job.file.path());
    let pipeline = job.file.pipeline.clone();
    let holder = Holder { job: job.id.clone(), pipeline, input: input.clone() };
    for proposal in proposals {
        let names = JobNames {
            store: &shared.store,
            job,
            former: &former,
            held: &held,
            memory: &memory,
            input: &input,
        };
        match choose(&names, proposal) {
            Ok(choice) => {
                if let Choice::Write { path, .. } = &choice {
                    held.insert(path.clone(), holder.clone());
                }
                choices.push(choice);
            }
            Err(error) => {
                held.retain(|_, holder| holder.job != job.id);
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(choices))
}

fn must_wait(held: &HeldNames, job: &JobRecord, proposal: &Proposal) -> bool {
    proposal.on_conflict == OnConflict::Replace
        && held.get(&proposal.path).is_some_and(|holder| holder.job != job.id)
}
