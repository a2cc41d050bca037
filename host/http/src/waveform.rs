//! `GET /api/audio/files/{file_id}/waveform`: as many peaks as one asks for.

use crate::app::App;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path as FilePath;
use utoipa::{IntoParams, ToSchema};
use wavemill_api::types::Problem;

/// Most peaks of an answer.
const PEAKS_MAX: u32 = 100_000;

/// Peaks where nobody says how many.
const PEAKS_USUAL: u32 = 1000;

/// How many peaks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaveformQuery {
    /// Number of peaks, 1 to 100,000; 1000 if absent.
    target_length: Option<u32>,
}

/// Peaks of equal parts of a file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct WaveformAnswer {
    /// The largest magnitude of each part, 0 to 1.
    peaks: Vec<f64>,
    /// How many there are: fewer than asked for only if the file has fewer frames.
    length: usize,
    /// Sample rate of the file, Hz.
    sample_rate: u64,
}

/// Peaks of an uploaded file, for drawing it
#[utoipa::path(get, path = "/api/audio/files/{file_id}/waveform",
    params(("file_id" = String, Path), WaveformQuery),
    responses((status = 200, body = WaveformAnswer), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn waveform(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Result<Query<WaveformQuery>, QueryRejection>,
) -> Result<Json<WaveformAnswer>, Problem> {
    let upload = app.upload(&id).await?;
    app.waveform_of(&upload.path, query).await
}

impl App {
    /// As many peaks of a file as are asked for.
    ///
    /// # Errors
    /// When there is no such number of peaks, or the file cannot be read.
    pub(crate) async fn waveform_of(
        &self,
        file: &FilePath,
        query: Result<Query<WaveformQuery>, QueryRejection>,
    ) -> Result<Json<WaveformAnswer>, Problem> {
        let Query(query) = query.map_err(|error| Problem::request(&error.body_text()))?;
        let count = query.target_length.unwrap_or(PEAKS_USUAL);
        if !(1..=PEAKS_MAX).contains(&count) {
            let reason = format!("`target_length` is {count}; it must be from 1 to {PEAKS_MAX}");
            return Err(Problem::request(&reason));
        }
        let (count, path) = (count.to_string(), file.display().to_string());
        let read = self.document_of(&["waveform", "--points", &count, "--", &path]).await?;
        Ok(Json(WaveformAnswer::of(&read)))
    }
}

impl WaveformAnswer {
    /// From what `wavemill waveform` writes.
    fn of(document: &Value) -> Self {
        let mix = &document["levels"][0]["mix"];
        let values =
            |key: &str| mix[key].as_array().into_iter().flatten().filter_map(Value::as_f64);
        let pairs = values("min").zip(values("max"));
        let peaks: Vec<f64> = pairs.map(|(min, max)| min.abs().max(max.abs()).min(1.0)).collect();
        let sample_rate = document["sample_rate_hz"].as_u64().unwrap_or_default();
        Self { length: peaks.len(), peaks, sample_rate }
    }
}
