//! The time of every place between beats.

use super::number::{index, median};

/// Beats before and after one that its time is smoothed with.
const REACH: usize = 4;

/// How long before the largest onset strength an onset begins, in frames: the window has to move over
/// it. Measured on rendered drums.
const ONSET_DELAY: f64 = 0.65;

/// Times of the beats of the pulse. A place is counted in beats, from the first on.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    times_s: Vec<f64>,
    roughness: f64,
}

impl Grid {
    /// From frames at which beats were found; `None` if there are fewer than four.
    pub(crate) fn new(beats: &[usize], strength: &[f32], hop_s: f64) -> Option<Self> {
        if beats.len() < 4 {
            return None;
        }
        let places: Vec<f64> = beats.iter().map(|&beat| peak_near(strength, beat)).collect();
        let smooth = |beat| smoothed(&places, beat);
        let times_s: Vec<f64> =
            (0..places.len()).map(|beat| (smooth(beat) - ONSET_DELAY) * hop_s).collect();
        let period = 60.0 / (bpm_of(&times_s) * hop_s);
        let misses =
            places.iter().enumerate().map(|(beat, place)| (place - smooth(beat)).abs() / period);
        let roughness = median(misses.collect()).unwrap_or(0.0);
        Some(Self { times_s, roughness })
    }

    /// Beats that were found.
    pub(crate) fn beat_count(&self) -> usize {
        self.times_s.len()
    }

    /// The time of a place; beyond the ends beats go on as fast as in the bars that are there.
    pub(crate) fn time_s(&self, place: f64) -> f64 {
        let end = self.times_s.len().saturating_sub(1);
        let at = |beat: usize| self.times_s.get(beat).copied().unwrap_or(0.0);
        let reach = (2 * REACH).min(end).max(1);
        if place < 0.0 {
            return at(0) + place * (at(reach) - at(0)) / reach as f64;
        }
        if place > end as f64 {
            return at(end) + (place - end as f64) * (at(end) - at(end - reach)) / reach as f64;
        }
        let first = index(place.floor()).min(end.saturating_sub(1));
        at(first) + (place - first as f64) * (at(first + 1) - at(first))
    }

    /// The place of a time.
    pub(crate) fn place(&self, time_s: f64) -> f64 {
        let behind = self.times_s.partition_point(|&beat| beat <= time_s);
        let first = behind.saturating_sub(1) as f64;
        if behind == 0 {
            let step = (self.time_s(0.0) - self.time_s(-1.0)).max(1e-3);
            return (time_s - self.time_s(0.0)) / step;
        }
        let step = (self.time_s(first + 1.0) - self.time_s(first)).max(1e-3);
        first + (time_s - self.time_s(first)) / step
    }

    /// Beats a minute of the line through all of them.
    pub(crate) fn mean_bpm(&self) -> f64 {
        bpm_of(&self.times_s)
    }

    /// How far the beats as they were found lie from their smoothed times: the median, in beats.
    pub(crate) fn roughness(&self) -> f64 {
        self.roughness
    }
}

/// Beats a minute of the line through times of beats.
fn bpm_of(times_s: &[f64]) -> f64 {
    let (slope, _) = line(times_s.iter().enumerate().map(|(beat, &time_s)| (beat as f64, time_s)));
    60.0 / slope.max(1e-3)
}

/// The peak of a parabola through a value and its neighbors, if it is near.
fn peak_near(strength: &[f32], frame: usize) -> f64 {
    let at = |frame: usize| f64::from(strength.get(frame).copied().unwrap_or(0.0));
    let (a, b, c) = (at(frame.saturating_sub(1)), at(frame), at(frame + 1));
    let bend = a - 2.0 * b + c;
    let shift = if bend < 0.0 { 0.5 * (a - c) / bend } else { 0.0 };
    frame as f64 + if shift.abs() <= 1.0 { shift } else { 0.0 }
}

/// A beat on the line through its neighbors.
fn smoothed(places: &[f64], beat: usize) -> f64 {
    let first = beat.saturating_sub(REACH).min(places.len().saturating_sub(2 * REACH + 1));
    let around = places.iter().enumerate().skip(first).take(2 * REACH + 1);
    let (slope, start) = line(around.map(|(i, &place)| (i as f64 - beat as f64, place)));
    let _ = slope;
    start
}

/// Slope and start of the line of least squares.
fn line(points: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in points {
        n += 1.0;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    let spread = n * sxx - sx * sx;
    let slope = if spread > 0.0 { (n * sxy - sx * sy) / spread } else { 0.0 };
    (slope, if n > 0.0 { (sy - slope * sx) / n } else { 0.0 })
}
