//! The audio thread's meters.

use super::channels::{ChannelMeters, Channels};
use super::distribution::Distribution;
use super::history::{History, HistoryWriter, Point, Snapshot};
use super::levels::{LevelMeters, Levels};
use super::music::{Music, MusicReading};
use super::readings::{Readings, Values};
use super::stereo::StereoWindow;
use super::tap::Tap;
use super::timeline::{Timeline, TimelineWriter};
use crate::log::{Log, SecondCollector};
use nice_plug::params::persist::PersistentField;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wavemill_core::audio::{Block, ChannelPosition, StreamSpec};
use wavemill_core::limits::SAMPLE_MAGNITUDE_MAX;
use wavemill_core::loudness::{LoudnessMeter, LoudnessReading, MonoMode};
use wavemill_core::units::Seconds;

/// Frames measured at once. Short blocks are collected until there are so many, or a reading is due: between two blocks
/// other plugins fill the caches, and fetching meters and filters anew for 64 frames takes longer than measuring them.
const BLOCK_FRAMES: usize = 1024;

/// Readings a second: what an editor at 30 frames a second can show.
const READINGS_PER_SECOND: u64 = 30;

/// Points of the history a second.
const POINTS_PER_SECOND: u64 = 10;

/// Signal whose energies are kept, in memory that is there from the start: 6.9 MB. In longer sessions integrated
/// loudness and range of a stream that ends are those of the live meter, in bins of 0.01 LU, as they are while it
/// runs; nothing else changes, and nothing is allocated.
const KEPT: Seconds = Seconds(24.0 * 3600.0);

/// What both sides see.
#[derive(Debug, Default)]
pub struct Shared {
    /// The latest numbers.
    pub readings: Readings,
    /// Those that were saved with the project.
    saved: Readings,
    /// Loudness over the session.
    pub history: History,
    /// How often which loudness occurred.
    pub distribution: Distribution,
    /// What each channel had.
    pub(crate) channels: Channels,
    /// Levels of the channels, while the window shows them.
    pub(crate) levels: Levels,
    /// The program at its places in the song.
    pub(crate) timeline: Timeline,
    /// A line each second.
    pub(crate) log: Log,
    /// The latest samples.
    pub tap: Tap,
    /// What the worker found in them.
    pub(super) music: MusicReading,
    wants_reset: AtomicBool,
    /// Whether the user paused the meters; not saved.
    is_paused: AtomicBool,
    /// Samples since the meters began that are none; see [`Shared::invalid_samples`].
    invalid: AtomicU64,
}

impl Shared {
    /// Samples that are no number, or beyond [`SAMPLE_MAGNITUDE_MAX`]: they pass, and count as silence in all meters.
    pub(crate) fn invalid_samples(&self) -> u64 {
        self.invalid.load(Ordering::Relaxed)
    }

    /// Whether the program on the timeline is what is shown.
    pub(crate) fn shows_timeline(&self) -> bool {
        self.timeline.is_on() && self.timeline.readings().has_signal()
    }

    /// Changes whenever [`Self::read_history`] would give something else.
    pub(crate) fn history_version(&self) -> (u64, usize) {
        if self.shows_timeline() {
            return (self.timeline.version(), usize::MAX);
        }
        self.history.version()
    }

    /// Copies the curve that is shown into `snapshot`. Not for the audio thread.
    pub(crate) fn read_history(&self, snapshot: &mut Snapshot) {
        if self.shows_timeline() {
            self.timeline.read(snapshot);
        } else {
            self.history.read(snapshot);
        }
    }

    /// Readings to show, and whether they were saved with the project: they are, until anything but silence
    /// is measured.
    pub(crate) fn shown(&self) -> (&Readings, bool) {
        if self.shows_timeline() {
            return (self.timeline.readings(), false);
        }
        let is_saved = self.saved.has_signal() && !self.readings.has_signal();
        (if is_saved { &self.saved } else { &self.readings }, is_saved)
    }

    /// Tempo, key and balance of what was measured while the window was open; `None` before they are known.
    pub fn music(&self) -> Option<Arc<Music>> {
        self.music.get(self.tap.start())
    }

    /// Says what was found in the frames that belong together now.
    #[cfg(test)]
    pub(crate) fn publish(&self, music: Option<Music>) {
        self.music.set(self.tap.start(), music);
    }

    /// Lets the meters begin anew with the next block.
    pub fn reset(&self) {
        self.saved.clear();
        self.wants_reset.store(true, Ordering::Relaxed);
    }

    /// Pauses the meters, or lets them continue.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Relaxed);
    }

    /// Whether the user paused the meters. Real-time.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    /// Whether that was asked for; once. Real-time.
    pub(crate) fn take_reset(&self) -> bool {
        self.wants_reset.load(Ordering::Relaxed) && self.wants_reset.swap(false, Ordering::Relaxed)
    }
}

/// The project keeps what is shown. Neither side waits: all of it is atomic.
impl PersistentField<'_, Values> for Arc<Shared> {
    fn set(&self, values: Values) {
        self.saved.set(&values.finite());
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Values) -> R,
    {
        f(&self.shown().0.get())
    }
}

/// Measures blocks of any length. Real-time, but for being made.
pub(crate) struct Meters {
    spec: StreamSpec,
    loudness: LoudnessMeter,
    /// What `loudness` counts a single channel as.
    mono: MonoMode,
    /// A meter that counts it the other way, so that a change makes none; for streams of one channel.
    other: Option<LoudnessMeter>,
    stereo: StereoWindow,
    channels: ChannelMeters,
    levels: LevelMeters,
    scribe: HistoryWriter,
    timeline: TimelineWriter,
    second: SecondCollector,
    /// A place in the song, in frames, and the frame measured there.
    place: Option<(i64, u64)>,
    block: Block,
    /// Front left and right, or the only channel twice.
    front: [usize; 2],
    /// Frames measured.
    position: u64,
    /// Frames in `block` that are not measured yet.
    waiting: usize,
    shared: Arc<Shared>,
}

impl Meters {
    /// Meters that begin anew. Allocates.
    pub(crate) fn new(spec: &StreamSpec, mono: MonoMode, shared: Arc<Shared>) -> Self {
        Self::keeping(KEPT, spec, mono, shared)
    }

    fn keeping(kept: Seconds, spec: &StreamSpec, mono: MonoMode, shared: Arc<Shared>) -> Self {
        let meter = |mono| {
            let mut meter = LoudnessMeter::new(spec, mono);
            meter.keep_at_most(kept);
            meter
        };
        let front = |position, other: usize| {
            spec.layout.index_of(position).unwrap_or(other.min(spec.channel_count().max(1) - 1))
        };
        let mut meters = Self {
            loudness: meter(mono),
            mono,
            other: (spec.channel_count() == 1).then(|| meter(other_than(mono))),
            stereo: StereoWindow::default(),
            channels: ChannelMeters::new(spec),
            levels: LevelMeters::new(spec),
            scribe: HistoryWriter::default(),
            timeline: TimelineWriter::new(spec, mono),
            second: SecondCollector::default(),
            place: None,
            block: Block::new(spec.channel_count(), BLOCK_FRAMES),
            front: [front(ChannelPosition::FrontLeft, 0), front(ChannelPosition::FrontRight, 1)],
            position: 0,
            waiting: 0,
            spec: spec.clone(),
            shared,
        };
        meters.clear();
        meters
    }

    /// The stream that is measured.
    pub(crate) fn spec(&self) -> &StreamSpec {
        &self.spec
    }

    /// What a single channel counts as from now on; after a change the meters begin anew, because the gates are
    /// those of the level. Real-time.
    pub(crate) fn set_mono(&mut self, mono: MonoMode) {
        if mono == self.mono {
            return;
        }
        self.mono = mono;
        if let Some(other) = &mut self.other {
            std::mem::swap(&mut self.loudness, other);
            self.timeline.set_mono(&self.spec, mono);
            self.clear();
        }
    }

    /// Forgets everything, what was saved included.
    pub(crate) fn reset(&mut self) {
        self.shared.saved.clear();
        self.clear();
    }

    fn clear(&mut self) {
        self.loudness.reset();
        self.stereo = StereoWindow::default();
        self.channels.clear(&self.shared.channels);
        self.levels.clear(&self.shared.levels);
        self.scribe.clear(&self.shared.history);
        self.timeline.clear();
        self.shared.timeline.clear();
        self.shared.distribution.clear();
        self.shared.readings.clear();
        self.shared.tap.begin();
        self.shared.invalid.store(0, Ordering::Relaxed);
        (self.position, self.waiting) = (0, 0);
        (self.second, self.place) = (SecondCollector::default(), None);
    }

    /// Measures one block: a slice a channel, all of one length.
    pub(crate) fn push(&mut self, planes: &[&mut [f32]]) {
        if planes.len() != self.spec.channel_count() || planes.is_empty() {
            return;
        }
        let frame_count = planes[0].len();
        let mut start = 0;
        while start < frame_count {
            // Pieces end where readings are due, so that they do not depend on the DAW's blocks.
            let due =
                self.frames_until(READINGS_PER_SECOND).min(self.frames_until(POINTS_PER_SECOND));
            let room = due.min(BLOCK_FRAMES) - self.waiting;
            let count = room.min(frame_count - start);
            self.take(planes, start, count);
            start += count;
            if count == room {
                self.measure_waiting();
            }
        }
    }

    /// Measures one block at its place in the song, in frames; `None` where it has none.
    pub(crate) fn push_at(&mut self, planes: &[&mut [f32]], place: Option<i64>) {
        self.place = place.map(|place| (place, self.position + self.waiting as u64));
        self.push(planes);
        let place = place.filter(|_| self.shared.timeline.is_on());
        self.timeline.push(planes, place, &self.shared.timeline);
    }

    /// Measures what was collected. Real-time.
    pub(crate) fn measure_waiting(&mut self) {
        let count = std::mem::take(&mut self.waiting);
        if count > 0 {
            self.measure(count);
        }
    }

    /// Copies a piece; what no meter can measure counts as silence here, and passes as it is.
    fn take(&mut self, planes: &[&mut [f32]], start: usize, count: usize) {
        let at = self.waiting;
        self.waiting += count;
        self.block.set_frame_count(self.waiting);
        let mut invalid = 0;
        for (channel, plane) in planes.iter().enumerate() {
            let piece = &plane[start..start + count];
            for (kept, &sample) in self.block.plane_mut(channel)[at..].iter_mut().zip(piece) {
                let is_valid = sample.abs() <= SAMPLE_MAGNITUDE_MAX;
                *kept = if is_valid { sample } else { 0.0 };
                invalid += u32::from(!is_valid);
            }
        }
        if invalid > 0 {
            self.shared.invalid.fetch_add(invalid.into(), Ordering::Relaxed);
        }
    }

    fn measure(&mut self, count: usize) {
        self.loudness.push(&self.block);
        self.channels.push(&self.block, &self.shared.channels);
        self.levels.push(&self.block, &self.shared.levels);
        let [left, right] = self.front.map(|channel| self.block.plane(channel));
        self.shared.tap.push(left, right);
        if self.spec.channel_count() >= 2 {
            self.stereo.push(left, right);
        }
        self.position += count as u64;
        let is_point = self.is_due(POINTS_PER_SECOND);
        if is_point || self.is_due(READINGS_PER_SECOND) {
            let reading = self.loudness.reading();
            if is_point {
                self.write_point(&reading);
            }
            self.publish(&reading);
            self.channels.publish(&self.shared.channels);
            self.levels.publish(&self.shared.levels);
        }
    }

    /// Frames until the next of so many events a second; at least 1.
    fn frames_until(&self, per_second: u64) -> usize {
        let rate = u64::from(self.spec.sample_rate.0);
        let next = (self.position * per_second / rate.max(1) + 1) * rate;
        let frames = next.div_ceil(per_second) - self.position;
        usize::try_from(frames).unwrap_or(usize::MAX).max(1)
    }

    /// Whether one of so many events a second is at this frame.
    fn is_due(&self, per_second: u64) -> bool {
        let rate = u64::from(self.spec.sample_rate.0);
        let before = (self.position - 1) * per_second / rate.max(1);
        self.position * per_second / rate.max(1) > before
    }

    fn write_point(&mut self, reading: &LoudnessReading) {
        let point = Point {
            momentary_lufs: shown(reading.momentary_lufs.map(|lufs| lufs.0)),
            short_term_lufs: shown(reading.short_term_lufs.map(|lufs| lufs.0)),
            true_peak_dbtp: shown(reading.true_peak_now_dbtp.map(|peak| peak.0)),
            correlation: shown(self.stereo.correlation()),
            mono_loss_db: shown(self.stereo.mono_loss_db()),
        };
        self.scribe.push(&self.shared.history, point);
        self.log(point, reading);
        if let Some(lufs) = reading.short_term_lufs {
            self.shared.distribution.add(lufs.0);
        }
        self.stereo.advance();
    }

    fn log(&mut self, point: Point, reading: &LoudnessReading) {
        let rate_hz = f64::from(self.spec.sample_rate.0);
        let position_s = self.place.map(|(place, at)| {
            let frames = self.position.wrapping_sub(at).cast_signed();
            #[expect(clippy::cast_precision_loss, reason = "a time")]
            let place = place.saturating_add(frames) as f64;
            place / rate_hz
        });
        let second = self.second.add(point, reading, position_s);
        if let Some(second) = second.filter(|_| self.shared.log.is_on()) {
            self.shared.log.send(second);
        }
    }

    /// Publishes all that is known now, wherever the next reading is due. Real-time.
    pub(crate) fn publish_now(&mut self) {
        self.measure_waiting();
        if self.position > 0 {
            self.publish(&self.loudness.reading());
            self.channels.publish(&self.shared.channels);
        }
    }

    /// Publishes what was measured to the last frame, as if nothing followed: filters that look ahead see
    /// silence. What follows is measured as ever. Allocates.
    pub(crate) fn conclude(&mut self) {
        self.measure_waiting();
        self.channels.publish(&self.shared.channels);
        let (reading, report) = (self.loudness.reading(), self.loudness.clone().finish());
        if report.true_peak_dbtp.is_none() {
            // Nothing but silence, which is no programme.
            return;
        }
        self.publish(&LoudnessReading {
            momentary_max_lufs: report.momentary_max_lufs,
            short_term_max_lufs: report.short_term_max_lufs,
            integrated_lufs: report.integrated_lufs,
            loudness_range_lu: report.loudness_range_lu,
            true_peak_dbtp: report.true_peak_dbtp,
            true_peak_precise_dbtp: report.true_peak_precise_dbtp,
            peak_to_loudness_lu: report.peak_to_loudness_lu,
            peak_to_short_term_lu: report.peak_to_short_term_lu,
            ..reading
        });
    }

    fn publish(&self, reading: &LoudnessReading) {
        let measured_s = self.position as f64 / f64::from(self.spec.sample_rate.0);
        let values = Values {
            momentary_lufs: shown(reading.momentary_lufs.map(|lufs| lufs.0)),
            momentary_max_lufs: shown(reading.momentary_max_lufs.map(|lufs| lufs.0)),
            short_term_lufs: shown(reading.short_term_lufs.map(|lufs| lufs.0)),
            short_term_max_lufs: shown(reading.short_term_max_lufs.map(|lufs| lufs.0)),
            integrated_lufs: shown(reading.integrated_lufs.map(|lufs| lufs.0)),
            loudness_range_lu: shown(reading.loudness_range_lu.map(|range| range.0)),
            true_peak_now_dbtp: shown(reading.true_peak_now_dbtp.map(|peak| peak.0)),
            true_peak_dbtp: shown(reading.true_peak_dbtp.map(|peak| peak.0)),
            true_peak_precise_dbtp: shown(reading.true_peak_precise_dbtp.map(|peak| peak.0)),
            peak_to_loudness_lu: shown(reading.peak_to_loudness_lu.map(|lu| lu.0)),
            peak_to_short_term_lu: shown(reading.peak_to_short_term_lu.map(|lu| lu.0)),
            correlation: shown(self.stereo.correlation()),
            balance_db: shown(self.stereo.balance_db()),
            mono_loss_db: shown(self.stereo.mono_loss_db()),
            mono_loss_program_db: shown(self.stereo.program_mono_loss_db()),
            measured_s: shown(Some(measured_s)),
        };
        self.shared.readings.set(&values);
        self.shared.timeline.set_live(&values);
    }
}

fn other_than(mono: MonoMode) -> MonoMode {
    match mono {
        MonoMode::Single => MonoMode::Dual,
        MonoMode::Dual => MonoMode::Single,
    }
}

pub(super) fn shown(value: Option<f64>) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "more digits than anyone can see")]
    value.map(|value| value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::{LOWEST_LUFS, Snapshot};
    use wavemill_core::analysis::{self, Analysis, MeasureGroup, Options};
    use wavemill_core::audio::PcmFormat;

    /// Program-like: noise whose level wanders, with clicks.
    fn signal(channel_count: usize, frames: u32, seed: u32) -> Vec<Vec<f32>> {
        let mut state = seed;
        let mut planes = vec![Vec::new(); channel_count];
        for frame in 0..frames {
            let level = 0.02 + 0.4 * f64::from(frame % 96_000) / 96_000.0;
            for plane in &mut planes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5;
                let click = if frame % 50_021 == 0 { 0.9 } else { 0.0 };
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                plane.push((level * noise + click) as f32);
            }
        }
        planes
    }

    fn feed(meters: &mut Meters, planes: &mut [Vec<f32>], block_frames: usize) {
        let mut start = 0;
        while start < planes[0].len() {
            let count = block_frames.min(planes[0].len() - start);
            let block: Vec<&mut [f32]> =
                planes.iter_mut().map(|plane| &mut plane[start..start + count]).collect();
            meters.push(&block);
            start += count;
        }
    }

    fn analyzed(planes: &[Vec<f32>], spec: &StreamSpec) -> Analysis {
        let options = Options { groups: vec![MeasureGroup::Loudness], ..Options::default() };
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        analysis::analyze(&planes, spec, PcmFormat::FLOAT, &options).unwrap()
    }

    /// The issue of every meter: the same numbers as those of the file.
    #[test]
    fn readings_equal_the_analysis_of_the_same_samples() {
        for (channel_count, rate_hz) in [(1, 44_100), (2, 48_000), (6, 48_000), (8, 96_000)] {
            let spec = StreamSpec::new(rate_hz, channel_count);
            let mut planes = signal(channel_count, 6 * rate_hz, 5);
            let shared = Arc::new(Shared::default());
            let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
            feed(&mut meters, &mut planes, 777);
            // A display is a little late: what follows a file follows here, too.
            let silence = vec![0.0; usize::try_from(rate_hz / 20).unwrap()];
            feed(&mut meters, &mut vec![silence; channel_count], 64);
            let report = analyzed(&planes, &spec).loudness.unwrap();
            let readings = &shared.readings;
            for (name, reading, exact) in [
                ("I", &readings.integrated_lufs, report.integrated_lufs.map(|value| value.0)),
                ("LRA", &readings.loudness_range_lu, report.loudness_range_lu.map(|value| value.0)),
                ("M", &readings.momentary_max_lufs, report.momentary_max_lufs.map(|value| value.0)),
                (
                    "S",
                    &readings.short_term_max_lufs,
                    report.short_term_max_lufs.map(|value| value.0),
                ),
                ("TP", &readings.true_peak_dbtp, report.true_peak_dbtp.map(|value| value.0)),
                (
                    "TP 16x",
                    &readings.true_peak_precise_dbtp,
                    report.true_peak_precise_dbtp.map(|value| value.0),
                ),
                (
                    "PLR",
                    &readings.peak_to_loudness_lu,
                    report.peak_to_loudness_lu.map(|value| value.0),
                ),
                (
                    "PSR",
                    &readings.peak_to_short_term_lu,
                    report.peak_to_short_term_lu.map(|value| value.0),
                ),
            ] {
                let (reading, exact) = (f64::from(reading.get().unwrap()), exact.unwrap());
                assert!((reading - exact).abs() < 0.01, "{name}: {reading} is not {exact}");
            }
        }
    }

    #[test]
    fn readings_and_history_do_not_depend_on_the_blocks() {
        let spec = StreamSpec::new(44_100, 2);
        let mut planes = signal(2, 200_000, 3);
        let mut measure = |block_frames| {
            let shared = Arc::new(Shared::default());
            let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
            feed(&mut meters, &mut planes, block_frames);
            let mut history = Snapshot::default();
            shared.history.read(&mut history);
            let readings = &shared.readings;
            (history, readings.integrated_lufs.get(), readings.correlation.get())
        };
        let whole = measure(200_000);
        assert_eq!(whole.0.points.len(), 45);
        for block_frames in [1, 64, 441, 4096] {
            assert!(measure(block_frames) == whole, "blocks of {block_frames}");
        }
    }

    #[test]
    fn samples_that_are_none_are_counted_and_change_no_reading() {
        let spec = StreamSpec::new(48_000, 2);
        let measure = |bad: &[f32]| {
            let mut planes = signal(2, 300_000, 3);
            planes[0][100_000..100_000 + bad.len()].copy_from_slice(bad);
            let shared = Arc::new(Shared::default());
            let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
            feed(&mut meters, &mut planes, 512);
            (shared.readings.get(), shared.invalid_samples(), meters)
        };
        let (silent, none, _) = measure(&[0.0; 4]);
        let bad = [3e38, f32::NAN, f32::NEG_INFINITY, -1e6];
        let (readings, count, mut meters) = measure(&bad);
        assert_eq!((readings, count, none), (silent, 4, 0));
        assert!(readings.integrated_lufs.unwrap() < 0.0);
        meters.reset();
        assert_eq!(meters.shared.invalid_samples(), 0);
    }

    /// As an analysis of the same samples, and what follows is not disturbed.
    #[test]
    fn conclusion_holds_a_clip_in_the_last_frame() {
        let spec = StreamSpec::new(48_000, 2);
        let mut planes = signal(2, 200_123, 3);
        for plane in &mut planes {
            *plane.last_mut().unwrap() = 1.5;
        }
        let shared = Arc::new(Shared::default());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        feed(&mut meters, &mut planes, 512);
        assert!(shared.readings.true_peak_dbtp.get().unwrap() < 0.0, "not yet");
        meters.conclude();
        let report = analyzed(&planes, &spec).loudness.unwrap();
        let readings = shared.readings.get();
        assert_eq!(readings.true_peak_dbtp, shown(report.true_peak_dbtp.map(|value| value.0)));
        assert_eq!(readings.integrated_lufs, shown(report.integrated_lufs.map(|value| value.0)));
        assert_eq!(readings.measured_s, shown(Some(200_123.0 / 48_000.0)));
        let last = shared.channels.readings[1].sample_peak_dbfs.get().unwrap();
        assert!((last - 3.5218).abs() < 1e-3, "of each channel, too: {last}");
        feed(&mut meters, &mut planes, 512);
        meters.conclude();
        let twice: Vec<Vec<f32>> = planes.iter().map(|plane| plane.repeat(2)).collect();
        let report = analyzed(&twice, &spec).loudness.unwrap();
        let integrated = shared.readings.integrated_lufs.get();
        assert_eq!(integrated, shown(report.integrated_lufs.map(|value| value.0)));
    }

    /// As after a day, but for what is kept: 10 s. What a day takes is tested in the library.
    #[test]
    fn session_longer_than_what_is_kept_is_read_as_ever() {
        let spec = StreamSpec::new(48_000, 2);
        let mut planes = signal(2, 60 * 48_000, 3);
        let kept = |seconds| {
            let shared = Arc::new(Shared::default());
            let spec = &spec;
            (Meters::keeping(Seconds(seconds), spec, MonoMode::Single, Arc::clone(&shared)), shared)
        };
        let ((mut part, short), (mut whole, all)) = (kept(10.0), kept(600.0));
        feed(&mut part, &mut planes, 4096);
        feed(&mut whole, &mut planes, 4096);
        assert_eq!(short.readings.get(), all.readings.get(), "the same to the bit while it runs");
        assert_eq!(short.distribution.counts(), all.distribution.counts());
        part.conclude();
        whole.conclude();
        let (short, all) = (short.readings.get(), all.readings.get());
        let difference = |reading: fn(&Values) -> Option<f32>| {
            (reading(&short).unwrap() - reading(&all).unwrap()).abs()
        };
        assert!(difference(|values| values.integrated_lufs) < 0.01);
        assert!(difference(|values| values.loudness_range_lu) < 0.02);
        let rounded = Values {
            integrated_lufs: all.integrated_lufs,
            loudness_range_lu: all.loudness_range_lu,
            peak_to_loudness_lu: all.peak_to_loudness_lu,
            ..short
        };
        assert_eq!(rounded, all, "and nothing else changes");
    }

    #[test]
    fn change_of_dual_mono_begins_anew_and_counts() {
        let spec = StreamSpec::new(48_000, 1);
        let mut planes = signal(1, 200_000, 3);
        let shared = Arc::new(Shared::default());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        let mut measure = |mono| {
            meters.set_mono(mono);
            assert_eq!(shared.readings.measured_s.get(), None, "anew");
            feed(&mut meters, &mut planes, 512);
            meters.set_mono(mono);
            shared.readings.integrated_lufs.get().unwrap()
        };
        let dual = measure(MonoMode::Dual);
        let single = measure(MonoMode::Single);
        assert!((dual - single - 3.0103).abs() < 1e-3, "{dual} and {single}");
        assert!((measure(MonoMode::Dual) - dual).abs() < 1e-6, "and nothing is left of the first");
    }

    #[test]
    fn reset_equals_fresh_meters() {
        let spec = StreamSpec::new(48_000, 2);
        let mut planes = signal(2, 200_000, 3);
        let shared = Arc::new(Shared::default());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        feed(&mut meters, &mut signal(2, 500_000, 4), 512);
        meters.reset();
        assert_eq!(shared.readings.integrated_lufs.get(), None);
        feed(&mut meters, &mut planes, 512);
        let fresh = Arc::new(Shared::default());
        feed(&mut Meters::new(&spec, MonoMode::Single, Arc::clone(&fresh)), &mut planes, 512);
        let read = |shared: &Shared| {
            let mut history = Snapshot::default();
            shared.history.read(&mut history);
            let readings = &shared.readings;
            (
                history,
                readings.integrated_lufs.get(),
                readings.true_peak_dbtp.get(),
                readings.loudness_range_lu.get(),
                readings.peak_to_short_term_lu.get(),
            )
        };
        assert!(read(&shared) == read(&fresh));
    }

    /// The meter of the library that counts after the fact, with the energies of the whole signal.
    #[test]
    fn distribution_is_that_of_the_library() {
        for rate_hz in [44_100, 48_000] {
            let spec = StreamSpec::new(rate_hz, 2);
            let mut planes = signal(2, 40 * rate_hz, 3);
            // Below the absolute gate, and between two bins of what is shown.
            for plane in &mut planes {
                plane[..500_000].fill(0.0);
            }
            let shared = Arc::new(Shared::default());
            feed(&mut Meters::new(&spec, MonoMode::Single, Arc::clone(&shared)), &mut planes, 777);
            let mut meter = LoudnessMeter::new(&spec, MonoMode::Single);
            meter.push(&Block::from_planes(&planes));
            let counts = shared.distribution.counts();
            let total: u32 = counts.iter().sum();
            let expected = meter.distribution();
            assert!(expected.len() > 5 && total > 200, "{expected:?}");
            let shares = (LOWEST_LUFS..).zip(counts).filter(|(_, count)| *count > 0);
            let shares: Vec<_> = shares
                .map(|(lufs, count)| (f64::from(lufs), f64::from(count) / f64::from(total)))
                .collect();
            let expected = expected.iter().map(|bin| (bin.lufs, bin.share));
            assert_eq!(shares, expected.filter(|(_, share)| *share > 0.0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sample_that_is_no_number_counts_as_silence() {
        let spec = StreamSpec::new(48_000, 2);
        let shared = Arc::new(Shared::default());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        let mut planes = vec![vec![0.1; 48_000]; 2];
        planes[0][100] = f32::NAN;
        planes[1][20_000] = f32::INFINITY;
        feed(&mut meters, &mut planes, 64);
        assert!(shared.readings.integrated_lufs.get().is_some());
        let peak = shared.readings.true_peak_dbtp.get().unwrap();
        assert!(peak < -15.0, "{peak}");
    }

    #[test]
    fn silence_has_no_values() {
        let spec = StreamSpec::new(48_000, 2);
        let shared = Arc::new(Shared::default());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&shared));
        feed(&mut meters, &mut [vec![0.0; 200_000], vec![0.0; 200_000]], 512);
        assert_eq!(shared.readings.integrated_lufs.get(), None);
        assert_eq!(shared.readings.true_peak_dbtp.get(), None);
        assert_eq!(shared.readings.correlation.get(), None);
    }
}
