//! Every operation, described once: method, path, request, answer, refusals. The server, the client and the `OpenAPI`
//! document follow from it. **Adding one: a line in `operations!` and a method of [`Service`] of that name.**

use super::client::{Client, ClientError};
use super::references::types::{
    AddReferenceRequest, ReferenceFilter, ReferenceList, ReferenceView, RemoveReferencesRequest,
    SimilarAnswer, SimilarRequest,
};
use super::service::Service;
use super::types::{
    AddRegionRequest, AdoptAnswer, AdoptRequest, BatchFilter, BatchList, BatchView, CancelRequest,
    CheckAnswer, CheckRequest, DeleteAnswer, DeleteRequest, FileFilter, FileList, FileStats,
    FileView, Health, JobFilter, JobList, JobView, LogLevel, MoveRequest, PauseRequest, PauseView,
    PipelineList, PipelineView, Problem, RegionFilter, RegionList, RegionView, ReloadAnswer,
    RemoveRegionsRequest, ReprocessRequest, RetryRequest, Status, StopRequest, SubmitAnswer,
    SubmitRequest,
};
use super::{metrics, stream};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Content type of problems. Source: RFC 9457.
const PROBLEM_TYPE: &str = "application/problem+json";

/// Longest request: a batch of 100,000 long paths.
const BODY_BYTES_MAX: usize = 64 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Wavemill API",
    description = "Version 1: fields and paths are added, never removed. Errors are problem \
        details (RFC 9457). The API is served on the Unix socket `control.sock` in the state \
        folder and, with `watch --http`, on an address, where requests need \
        `Authorization: Bearer` with the token in `control.token`.",
    license(name = "MIT OR Apache-2.0")
))]
struct Document;

/// The handler of an operation: what it reads is nothing, a query, a name in its path or a JSON object.
macro_rules! handler {
    ($(#[$about:meta])* $method:ident $path:literal $name:ident () $answer:ident $($code:literal)*) => {
        $(#[$about])*
        #[utoipa::path($method, path = $path,
            responses((status = 200, body = $answer) $(, (status = $code, body = Problem))*))]
        async fn $name(State(service): State<Service>) -> Answer<$answer> {
            in_background(move || service.$name()).await
        }
    };
    ($(#[$about:meta])* $method:ident $path:literal $name:ident (query $filter:ident) $answer:ident $($code:literal)*) => {
        $(#[$about])*
        #[utoipa::path($method, path = $path, params($filter),
            responses((status = 200, body = $answer) $(, (status = $code, body = Problem))*))]
        async fn $name(
            State(service): State<Service>,
            filter: Result<Query<$filter>, QueryRejection>,
        ) -> Answer<$answer> {
            let Query(filter) = filter.map_err(|error| bad_request(error.body_text()))?;
            in_background(move || service.$name(&filter)).await
        }
    };
    ($(#[$about:meta])* $method:ident $path:literal $name:ident (path $part:literal) $answer:ident $($code:literal)*) => {
        $(#[$about])*
        #[utoipa::path($method, path = $path, params(($part = String, Path)),
            responses((status = 200, body = $answer) $(, (status = $code, body = Problem))*))]
        async fn $name(State(service): State<Service>, part: InPath) -> Answer<$answer> {
            let part = name_in(part)?;
            in_background(move || service.$name(&part)).await
        }
    };
    ($(#[$about:meta])* $method:ident $path:literal $name:ident (body $request:ident) $answer:ident $($code:literal)*) => {
        $(#[$about])*
        #[utoipa::path($method, path = $path, request_body = $request,
            responses((status = 200, body = $answer) $(, (status = $code, body = Problem))*))]
        async fn $name(State(service): State<Service>, request: Body<$request>) -> Answer<$answer> {
            let request = read(request)?;
            in_background(move || service.$name(&request)).await
        }
    };
}

/// The method of [`Client`] for an operation.
macro_rules! call {
    ($(#[$about:meta])* get $path:literal $name:ident () $answer:ident) => {
        $(#[$about])*
        ///
        /// # Errors
        /// See [`ClientError`].
        pub fn $name(&self) -> Result<$answer, ClientError> {
            self.get($path)
        }
    };
    ($(#[$about:meta])* post $path:literal $name:ident () $answer:ident) => {
        $(#[$about])*
        ///
        /// # Errors
        /// See [`ClientError`].
        pub fn $name(&self) -> Result<$answer, ClientError> {
            self.post($path, &())
        }
    };
    ($(#[$about:meta])* get $path:literal $name:ident (query $filter:ident) $answer:ident) => {
        $(#[$about])*
        ///
        /// # Errors
        /// See [`ClientError`].
        pub fn $name(&self, filter: &$filter) -> Result<$answer, ClientError> {
            self.get_with($path, filter)
        }
    };
    ($(#[$about:meta])* get $path:literal $name:ident (path $part:literal) $answer:ident) => {
        $(#[$about])*
        ///
        /// # Errors
        /// See [`ClientError`].
        pub fn $name(&self, part: &str) -> Result<$answer, ClientError> {
            self.get_named($path, part)
        }
    };
    ($(#[$about:meta])* post $path:literal $name:ident (body $request:ident) $answer:ident) => {
        $(#[$about])*
        ///
        /// # Errors
        /// See [`ClientError`].
        pub fn $name(&self, request: &$request) -> Result<$answer, ClientError> {
            self.post($path, request)
        }
    };
}

/// `/// What it does` `method "path" name(input) -> Answer, refused 404 409;`
macro_rules! operations {
    ($($(#[$about:meta])* $method:ident $path:literal $name:ident $input:tt -> $answer:ident $(, refused $($code:literal)+)?;)+) => {
        $(handler! { $(#[$about])* $method $path $name $input $answer $($($code)+)? })+

        impl Client {
            $(call! { $(#[$about])* $method $path $name $input $answer })+
        }

        fn documented() -> OpenApiRouter<Service> {
            OpenApiRouter::with_openapi(Document::openapi())
                $(.routes(routes!($name)))+
                .routes(routes!(metrics_text))
                .routes(routes!(events))
        }
    };
}

operations! {
    /// What the daemon does: folders, workers, jobs by state
    get "/v1/status" status() -> Status;
    /// Whether the scheduler goes round; 503 when it does not
    get "/v1/health" health() -> Health, refused 503;
    /// Whether jobs are begun; 503 while the daemon drains or is not well
    get "/v1/ready" ready() -> Health, refused 503;
    /// Jobs, the newest first
    get "/v1/jobs" jobs(query JobFilter) -> JobList;
    /// A job, by its id or a unique part of it
    get "/v1/jobs/{id}" job(path "id") -> JobView, refused 404 409;
    /// Repeat failed or rejected jobs; the answer lists the new ones
    post "/v1/jobs/retry" retry(body RetryRequest) -> JobList, refused 409;
    /// Process known files again; the answer lists the new jobs
    post "/v1/jobs/reprocess" reprocess(body ReprocessRequest) -> JobList, refused 404;
    /// Cancel jobs that wait or run; the answer lists them
    post "/v1/jobs/cancel" cancel(body CancelRequest) -> JobList, refused 409;
    /// Begin no more jobs of a pipeline, or of all, until they are resumed
    post "/v1/jobs/pause" pause(body PauseRequest) -> PauseView;
    /// Begin jobs again that were paused
    post "/v1/jobs/resume" resume(body PauseRequest) -> PauseView;
    /// Process files, once each, as a batch
    post "/v1/batches" submit(body SubmitRequest) -> SubmitAnswer, refused 404 422;
    /// Batches, the newest first
    get "/v1/batches" batches(query BatchFilter) -> BatchList;
    /// A batch, by its name, its id or a unique part of it
    get "/v1/batches/{id}" batch(path "id") -> BatchView, refused 404;
    /// The pipelines that run
    get "/v1/pipelines" pipelines() -> PipelineList;
    /// What is wrong with a pipeline's text
    post "/v1/pipelines/check" check_pipeline(body CheckRequest) -> CheckAnswer, refused 400;
    /// Read configuration and pipelines again; `status` says if that was refused
    post "/v1/reload" reload() -> ReloadAnswer, refused 503;
    /// A pipeline that files can be submitted to by name
    get "/v1/pipelines/{name}" pipeline(path "name") -> PipelineView, refused 404;
    /// Files that were made or adopted
    get "/v1/files" files(query FileFilter) -> FileList;
    /// The files of a job
    get "/v1/files/of-job/{id}" files_of_job(path "id") -> FileList;
    /// The catalog in numbers
    get "/v1/files/stats" file_stats() -> FileStats;
    /// Move or copy a file, and know it under its new name
    post "/v1/files/move" move_file(body MoveRequest) -> FileView, refused 404 409;
    /// Delete files that are as they were made
    post "/v1/files/delete" delete_files(body DeleteRequest) -> DeleteAnswer;
    /// Know files that others made
    post "/v1/files/adopt" adopt_files(body AdoptRequest) -> AdoptAnswer;
    /// Tracks that others are compared with, by name
    get "/v1/references" references(query ReferenceFilter) -> ReferenceList;
    /// A reference, with its features and measures
    get "/v1/references/{name}" reference(path "name") -> ReferenceView, refused 404;
    /// Add a reference
    post "/v1/references" add_reference(body AddReferenceRequest) -> ReferenceView, refused 400 409;
    /// Remove references; the answer lists them
    post "/v1/references/remove" remove_references(body RemoveReferencesRequest) -> ReferenceList, refused 404;
    /// References that sound like given features, the most similar first
    post "/v1/references/similar" similar(body SimilarRequest) -> SimilarAnswer, refused 400 404;
    /// Regions of tracks
    get "/v1/regions" regions(query RegionFilter) -> RegionList;
    /// Add a region to a track
    post "/v1/regions" add_region(body AddRegionRequest) -> RegionView, refused 400 404;
    /// Remove regions; the answer lists them
    post "/v1/regions/remove" remove_regions(body RemoveRegionsRequest) -> RegionList, refused 404;
    /// Log more or less from now on
    post "/v1/log" set_log_level(body LogLevel) -> LogLevel, refused 400;
    /// Finish what runs, then end; or end at once
    post "/v1/stop" stop(body StopRequest) -> StopRequest;
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

/// The API's description, of the control socket alone.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().split_for_parts().1
}

/// A description as it is published: every operation may answer with a problem.
pub fn described(document: utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let problem = json!({
        "description": "A problem (RFC 9457): what happened, in one line.",
        "content": { PROBLEM_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.filter_map(|(_, path)| path.as_object_mut()).flatten();
    for (_, operation) in operations {
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for (status, response) in responses.iter_mut() {
            if status.starts_with(['4', '5']) {
                let description = response["description"].take();
                *response = problem.clone();
                if description.as_str().is_some_and(|text| !text.is_empty()) {
                    response["description"] = description;
                }
            }
        }
        responses.insert("default".to_owned(), problem.clone());
    }
    document
}

/// The API.
pub(super) fn router(service: Service) -> Router {
    complete(operations(service))
}

/// Every operation of the API, to be served with others.
pub fn operations(service: Service) -> OpenApiRouter {
    documented().with_state(service)
}

/// What is served: operations, their description, and refusals of all else.
pub fn complete(operations: OpenApiRouter) -> Router {
    let (router, document) = operations.split_for_parts();
    let document = described(document);
    let of_all = document.clone();
    router
        .route("/v1/openapi.json", axum::routing::get(async move || Json(document)))
        .route("/openapi.json", axum::routing::get(async move || Json(of_all)))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
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

async fn unknown() -> Problem {
    Problem::new(404, "not found", "unknown path; GET /v1/openapi.json lists all paths")
}

async fn wrong_method() -> Problem {
    let detail = "this path does not support the method; GET /v1/openapi.json lists those it does";
    Problem::new(405, "method not allowed", detail)
}

/// The store waits for the disk, so its answers come from another thread.
///
/// # Errors
/// Those of `answer`, or that it panicked.
pub async fn background<T: Send + 'static>(
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
        let kind = [(header::CONTENT_TYPE, PROBLEM_TYPE)];
        (status, kind, Json(self).into_response().into_body()).into_response()
    }
}
