//! Jobs that a request waits for.

use crate::app::App;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout};
use wavemill_api::background;
use wavemill_api::types::{JobFilter, JobView, Problem, SubmitRequest};
use wavemill_store::JobState;

/// Longest wait for a job. It goes on afterward, and `wavemill jobs` shows it.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// Longest time between two looks at a job: events say that something happened, the store says what.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A file and what to do with it.
#[derive(Debug)]
pub(crate) struct Work {
    /// The pipeline, as TOML.
    pub(crate) toml: String,
    /// The file; absolute.
    pub(crate) file: PathBuf,
    /// Folder that the pipeline's paths are below; absolute.
    pub(crate) output_root: PathBuf,
}

impl App {
    /// Does the work and waits for its end.
    ///
    /// # Errors
    /// When the pipeline has mistakes, or the job does not end well: then the reason is its own.
    pub(crate) async fn work(&self, work: Work) -> Result<JobView, Problem> {
        let _turn = self.turn(&format!("{} {}", work.file.display(), work.toml)).await;
        // Before the job is made, so that no event of it is missed.
        let mut events = self.service.events()?;
        let job = self.submit(work).await?;
        let end = Instant::now() + WAIT_MAX;
        loop {
            let service = self.service.clone();
            let id = job.clone();
            let job = background(move || service.job(&id)).await?;
            if job.state.is_final() {
                return ended(job);
            }
            if Instant::now() > end {
                let detail = format!("job {} has not ended; it goes on", job.id);
                return Err(Problem::new(504, "job under way", detail));
            }
            if let Ok(Err(RecvError::Closed)) = timeout(LOOK_EVERY, events.recv()).await {
                sleep(LOOK_EVERY).await;
            }
        }
    }

    async fn submit(&self, work: Work) -> Result<String, Problem> {
        let service = self.service.clone();
        background(move || {
            let request = SubmitRequest {
                paths: vec![work.file.display().to_string()],
                toml: Some(work.toml),
                output_root: Some(work.output_root.display().to_string()),
                ..SubmitRequest::default()
            };
            let answer = service.submit(&request)?;
            let Some(batch) = answer.batch else {
                let refused = answer.refused.into_iter().next();
                let reason = refused.map(|refused| refused.reason).unwrap_or_default();
                return Err(Problem::new(409, "refused", reason));
            };
            let filter = JobFilter { batch: Some(batch.id), ..JobFilter::default() };
            let job = service.jobs(&filter)?.jobs.into_iter().next();
            job.map(|job| job.id).ok_or_else(|| Problem::new(500, "internal error", "no job"))
        })
        .await
    }
}

/// A job that ended well, or why it did not.
fn ended(job: JobView) -> Result<JobView, Problem> {
    if job.state == JobState::Done {
        return Ok(job);
    }
    let reason = job.reason.unwrap_or_else(|| job.state.name().to_owned());
    Err(Problem::new(422, "cannot be processed", reason))
}
