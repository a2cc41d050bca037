//! `POST /api/audio/export`: settings become a pipeline, the pipeline a job.

use crate::app::App;
use crate::formats::unknown_format;
use crate::reports::io_problem;
use crate::work::Work;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use utoipa::ToSchema;
use wavemill_api::background;
use wavemill_api::types::Problem;
use wavemill_core::encode::{self, FormatDescriptor};
use wavemill_pipelines::publishing::create_dirs;
use wavemill_pipelines::toml_text::{literal, number, quoted};

/// Digits of a hash in a pipeline's name: pipelines of different settings have different names.
const NAME_DIGITS: usize = 16;

/// How to export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct ExportSettings {
    /// `wav`, `aiff`, `flac`, `mp3`, `ogg` or another name of `/api/audio/formats`.
    pub(crate) format: String,
    /// Hz; null is the usual rate, 44,100 unless the configuration says otherwise.
    pub(crate) sample_rate: Option<u32>,
    /// Bits a sample: 16, 24 or 32. Lossy formats have none.
    pub(crate) bit_depth: Option<u16>,
    /// Channels; null keeps the source's.
    pub(crate) channels: Option<u16>,
    /// Bit rate of a lossy format, kbit/s; null is the format's usual one.
    pub(crate) quality: Option<u32>,
    /// `none`, `triangular` or `shaped`.
    pub(crate) dither: Option<String>,
    /// Whether the sample peak is brought to `normalize_target`.
    pub(crate) normalize: bool,
    /// dBFS.
    pub(crate) normalize_target: f64,
    /// Whether silence at both ends is removed.
    pub(crate) trim_silence: bool,
    /// Length of the fade-in, s.
    pub(crate) fade_in: f64,
    /// Length of the fade-out, s.
    pub(crate) fade_out: f64,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            format: "wav".to_owned(),
            sample_rate: None,
            bit_depth: Some(16),
            channels: Some(2),
            quality: None,
            dither: None,
            normalize: false,
            normalize_target: -1.0,
            trim_silence: false,
            fade_in: 0.0,
            fade_out: 0.0,
        }
    }
}

/// What to export, and where to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct ExportRequest {
    /// An uploaded file.
    file_id: String,
    /// Below the folder of processed files, or absolute below a folder that the configuration names.
    output_path: String,
    /// How; what is left out has its default.
    #[serde(default)]
    settings: ExportSettings,
    /// Where to begin, s.
    #[serde(default)]
    start_time: f64,
    /// Where to end, s; null is the end of the file.
    #[serde(default)]
    end_time: Option<f64>,
}

/// Where an export is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ExportAnswer {
    /// As it was asked for.
    pub(crate) output_path: String,
}

/// Export an uploaded file, or a part of it
#[utoipa::path(post, path = "/api/audio/export", request_body = ExportRequest,
    responses((status = 200, body = ExportAnswer), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn export(
    State(app): State<App>,
    request: Result<Json<ExportRequest>, JsonRejection>,
) -> Result<Json<ExportAnswer>, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    let upload = app.upload(&request.file_id).await?;
    let path = app.settings.output(&request.output_path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Problem::request("`output_path` must name a file"));
    };
    let toml = app.rated(&request.settings).pipeline(Export {
        path: &literal(&name.to_string_lossy()),
        on_conflict: "replace",
        from_s: request.start_time,
        to_s: request.end_time,
    })?;
    let made = folder.to_owned();
    background(move || create_dirs(&made).map_err(|error| io_problem(&error))).await?;
    app.work(Work { toml, file: upload.path, output_root: folder.to_owned() }).await?;
    Ok(Json(ExportAnswer { output_path: request.output_path }))
}

impl App {
    /// Settings with the usual sample rate where they name none.
    pub(crate) fn rated(&self, settings: &ExportSettings) -> ExportSettings {
        let sample_rate = settings.sample_rate.or(Some(self.settings.sample_rate_hz));
        ExportSettings { sample_rate, ..settings.clone() }
    }
}

/// What an export needs besides its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Export<'a> {
    /// A template.
    pub(crate) path: &'a str,
    pub(crate) on_conflict: &'a str,
    pub(crate) from_s: f64,
    pub(crate) to_s: Option<f64>,
}

impl ExportSettings {
    /// The pipeline that exports so.
    ///
    /// # Errors
    /// When the format is unknown.
    pub(crate) fn pipeline(&self, export: Export<'_>) -> Result<String, Problem> {
        let format = self.descriptor()?;
        let mut body = String::new();
        self.write_steps(&mut body, export);
        let _ = write!(
            body,
            "[[export]]\nformat = \"{}\"\npath = {}\non_conflict = \"{}\"\n",
            format.name,
            quoted(export.path),
            export.on_conflict
        );
        self.write_storage(&mut body, format);
        let hash = blake3::hash(body.as_bytes()).to_hex();
        let name = &hash[..NAME_DIGITS];
        Ok(format!("version = 1\n[pipeline]\nname = \"http-export-{name}\"\n{body}"))
    }

    /// The format.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn descriptor(&self) -> Result<&'static FormatDescriptor, Problem> {
        let word = self.format.trim_start_matches('.').to_ascii_lowercase();
        encode::format(&word)
            .ok_or_else(|| Problem::new(422, "bad settings", unknown_format(&self.format)))
    }

    fn write_steps(&self, body: &mut String, export: Export<'_>) {
        let mut step = |name: &str, keys: &[(&str, String)]| {
            let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let _ = write!(body, "[[step]]\nuse = \"{name}\"\nwith = {{ {} }}\n", keys.join(", "));
        };
        match (export.from_s, export.to_s) {
            (0.0, None) => {}
            (from_s, None) => step("range", &[("start_s", number(from_s))]),
            (from_s, Some(to_s)) => {
                step("range", &[("start_s", number(from_s)), ("end_s", number(to_s))]);
            }
        }
        if self.trim_silence {
            step("trim-silence", &[]);
        }
        if self.fade_in != 0.0 || self.fade_out != 0.0 {
            step("fade", &[("in_s", number(self.fade_in)), ("out_s", number(self.fade_out))]);
        }
        if let Some(rate) = self.sample_rate.filter(|_| self.normalize) {
            // Before the peak is measured, since conversion moves it.
            step("resample", &[("sample_rate_hz", rate.to_string())]);
        }
        if self.normalize {
            step("peak-normalize", &[("target_dbfs", number(self.normalize_target))]);
        }
    }

    fn write_storage(&self, body: &mut String, format: &FormatDescriptor) {
        let mut line = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(body, "{key} = {value}");
            }
        };
        line("sample_rate_hz", self.sample_rate.map(|rate| rate.to_string()));
        line("channels", self.channels.map(|count| count.to_string()));
        if format.is_lossless() {
            line("bit_depth", self.bit_depth.map(|bits| bits.to_string()));
            line("dither", self.dither.as_deref().map(quoted));
        } else {
            line("bit_rate_kbps", self.quality.map(|kbps| kbps.to_string()));
        }
    }
}
