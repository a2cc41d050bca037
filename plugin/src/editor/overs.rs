//! Passages beyond the target's limits.

use super::verdict::TargetState;
use crate::meters::{Point, Snapshot};

/// A passage in which the true peak or the short-term loudness is beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Over {
    /// Its start in the session, in seconds.
    pub(super) at_s: f64,
    /// How long it lasts, in seconds: a multiple of the history's points.
    pub(super) length_s: f64,
}

/// Those closer together than this are one, in seconds.
const APART_S: f64 = 1.0;

/// All of them, the first one first.
pub(super) fn of(history: &Snapshot, standing: &TargetState) -> Vec<Over> {
    let (loud, peak) = (standing.loud_lufs(), standing.peak_max_dbtp());
    let beyond = |value: Option<f32>, limit: Option<f32>| {
        value.zip(limit).is_some_and(|(value, limit)| value > limit)
    };
    passages(history, |point| {
        beyond(point.short_term_lufs, loud) || beyond(point.true_peak_dbtp, peak)
    })
}

fn passages(history: &Snapshot, is_over: impl Fn(&Point) -> bool) -> Vec<Over> {
    let mut overs: Vec<Over> = Vec::new();
    for (index, _) in history.points.iter().enumerate().filter(|(_, point)| is_over(point)) {
        let at_s = index as f64 * history.point_s;
        let end_s = at_s + history.point_s;
        match overs.last_mut().filter(|over| at_s <= over.at_s + over.length_s + APART_S) {
            Some(over) => over.length_s = end_s - over.at_s,
            None => overs.push(Over { at_s, length_s: history.point_s }),
        }
    }
    overs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_a_row_are_one_passage() {
        let loud = |lufs| Point { short_term_lufs: Some(lufs), ..Point::default() };
        let mut points = vec![loud(-30.0); 200];
        for index in [20, 21, 22, 28, 100] {
            points[index] = loud(-10.0);
        }
        let history = Snapshot { points, point_s: 0.1, start_s: 0.0 };
        let overs = passages(&history, |point| point.short_term_lufs > Some(-20.0));
        let places: Vec<_> = overs
            .iter()
            .map(|over| ((over.at_s * 10.0).round(), (over.length_s * 10.0).round()))
            .collect();
        assert_eq!(places, [(20.0, 9.0), (100.0, 1.0)]);
        assert_eq!(passages(&Snapshot::default(), |_| true), []);
    }
}
