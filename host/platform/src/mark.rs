//! Marks of what this machine's daemons watch: two with one state folder each would process every file twice.
//!
//! A mark is an abstract socket address, which the kernel frees with the process: no file lies about, and no share
//! that is watched is kept from being unmounted.

use std::path::Path;
use std::sync::Arc;

/// A mark that this process has.
#[derive(Debug)]
pub struct Mark(
    #[cfg(target_os = "linux")]
    #[expect(dead_code, reason = "it is held")]
    std::os::unix::net::UnixDatagram,
);

/// Marks a folder as watched with a pipeline; `None` where another process has done so. A process may have a mark several
/// times.
#[cfg(target_os = "linux")]
pub fn mark(folder: &Path, pipeline: &str) -> Option<Arc<Mark>> {
    use parking_lot::Mutex;
    use std::collections::BTreeMap;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::Weak;

    static HELD: Mutex<BTreeMap<String, Weak<Mark>>> = Mutex::new(BTreeMap::new());

    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let mut hasher = blake3::Hasher::new();
    hasher.update(folder.as_os_str().as_bytes()).update(&[0]).update(pipeline.as_bytes());
    let name = format!("wavemill-watch-{}", hasher.finalize().to_hex());
    let mut held = HELD.lock();
    if let Some(mark) = held.get(&name).and_then(Weak::upgrade) {
        return Some(mark);
    }
    let address = SocketAddr::from_abstract_name(&name).ok()?;
    match UnixDatagram::bind_addr(&address) {
        Ok(socket) => {
            let mark = Arc::new(Mark(socket));
            held.insert(name, Arc::downgrade(&mark));
            Some(mark)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => None,
        // Nothing can be said then; a socket without a name stands for the mark.
        Err(_) => UnixDatagram::unbound().ok().map(|socket| Arc::new(Mark(socket))),
    }
}

/// Marks a folder as watched with a pipeline; nothing is known of other processes here.
#[cfg(not(target_os = "linux"))]
pub fn mark(_folder: &Path, _pipeline: &str) -> Option<Arc<Mark>> {
    Some(Arc::new(Mark()))
}
