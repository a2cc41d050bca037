//! What is served, where, and to whom.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How HTTP is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether requests need the token in `control.token`. Without it, only a loopback address is served.
    pub needs_token: bool,
    /// Web pages of other origins that may ask, such as `https://studio.example`.
    pub origins: Vec<String>,
    /// Folder of uploads; absolute.
    pub uploads_dir: PathBuf,
    /// Folder that relative output paths of requests are below; absolute.
    pub processed_dir: PathBuf,
    /// More folders that paths in requests may be in; absolute.
    pub roots: Vec<PathBuf>,
    /// Largest upload, bytes.
    pub upload_bytes_max: u64,
    /// File of the daemon's log, where it has one.
    pub log_file: Option<PathBuf>,
    /// Sample rate of exports that name none, Hz.
    pub sample_rate_hz: u32,
}

impl HttpSettings {
    /// Usual largest upload, MB of 1,000,000 bytes.
    pub const UPLOAD_MB_MAX: u64 = 100;
    /// Usual sample rate of exports, Hz.
    pub const SAMPLE_RATE_HZ: u32 = 44_100;
}
