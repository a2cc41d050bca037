//! Who may ask over a loopback address: whoever knows the token, and no web page.
//!
//! A page in a browser reaches loopback addresses too. It cannot set `Authorization` for another origin
//! without our consent, and its `Host` or `Origin` gives it away (DNS rebinding).

use super::types::Problem;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use wavemill_platform::random_hex;

/// The token's file in the state folder.
pub(super) const TOKEN_FILE: &str = "control.token";

/// Names that a loopback address has.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What a request must know.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    token: Arc<str>,
}

impl Guard {
    /// The token of a state folder; made anew where there is none. Only its owner can read it.
    pub(super) fn of_state(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join(TOKEN_FILE);
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().len() >= 32 => Ok(Self { token: text.trim().into() }),
            _ => {
                let token =
                    format!("{}{}{}{}", random_hex(), random_hex(), random_hex(), random_hex());
                let _ = fs::remove_file(&path);
                let mut file =
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(format!("{token}\n").as_bytes())?;
                Ok(Self { token: token.into() })
            }
        }
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_ours = |host: &str| {
            let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
            HOSTS.contains(&name.map_or(host, |(name, _)| name))
        };
        if !text(header::HOST).is_some_and(is_ours) {
            let detail = "the Host header must name localhost, 127.0.0.1 or [::1]";
            return Some(Problem::new(403, "foreign host", detail));
        }
        if headers.contains_key(header::ORIGIN) {
            return Some(Problem::new(
                403,
                "foreign origin",
                "requests from web pages are refused",
            ));
        }
        let given = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        if given.is_some_and(|given| is_equal(given.as_bytes(), self.token.as_bytes())) {
            return None;
        }
        let detail = format!("send `Authorization: Bearer` with the token in {TOKEN_FILE}");
        Some(Problem::new(401, "no token", detail))
    }
}

/// Compares in a time that does not reveal how much is right.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    blake3::hash(a) == blake3::hash(b)
}

/// Lets only requests pass that may.
pub(super) fn guarded(router: Router, guard: Guard) -> Router {
    router.layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn status(guard: &Guard, headers: &[(&str, &str)]) -> Option<u16> {
        let pairs = headers.iter().map(|(name, value)| {
            let name: axum::http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        guard.refusal(&pairs.collect()).map(|problem| problem.status)
    }

    #[test]
    fn only_the_token_from_no_page_to_a_loopback_name_passes() {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::of_state(folder.path()).unwrap();
        let right = format!("Bearer {}", guard.token);
        for host in ["localhost:8200", "127.0.0.1:8200", "[::1]:8200", "localhost"] {
            assert_eq!(
                status(&guard, &[("host", host), ("authorization", &right)]),
                None,
                "{host}"
            );
        }
        let local = ("host", "localhost:8200");
        assert_eq!(status(&guard, &[local]), Some(401));
        assert_eq!(status(&guard, &[local, ("authorization", "Bearer no")]), Some(401));
        assert_eq!(status(&guard, &[("authorization", &right)]), Some(403));
        let evil = ("host", "evil.example:8200");
        assert_eq!(status(&guard, &[evil, ("authorization", &right)]), Some(403));
        let page = ("origin", "http://localhost:8200");
        assert_eq!(status(&guard, &[local, page, ("authorization", &right)]), Some(403));
    }

    #[test]
    fn token_stays_the_same_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = Guard::of_state(folder.path()).unwrap();
        assert_eq!(Guard::of_state(folder.path()).unwrap().token, first.token);
        assert_eq!(first.token.len(), 64);
        let mode = fs::metadata(folder.path().join(TOKEN_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
