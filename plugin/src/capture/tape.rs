//! Captures as the audio thread runs them: when one begins and ends, and who makes and drops it.

use super::{Progress, Recorder, Target, Timing, WriterThread, begin_then};
use crossbeam_queue::ArrayQueue;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Captures of one instance that may begin within [`LIMIT_TIME`]: a transport that starts and stops all the time, as
/// one under test may, must not fill a disk with files.
const LIMIT: usize = 30;
const LIMIT_TIME: Duration = Duration::from_mins(1);

/// Recorders on their way between the threads; more than one at a time is rare.
const ON_THEIR_WAY_MAX: usize = 4;

/// Both sides of the exchange, and what the editor shows.
#[derive(Debug)]
pub(crate) struct Captures {
    fresh: ArrayQueue<Recorder>,
    worn: ArrayQueue<Recorder>,
    /// Every capture of this instance, the latest one last. Never locked by the audio thread.
    all: Mutex<Vec<Arc<Progress>>>,
    /// Those that were prepared lately.
    recent: Mutex<Vec<(Instant, Arc<Progress>)>>,
    error: Mutex<Option<String>>,
    /// The threads of captures that may not be written yet; `None` when no other may begin.
    writing: Mutex<Option<Vec<WriterThread>>>,
    unheld: LostCaptures,
}

/// Captures that were over before their recorder was ready: of them there is no file.
#[derive(Debug, Default)]
struct LostCaptures {
    captures: AtomicU64,
    frames: AtomicU64,
    /// The latest capture is one of them.
    is_latest: AtomicBool,
}

/// How long the end of an instance waits for its captures: a disk that does not answer must not stop a DAW
/// for ever. What waits in the ring is written meanwhile, some megabytes at most.
const WAIT_MAX: Duration = Duration::from_secs(5);

impl Default for Captures {
    fn default() -> Self {
        Self {
            fresh: ArrayQueue::new(1),
            worn: ArrayQueue::new(ON_THEIR_WAY_MAX),
            all: Mutex::default(),
            recent: Mutex::default(),
            error: Mutex::default(),
            writing: Mutex::new(Some(Vec::new())),
            unheld: LostCaptures::default(),
        }
    }
}

impl Captures {
    /// Makes a recorder for the audio thread to take, and drops those it is done with. Not for the
    /// audio thread. `after` is called when its capture is complete.
    pub(crate) fn prepare(&self, target: Target, after: impl FnOnce(&Progress) + Send + 'static) {
        self.tidy();
        let mut writing = self.writing.lock();
        let Some(writing) = writing.as_mut().filter(|_| !self.fresh.is_full()) else { return };
        if self.are_too_many() {
            let words = format!("{LIMIT} captures within a minute: no more until it has passed");
            *self.error.lock() = Some(words);
            return;
        }
        match begin_then(target, after) {
            Ok((recorder, thread)) => {
                writing.retain(|writing| !writing.is_over());
                writing.push(thread);
                self.all.lock().push(Arc::clone(recorder.progress()));
                self.recent.lock().push((Instant::now(), Arc::clone(recorder.progress())));
                *self.error.lock() = None;
                drop(self.fresh.push(recorder));
            }
            Err(error) => *self.error.lock() = Some(format!("cannot start a capture: {error}")),
        }
    }

    /// Whether so many captures began lately that another one has to wait.
    fn are_too_many(&self) -> bool {
        let mut recent = self.recent.lock();
        recent.retain(|(at, progress)| at.elapsed() < LIMIT_TIME && !progress.is_unused());
        recent.len() >= LIMIT
    }

    /// Forgets a recorder that was prepared and not taken: it is for another stream, or for none. Not for the
    /// audio thread.
    pub(crate) fn discard(&self) {
        drop(self.fresh.pop());
    }

    /// Drops recorders that the audio thread is done with. Not for the audio thread.
    pub(crate) fn tidy(&self) {
        while let Some(recorder) = self.worn.pop() {
            drop(recorder);
        }
    }

    /// Ends every capture and waits until it is written: the instance goes, and its code may be unloaded. Not
    /// for the audio thread, which must have finished its own.
    pub(crate) fn end(&self) {
        let writing = self.writing.lock().take();
        self.tidy();
        self.discard();
        let until = Instant::now() + WAIT_MAX;
        for thread in writing.into_iter().flatten() {
            thread.wait(until);
        }
    }

    /// Captures that have samples, the latest one last.
    pub(crate) fn all(&self) -> Vec<Arc<Progress>> {
        let mut all = self.all.lock();
        all.retain(|progress| !progress.is_unused());
        all.iter().filter(|progress| progress.recorded_frames() > 0).cloned().collect()
    }

    /// Captures that were over before their recorder was ready, and the frames of all of them together. They are
    /// in no file.
    pub(crate) fn unheld(&self) -> (u64, u64) {
        let LostCaptures { captures, frames, .. } = &self.unheld;
        (captures.load(Ordering::Relaxed), frames.load(Ordering::Relaxed))
    }

    /// Whether the latest capture was one of those.
    pub(crate) fn is_latest_unheld(&self) -> bool {
        self.unheld.is_latest.load(Ordering::Relaxed)
    }

    /// Counts one of them. Real-time.
    fn count_unheld(&self, frames: u64) {
        let LostCaptures { captures, frames: all, is_latest } = &self.unheld;
        captures.fetch_add(1, Ordering::Relaxed);
        all.fetch_add(frames, Ordering::Relaxed);
        is_latest.store(true, Ordering::Relaxed);
    }

    /// A capture has a recorder. Real-time.
    fn begin(&self) {
        self.unheld.is_latest.store(false, Ordering::Relaxed);
    }

    /// Whether no capture can begin. Does not allocate.
    pub(crate) fn has_error(&self) -> bool {
        self.error.lock().is_some()
    }

    /// One line: why no capture can begin.
    pub(crate) fn error(&self) -> Option<String> {
        self.error.lock().clone()
    }
}

/// What is to be done outside of the audio thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    /// Call [`Captures::prepare`].
    Recorder,
    /// Call [`Captures::tidy`].
    Tidying,
}

/// What was wanted of a block.
#[derive(Clone, Copy, Debug, Default)]
struct BlockRequest {
    is_armed: bool,
    is_running: bool,
}

/// The audio thread's side. Real-time, unless an offline render waits for the disk.
#[derive(Debug)]
pub(crate) struct Tape {
    captures: Arc<Captures>,
    recorder: Option<Recorder>,
    /// A finished one that found no room on its way.
    leaving: Option<Recorder>,
    is_requested: bool,
    is_recording: bool,
    before: BlockRequest,
    /// Frames of the capture that runs, before its recorder was there.
    missed: u64,
    /// Where in the song the next block begins, in frames, and where the capture that runs began.
    place: Option<i64>,
    start: Option<i64>,
}

impl Tape {
    pub(crate) fn new(captures: Arc<Captures>) -> Self {
        Self {
            captures,
            recorder: None,
            leaving: None,
            is_requested: false,
            is_recording: false,
            before: BlockRequest::default(),
            missed: 0,
            place: None,
            start: None,
        }
    }

    /// Says where in the song the next block begins, in frames. Real-time.
    pub(crate) fn locate(&mut self, place: Option<i64>) {
        self.place = place;
    }

    /// Whether the next block finds a recorder. Real-time.
    pub(crate) fn is_ready(&self) -> bool {
        self.recorder.is_some() || !self.captures.fresh.is_empty()
    }

    /// One block; `is_armed`: captures are wanted, `is_running`: now.
    pub(crate) fn run(
        &mut self,
        planes: &[&mut [f32]],
        is_armed: bool,
        is_running: bool,
        timing: Timing,
    ) -> Need {
        if let Some(recorder) = self.leaving.take() {
            self.leaving = self.captures.worn.push(recorder).err();
        }
        // One that was made a moment before captures are armed waits for that.
        let before = std::mem::replace(&mut self.before, BlockRequest { is_armed, is_running });
        // One that was refused is asked for again when the next capture begins.
        self.is_requested &= before.is_running || !is_running;
        if self.recorder.is_none() && (is_armed || before.is_armed) {
            self.recorder = self.captures.fresh.pop();
            self.is_requested &= self.recorder.is_none();
        }
        if is_armed && is_running {
            if !self.is_recording && self.missed == 0 {
                self.start = self.place;
            }
            if let Some(recorder) = &mut self.recorder {
                if !self.is_recording {
                    recorder.begin_at(self.start);
                }
                recorder.miss(std::mem::take(&mut self.missed));
                recorder.record(planes, timing);
                if !std::mem::replace(&mut self.is_recording, true) {
                    self.captures.begin();
                }
                return Need::Nothing;
            }
            self.missed += planes.first().map_or(0, |plane| plane.len()) as u64;
        } else {
            self.give_missed_up();
            self.is_requested &= is_armed;
        }
        if self.recorder.is_some() && (self.is_recording || !is_armed) && self.leaving.is_none() {
            self.finish();
            return Need::Tidying;
        }
        if is_armed && self.recorder.is_none() && !self.is_requested {
            self.is_requested = true;
            return Need::Recorder;
        }
        Need::Nothing
    }

    /// Ends everything; waits until it is written.
    pub(crate) fn end(&mut self) {
        self.finish();
        drop(self.leaving.take());
        self.captures.end();
    }

    /// The capture is over: what it missed without a recorder is counted where there is no file to hold its place.
    fn give_missed_up(&mut self) {
        let missed = std::mem::take(&mut self.missed);
        if missed > 0 {
            self.captures.count_unheld(missed);
        }
    }

    /// Ends the capture that runs, if one does.
    pub(crate) fn finish(&mut self) {
        self.give_missed_up();
        (self.is_recording, self.is_requested) = (false, false);
        if let Some(mut recorder) = self.recorder.take() {
            recorder.finish();
            self.leaving = self.captures.worn.push(recorder).err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Folder, Stem};
    use std::path::Path;
    use wavemill_core::audio::ChannelLayout;

    struct Bench {
        folder: tempfile::TempDir,
        captures: Arc<Captures>,
        tape: Tape,
    }

    impl Bench {
        fn new() -> Self {
            let captures = Arc::new(Captures::default());
            let tape = Tape::new(Arc::clone(&captures));
            Self { folder: tempfile::tempdir().unwrap(), captures, tape }
        }

        fn prepare(&self) {
            let target = Target {
                folder: self.folder.path().to_owned().into(),
                stem: Stem::Given("take".into()),
                layout: ChannelLayout::usual(1),
                sample_rate_hz: 48_000,
            };
            self.captures.prepare(target, |_| ());
        }

        fn run(&mut self, is_armed: bool, is_running: bool) -> Need {
            let need = self.tape.run(&[&mut [0.25; 64]], is_armed, is_running, Timing::RealTime);
            match need {
                Need::Nothing => {}
                Need::Recorder => self.prepare(),
                Need::Tidying => self.captures.tidy(),
            }
            need
        }

        fn wait(&self) -> usize {
            while !self.captures.all().iter().all(|progress| progress.state().is_complete) {
                std::thread::yield_now();
            }
            files(self.folder.path())
        }
    }

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn nothing_happens_unless_armed() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(false, true), Need::Nothing);
        assert_eq!(bench.captures.all().len(), 0);
    }

    #[test]
    fn armed_tape_waits_and_then_records_from_the_first_block() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(true, false), Need::Recorder);
        assert_eq!(bench.run(true, false), Need::Nothing);
        for _ in 0..3 {
            assert_eq!(bench.run(true, true), Need::Nothing);
        }
        assert_eq!(bench.run(true, false), Need::Tidying);
        assert_eq!(bench.wait(), 1);
        assert_eq!(bench.captures.all()[0].recorded_frames(), 192);
        // Another one for the next start.
        assert_eq!(bench.run(true, false), Need::Recorder);
        bench.run(true, true);
        bench.run(false, true);
        assert_eq!(bench.wait(), 2);
    }

    #[test]
    fn disarmed_tape_leaves_no_file_where_nothing_was_recorded() {
        let mut bench = Bench::new();
        bench.run(true, false);
        bench.run(true, false);
        assert_eq!(bench.run(false, false), Need::Tidying);
        assert_eq!(bench.wait(), 0);
        assert_eq!(bench.captures.all().len(), 0);
    }

    #[test]
    fn block_before_the_recorder_is_counted_and_keeps_its_place() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(true, true), Need::Recorder);
        bench.run(true, true);
        bench.run(true, false);
        assert_eq!(bench.wait(), 1);
        let all = bench.captures.all();
        assert_eq!((all[0].recorded_frames(), all[0].lost_frames()), (128, 64));
        let samples = hound::WavReader::open(&all[0].state().parts[0]).unwrap().into_samples();
        let samples: Vec<f32> = samples.map(Result::unwrap).collect();
        assert_eq!(samples, [[0.0; 64], [0.25; 64]].concat());
        // The next one misses nothing.
        bench.run(true, false);
        bench.run(true, true);
        bench.run(true, false);
        bench.wait();
        assert_eq!(bench.captures.all()[1].lost_frames(), 0);
    }

    #[test]
    fn capture_begins_where_its_first_block_was_missed() {
        let mut bench = Bench::new();
        bench.tape.locate(Some(1_000));
        assert_eq!(bench.run(true, true), Need::Recorder);
        for place in [1_064, 1_128] {
            bench.tape.locate(Some(place));
            bench.run(true, true);
        }
        bench.run(true, false);
        bench.wait();
        // The next one begins elsewhere.
        bench.run(true, false);
        bench.tape.locate(Some(9_000));
        bench.run(true, true);
        bench.run(true, false);
        bench.wait();
        let starts: Vec<_> = bench.captures.all().iter().map(|capture| capture.start()).collect();
        assert_eq!(starts, [Some(1_000), Some(9_000)]);
    }

    #[test]
    fn capture_that_ends_before_its_recorder_is_there_is_counted() {
        let mut bench = Bench::new();
        for (index, ends) in [[true, false], [false, true], [false, false]].into_iter().enumerate()
        {
            let block = |tape: &mut Tape, is_armed, is_running| {
                tape.run(&[&mut [0.25; 64]], is_armed, is_running, Timing::RealTime)
            };
            assert_eq!(block(&mut bench.tape, true, true), Need::Recorder);
            assert_eq!(block(&mut bench.tape, true, true), Need::Nothing);
            assert!(!bench.captures.is_latest_unheld() || index > 0, "it may still get one");
            // Nobody made one: the transport stops, captures are turned off, the stream ends.
            if ends == [false; 2] {
                bench.tape.finish();
            } else {
                block(&mut bench.tape, ends[0], ends[1]);
            }
            let count = index as u64 + 1;
            assert_eq!(bench.captures.unheld(), (count, 128 * count));
            assert!(bench.captures.is_latest_unheld());
            // Counted once.
            block(&mut bench.tape, false, false);
            assert_eq!(bench.captures.unheld(), (count, 128 * count));
        }
        assert_eq!((bench.captures.all().len(), files(bench.folder.path())), (0, 0));
        bench.run(true, false);
        bench.run(true, true);
        assert!(!bench.captures.is_latest_unheld(), "the next one has a file");
        assert_eq!(bench.captures.unheld(), (3, 384));
    }

    /// As a transport may that a fuzzer plays.
    #[test]
    fn captures_without_end_make_no_files_without_end() {
        let mut bench = Bench::new();
        for _ in 0..3 * LIMIT {
            bench.run(true, false);
            bench.run(true, true);
            bench.run(true, false);
        }
        assert_eq!(bench.wait(), LIMIT);
        assert!(bench.captures.has_error());
        let missed = 2 * LIMIT as u64;
        assert_eq!(
            bench.captures.unheld(),
            (missed, 64 * missed),
            "and what is not held is counted"
        );
        // The minute is over.
        bench.captures.recent.lock().clear();
        bench.run(true, true);
        bench.run(true, true);
        bench.run(true, false);
        assert_eq!((bench.wait(), bench.captures.error()), (LIMIT + 1, None));
    }

    #[test]
    fn recorder_made_before_arming_takes_the_first_block() {
        let mut bench = Bench::new();
        bench.run(false, true);
        bench.prepare();
        bench.run(false, true);
        assert_eq!(bench.run(true, true), Need::Nothing);
        assert_eq!(bench.run(false, true), Need::Tidying);
        assert_eq!(bench.wait(), 1);
        let all = bench.captures.all();
        assert_eq!((all[0].recorded_frames(), all[0].lost_frames()), (64, 0));
    }

    #[test]
    fn discarded_recorder_makes_room_for_one_of_another_stream() {
        let bench = Bench::new();
        bench.prepare();
        bench.captures.discard();
        assert!(!bench.tape.is_ready());
        bench.prepare();
        assert!(bench.tape.is_ready());
    }

    #[test]
    fn folder_chosen_before_the_first_block_counts() {
        let mut bench = Bench::new();
        let chosen = Arc::new(Mutex::new(bench.folder.path().join("early")));
        let choice = Arc::clone(&chosen);
        let target = Target {
            folder: Folder::chosen(move || choice.lock().clone()),
            stem: Stem::Given("take".into()),
            layout: ChannelLayout::usual(1),
            sample_rate_hz: 48_000,
        };
        bench.captures.prepare(target, |_| ());
        bench.run(true, false);
        *chosen.lock() = bench.folder.path().join("late");
        bench.run(true, true);
        bench.run(true, false);
        bench.wait();
        let part = bench.captures.all()[0].state().parts[0].clone();
        assert_eq!(part.parent(), Some(&*bench.folder.path().join("late")));
    }

    #[test]
    fn tape_that_ends_leaves_complete_files_and_no_thread() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(true, false), Need::Recorder);
        for _ in 0..3 {
            bench.run(true, true);
        }
        bench.tape.end();
        let all = bench.captures.all();
        assert!(all[0].state().is_complete);
        let path = &all[0].state().parts[0];
        let frames = hound::WavReader::open(path).unwrap().duration();
        assert_eq!(u64::from(frames), all[0].recorded_frames());
        assert!(bench.captures.writing.lock().is_none(), "and none begins");
    }

    #[test]
    fn end_waits_for_a_prepared_capture_too() {
        let mut bench = Bench::new();
        bench.run(true, false);
        let begin = Instant::now();
        bench.tape.end();
        assert!(begin.elapsed() < WAIT_MAX, "nothing ends it");
        assert_eq!(bench.captures.all().len(), 0);
    }
}
