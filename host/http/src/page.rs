//! The page at `/`: files that `cargo xtask web` has built, within the program. They need no token, since they say nothing
//! of anybody; what the page shows, it asks of the API.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::future::ready;
use std::io::Write;
use std::sync::LazyLock;

/// What the page may do: load its own files, draw pictures out of its own text, and nothing else. Scripts in the page's
/// text, `eval` and other servers are out of the question.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// A file as it was built.
struct Built {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All files of the page.
static BUILT: [Built; 10] = [
    Built {
        path: "/",
        kind: "text/html; charset=utf-8",
        bytes: include_bytes!("../page/dist/index.html"),
    },
    Built { path: "/app.js", kind: SCRIPT, bytes: include_bytes!("../page/dist/app.js") },
    Built {
        path: "/app.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../page/dist/app.css"),
    },
    Built { path: "/theme.js", kind: SCRIPT, bytes: include_bytes!("../page/dist/theme.js") },
    Built { path: "/editor.js", kind: SCRIPT, bytes: include_bytes!("../page/dist/editor.js") },
    Built { path: "/live.js", kind: SCRIPT, bytes: include_bytes!("../page/dist/live.js") },
    Built {
        path: "/icon.svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("../page/dist/icon.svg"),
    },
    Built {
        path: "/roboto-regular.ttf",
        kind: "font/ttf",
        bytes: include_bytes!("../page/dist/roboto-regular.ttf"),
    },
    Built {
        path: "/roboto-medium.ttf",
        kind: "font/ttf",
        bytes: include_bytes!("../page/dist/roboto-medium.ttf"),
    },
    Built {
        path: "/licenses.txt",
        kind: "text/plain; charset=utf-8",
        bytes: include_bytes!("../page/dist/licenses.txt"),
    },
];

/// A file as it is served.
struct Served {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    compressed: Bytes,
    /// Weak, since it names both forms.
    etag: String,
}

/// All files, compressed when the first one is asked for.
static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| BUILT.iter().map(Served::new).collect());

/// The paths of the page.
pub(crate) fn routes() -> Router {
    SERVED.iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(move |headers: HeaderMap| ready(file.answer(&headers))))
    })
}

/// Whether a path belongs to the page.
pub(crate) fn is_of_page(path: &str) -> bool {
    BUILT.iter().any(|file| file.path == path)
}

impl Served {
    fn new(file: &Built) -> Self {
        Self {
            path: file.path,
            kind: file.kind,
            bytes: file.bytes,
            compressed: compressed(file.bytes),
            etag: format!("W/\"{}\"", blake3::hash(file.bytes).to_hex()),
        }
    }

    /// The file, or that it is as the browser has it.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let mut response = if self.is_known(headers) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if takes_gzip(headers) {
            let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            (encoding, self.compressed.clone()).into_response()
        } else {
            Bytes::from_static(self.bytes).into_response()
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, self.kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            // Names have no hash: the browser asks each time, and the answer is mostly that nothing changed.
            (header::CACHE_CONTROL, "no-cache"),
            (header::VARY, "accept-encoding"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        response
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        texts(headers, &header::IF_NONE_MATCH).any(|etag| etag == self.etag)
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    texts(headers, &header::ACCEPT_ENCODING).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}

/// The members of a header that is a list.
fn texts<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).map(str::trim)
}

fn compressed(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    Bytes::from(written.expect("memory takes every byte"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the first view that a browser reads, at most.
    const FIRST_VIEW_BYTES_MAX: usize = 300_000;

    fn served(path: &str) -> &'static Served {
        SERVED.iter().find(|file| file.path == path).unwrap()
    }

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn file_that_the_browser_has_is_not_sent_again() {
        let file = served("/app.js");
        let answer = file.answer(&headers(header::IF_NONE_MATCH, &file.etag));
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        let answer = file.answer(&headers(header::IF_NONE_MATCH, "W/\"another\""));
        assert_eq!(answer.status(), StatusCode::OK);
    }

    #[test]
    fn file_is_compressed_for_browsers_that_read_it() {
        let answer = served("/").answer(&headers(header::ACCEPT_ENCODING, "br, gzip;q=0.8"));
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        let answer = served("/").answer(&headers(header::ACCEPT_ENCODING, "gzip;q=0, br"));
        assert!(!answer.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn every_answer_has_a_policy() {
        for file in SERVED.iter() {
            let answer = file.answer(&HeaderMap::new());
            assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY, "{}", file.path);
        }
    }

    #[test]
    fn first_view_is_small() {
        let later = ["/editor.js", "/live.js", "/licenses.txt"];
        let files = SERVED.iter().filter(|file| !later.contains(&file.path));
        let bytes: usize = files.map(|file| file.compressed.len()).sum();
        assert!(bytes <= FIRST_VIEW_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn text_of_the_page_has_no_script_or_style_and_names_only_what_is_served() {
        let text = std::str::from_utf8(served("/").bytes).unwrap();
        assert!(
            !text.contains("<style") && !text.contains(" style=") && !text.contains(" onload=")
        );
        for script in text.split("<script").skip(1) {
            let (tag, body) = script.split_once('>').unwrap();
            assert!(tag.contains("src=\"/") && body.starts_with("</script>"), "{tag}");
        }
        for name in text.split("=\"/").skip(1) {
            let (name, _) = name.split_once('"').unwrap();
            assert!(is_of_page(&format!("/{name}")), "/{name}");
        }
    }
}
