//! Batches: submitting files, and how far they are.

use super::service::{Service, unknown_pipeline};
use super::types::{
    BatchFailure, BatchFilter, BatchList, BatchView, JobFilter, PipelineView, Problem, RefusedFile,
    SubmitAnswer, SubmitRequest,
};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use wavemill_pipelines::diagnostic::Severity;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::publishing::{FileIdentity, identity};
use wavemill_store::cache::effects_with;
use wavemill_store::{BatchRecord, CurrentPlan, FileKey, JobRecord, PlanRecord, Submission};
use wavemill_store::{Clock, JobState, rfc3339};

/// Most files of one batch: a bound on one transaction.
const FILES_MAX: usize = 100_000;

impl Service {
    /// Makes a batch of files, each with a job of its own. Files that cannot be taken are named; the others
    /// are taken nevertheless.
    ///
    /// # Errors
    /// When the pipeline is not known or has mistakes.
    pub fn submit(&self, request: &SubmitRequest) -> Result<SubmitAnswer, Problem> {
        if request.paths.is_empty() {
            return Err(Problem::request("list files in `paths`"));
        }
        if request.paths.len() > FILES_MAX {
            let count = request.paths.len();
            return Err(Problem::request(&format!(
                "{count} files; a batch has at most {FILES_MAX}"
            )));
        }
        let (pipeline, plan, keeps) = self.pipeline_of(request)?;
        let mut refused = Vec::new();
        let mut files: Vec<(FileKey, FileIdentity)> = Vec::new();
        let mut seen = HashSet::new();
        for path in &request.paths {
            match looked_at(Path::new(path)) {
                Ok((path, identity)) => {
                    let file = self.key_of(&pipeline, &path);
                    if seen.insert(file.clone()) {
                        files.push((file, identity));
                    }
                }
                Err(reason) => refused.push(RefusedFile { path: path.clone(), reason }),
            }
        }
        if files.is_empty() {
            return Ok(SubmitAnswer { batch: None, refused });
        }
        let hash = plan.plan.clone();
        let submission = Submission { name: request.name.clone(), plan, keeps, files };
        let made = self.store.submit_batch(&pipeline, submission)?;
        refused.extend(made.busy.into_iter().map(|(path, job)| RefusedFile {
            path: path.display().to_string(),
            reason: format!("has job {job}, which has not ended"),
        }));
        if made.jobs.is_empty() {
            return Ok(SubmitAnswer { batch: None, refused });
        }
        if let Some(live) = &self.live {
            live.run_submitted(&pipeline, &hash);
        }
        self.wake();
        Ok(SubmitAnswer { batch: Some(self.batch_view(&made.batch)?), refused })
    }

    /// The name of the pipeline that is asked for, what jobs run with, and what is to be kept of it.
    fn pipeline_of(
        &self,
        request: &SubmitRequest,
    ) -> Result<(String, CurrentPlan, Option<PlanRecord>), Problem> {
        let output_root = request.output_root.as_ref().map(PathBuf::from);
        if output_root.as_ref().is_some_and(|root| !root.is_absolute()) {
            return Err(Problem::request("`output_root` is a relative path; it must be absolute"));
        }
        if let Some(text) = &request.toml {
            let folder = request.folder.as_ref().map_or_else(|| PathBuf::from("/"), PathBuf::from);
            let defaults = &self.defaults();
            let effects = effects_with(&self.terms.state_dir).in_folder(&folder);
            let loaded =
                wavemill_pipelines::load(text, defaults, &effects).map_err(|mistakes| {
                    let error = mistakes.iter().find(|mistake| mistake.severity == Severity::Error);
                    let detail = error.map_or_else(String::new, |mistake| {
                        format!("line {}: {}", mistake.line, mistake.message)
                    });
                    Problem::new(422, "bad pipeline", detail)
                })?;
            let pipeline = loaded.pipeline;
            let plan = CurrentPlan {
                plan: pipeline.hash.clone(),
                output_root: output_root.unwrap_or_else(|| self.terms.output_root.clone()),
                priority: request.priority.unwrap_or(pipeline.priority),
            };
            let keeps = PlanRecord {
                name: pipeline.name.clone(),
                text: text.clone(),
                defaults: defaults.clone(),
                folder,
            };
            return Ok((pipeline.name, plan, Some(keeps)));
        }
        let Some(name) = &request.pipeline else {
            return Err(Problem::request("name a `pipeline`, or give one as `toml`"));
        };
        let plan = self.current_plan(name)?;
        let plan = CurrentPlan {
            output_root: output_root.unwrap_or(plan.output_root),
            priority: request.priority.unwrap_or(plan.priority),
            plan: plan.plan,
        };
        Ok((name.clone(), plan, None))
    }

    /// What pipelines are read with.
    pub(crate) fn defaults(&self) -> Defaults {
        let reloaded = self.live.as_ref().and_then(|live| live.defaults());
        reloaded.unwrap_or_else(|| self.terms.defaults.clone())
    }

    /// A pipeline by its name.
    ///
    /// # Errors
    /// When none has run here under that name.
    pub(crate) fn pipeline(&self, name: &str) -> Result<PipelineView, Problem> {
        let plan = self.current_plan(name)?.plan;
        let is_watched = self.live.as_ref().is_some_and(|live| live.watches_for(name));
        Ok(PipelineView { name: name.to_owned(), plan, is_watched })
    }

    fn current_plan(&self, name: &str) -> Result<CurrentPlan, Problem> {
        let unknown = || unknown_pipeline(name, "; give it as `toml`");
        self.store.current_plan(name)?.ok_or_else(unknown)
    }

    /// The identity of a file: that of the watched folder it lies in, else of its own.
    fn key_of(&self, pipeline: &str, path: &Path) -> FileKey {
        let watched = self.live.as_ref().and_then(|live| live.folder_of(pipeline, path));
        let own = || path.parent().unwrap_or(Path::new("/")).to_owned();
        let root = watched.unwrap_or_else(own);
        let relative = path.strip_prefix(&root).unwrap_or(path).to_owned();
        FileKey { pipeline: pipeline.to_owned(), root, relative }
    }

    /// Batches, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn batches(&self, filter: &BatchFilter) -> Result<BatchList, Problem> {
        let batches = self.store.batches(filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT))?;
        let views: Result<_, Problem> = batches.iter().map(|it| self.batch_view(it)).collect();
        Ok(BatchList { batches: views? })
    }

    /// The batch with this id or name, or whose id starts or ends so.
    ///
    /// # Errors
    /// When none or several do.
    pub fn batch(&self, part: &str) -> Result<BatchView, Problem> {
        self.batch_view(&self.store.find_batch(part)?)
    }

    fn batch_view(&self, batch: &BatchRecord) -> Result<BatchView, Problem> {
        let jobs = self.store.batch_jobs(&batch.id)?;
        let share = |job: &JobRecord| match job.state {
            state if state.is_final() => 1.0,
            _ => self.live.as_ref().and_then(|live| live.progress(&job.id)).unwrap_or(0.0),
        };
        let started_ms = jobs.iter().filter_map(|job| job.started_ms).min();
        let pace = Pace::of(&jobs, share);
        let mut by_state = BTreeMap::new();
        for job in &jobs {
            *by_state.entry(job.state).or_insert(0) += 1;
        }
        let failed = |job: &&JobRecord| matches!(job.state, JobState::Failed | JobState::Rejected);
        let failure = |job: &JobRecord| BatchFailure {
            job: job.id.clone(),
            input: job.input.display().to_string(),
            reason: job.reason.clone().unwrap_or_default(),
        };
        let is_running = jobs.iter().any(|job| job.state.is_held());
        Ok(BatchView {
            id: batch.id.clone(),
            name: batch.name.clone(),
            pipeline: batch.pipeline.clone(),
            total: jobs.len() as u64,
            is_over: batch.open == 0,
            progress_percent: pace.percent(),
            audio_done_s: jobs
                .iter()
                .filter(|job| job.state.is_final())
                .filter_map(|job| job.audio_s)
                .sum(),
            eta_s: started_ms.filter(|_| is_running).and_then(|since| pace.eta_s(since)),
            created: rfc3339(batch.created_ms),
            started: started_ms.map(rfc3339),
            finished: batch.finished_ms.map(rfc3339),
            failures: jobs
                .iter()
                .filter(failed)
                .take(BatchView::FAILURES_MAX)
                .map(failure)
                .collect(),
            jobs: by_state,
        })
    }
}

/// How much of a batch is done; files count by their size, and empty ones a little.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    done_bytes: f64,
    all_bytes: f64,
}

impl Pace {
    fn of(jobs: &[JobRecord], share: impl Fn(&JobRecord) -> f64) -> Self {
        let mut pace = Self { done_bytes: 0.0, all_bytes: 0.0 };
        for job in jobs {
            #[expect(clippy::cast_precision_loss, reason = "a share is shown, no size")]
            let bytes = job.identity.size_bytes.max(1) as f64;
            pace.all_bytes += bytes;
            pace.done_bytes += bytes * share(job).clamp(0.0, 1.0);
        }
        pace
    }

    fn percent(self) -> f64 {
        if self.all_bytes > 0.0 { 100.0 * self.done_bytes / self.all_bytes } else { 100.0 }
    }

    /// Seconds until the rest is done, as fast as what was done since `since_ms`.
    fn eta_s(self, since_ms: u64) -> Option<f64> {
        let elapsed_ms = Clock::now_ms().saturating_sub(since_ms);
        let rest = self.all_bytes - self.done_bytes;
        (self.done_bytes > 0.0 && rest > 0.0).then(|| {
            #[expect(clippy::cast_precision_loss, reason = "a time is estimated")]
            let elapsed_s = elapsed_ms as f64 / 1000.0;
            elapsed_s * rest / self.done_bytes
        })
    }
}

/// A file that can be processed: its path without links, and what it looks like.
fn looked_at(path: &Path) -> Result<(PathBuf, FileIdentity), String> {
    if !path.is_absolute() {
        return Err("is a relative path; it must be absolute".to_owned());
    }
    let found = std::fs::canonicalize(path).and_then(|path| Ok((identity(&path)?, path)));
    match found {
        Ok((Some(identity), path)) => Ok((path, identity)),
        Ok((None, _)) => Err("is not a regular file".to_owned()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_counts_files_by_their_size() {
        let pace = Pace { done_bytes: 25.0, all_bytes: 100.0 };
        assert!((pace.percent() - 25.0).abs() < 1e-9);
        // A quarter took ten seconds: the rest takes thirty.
        let eta_s = pace.eta_s(Clock::now_ms() - 10_000).unwrap();
        assert!((29.9..31.0).contains(&eta_s), "{eta_s}");
        assert_eq!(Pace { done_bytes: 0.0, all_bytes: 100.0 }.eta_s(0), None);
    }
}
