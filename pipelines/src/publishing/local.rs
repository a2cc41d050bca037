//! Publishing without a daemon: what `wavemill run` and the plugin do in their own process.

use super::conflict::{Choice, NameState, Names, choose, forced, refusal, standing_on_disk};
use super::files::{FileIdentity, create_dirs};
use super::known_output::{KnownOutput, Memory, Source};
use super::name_claim::NameClaim;
use super::names::part_path;
use super::parts::LocalParts;
use super::publish::{Finished, PublishError, Trust, publish, withdraw};
use crate::execution::{Decision, Hooks, Job, Outcome, Proposal, RunError};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers a run's questions without a store: a name is free, has an earlier output of the same file that is
/// remembered and unchanged, or the pipeline's `on_conflict` says what happens.
pub struct LocalHooks<'a> {
    job: &'a Job,
    progress: Box<dyn FnMut(f64) + 'a>,
    planned: Vec<PlannedOutput>,
    parts: Option<Arc<LocalParts>>,
    pipeline: &'a str,
    memory: Option<&'a dyn Memory>,
    advice: &'static str,
    replaces: bool,
}

/// An output that a run writes.
#[derive(Clone, Debug)]
struct PlannedOutput {
    path: PathBuf,
    temporary: PathBuf,
    takes: NameClaim,
}

impl std::fmt::Debug for LocalHooks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalHooks").field("planned", &self.planned).finish_non_exhaustive()
    }
}

impl<'a> LocalHooks<'a> {
    /// For one job; `progress` is called with how far it is.
    pub fn new(job: &'a Job, progress: impl FnMut(f64) + 'a) -> Self {
        let advice = "";
        let progress = Box::new(progress);
        let (planned, parts, memory) = (Vec::new(), None, None);
        Self { job, progress, planned, parts, pipeline: "", memory, advice, replaces: false }
    }

    /// Replaces other files that have the names of outputs, whatever the pipeline says.
    #[must_use]
    pub fn replacing(mut self, is_asked: bool) -> Self {
        self.replaces = is_asked;
        self
    }

    /// Replaces what `memory` knows as an unchanged output of this pipeline for the same source, and remembers
    /// what is published. `advice` says what to do about other files, as the end of a sentence.
    #[must_use]
    pub fn with_memory(
        mut self,
        pipeline: &'a str,
        memory: Option<&'a dyn Memory>,
        advice: &'static str,
    ) -> Self {
        (self.pipeline, self.memory, self.advice) = (pipeline, memory, advice);
        self
    }

    fn names(&self) -> DiskNames<'a> {
        let (input, blake3) = (&*self.job.input, &*self.job.hash);
        let source = Source { pipeline: self.pipeline, input, blake3 };
        DiskNames { source, memory: self.memory }
    }

    /// Lets `parts`, which makes the temporary files of this run, remove what killed runs left in their folders.
    #[must_use]
    pub fn with_parts(mut self, parts: &Arc<LocalParts>) -> Self {
        self.parts = Some(Arc::clone(parts));
        self
    }

    fn remember(&self, file: &Finished, identity: FileIdentity) {
        let Some(memory) = self.memory else { return };
        let Source { pipeline, input, blake3 } = self.names().source;
        let made = KnownOutput {
            pipeline: pipeline.to_owned(),
            input: input.to_owned(),
            input_blake3: blake3.to_owned(),
            identity,
            blake3: file.blake3.clone(),
        };
        memory.remember(&file.path, &made);
    }

    fn temporary(&self, path: &Path, index: usize) -> PathBuf {
        match &self.parts {
            Some(_) => LocalParts::path(path, &self.job.id, index),
            None => part_path(path, &self.job.id, self.job.attempt, index),
        }
    }
}

/// What stands at names for a source, by the disk and what is remembered.
#[derive(Clone, Copy, Debug)]
pub struct DiskNames<'a> {
    /// The source.
    pub source: Source<'a>,
    /// What was made before.
    pub memory: Option<&'a dyn Memory>,
}

impl DiskNames<'_> {
    /// What stands at `path`.
    ///
    /// # Errors
    /// When the disk does not say.
    pub fn standing(&self, path: &Path) -> io::Result<NameState> {
        let made = self.memory.and_then(|memory| memory.recall(path));
        let of_this = made.as_ref().filter(|made| made.is_of(self.source));
        let is_own = |found| of_this.map_or(Ok(false), |made| made.is_unchanged(path, found));
        let standing = standing_on_disk(path, self.source.input, is_own)?;
        Ok(match (standing, made) {
            (NameState::Taken { is_replaceable: true, .. }, Some(made)) => {
                let by = format!("was made from {}", made.input.display());
                if made.is_of(self.source) {
                    let by = "was changed since it was written".to_owned();
                    NameState::Taken { by, is_replaceable: true }
                } else if made.is_of_twin(self.source) {
                    NameState::OfTwin { by }
                } else {
                    NameState::Taken { by, is_replaceable: true }
                }
            }
            (standing, _) => standing,
        })
    }
}

impl Names for LocalHooks<'_> {
    fn standing(&self, path: &Path) -> io::Result<NameState> {
        if self.planned.iter().any(|planned| planned.path == path) {
            let by = "is written twice by this pipeline".to_owned();
            return Ok(NameState::Taken { by, is_replaceable: false });
        }
        self.names().standing(path)
    }

    fn input(&self) -> &Path {
        &self.job.input
    }

    fn advice(&self) -> &'static str {
        self.advice
    }
}

impl Hooks for LocalHooks<'_> {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        let mut decisions = Vec::new();
        for (index, proposal) in proposals.iter().enumerate() {
            decisions.push(match choose(self, &forced(proposal, self.replaces))? {
                Choice::Skip { reason } => Decision::Skip { reason },
                Choice::Write { path, takes } => {
                    let temporary = self.temporary(&path, index);
                    self.planned.push(PlannedOutput {
                        path: path.clone(),
                        temporary: temporary.clone(),
                        takes,
                    });
                    Decision::Write { temporary, path }
                }
            });
        }
        for planned in &self.planned {
            let folder = planned.path.parent().unwrap_or(Path::new("/"));
            create_dirs(folder).map_err(|error| refusal(folder, &error))?;
            if let Some(parts) = &self.parts {
                parts.sweep(folder);
            }
        }
        Ok(decisions)
    }

    fn foresee(&mut self, proposals: &[Proposal]) -> Result<(), RunError> {
        for proposal in proposals {
            choose(self, &forced(proposal, self.replaces))?;
        }
        Ok(())
    }

    fn progress(&mut self, share: f64) {
        (self.progress)(share);
    }
}

impl Drop for LocalHooks<'_> {
    fn drop(&mut self) {
        if let Some(parts) = &self.parts {
            self.planned.iter().for_each(|planned| parts.release(&planned.temporary));
        }
    }
}

/// Publishes what a run with these hooks prepared: all of it, or nothing.
///
/// # Errors
/// When a name was taken meanwhile or the disk fails; the temporary files are removed and what was
/// published before is taken back, [`PublishError::Left`] where that failed too.
pub fn publish_outcome(hooks: &LocalHooks<'_>, outcome: &Outcome) -> Result<(), PublishError> {
    let mut published = Vec::new();
    for output in &outcome.outputs {
        let planned = hooks.planned.iter().find(|planned| planned.temporary == output.temporary);
        let file = Finished {
            temporary: output.temporary.clone(),
            path: output.path.clone(),
            takes: planned.map_or(NameClaim::Free, |planned| planned.takes),
            size_bytes: output.size_bytes,
            blake3: output.blake3.clone(),
        };
        match publish(&file, Trust::Size) {
            Ok(identity) => {
                hooks.remember(&file, identity);
                published.push((file, identity));
            }
            Err(error) => return Err(take_back(outcome, &published, error)),
        }
    }
    Ok(())
}

/// Removes what there is of a set that failed. Returns why it failed, and what remains all the same.
fn take_back(
    outcome: &Outcome,
    published: &[(Finished, FileIdentity)],
    mut cause: PublishError,
) -> PublishError {
    for output in &outcome.outputs {
        let _ = fs::remove_file(&output.temporary);
    }
    for (file, identity) in published {
        if let Err(error) = withdraw(file, *identity) {
            cause = cause.and_left(&file.path, error);
        }
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::super::crash_tests;
    use super::*;
    use crate::execution::{OutputKind, PreparedOutput};
    use crate::model::OnConflict;
    use crate::report::Report;
    use std::fs::File;
    use std::io::Write;

    fn job(folder: &Path) -> Job {
        Job {
            id: "0123456789abc".to_owned(),
            attempt: 1,
            input: folder.join("in.wav"),
            name: PathBuf::new(),
            reldir: PathBuf::new(),
            created: "2024-05-01T12:00:00+00:00[UTC]".to_owned(),
            hash: "0".repeat(64),
            group: None,
        }
    }

    fn proposals(folder: &Path, on_conflict: OnConflict) -> Vec<Proposal> {
        ["a.wav", "b.wav"]
            .map(|name| Proposal {
                kind: OutputKind::Export,
                path: folder.join("out").join(name),
                on_conflict,
            })
            .to_vec()
    }

    fn prepare(decisions: &[Decision]) -> Outcome {
        let mut outputs = Vec::new();
        for decision in decisions {
            let Decision::Write { temporary, path } = decision else { continue };
            File::create_new(temporary).unwrap().write_all(b"new").unwrap();
            outputs.push(PreparedOutput {
                kind: OutputKind::Export,
                temporary: temporary.clone(),
                path: path.clone(),
                size_bytes: 3,
                blake3: blake3::hash(b"new").to_hex().to_string(),
            });
        }
        Outcome { rejected: None, outputs, report: Report::default() }
    }

    #[test]
    fn run_without_a_daemon_publishes_all_outputs() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let mut hooks = LocalHooks::new(&job, |_| {});
        let decisions = hooks.decide(&proposals(folder.path(), OnConflict::Error)).unwrap();
        publish_outcome(&hooks, &prepare(&decisions)).unwrap();
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 2);
    }

    #[test]
    fn name_taken_while_running_takes_everything_back() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let mut hooks = LocalHooks::new(&job, |_| {});
        let decisions = hooks.decide(&proposals(folder.path(), OnConflict::Error)).unwrap();
        let outcome = prepare(&decisions);
        let foreign = folder.path().join("out/b.wav");
        File::create(&foreign).unwrap().write_all(b"foreign").unwrap();
        let error = publish_outcome(&hooks, &outcome).unwrap_err();
        assert!(error.to_string().contains("b.wav"), "{error}");
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(foreign).unwrap(), "foreign");
    }

    #[test]
    fn output_that_cannot_be_taken_back_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let mut hooks = LocalHooks::new(&job, |_| {});
        let decisions = hooks.decide(&proposals(folder.path(), OnConflict::Error)).unwrap();
        let outcome = prepare(&decisions);
        File::create(folder.path().join("out/b.wav")).unwrap();
        crash_tests::meanwhile("taking back", || Err(io::Error::other("disk failed")));
        let error = publish_outcome(&hooks, &outcome).unwrap_err().to_string();
        assert!(error.contains("b.wav: another file has taken this name"), "{error}");
        assert!(error.ends_with("a.wav could not be removed: disk failed"), "{error}");
    }

    #[derive(Debug, Default)]
    struct Notes(parking_lot::Mutex<std::collections::BTreeMap<PathBuf, KnownOutput>>);

    impl Memory for Notes {
        fn recall(&self, path: &Path) -> Option<KnownOutput> {
            self.0.lock().get(path).cloned()
        }

        fn remember(&self, path: &Path, made: &KnownOutput) {
            self.0.lock().insert(path.to_owned(), made.clone());
        }
    }

    /// Runs a job with these notes; the names it got, or why it got none.
    fn again(job: &Job, notes: &Notes, pipeline: &str) -> Result<Vec<PathBuf>, String> {
        let mut hooks = LocalHooks::new(job, |_| {}).with_memory(pipeline, Some(notes), "move it");
        let folder = job.input.parent().unwrap();
        let decisions = hooks.decide(&proposals(folder, OnConflict::Error));
        let outcome = prepare(&decisions.map_err(|error| error.to_string())?);
        publish_outcome(&hooks, &outcome).map_err(|error| error.to_string())?;
        Ok(outcome.outputs.into_iter().map(|output| output.path).collect())
    }

    #[test]
    fn second_run_replaces_its_own_outputs_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (job, notes) = (job(folder.path()), Notes::default());
        let first = again(&job, &notes, "p").unwrap();
        assert_eq!(again(&job, &notes, "p").unwrap(), first);
        // Other content under the same name; the same content under another one.
        let newer = Job { hash: "1".repeat(64), ..job.clone() };
        assert_eq!(again(&newer, &notes, "p").unwrap(), first);
        assert_eq!(again(&job, &notes, "p").unwrap(), first);
        let copy = Job { input: folder.path().join("copy.wav"), ..job.clone() };
        assert_eq!(again(&copy, &notes, "p").unwrap(), first);
        assert_eq!(again(&job, &notes, "p").unwrap(), first);
        let other = Job { hash: "2".repeat(64), ..copy };
        assert!(again(&other, &notes, "p").unwrap_err().contains("a.wav was made from"));
        assert!(again(&job, &notes, "q").unwrap_err().contains("a.wav was made from"));
        File::create(&first[0]).unwrap().write_all(b"edited").unwrap();
        let error = again(&job, &notes, "p").unwrap_err();
        assert!(error.ends_with("a.wav was changed since it was written; move it"), "{error}");
        assert_eq!(fs::read_to_string(&first[0]).unwrap(), "edited");
    }

    #[test]
    fn twins_get_names_of_their_own_and_keep_them() {
        let folder = tempfile::tempdir().unwrap();
        let (wav, notes) = (job(folder.path()), Notes::default());
        let (input, hash) = (folder.path().join("in.flac"), "1".repeat(64));
        let flac = Job { id: "1123456789abc".to_owned(), input, hash, ..wav.clone() };
        let plain = again(&wav, &notes, "p").unwrap();
        let full = again(&flac, &notes, "p").unwrap();
        assert_eq!(
            full,
            ["a.flac.wav", "b.flac.wav"].map(|name| folder.path().join("out").join(name))
        );
        fs::remove_file(&plain[0]).unwrap();
        assert_eq!(again(&flac, &notes, "p").unwrap(), full);
        assert_eq!(again(&wav, &notes, "p").unwrap(), plain);
    }

    #[test]
    fn existing_output_is_an_error_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        File::create(folder.path().join("out/b.wav")).unwrap();
        let job = job(folder.path());
        let mut hooks = LocalHooks::new(&job, |_| {});
        let error = hooks.decide(&proposals(folder.path(), OnConflict::Error)).unwrap_err();
        assert!(error.to_string().ends_with("b.wav already exists"), "{error}");
    }
}
