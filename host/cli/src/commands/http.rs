//! How `watch` serves HTTP: flags, then the variables that services before Wavemill had, then the configuration file.

use super::paths::absolute;
use super::{CliError, Context};
use crate::config::http::{HttpFile, parse_address};
use crate::report::{log_filter, shown};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use wavemill_http::HttpSettings;

/// Where HTTP is served if nobody says where.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8000);

/// Bytes of a megabyte, as sizes of uploads are given.
const MEGABYTE: u64 = 1_000_000;

/// How to serve HTTP.
#[derive(Debug, clap::Args)]
pub(super) struct HttpFlags {
    /// Serve HTTP: uploads, analysis, exports, the control API [default address: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen, num_args = 0..=1, default_missing_value = "")]
    http: Option<Listen>,

    /// HTTP without a token, on a loopback address only
    #[arg(long, requires = "http")]
    no_token: bool,

    /// File of variables for HTTP, such as `UPLOADS_DIR=/srv/uploads`
    #[arg(long, value_name = "FILE", requires = "http")]
    env_file: Option<PathBuf>,
}

/// Where to serve HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listen {
    /// Where variables and configuration say.
    Usual,
    /// Here.
    At(SocketAddr),
}

fn listen(text: &str) -> Result<Listen, String> {
    if text.is_empty() { Ok(Listen::Usual) } else { parse_address(text).map(Listen::At) }
}

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(super) struct HttpRequest {
    /// How HTTP is served.
    pub(super) settings: HttpSettings,
    /// `LOG_FILE`.
    pub(super) log_file: Option<PathBuf>,
    /// `LOG_LEVEL`.
    pub(super) log_level: Option<String>,
}

impl HttpFlags {
    /// What is asked for by flags or configuration file.
    ///
    /// # Errors
    /// When a variable makes no sense.
    pub(super) fn resolve(&self, context: &Context) -> Result<Option<HttpRequest>, CliError> {
        let file = &context.settings.http;
        if self.http.is_none() && file.address.is_none() {
            return Ok(None);
        }
        let variables = self.variables()?;
        let look_up = |name: &str| {
            let process = || std::env::var(name).ok();
            variables.get(name).cloned().or_else(process).filter(|value| !value.is_empty())
        };
        self.resolve_with(&Variables(&look_up), file, context).map(Some)
    }

    fn resolve_with(
        &self,
        variables: &Variables<'_>,
        file: &HttpFile,
        context: &Context,
    ) -> Result<HttpRequest, CliError> {
        let usual = file.address.unwrap_or(ADDRESS);
        let host = variables.parsed("HOST", "an IP address, such as 127.0.0.1")?;
        let port = variables.parsed("PORT", "a port, such as 8000")?;
        let from_variables =
            SocketAddr::new(host.unwrap_or(usual.ip()), port.unwrap_or(usual.port()));
        let data = context.settings.state.join("http");
        let folder = |name: &str, file: &Option<PathBuf>, usual: &str| {
            let named = variables.text(name).map(PathBuf::from).or_else(|| file.clone());
            absolute(&named.unwrap_or_else(|| data.join(usual)))
        };
        let upload_mb = variables.parsed("MAX_FILE_SIZE_MB", "a number of megabytes")?;
        let upload_mb: u64 =
            upload_mb.or(file.max_file_size_mb).unwrap_or(HttpSettings::UPLOAD_MB_MAX);
        let rate = variables.parsed("DEFAULT_SAMPLE_RATE", "a sample rate in Hz")?;
        let origins = variables.text("CORS_ORIGINS").map(|text| {
            text.split(',').map(|origin| origin.trim().trim_end_matches('/').to_owned()).collect()
        });
        let roots: Result<_, _> = file.roots.iter().map(|root| absolute(root)).collect();
        let level = variables.text("LOG_LEVEL").map(|level| level.to_ascii_lowercase());
        if let Some(level) = &level {
            log_filter(level).map_err(|reason| bad("LOG_LEVEL", &reason))?;
        }
        Ok(HttpRequest {
            settings: HttpSettings {
                address: match self.http {
                    Some(Listen::At(address)) => address,
                    Some(Listen::Usual) | None => from_variables,
                },
                needs_token: !self.no_token && file.token.unwrap_or(true),
                origins: origins.unwrap_or_else(|| file.origins.clone()),
                uploads_dir: folder("UPLOADS_DIR", &file.uploads_dir, "uploads")?,
                processed_dir: folder("PROCESSED_DIR", &file.processed_dir, "processed")?,
                roots: roots?,
                log_file: None,
                upload_bytes_max: upload_mb.saturating_mul(MEGABYTE),
                sample_rate_hz: rate
                    .or(file.sample_rate_hz)
                    .unwrap_or(HttpSettings::SAMPLE_RATE_HZ),
            },
            log_file: variables.text("LOG_FILE").map(|path| absolute(path.as_ref())).transpose()?,
            log_level: level,
        })
    }

    /// The variables of the file that was named.
    fn variables(&self) -> Result<HashMap<String, String>, CliError> {
        let Some(path) = &self.env_file else { return Ok(HashMap::new()) };
        let failed = |reason: String| CliError::BadConfig {
            reason: format!("--env-file {}: {reason}", shown(path)),
        };
        let entries = dotenvy::from_path_iter(path).map_err(|error| failed(error.to_string()))?;
        entries.collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))
    }
}

/// Where variables are looked up.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }

    fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, CliError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value = text.trim().parse();
        value.map(Some).map_err(|_| bad(name, &format!("\"{text}\" is not {what}")))
    }
}

fn bad(name: &str, reason: &str) -> CliError {
    CliError::BadConfig { reason: format!("{name}: {reason}") }
}
