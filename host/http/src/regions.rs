//! `/api/audio/regions`: parts of uploads at times of a track, and what a track sounds like.

use crate::app::App;
use crate::batches::MessageAnswer;
use crate::exports::{Export, ExportAnswer, ExportSettings};
use crate::reports::io_problem;
use crate::work::Work;
use axum::Json;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, FromRequest, Path, Request, State};
use axum::http::header;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wavemill_api::background;
use wavemill_api::types::{
    AddRegionRequest, Problem, RegionFilter, RegionView, RemoveRegionsRequest,
};
use wavemill_pipelines::publishing::create_dirs;
use wavemill_pipelines::toml_text::literal;

/// A region to add.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct RegionForm {
    /// The track; one that is new begins with it.
    track_id: String,
    /// An upload; silence if absent.
    file_id: Option<String>,
    /// Start on the track, s.
    start_time: f64,
    /// Length, s; the whole file if absent.
    duration: Option<f64>,
    /// What to call it.
    name: Option<String>,
    /// Gain as a factor; 1 if absent.
    gain: Option<f64>,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct RegionAnswer {
    /// Its id.
    region_id: String,
    /// The track.
    track_id: String,
    /// The upload; null is silence.
    file_id: Option<String>,
    /// Start on the track, s.
    start_time: f64,
    /// Length, s; null is the whole file.
    duration: Option<f64>,
    /// What its maker calls it.
    name: Option<String>,
    /// Gain as a factor.
    gain: f64,
}

/// Where to render, and how.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct RenderRequest {
    /// Below the folder of processed files, or absolute below a folder that the configuration names.
    output_path: String,
    /// How; what is left out has its default.
    #[serde(default)]
    settings: ExportSettings,
}

/// Add a region to a track; as a form, multipart or not
#[utoipa::path(post, path = "/api/audio/regions",
    request_body(content = RegionForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = RegionAnswer), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn add_region(
    State(app): State<App>,
    request: Request,
) -> Result<Json<RegionAnswer>, Problem> {
    let form = app.region_form(request).await?;
    let request = AddRegionRequest {
        track_id: form.track_id,
        file_id: form.file_id,
        start_time: form.start_time,
        duration: form.duration,
        name: form.name,
        gain: form.gain,
    };
    if let Some(file) = &request.file_id {
        // An upload: the control API also takes paths.
        app.upload(file).await?;
    }
    let service = app.service.clone();
    let region = background(move || service.add_region(&request)).await?;
    Ok(Json(RegionAnswer::of(region)))
}

/// The regions of a track, by their start
#[utoipa::path(get, path = "/api/audio/regions/track/{track_id}", params(("track_id" = String, Path)),
    responses((status = 200, body = Vec<RegionAnswer>)))]
pub(crate) async fn regions(
    State(app): State<App>,
    Path(track): Path<String>,
) -> Result<Json<Vec<RegionAnswer>>, Problem> {
    let found = background(move || app.service.regions(&RegionFilter { track: Some(track) }));
    Ok(Json(found.await?.regions.into_iter().map(RegionAnswer::of).collect()))
}

/// Delete a region; its file stays
#[utoipa::path(delete, path = "/api/audio/regions/{region_id}", params(("region_id" = String, Path)),
    responses((status = 200, body = MessageAnswer), (status = 404, body = Problem)))]
pub(crate) async fn delete_region(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MessageAnswer>, Problem> {
    let ids = vec![id];
    background(move || app.service.remove_regions(&RemoveRegionsRequest { ids })).await?;
    Ok(Json(MessageAnswer { message: "region deleted".to_owned() }))
}

/// Render a region to a file
#[utoipa::path(post, path = "/api/audio/regions/{region_id}/render", params(("region_id" = String, Path)),
    request_body = RenderRequest,
    responses((status = 200, body = ExportAnswer), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn render_region(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Result<Json<RenderRequest>, JsonRejection>,
) -> Result<Json<ExportAnswer>, Problem> {
    let region: wavemill_store::RegionRecord = app.record(&id).await?;
    app.render(&region.track_id, Some(&id), request).await
}

/// Render a track to a file: its regions on their timeline, mixed
#[utoipa::path(post, path = "/api/audio/regions/track/{track_id}/render", params(("track_id" = String, Path)),
    request_body = RenderRequest,
    responses((status = 200, body = ExportAnswer), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn render_track(
    State(app): State<App>,
    Path(track): Path<String>,
    request: Result<Json<RenderRequest>, JsonRejection>,
) -> Result<Json<ExportAnswer>, Problem> {
    app.render(&track, None, request).await
}

impl App {
    /// Reads a form of either kind.
    async fn region_form(&self, request: Request) -> Result<RegionForm, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_multipart = kind
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("multipart/form-data"));
        if !is_multipart {
            let form: Result<Form<RegionForm>, FormRejection> =
                Form::from_request(request, &()).await;
            return form
                .map(|Form(form)| form)
                .map_err(|error| Problem::request(&error.body_text()));
        }
        let form: Result<Multipart, MultipartRejection> =
            Multipart::from_request(request, &()).await;
        let form = self.form(form).await?;
        let needed = |name: &str| Problem::request(&format!("the form has no `{name}`"));
        Ok(RegionForm {
            track_id: form.text("track_id").ok_or_else(|| needed("track_id"))?.to_owned(),
            file_id: form.text("file_id").map(str::to_owned),
            start_time: form.number("start_time")?.ok_or_else(|| needed("start_time"))?,
            duration: form.number("duration")?,
            name: form.text("name").map(str::to_owned),
            gain: form.number("gain")?,
        })
    }

    /// Mixes regions to a float file, and exports that.
    async fn render(
        &self,
        track: &str,
        region: Option<&str>,
        request: Result<Json<RenderRequest>, JsonRejection>,
    ) -> Result<Json<ExportAnswer>, Problem> {
        let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
        let path = self.settings.output(&request.output_path)?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Problem::request("`output_path` must name a file"));
        };
        let toml = self.rated(&request.settings).pipeline(Export {
            path: &literal(&name.to_string_lossy()),
            on_conflict: "replace",
            from_s: 0.0,
            to_s: None,
        })?;
        let made = folder.to_owned();
        let results = self.results_dir.clone();
        let mixes = background(move || {
            let make = || {
                create_dirs(&made)?;
                create_dirs(&results)?;
                tempfile::Builder::new().prefix("mix").tempdir_in(&results)
            };
            make().map_err(|error| io_problem(&error))
        })
        .await?;
        let mix = mixes.path().join("mix.wav");
        let (state, output) = (self.state_dir.display().to_string(), mix.display().to_string());
        let mut arguments = vec!["regions", "render", "--json", "--state", &state];
        if let Some(region) = region {
            arguments.extend(["--region", region]);
        }
        arguments.extend(["--", track, &output]);
        self.document_of(&arguments).await?;
        self.work(Work { toml, file: mix, output_root: folder.to_owned() }).await?;
        Ok(Json(ExportAnswer { output_path: request.output_path }))
    }
}

impl RegionAnswer {
    fn of(region: RegionView) -> Self {
        let RegionView { id, track_id, file_id, start_time, duration, name, gain, .. } = region;
        Self { region_id: id, track_id, file_id, start_time, duration, name, gain }
    }
}
