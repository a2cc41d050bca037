//! A file in memory that watches how it is read, and can be as unkind as a disk.

use crate::signal::Random;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a file behaves while it is read.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Reads give fewer bytes than were asked for, by chance.
    pub short: Option<Random>,
    /// This call of `read` fails, counted from 0.
    pub fails_at: Option<u64>,
}

/// What was done to a file.
#[derive(Debug, Default)]
pub struct Seen {
    calls: AtomicU64,
    bytes: AtomicU64,
    farthest: AtomicU64,
}

impl Seen {
    /// Calls of `read`.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Bytes that were read, again and again.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The farthest place something was to be read from.
    pub fn farthest(&self) -> u64 {
        self.farthest.load(Ordering::Relaxed)
    }
}

/// A file in memory.
#[derive(Debug)]
pub struct Watched {
    bytes: Arc<[u8]>,
    position: u64,
    manner: Manner,
    seen: Arc<Seen>,
}

impl Watched {
    /// A file of these bytes.
    pub fn new(bytes: Arc<[u8]>, manner: Manner) -> Self {
        Self { bytes, position: 0, manner, seen: Arc::default() }
    }

    /// What is done to it.
    pub fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = self.seen.calls.fetch_add(1, Ordering::Relaxed);
        if self.manner.fails_at == Some(call) {
            return Err(io::Error::other("the disk failed"));
        }
        self.seen.farthest.fetch_max(self.position, Ordering::Relaxed);
        let start = usize::try_from(self.position).unwrap_or(usize::MAX).min(self.bytes.len());
        let mut count = buffer.len().min(self.bytes.len() - start);
        if let Some(random) = self.manner.short.as_mut().filter(|_| count > 1) {
            count = 1 + random.index(count);
        }
        buffer[..count].copy_from_slice(&self.bytes[start..start + count]);
        self.position += count as u64;
        self.seen.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => (self.bytes.len() as u64).checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watched_file_counts_what_is_read_and_fails_when_asked() {
        let manner = Manner { fails_at: Some(1), ..Manner::default() };
        let mut file = Watched::new(vec![1, 2, 3].into(), manner);
        let seen = file.seen();
        let mut buffer = [0; 8];
        assert_eq!(file.read(&mut buffer).unwrap(), 3);
        assert!(file.read(&mut buffer).is_err());
        file.seek(SeekFrom::Start(9)).unwrap();
        assert_eq!(file.read(&mut buffer).unwrap(), 0);
        assert_eq!((seen.calls(), seen.bytes(), seen.farthest()), (3, 3, 9));
    }

    #[test]
    fn watched_file_with_short_reads_gives_every_byte() {
        let bytes: Vec<u8> = (0..200).collect();
        let manner = Manner { short: Some(Random::new(3)), ..Manner::default() };
        let mut file = Watched::new(bytes.clone().into(), manner);
        let mut all = Vec::new();
        file.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
    }
}
