//! What the machine has: space, limits, rights, the clock.

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::process::{Resource, getrlimit};
use std::io;
use std::path::Path;

/// Room on a file system, for this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Bytes that it has at all.
    pub total_bytes: u64,
    /// Files that can still be made; `None` where the file system does not count them.
    pub free_files: Option<u64>,
    /// Files that it can hold at all; 0 where it does not count them.
    pub total_files: u64,
}

/// Room where `path` is.
pub fn space(path: &Path) -> io::Result<Space> {
    let found = statvfs(path)?;
    Ok(Space {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        free_files: (found.f_files > 0).then_some(found.f_favail),
        total_files: found.f_files,
    })
}

/// Room where `path` is, or would be.
pub fn space_near(path: &Path) -> Option<Space> {
    path.ancestors().find_map(|folder| space(folder).ok())
}

/// Whether this process may read a folder's names and go through it, or make and remove files in it.
pub fn may_use_folder(path: &Path, to_write: bool) -> io::Result<()> {
    let wanted = if to_write { Access::WRITE_OK } else { Access::READ_OK };
    Ok(accessat(CWD, path, wanted | Access::EXEC_OK, AtFlags::EACCESS)?)
}

/// Files that this process may have open; `None` without a limit.
pub fn open_files_max() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// A user's share of inotify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InotifyLimits {
    /// Folders watched at once, by all of the user's processes.
    pub watches: u64,
    /// Instances at once; each watched folder takes one.
    pub instances: u64,
}

/// The limits of inotify; `None` where the system has none or does not say.
pub fn inotify_limits() -> Option<InotifyLimits> {
    let read = |name: &str| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(InotifyLimits {
        watches: read("max_user_watches")?,
        instances: read("max_user_instances")?,
    })
}

/// Whether something keeps the clock right; `None` where the system does not say.
#[cfg(target_os = "linux")]
pub fn is_clock_kept() -> Option<bool> {
    // SAFETY: all zeros are a valid `timex`; no mode is set, so the call only fills it in.
    let (state, found) = unsafe {
        let mut found: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut found), found)
    };
    match state {
        -1 => None,
        libc::TIME_ERROR => Some(false),
        _ => Some(found.status & libc::STA_UNSYNC == 0),
    }
}

/// Whether something keeps the clock right; `None` where the system does not say.
#[cfg(not(target_os = "linux"))]
pub fn is_clock_kept() -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_of_a_test_has_space_and_may_be_used() {
        let folder = tempfile::tempdir().unwrap();
        assert!(space(folder.path()).unwrap().free_bytes > 0);
        may_use_folder(folder.path(), true).unwrap();
        may_use_folder(folder.path(), false).unwrap();
        assert!(may_use_folder(&folder.path().join("missing"), false).is_err());
        assert!(space(&folder.path().join("missing")).is_err());
    }
}
