//! Files of modules and presets, which people change while they play.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often files are looked at.
pub const LOOK_TIME: Duration = Duration::from_millis(250);

/// Time and length of a file; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// A file, and what it was when it was last looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedFile {
    path: PathBuf,
    /// `None` where nobody has looked yet.
    stamp: Option<Stamp>,
}

impl WatchedFile {
    /// A file that nobody has looked at.
    pub fn new(path: PathBuf) -> Self {
        Self { path, stamp: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nobody has looked at it.
    pub fn is_new(&self) -> bool {
        self.stamp.is_none()
    }

    /// Whether it is there and has changed since the last look, or is looked at for the first time. It is to be read
    /// after this call, so that what changes meanwhile is seen by the next one. Waits for the disk.
    pub fn look(&mut self) -> bool {
        let metadata = fs::metadata(&self.path).ok();
        let now = metadata.and_then(|file| Some((file.modified().ok()?, file.len())));
        let before = self.stamp.replace(now);
        now.is_some() && before != Some(now)
    }
}
