//! The curve of the gain, drawn before the first sample.

use super::cells::{CELLS_PER_SECOND, Cells};
use wavemill_audio::units::{Decibels, Lufs};

/// Points of the gain curve a second: those of the loudness curve.
pub(super) const POINTS_PER_SECOND: u32 = 10;

/// Cells from point to point.
const CELLS_PER_POINT: usize = (CELLS_PER_SECOND / POINTS_PER_SECOND) as usize;

/// Points before and after a place whose loudness counts there: 3 s together, as short-term loudness.
const REACH: usize = 15;

/// Points before and after a place that hold its peaks of loudness: an interjection is about a second.
const SHORT_REACH: usize = 4;

/// Half the length of a momentary window, 200 ms, in points.
pub(super) const HALF_WINDOW: usize = 2;

/// How far below the loudness of the file sound counts as speech without a further look. Below, it must
/// stand out from its room.
const SOFT_LU: f64 = 12.0;

/// How far below what the range can raise a pause begins.
const BELOW_RANGE_LU: f64 = 10.0;

/// How far from the median around a place a point may be and still show its loudness: less than speakers
/// differ who need leveling, more than the syllables of one do.
const ONE_SPEAKER_LU: f64 = 8.0;

/// How far above the loudness of the file raised sound may come: stressed words of even speech do.
const RAISED_MAX_LU: f64 = 4.0;

/// What the gain may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) range_db: f64,
    /// Largest change from point to point.
    pub(super) step_db_max: f64,
    pub(super) tolerance_lu: f64,
}

impl Limits {
    /// The gain at every point, given the momentary loudness around each.
    pub(super) fn curve(
        self,
        momentary: &[Option<Lufs>],
        loudness: Lufs,
        cells: &Cells,
    ) -> Vec<f64> {
        let speech: Vec<Option<f64>> = momentary
            .iter()
            .enumerate()
            .map(|(point, lufs)| {
                let above = (lufs.as_ref().copied()? - loudness).0;
                let is_speech = above > -SOFT_LU
                    || (above > -(self.range_db + BELOW_RANGE_LU)
                        && cells.is_above_room(point * CELLS_PER_POINT));
                is_speech.then_some(above)
            })
            .collect();
        let wanted: Vec<Option<f64>> =
            (0..speech.len()).map(|point| self.wanted_db(&speech, point)).collect();
        self.drawn(&wanted)
    }

    /// The gain that a place is to get; `None` in pauses.
    fn wanted_db(self, speech: &[Option<f64>], point: usize) -> Option<f64> {
        speech[point]?;
        let around = |reach: usize| {
            let end = speech.len().min(point + reach + 1);
            speech[point.saturating_sub(reach)..end].iter().flatten().copied()
        };
        let mut sorted: Vec<f64> = around(REACH).collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let is_same_speaker = |above: &f64| (above - median).abs() <= ONE_SPEAKER_LU;
        let above = mean_db(around(REACH).filter(is_same_speaker))?;
        let beyond = (above.abs() - self.tolerance_lu).clamp(0.0, self.range_db);
        if above > 0.0 || beyond == 0.0 {
            return Some(-beyond);
        }
        let room = RAISED_MAX_LU - mean_db(around(SHORT_REACH))?;
        Some(beyond.min(room).max(-self.range_db))
    }

    /// A curve that nowhere exceeds what is wanted and rises only in speech, and knows one slope.
    fn drawn(self, wanted: &[Option<f64>]) -> Vec<f64> {
        // Whether the windows that end where a change to this point begins, and begin where it ends, both
        // hold speech: those around the edges of a phrase do not.
        let is_speech = |point: Option<usize>| {
            point.is_some_and(|point| wanted.get(point).is_some_and(Option::is_some))
        };
        let is_spoken_up_to = |point: usize| {
            is_speech(point.checked_sub(1 + HALF_WINDOW))
                && is_speech(point.checked_add(HALF_WINDOW))
        };
        // What comes before the first phrase belongs to it.
        let mut gain = wanted.iter().flatten().next().copied().unwrap_or_default();
        let mut gains: Vec<f64> = wanted
            .iter()
            .enumerate()
            .map(|(point, wanted)| {
                if let Some(wanted) = wanted {
                    let rise = if is_spoken_up_to(point) { self.step_db_max } else { 0.0 };
                    gain = wanted.min(gain + rise);
                }
                gain
            })
            .collect();
        for point in (1..gains.len()).rev() {
            gains[point - 1] = gains[point - 1].min(gains[point] + self.step_db_max);
        }
        gains
    }
}

/// The mean of levels as powers, as a level; `None` of none.
fn mean_db(levels: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = levels
        .fold((0.0, 0.0), |(sum, count), level| (sum + 10f64.powf(level / 10.0), count + 1.0));
    Decibels::from_power(sum / count).map(|level| level.0)
}
