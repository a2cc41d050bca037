//! `POST /api/analyze` and what follows from it: measures by band, advice, similar references.

use crate::app::App;
use crate::content::ContentQuery;
use crate::reports::ReportKind;
use axum::Json;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wavemill_api::background;
use wavemill_api::references::types::{
    GivenFeatures, ReferenceFilter, ReferenceView, SimilarAnswer, SimilarRequest,
};
use wavemill_api::types::Problem;
use wavemill_core::advice::{Advice, Level, advise};
use wavemill_core::analysis::Analysis;
use wavemill_core::features::{FEATURE_VERSION, Features};
use wavemill_pipelines::profiles;
use wavemill_pipelines::report::AdviceText;
use wavemill_store::{AnalysisRecord, Clock};

/// References of an answer where nobody says how many.
const TOP_USUAL: usize = 5;

/// What is analyzed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the form as the API's description has it")]
pub(crate) struct AnalyzeForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The genre whose ranges it is held against; general ranges if it has none.
    genre: Option<String>,
    /// `subtle`, `suggestive` (usual) or `assertive`.
    recommendation_level: Option<String>,
}

/// An analysis that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AnalyzeAnswer {
    /// Its id, a UUID.
    id: String,
    /// `processing`.
    status: String,
}

/// An analysis.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AnalysisView {
    /// Its id.
    id: String,
    /// `processing`, `completed` or `failed`.
    status: String,
    /// Why it failed.
    error: Option<String>,
    /// The file, as its sender called it.
    file_name: String,
    /// The genre that was asked for.
    genre: Option<String>,
    /// The profile that it was held against.
    profile: Option<String>,
    /// What is said of a genre that has no profile.
    note: Option<String>,
    /// How much is advised.
    recommendation_level: String,
    /// Five bands, from low to high.
    band_metrics: Vec<BandMetrics>,
    /// The whole file.
    overall_metrics: Option<OverallMetrics>,
    /// What to change, the most audible first.
    recommendations: Vec<Recommendation>,
}

/// A band of a file; null is what it does not have.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BandMetrics {
    /// `low`, `low_mid`, `mid`, `high_mid` or `high`.
    band: String,
    /// Lower edge, Hz.
    low_hz: Option<f64>,
    /// Upper edge, Hz.
    high_hz: Option<f64>,
    /// Level, dBFS.
    level_db: Option<f64>,
    /// Peak to level, dB.
    crest_factor_db: Option<f64>,
    /// Stereo width: 0 is mono.
    stereo_width: Option<f64>,
    /// Correlation of the sides, -1 to 1.
    phase_correlation: Option<f64>,
    /// Mean frequency, Hz.
    spectral_centroid: Option<f64>,
    /// Frequency below which 85 % of the magnitude lies, Hz.
    spectral_rolloff: Option<f64>,
    /// 0 is a tone, 1 noise.
    spectral_flatness: Option<f64>,
    /// Share of the energy of all bands.
    energy_share: Option<f64>,
}

/// A whole file; null is what it does not have.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct OverallMetrics {
    /// Integrated loudness, LUFS.
    integrated_loudness: Option<f64>,
    /// Loudness range, LU.
    loudness_range: Option<f64>,
    /// True peak, dBTP.
    true_peak: Option<f64>,
    /// Peak to RMS, dB.
    dynamic_range: Option<f64>,
    /// The same.
    crest_factor: Option<f64>,
    /// Stereo width: 0 is mono.
    stereo_width: Option<f64>,
    /// Correlation of the sides, -1 to 1.
    phase_correlation: Option<f64>,
    /// Harmonic distortion of a test tone, percent; music has none.
    thd: Option<f64>,
    /// Share of the energy that is harmonic.
    harmonic_ratio: Option<f64>,
    /// Median time of attacks, ms.
    attack_time_ms: Option<f64>,
    /// How much of the attacks is left, 0 to 1.
    transient_preservation: Option<f64>,
    /// Tempo, beats a minute.
    tempo: Option<f64>,
    /// Key, such as `C` or `F#m`.
    key: Option<String>,
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Recommendation {
    /// The band; null is the whole file.
    band: Option<String>,
    /// What it is about, such as `low mid band` or `true peak`.
    measure: String,
    /// How much is advised.
    level: String,
    /// What to do, and why, in two sentences.
    text: String,
    /// What was measured, `min` and `max` of what is wanted, `difference`, `unit`, `correction_db`, `importance`.
    #[schema(value_type = Object)]
    values: Value,
}

/// Which references.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReferencesQuery {
    /// Only of this genre; how it is spelled does not matter.
    genre: Option<String>,
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SimilarityQuery {
    /// Only of this genre; how it is spelled does not matter.
    genre: Option<String>,
    /// At most so many, 1 to 1000; 5 if absent.
    #[serde(alias = "top")]
    top_k: Option<usize>,
}

/// References that are similar, the most similar first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SimilarityAnswer {
    /// The analysis.
    analysis_id: String,
    /// The references.
    results: Vec<SimilarTrack>,
}

/// A reference that is similar.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SimilarTrack {
    /// Its name.
    name: String,
    /// Who plays.
    artist: Option<String>,
    /// Its genre.
    genre: Option<String>,
    /// When it was published.
    year: Option<i32>,
    /// How similar, -1 to 1: 1 is the same sound.
    similarity: f64,
}

/// Analyze a file for mastering
#[utoipa::path(post, path = "/api/analyze",
    request_body(content = AnalyzeForm, content_type = "multipart/form-data"),
    responses((status = 200, body = AnalyzeAnswer), (status = 400, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn analyze(
    State(app): State<App>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<AnalyzeAnswer>, Problem> {
    let form = app.form(form).await?;
    let level = level(form.text("recommendation_level").unwrap_or(Level::default().name()))?;
    let genre = form.text("genre").map(str::to_owned);
    let (file_id, upload) = app.keep(form).await?;
    let id = Uuid::new_v4().to_string();
    let record = AnalysisRecord {
        file_id: Some(file_id),
        name: upload.name,
        genre,
        level: level.name().to_owned(),
        added_ms: Clock::now_ms(),
        reason: None,
        document: None,
    };
    let (kept, key, stored) = (app.clone(), id.clone(), record.clone());
    background(move || Ok(kept.service.store().put_service(&key, stored)?)).await?;
    app.measure(id.clone(), record);
    Ok(Json(AnalyzeAnswer { id, status: "processing".to_owned() }))
}

/// An analysis, as far as it is
#[utoipa::path(get, path = "/api/analysis/{id}", params(("id" = String, Path)),
    responses((status = 200, body = AnalysisView), (status = 404, body = Problem)))]
pub(crate) async fn analysis(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let record: AnalysisRecord = app.record(&id).await?;
    if let Some(document) = record.document {
        // One that was imported; it keeps the shape it has.
        return Ok(Json(document));
    }
    let report = match &record.file_id {
        Some(file) => app.known_report(file, ReportKind::Analysis).await?,
        None => None,
    };
    if report.is_none() && record.reason.is_none() {
        // Where the server ended in between, it is begun anew.
        app.measure(id.clone(), record.clone());
    }
    let view = AnalysisView::of(&id, &record, report)?;
    serde_json::to_value(view)
        .map(Json)
        .map_err(|error| Problem::new(500, "internal error", error.to_string()))
}

/// Tracks that others are compared with
#[utoipa::path(get, path = "/api/references", params(ReferencesQuery),
    responses((status = 200, body = Vec<ReferenceView>), (status = 400, body = Problem)))]
pub(crate) async fn references(
    State(app): State<App>,
    query: Result<Query<ReferencesQuery>, QueryRejection>,
) -> Result<Json<Vec<ReferenceView>>, Problem> {
    let Query(query) = query.map_err(|error| Problem::request(&error.body_text()))?;
    let filter = ReferenceFilter { genre: query.genre, ..ReferenceFilter::default() };
    let service = app.service.clone();
    Ok(Json(background(move || service.references(&filter)).await?.references))
}

/// References that sound like an analyzed file
#[utoipa::path(post, path = "/api/similarity/{analysis_id}",
    params(("analysis_id" = String, Path), SimilarityQuery),
    responses((status = 200, body = SimilarityAnswer), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn similarity(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Result<Query<SimilarityQuery>, QueryRejection>,
) -> Result<Json<SimilarityAnswer>, Problem> {
    let Query(query) = query.map_err(|error| Problem::request(&error.body_text()))?;
    let record: AnalysisRecord = app.record(&id).await?;
    let report = match &record.file_id {
        Some(file) => app.known_report(file, ReportKind::Analysis).await?,
        None => None,
    };
    let report = report.ok_or_else(|| {
        let detail = "this analysis is not completed, or has no file to compare";
        Problem::new(409, "not completed", detail)
    })?;
    let found = app.similar_to(report, query).await?.similar;
    let track = |found: wavemill_api::references::types::SimilarView| SimilarTrack {
        name: found.reference.name,
        artist: found.reference.artist,
        genre: found.reference.genre,
        year: found.reference.year,
        similarity: found.score,
    };
    Ok(Json(SimilarityAnswer { analysis_id: id, results: found.into_iter().map(track).collect() }))
}

/// References that sound like a file that was made or uploaded
#[utoipa::path(get, path = "/v1/files/similar", params(ContentQuery, SimilarityQuery),
    responses((status = 200, body = SimilarAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn similar_files(
    State(app): State<App>,
    file: Result<Query<ContentQuery>, QueryRejection>,
    query: Result<Query<SimilarityQuery>, QueryRejection>,
) -> Result<Json<SimilarAnswer>, Problem> {
    let Query(query) = query.map_err(|error| Problem::request(&error.body_text()))?;
    let (id, path) = app.known_file(file).await?;
    let report = app.report(&id, &path, ReportKind::Analysis).await?;
    app.similar_to(report, query).await.map(Json)
}

impl App {
    /// References that sound like what a report is about.
    async fn similar_to(
        &self,
        report: Value,
        query: SimilarityQuery,
    ) -> Result<SimilarAnswer, Problem> {
        let features = Features::of(&analysis_of(report)?);
        let request = SimilarRequest {
            features: GivenFeatures {
                version: FEATURE_VERSION,
                values: features.to_standardized().to_vec(),
            },
            genre: query.genre,
            top: Some(query.top_k.unwrap_or(TOP_USUAL)),
        };
        let service = self.service.clone();
        background(move || service.similar(&request)).await
    }

    /// Measures the file of an analysis; the record says why that failed.
    fn measure(&self, id: String, record: AnalysisRecord) {
        let app = self.clone();
        tokio::spawn(async move {
            let _turn = app.turn(&id).await;
            let Some(file) = &record.file_id else { return };
            let reason = match app.upload(file).await {
                Ok(upload) => app.report(file, &upload.path, ReportKind::Analysis).await.err(),
                Err(problem) => Some(problem),
            };
            let Some(problem) = reason else { return };
            let failed = AnalysisRecord { reason: Some(problem.detail), ..record };
            let written = background(move || Ok(app.service.store().put_service(&id, failed)?));
            if let Err(problem) = written.await {
                tracing::error!(reason = problem.detail, "A failed analysis could not be noted.");
            }
        });
    }
}

impl AnalysisView {
    fn of(id: &str, record: &AnalysisRecord, report: Option<Value>) -> Result<Self, Problem> {
        let status = match (&report, &record.reason) {
            (Some(_), _) => "completed",
            (None, Some(_)) => "failed",
            (None, None) => "processing",
        };
        let level = level(&record.level)?;
        let mut view = Self {
            id: id.to_owned(),
            status: status.to_owned(),
            error: record.reason.clone(),
            file_name: record.name.clone(),
            genre: record.genre.clone(),
            profile: None,
            note: None,
            recommendation_level: level.name().to_owned(),
            band_metrics: Vec::new(),
            overall_metrics: None,
            recommendations: Vec::new(),
        };
        let Some(report) = report else { return Ok(view) };
        let bands = report["bands"].as_array().into_iter().flatten();
        view.band_metrics = bands.map(BandMetrics::of).collect();
        view.overall_metrics = Some(OverallMetrics::of(&report));
        let found = profiles::find(record.genre.as_deref().unwrap_or("general"));
        view.profile = Some(found.profile.id.clone());
        view.note = found.note.filter(|_| record.genre.is_some());
        let advice = advise(&analysis_of(report)?, &found.profile, level);
        view.recommendations = advice.iter().map(|one| Recommendation::of(one, level)).collect();
        Ok(view)
    }
}

impl BandMetrics {
    fn of(band: &Value) -> Self {
        let number = |key: &str| band[key].as_f64();
        Self {
            band: band["name"].as_str().unwrap_or_default().to_owned(),
            low_hz: number("low_hz"),
            high_hz: number("high_hz"),
            level_db: number("level_dbfs"),
            crest_factor_db: number("crest_factor_db"),
            stereo_width: number("width"),
            phase_correlation: number("correlation"),
            spectral_centroid: number("centroid_hz"),
            spectral_rolloff: number("rolloff_hz"),
            spectral_flatness: number("flatness"),
            energy_share: number("energy_share"),
        }
    }
}

impl OverallMetrics {
    fn of(report: &Value) -> Self {
        let number = |group: &str, key: &str| report[group][key].as_f64();
        Self {
            integrated_loudness: number("loudness", "integrated_lufs"),
            loudness_range: number("loudness", "loudness_range_lu"),
            true_peak: number("loudness", "true_peak_dbtp"),
            dynamic_range: number("level", "dynamic_range_db"),
            crest_factor: number("level", "crest_factor_db"),
            stereo_width: number("stereo", "width"),
            phase_correlation: number("stereo", "correlation"),
            thd: number("harmonic", "thd_percent"),
            harmonic_ratio: number("harmonic", "harmonic_ratio"),
            attack_time_ms: number("transient", "attack_ms"),
            transient_preservation: number("transient", "preservation"),
            tempo: number("rhythm", "tempo_bpm"),
            key: report["tonality"]["key"].as_str().map(str::to_owned),
        }
    }
}

impl Recommendation {
    fn of(advice: &Advice, level: Level) -> Self {
        let words = AdviceText::of(advice);
        Self {
            band: advice.band.map(|band| band.name().to_owned()),
            measure: words.name,
            level: level.name().to_owned(),
            text: format!("{} {}", words.action, words.why),
            values: json!({
                "measured": advice.measured,
                "min": advice.min,
                "max": advice.max,
                "difference": advice.difference,
                "unit": advice.unit,
                "correction_db": advice.correction_db,
                "importance": advice.importance,
            }),
        }
    }
}

/// The measures of a report.
fn analysis_of(report: Value) -> Result<Analysis, Problem> {
    serde_json::from_value(report)
        .map_err(|error| Problem::new(500, "internal error", error.to_string()))
}

fn level(name: &str) -> Result<Level, Problem> {
    let word = name.to_ascii_lowercase();
    let found = Level::ALL.into_iter().find(|level| level.name() == word);
    found.ok_or_else(|| {
        let names = Level::ALL.map(Level::name).join(", ");
        Problem::request(&format!("`recommendation_level` is `{name}`; it is one of {names}"))
    })
}
