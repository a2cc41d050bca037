//! `GET /v1/jobs/{id}/log`: what the daemon logged of a job.

use crate::app::App;
use crate::reports::io_problem;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use utoipa::ToSchema;
use wavemill_api::background;
use wavemill_api::types::Problem;

/// End of the log that is looked at, bytes: some 50,000 jobs.
const LOOKED_AT_BYTES: u64 = 16 << 20;

/// Most lines of an answer.
const LINES_MAX: usize = 1000;

/// What was logged of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct JobLog {
    /// Entries with `timestamp`, `level`, `message` and more, the oldest first; none where the log went on to another
    /// file since.
    #[schema(value_type = Vec<Object>)]
    lines: Vec<Value>,
}

/// What the daemon logged of a job
#[utoipa::path(get, path = "/v1/jobs/{id}/log", params(("id" = String, Path)),
    responses((status = 200, body = JobLog), (status = 404, body = Problem)))]
pub(crate) async fn job_log(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<JobLog>, Problem> {
    background(move || {
        let job = app.service.job(&id)?.id;
        let Some(path) = &app.settings.log_file else { return Ok(Json(JobLog::default())) };
        let lines = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            file => file.and_then(|file| lines_of(file, &job)),
        };
        Ok(Json(JobLog { lines: lines.map_err(|error| io_problem(&error))? }))
    })
    .await
}

/// Entries of a log that are about a job.
fn lines_of(mut file: File, job: &str) -> io::Result<Vec<Value>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT_BYTES)))?;
    let mut lines = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        // The first one may be half of one.
        let Ok(entry) = serde_json::from_slice::<Value>(&line?) else { continue };
        if entry["job"] == job && lines.len() < LINES_MAX {
            lines.push(entry);
        }
    }
    Ok(lines)
}
