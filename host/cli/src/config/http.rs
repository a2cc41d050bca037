//! `[http]` of the configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;
use wavemill_pipelines::reader::{Key, Kind, Sink, Values};

/// Largest `max_file_size_mb`: a terabyte.
const UPLOAD_MB_MAX: i64 = 1_000_000;

/// What the file says of HTTP; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HttpFile {
    /// Where to listen, also without `--http`.
    pub(crate) address: Option<SocketAddr>,
    /// Whether requests need the token.
    pub(crate) token: Option<bool>,
    /// Web pages of other origins that may ask.
    pub(crate) origins: Vec<String>,
    /// Folder of uploads.
    pub(crate) uploads_dir: Option<PathBuf>,
    /// Folder of processed files.
    pub(crate) processed_dir: Option<PathBuf>,
    /// More folders that requests may name.
    pub(crate) roots: Vec<PathBuf>,
    /// Largest upload, MB.
    pub(crate) max_file_size_mb: Option<u64>,
    /// Sample rate of exports that name none, Hz.
    pub(crate) sample_rate_hz: Option<u32>,
}

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "address",
        Kind::Text,
        "Address and port that `watch` serves HTTP on, as \"127.0.0.1:8000\".",
    ),
    Key::optional("token", Kind::Bool, "Whether requests need the token; true by default."),
    Key::optional(
        "origins",
        Kind::Texts,
        "Web pages of other origins that may ask, as [\"https://studio.example\"].",
    ),
    Key::optional("uploads_dir", Kind::Text, "Folder of uploads, as \"/srv/audio/uploads\"."),
    Key::optional(
        "processed_dir",
        Kind::Text,
        "Folder that relative output paths of requests are below, as \"/srv/audio/processed\".",
    ),
    Key::optional("roots", Kind::Texts, "More folders that paths in requests may be in."),
    Key::optional(
        "max_file_size_mb",
        Kind::Integer { min: 1, max: UPLOAD_MB_MAX },
        "Largest upload, MB of 1,000,000 bytes.",
    ),
    Key::optional(
        "sample_rate_hz",
        Kind::Integer { min: 1000, max: 655_350 },
        "Sample rate of exports that name none.",
    ),
];

impl HttpFile {
    /// What a section says that is right; relative paths are below `folder`.
    pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>, folder: &Path) -> Self {
        let path = |key| values.text(key).map(|text| folder.join(text.get_ref()));
        let texts = |key| {
            let texts = values.texts(key).map(Spanned::into_inner).unwrap_or_default();
            texts.into_iter().map(Spanned::into_inner).collect::<Vec<String>>()
        };
        Self {
            address: values.text("address").and_then(|text| address(sink, &text)),
            token: values.truth("token").map(Spanned::into_inner),
            origins: texts("origins"),
            uploads_dir: path("uploads_dir"),
            processed_dir: path("processed_dir"),
            roots: texts("roots").into_iter().map(|root| folder.join(root)).collect(),
            max_file_size_mb: super::whole(values, "max_file_size_mb"),
            sample_rate_hz: super::whole(values, "sample_rate_hz"),
        }
    }
}

fn address(sink: &mut Sink<'_>, text: &Spanned<String>) -> Option<SocketAddr> {
    let address = parse_address(text.get_ref());
    if let Err(reason) = &address {
        sink.error("bad-value", text.span(), format!("`address` {reason}"));
    }
    address.ok()
}

/// An address with a port.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    text.parse().map_err(|_| "must be an address with a port, such as 127.0.0.1:8000".to_owned())
}
