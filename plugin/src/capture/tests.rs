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
