//! What can be asked and ordered, over a store alone or over a running daemon's.

use super::live::Live;
use super::metrics::{self, Extra};
use super::stop::StopLevel;
use super::stream::Line;
use super::types::{
    CancelRequest, Health, HookView, JobFilter, JobList, JobView, LogLevel, PauseRequest,
    PauseView, Problem, ReprocessRequest, RetryRequest, Status, StopRequest,
};
use super::views::job_view;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use wavemill_pipelines::model::Defaults;
use wavemill_store::{Clock, JobQueue, JobState};
use wavemill_store::{JobQuery, JobRecord, PauseState, Store, StoreError};

/// Time after which a scheduler that does not go round is not well: it looks up every few seconds.
const STALLED_AFTER: Duration = Duration::from_mins(1);

/// Answers the questions of the control socket. The command line uses it directly on the store when
/// no daemon is running.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) store: Arc<Store>,
    pub(super) live: Option<Arc<Live>>,
    /// What pipelines are read with that are submitted.
    pub(super) terms: Arc<Terms>,
}

/// What submitted pipelines are read with.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Folder of the store.
    pub state_dir: PathBuf,
    /// Base of relative output paths.
    pub output_root: PathBuf,
    /// What holds where a pipeline says nothing.
    pub defaults: Defaults,
}

impl Service {
    /// Over a store that no daemon is running on.
    pub fn over_store(store: Arc<Store>, terms: Terms) -> Self {
        Self { store, live: None, terms: Arc::new(terms) }
    }

    /// Over the store of a running daemon.
    pub fn over_daemon(store: Arc<Store>, live: Arc<Live>, terms: Terms) -> Self {
        Self { store, live: Some(live), terms: Arc::new(terms) }
    }

    /// The daemon behind it.
    ///
    /// # Errors
    /// When there is none.
    pub fn live(&self) -> Result<&Live, Problem> {
        self.live.as_deref().ok_or_else(|| Problem::new(503, "no daemon", "no daemon is running"))
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the daemon does. Without one: this process, the counts, and nothing else.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn status(&self) -> Result<Status, Problem> {
        let jobs = self.store.counts()?;
        let paused = pause_view(self.store.paused()?);
        Ok(match &self.live {
            Some(live) => {
                let hooks = self.hooks()?;
                Status { hooks, ..live.status(jobs, paused, self.store.waiting_counts()?) }
            }
            None => Status {
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                uptime_s: 0.0,
                is_draining: false,
                jobs,
                paused,
                unwatched: BTreeMap::new(),
                shortages: BTreeMap::new(),
                reload_refused: None,
                watches: Vec::new(),
                outputs: Vec::new(),
                workers: Vec::new(),
                confinement: None,
                hooks: self.hooks()?,
                login_link: None,
            },
        })
    }

    /// Whether the scheduler goes round.
    ///
    /// # Errors
    /// When it does not, or when there is none.
    pub fn health(&self) -> Result<Health, Problem> {
        let live = self.live()?;
        let age = live.tally().beat.elapsed();
        if age > STALLED_AFTER {
            let detail = format!("the scheduler has not run for {} s", age.as_secs());
            return Err(Problem::new(503, "stalled", detail));
        }
        Ok(Health { status: "ok".to_owned(), scheduler_age_s: age.as_secs_f64() })
    }

    /// Whether jobs are begun.
    ///
    /// # Errors
    /// While the daemon drains or is not well.
    pub(crate) fn ready(&self) -> Result<Health, Problem> {
        if self.live()?.stop.level() != StopLevel::Run {
            return Err(Problem::new(
                503,
                "draining",
                "the daemon finishes its running jobs, then exits",
            ));
        }
        self.health()
    }

    /// All events from now on.
    ///
    /// # Errors
    /// When no daemon is running.
    pub fn events(&self) -> Result<broadcast::Receiver<Line>, Problem> {
        Ok(self.live()?.listen())
    }

    /// Numbers for Prometheus.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn metrics(&self) -> Result<String, Problem> {
        let tally = self.live()?.tally();
        let shown = |(path, bytes): (PathBuf, u64)| (path.display().to_string(), bytes);
        let extra = Extra {
            oldest_ready_ms: self.store.oldest_ready_ms()?,
            retries: tally.retries,
            audio_s: tally.audio_s,
            free_bytes: tally.free_bytes.into_iter().map(shown).collect(),
            scheduler_age_s: tally.beat.elapsed().as_secs_f64(),
            open_batches: self.store.open_batches()?,
            cache: self.store.cache_stats().into(),
        };
        Ok(metrics::text(&self.status()?, &extra))
    }

    fn hooks(&self) -> Result<Vec<HookView>, Problem> {
        Ok(self.store.hooks()?.into_iter().map(HookView::from).collect())
    }

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn jobs(&self, filter: &JobFilter) -> Result<JobList, Problem> {
        let batch = filter.batch.as_ref().map(|part| self.store.find_batch(part)).transpose()?;
        let batch = batch.map(|batch| batch.id);
        let query = JobQuery {
            state: filter.state,
            pipeline: filter.pipeline.clone(),
            batch,
            limit: filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT),
        };
        self.views(&self.store.jobs(&query)?)
    }

    /// The job with this id, or whose id starts or ends so.
    ///
    /// # Errors
    /// When none or several do.
    pub fn job(&self, part: &str) -> Result<JobView, Problem> {
        self.view(&self.store.find_job(part)?)
    }

    /// Repeats jobs; the answer lists the new ones, and why others that were named are not repeated.
    ///
    /// # Errors
    /// When jobs are named and none of them is known and over.
    pub(crate) fn retry(&self, request: &RetryRequest) -> Result<JobList, Problem> {
        if request.ids.is_empty() && !request.all {
            return Err(Problem::request("list jobs in `ids`, or set `all`"));
        }
        self.know_pipeline(request.pipeline.as_deref())?;
        let mut jobs = Vec::new();
        let refused = self.retry_each(request, &mut jobs);
        // What was made begins, whatever came after it.
        let made = self.made(&jobs);
        with_refused(made?, refused?)
    }

    /// Returns why jobs that were named cannot be repeated.
    fn retry_each(
        &self,
        request: &RetryRequest,
        jobs: &mut Vec<JobRecord>,
    ) -> Result<Vec<StoreError>, Problem> {
        let (mut ids, mut refused) = (Vec::new(), Vec::new());
        for part in &request.ids {
            match self.store.find_job(part) {
                Ok(job) => ids.push(job.id),
                Err(error) => refused.push(about_a_job(error)?),
            }
        }
        for result in self.store.retry_jobs(&ids)? {
            match result {
                Ok(job) => jobs.push(job),
                Err(error) => refused.push(error),
            }
        }
        if request.all {
            // One that went on while the list was made is none of them.
            let failed = self.store.failed_jobs(request.pipeline.as_deref())?;
            jobs.extend(self.store.retry_jobs(&failed)?.into_iter().filter_map(Result::ok));
        }
        Ok(refused)
    }

    /// Lets jobs that were made begin, and shows them.
    fn made(&self, jobs: &[JobRecord]) -> Result<JobList, Problem> {
        if let Some(live) = &self.live {
            for job in jobs.iter().filter(|job| job.keeps_plan) {
                live.run_submitted(&job.file.pipeline, &job.plan);
            }
        }
        self.wake();
        self.views(jobs)
    }

    /// That a pipeline has this name, if one is named.
    fn know_pipeline(&self, name: Option<&str>) -> Result<(), Problem> {
        let Some(name) = name else { return Ok(()) };
        let runs = self.live.as_ref().is_some_and(|live| live.runs(name));
        if runs || self.store.knows_pipeline(name)? {
            return Ok(());
        }
        Err(unknown_pipeline(name, ""))
    }

    /// Processes known files again, where they are now; the answer lists the new jobs. Files whose job has
    /// not ended are left out.
    ///
    /// # Errors
    /// When a path is not that of a known file, or the pipeline is not known.
    pub(crate) fn reprocess(&self, request: &ReprocessRequest) -> Result<JobList, Problem> {
        if request.paths.is_empty() && request.pipeline.is_none() {
            return Err(Problem::request("list files in `paths`, or name a `pipeline`"));
        }
        self.know_pipeline(request.pipeline.as_deref())?;
        let paths: Vec<_> = request.paths.iter().map(PathBuf::from).collect();
        let (files, missing) =
            self.store.files_to_reprocess(request.pipeline.as_deref(), &paths)?;
        if let Some(path) = missing.first() {
            let why = "this file is in no watched folder, and it is not the newest of its name \
                that was moved or submitted; `jobs retry` repeats older jobs, as far back as `history` keeps them";
            let detail = format!("{}: {why}", path.display());
            return Err(Problem::new(404, "not found", detail));
        }
        self.made(&self.store.reprocess_files(files)?)
    }

    /// Ends jobs that wait, and those that run as soon as they can be ended; the answer lists them as they
    /// are then, and why others that were named go on.
    ///
    /// # Errors
    /// When jobs are named and each is unknown, or past the point where it can be canceled.
    pub(crate) fn cancel(&self, request: &CancelRequest) -> Result<JobList, Problem> {
        if request.ids.is_empty() && request.batch.is_none() && !request.waiting {
            return Err(Problem::request("list jobs in `ids`, name a `batch`, or set `waiting`"));
        }
        self.know_pipeline(request.pipeline.as_deref())?;
        let mut jobs = Vec::new();
        let refused = self.cancel_each(request, &mut jobs);
        self.wake();
        with_refused(self.views(&jobs)?, refused?)
    }

    /// Returns why jobs that were named cannot be canceled.
    fn cancel_each(
        &self,
        request: &CancelRequest,
        jobs: &mut Vec<JobRecord>,
    ) -> Result<Vec<StoreError>, Problem> {
        let mut refused = Vec::new();
        for part in &request.ids {
            match self.store.find_job(part).and_then(|job| self.cancel_job(&job.id)) {
                Ok(job) => jobs.push(job),
                Err(error) => refused.push(about_a_job(error)?),
            }
        }
        let mut others = Vec::new();
        if let Some(batch) = &request.batch {
            let batch = self.store.find_batch(batch)?;
            others.extend(self.store.batch_jobs(&batch.id)?);
        }
        if request.waiting {
            let query = JobQuery { pipeline: request.pipeline.clone(), ..JobQuery::default() };
            others.extend(self.store.jobs(&query)?.into_iter().filter(|job| job.state.waits()));
        }
        for job in others.into_iter().filter(|job| !job.state.is_final()) {
            match self.cancel_job(&job.id) {
                Ok(job) => jobs.push(job),
                // It went on while the list was made.
                Err(StoreError::Lease { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(refused)
    }

    fn cancel_job(&self, id: &str) -> Result<JobRecord, StoreError> {
        let job = self.store.cancel(id, Clock::now_ms())?;
        if let Some(live) = self.live.as_ref().filter(|_| job.state == JobState::Running) {
            live.cancel(id);
        }
        Ok(job)
    }

    /// Holds back the jobs of a pipeline, or of all: none begins until they are resumed.
    ///
    /// # Errors
    /// When the pipeline is not known, or the store fails.
    pub(crate) fn pause(&self, request: &PauseRequest) -> Result<PauseView, Problem> {
        self.know_pipeline(request.pipeline.as_deref())?;
        self.store.pause(request.pipeline.as_deref())?;
        self.wake();
        Ok(pause_view(self.store.paused()?))
    }

    /// Hands out the jobs of a pipeline again, or of all that were held back.
    ///
    /// # Errors
    /// When the pipeline is not known, or the store fails.
    pub(crate) fn resume(&self, request: &PauseRequest) -> Result<PauseView, Problem> {
        self.know_pipeline(request.pipeline.as_deref())?;
        self.store.resume(request.pipeline.as_deref())?;
        self.wake();
        Ok(pause_view(self.store.paused()?))
    }

    /// Asks the daemon to stop.
    ///
    /// # Errors
    /// When there is none.
    pub fn stop(&self, request: &StopRequest) -> Result<StopRequest, Problem> {
        self.live()?.stop.raise(if request.now { StopLevel::Now } else { StopLevel::Drain });
        Ok(*request)
    }

    /// Lets the daemon log more or less.
    ///
    /// # Errors
    /// When there is none, or the level is unknown.
    pub(crate) fn set_log_level(&self, request: &LogLevel) -> Result<LogLevel, Problem> {
        (self.live()?.set_log_level)(&request.level)
            .map_err(|reason| Problem::new(400, "bad request", reason))?;
        tracing::warn!(level = %request.level, "Log level changed.");
        Ok(request.clone())
    }

    pub(super) fn wake(&self) {
        if let Some(live) = &self.live {
            live.wake();
        }
    }

    fn views(&self, jobs: &[JobRecord]) -> Result<JobList, Problem> {
        let jobs: Result<_, Problem> = jobs.iter().map(|job| self.view(job)).collect();
        Ok(JobList { jobs: jobs?, refused: Vec::new() })
    }

    fn view(&self, job: &JobRecord) -> Result<JobView, Problem> {
        let mut view = job_view(job, &self.store.outputs(&job.id)?);
        if let Some(live) = &self.live {
            view.progress = live.progress(&job.id);
            let pipeline = &job.file.pipeline;
            let runs =
                if job.keeps_plan { live.runs(pipeline) } else { live.watches_for(pipeline) };
            let unwatched = || format!("pipeline `{pipeline}` is not watched");
            let hold = || if runs { live.hold(pipeline) } else { Some(unwatched()) };
            view.waits = job.state.waits().then(hold).flatten();
        }
        Ok(view)
    }
}

/// An error that is about one job and keeps no other from anything.
fn about_a_job(error: StoreError) -> Result<StoreError, Problem> {
    match error {
        StoreError::Lease { .. }
        | StoreError::Missing { .. }
        | StoreError::Forgotten { .. }
        | StoreError::Ambiguous { .. } => Ok(error),
        failed => Err(failed.into()),
    }
}

/// The jobs of a list, and why others are none of them. Where there is none, that is a problem.
fn with_refused(list: JobList, refused: Vec<StoreError>) -> Result<JobList, Problem> {
    let reasons: Vec<_> = refused.iter().map(ToString::to_string).collect();
    match refused.into_iter().next() {
        Some(first) if list.jobs.is_empty() => {
            Err(Problem { detail: reasons.join("; "), ..Problem::from(first) })
        }
        _ => Ok(JobList { refused: reasons, ..list }),
    }
}

fn pause_view(paused: PauseState) -> PauseView {
    PauseView { all: paused.all, pipelines: paused.pipelines.into_iter().collect() }
}

/// What is said of a pipeline that has no such name, and what helps.
pub(super) fn unknown_pipeline(name: &str, help: &str) -> Problem {
    Problem::new(404, "unknown pipeline", format!("unknown pipeline `{name}`{help}"))
}

impl Problem {
    /// A request that cannot be understood.
    pub fn request(detail: &str) -> Self {
        Self::new(400, "bad request", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (title, status) = match &error {
            StoreError::Missing { .. } | StoreError::Forgotten { .. } => ("not found", 404),
            StoreError::Ambiguous { .. } => ("ambiguous id", 409),
            StoreError::Lease { .. } | StoreError::Canceled { .. } => ("job under way", 409),
            StoreError::Busy { .. } => ("store in use", 503),
            _ => ("store failed", 500),
        };
        Self::new(status, title, error.to_string())
    }
}
