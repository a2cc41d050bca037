//! Asking a daemon over its socket, or the same operations over its store while no daemon is running.

use super::types::{Problem, Status};
use axum::Router;
use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixStream;
use tower_service::Service as _;

/// Longest wait for an answer. The daemon answers from its store within milliseconds; a retry of
/// ten thousand jobs takes seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Longest answer read. A job's view has about a kilobyte.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Whoever knows the jobs of a state folder. It has a method for each operation.
#[derive(Debug)]
pub struct Client {
    server: Server,
    runtime: tokio::runtime::Runtime,
}

/// Who answers.
#[derive(Debug)]
pub(super) enum Server {
    /// A daemon that listens on this socket.
    Daemon(PathBuf),
    /// The same routes in this process, over a store.
    Store(Router),
    /// The same over an empty store in memory: there is no state folder yet.
    Nothing(Router),
}

/// Why a request was not answered as hoped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens: there is no socket, or it was left behind.
    #[error("nothing is listening on {}", .socket.display())]
    Absent {
        /// The socket.
        socket: PathBuf,
    },
    /// Somebody listens but does not answer.
    #[error("the daemon does not answer on {}: {reason}", .socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// One line.
        reason: String,
    },
    /// A process holds the store and does not listen.
    #[error("{reason}, and it does not answer on its socket")]
    Busy {
        /// One line that names the process.
        reason: String,
    },
    /// The store cannot be opened.
    #[error("{reason}")]
    Store {
        /// One line.
        reason: String,
    },
    /// The request was refused.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The answer is not what this version understands.
    #[error(
        "unexpected answer from the daemon: {reason}; check that the daemon and this program \
        are the same version"
    )]
    Answer {
        /// One line.
        reason: String,
    },
}

impl Client {
    /// Connects once, to see whether a daemon listens.
    ///
    /// # Errors
    /// [`ClientError::Absent`] or [`ClientError::Unreachable`].
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        connection(socket)?;
        Self::of(Server::Daemon(socket.to_owned()))
    }

    pub(super) fn of(server: Server) -> Result<Self, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { server, runtime })
    }

    /// Whether a daemon runs.
    pub fn is_daemon(&self) -> bool {
        matches!(self.server, Server::Daemon(_))
    }

    /// What the daemon does; `None` while none runs.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn daemon_status(&self) -> Result<Option<Status>, ClientError> {
        self.is_daemon().then(|| self.status()).transpose()
    }

    /// Asks for something.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.request(Method::GET, path, Bytes::new())
    }

    /// Asks for what a filter lets through.
    pub(super) fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        filter: &impl Serialize,
    ) -> Result<T, ClientError> {
        let query = serde_urlencoded::to_string(filter).map_err(|error| answer(&error))?;
        self.get(&format!("{path}?{query}"))
    }

    /// Asks for the thing whose name stands in braces in `path`.
    pub(super) fn get_named<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
    ) -> Result<T, ClientError> {
        let folder = path.split('{').next().unwrap_or(path);
        self.get(&format!("{folder}{}", encoded(name)))
    }

    /// Asks to do something.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| answer(&error))?;
        self.request(Method::POST, path, Bytes::from(body))
    }

    fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "wavemill")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(|error| answer(&error))?;
        let (status, bytes) = self.exchange(request)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| answer(&error));
        }
        let mut problem: Problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            let detail = format!("the daemon answered {status}");
            Problem::new(status.as_u16(), "refused", detail)
        });
        if matches!(self.server, Server::Nothing(_)) && status == StatusCode::NOT_FOUND {
            problem.detail += "; this state folder has no jobs yet: check --state";
        }
        Err(ClientError::Refused(problem))
    }

    fn exchange(&self, request: Request<Body>) -> Result<(StatusCode, Bytes), ClientError> {
        let socket = match &self.server {
            Server::Daemon(socket) => socket,
            // No deadline: what takes long is the work itself.
            Server::Store(router) | Server::Nothing(router) => {
                let mut router = router.clone();
                let answered = self.runtime.block_on(async move {
                    let response = router.call(request).await?;
                    let (head, body) = response.into_parts();
                    Ok::<_, Failure>((head.status, body.collect().await?.to_bytes()))
                });
                return answered.map_err(|error| answer(&error));
            }
        };
        let exchange = exchange(connection(socket)?, request);
        self.runtime
            .block_on(async { tokio::time::timeout(ANSWER_TIME_MAX, exchange).await })
            .map_err(|_| {
                let seconds = ANSWER_TIME_MAX.as_secs();
                unreachable(socket, format!("no answer within {seconds} s"))
            })?
            .map_err(|error| unreachable(socket, error))
    }
}

fn connection(socket: &Path) -> Result<std::os::unix::net::UnixStream, ClientError> {
    wavemill_platform::with_socket_path(socket, |path| {
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    })
    .map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ClientError::Absent { socket: socket.to_owned() }
        }
        _ => unreachable(socket, error),
    })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    stream: std::os::unix::net::UnixStream,
    request: Request<Body>,
) -> Result<(StatusCode, Bytes), Failure> {
    let io = TokioIo::new(UnixStream::from_std(stream)?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await?;
        Ok::<_, Failure>((status, body.to_bytes()))
    };
    // The connection moves the bytes while the exchange waits; it may end first.
    tokio::pin!(exchange);
    tokio::select! {
        result = &mut exchange => result,
        ended = connection => {
            ended?;
            exchange.await
        }
    }
}

fn unreachable(socket: &Path, reason: impl std::fmt::Display) -> ClientError {
    ClientError::Unreachable { socket: socket.to_owned(), reason: reason.to_string() }
}

pub(super) fn failed(error: &dyn std::fmt::Display) -> ClientError {
    ClientError::Store { reason: error.to_string() }
}

fn answer(error: &dyn std::fmt::Display) -> ClientError {
    ClientError::Answer { reason: error.to_string() }
}

/// A text as part of a path: everything but letters, digits and `-._~` is percent-encoded.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// A server that answers one request (with nothing if `status` is empty) and returns what it was sent.
    fn serve_once(socket: &Path, status: &str, body: &str) -> thread::JoinHandle<String> {
        let answer = if status.is_empty() {
            String::new()
        } else {
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        let listener = UnixListener::bind(socket).unwrap();
        thread::spawn(move || {
            // The first connection only looks whether somebody listens.
            drop(listener.accept().unwrap());
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        })
    }

    #[test]
    fn answer_is_parsed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let server = serve_once(&socket, "200 OK", "{\"jobs\":[]}");
        let client = Client::connect(&socket).unwrap();
        let list: crate::types::JobList = client.get("/v1/jobs").unwrap();
        assert!(list.jobs.is_empty());
        assert!(server.join().unwrap().starts_with("GET /v1/jobs HTTP/1.1\r\n"));
    }

    #[test]
    fn refusal_carries_the_daemons_words() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let body = r#"{"title":"unknown","detail":"no job 7","status":404}"#;
        let server = serve_once(&socket, "404 Not Found", body);
        let error =
            Client::connect(&socket).unwrap().get::<serde_json::Value>("/v1/jobs/7").unwrap_err();
        assert!(
            matches!(&error, ClientError::Refused(problem) if problem.status == 404),
            "{error}"
        );
        assert_eq!(error.to_string(), "no job 7");
        server.join().unwrap();
    }

    #[test]
    fn socket_that_is_not_there_or_left_behind_counts_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        assert!(matches!(Client::connect(&socket), Err(ClientError::Absent { .. })));
        drop(UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        assert!(matches!(Client::connect(&socket), Err(ClientError::Absent { .. })));
    }

    #[test]
    fn daemon_that_hangs_up_is_unreachable() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let server = serve_once(&socket, "", "");
        let error =
            Client::connect(&socket).unwrap().get::<serde_json::Value>("/v1/jobs").unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn query_values_are_percent_encoded() {
        assert_eq!(encoded("a b&c/\u{e4}"), "a%20b%26c%2F%C3%A4");
    }
}
