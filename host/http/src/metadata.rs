//! `GET /api/audio/files/{file_id}/metadata` and `.../analysis`: what reports say, in the services' fields.

use crate::app::App;
use crate::reports::ReportKind;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wavemill_api::types::Problem;

/// What is known of a file; null is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MetadataAnswer {
    /// Its id, a UUID.
    pub(crate) file_id: String,
    /// What its sender called it.
    file_name: String,
    /// Length, s.
    duration: Option<f64>,
    /// Sample rate, Hz.
    sample_rate: Option<u64>,
    /// Channels.
    channels: Option<u64>,
    /// Container, such as `WAV`.
    format: Option<String>,
    /// Size, bytes.
    file_size: Option<u64>,
    /// Bits a sample; null for lossy formats.
    bit_depth: Option<u64>,
    /// Title.
    title: Option<String>,
    /// Artist.
    artist: Option<String>,
    /// Album.
    album: Option<String>,
    /// Genre.
    genre: Option<String>,
    /// Year.
    year: Option<i64>,
    /// Tempo by its tags, beats a minute.
    bpm: Option<f64>,
    /// Key by its tags, such as `C` or `F#m`.
    key_signature: Option<String>,
}

impl MetadataAnswer {
    /// What a report says.
    pub(crate) fn of(id: &str, name: &str, report: &Value) -> Self {
        let (input, tags) = (&report["input"], &report["tags"]);
        let text = |key: &str| tags[key].as_str().map(str::to_owned);
        Self {
            file_id: id.to_owned(),
            file_name: name.to_owned(),
            duration: input["duration_s"].as_f64(),
            sample_rate: input["sample_rate_hz"].as_u64(),
            channels: input["channels"].as_u64(),
            format: input["format"].as_str().map(str::to_ascii_uppercase),
            file_size: input["size_bytes"].as_u64(),
            bit_depth: input["bit_depth"].as_u64(),
            title: text("title"),
            artist: text("artist"),
            album: text("album"),
            genre: text("genre"),
            year: tags["year"].as_i64(),
            bpm: tags["bpm"].as_f64(),
            key_signature: text("key"),
        }
    }

    /// Leaves the tags out.
    pub(crate) fn forget_tags(&mut self) {
        let Self { title, artist, album, genre, key_signature, .. } = self;
        for tag in [title, artist, album, genre, key_signature] {
            *tag = None;
        }
        (self.year, self.bpm) = (None, None);
    }
}

/// What was measured of a file; null is what it does not have, such as a tempo.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AnalysisAnswer {
    /// Length, s.
    duration: Option<f64>,
    /// Sample rate, Hz.
    sample_rate: Option<u64>,
    /// Channels.
    channels: Option<u64>,
    /// Integrated loudness, LUFS.
    loudness_lufs: Option<f64>,
    /// Sample peak, dBFS.
    loudness_peak: Option<f64>,
    /// RMS, dBFS; a full-scale sine is at -3.01.
    rms_level: Option<f64>,
    /// Peak to RMS, dB.
    dynamic_range: Option<f64>,
    /// Sign changes of the mean of the channels.
    zero_crossings: Option<u64>,
    /// Mean frequency by magnitude, Hz.
    spectral_centroid: Option<f64>,
    /// Spread around it, Hz.
    spectral_bandwidth: Option<f64>,
    /// Frequency below which 85 % of the magnitude lies, Hz.
    spectral_rolloff: Option<f64>,
    /// Tempo, beats a minute.
    tempo: Option<f64>,
    /// Key, such as `C` or `F#m`.
    key: Option<String>,
}

impl AnalysisAnswer {
    fn of(report: &Value) -> Self {
        let number = |group: &str, key: &str| report[group][key].as_f64();
        Self {
            duration: number("input", "duration_s"),
            sample_rate: report["input"]["sample_rate_hz"].as_u64(),
            channels: report["input"]["channels"].as_u64(),
            loudness_lufs: number("loudness", "integrated_lufs"),
            loudness_peak: number("loudness", "sample_peak_dbfs"),
            rms_level: number("level", "rms_dbfs"),
            dynamic_range: number("level", "dynamic_range_db"),
            zero_crossings: report["level"]["zero_crossings"].as_u64(),
            spectral_centroid: number("spectrum", "centroid_hz"),
            spectral_bandwidth: number("spectrum", "bandwidth_hz"),
            spectral_rolloff: number("spectrum", "rolloff_hz"),
            tempo: number("rhythm", "tempo_bpm"),
            key: report["tonality"]["key"].as_str().map(str::to_owned),
        }
    }
}

/// The metadata of an uploaded file
#[utoipa::path(get, path = "/api/audio/files/{file_id}/metadata", params(("file_id" = String, Path)),
    responses((status = 200, body = MetadataAnswer), (status = 404, body = Problem)))]
pub(crate) async fn metadata(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MetadataAnswer>, Problem> {
    let upload = app.upload(&id).await?;
    let report = app.report(&id, &upload.path, ReportKind::Metadata).await?;
    Ok(Json(MetadataAnswer::of(&id, &upload.name, &report)))
}

/// The measures of an uploaded file
#[utoipa::path(get, path = "/api/audio/files/{file_id}/analysis", params(("file_id" = String, Path)),
    responses((status = 200, body = AnalysisAnswer), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn analysis(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<AnalysisAnswer>, Problem> {
    let upload = app.upload(&id).await?;
    let report = app.report(&id, &upload.path, ReportKind::Analysis).await?;
    Ok(Json(AnalysisAnswer::of(&report)))
}
