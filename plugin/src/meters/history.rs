//! Loudness over the whole session, in memory of fixed size.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// Points kept. When they are used up, pairs become one: 27 minutes at 100 ms, an hour at 200 ms, a day
/// at 6.4 s; no point is ever forgotten and nothing is ever allocated.
pub(crate) const POINTS_MAX: usize = 16_384;

/// Time of the finest point.
pub(crate) const POINT_S: f64 = 0.1;

/// One point. `None` where no value exists.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    /// Largest in the point's time, in LUFS.
    pub momentary_lufs: Option<f32>,
    /// Largest in the point's time, in LUFS.
    pub short_term_lufs: Option<f32>,
    /// Largest in the point's time, in dBTP.
    pub true_peak_dbtp: Option<f32>,
    /// Smallest in the point's time, from -1 to 1.
    pub correlation: Option<f32>,
    /// Largest in the point's time, in dB.
    pub mono_loss_db: Option<f32>,
}

/// Numbers of a point.
const FIELDS: usize = 5;

impl Point {
    /// The larger of each, but of correlations the smaller: what stands out stays.
    pub(crate) fn merged(self, other: Self) -> Self {
        let larger = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        let smaller = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            momentary_lufs: larger(self.momentary_lufs, other.momentary_lufs),
            short_term_lufs: larger(self.short_term_lufs, other.short_term_lufs),
            true_peak_dbtp: larger(self.true_peak_dbtp, other.true_peak_dbtp),
            correlation: smaller(self.correlation, other.correlation),
            mono_loss_db: larger(self.mono_loss_db, other.mono_loss_db),
        }
    }

    fn to_bits(self) -> [u32; FIELDS] {
        let Self { momentary_lufs, short_term_lufs, true_peak_dbtp, correlation, mono_loss_db } =
            self;
        [momentary_lufs, short_term_lufs, true_peak_dbtp, correlation, mono_loss_db]
            .map(|value| value.unwrap_or(f32::NAN).to_bits())
    }

    fn from_bits(bits: [u32; FIELDS]) -> Self {
        let [momentary_lufs, short_term_lufs, true_peak_dbtp, correlation, mono_loss_db] = bits
            .map(|bits| {
                let value = f32::from_bits(bits);
                (!value.is_nan()).then_some(value)
            });
        Self { momentary_lufs, short_term_lufs, true_peak_dbtp, correlation, mono_loss_db }
    }
}

/// What both threads see. One thread writes, any number read; a reader that was overtaken reads again.
#[derive(Debug)]
pub struct History {
    points: Box<[[AtomicU32; FIELDS]]>,
    count: AtomicUsize,
    /// Finest points in one.
    merged: AtomicU32,
    /// Odd while everything changes.
    generation: AtomicU64,
}

/// A copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// From the beginning on.
    pub points: Vec<Point>,
    /// Time of each.
    pub point_s: f64,
    /// Time of the first one: 0 at the last reset, or the place in the song.
    pub start_s: f64,
}

impl Default for History {
    fn default() -> Self {
        let point = || Point::default().to_bits().map(AtomicU32::new);
        Self {
            points: (0..POINTS_MAX).map(|_| point()).collect(),
            count: AtomicUsize::new(0),
            merged: AtomicU32::new(1),
            generation: AtomicU64::new(0),
        }
    }
}

impl History {
    /// Copies everything into `snapshot`, whose memory is used again. Not for the audio thread.
    pub(crate) fn read(&self, snapshot: &mut Snapshot) {
        loop {
            let before = self.generation.load(Ordering::Acquire);
            let count = self.count.load(Ordering::Acquire).min(POINTS_MAX);
            snapshot.points.clear();
            snapshot.points.extend((0..count).map(|index| self.point(index)));
            snapshot.start_s = 0.0;
            snapshot.point_s = POINT_S * f64::from(self.merged.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            let after = self.generation.load(Ordering::Relaxed);
            if before == after && before.is_multiple_of(2) {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Changes whenever [`Self::read`] would give something else.
    pub(crate) fn version(&self) -> (u64, usize) {
        (self.generation.load(Ordering::Acquire), self.count.load(Ordering::Acquire))
    }

    fn point(&self, index: usize) -> Point {
        Point::from_bits(self.points[index].each_ref().map(|field| field.load(Ordering::Relaxed)))
    }

    fn store(&self, index: usize, point: Point) {
        for (place, bits) in self.points[index].iter().zip(point.to_bits()) {
            place.store(bits, Ordering::Relaxed);
        }
    }

    fn change_all(&self, change: impl FnOnce(&Self)) {
        let generation = self.generation.load(Ordering::Relaxed);
        self.generation.store(generation + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        change(self);
        self.generation.store(generation + 2, Ordering::Release);
    }
}

/// The writer's side. Real-time.
#[derive(Debug, Default)]
pub(crate) struct HistoryWriter {
    /// Finest points that are part of the next one, and their merger.
    waiting: (u32, Point),
}

impl HistoryWriter {
    /// Adds a point of 100 ms.
    pub(crate) fn push(&mut self, history: &History, point: Point) {
        self.waiting = (self.waiting.0 + 1, self.waiting.1.merged(point));
        if self.waiting.0 < history.merged.load(Ordering::Relaxed) {
            return;
        }
        let count = history.count.load(Ordering::Relaxed);
        if count == POINTS_MAX {
            history.change_all(halve);
            // The waiting point is now half of one.
            return;
        }
        history.store(count, self.waiting.1);
        history.count.store(count + 1, Ordering::Release);
        self.waiting = (0, Point::default());
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, history: &History) {
        self.waiting = (0, Point::default());
        history.change_all(|history| {
            history.count.store(0, Ordering::Relaxed);
            history.merged.store(1, Ordering::Relaxed);
        });
    }
}

/// Merges pairs.
fn halve(history: &History) {
    for index in 0..POINTS_MAX / 2 {
        history.store(index, history.point(2 * index).merged(history.point(2 * index + 1)));
    }
    history.count.store(POINTS_MAX / 2, Ordering::Relaxed);
    history.merged.store(2 * history.merged.load(Ordering::Relaxed), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: f32) -> Point {
        Point { short_term_lufs: Some(value), ..Point::default() }
    }

    #[test]
    fn points_come_back_in_order() {
        let (history, mut scribe) = (History::default(), HistoryWriter::default());
        for index in 0..100u8 {
            scribe.push(&history, point(f32::from(index)));
        }
        let mut snapshot = Snapshot::default();
        history.read(&mut snapshot);
        assert_eq!(snapshot.points.len(), 100);
        assert_eq!(snapshot.points[99], point(99.0));
        assert!((snapshot.point_s - 0.1).abs() < f64::EPSILON);
    }

    #[test]
    fn longer_session_has_coarser_points_and_forgets_no_maximum() {
        let (history, mut scribe) = (History::default(), HistoryWriter::default());
        let count = 5 * POINTS_MAX + 3;
        for index in 0..count {
            let loud = index == 12_345 || index == 70_001;
            scribe.push(&history, point(if loud { -5.0 } else { -30.0 }));
        }
        let mut snapshot = Snapshot::default();
        history.read(&mut snapshot);
        assert!((snapshot.point_s - 0.8).abs() < 1e-9);
        assert_eq!(snapshot.points.len(), count / 8);
        let loud: Vec<_> = (0..snapshot.points.len())
            .filter(|&index| snapshot.points[index] == point(-5.0))
            .collect();
        assert_eq!(loud, [12_345 / 8, 70_001 / 8]);
    }

    #[test]
    fn cleared_history_begins_anew() {
        let (history, mut scribe) = (History::default(), HistoryWriter::default());
        for _ in 0..3 * POINTS_MAX {
            scribe.push(&history, point(-30.0));
        }
        scribe.clear(&history);
        scribe.push(&history, point(-20.0));
        let mut snapshot = Snapshot::default();
        history.read(&mut snapshot);
        assert_eq!(
            snapshot,
            Snapshot { points: vec![point(-20.0)], point_s: POINT_S, start_s: 0.0 }
        );
    }

    #[test]
    fn reader_beside_the_writer_sees_whole_points_only() {
        let history = History::default();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut scribe = HistoryWriter::default();
                for index in 0..20 * POINTS_MAX {
                    let value = f32::from(u16::try_from(index % 1000).unwrap());
                    let all = Point {
                        momentary_lufs: Some(value),
                        short_term_lufs: Some(value),
                        true_peak_dbtp: Some(value),
                        // The smallest stays where the largest of the others does.
                        correlation: Some(-value),
                        mono_loss_db: Some(value),
                    };
                    scribe.push(&history, all);
                }
            });
            let mut snapshot = Snapshot::default();
            while !writer.is_finished() {
                history.read(&mut snapshot);
                for point in &snapshot.points {
                    assert_eq!(point.momentary_lufs, point.short_term_lufs);
                    assert_eq!(point.momentary_lufs, point.true_peak_dbtp);
                    assert_eq!(point.correlation.map(|value| -value), point.mono_loss_db);
                }
            }
        });
    }
}
