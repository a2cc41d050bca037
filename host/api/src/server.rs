//! The control socket: HTTP over a Unix socket that only the daemon's user can open.

use super::guard::{Guard, guarded};
use super::operations::router;
use super::service::Service;
use super::socket_path;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use wavemill_platform::with_socket_path;

/// How long answers under way may take when the daemon ends; event streams would never end.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// A running control socket. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens in the state folder, whose store the caller owns: a socket that is there is stale.
    pub fn start(
        state_dir: &Path,
        service: Service,
        listen: Option<SocketAddr>,
    ) -> io::Result<Self> {
        let path = socket_path(state_dir);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = with_socket_path(&path, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let tcp = listen.map(|address| Tcp::bind(state_dir, address)).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let on_tcp = serve_tcp(tcp, service.clone());
                let (last, no_more) = oneshot::channel::<()>();
                let served = async {
                    let listener = tokio::net::UnixListener::from_std(listener)?;
                    let no_more = async { no_more.await.unwrap_or_default() };
                    axum::serve(listener, router(service)).with_graceful_shutdown(no_more).await
                };
                // Who asked the daemon to end is still answered.
                let ended = async {
                    let _ = stopped.await;
                    drop(last);
                    tokio::time::sleep(LAST_ANSWERS).await;
                };
                tokio::select! {
                    result = served => if let Err(error) = result {
                        tracing::error!(%error, "Control socket failed.");
                    },
                    Err(error) = on_tcp => tracing::error!(%error, "Control address failed."),
                    () = ended => {}
                }
            });
        })?;
        Ok(Self { path, stop: Some(stop), thread: Some(thread) })
    }
}

/// A loopback address that was asked for.
struct Tcp {
    listener: std::net::TcpListener,
    guard: Guard,
}

impl Tcp {
    fn bind(state_dir: &Path, address: SocketAddr) -> io::Result<Self> {
        let guard = Guard::of_state(state_dir)?;
        let listener = std::net::TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, guard })
    }
}

/// Serves the loopback address, if there is one; else never ends.
async fn serve_tcp(tcp: Option<Tcp>, service: Service) -> io::Result<()> {
    let Some(Tcp { listener, guard }) = tcp else { return std::future::pending().await };
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, guarded(router(service), guard)).await
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}
