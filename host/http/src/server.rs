//! The listening address and its connections.

use crate::app::App;
use crate::guard::Guard;
use crate::router::router;
use crate::settings::HttpSettings;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use wavemill_api::Service;

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 1024;

/// Longest time that a client takes for the head of a request; idle connections end after it, too.
const HEAD_WITHIN: Duration = Duration::from_secs(20);

/// Largest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Wait after an error of accepting, such as too many open files.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A running HTTP server. Dropping it ends it, with the requests under way.
#[derive(Debug)]
pub struct HttpServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Listens; the caller owns the store of the state folder.
    ///
    /// # Errors
    /// When the address cannot be had, or folders cannot be made. Addresses that others reach need a token.
    pub fn start(state_dir: &Path, service: Service, settings: HttpSettings) -> io::Result<Self> {
        let asked = settings.address;
        if !settings.needs_token && !asked.ip().is_loopback() {
            let reason = format!("{asked}: without a token only a loopback address is served");
            return Err(io::Error::other(reason));
        }
        let guard = Guard::of_state(state_dir, settings.needs_token, settings.origins.clone())?;
        let listener = TcpListener::bind(asked)
            .map_err(|error| io::Error::new(error.kind(), format!("{asked}: {error}")))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let app = App::new(service, settings, guard, state_dir);
        app.remove_unknown_uploads()?;
        let guarded = app.clone();
        let link = move || link(address, guarded.guard.code());
        app.service
            .live()
            .map_err(|problem| io::Error::other(problem.detail))?
            .set_login(Arc::new(link));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    Err(error) = serve(listener, router(&app)) => {
                        tracing::error!(%error, "HTTP failed.");
                    }
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// The link that lets one browser in.
fn link(address: SocketAddr, code: Option<String>) -> String {
    match code {
        Some(code) => format!("http://{address}/login?code={code}"),
        None => format!("http://{address}/"),
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "A connection was not accepted.");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .max_buf_size(HEAD_BYTES_MAX.max(8192))
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            // A client that goes away is its own business.
            let _ = connection.await;
            drop(place);
        });
    }
}
