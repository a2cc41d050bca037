//! `/v1/uploads`: files that come in pieces, so that a broken connection costs a piece and not the file.

use crate::app::App;
use crate::metadata::MetadataAnswer;
use crate::reports::{ReportKind, io_problem};
use crate::uploads::{plain_name, too_large};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wavemill_api::background;
use wavemill_api::types::{Problem, SubmitAnswer, SubmitRequest};
use wavemill_pipelines::publishing::{create_dirs, sync_dir};
use wavemill_store::UploadRecord;

/// What is known of a file that comes in pieces, beside it.
const PLAN_NAME: &str = ".upload.json";

/// Name of a file that is being received.
const PART_NAME: &str = ".part";

/// Time after which nobody goes on with a file.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(24);

/// Uploads of a list.
const LISTED_MAX: usize = 1000;

/// Pieces of a body that wait for the disk at most.
const PIECES_MAX: usize = 4;

/// A file to be sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TransferRequest {
    /// Its name.
    name: String,
    /// Its size, bytes.
    size_bytes: u64,
}

/// A file, and how much of it is here.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TransferAnswer {
    /// Its id, a UUID.
    id: String,
    /// Its name.
    name: String,
    /// Its size, bytes.
    size_bytes: u64,
    /// Bytes that are here.
    received_bytes: u64,
    /// Whether it is complete and was accepted.
    is_complete: bool,
    /// What is known of it, once it is complete.
    metadata: Option<MetadataAnswer>,
}

/// Uploads, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct UploadList {
    /// At most 1000.
    uploads: Vec<TransferAnswer>,
}

/// Where a piece begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PieceQuery {
    /// Bytes before it: as many as are here.
    offset: u64,
}

/// What to do with an upload.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct SubmitUploadRequest {
    /// The pipeline.
    pipeline: String,
}

/// Begin a file that comes in pieces
#[utoipa::path(post, path = "/v1/uploads", request_body = TransferRequest,
    responses((status = 200, body = TransferAnswer), (status = 400, body = Problem), (status = 413, body = Problem)))]
pub(crate) async fn begin(
    State(app): State<App>,
    request: Result<Json<TransferRequest>, JsonRejection>,
) -> Result<Json<TransferAnswer>, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    if request.size_bytes == 0 {
        return Err(Problem::request("`size_bytes` is 0; an empty file is no audio"));
    }
    if request.size_bytes > app.settings.upload_bytes_max {
        return Err(too_large(app.settings.upload_bytes_max));
    }
    let plan = TransferRequest { name: plain_name(&request.name), ..request };
    let id = Uuid::new_v4().to_string();
    let folder = app.settings.uploads_dir.join(&id);
    let answer = TransferAnswer::begun(&id, &plan, 0);
    background(move || {
        let begin = || {
            create_dirs(&folder)?;
            File::create_new(folder.join(PART_NAME))?;
            File::create_new(folder.join(PLAN_NAME))?.write_all(&serde_json::to_vec(&plan)?)?;
            sync_dir(&folder)
        };
        begin().map_err(|error| io_problem(&error))
    })
    .await?;
    Ok(Json(answer))
}

/// Uploads, the newest first
#[utoipa::path(get, path = "/v1/uploads", responses((status = 200, body = UploadList)))]
pub(crate) async fn uploads(State(app): State<App>) -> Result<Json<UploadList>, Problem> {
    background(move || {
        let mut found = Vec::new();
        app.service.store().visit_service(&mut |id, record: UploadRecord| {
            found.push((id.to_owned(), record));
        })?;
        found.sort_by_key(|(_, record)| std::cmp::Reverse(record.added_ms));
        found.truncate(LISTED_MAX);
        let known = found.into_iter().map(|(id, record)| TransferAnswer::known(id, &record, None));
        Ok(Json(UploadList { uploads: known.collect() }))
    })
    .await
}

/// How much of a file is here
#[utoipa::path(get, path = "/v1/uploads/{id}", params(("id" = String, Path)),
    responses((status = 200, body = TransferAnswer), (status = 404, body = Problem)))]
pub(crate) async fn transfer(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<TransferAnswer>, Problem> {
    match app.transfer(&id).await? {
        Transfer::Known(record) => {
            let report = app.report(&id, &record.path, ReportKind::Metadata).await?;
            let metadata = MetadataAnswer::of(&id, &record.name, &report);
            Ok(Json(TransferAnswer::known(id, &record, Some(metadata))))
        }
        Transfer::Begun { plan, received_bytes } => {
            Ok(Json(TransferAnswer::begun(&id, &plan, received_bytes)))
        }
    }
}

/// Send the next piece of a file; with the last one it is probed
#[utoipa::path(post, path = "/v1/uploads/{id}/bytes", params(("id" = String, Path), PieceQuery),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, body = TransferAnswer), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn piece(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Result<Query<PieceQuery>, QueryRejection>,
    body: Body,
) -> Result<Json<TransferAnswer>, Problem> {
    let Query(query) = query.map_err(|error| Problem::request(&error.body_text()))?;
    let _turn = app.turn(&id).await;
    let Transfer::Begun { plan, received_bytes } = app.transfer(&id).await? else {
        return Err(Problem::new(409, "already complete", "all of this file is here"));
    };
    if query.offset != received_bytes {
        let detail = format!("{received_bytes} bytes are here; send the next ones");
        return Err(Problem::new(409, "other offset", detail));
    }
    let folder = app.settings.uploads_dir.join(&id);
    let room = plan.size_bytes - received_bytes;
    let received = received_bytes + append(&folder, body, room).await?;
    if received < plan.size_bytes {
        return Ok(Json(TransferAnswer::begun(&id, &plan, received)));
    }
    let path = folder.join(&plan.name);
    let (from, to) = (folder.join(PART_NAME), path.clone());
    background(move || {
        let name = || fs::rename(&from, &to).and_then(|()| sync_dir(&folder));
        name().map_err(|error| io_problem(&error))
    })
    .await?;
    let received = app.received(id.clone(), plan.name);
    // To its end also where the sender goes: it asks again, and finds the file complete.
    let accepting = app.clone();
    let accepted = tokio::spawn(async move { accepting.accept(received).await }).await;
    let record =
        accepted.map_err(|error| Problem::new(500, "internal error", error.to_string()))??;
    let report = app.report(&id, &record.path, ReportKind::Metadata).await?;
    let metadata = MetadataAnswer::of(&id, &record.name, &report);
    Ok(Json(TransferAnswer::known(id, &record, Some(metadata))))
}

/// Process an upload by a pipeline
#[utoipa::path(post, path = "/v1/uploads/{id}/submit", params(("id" = String, Path)),
    request_body = SubmitUploadRequest,
    responses((status = 200, body = SubmitAnswer), (status = 404, body = Problem)))]
pub(crate) async fn submit(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Result<Json<SubmitUploadRequest>, JsonRejection>,
) -> Result<Json<SubmitAnswer>, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    let upload = app.upload(&id).await?;
    background(move || {
        let paths = vec![upload.path.display().to_string()];
        let pipeline = Some(request.pipeline);
        app.service.submit(&SubmitRequest { paths, pipeline, ..SubmitRequest::default() })
    })
    .await
    .map(Json)
}

/// A file that is here, or on its way.
enum Transfer {
    Known(UploadRecord),
    Begun { plan: TransferRequest, received_bytes: u64 },
}

impl App {
    async fn transfer(&self, id: &str) -> Result<Transfer, Problem> {
        let (app, id) = (self.clone(), id.to_owned());
        background(move || {
            if let Some(record) = app.service.store().service::<UploadRecord>(&id)? {
                return Ok(Transfer::Known(record));
            }
            let unknown = || Problem::new(404, "not found", format!("no upload has the id `{id}`"));
            let folder =
                Uuid::parse_str(&id).map(|id| app.settings.uploads_dir.join(id.to_string()));
            let folder = folder.map_err(|_| unknown())?;
            let plan = plan_of(&folder).ok_or_else(unknown)?;
            let part = fs::metadata(folder.join(PART_NAME)).map_err(|_| unknown())?;
            Ok(Transfer::Begun { plan, received_bytes: part.len() })
        })
        .await
    }
}

impl TransferAnswer {
    fn begun(id: &str, plan: &TransferRequest, received_bytes: u64) -> Self {
        Self {
            id: id.to_owned(),
            name: plan.name.clone(),
            size_bytes: plan.size_bytes,
            received_bytes,
            is_complete: false,
            metadata: None,
        }
    }

    fn known(id: String, record: &UploadRecord, metadata: Option<MetadataAnswer>) -> Self {
        let size_bytes = fs::metadata(&record.path).map_or(0, |file| file.len());
        Self {
            id,
            name: record.name.clone(),
            size_bytes,
            received_bytes: size_bytes,
            is_complete: true,
            metadata,
        }
    }
}

/// Whether a folder's file may still be sent.
pub(crate) fn is_under_way(folder: &FilePath) -> bool {
    let changed = || fs::metadata(folder.join(PART_NAME))?.modified();
    let is_young = |changed: SystemTime| {
        SystemTime::now().duration_since(changed).is_ok_and(|age| age < GIVEN_UP_AFTER)
    };
    plan_of(folder).is_some() && changed().is_ok_and(is_young)
}

fn plan_of(folder: &FilePath) -> Option<TransferRequest> {
    serde_json::from_slice(&fs::read(folder.join(PLAN_NAME)).ok()?).ok()
}

/// Appends a body of at most `room` bytes to a file; what came of it stays when the rest does not come.
async fn append(folder: &FilePath, body: Body, room: u64) -> Result<u64, Problem> {
    let path = folder.join(PART_NAME);
    let (pieces, waiting) = mpsc::channel(PIECES_MAX);
    let written = tokio::task::spawn_blocking(move || write(&path, waiting));
    let mut stream = body.into_data_stream();
    let (mut count, mut result) = (0, Ok(()));
    while let Some(piece) = stream.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                result = Err(Problem::request(&format!("the body broke off: {error}")));
                break;
            }
        };
        if count + piece.len() as u64 > room {
            result =
                Err(Problem::new(413, "too large", "the file is larger than it was said to be"));
            break;
        }
        count += piece.len() as u64;
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    drop(pieces);
    let written = written.await.map_err(io::Error::other).and_then(|written| written);
    written.map_err(|error| io_problem(&error))?;
    result.map(|()| count)
}

fn write(path: &PathBuf, mut pieces: mpsc::Receiver<axum::body::Bytes>) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    while let Some(piece) = pieces.blocking_recv() {
        file.write_all(&piece)?;
    }
    file.sync_all()
}
