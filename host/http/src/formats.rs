//! `GET /api/audio/formats`: what is written.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;
use wavemill_api::types::Problem;
use wavemill_core::encode::{self, FormatDescriptor};
use wavemill_core::suggestion::did_you_mean;

/// A format that is written.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FormatAnswer {
    /// Its name, such as `flac`.
    name: String,
    /// Its file extension.
    extension: String,
    /// `none`, `lossless` or `lossy`.
    compression: String,
    /// What it is good for, in one sentence.
    quality: String,
    /// Highest sample rate, Hz.
    max_sample_rate: u32,
    /// Most bits a sample; null for lossy formats.
    max_bit_depth: Option<u16>,
    /// Bits a sample that it can be written with.
    supported_bit_depths: Vec<u16>,
    /// Size of a minute of stereo at 48 kHz, bytes, about: 16 bits, or the usual bit rate of a lossy format.
    file_size_estimate: u64,
}

impl FormatAnswer {
    fn of(format: &FormatDescriptor) -> Self {
        let is_pcm = format.compression_levels.is_none() && format.is_lossless();
        let compression = match (format.is_lossless(), is_pcm) {
            (_, true) => "none",
            (true, false) => "lossless",
            (false, false) => "lossy",
        };
        let mut depths: Vec<u16> = if format.is_lossless() {
            format.formats.iter().map(|format| format.bit_depth).collect()
        } else {
            Vec::new()
        };
        depths.sort_unstable();
        depths.dedup();
        Self {
            name: format.name.to_owned(),
            extension: format.extension.to_owned(),
            compression: compression.to_owned(),
            quality: format.summary.to_owned(),
            max_sample_rate: format.sample_rate_hz_max,
            max_bit_depth: depths.last().copied(),
            supported_bit_depths: depths,
            file_size_estimate: format.bytes_a_minute(),
        }
    }
}

/// Extensions of the formats that are written
#[utoipa::path(get, path = "/api/audio/formats", responses((status = 200, body = Vec<String>)))]
pub(crate) async fn formats() -> Json<Vec<&'static str>> {
    Json(encode::FORMATS.iter().map(|format| format.extension).collect())
}

/// A format that is written
#[utoipa::path(get, path = "/api/audio/formats/{name}", params(("name" = String, Path)),
    responses((status = 200, body = FormatAnswer), (status = 404, body = Problem)))]
pub(crate) async fn format(Path(name): Path<String>) -> Result<Json<FormatAnswer>, Problem> {
    let word = name.trim_start_matches('.').to_ascii_lowercase();
    let found = encode::format(&word).map(FormatAnswer::of);
    found.map(Json).ok_or_else(|| Problem::new(404, "not found", unknown_format(&name)))
}

/// What is said of a format that is not written.
pub(crate) fn unknown_format(name: &str) -> String {
    let names = encode::FORMATS.iter().map(|format| format.name);
    format!("unknown format `{name}`; {}", did_you_mean(name, "formats", names))
}
