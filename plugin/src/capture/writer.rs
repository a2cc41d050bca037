//! The writer's side of a capture: a thread that empties the ring into WAV files.

use super::names::{self, Stem};
use super::part::{Part, PartFacts};
use super::progress::Progress;
use super::recorder::{Gap, Rings};
use super::wav::{SAMPLE_BYTES, WriteSeek};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_core::audio::{ChannelLayout, StreamSpec};
use wavemill_core::units::SampleRate;

/// How often the ring is looked at, and before its first sample: an armed capture may wait for hours.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
const IDLE_INTERVAL: Duration = Duration::from_millis(250);

/// How often a file's header is brought up to date. A crash of the DAW may lose a second at most: this, a
/// [`LOOK_INTERVAL`], and what a busy machine wakes the writer late, which is no DAW's thread.
const HEADER_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of samples in one file: the next part begins before the header's 32 bits overflow.
const PART_BYTES_MAX: u64 = u32::MAX as u64 - (1 << 20);

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Samples taken out of the ring at once.
const CHUNK_SAMPLES: usize = 64 * 1024;

/// Frames of silence written at once.
const SILENCE_FRAMES: usize = 4096;

/// Names that are tried when others are taken.
const NAMES_MAX: usize = 1000;

/// The folder of a capture. It is asked for when the first sample comes, so that what was chosen until then
/// counts, however early the capture was prepared.
#[derive(Clone)]
pub(crate) struct Folder(Arc<dyn Fn() -> PathBuf + Send + Sync>);

impl Folder {
    /// What `choose` says at the first sample.
    pub(crate) fn chosen(choose: impl Fn() -> PathBuf + Send + Sync + 'static) -> Self {
        Self(Arc::new(choose))
    }
}

impl From<PathBuf> for Folder {
    fn from(folder: PathBuf) -> Self {
        Self::chosen(move || folder.clone())
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Folder")
    }
}

/// Where and as what a capture is written.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The folder; it is made if it is not there.
    pub folder: Folder,
    /// Name of the files.
    pub stem: Stem,
    /// Channels.
    pub layout: ChannelLayout,
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
}

/// Writes one capture.
pub(super) struct Writer<W: Open> {
    target: Target,
    opener: W,
    part_bytes_max: u64,
    rings: Rings,
    progress: Arc<Progress>,
    file: Option<Part>,
    /// Known once there is a first sample, as is the stem.
    folder: Option<PathBuf>,
    stem: Option<String>,
    part_count: usize,
    /// Frames written, gaps included.
    position: u64,
    /// Bytes of samples in all files.
    written_bytes: u64,
    gap: Option<Gap>,
    header_at: Instant,
    /// Nothing can be written any more; what follows is lost.
    is_broken: bool,
}

/// How files are made; tests make ones that stall or fail.
pub(super) trait Open: Send + 'static {
    /// Makes a file that must not exist.
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn WriteSeek>>;
}

/// Files on disk.
pub(super) struct OnDisk;

impl Open for OnDisk {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn WriteSeek>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(BufWriter::with_capacity(BUFFER_BYTES, file)))
    }
}

impl<W: Open> Writer<W> {
    pub(super) fn new(target: Target, opener: W, rings: Rings, progress: Arc<Progress>) -> Self {
        Self {
            target,
            opener,
            part_bytes_max: PART_BYTES_MAX,
            rings,
            progress,
            file: None,
            folder: None,
            stem: None,
            part_count: 0,
            position: 0,
            written_bytes: 0,
            gap: None,
            header_at: Instant::now(),
            is_broken: false,
        }
    }

    /// Files of at most this many bytes of samples.
    #[cfg(test)]
    pub(super) fn with_part_bytes_max(mut self, bytes: u64) -> Self {
        self.part_bytes_max = bytes;
        self
    }

    /// Writes until the recorder has finished, or is gone, and the ring is empty.
    pub(super) fn run(mut self) {
        loop {
            // Asked before the ring is looked at: what was pushed before it is seen then.
            let is_last = self.progress.is_finished() || self.rings.samples.is_abandoned();
            if let Err(error) = self.drain() {
                self.give_up(&error);
            }
            if is_last {
                break;
            }
            let has_begun = self.position > 0;
            std::thread::park_timeout(if has_begun { LOOK_INTERVAL } else { IDLE_INTERVAL });
        }
        if let Err(error) = self.close() {
            self.give_up(&error);
        }
        self.progress.lock().is_complete = true;
    }

    fn channel_count(&self) -> usize {
        self.target.layout.channel_count()
    }

    /// Writes what is in the ring.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            let waiting = self.rings.samples.slots();
            // Gaps are pushed before the samples behind them, so each is known here.
            self.fill_gaps()?;
            let until_gap = self.gap.map_or(u64::MAX, |gap| gap.at - self.position);
            let frames = (waiting.min(CHUNK_SAMPLES) / self.channel_count()) as u64;
            let frames = frames.min(until_gap);
            if frames == 0 {
                break;
            }
            self.write_frames(frames)?;
        }
        if self.header_at.elapsed() >= HEADER_INTERVAL {
            self.header_at = Instant::now();
            if let Some(part) = &mut self.file {
                part.flush()?;
            }
        }
        Ok(())
    }

    /// Silence for lost frames, once everything before them is written.
    fn fill_gaps(&mut self) -> io::Result<()> {
        loop {
            if self.gap.is_none() {
                self.gap = self.rings.gaps.pop().ok();
            }
            let Some(Gap { at, frames }) = self.gap else { return Ok(()) };
            if at > self.position {
                return Ok(());
            }
            self.gap = None;
            self.position += frames;
            let silence = vec![0.0; SILENCE_FRAMES * self.channel_count()];
            let mut left = frames;
            while left > 0 && !self.is_broken {
                let count = left.min(SILENCE_FRAMES as u64);
                #[expect(clippy::cast_possible_truncation, reason = "no more than there are")]
                self.write(&silence[..count as usize * self.channel_count()])?;
                left -= count;
            }
        }
    }

    fn write_frames(&mut self, frames: u64) -> io::Result<()> {
        let count = usize::try_from(frames).unwrap_or(usize::MAX) * self.channel_count();
        // The chunk borrows the ring, so the samples are copied out first.
        let mut samples = vec![0.0; count];
        if self.rings.samples.pop_entire_slice(&mut samples).is_err() {
            return Ok(());
        }
        self.position += frames;
        if self.is_broken {
            self.progress.add_lost(frames);
            return Ok(());
        }
        let before = self.written_bytes;
        let result = self.write(&samples);
        let frame_bytes = SAMPLE_BYTES * self.channel_count() as u64;
        self.progress.add_lost(frames - (self.written_bytes - before) / frame_bytes);
        result
    }

    /// Writes whole frames, into as many files as they need.
    fn write(&mut self, mut samples: &[f32]) -> io::Result<()> {
        let frame_bytes = SAMPLE_BYTES * self.channel_count() as u64;
        while !samples.is_empty() {
            let part = match self.file.take() {
                Some(part) if part.bytes() + frame_bytes <= self.part_bytes_max => part,
                full => {
                    full.map_or(Ok(()), Part::finish)?;
                    self.open()?
                }
            };
            let part = self.file.insert(part);
            let room = (self.part_bytes_max - part.bytes()) / frame_bytes * frame_bytes;
            let count = usize::try_from(room / SAMPLE_BYTES).unwrap_or(usize::MAX);
            let (now, later) = samples.split_at(count.min(samples.len()));
            let before = part.bytes();
            let result = part.write(now);
            self.written_bytes += part.bytes() - before;
            result?;
            samples = later;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<Part> {
        self.part_count += 1;
        let (path, file) = self.create()?;
        let spec = StreamSpec {
            sample_rate: SampleRate(self.target.sample_rate_hz),
            layout: self.target.layout.clone(),
        };
        let part = Part::begin(file, &spec, self.facts())?;
        self.progress.lock().parts.push(path);
        self.header_at = Instant::now();
        Ok(part)
    }

    /// Of the part that begins now.
    fn facts(&self) -> PartFacts {
        let frames_before = self.written_bytes / (SAMPLE_BYTES * self.channel_count() as u64);
        let start = self.progress.start().and_then(|start| u64::try_from(start).ok());
        PartFacts {
            name: self.stem.clone().unwrap_or_default(),
            at: jiff::Zoned::now(),
            time_reference: start.map(|start| start + frames_before),
        }
    }

    /// Makes the next file under a name that is free.
    fn create(&mut self) -> io::Result<(PathBuf, Box<dyn WriteSeek>)> {
        let folder = self.folder.get_or_insert_with(|| (self.target.folder.0)());
        let stem = self.stem.get_or_insert_with(|| self.target.stem.now());
        let mut attempt = 1;
        loop {
            let path = names::part(folder, stem, self.part_count, attempt);
            match self.opener.create(&path) {
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempt < NAMES_MAX =>
                {
                    attempt += 1;
                }
                other => return other.map(|file| (path, file)),
            }
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), Part::finish)
    }

    /// From here on everything is lost, and counted.
    fn give_up(&mut self, error: &io::Error) {
        if !self.is_broken {
            self.is_broken = true;
            let folder = self.folder.get_or_insert_with(|| (self.target.folder.0)()).display();
            self.progress.lock().error =
                Some(format!("the capture in {folder} ended early: {error}"));
        }
        // The header of what is there; if that fails too, the last one holds.
        let _ = self.close();
    }
}
