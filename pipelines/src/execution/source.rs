//! The source: opened once, read as often as the plan needs, watched for changes.

use super::{FileAccess, RunError};
use crate::error;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use wavemill_core::audio::Samples;
use wavemill_core::decode::{self, Damaged, Decoder, ReadAhead, Repair, StreamInfo};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::tags::{self, Tags};
use wavemill_core::units::{Frames, Seconds};

/// Bytes read at once: a few blocks of samples, so that a disk sees long reads.
const READ_BYTES: usize = 256 * 1024;

/// A source file.
pub(crate) struct Input {
    path: PathBuf,
    stamp: Stamp,
    pub(crate) info: StreamInfo,
    pub(crate) tags: Arc<Tags>,
    /// What is odd about the file without keeping it from being processed.
    pub(crate) warnings: Vec<String>,
    decoder: Box<dyn Decoder>,
    is_fresh: bool,
}

/// What changes when somebody writes to a file or puts another in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

impl Input {
    /// Opens a source and reads what its header and tags say; `damaged` says what becomes of one that is.
    pub(crate) fn open(
        path: &Path,
        damaged: Damaged,
        access: &dyn FileAccess,
    ) -> Result<Self, RunError> {
        Self::open_as(path, extension(path).as_deref(), damaged, access)
    }

    /// As [`Self::open`], of a file whose name has not its extension.
    pub(crate) fn open_as(
        path: &Path,
        extension: Option<&str>,
        damaged: Damaged,
        access: &dyn FileAccess,
    ) -> Result<Self, RunError> {
        let file = open_regular(path, access)?;
        let stamp = Stamp::of(&file.metadata().map_err(|error| error::input_io(&error))?);
        let decoder = decode::open_as(buffered(file), extension, damaged);
        let decoder = decoder.map_err(error::input)?;
        // A handle of its own: two readers of one handle would move each other's position.
        let mut source = buffered(open_regular(path, access)?);
        let reading = tags::read(source.as_mut(), extension).map_err(error::input)?;
        let info = decoder.info().clone();
        Ok(Self {
            path: path.to_owned(),
            stamp,
            warnings: [info.all_warnings(), reading.warnings].concat(),
            info,
            tags: Arc::new(reading.tags),
            decoder,
            is_fresh: true,
        })
    }

    /// What was repaired of it so far: all of it once it was read to its end.
    pub(crate) fn repairs(&self) -> Vec<Repair> {
        self.decoder.repairs()
    }

    /// Its size.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.stamp.size_bytes
    }

    /// When it was last modified, where the file system says.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.stamp.modified
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A reader from its first frame on.
    pub(crate) fn reader(&mut self) -> Result<Reader<'_>, RunError> {
        if !self.is_fresh {
            self.decoder.rewind().map_err(error::input)?;
        }
        self.is_fresh = false;
        let samples = Samples::empty(self.info.format, self.info.spec.channel_count());
        Ok(Reader { decoder: self.decoder.as_mut(), samples, position: Frames::ZERO })
    }

    /// Whether it still is what was opened.
    ///
    /// # Errors
    /// When it was changed, replaced or removed meanwhile.
    pub(crate) fn check_unchanged(&self) -> Result<(), RunError> {
        let there = std::fs::metadata(&self.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => RunError::Input {
                reason: "was deleted while it was being read".to_owned(),
                incomplete: false,
            },
            _ => error::input_io(&error),
        })?;
        if Stamp::of(&there) == self.stamp {
            Ok(())
        } else {
            let reason = "the source changed while it was being read".to_owned();
            Err(RunError::Transient { reason })
        }
    }
}

fn buffered(file: File) -> Box<dyn decode::Source> {
    Box::new(ReadAhead::new(READ_BYTES, file))
}

/// Opens what is a regular file; a pipe would block for ever.
fn open_regular(path: &Path, access: &dyn FileAccess) -> Result<File, RunError> {
    let refused = |reason: &str| RunError::Input { reason: reason.to_owned(), incomplete: false };
    let metadata = std::fs::metadata(path).map_err(|error| error::input_io(&error))?;
    if metadata.is_dir() {
        return Err(refused("is a folder, not a file"));
    }
    if !metadata.is_file() {
        return Err(refused("is not a regular file"));
    }
    access.open(path).map_err(|error| error::input_io(&error))
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().into_owned())
}

/// Reads a source block by block.
pub(crate) struct Reader<'i> {
    decoder: &'i mut dyn Decoder,
    samples: Samples,
    position: Frames,
}

impl Reader<'_> {
    /// The next block; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&Samples>, RunError> {
        let count = self.decoder.read(&mut self.samples, BLOCK_FRAMES).map_err(error::input)?;
        if let Some(frame) = first_non_finite(&self.samples) {
            let frame = self.position + Frames(frame as u64);
            return Err(RunError::Input {
                reason: format!("holds a NaN or infinite sample at frame {}", frame.0),
                incomplete: false,
            });
        }
        self.position += Frames(count as u64);
        Ok((count > 0).then_some(&self.samples))
    }

    /// The block that [`Self::next`] gave, to keep.
    pub(crate) fn take(&mut self) -> Arc<Samples> {
        let empty = Samples::empty(self.samples.format(), self.samples.channel_count());
        Arc::new(std::mem::replace(&mut self.samples, empty))
    }

    /// Frames read so far.
    pub(crate) fn position(&self) -> Frames {
        self.position
    }
}

fn first_non_finite(samples: &Samples) -> Option<usize> {
    match samples {
        Samples::Int { .. } => None,
        Samples::Float { planes } => planes
            .iter()
            .filter_map(|plane| plane.iter().position(|sample| !sample.is_finite()))
            .min(),
    }
}

/// A duration, where the number of frames is known.
pub(crate) fn duration(info: &StreamInfo, frames: Option<Frames>) -> Option<Seconds> {
    frames.map(|frames| frames.duration(info.spec.sample_rate))
}
