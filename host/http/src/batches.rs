//! `/api/audio/batch`: batches that are created first and started later.

use crate::app::App;
use crate::exports::{Export, ExportSettings};
use crate::reports::io_problem;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;
use uuid::Uuid;
use wavemill_api::background;
use wavemill_api::types::{BatchView, Problem, SubmitRequest};
use wavemill_pipelines::publishing::create_dirs;
use wavemill_store::{Clock, JobState, OrderRecord, UploadRecord};

/// Files to export the same way.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct CreateBatchRequest {
    /// Ids of uploads; or paths, relative ones below the folder of uploads.
    input_files: Vec<String>,
    /// How; what is left out has its default.
    #[serde(default)]
    export_settings: ExportSettings,
    /// Below the folder of processed files, or absolute below a folder that the configuration names.
    output_directory: String,
}

/// A batch that was created.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CreateBatchAnswer {
    /// Its id, a UUID.
    job_id: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MessageAnswer {
    /// One sentence.
    pub(crate) message: String,
}

/// How far a batch is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// Its id.
    job_id: String,
    /// `pending`, `processing`, `completed`, or `failed` where no file was exported.
    status: String,
    /// Share of the work that is done, 0 to 1.
    progress: f64,
    /// Files that were exported.
    completed_files: u64,
    /// Files that could not be exported.
    failed_files: u64,
    /// When the first file began, Unix seconds.
    start_time: Option<f64>,
    /// When the last file ended, Unix seconds.
    end_time: Option<f64>,
}

/// Create a batch; it waits until it is started
#[utoipa::path(post, path = "/api/audio/batch/create", request_body = CreateBatchRequest,
    responses((status = 200, body = CreateBatchAnswer), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create_batch(
    State(app): State<App>,
    request: Result<Json<CreateBatchRequest>, JsonRejection>,
) -> Result<Json<CreateBatchAnswer>, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    if request.input_files.is_empty() {
        return Err(Problem::request("list files in `input_files`"));
    }
    request.export_settings.descriptor()?;
    app.settings.output(&request.output_directory)?;
    let id = Uuid::new_v4().to_string();
    let key = id.clone();
    background(move || {
        for file in &request.input_files {
            app.input_file(file)?;
        }
        let settings = serde_json::to_value(&request.export_settings)
            .map_err(|error| Problem::request(&error.to_string()))?;
        let record = OrderRecord {
            input_files: request.input_files,
            settings,
            output_directory: request.output_directory,
            added_ms: Clock::now_ms(),
            batch: None,
        };
        Ok(app.service.store().put_service(&key, record)?)
    })
    .await?;
    Ok(Json(CreateBatchAnswer { job_id: id }))
}

/// Start a batch
#[utoipa::path(post, path = "/api/audio/batch/{job_id}/process", params(("job_id" = String, Path)),
    responses((status = 200, body = MessageAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn process_batch(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MessageAnswer>, Problem> {
    let _turn = app.turn(&id).await;
    let order: OrderRecord = app.record(&id).await?;
    if order.batch.is_some() {
        return Err(Problem::new(409, "already started", "this batch was started before"));
    }
    let count = order.input_files.len();
    background(move || app.start(&id, order)).await?;
    let message = format!("processing {count} {}", if count == 1 { "file" } else { "files" });
    Ok(Json(MessageAnswer { message }))
}

/// How far a batch is
#[utoipa::path(get, path = "/api/audio/batch/{job_id}", params(("job_id" = String, Path)),
    responses((status = 200, body = BatchAnswer), (status = 404, body = Problem)))]
pub(crate) async fn batch(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<BatchAnswer>, Problem> {
    let order: OrderRecord = app.record(&id).await?;
    background(move || {
        let view = order.batch.map(|batch| app.service.batch(&batch)).transpose()?;
        Ok(Json(view.map_or_else(|| BatchAnswer::pending(&id), |view| BatchAnswer::of(&id, &view))))
    })
    .await
}

impl App {
    /// The file that a request names: an upload by its id, or a path.
    fn input_file(&self, text: &str) -> Result<PathBuf, Problem> {
        if let Some(upload) = self.service.store().service::<UploadRecord>(text)? {
            return Ok(upload.path);
        }
        let path = self.settings.input(text)?;
        if path.is_file() {
            return Ok(path);
        }
        Err(Problem::new(404, "not found", format!("there is no file `{text}`")))
    }

    /// Makes the jobs of a batch.
    fn start(&self, id: &str, order: OrderRecord) -> Result<(), Problem> {
        let paths: Result<Vec<_>, Problem> = order
            .input_files
            .iter()
            .map(|file| Ok(self.input_file(file)?.display().to_string()))
            .collect();
        let settings: ExportSettings = serde_json::from_value(order.settings.clone())
            .map_err(|error| Problem::request(&error.to_string()))?;
        let folder = self.settings.output(&order.output_directory)?;
        create_dirs(&folder).map_err(|error| io_problem(&error))?;
        // Files of the same name are all kept.
        let toml = self.rated(&settings).pipeline(Export {
            path: "{stem}.{ext}",
            on_conflict: "suffix",
            from_s: 0.0,
            to_s: None,
        })?;
        let answer = self.service.submit(&SubmitRequest {
            paths: paths?,
            toml: Some(toml),
            output_root: Some(folder.display().to_string()),
            name: Some(id.to_owned()),
            ..SubmitRequest::default()
        })?;
        let Some(batch) = answer.batch else {
            let reasons: Vec<_> = answer.refused.into_iter().map(|file| file.reason).collect();
            return Err(Problem::new(409, "refused", reasons.join("; ")));
        };
        let record = OrderRecord { batch: Some(batch.id), ..order };
        Ok(self.service.store().put_service(id, record)?)
    }
}

impl BatchAnswer {
    fn pending(id: &str) -> Self {
        Self {
            job_id: id.to_owned(),
            status: "pending".to_owned(),
            progress: 0.0,
            completed_files: 0,
            failed_files: 0,
            start_time: None,
            end_time: None,
        }
    }

    fn of(id: &str, view: &BatchView) -> Self {
        let count = |state| view.jobs.get(&state).copied().unwrap_or_default();
        let completed = count(JobState::Done) + count(JobState::Skipped);
        let failed = [JobState::Failed, JobState::Rejected, JobState::Canceled].map(count);
        let status = match (view.is_over, completed) {
            (false, _) => "processing",
            (true, 0) => "failed",
            (true, _) => "completed",
        };
        Self {
            job_id: id.to_owned(),
            status: status.to_owned(),
            progress: view.progress_percent / 100.0,
            completed_files: completed,
            failed_files: failed.iter().sum(),
            start_time: view.started.as_deref().and_then(unix_s),
            end_time: view.finished.as_deref().and_then(unix_s),
        }
    }
}

/// Seconds since 1970 of a time as RFC 3339.
fn unix_s(text: &str) -> Option<f64> {
    let time: Timestamp = text.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age have 41 bits")]
    Some(time.as_millisecond() as f64 / 1000.0)
}
