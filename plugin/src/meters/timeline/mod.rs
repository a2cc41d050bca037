//! The program on the timeline of the DAW: what is played again replaces what was there.
//!
//! The audio thread sends cells of 100 ms; the worker keeps them and makes the readings of all of them.

mod cells;
mod writer;

pub(crate) use writer::TimelineWriter;

use super::history::{POINTS_MAX, Point, Snapshot};
use super::readings::{Readings, Values};
use cells::{Cells, Run};
use crossbeam_queue::ArrayQueue;
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wavemill_core::loudness::HopLoudness;

/// Cells of a second: the hops of gating blocks.
pub(super) const CELLS_PER_SECOND: u64 = 10;

/// Time of a cell.
const CELL_S: f64 = 0.1;

/// Cells on their way to the worker: 27 minutes, while it looks some times a second.
const ON_THEIR_WAY_MAX: usize = 16_384;

/// How often the worker looks while the timeline is on.
const INTERVAL: Duration = Duration::from_millis(100);

/// So many times as long as it took to make the readings, the worker waits until it makes them again.
const REST: u32 = 20;

/// What the audio thread says of a cell.
#[derive(Clone, Copy, Debug)]
struct CellMessage {
    cell: i64,
    energy: f64,
    is_settled: bool,
    /// A cell before it, and its true peak in dBTP, which comes later than its energy.
    peak: Option<(i64, f32)>,
    /// Which of the timeline's lives it belongs to.
    generation: u64,
}

/// What both sides see.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    is_on: AtomicBool,
    /// Made when it is turned on for the first time.
    ring: OnceLock<ArrayQueue<CellMessage>>,
    /// Grows with each reset.
    generation: AtomicU64,
    /// Cells that found no room on their way.
    lost: AtomicU64,
    /// Of all cells; the live ones of them are the audio thread's.
    readings: Readings,
    /// Changes with what is shown.
    version: AtomicU64,
    work: Mutex<Work>,
}

/// The worker's, and what it shows.
#[derive(Debug, Default)]
struct Work {
    cells: Cells,
    generation: u64,
    is_changed: bool,
    /// When the readings may be made again.
    rests_until: Option<Instant>,
    snapshot: Snapshot,
}

/// What was measured of a part of the song.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passage {
    pub(crate) loudness: HopLoudness,
    pub(crate) true_peak_dbtp: Option<f64>,
    /// Time that was measured.
    pub(crate) measured_s: f64,
}

impl Timeline {
    /// Whether what is played goes to its place. Real-time.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Turns it on or off; what was measured stays. Not real-time.
    pub(crate) fn turn(&self, is_on: bool) {
        if is_on {
            self.ring.get_or_init(|| ArrayQueue::new(ON_THEIR_WAY_MAX));
        }
        if self.is_on.swap(is_on, Ordering::Relaxed) != is_on {
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Forgets all cells; the readings at once. Real-time.
    pub(crate) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        self.readings.clear();
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Real-time.
    fn send(&self, message: CellMessage) {
        let is_sent = self.ring.get().is_some_and(|ring| ring.push(message).is_ok());
        if !is_sent {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says what is of this moment. Real-time.
    pub(super) fn set_live(&self, values: &Values) {
        let to = &self.readings;
        to.momentary_lufs.set(values.momentary_lufs);
        to.short_term_lufs.set(values.short_term_lufs);
        to.true_peak_now_dbtp.set(values.true_peak_now_dbtp);
        to.correlation.set(values.correlation);
        to.balance_db.set(values.balance_db);
    }

    /// Of all cells.
    pub(super) fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Changes whenever [`Self::read`] would give something else.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Copies the curve. Not for the audio thread.
    pub(super) fn read(&self, snapshot: &mut Snapshot) {
        snapshot.clone_from(&self.work.lock().snapshot);
    }

    /// One line: why not all is there.
    pub(crate) fn doubt(&self) -> Option<String> {
        let lost = self.lost.load(Ordering::Relaxed);
        if self.work.lock().cells.is_full {
            return Some("timeline full: a day is kept".to_owned());
        }
        (lost > 0).then(|| format!("{:.1} s missing in the timeline", lost as f64 * CELL_S))
    }

    /// What was measured from one second of the song to another.
    pub(crate) fn passage(&self, from_s: f64, to_s: f64) -> Passage {
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        let cell = |seconds: f64| (seconds / CELL_S).round() as i64;
        let mut runs = self.work.lock().cells.runs(cell(from_s), cell(to_s));
        passage(&mut runs)
    }

    /// Keeps what came; makes the readings if there is something new. Says when to look again. The worker's.
    pub(crate) fn tend(&self) -> Option<Duration> {
        let mut work = self.work.lock();
        self.take(&mut work);
        let may_work = work.rests_until.is_none_or(|until| Instant::now() >= until);
        if work.is_changed && may_work {
            let begin = Instant::now();
            self.publish(&mut work);
            work.rests_until = Some(Instant::now() + begin.elapsed() * REST);
        }
        self.is_on().then_some(INTERVAL)
    }

    fn take(&self, work: &mut Work) {
        let generation = self.generation.load(Ordering::Acquire);
        if work.generation != generation {
            (work.cells, work.generation) = (Cells::default(), generation);
            self.lost.store(0, Ordering::Relaxed);
            work.is_changed = true;
        }
        while let Some(message) = self.ring.get().and_then(ArrayQueue::pop) {
            if message.generation != generation {
                continue;
            }
            work.cells.put(message.cell, message.energy, message.is_settled);
            if let Some((cell, peak)) = message.peak {
                work.cells.put_peak(cell, peak);
            }
            work.is_changed = true;
        }
    }

    fn publish(&self, work: &mut Work) {
        work.is_changed = false;
        let mut runs = work.cells.runs(i64::MIN, i64::MAX);
        let passage = passage(&mut runs);
        self.set_readings(&passage);
        work.snapshot = snapshot(&runs);
        self.version.fetch_add(1, Ordering::Release);
    }

    fn set_readings(&self, passage: &Passage) {
        #[expect(clippy::cast_possible_truncation, reason = "a display")]
        let shown = |value: Option<f64>| value.map(|value| value as f32);
        let Passage { loudness, true_peak_dbtp, measured_s } = passage;
        let integrated = loudness.integrated_lufs.map(|lufs| lufs.0);
        let to = &self.readings;
        to.integrated_lufs.set(shown(integrated));
        to.loudness_range_lu.set(shown(loudness.loudness_range_lu.map(|range| range.0)));
        to.momentary_max_lufs.set(shown(loudness.momentary_max_lufs.map(|lufs| lufs.0)));
        to.short_term_max_lufs.set(shown(loudness.short_term_max_lufs.map(|lufs| lufs.0)));
        to.true_peak_dbtp.set(shown(*true_peak_dbtp));
        let ratio = true_peak_dbtp.zip(integrated).map(|(peak, integrated)| peak - integrated);
        to.peak_to_loudness_lu.set(shown(ratio));
        to.measured_s.set(shown(Some(*measured_s)));
    }
}

fn passage(runs: &mut [Run]) -> Passage {
    let (loudness, true_peak_dbtp) = cells::loudness(runs);
    let count: usize = runs.iter().map(|run| run.energies.len()).sum();
    Passage { loudness, true_peak_dbtp, measured_s: count as f64 * CELL_S }
}

/// The curve of all runs, with empty points in the gaps, in no more points than a live history has.
fn snapshot(runs: &[Run]) -> Snapshot {
    let Some((first, last)) = runs.first().zip(runs.last()) else { return Snapshot::default() };
    let cell_count = usize::try_from(last.end() - first.first).unwrap_or(usize::MAX);
    let mut merged = 1;
    while cell_count.div_ceil(merged) > POINTS_MAX {
        merged *= 2;
    }
    let mut points = vec![Point::default(); cell_count.div_ceil(merged)];
    #[expect(clippy::cast_possible_truncation, reason = "a display")]
    let shown = |value: Option<f64>| value.map(|value| value as f32);
    for run in runs {
        let start = usize::try_from(run.first - first.first).unwrap_or(0);
        for (offset, [momentary, short_term, peak]) in run.curve().enumerate() {
            let point = Point {
                momentary_lufs: shown(momentary),
                short_term_lufs: shown(short_term),
                true_peak_dbtp: shown(peak),
                // The stereo image is not kept by places of the song.
                ..Point::default()
            };
            let place = &mut points[(start + offset) / merged];
            *place = place.merged(point);
        }
    }
    Snapshot { points, point_s: merged as f64 * CELL_S, start_s: first.first as f64 * CELL_S }
}

#[cfg(test)]
mod tests;
