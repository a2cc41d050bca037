//! The signal between two passes: in memory while small, else in a file without a name.

use super::{FileAccess, RunError};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wavemill_core::audio::Block;

/// Signals up to this size stay in memory: 45 s of stereo at 48 kHz, small beside a process.
pub(crate) const MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes written and read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Distinguishes the spools of one process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A signal being written, block after block: the count of frames, then plane after plane.
pub(crate) struct Spool {
    folder: PathBuf,
    store: Store,
    bytes: Vec<u8>,
}

enum Store {
    Memory(Vec<u8>),
    File { writer: BufWriter<File>, _unlinked: TemporaryFile },
}

impl Spool {
    /// An empty spool; beyond [`MEMORY_BYTES_MAX`] it goes to `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), store: Store::Memory(Vec::new()), bytes: Vec::new() }
    }

    /// Appends a block.
    pub(crate) fn write(&mut self, block: &Block) -> Result<(), RunError> {
        self.bytes.clear();
        let frame_count = u32::try_from(block.frame_count()).expect("blocks have few frames");
        self.bytes.extend_from_slice(&frame_count.to_le_bytes());
        for plane in block.planes() {
            self.bytes.extend(plane.iter().flat_map(|sample| sample.to_le_bytes()));
        }
        self.append().map_err(|error| failed(&self.folder, &error))
    }

    fn append(&mut self) -> io::Result<()> {
        if let Store::Memory(memory) = &mut self.store {
            if memory.len() + self.bytes.len() <= MEMORY_BYTES_MAX {
                memory.extend_from_slice(&self.bytes);
                return Ok(());
            }
            let (file, unlinked) = create(&self.folder)?;
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
            file.write_all(memory)?;
            self.store = Store::File { writer: file, _unlinked: unlinked };
        }
        match &mut self.store {
            Store::File { writer, .. } => writer.write_all(&self.bytes),
            Store::Memory(_) => Ok(()),
        }
    }

    /// Reads it back from its start, as often as asked; nothing more may be written then.
    pub(crate) fn reader(&mut self) -> Result<SpoolReader<'_>, RunError> {
        let failed = |error: &io::Error| failed(&self.folder, error);
        let source: Box<dyn Read> = match &mut self.store {
            Store::Memory(memory) => Box::new(memory.as_slice()),
            Store::File { writer, .. } => {
                writer.flush().map_err(|error| failed(&error))?;
                let mut file: &File = writer.get_ref();
                file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
                Box::new(BufReader::with_capacity(BUFFER_BYTES, file))
            }
        };
        Ok(SpoolReader { folder: &self.folder, source, bytes: &mut self.bytes })
    }
}

/// A signal being read back.
pub(crate) struct SpoolReader<'s> {
    folder: &'s Path,
    source: Box<dyn Read + 's>,
    bytes: &'s mut Vec<u8>,
}

impl SpoolReader<'_> {
    /// Fills `block`, whose channel count is that of the signal; `false` at the end.
    pub(crate) fn next(&mut self, block: &mut Block) -> Result<bool, RunError> {
        self.read(block).map_err(|error| failed(self.folder, &error))
    }

    fn read(&mut self, block: &mut Block) -> io::Result<bool> {
        let mut frame_count = [0; 4];
        // Zero bytes are the end; fewer than four were never written.
        if self.source.read(&mut frame_count[..1])? == 0 {
            return Ok(false);
        }
        self.source.read_exact(&mut frame_count[1..])?;
        let frame_count = u32::from_le_bytes(frame_count) as usize;
        block.set_frame_count(frame_count);
        self.bytes.resize(frame_count * 4, 0);
        for plane in block.planes_mut() {
            self.source.read_exact(self.bytes)?;
            for (sample, bytes) in plane.iter_mut().zip(self.bytes.chunks_exact(4)) {
                *sample = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
        Ok(true)
    }
}

/// A full disk here is one everywhere in the state folder, and may be gone at the next attempt.
fn failed(folder: &Path, error: &io::Error) -> RunError {
    RunError::Transient { reason: format!("the spool in `{}` failed: {error}", folder.display()) }
}

/// A file whose name is gone or will be, so that no crash leaves it behind longer than the process.
#[derive(Debug)]
struct TemporaryFile(Option<PathBuf>);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Nobody is left to report it to; the state folder is swept at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn create(folder: &Path) -> io::Result<(File, TemporaryFile)> {
    std::fs::create_dir_all(folder)?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("spool-{}-{number}.tmp", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    // Unix keeps the bytes of a file without a name for as long as it is open.
    let is_removed = cfg!(unix) && std::fs::remove_file(&path).is_ok();
    Ok((file, TemporaryFile((!is_removed).then_some(path))))
}

/// Keeps temporary files as spools: without names. Sources are opened as ever.
#[derive(Debug)]
pub(crate) struct SpoolAccess {
    folder: PathBuf,
    sources: Arc<dyn FileAccess>,
    files: Mutex<HashMap<PathBuf, (File, TemporaryFile)>>,
}

impl SpoolAccess {
    pub(crate) fn new(folder: &Path, sources: Arc<dyn FileAccess>) -> Self {
        Self { folder: folder.to_owned(), sources, files: Mutex::default() }
    }

    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, (File, TemporaryFile)>> {
        self.files.lock()
    }
}

impl FileAccess for SpoolAccess {
    fn open(&self, path: &Path) -> io::Result<File> {
        let Some(file) = self.files().get(path).map(|(file, _)| file.try_clone()) else {
            return self.sources.open(path);
        };
        let mut file = file?;
        // Whoever else has it open is done with it.
        file.rewind()?;
        Ok(file)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        let (file, unlinked) = create(&self.folder)?;
        let copy = file.try_clone()?;
        self.files().insert(path.to_owned(), (file, unlinked));
        Ok(copy)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files().remove(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(seed: usize, frame_count: usize) -> Block {
        let plane = |channel: usize| -> Vec<f32> {
            (0..frame_count).map(|frame| (seed * 31 + channel * 7 + frame) as f32).collect()
        };
        Block::from_planes(&[plane(0), plane(1)])
    }

    fn round_trip(block_count: usize) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        for seed in 0..block_count {
            spool.write(&block(seed, 4096 - seed % 3)).unwrap();
        }
        for _ in 0..2 {
            let mut reader = spool.reader().unwrap();
            let mut read = Block::new(2, 4096);
            for seed in 0..block_count {
                assert!(reader.next(&mut read).unwrap());
                let expected = block(seed, 4096 - seed % 3);
                assert!(read.planes().eq(expected.planes()), "block {seed}");
            }
            assert!(!reader.next(&mut read).unwrap());
        }
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn small_signal_comes_back_from_memory() {
        assert_eq!(round_trip(3), 0);
    }

    #[test]
    fn large_signal_comes_back_from_a_file_without_a_name() {
        let blocks_in_memory = MEMORY_BYTES_MAX / (4096 * 2 * 4);
        let names_left = round_trip(blocks_in_memory + 20);
        assert_eq!(names_left, 0);
    }

    #[test]
    fn folder_that_cannot_be_written_is_named() {
        let mut spool = Spool::new(Path::new("/proc/nowhere"));
        let block = block(0, 4096);
        let error = (0..=MEMORY_BYTES_MAX / 32768).find_map(|_| spool.write(&block).err());
        let Some(RunError::Transient { reason }) = error else { panic!("{error:?}") };
        assert!(reason.contains("/proc/nowhere"), "{reason}");
    }
}
