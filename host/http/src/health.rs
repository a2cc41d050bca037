//! Whether the server is well, and what it has done.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use wavemill_api::background;
use wavemill_api::types::Problem;
use wavemill_store::{JobState, UploadRecord};

/// Whether the server is well.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct HealthAnswer {
    /// `healthy`.
    status: String,
    /// The program.
    service: String,
    /// Its version.
    version: String,
    /// Seconds since it started.
    uptime_seconds: f64,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct StatisticsAnswer {
    /// Files that were uploaded.
    uploads: u64,
    /// Jobs by state; every state is present.
    #[schema(value_type = BTreeMap<String, u64>)]
    jobs: BTreeMap<JobState, u64>,
    /// Files that were made.
    files: u64,
    /// Their size, bytes.
    file_bytes: u64,
    /// Their audio, s.
    audio_seconds: f64,
    /// Seconds since the server started.
    uptime_seconds: f64,
}

/// Whether the server is well; asks for no token
#[utoipa::path(get, path = "/health",
    responses((status = 200, body = HealthAnswer), (status = 503, body = Problem)))]
pub(crate) async fn health(State(app): State<App>) -> Result<Json<HealthAnswer>, Problem> {
    app.service.health()?;
    Ok(Json(HealthAnswer {
        status: "healthy".to_owned(),
        service: "wavemill".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: app.started.elapsed().as_secs_f64(),
    }))
}

/// Whether the server is well
#[utoipa::path(get, path = "/api/audio/health",
    responses((status = 200, body = HealthAnswer), (status = 503, body = Problem)))]
pub(crate) async fn audio_health(state: State<App>) -> Result<Json<HealthAnswer>, Problem> {
    health(state).await
}

/// What was done
#[utoipa::path(get, path = "/api/audio/statistics", responses((status = 200, body = StatisticsAnswer)))]
pub(crate) async fn statistics(State(app): State<App>) -> Result<Json<StatisticsAnswer>, Problem> {
    background(move || {
        let mut uploads = 0;
        app.service.store().visit_service(&mut |_, _: UploadRecord| uploads += 1)?;
        let files = app.service.file_stats()?;
        Ok(Json(StatisticsAnswer {
            uploads,
            jobs: app.service.status()?.jobs,
            files: files.count,
            file_bytes: files.bytes,
            audio_seconds: files.audio_s,
            uptime_seconds: app.started.elapsed().as_secs_f64(),
        }))
    })
    .await
}

/// Numbers for Prometheus: those of `/v1/metrics`
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let text = background(move || app.service.metrics()).await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
