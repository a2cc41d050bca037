//! What is analyzed: a file, or what came through standard input.

use super::error::AnalyzeError;
use super::raw::{self, RawFormat};
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_core::decode::{self, Damaged, Decoder, ReadAhead, Source};

/// Bytes read at once: large enough that the system call costs nothing.
const READ_BYTES: usize = 256 * 1024;

/// Bytes of a stream that are kept in memory; more go to a file that has no name.
const MEMORY_BYTES_MAX: usize = 32 << 20;

/// Something to analyze.
#[derive(Debug)]
pub(crate) struct Input {
    name: String,
    place: Place,
    damaged: Damaged,
    content: OnceCell<Content>,
}

#[derive(Debug)]
enum Place {
    Path(PathBuf),
    /// A short stream.
    Memory {
        bytes: Arc<[u8]>,
        is_raw: bool,
    },
    /// A long stream, in a file that vanishes with this process.
    Spool {
        file: File,
        is_raw: bool,
    },
}

/// What identifies the bytes of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) size_bytes: u64,
    /// BLAKE3, 64 hex digits.
    pub(super) blake3: String,
}

impl Input {
    /// A regular file; anything else could block for ever.
    ///
    /// # Errors
    /// When it is none or cannot be looked at.
    pub(crate) fn file(path: &Path) -> Result<Self, AnalyzeError> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(AnalyzeError::NotAFile { what: "a folder" });
        }
        if !kind.is_file() {
            return Err(AnalyzeError::NotAFile { what: "a pipe, socket or device" });
        }
        let name = path.to_string_lossy().into_owned();
        let place = Place::Path(path.to_owned());
        Ok(Self { name, place, damaged: Damaged::Refuse, content: OnceCell::new() })
    }

    /// What becomes of it if it is damaged; it is refused otherwise.
    #[must_use]
    pub(crate) fn with_damaged(self, damaged: Damaged) -> Self {
        Self { damaged, ..self }
    }

    /// What becomes of it if it is damaged.
    pub(super) fn damaged(&self) -> Damaged {
        self.damaged
    }

    /// A stream, taken to its end: memory is bounded, `spool` is the folder of what exceeds it. A file
    /// of any format that is read, or raw samples as `raw` says.
    ///
    /// # Errors
    /// When it cannot be read or kept, or raw samples end within a frame.
    pub(crate) fn stream(
        mut stream: impl Read,
        raw: Option<RawFormat>,
        spool: &Path,
    ) -> Result<Self, AnalyzeError> {
        let mut hasher = blake3::Hasher::new();
        let mut size_bytes = 0u64;
        let mut kept: Vec<u8> = raw.map(raw::wave_header).unwrap_or_default();
        let mut file: Option<File> = None;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let bytes = &buffer[..count];
            hasher.update(bytes);
            size_bytes += count as u64;
            match &mut file {
                Some(file) => file.write_all(bytes)?,
                None => kept.extend_from_slice(bytes),
            }
            if file.is_none() && kept.len() > MEMORY_BYTES_MAX {
                wavemill_pipelines::publishing::create_dirs(spool)?;
                let mut long = tempfile::tempfile_in(spool)?;
                long.write_all(&kept)?;
                kept = Vec::new();
                file = Some(long);
            }
        }
        if let Some(format) = raw {
            format.check_length(size_bytes)?;
        }
        let is_raw = raw.is_some();
        let place = match file {
            Some(file) => Place::Spool { file, is_raw },
            None => Place::Memory { bytes: kept.into(), is_raw },
        };
        let content = Content { size_bytes, blake3: hasher.finalize().to_hex().to_string() };
        let (name, damaged) = (STREAM_NAME.to_owned(), Damaged::Refuse);
        Ok(Self { name, place, damaged, content: OnceCell::from(content) })
    }

    /// Takes a stream to its end into a file, raw samples as WAV of unknown length.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub(crate) fn keep_stream(
        mut stream: impl Read,
        raw: Option<RawFormat>,
        file: &mut File,
    ) -> Result<(), AnalyzeError> {
        file.write_all(&raw.map(raw::wave_header).unwrap_or_default())?;
        let size_bytes = io::copy(&mut stream, file)?;
        if let Some(format) = raw {
            format.check_length(size_bytes)?;
        }
        Ok(())
    }

    /// What it is called in reports: the path as it was given, or `-`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has samples only, without a container.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self.place, Place::Memory { is_raw: true, .. } | Place::Spool { is_raw: true, .. })
    }

    /// The extension of its name, if it has one.
    pub(super) fn extension(&self) -> Option<&str> {
        match &self.place {
            Place::Path(path) => path.extension().and_then(OsStr::to_str),
            Place::Memory { .. } | Place::Spool { .. } => None,
        }
    }

    /// Its bytes from the first on. One reader at a time: those of a long stream share a position.
    pub(super) fn open(&self) -> io::Result<Box<dyn Source>> {
        Ok(match &self.place {
            Place::Path(path) => Box::new(ReadAhead::new(READ_BYTES, File::open(path)?)),
            Place::Memory { bytes, .. } => Box::new(Cursor::new(Arc::clone(bytes))),
            Place::Spool { file, .. } => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(0))?;
                Box::new(ReadAhead::new(READ_BYTES, file))
            }
        })
    }

    /// A decoder at its first frame.
    pub(super) fn decoder(&self) -> Result<Box<dyn Decoder>, AnalyzeError> {
        Ok(decode::open_as(self.open()?, self.extension(), self.damaged)?)
    }

    /// Size and hash; read once.
    pub(super) fn content(&self) -> io::Result<&Content> {
        if let Some(content) = self.content.get() {
            return Ok(content);
        }
        let mut hasher = blake3::Hasher::new();
        let size_bytes = io::copy(&mut self.open()?, &mut hasher)?;
        let content = Content { size_bytes, blake3: hasher.finalize().to_hex().to_string() };
        Ok(self.content.get_or_init(|| content))
    }
}

/// What one types, and reports say, for standard input.
pub(crate) const STREAM_NAME: &str = "-";
