//! One output file: written, completed, synced, opened again and compared with what it was fed.

use super::fingerprint::Fingerprint;
use super::{FileAccess, RunError};
use crate::error::{output, output_io};
use crossbeam_channel::Receiver;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use wavemill_core::analysis::{self, Analysis, Analyzer};
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode::{self, ReadAhead};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::encode::{EncodeSettings, FormatDescriptor};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::{LoudnessReport, Piece};
use wavemill_core::tags::{Broadcast, BroadcastLoudness, GainBasis, ReplayGain, Tags};
use wavemill_core::units::SampleRate;

/// Bytes read at once when a file is verified.
const READ_BYTES: usize = 256 * 1024;

/// What a writer is sent.
pub(super) enum WriterInput {
    /// Further samples in the file's own format.
    Samples(Arc<Samples>),
    /// All samples came; this is what they were, and how loud, if that was measured.
    End(Fingerprint, Option<Box<LoudnessReport>>),
}

/// A file to be written.
pub(super) struct Writer {
    pub(super) format: &'static FormatDescriptor,
    pub(super) settings: EncodeSettings,
    pub(super) temporary: PathBuf,
    /// Who makes it and opens it again.
    pub(super) access: Arc<dyn FileAccess>,
    /// Its time of modification, where that is not the time it was written.
    pub(super) modified: Option<SystemTime>,
    /// What is measured of a lossy file.
    pub(super) measures: analysis::Options,
}

/// A temporary file that is removed unless it is kept.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    access: Arc<dyn FileAccess>,
    is_kept: bool,
}

impl Temporary {
    /// Creates the file and the folders above it.
    pub(super) fn create(
        path: &Path,
        access: &Arc<dyn FileAccess>,
    ) -> Result<(File, Self), RunError> {
        if let Some(folder) = path.parent() {
            match std::fs::create_dir_all(folder) {
                // Standard Rust takes a folder that it could not look at for a file in its place.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
                made => made.map_err(|error| output_io(&error, folder))?,
            }
        }
        let file = access.create(path).map_err(|error| output_io(&error, path))?;
        let (path, access) = (path.to_owned(), Arc::clone(access));
        Ok((file, Self { path, access, is_kept: false }))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it in place.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            // The reason why it is removed is reported; that it could not be removed helps nobody.
            let _ = self.access.remove(&self.path);
        }
    }
}

/// A complete, synced, verified file.
#[derive(Debug)]
pub(super) struct WrittenFile {
    pub(super) temporary: Temporary,
    pub(super) size_bytes: u64,
    pub(super) blake3: String,
    /// What a lossy file sounds like once it is decoded; `None` where it decodes to what it was fed.
    pub(super) decoded: Option<Analysis>,
    /// What it then contributes to the loudness of a group.
    pub(super) decoded_piece: Option<Piece>,
    /// What was written into it.
    pub(super) replay_gain: Option<ReplayGain>,
    /// What it was given to say of itself, as far as its format has places for it.
    pub(super) tags: Arc<Tags>,
}

impl Writer {
    /// Writes what comes through `input` until its end.
    ///
    /// # Errors
    /// [`RunError::Canceled`] too when `input` breaks off: whoever sent it failed first and says why.
    pub(super) fn run(
        self,
        input: &Receiver<WriterInput>,
        cancel: &AtomicBool,
    ) -> Result<WrittenFile, RunError> {
        let _flush = FlushDenormals::on();
        let (path, access) = (self.temporary, self.access);
        let (file, temporary) = Temporary::create(&path, &access)?;
        // The same open file: every write that failed in the background is reported to it.
        let mut to_sync = file.try_clone().map_err(|error| output_io(&error, &path))?;
        let settings = self.settings.clone();
        let mut encoder = (self.format.create)(Box::new(file), self.settings)
            .map_err(|error| output(error, &path))?;
        let (expected, fed_loudness) = loop {
            match input.recv() {
                Ok(WriterInput::Samples(samples)) => {
                    encoder.write(&samples).map_err(|error| output(error, &path))?;
                }
                Ok(WriterInput::End(fingerprint, loudness)) => break (fingerprint, loudness),
                Err(_) => return Err(RunError::Canceled),
            }
        };
        encoder.finish().map_err(|error| output(error, &path))?;
        to_sync.sync_all().map_err(|error| output_io(&error, &path))?;
        let rate = settings.spec.sample_rate;
        let check = || {
            let file = access.open(&path).map_err(|error| output_io(&error, &path))?;
            verify((&path, file), (self.format, rate), &self.measures, &expected, cancel)
        };
        let mut decoded = None;
        let states_loudness = self.format.is_lossless() && fed_loudness.is_some();
        let is_retagged = settings.tags.replay_gain.is_some()
            || (states_loudness && settings.tags.broadcast.is_some());
        if !self.format.is_lossless() || !is_retagged {
            decoded = check()?;
        }
        let loudness = decoded.as_ref().and_then(|(decoded, _)| decoded.loudness.as_ref());
        let (settings, replay_gain) =
            with_replay_gain(settings, loudness.or(fed_loudness.as_deref()));
        let stated = fed_loudness.as_deref().filter(|_| states_loudness);
        let settings = with_broadcast_loudness(settings, stated);
        if is_retagged {
            (self.format.retag)(&mut to_sync, &settings).map_err(|error| output(error, &path))?;
            to_sync.sync_all().map_err(|error| output_io(&error, &path))?;
            decoded = check()?;
        }
        if let Some(modified) = self.modified {
            let kept = to_sync.set_modified(modified).and_then(|()| to_sync.sync_all());
            kept.map_err(|error| output_io(&error, &path))?;
        }
        let (size_bytes, blake3) = hash(&path, access.as_ref())?;
        let tags = settings.tags;
        let (decoded, decoded_piece) = decoded.unzip();
        Ok(WrittenFile { temporary, size_bytes, blake3, decoded, decoded_piece, replay_gain, tags })
    }
}

/// The settings with the `ReplayGain` of a file that has this loudness, if it was to have one.
fn with_replay_gain(
    settings: EncodeSettings,
    measured: Option<&LoudnessReport>,
) -> (EncodeSettings, Option<ReplayGain>) {
    let Some(planned) = settings.tags.replay_gain else { return (settings, None) };
    let track = measured.and_then(|measured| {
        let (loudness, peak) = (measured.integrated_lufs?, measured.larger_true_peak()?);
        Some(GainBasis { loudness, true_peak: peak })
    });
    let replay_gain = Some(ReplayGain { track, ..planned });
    let tags = Arc::new(Tags { replay_gain, ..Tags::clone(&settings.tags) });
    (EncodeSettings { tags, ..settings }, replay_gain)
}

/// Decodes the whole file again. A lossless one must be what it was fed; a lossy one must be as long,
/// and is measured.
fn verify(
    (path, file): (&Path, File),
    (format, fed_rate): (&FormatDescriptor, SampleRate),
    options: &analysis::Options,
    expected: &Fingerprint,
    cancel: &AtomicBool,
) -> Result<Option<(Analysis, Piece)>, RunError> {
    let wrong = |what: String| RunError::Transient {
        reason: format!("`{}` was written but failed verification: {what}", path.display()),
    };
    let source = Box::new(ReadAhead::new(READ_BYTES, file));
    let mut decoder = decode::open(source, Some(format.extension))
        .map_err(|error| wrong(format!("it {error}")))?;
    let info = decoder.info();
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut found = Fingerprint::default();
    let mut meter = (!format.is_lossless()).then(|| {
        let block = Block::new(channel_count, BLOCK_FRAMES);
        (Analyzer::new(&info.spec, info.format, options), block)
    });
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(RunError::Canceled);
        }
        let count = decoder
            .read(&mut samples, BLOCK_FRAMES)
            .map_err(|error| wrong(format!("it {error}")))?;
        if count == 0 {
            break;
        }
        if let Some((meter, block)) = &mut meter {
            found.frames += count as u64;
            convert::to_block(&samples, block);
            meter.push(block).map_err(|error| wrong(error.to_string()))?;
        } else {
            found.push(&samples);
        }
    }
    let promised = expected.frames * decoded_for_one(format, fed_rate);
    if found.frames != promised {
        return Err(wrong(format!("it holds {} of {promised} frames", found.frames)));
    }
    if format.is_lossless() && found != *expected {
        return Err(wrong("its samples differ from those written".to_owned()));
    }
    Ok(meter.map(|(meter, _)| meter.finish_as_piece()))
}

/// The settings with the loudness of a Broadcast Wave file, where it was measured.
fn with_broadcast_loudness(
    settings: EncodeSettings,
    measured: Option<&LoudnessReport>,
) -> EncodeSettings {
    let (Some(broadcast), Some(measured)) = (&settings.tags.broadcast, measured) else {
        return settings;
    };
    let loudness = Some(BroadcastLoudness {
        integrated: measured.integrated_lufs,
        range: measured.loudness_range_lu,
        true_peak: measured.true_peak_dbtp,
        momentary_max: measured.momentary_max_lufs,
        short_term_max: measured.short_term_max_lufs,
    });
    let broadcast = Some(Broadcast { loudness, ..broadcast.clone() });
    let tags = Arc::new(Tags { broadcast, ..Tags::clone(&settings.tags) });
    EncodeSettings { tags, ..settings }
}

/// Frames that a file decodes to for one that it was fed.
fn decoded_for_one(format: &FormatDescriptor, fed_rate: SampleRate) -> u64 {
    let decoded = format.lossy.as_ref().and_then(|lossy| lossy.decoded_rate_hz);
    decoded.map_or(1, |rate| u64::from(rate / fed_rate.0.max(1)))
}

/// Size and BLAKE3 of a file.
pub(super) fn hash(path: &Path, access: &dyn FileAccess) -> Result<(u64, String), RunError> {
    let failed = |error: std::io::Error| output_io(&error, path);
    let file = access.open(path).map_err(failed)?;
    let size_bytes = file.metadata().map_err(failed)?.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(failed)?;
    Ok((size_bytes, hasher.finalize().to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::audio::{PcmFormat, StreamSpec};
    use wavemill_core::encode;

    fn writer(folder: &Path) -> Writer {
        Writer {
            format: encode::format("wav").unwrap(),
            settings: EncodeSettings {
                spec: StreamSpec::new(48_000, 1),
                format: PcmFormat::int(16),
                frame_count: None,
                compression_level: None,
                quality: None,
                tags: std::sync::Arc::default(),
            },
            temporary: folder.join("a.part"),
            access: Arc::new(crate::execution::DirectAccess),
            modified: None,
            measures: analysis::Options { groups: Vec::new(), ..analysis::Options::default() },
        }
    }

    fn run(folder: &Path, frames: Option<u64>) -> Result<WrittenFile, RunError> {
        let (sender, receiver) = crossbeam_channel::bounded(4);
        let samples = Samples::Int { bit_depth: 16, planes: vec![vec![1, -2, 3]] };
        let mut fingerprint = Fingerprint::default();
        fingerprint.push(&samples);
        sender.send(WriterInput::Samples(Arc::new(samples))).unwrap();
        if let Some(frames) = frames {
            fingerprint.frames = frames;
            sender.send(WriterInput::End(fingerprint, None)).unwrap();
        }
        drop(sender);
        writer(folder).run(&receiver, &AtomicBool::new(false))
    }

    #[test]
    fn complete_file_is_kept_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let written = run(folder.path(), Some(3)).unwrap();
        let path = folder.path().join("a.part");
        assert_eq!(written.size_bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(written.blake3, blake3::hash(&std::fs::read(&path).unwrap()).to_hex().as_str());
        written.temporary.keep();
        assert!(path.exists());
        std::fs::remove_file(&path).unwrap();
        drop(run(folder.path(), Some(3)).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn file_that_differs_from_its_input_is_removed_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(folder.path(), Some(4)).unwrap_err();
        assert!(error.to_string().contains("3 of 4 frames"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn broken_off_feed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(run(folder.path(), None), Err(RunError::Canceled)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn file_that_is_already_there_is_never_touched() {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join("a.part")).unwrap();
        let error = run(folder.path(), Some(3)).unwrap_err();
        assert!(matches!(error, RunError::Refused { .. }), "{error}");
        assert!(folder.path().join("a.part").exists());
    }
}
