//! Gathers the encoder's small writes.

use crate::encode::Sink;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 128 * 1024;

/// Holds what went wrong when the library dropped its writer, where nobody sees a result.
#[derive(Clone, Debug, Default)]
pub(super) struct LateError(Arc<Mutex<Option<io::Error>>>);

impl LateError {
    /// The error, if there was one.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }
}

/// Like `BufWriter`, except that an error of the last flush is not lost: the library consumes and
/// drops its writer, so the error waits in a [`LateError`].
pub(super) struct Buffer {
    sink: Box<dyn Sink>,
    bytes: Vec<u8>,
    late_error: LateError,
}

impl Buffer {
    /// A buffer before `sink`.
    pub(super) fn new(sink: Box<dyn Sink>, late_error: LateError) -> Self {
        Self { sink, bytes: Vec::with_capacity(BUFFER_BYTES), late_error }
    }

    fn drain(&mut self) -> io::Result<()> {
        let result = self.sink.write_all(&self.bytes);
        self.bytes.clear();
        result
    }
}

impl Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > BUFFER_BYTES {
            self.drain()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            return self.sink.write(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.sink.flush()
    }
}

impl Seek for Buffer {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.drain()?;
        self.sink.seek(position)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            self.late_error.set(error);
        }
    }
}
