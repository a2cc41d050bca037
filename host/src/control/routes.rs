//! What can be asked, and who answers. The `OpenAPI` document is made of this.

use super::service::Service;
use super::types::{
    AdoptAnswer, AdoptRequest, BatchFilter, BatchList, BatchView, CancelRequest, DeleteAnswer,
    DeleteRequest, FileFilter, FileList, FileStats, FileView, Health, JobFilter, JobList, JobView,
    LogLevel, MoveRequest, PauseRequest, PauseView, PipelineView, Problem, ReprocessRequest,
    RetryRequest, Status, StopRequest, SubmitAnswer, SubmitRequest,
};
use super::{metrics, stream};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest request: a batch of 100,000 long paths.
const BODY_BYTES_MAX: usize = 64 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Wavemill control API",
    description = "Version 1: fields and paths are only added. Refusals are problem details (RFC 9457). It is \
                   served on the Unix socket `control.sock` of the state folder, and where `watch --listen` \
                   says so on a loopback address, with `Authorization: Bearer` and the token in `control.token`.",
    license(name = "MIT OR Apache-2.0")
))]
struct Document;

fn documented() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(status))
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(metrics_text))
        .routes(routes!(events))
        .routes(routes!(jobs))
        .routes(routes!(job))
        .routes(routes!(retry))
        .routes(routes!(reprocess))
        .routes(routes!(cancel))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(batches, submit))
        .routes(routes!(batch))
        .routes(routes!(pipeline))
        .routes(routes!(files))
        .routes(routes!(files_of_job))
        .routes(routes!(file_stats))
        .routes(routes!(move_file))
        .routes(routes!(delete_files))
        .routes(routes!(adopt_files))
        .routes(routes!(log_level))
        .routes(routes!(stop))
}

/// The API's description.
///
/// # Errors
/// Never, but the types say so.
pub(crate) fn openapi() -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(documented().split_for_parts().1)
}

/// The API.
pub(super) fn router(service: Service) -> Router {
    let (router, document) = documented().split_for_parts();
    router
        .route("/v1/openapi.json", axum::routing::get(async move || Json(document)))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(service)
}

type Answer<T> = Result<Json<T>, Problem>;

/// A request with a JSON body.
type Body<T> = Result<Json<Object<T>>, JsonRejection>;

/// A request that is an object: a list would be taken for its fields in their order.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        serde_json::from_value(Value::Object(object)).map(Self).map_err(D::Error::custom)
    }
}

fn read<T>(request: Body<T>) -> Result<T, Problem> {
    request.map(|Json(Object(request))| request).map_err(|error| bad_request(error.body_text()))
}

/// A name in the path of a request.
type InPath = Result<UrlPath<String>, PathRejection>;

fn name_in(path: InPath) -> Result<String, Problem> {
    path.map(|UrlPath(name)| name).map_err(|error| bad_request(error.body_text()))
}

/// What the daemon does: folders, workers, jobs by state
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = Status)))]
async fn status(State(service): State<Service>) -> Answer<Status> {
    in_background(move || service.status()).await
}

/// Whether the scheduler goes round; 503 when it does not
#[utoipa::path(get, path = "/v1/health", responses((status = 200, body = Health), (status = 503, body = Problem)))]
async fn health(State(service): State<Service>) -> Answer<Health> {
    service.health().map(Json)
}

/// Whether jobs are begun; 503 while the daemon drains or is not well
#[utoipa::path(get, path = "/v1/ready", responses((status = 200, body = Health), (status = 503, body = Problem)))]
async fn ready(State(service): State<Service>) -> Answer<Health> {
    service.ready().map(Json)
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/v1/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
async fn metrics_text(State(service): State<Service>) -> Result<Response, Problem> {
    let text = background(move || service.metrics()).await?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// What happens from now on, as server-sent events: those of `watch --json`
#[utoipa::path(get, path = "/v1/events", responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn events(State(service): State<Service>) -> Result<Response, Problem> {
    service.events().map(stream::of_events)
}

/// Jobs, the newest first
#[utoipa::path(get, path = "/v1/jobs", params(JobFilter), responses((status = 200, body = JobList)))]
async fn jobs(
    State(service): State<Service>,
    filter: Result<Query<JobFilter>, QueryRejection>,
) -> Answer<JobList> {
    let Query(filter) = filter.map_err(|error| bad_request(error.body_text()))?;
    in_background(move || service.jobs(&filter)).await
}

/// A job, by its id or a unique part of it
#[utoipa::path(get, path = "/v1/jobs/{id}", params(("id" = String, Path)), responses((status = 200, body = JobView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn job(State(service): State<Service>, id: InPath) -> Answer<JobView> {
    let id = name_in(id)?;
    in_background(move || service.job(&id)).await
}

/// Repeat failed or rejected jobs; the answer lists the new ones
#[utoipa::path(post, path = "/v1/jobs/retry", request_body = RetryRequest, responses((status = 200, body = JobList), (status = 409, body = Problem)))]
async fn retry(State(service): State<Service>, request: Body<RetryRequest>) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.retry(&request)).await
}

/// Process known files again; the answer lists the new jobs
#[utoipa::path(post, path = "/v1/jobs/reprocess", request_body = ReprocessRequest, responses((status = 200, body = JobList), (status = 404, body = Problem)))]
async fn reprocess(
    State(service): State<Service>,
    request: Body<ReprocessRequest>,
) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.reprocess(&request)).await
}

/// Cancel jobs that wait or run; the answer lists them
#[utoipa::path(post, path = "/v1/jobs/cancel", request_body = CancelRequest, responses((status = 200, body = JobList), (status = 409, body = Problem)))]
async fn cancel(State(service): State<Service>, request: Body<CancelRequest>) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.cancel(&request)).await
}

/// Begin no more jobs of a pipeline, or of all, until they are resumed
#[utoipa::path(post, path = "/v1/jobs/pause", request_body = PauseRequest, responses((status = 200, body = PauseView)))]
async fn pause(State(service): State<Service>, request: Body<PauseRequest>) -> Answer<PauseView> {
    let request = read(request)?;
    in_background(move || service.pause(&request)).await
}

/// Begin jobs again that were paused
#[utoipa::path(post, path = "/v1/jobs/resume", request_body = PauseRequest, responses((status = 200, body = PauseView)))]
async fn resume(State(service): State<Service>, request: Body<PauseRequest>) -> Answer<PauseView> {
    let request = read(request)?;
    in_background(move || service.resume(&request)).await
}

/// Process files, once each, as a batch
#[utoipa::path(post, path = "/v1/batches", request_body = SubmitRequest, responses((status = 200, body = SubmitAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn submit(
    State(service): State<Service>,
    request: Body<SubmitRequest>,
) -> Answer<SubmitAnswer> {
    let request = read(request)?;
    in_background(move || service.submit(&request)).await
}

/// Batches, the newest first
#[utoipa::path(get, path = "/v1/batches", params(BatchFilter), responses((status = 200, body = BatchList)))]
async fn batches(
    State(service): State<Service>,
    filter: Result<Query<BatchFilter>, QueryRejection>,
) -> Answer<BatchList> {
    let Query(filter) = filter.map_err(|error| bad_request(error.body_text()))?;
    let limit = filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT);
    in_background(move || service.batches(limit)).await
}

/// A batch, by its name, its id or a unique part of it
#[utoipa::path(get, path = "/v1/batches/{id}", params(("id" = String, Path)), responses((status = 200, body = BatchView), (status = 404, body = Problem)))]
async fn batch(State(service): State<Service>, id: InPath) -> Answer<BatchView> {
    let id = name_in(id)?;
    in_background(move || service.batch(&id)).await
}

/// A pipeline that files can be submitted to by name
#[utoipa::path(get, path = "/v1/pipelines/{name}", params(("name" = String, Path)), responses((status = 200, body = PipelineView), (status = 404, body = Problem)))]
async fn pipeline(
    State(service): State<Service>,
    UrlPath(name): UrlPath<String>,
) -> Answer<PipelineView> {
    in_background(move || service.pipeline(&name)).await
}

/// Files that were made or adopted
#[utoipa::path(get, path = "/v1/files", params(FileFilter), responses((status = 200, body = FileList)))]
async fn files(
    State(service): State<Service>,
    filter: Result<Query<FileFilter>, QueryRejection>,
) -> Answer<FileList> {
    let Query(filter) = filter.map_err(|error| bad_request(error.body_text()))?;
    in_background(move || service.files(&filter)).await
}

/// The files of a job
#[utoipa::path(get, path = "/v1/files/of-job/{id}", params(("id" = String, Path)), responses((status = 200, body = FileList)))]
async fn files_of_job(
    State(service): State<Service>,
    UrlPath(id): UrlPath<String>,
) -> Answer<FileList> {
    in_background(move || service.files_of_job(&id)).await
}

/// The catalog in numbers
#[utoipa::path(get, path = "/v1/files/stats", responses((status = 200, body = FileStats)))]
async fn file_stats(State(service): State<Service>) -> Answer<FileStats> {
    in_background(move || service.file_stats()).await
}

/// Move or copy a file, and know it under its new name
#[utoipa::path(post, path = "/v1/files/move", request_body = MoveRequest, responses((status = 200, body = FileView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_file(State(service): State<Service>, request: Body<MoveRequest>) -> Answer<FileView> {
    let request = read(request)?;
    in_background(move || service.move_file(&request)).await
}

/// Delete files that are as they were made
#[utoipa::path(post, path = "/v1/files/delete", request_body = DeleteRequest, responses((status = 200, body = DeleteAnswer)))]
async fn delete_files(
    State(service): State<Service>,
    request: Body<DeleteRequest>,
) -> Answer<DeleteAnswer> {
    let request = read(request)?;
    in_background(move || service.delete_files(&request)).await
}

/// Know files that others made
#[utoipa::path(post, path = "/v1/files/adopt", request_body = AdoptRequest, responses((status = 200, body = AdoptAnswer)))]
async fn adopt_files(
    State(service): State<Service>,
    request: Body<AdoptRequest>,
) -> Answer<AdoptAnswer> {
    let request = read(request)?;
    in_background(move || service.adopt_files(&request)).await
}

/// Log more or less from now on
#[utoipa::path(post, path = "/v1/log", request_body = LogLevel, responses((status = 200, body = LogLevel), (status = 400, body = Problem)))]
async fn log_level(State(_): State<Service>, request: Body<LogLevel>) -> Answer<LogLevel> {
    let request = read(request)?;
    crate::report::set_log_level(&request.level).map_err(bad_request)?;
    tracing::warn!(level = %request.level, "Log level was changed by request.");
    Ok(Json(request))
}

/// Finish what runs, then end; or end at once
#[utoipa::path(post, path = "/v1/stop", request_body = StopRequest, responses((status = 200, body = StopRequest)))]
async fn stop(State(service): State<Service>, request: Body<StopRequest>) -> Answer<StopRequest> {
    let request = read(request)?;
    in_background(move || service.stop(request).map(|()| request)).await
}

async fn unknown() -> Problem {
    Problem::new(404, "not found", "no such path; GET /v1/openapi.json lists them")
}

async fn wrong_method() -> Problem {
    let detail = "this path has other methods; GET /v1/openapi.json lists them";
    Problem::new(405, "method not allowed", detail)
}

/// The store waits for the disk, so its answers come from another thread.
async fn background<T: Send + 'static>(
    answer: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let answered = tokio::task::spawn_blocking(answer).await;
    answered.unwrap_or_else(|error| Err(Problem::new(500, "internal error", error.to_string())))
}

async fn in_background<T: Send + 'static>(
    answer: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Answer<T> {
    background(answer).await.map(Json)
}

fn bad_request(detail: String) -> Problem {
    Problem::new(400, "bad request", detail)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(self).into_response().into_body()).into_response()
    }
}
