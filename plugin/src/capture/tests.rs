//! Captures into real files, and into ones that stall or fail.

use super::progress::CaptureState;
use super::wav::WriteSeek;
use super::writer::{OnDisk, Open};
use super::{Recorder, Stem, Target, Timing, begin_then, begin_with};
use parking_lot::{Condvar, Mutex};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_core::audio::ChannelLayout;

const RATE_HZ: u32 = 48_000;

fn begin(target: Target) -> io::Result<Recorder> {
    begin_then(target, |_| ()).map(|(recorder, _)| recorder)
}

fn target(folder: &Path, channel_count: usize) -> Target {
    Target {
        folder: folder.to_owned().into(),
        stem: Stem::Given("take".to_owned()),
        layout: ChannelLayout::usual(channel_count),
        sample_rate_hz: RATE_HZ,
    }
}

/// A sample that says where it belongs; exact in 32-bit floats.
fn sample(frame: u32, channel: usize) -> f32 {
    let value = u16::try_from(frame % 8192).unwrap() * 4 + u16::try_from(channel % 4).unwrap();
    f32::from(value) / 32768.0 - 0.5
}

/// Records frames `[start, start + count)` of the test signal as one block.
fn feed(recorder: &mut Recorder, channel_count: usize, start: u32, count: u32, timing: Timing) {
    let mut planes: Vec<Vec<f32>> = (0..channel_count)
        .map(|channel| (start..start + count).map(|frame| sample(frame, channel)).collect())
        .collect();
    let planes: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
    recorder.record(&planes, timing);
}

fn write(path: &Path, text: &str) {
    std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn wait(recorder: &Recorder) -> CaptureState {
    loop {
        let state = recorder.progress().state();
        if state.is_complete {
            return state;
        }
        std::thread::yield_now();
    }
}

fn read(path: &Path) -> (hound::WavSpec, Vec<f32>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    (reader.spec(), reader.samples::<f32>().map(Result::unwrap).collect())
}

fn expected(channel_count: usize, frames: impl Iterator<Item = u32>) -> Vec<f32> {
    frames.flat_map(|frame| (0..channel_count).map(move |c| sample(frame, c))).collect()
}

#[test]
fn every_sample_is_in_the_file_bit_by_bit_whatever_the_blocks() {
    for channel_count in [1, 2, 6, 8] {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = begin(target(folder.path(), channel_count)).unwrap();
        let mut at = 0;
        for count in [0, 1, 64, 7, 512, 333, 4096, 1] {
            feed(&mut recorder, channel_count, at, count, Timing::RealTime);
            at += count;
        }
        recorder.finish();
        let state = wait(&recorder);
        assert_eq!((state.error, state.parts.len()), (None, 1));
        assert_eq!(recorder.progress().lost_frames(), 0);
        assert_eq!(recorder.progress().recorded_frames(), u64::from(at));
        let (spec, samples) = read(&state.parts[0]);
        assert_eq!(usize::from(spec.channels), channel_count);
        assert_eq!(spec.sample_rate, RATE_HZ);
        assert!(samples == expected(channel_count, 0..at));
    }
}

#[test]
fn header_says_where_the_channels_are() {
    for channel_count in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = begin(target(folder.path(), channel_count)).unwrap();
        feed(&mut recorder, channel_count, 0, 10, Timing::RealTime);
        recorder.finish();
        let state = wait(&recorder);
        let file = std::fs::File::open(&state.parts[0]).unwrap();
        let decoder = wavemill_core::decode::open(Box::new(io::BufReader::new(file)), None);
        let layout = decoder.unwrap().info().spec.layout.clone();
        assert_eq!(layout, ChannelLayout::usual(channel_count));
    }
}

/// The body of a chunk. Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0".
fn chunk(path: &Path, id: [u8; 4]) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let mut at = 12;
    loop {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        if bytes[at..at + 4] == id {
            return bytes[at + 8..at + 8 + size].to_vec();
        }
        at += 8 + size + size % 2;
    }
}

/// Records seconds of a tone of 1 kHz at this level in both channels.
fn feed_tone(recorder: &mut Recorder, level_dbfs: f64, seconds: u32) {
    let amplitude = 10.0f64.powf(level_dbfs / 20.0);
    for start in (0..seconds * RATE_HZ).step_by(4800) {
        let sample = |frame: u32| {
            let phase = f64::from(frame % 48) / 48.0 * std::f64::consts::TAU;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (amplitude * phase.sin()) as f32;
            sample
        };
        let mut left: Vec<f32> = (start..start + 4800).map(sample).collect();
        let mut right = left.clone();
        recorder.record(&[&mut left, &mut right], Timing::Offline);
    }
}

/// EBU Tech 3342, case 1: 20 s at -20 LUFS and 20 s at -30 LUFS have a range of 10 LU. Integrated: 10 lg of the mean of
/// both energies, -22.60 LUFS, since the relative gate is at -32.6. Places in the chunk: EBU Tech 3285 v2.
#[test]
fn file_says_how_loud_it_is_and_where_in_the_song_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    recorder.begin_at(Some(5_000_000_000));
    feed_tone(&mut recorder, -20.0, 20);
    feed_tone(&mut recorder, -30.0, 20);
    recorder.finish();
    let part = wait(&recorder).parts[0].clone();
    let bext = chunk(&part, *b"bext");
    assert_eq!(&bext[..4], b"take");
    assert_eq!(&bext[256..264], b"Wavemill");
    assert_eq!(u64::from_le_bytes(bext[338..346].try_into().unwrap()), 5_000_000_000);
    assert_eq!(bext[346], 2, "the version that has loudness");
    let value = |at: usize| f64::from(i16::from_le_bytes([bext[at], bext[at + 1]])) / 100.0;
    let values = [412, 414, 416, 418, 420].map(value);
    let expected = [-22.6, 10.0, -20.0, -20.0, -20.0];
    let tolerances = [0.1, 1.0, 0.2, 0.1, 0.1];
    for ((value, expected), tolerance) in values.iter().zip(expected).zip(tolerances) {
        assert!((value - expected).abs() <= tolerance, "{values:?}");
    }
    let ixml = String::from_utf8(chunk(&part, *b"iXML")).unwrap();
    // 5,000,000,000 is 2^32 and 705,032,704.
    assert!(ixml.contains("<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1<"), "{ixml}");
    assert!(ixml.contains("<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>705032704<"), "{ixml}");
}

/// None is 7FFF hex. Source: EBU Tech 3285 v2, 2.4.
#[test]
fn silence_has_no_loudness_and_an_unknown_place_is_none() {
    for place in [None, Some(-100)] {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = begin(target(folder.path(), 1)).unwrap();
        recorder.begin_at(place);
        recorder.record(&[&mut vec![0.0; 4800]], Timing::RealTime);
        recorder.finish();
        let part = wait(&recorder).parts[0].clone();
        let bext = chunk(&part, *b"bext");
        assert_eq!(bext[338..346], [0; 8]);
        assert_eq!(bext[412..416], [0xff, 0x7f, 0xff, 0x7f]);
        assert!(!std::fs::read(&part).unwrap().windows(4).any(|bytes| bytes == b"iXML"));
    }
}

#[test]
fn nothing_recorded_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    recorder.finish();
    assert_eq!(wait(&recorder), CaptureState { is_complete: true, ..CaptureState::default() });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn recorder_that_is_dropped_ends_its_capture() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    feed(&mut recorder, 2, 0, 100, Timing::RealTime);
    let progress = Arc::clone(recorder.progress());
    drop(recorder);
    while !progress.state().is_complete {
        std::thread::yield_now();
    }
    let (_, samples) = read(&progress.state().parts[0]);
    assert!(samples == expected(2, 0..100));
}

#[test]
fn existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("take.wav"), "precious");
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    feed(&mut recorder, 2, 0, 100, Timing::RealTime);
    recorder.finish();
    let state = wait(&recorder);
    assert_eq!((state.error, recorder.progress().lost_frames()), (None, 0));
    assert_eq!(state.parts, [folder.path().join("take (2).wav")]);
    assert!(read(&state.parts[0]).1 == expected(2, 0..100));
    assert_eq!(std::fs::read(folder.path().join("take.wav")).unwrap(), b"precious");
}

#[test]
fn next_part_begins_before_the_header_overflows() {
    let folder = tempfile::tempdir().unwrap();
    let frame_bytes = 8;
    let adapt =
        |writer: super::writer::Writer<OnDisk>| writer.with_part_bytes_max(1000 * frame_bytes + 3);
    let (mut recorder, _) = begin_with(target(folder.path(), 2), OnDisk, adapt, |_| ()).unwrap();
    for block in 0..25 {
        feed(&mut recorder, 2, block * 100, 100, Timing::RealTime);
    }
    recorder.finish();
    let state = wait(&recorder);
    let names: Vec<_> = state.parts.iter().map(|part| part.file_name().unwrap()).collect();
    assert_eq!(names, ["take.wav", "take part 2.wav", "take part 3.wav"]);
    let samples: Vec<f32> = state.parts.iter().flat_map(|part| read(part).1).collect();
    assert_eq!(read(&state.parts[0]).1.len(), 2000);
    assert!(samples == expected(2, 0..2500));
}

/// A disk that stalls until it is let go.
#[derive(Clone, Default)]
struct Stall(Arc<(Mutex<bool>, Condvar, AtomicBool)>);

impl Stall {
    fn hold(&self) {
        *self.0.0.lock() = true;
    }

    fn release(&self) {
        *self.0.0.lock() = false;
        self.0.1.notify_all();
    }

    /// Waits while the disk stalls.
    fn pass(&self) {
        let mut is_held = self.0.0.lock();
        while *is_held {
            self.0.2.store(true, Ordering::Release);
            self.0.1.wait(&mut is_held);
        }
    }

    /// Until the writer stands still.
    fn wait_for_writer(&self) {
        while !self.0.2.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

struct StallingFile(Stall, Box<dyn WriteSeek>);

impl Write for StallingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.pass();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.pass();
        self.1.flush()
    }
}

impl Seek for StallingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.1.seek(to)
    }
}

impl Open for Stall {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn WriteSeek>> {
        self.pass();
        Ok(Box::new(StallingFile(self.clone(), OnDisk.create(path)?)))
    }
}

#[test]
fn stall_of_ten_seconds_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stall = Stall::default();
    let (mut recorder, _) =
        begin_with(target(folder.path(), 2), stall.clone(), |w| w, |_| ()).unwrap();
    stall.hold();
    feed(&mut recorder, 2, 0, 64, Timing::RealTime);
    stall.wait_for_writer();
    let frames = 10 * RATE_HZ;
    for start in (64..frames).step_by(64) {
        feed(&mut recorder, 2, start, 64, Timing::RealTime);
    }
    stall.release();
    recorder.finish();
    let state = wait(&recorder);
    assert_eq!((state.error, recorder.progress().lost_frames()), (None, 0));
    assert!(read(&state.parts[0]).1 == expected(2, 0..frames));
}

#[test]
fn longer_stall_is_counted_and_its_place_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let stall = Stall::default();
    let (mut recorder, _) =
        begin_with(target(folder.path(), 1), stall.clone(), |w| w, |_| ()).unwrap();
    stall.hold();
    feed(&mut recorder, 1, 0, 1000, Timing::RealTime);
    stall.wait_for_writer();
    let block = 1000;
    let frames = 15 * RATE_HZ;
    for start in (block..frames).step_by(1000) {
        feed(&mut recorder, 1, start, block, Timing::RealTime);
    }
    let lost = recorder.progress().lost_frames();
    stall.release();
    while recorder.progress().state().parts.is_empty() {
        std::thread::yield_now();
    }
    // There is room again some time after the stall; until then blocks are lost too.
    let mut at = frames;
    loop {
        let before = recorder.progress().lost_frames();
        feed(&mut recorder, 1, at, block, Timing::RealTime);
        at += block;
        if recorder.progress().lost_frames() == before {
            break;
        }
        std::thread::yield_now();
    }
    recorder.finish();
    let state = wait(&recorder);
    assert_eq!(state.error, None);
    assert!(lost > 0 && lost <= u64::from(5 * RATE_HZ), "{lost}");
    let lost = recorder.progress().lost_frames();
    let samples = read(&state.parts[0]).1;
    assert_eq!(samples.len(), usize::try_from(at).unwrap());
    let expected = expected(1, 0..at);
    let first = samples.iter().zip(&expected).position(|(a, b)| a.to_bits() != b.to_bits());
    let first = first.unwrap();
    let end = first + usize::try_from(lost).unwrap();
    assert!(samples[first..end].iter().all(|sample| sample.to_bits() == 0));
    assert!(samples[end..] == expected[end..], "what follows the gap is in its place");
}

#[test]
fn offline_render_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    // Much more than the ring holds, as fast as it goes.
    let frames = 40 * RATE_HZ;
    for start in (0..frames).step_by(4096) {
        let count = 4096.min(frames - start);
        feed(&mut recorder, 2, start, count, Timing::Offline);
    }
    recorder.finish();
    let state = wait(&recorder);
    assert_eq!((state.error, recorder.progress().lost_frames()), (None, 0));
    assert!(read(&state.parts[0]).1 == expected(2, 0..frames));
}

/// A disk that never answers must not stop a render, or a DAW that calls real time one, for ever.
#[test]
fn offline_render_does_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let stall = Stall::default();
    let (mut recorder, _) =
        begin_with(target(folder.path(), 1), stall.clone(), |w| w, |_| ()).unwrap();
    recorder.stall_time = std::time::Duration::ZERO;
    stall.hold();
    feed(&mut recorder, 1, 0, 1000, Timing::Offline);
    stall.wait_for_writer();
    let frames = 20 * RATE_HZ;
    for start in (1000..frames).step_by(1000) {
        feed(&mut recorder, 1, start, 1000, Timing::Offline);
    }
    let lost = recorder.progress().lost_frames();
    assert!(lost >= u64::from(7 * RATE_HZ), "{lost}");
    stall.release();
    while recorder.progress().lost_frames() > 0 && recorder.has_stalled() {
        feed(&mut recorder, 1, 0, 1, Timing::Offline);
        std::thread::yield_now();
    }
    recorder.finish();
    let state = wait(&recorder);
    let written = read(&state.parts[0]).1.len();
    assert_eq!(written as u64, recorder.progress().recorded_frames());
}

/// A disk that is full after so many bytes.
struct Full(usize);

struct FullFile(usize, Box<dyn WriteSeek>);

impl Write for FullFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        self.1.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

impl Seek for FullFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.1.seek(to)
    }
}

impl Open for Full {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn WriteSeek>> {
        Ok(Box::new(FullFile(self.0, OnDisk.create(path)?)))
    }
}

#[test]
fn folder_that_cannot_be_made_is_reported_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    write(&file, "");
    let mut recorder = begin(target(&file.join("folder"), 2)).unwrap();
    feed(&mut recorder, 2, 0, 100, Timing::RealTime);
    recorder.finish();
    let error = wait(&recorder).error.unwrap();
    assert!(error.contains("file/folder ended early: "), "{error}");
    assert_eq!(recorder.progress().lost_frames(), 100);
}

#[test]
fn header_is_up_to_date_while_the_capture_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(target(folder.path(), 2)).unwrap();
    let mut at = 0;
    let begin = std::time::Instant::now();
    // As after a crash: what the file says of itself without having been closed.
    while begin.elapsed() < std::time::Duration::from_secs(10) {
        // As fast as the disk takes it.
        feed(&mut recorder, 2, at, 64, Timing::Offline);
        at += 64;
        std::thread::yield_now();
        let state = recorder.progress().state();
        let Some(path) = state.parts.first() else { continue };
        if hound::WavReader::open(path).unwrap().duration() > 0 {
            let (_, samples) = read(path);
            assert!(samples[..] == expected(2, 0..at)[..samples.len()]);
            recorder.finish();
            return;
        }
    }
    panic!("no header within ten times its interval");
}

#[test]
fn full_disk_is_reported_and_the_rest_is_counted_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, _) =
        begin_with(target(folder.path(), 1), Full(30_000), |w| w, |_| ()).unwrap();
    for block in 0..200 {
        feed(&mut recorder, 1, block * 100, 100, Timing::RealTime);
    }
    recorder.finish();
    let state = wait(&recorder);
    let error = state.error.unwrap();
    assert!(error.ends_with("ended early: no storage space"), "{error}");
    assert!(recorder.progress().lost_frames() > 0);
}
