//! What was measured of any file that was made or uploaded.

use crate::app::App;
use crate::content::ContentQuery;
use crate::reports::ReportKind;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Write;
use utoipa::ToSchema;
use wavemill_api::background;
use wavemill_api::types::Problem;

/// Loudness over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct LoudnessAnswer {
    /// Time of each point, s.
    at_s: Vec<f64>,
    /// Momentary loudness, LUFS; null where there is none.
    momentary_lufs: Vec<Option<f64>>,
    /// Short-term loudness, LUFS; null where there is none.
    short_term_lufs: Vec<Option<f64>>,
    /// True peak since the point before, dBTP.
    true_peak_dbtp: Vec<Option<f64>>,
}

/// A pipeline and a file.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct PlanRequest {
    /// The pipeline.
    toml: String,
    /// The id of an upload, or the path of a file of `/v1/files`.
    file: String,
}

/// Every measure of a file that was made or uploaded: the report of `measure = "all"`
#[utoipa::path(get, path = "/v1/files/analysis", params(ContentQuery),
    responses((status = 200, body = Object), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn file_analysis(
    State(app): State<App>,
    query: Result<Query<ContentQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (id, path) = app.known_file(query).await?;
    app.report(&id, &path, ReportKind::Analysis).await.map(Json)
}

/// Loudness over time of a file that was made or uploaded, every 100 ms
#[utoipa::path(get, path = "/v1/files/loudness", params(ContentQuery),
    responses((status = 200, body = LoudnessAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn file_loudness(
    State(app): State<App>,
    query: Result<Query<ContentQuery>, QueryRejection>,
) -> Result<Json<LoudnessAnswer>, Problem> {
    let (_, path) = app.known_file(query).await?;
    let path = path.display().to_string();
    let lines = app.lines_of(&["analyze", "--history", "--json", "--", &path]).await?;
    let mut answer = LoudnessAnswer::default();
    for point in lines.iter().filter(|line| line["type"] == "point") {
        answer.at_s.push(point["at_s"].as_f64().unwrap_or_default());
        answer.momentary_lufs.push(point["momentary_lufs"].as_f64());
        answer.short_term_lufs.push(point["short_term_lufs"].as_f64());
        answer.true_peak_dbtp.push(point["true_peak_dbtp"].as_f64());
    }
    Ok(Json(answer))
}

/// What a pipeline would do with a file; nothing is written
#[utoipa::path(post, path = "/v1/pipelines/plan", request_body = PlanRequest,
    responses((status = 200, body = Object), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn plan(
    State(app): State<App>,
    request: Result<Json<PlanRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    let query = Ok(Query(ContentQuery { file: request.file }));
    let (_, path) = app.known_file(query).await?;
    let written = background(move || {
        let write = || {
            let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
            file.write_all(request.toml.as_bytes())?;
            Ok(file)
        };
        write().map_err(|error: std::io::Error| crate::reports::io_problem(&error))
    })
    .await?;
    let (file, pipeline) = (path.display().to_string(), written.path().display().to_string());
    let state = app.state_dir.display().to_string();
    let arguments = ["plan", "--json", "--state", &state, "--", &pipeline, &file];
    app.document_of(&arguments).await.map(Json)
}
