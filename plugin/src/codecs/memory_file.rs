//! A file in memory: what an encoder writes stays with whoever made it.

use parking_lot::Mutex;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// Two of them made by cloning are the same file.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryFile(Arc<Mutex<Cursor<Vec<u8>>>>);

impl MemoryFile {
    /// All that was written; nothing stays.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock()).into_inner()
    }
}

impl Read for MemoryFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.lock().read(bytes)
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for MemoryFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().seek(to)
    }
}
