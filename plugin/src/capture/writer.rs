//! The writer's side of a capture: a thread that empties the ring into WAV files.

use super::names::{self, Stem};
use super::progress::Progress;
use super::recorder::{Gap, Rings};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_core::audio::ChannelLayout;

/// How often the ring is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a file's header is brought up to date. A crash of the DAW may lose a second at most: this, a
/// [`LOOK_INTERVAL`], and what a busy machine wakes the writer late, which is no DAW's thread.
const HEADER_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of samples in one file: the next part begins before the header's 32 bits overflow.
const PART_BYTES_MAX: u64 = u32::MAX as u64 - (1 << 20);

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Samples taken out of the ring at once.
const CHUNK_SAMPLES: usize = 64 * 1024;

/// Names that are tried when others are taken.
const NAMES_MAX: usize = 1000;

const SAMPLE_BYTES: u64 = size_of::<f32>() as u64;

/// The folder of a capture. It is asked for when the first sample comes, so that what was chosen until then
/// counts, however early the capture was prepared.
#[derive(Clone)]
pub struct Folder(Arc<dyn Fn() -> PathBuf + Send + Sync>);

impl Folder {
    /// What `choose` says at the first sample.
    pub fn chosen(choose: impl Fn() -> PathBuf + Send + Sync + 'static) -> Self {
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
pub struct Target {
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
    gap: Option<Gap>,
    header_at: Instant,
    /// Nothing can be written any more; what follows is lost.
    is_broken: bool,
}

/// An open file.
struct Part {
    wav: WavWriter<WithMask>,
    /// Bytes of samples.
    bytes: u64,
}

/// A file that can be written and rewound.
pub(super) trait WriteSeek: Write + Seek + Send {}
impl<T: Write + Seek + Send> WriteSeek for T {}

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
            std::thread::park_timeout(LOOK_INTERVAL);
        }
        if let Err(error) = self.close() {
            self.give_up(&error);
        }
        self.progress.told_mut().is_complete = true;
    }

    fn channel_count(&self) -> usize {
        self.target.layout.channel_count()
    }

    /// Writes what is in the ring.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            let waiting = self.rings.samples.slots();
            // Gaps are told before the samples behind them, so each is known here.
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
                part.wav.flush().map_err(io_error)?;
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
            for _ in 0..frames * self.channel_count() as u64 {
                if !self.is_broken {
                    self.write_sample(0.0)?;
                }
            }
        }
    }

    fn write_frames(&mut self, frames: u64) -> io::Result<()> {
        let count = usize::try_from(frames).unwrap_or(usize::MAX) * self.channel_count();
        let mut result = Ok(());
        // The chunk borrows the ring, so the samples are copied out first.
        let mut samples = vec![0.0; count];
        if self.rings.samples.pop_entire_slice(&mut samples).is_ok() {
            self.position += frames;
            let mut written = 0;
            for frame in samples.chunks_exact(self.channel_count()) {
                if self.is_broken || result.is_err() {
                    break;
                }
                result = frame.iter().try_for_each(|sample| self.write_sample(*sample));
                written += u64::from(result.is_ok());
            }
            self.progress.add_lost(frames - written);
        }
        result
    }

    fn write_sample(&mut self, sample: f32) -> io::Result<()> {
        let frame_bytes = SAMPLE_BYTES * self.channel_count() as u64;
        let is_full = |part: &Part| {
            part.bytes.is_multiple_of(frame_bytes) && part.bytes + frame_bytes > self.part_bytes_max
        };
        if self.file.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        if self.file.is_none() {
            self.open()?;
        }
        if let Some(part) = &mut self.file {
            part.wav.write_sample(sample).map_err(io_error)?;
            part.bytes += SAMPLE_BYTES;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        self.part_count += 1;
        let channel_count = self.channel_count();
        let spec = WavSpec {
            channels: u16::try_from(channel_count).unwrap_or(u16::MAX),
            sample_rate: self.target.sample_rate_hz,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let (path, file) = self.create()?;
        let mask = self.target.layout.mask().unwrap_or(0);
        let mut wav = WavWriter::new(WithMask::new(file, mask), spec).map_err(io_error)?;
        wav.flush().map_err(io_error)?;
        self.progress.told_mut().parts.push(path);
        self.header_at = Instant::now();
        self.file = Some(Part { wav, bytes: 0 });
        Ok(())
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
        match self.file.take() {
            Some(part) => part.wav.finalize().map_err(io_error),
            None => Ok(()),
        }
    }

    /// From here on everything is lost, and counted.
    fn give_up(&mut self, error: &io::Error) {
        if !self.is_broken {
            self.is_broken = true;
            let folder = self.folder.get_or_insert_with(|| (self.target.folder.0)()).display();
            self.progress.told_mut().error =
                Some(format!("the capture in {folder} ended early: {error}"));
        }
        // Closing writes the header of what is there; if that fails too, the last one holds.
        drop(self.file.take());
    }
}

/// A file whose header says where the channels are: hound knows counts only.
struct WithMask {
    file: Box<dyn WriteSeek>,
    /// Taken by the header, which is written first and at once.
    mask: Option<[u8; 4]>,
}

impl WithMask {
    /// Where `dwChannelMask` is in a header that begins with `WAVEFORMATEXTENSIBLE`.
    const OFFSET: usize = 40;

    fn new(file: Box<dyn WriteSeek>, mask: u32) -> Self {
        Self { file, mask: Some(mask.to_le_bytes()) }
    }
}

impl Write for WithMask {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(mask) = self.mask.take() else { return self.file.write(bytes) };
        let mut header = bytes.to_vec();
        if let Some(place) = header.get_mut(Self::OFFSET..Self::OFFSET + mask.len()) {
            place.copy_from_slice(&mask);
        }
        self.file.write_all(&header)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WithMask {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
