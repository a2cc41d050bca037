//! Unix sockets below long paths.

use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Longest path a socket address holds: 108 bytes with the closing zero (`unix(7)`).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Calls `use_path` with a name of the socket that fits into an address: the path itself, or one
/// through a descriptor of its folder.
pub fn with_socket_path<T>(
    path: &Path,
    use_path: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return use_path(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return use_path(path);
    };
    let folder = rustix::fs::open(
        folder,
        OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY,
        Mode::empty(),
    )?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    use_path(&short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn socket_below_a_long_path_can_be_bound_and_reached() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("x".repeat(120));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("control.sock");
        let _listener = with_socket_path(&path, |path| UnixListener::bind(path)).unwrap();
        with_socket_path(&path, |path| UnixStream::connect(path)).unwrap();
        assert!(path.exists());
    }
}
