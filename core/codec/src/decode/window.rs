//! A part of a source that looks like a whole file to the libraries that read it.

use super::Source;
use parking_lot::Mutex;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use symphonia::core::io::MediaSource;

/// Bytes `[start, end)` of a source.
///
/// Some readers below take any error of the source for the end of the file. The window therefore
/// keeps the first one: see [`Fault`].
pub(super) struct Window {
    inner: Box<dyn Source>,
    start: u64,
    byte_count: u64,
    position: u64,
    fault: Fault,
}

/// The first error of the source behind a [`Window`].
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<io::Error>>>);

impl Fault {
    /// Takes the error, if there was one.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().take()
    }

    fn note(&self, error: &io::Error) {
        let copy = match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        };
        self.0.lock().get_or_insert(copy);
    }
}

impl Window {
    /// The bytes `[start, end)` of `inner`, read from their start.
    pub(super) fn new(mut inner: Box<dyn Source>, start: u64, end: u64) -> io::Result<Self> {
        inner.seek(SeekFrom::Start(start))?;
        let byte_count = end.saturating_sub(start);
        Ok(Self { inner, start, byte_count, position: 0, fault: Fault::default() })
    }

    /// Where errors of the source are kept.
    pub(super) fn fault(&self) -> Fault {
        self.fault.clone()
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.byte_count.saturating_sub(self.position);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let result = self.inner.read(&mut buffer[..wanted]);
        match &result {
            Ok(count) => self.position += *count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.fault.note(error),
        }
        result
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.byte_count.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        let absolute = self.start.checked_add(target).ok_or(io::ErrorKind::InvalidInput)?;
        self.inner.seek(SeekFrom::Start(absolute)).inspect_err(|error| self.fault.note(error))?;
        self.position = target;
        Ok(target)
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.byte_count)
    }
}
