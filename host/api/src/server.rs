//! The control socket: HTTP over a Unix socket that only the daemon's user can open.

use super::operations::router;
use super::service::Service;
use super::socket_path;
use std::fs;
use std::io;
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
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(state_dir: &Path, service: Service) -> io::Result<Self> {
        let path = socket_path(state_dir);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = with_socket_path(&path, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(async move {
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
                    () = ended => {}
                }
            });
        })?;
        Ok(Self { path, stop: Some(stop), thread: Some(thread) })
    }
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
