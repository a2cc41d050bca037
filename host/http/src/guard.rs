//! Who may ask: whoever knows the token, and no web page that was not named.
//!
//! A page in a browser reaches loopback addresses too. It cannot set `Authorization` for another origin without our
//! consent, and its `Host` or `Origin` gives it away (DNS rebinding). A browser gets a cookie for a code that is good
//! once; the cookie is strict, so that no other page can use it.

use crate::app::App;
use crate::page;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use parking_lot::Mutex;
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use utoipa::ToSchema;
use wavemill_api::types::Problem;
use wavemill_platform::random_hex;

/// The token's file in the state folder.
const TOKEN_FILE: &str = "control.token";

/// The cookie of a browser that was let in.
const COOKIE: &str = "wavemill";

/// Wrong tokens in [`FAILURES_WITHIN`] after which others are not even looked at.
const FAILURES_MAX: u32 = 20;

/// See [`FAILURES_MAX`].
const FAILURES_WITHIN: Duration = Duration::from_mins(1);

/// Browsers that are let in at once; the next one ends all.
const SESSIONS_MAX: usize = 1000;

/// Paths that ask for no token.
const OPEN_PATHS: [&str; 2] = ["/health", "/login"];

/// What may be ordered of the control API where nobody has to know a token: all else names paths of this machine.
const ORDERS_WITHOUT_TOKEN: [&str; 4] =
    ["/v1/jobs/", "/v1/uploads", "/v1/pipelines/", "/v1/references/similar"];

/// What a request must know.
#[derive(Debug)]
pub(crate) struct Guard {
    /// None where nobody has to know anything.
    token: Option<String>,
    /// Pages of other origins that may ask.
    origins: Vec<String>,
    /// What lets the next browser in.
    code: Mutex<String>,
    /// Cookies of browsers that were let in.
    sessions: Mutex<HashSet<String>>,
    failures: Mutex<Failures>,
}

/// Wrong tokens of the last minute.
#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// What `/login` is given.
#[derive(Debug, Deserialize)]
pub(crate) struct LoginQuery {
    code: Option<String>,
}

/// Who wants to be let in.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LoginRequest {
    /// The token in `control.token`.
    token: String,
}

impl Guard {
    /// With the token of a state folder, which is made anew where there is none; only its owner can read it.
    ///
    /// # Errors
    /// When the token cannot be written.
    pub(crate) fn of_state(
        state_dir: &Path,
        needs_token: bool,
        origins: Vec<String>,
    ) -> io::Result<Self> {
        let token = if needs_token { Some(token_of(state_dir)?) } else { None };
        Ok(Self {
            token,
            origins,
            code: Mutex::new(secret()),
            sessions: Mutex::default(),
            failures: Mutex::new(Failures { since: Instant::now(), count: 0 }),
        })
    }

    /// What lets the next browser in, once.
    pub(crate) fn code(&self) -> Option<String> {
        self.token.as_ref().map(|_| self.code.lock().clone())
    }

    fn refusal(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Problem> {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST);
        if !host.is_some_and(|host| self.is_ours(host)) {
            let detail = "the Host header must name localhost, an IP address, or the host of an origin in `origins`";
            return Some(Problem::new(403, "foreign host", detail));
        }
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if !origin.is_none_or(|origin| is_of_host(origin, host) || self.is_named(origin)) {
            let detail = "web pages of other origins are refused; name them in `origins`";
            return Some(Problem::new(403, "foreign origin", detail));
        }
        let Some(token) = &self.token else {
            let is_order = path.starts_with("/v1/") && method != Method::GET;
            let is_open = ORDERS_WITHOUT_TOKEN.iter().any(|open| path.starts_with(open));
            let detail = "this needs a token: start the server without --no-token";
            return (is_order && !is_open).then(|| Problem::new(403, "no token", detail));
        };
        if OPEN_PATHS.contains(&path) || page::is_of_page(path) || self.has_session(headers) {
            return None;
        }
        let given = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        match given {
            Some(given) if is_equal(given, token) => None,
            Some(_) if self.count_failure() > FAILURES_MAX => {
                Some(Problem::new(429, "too many tries", "wrong tokens; try again in a minute"))
            }
            _ => {
                let detail = format!("send `Authorization: Bearer` with the token in {TOKEN_FILE}");
                Some(Problem::new(401, "no token", detail))
            }
        }
    }

    /// Whether a Host header cannot be that of a page elsewhere.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.parse::<IpAddr>().is_ok()
            || self.origins.iter().any(|origin| host_of(origin) == Some(host))
    }

    fn is_named(&self, origin: &str) -> bool {
        self.origins.iter().any(|named| named == origin)
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let mut pairs =
            cookies.filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(';'));
        let sessions = self.sessions.lock();
        pairs.any(|pair| {
            let (name, value) = pair.trim().split_once('=').unwrap_or_default();
            name == COOKIE && sessions.contains(&hash(value))
        })
    }

    /// Counts a wrong token or code; returns how many there were lately.
    fn count_failure(&self) -> u32 {
        let mut failures = self.failures.lock();
        if failures.since.elapsed() > FAILURES_WITHIN {
            *failures = Failures { since: Instant::now(), count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
        failures.count
    }

    /// Lets a browser in that knows the code; the code is another one afterward.
    fn log_in(&self, code: &str) -> Option<HeaderValue> {
        let is_blocked = self.failures.lock().count > FAILURES_MAX;
        let mut right = self.code.lock();
        if is_blocked || !is_equal(code, &right) {
            drop(right);
            self.count_failure();
            return None;
        }
        *right = secret();
        drop(right);
        self.session()
    }

    /// Lets a browser in that knows the token.
    fn log_in_with_token(&self, token: &str) -> Option<HeaderValue> {
        let is_blocked = self.failures.lock().count > FAILURES_MAX;
        if is_blocked || !self.token.as_ref().is_some_and(|right| is_equal(token, right)) {
            self.count_failure();
            return None;
        }
        self.session()
    }

    /// The cookie of a browser that is let in.
    fn session(&self) -> Option<HeaderValue> {
        let session = secret();
        let mut sessions = self.sessions.lock();
        if sessions.len() >= SESSIONS_MAX {
            sessions.clear();
        }
        sessions.insert(hash(&session));
        let cookie = format!("{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/");
        HeaderValue::from_str(&cookie).ok()
    }
}

/// Let a browser in: the link that `wavemill watch --http` shows
#[utoipa::path(get, path = "/login", params(("code" = Option<String>, Query)),
    responses((status = 303), (status = 401, body = Problem)))]
pub(crate) async fn login(
    State(app): State<App>,
    Query(query): Query<LoginQuery>,
) -> Result<Response, Problem> {
    let cookie = app.guard.log_in(query.code.as_deref().unwrap_or_default());
    let cookie = cookie.ok_or_else(|| {
        let detail = "this link was used before; `wavemill status` shows a new one";
        Problem::new(401, "no code", detail)
    })?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// Let a browser in that knows the token
#[utoipa::path(post, path = "/login", request_body = LoginRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn login_with_token(
    State(app): State<App>,
    request: Result<Json<LoginRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(request) = request.map_err(|error| Problem::request(&error.body_text()))?;
    let cookie = app.guard.log_in_with_token(&request.token);
    let cookie = cookie.ok_or_else(|| {
        Problem::new(401, "no token", format!("that is not the token in {TOKEN_FILE}"))
    })?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Lets only requests pass that may, and says to browsers which pages may ask.
pub(crate) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let named =
        origin.filter(|origin| origin.to_str().is_ok_and(|origin| app.guard.is_named(origin)));
    // A browser asks before it sends a token, so this request has none.
    let is_preflight = request.method() == Method::OPTIONS && named.is_some();
    let refusal = app.guard.refusal(request.method(), request.uri().path(), request.headers());
    let mut response = match refusal {
        _ if is_preflight => StatusCode::NO_CONTENT.into_response(),
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = named {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, range"),
            (header::VARY, "origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The token of a state folder.
fn token_of(state_dir: &Path) -> io::Result<String> {
    let path = state_dir.join(TOKEN_FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(text.trim().to_owned()),
        _ => {
            let token = secret();
            let _ = fs::remove_file(&path);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(format!("{token}\n").as_bytes())?;
            Ok(token)
        }
    }
}

/// 64 hex digits that nobody can guess.
fn secret() -> String {
    std::iter::repeat_with(random_hex).take(4).collect()
}

/// Whether a page's origin is the host that it asks.
fn is_of_host(origin: &str, host: Option<&str>) -> bool {
    host_of(origin).is_some_and(|name| Some(name) == host)
}

/// Host and port of an origin.
fn host_of(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

/// Compares in a time that does not reveal how much is right.
fn is_equal(a: &str, b: &str) -> bool {
    blake3::hash(a.as_bytes()) == blake3::hash(b.as_bytes())
}

/// What is kept of a secret.
fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn guard(origins: &[&str]) -> Guard {
        let folder = tempfile::tempdir().unwrap();
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Guard::of_state(folder.path(), true, origins).unwrap()
    }

    fn status(guard: &Guard, headers: &[(&str, &str)]) -> Option<u16> {
        let pairs = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        guard.refusal(&Method::GET, "/v1/jobs", &pairs.collect()).map(|problem| problem.status)
    }

    #[test]
    fn only_the_token_from_no_foreign_page_passes() {
        let guard = guard(&["https://studio.example"]);
        let right = format!("Bearer {}", guard.token.as_deref().unwrap());
        let with = ("authorization", &*right);
        for host in ["localhost:8200", "127.0.0.1:8200", "[::1]:8200", "localhost", "10.0.0.7:80"] {
            assert_eq!(status(&guard, &[("host", host), with]), None, "{host}");
        }
        let local = ("host", "localhost:8200");
        assert_eq!(status(&guard, &[local]), Some(401));
        assert_eq!(status(&guard, &[local, ("authorization", "Bearer no")]), Some(401));
        assert_eq!(status(&guard, &[with]), Some(403), "no host");
        assert_eq!(status(&guard, &[("host", "evil.example:8200"), with]), Some(403));
        assert_eq!(status(&guard, &[("host", "studio.example"), with]), None, "behind a proxy");
        for (origin, expected) in [
            ("http://localhost:8200", None),
            ("https://studio.example", None),
            ("http://localhost:9999", Some(403)),
            ("https://evil.example", Some(403)),
            ("null", Some(403)),
        ] {
            assert_eq!(status(&guard, &[local, ("origin", origin), with]), expected, "{origin}");
        }
    }

    #[test]
    fn code_lets_one_browser_in_and_many_wrong_ones_none() {
        let guard = guard(&[]);
        let code = guard.code().unwrap();
        assert!(guard.log_in("wrong").is_none());
        let cookie = guard.log_in(&code).unwrap();
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let local = ("host", "localhost:8200");
        assert_eq!(status(&guard, &[local, ("cookie", &format!("a=b; {cookie}"))]), None);
        assert_eq!(status(&guard, &[local, ("cookie", "wavemill=x")]), Some(401));
        assert!(guard.log_in(&code).is_none(), "once");
        for _ in 0..FAILURES_MAX {
            status(&guard, &[local, ("authorization", "Bearer guess")]);
        }
        assert_eq!(status(&guard, &[local, ("authorization", "Bearer guess")]), Some(429));
        assert!(guard.log_in(&guard.code().unwrap()).is_none());
        let right = format!("Bearer {}", guard.token.as_deref().unwrap());
        assert_eq!(status(&guard, &[local, ("authorization", &right)]), None);
    }

    #[test]
    fn token_stays_the_same_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = token_of(folder.path()).unwrap();
        assert_eq!(token_of(folder.path()).unwrap(), first);
        assert_eq!(first.len(), 64);
        let mode = fs::metadata(folder.path().join(TOKEN_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
