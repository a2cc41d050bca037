//! How a run reaches its files: by itself, or through somebody who may.

use super::Places;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Who opens, makes and removes the files of a run. A worker that may open nothing asks its daemon, which
/// hands it the open file; everybody else goes to the disk. Spools and caches are not among them.
pub trait FileAccess: Debug + Send + Sync {
    /// Opens a source, or a temporary file that was made, to read from its start.
    ///
    /// # Errors
    /// Those of the system; whoever stands between passes their kind on.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// Makes a temporary file, to write and to read; nothing may have its name.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Removes a temporary file that was made.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The disk itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DirectAccess;

impl FileAccess for DirectAccess {
    fn open(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

impl Places<'_> {
    /// Access to the disk itself.
    pub fn direct() -> Arc<dyn FileAccess> {
        Arc::new(DirectAccess)
    }
}
