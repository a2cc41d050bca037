//! Files that were made or uploaded: to download, in ranges too, and to draw.

use crate::app::App;
use crate::waveform::{WaveformAnswer, WaveformQuery};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tower_http::services::ServeFile;
use utoipa::IntoParams;
use wavemill_api::background;
use wavemill_api::types::Problem;
use wavemill_store::UploadRecord;

/// Which file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContentQuery {
    /// The id of an upload, the path of a file of `/v1/files`, or `job:ID` for the source of a job.
    pub(crate) file: String,
}

/// The bytes of a file that was made or uploaded
#[utoipa::path(get, path = "/v1/files/content", params(ContentQuery),
    responses((status = 200, content_type = "application/octet-stream"), (status = 206, content_type = "application/octet-stream"),
        (status = 304), (status = 404, body = Problem), (status = 416)))]
pub(crate) async fn content(
    State(app): State<App>,
    query: Result<Query<ContentQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (_, path) = app.known_file(query).await?;
    let served = ServeFile::new(&path).try_call(request).await;
    let mut response = served.map_err(|error| crate::reports::io_problem(&error))?.into_response();
    // A page that somebody uploaded is shown to nobody as ours.
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&path));
    Ok(response)
}

/// Peaks of a file that was made or uploaded, for drawing it
#[utoipa::path(get, path = "/v1/files/waveform", params(ContentQuery, WaveformQuery),
    responses((status = 200, body = WaveformAnswer), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn file_waveform(
    State(app): State<App>,
    file: Result<Query<ContentQuery>, QueryRejection>,
    query: Result<Query<WaveformQuery>, QueryRejection>,
) -> Result<Json<WaveformAnswer>, Problem> {
    let (_, path) = app.known_file(file).await?;
    app.waveform_of(&path, query).await
}

impl App {
    /// The file of a request, if it is one of ours, and an id of what it holds.
    pub(crate) async fn known_file(
        &self,
        query: Result<Query<ContentQuery>, QueryRejection>,
    ) -> Result<(String, PathBuf), Problem> {
        let Query(ContentQuery { file }) =
            query.map_err(|error| Problem::request(&error.body_text()))?;
        let app = self.clone();
        background(move || {
            let store = app.service.store();
            if let Some(upload) = store.service::<UploadRecord>(&file)? {
                return Ok((file, upload.path));
            }
            if let Some(job) = file.strip_prefix("job:") {
                let job = app.service.job(job)?;
                let path = PathBuf::from(job.source_moved_to.unwrap_or(job.input));
                let gone = || Problem::new(404, "not found", "the source of this job is gone");
                let looks = path.metadata().map_err(|_| gone())?;
                let id = format!("{file} {:?} {}", looks.modified().ok(), looks.len());
                return Ok((blake3::hash(id.as_bytes()).to_hex().to_string(), path));
            }
            let path = PathBuf::from(&file);
            let record = store.cataloged(&path)?.filter(|_| path.is_file());
            let unknown = || Problem::new(404, "not found", format!("`{file}` is no known file"));
            let identity = record.ok_or_else(unknown)?.identity;
            let id = blake3::hash(format!("{file} {identity:?}").as_bytes()).to_hex();
            Ok((id.to_string(), path))
        })
        .await
    }
}

/// The name that a download has.
fn disposition(path: &Path) -> HeaderValue {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let escaped: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    HeaderValue::from_str(&format!("inline; filename*=UTF-8''{escaped}"))
        .unwrap_or_else(|_| HeaderValue::from_static("inline"))
}
