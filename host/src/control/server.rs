//! The control socket: HTTP over a Unix socket that only the daemon's user can open.

use super::service::Service;
use super::socket_path;
use super::types::{
    BatchFilter, BatchList, BatchView, CancelRequest, JobFilter, JobList, JobView, PauseRequest,
    PauseView, PipelineView, Problem, ReprocessRequest, RetryRequest, Status, StopRequest,
    SubmitAnswer, SubmitRequest,
};
use crate::platform::with_socket_path;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running control socket. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    path: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens in the state folder, whose store the caller owns: a socket that is there is stale.
    pub(crate) fn start(state_dir: &Path, service: Service) -> io::Result<Self> {
        let path = socket_path(state_dir);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = with_socket_path(&path, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let served = async {
                    let listener = tokio::net::UnixListener::from_std(listener)?;
                    axum::serve(listener, router(service)).await
                };
                tokio::select! {
                    result = served => if let Err(error) = result {
                        tracing::error!(%error, "Control socket ends.");
                    },
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { path, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

/// What can be asked, and who answers.
fn router(service: Service) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/jobs", get(jobs))
        .route("/v1/jobs/{id}", get(job))
        .route("/v1/jobs/retry", post(retry))
        .route("/v1/jobs/reprocess", post(reprocess))
        .route("/v1/jobs/cancel", post(cancel))
        .route("/v1/jobs/pause", post(pause))
        .route("/v1/jobs/resume", post(resume))
        .route("/v1/batches", get(batches).post(submit))
        .route("/v1/batches/{id}", get(batch))
        .route("/v1/pipelines/{name}", get(pipeline))
        .route("/v1/stop", post(stop))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(service)
}

type Answer<T> = Result<Json<T>, Problem>;

async fn status(State(service): State<Service>) -> Answer<Status> {
    in_background(move || service.status()).await
}

async fn jobs(
    State(service): State<Service>,
    filter: Result<Query<JobFilter>, QueryRejection>,
) -> Answer<JobList> {
    let Query(filter) = filter.map_err(|error| bad_request(&error.body_text()))?;
    in_background(move || service.jobs(&filter)).await
}

async fn job(State(service): State<Service>, UrlPath(id): UrlPath<String>) -> Answer<JobView> {
    in_background(move || service.job(&id)).await
}

/// A request with a JSON body.
type Body<T> = Result<Json<T>, JsonRejection>;

fn read<T>(request: Body<T>) -> Result<T, Problem> {
    request.map(|Json(request)| request).map_err(|error| bad_request(&error.body_text()))
}

async fn retry(State(service): State<Service>, request: Body<RetryRequest>) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.retry(&request)).await
}

async fn reprocess(
    State(service): State<Service>,
    request: Body<ReprocessRequest>,
) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.reprocess(&request)).await
}

async fn cancel(State(service): State<Service>, request: Body<CancelRequest>) -> Answer<JobList> {
    let request = read(request)?;
    in_background(move || service.cancel(&request)).await
}

async fn pause(State(service): State<Service>, request: Body<PauseRequest>) -> Answer<PauseView> {
    let request = read(request)?;
    in_background(move || service.pause(&request)).await
}

async fn resume(State(service): State<Service>, request: Body<PauseRequest>) -> Answer<PauseView> {
    let request = read(request)?;
    in_background(move || service.resume(&request)).await
}

async fn submit(
    State(service): State<Service>,
    request: Body<SubmitRequest>,
) -> Answer<SubmitAnswer> {
    let request = read(request)?;
    in_background(move || service.submit(&request)).await
}

async fn batches(
    State(service): State<Service>,
    filter: Result<Query<BatchFilter>, QueryRejection>,
) -> Answer<BatchList> {
    let Query(filter) = filter.map_err(|error| bad_request(&error.body_text()))?;
    let limit = filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT);
    in_background(move || service.batches(limit)).await
}

async fn batch(State(service): State<Service>, UrlPath(id): UrlPath<String>) -> Answer<BatchView> {
    in_background(move || service.batch(&id)).await
}

async fn pipeline(
    State(service): State<Service>,
    UrlPath(name): UrlPath<String>,
) -> Answer<PipelineView> {
    in_background(move || service.pipeline(&name)).await
}

async fn stop(State(service): State<Service>, request: Body<StopRequest>) -> Answer<StopRequest> {
    let request = read(request)?;
    in_background(move || service.stop(request).map(|()| request)).await
}

async fn unknown() -> Problem {
    Problem {
        title: "not found".to_owned(),
        detail: "no such path or method below /v1".to_owned(),
        status: 404,
    }
}

/// The store waits for the disk, so its answers come from another thread.
async fn in_background<T: Send + 'static>(
    answer: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Answer<T> {
    let answered = tokio::task::spawn_blocking(answer).await;
    answered.unwrap_or_else(|error| Err(broken(&error.to_string()))).map(Json)
}

fn bad_request(detail: &str) -> Problem {
    Problem { title: "bad request".to_owned(), detail: detail.to_owned(), status: 400 }
}

fn broken(detail: &str) -> Problem {
    Problem { title: "internal error".to_owned(), detail: detail.to_owned(), status: 500 }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}
