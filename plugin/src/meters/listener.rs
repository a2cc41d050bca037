//! The worker's part: tempo, key and balance of what comes through the tap.

#[cfg(test)]
#[path = "../../../core/tests/tonality/synthesis.rs"]
mod synthesis;

use super::engine::Shared;
use super::music::Music;
use super::tap::{FRAMES, Tap};
use std::time::Duration;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::music::LiveMeter;
use wavemill_core::units::{SampleRate, Seconds};

/// What is heard at a time: long enough for eight bars of four chords and for the tempo to stand out, short enough to
/// follow a set from track to track.
const KEPT: Seconds = Seconds(120.0);

/// Time of the signal from one reading to the next, and to the first: eight seconds have four bars at 120 BPM.
const EVERY: Seconds = Seconds(8.0);

/// The ring is looked at so often before it is full.
const LOOKS: u32 = 3;

/// Frames that are measured at once.
const BLOCK_FRAMES: usize = 1024;

/// Finds out what the music is like while the window is open; nothing of it is there while it is closed. Not real-time.
#[derive(Debug, Default)]
pub(crate) struct Listener(Option<Run>);

/// Frames that belong together, as far as they were heard.
#[derive(Debug)]
struct Run {
    rate: SampleRate,
    /// The tap's start that it is of.
    start: u64,
    /// The next frame.
    position: u64,
    meter: LiveMeter,
    block: Block,
}

impl Listener {
    /// Hears what is new; says after what time to call again. `None` while the window is closed, or there is no stream.
    pub(crate) fn listen(&mut self, shared: &Shared, rate: Option<SampleRate>) -> Option<Duration> {
        let rate = rate.filter(|_| shared.tap.is_open());
        let Some(rate) = rate else {
            self.0 = None;
            return None;
        };
        let start = shared.tap.start();
        let is_same = |run: &Run| run.rate == rate && run.start == start;
        let run = self.0.take().filter(is_same).unwrap_or_else(|| Run::new(rate, start, start));
        self.0 = Some(run.listen(shared));
        Some(Duration::from_secs(FRAMES as u64) / rate.0.max(1) / LOOKS)
    }
}

#[cfg(test)]
impl Listener {
    /// Whether it has heard all frames up to here.
    pub(crate) fn has_heard(&self, position: u64) -> bool {
        self.0.as_ref().is_some_and(|run| run.position == position)
    }
}

impl Run {
    fn new(rate: SampleRate, start: u64, position: u64) -> Self {
        // A mono stream is in both channels, whose mean is the stream.
        let spec = StreamSpec::new(rate.0, 2);
        let meter = LiveMeter::new(&spec, KEPT);
        Self { rate, start, position, meter, block: Block::new(2, BLOCK_FRAMES) }
    }

    /// Measures what is new, and says what it found where a reading is due: at the same frames, however the samples
    /// come.
    fn listen(mut self, shared: &Shared) -> Self {
        let end = shared.tap.position();
        while self.position < end {
            let count = (end - self.position).min(self.frames_until_due());
            let count =
                usize::try_from(count).map_or(BLOCK_FRAMES, |count| count.min(BLOCK_FRAMES));
            if !self.take(&shared.tap, count) {
                // Frames were lost: the worker was held up, or a render is faster than it. Beats on both sides of a
                // gap do not fit together.
                shared.music.set(self.start, None);
                return Self::new(self.rate, self.start, end);
            }
            if self.frames_until_due() == self.every() {
                shared.music.set(self.start, Some(Music::of(self.meter.report())));
            }
        }
        self
    }

    fn take(&mut self, tap: &Tap, count: usize) -> bool {
        self.block.set_frame_count(count);
        let is_read = {
            let mut planes = self.block.planes_mut();
            let both = planes.next().zip(planes.next());
            both.is_some_and(|(left, right)| tap.read(self.position, left, right))
        };
        if is_read {
            self.meter.push(&self.block);
            self.position += count as u64;
        }
        is_read
    }

    fn every(&self) -> u64 {
        EVERY.to_frames(self.rate).0.max(1)
    }

    fn frames_until_due(&self) -> u64 {
        self.every() - self.meter.frame_count().0 % self.every()
    }
}

#[cfg(test)]
mod tests {
    use super::synthesis::{DOMINANT, HALL, Hall, MAJOR, MINOR, add_drums};
    use super::*;
    use crate::meters::Meters;
    use std::sync::Arc;
    use wavemill_core::analysis::{MeasureGroup, Options, analyze};
    use wavemill_core::audio::PcmFormat;
    use wavemill_core::loudness::MonoMode;
    use wavemill_core::music::LiveReport;
    use wavemill_core::units::Decibels;

    /// A divisor of few lengths, to be soon done; and higher than what tempo and key look at.
    const RATE_HZ: u32 = 32_000;

    const EVERY_FRAMES: usize = 8 * RATE_HZ as usize;

    /// 34 s at 120 BPM: a bar each of I, vi, IV and V with drums, and the tonic at the end.
    fn song(bpm: f64, tonic: i32) -> Vec<f32> {
        let bars = [(tonic, MAJOR), (tonic + 9, MINOR), (tonic + 5, MAJOR), (tonic + 7, DOMINANT)];
        let mut bars = bars.repeat(4);
        bars.push((tonic, MAJOR));
        let mut samples = Hall { rate_hz: RATE_HZ, ..HALL }.play(&bars, 240.0 / bpm);
        add_drums(&mut samples, bpm, RATE_HZ);
        samples
    }

    /// An instance with its window open, and the worker.
    struct Bench {
        shared: Arc<Shared>,
        meters: Meters,
        listener: Listener,
    }

    impl Bench {
        fn new(channel_count: usize) -> Self {
            let (shared, spec) =
                (Arc::<Shared>::default(), StreamSpec::new(RATE_HZ, channel_count));
            shared.tap.open(true);
            let meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
            Self { shared, meters, listener: Listener::default() }
        }

        fn listen(&mut self) -> Option<Duration> {
            self.listener.listen(&self.shared, Some(SampleRate(RATE_HZ)))
        }

        /// Plays these channels; the worker is there at least `looks` times while the ring fills.
        fn play(&mut self, planes: &[Vec<f32>], block_frames: usize, looks: usize) {
            let mut heard = 0;
            for start in (0..planes[0].len()).step_by(block_frames) {
                let end = (start + block_frames).min(planes[0].len());
                let mut block: Vec<_> =
                    planes.iter().map(|plane| plane[start..end].to_vec()).collect();
                let block: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
                self.meters.push(&block);
                if end - heard >= FRAMES / looks - block_frames {
                    assert!(self.listen().is_some());
                    heard = end;
                }
            }
            assert!(self.listen().is_some());
        }

        fn music(&self) -> Option<Music> {
            self.shared.music().as_deref().cloned()
        }
    }

    /// What the library says of samples.
    fn analyzed(planes: &[&[f32]]) -> Music {
        let groups = vec![MeasureGroup::Rhythm, MeasureGroup::Tonality, MeasureGroup::Bands];
        let options = Options { groups, ..Options::default() };
        let spec = StreamSpec::new(RATE_HZ, planes.len());
        let report = analyze(planes, &spec, PcmFormat::FLOAT, &options).unwrap();
        let shares = report.bands.unwrap().into_iter().map(|band| band.energy_share.unwrap());
        let levels: Vec<_> = shares.map(Decibels::from_power).collect();
        Music::of(LiveReport {
            rhythm: report.rhythm.unwrap(),
            tonality: report.tonality.unwrap(),
            bands: levels.try_into().unwrap(),
        })
    }

    fn assert_same(found: &Music, expected: &Music) {
        assert_eq!((found.tempo, &found.key), (expected.tempo, &expected.key));
        assert_eq!(found.profile.map(|it| &it.id), expected.profile.map(|it| &it.id));
        for (found, expected) in found.balance.iter().zip(expected.balance) {
            assert!(
                (found.unwrap().0 - expected.unwrap().0).abs() < 1e-9,
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn reading_is_that_of_the_library_for_the_same_samples_in_any_blocks() {
        let left = song(120.0, 9);
        let right: Vec<f32> = left.iter().map(|sample| 0.7 * sample).collect();
        let heard = left.len() / EVERY_FRAMES * EVERY_FRAMES;
        let expected = analyzed(&[&left[..heard], &right[..heard]]);
        let tempo = expected.tempo.unwrap();
        assert!((tempo.bpm - 120.0).abs() < 0.1 && tempo.confidence > 0.5, "{tempo:?}");
        assert_eq!(expected.key.as_ref().unwrap().name, "A");
        let planes = [left, right];
        let mut first = None;
        for (block_frames, looks) in [(64, 3), (480, 7), (4096, 2)] {
            let mut bench = Bench::new(2);
            bench.play(&planes, block_frames, looks);
            let found = bench.music().unwrap();
            assert_same(&found, &expected);
            assert_eq!(*first.get_or_insert_with(|| found.clone()), found, "{block_frames}");
        }
        let mut bench = Bench::new(1);
        bench.play(&planes[..1], 480, 3);
        assert_same(&bench.music().unwrap(), &analyzed(&[&planes[0][..heard]]));
    }

    #[test]
    fn nothing_is_there_while_the_window_is_closed_or_no_stream_is() {
        let mut bench = Bench::new(2);
        bench.shared.tap.open(false);
        assert_eq!(bench.listen(), None);
        let planes = vec![song(120.0, 9)[..=EVERY_FRAMES].to_vec(); 2];
        for start in (0..planes[0].len()).step_by(4096) {
            let end = (start + 4096).min(planes[0].len());
            let mut block: Vec<_> = planes.iter().map(|plane| plane[start..end].to_vec()).collect();
            let block: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
            bench.meters.push(&block);
            assert_eq!(bench.listen(), None);
        }
        assert!(bench.music().is_none() && bench.listener.0.is_none());
        assert_eq!(bench.shared.tap.position(), 0);
        bench.shared.tap.open(true);
        assert_eq!(bench.listener.listen(&bench.shared, None), None);
        bench.play(&planes, 4096, 3);
        assert!(bench.music().is_some() && bench.listener.0.is_some());
        bench.shared.tap.open(false);
        assert_eq!(bench.listen(), None);
        assert!(bench.listener.0.is_none());
        // What follows an opening does not continue what was before.
        bench.shared.tap.open(true);
        assert!(bench.music().is_none());
    }

    #[test]
    fn reset_clears_and_begins_anew_at_its_frame() {
        let mut bench = Bench::new(2);
        let (before, after) = (song(97.0, 0), song(133.0, 3));
        bench.play(&vec![before; 2], 480, 3);
        assert_eq!(bench.music().unwrap().key.unwrap().name, "C");
        bench.meters.reset();
        assert!(bench.music().is_none(), "at once");
        assert!(bench.listen().is_some());
        assert!(bench.music().is_none());
        bench.play(&vec![after.clone(); 2], 480, 3);
        let heard = after.len() / EVERY_FRAMES * EVERY_FRAMES;
        assert_same(&bench.music().unwrap(), &analyzed(&[&after[..heard]]));
    }

    #[test]
    fn frames_that_were_lost_begin_the_reading_anew() {
        let mut bench = Bench::new(2);
        let planes = vec![song(120.0, 9)[..EVERY_FRAMES + 2 * BLOCK_FRAMES].to_vec(); 2];
        bench.play(&planes, 4096, 3);
        assert!(bench.music().is_some());
        // The worker is held up for longer than the ring.
        for _ in 0..=FRAMES / 4096 {
            bench.meters.push(&[&mut [0.1; 4096], &mut [0.1; 4096]]);
        }
        bench.meters.measure_waiting();
        assert!(bench.listen().is_some());
        assert!(bench.music().is_none());
        bench.play(&planes, 4096, 3);
        assert_same(&bench.music().unwrap(), &analyzed(&[&planes[0][..EVERY_FRAMES]]));
    }

    #[test]
    fn worker_comes_back_before_the_ring_is_full() {
        let mut bench = Bench::new(2);
        for rate_hz in [44_100, 48_000, 192_000, 384_000] {
            let pause = bench.listener.listen(&bench.shared, Some(SampleRate(rate_hz))).unwrap();
            let frames = pause.as_secs_f64() * f64::from(rate_hz);
            assert!((2.0..5.0).contains(&(FRAMES as f64 / frames)), "{pause:?} at {rate_hz} Hz");
        }
    }
}
