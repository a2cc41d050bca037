//! What is changed about an export that a lossy format or a conversion made quieter, or raised above its
//! ceiling; and how the change is found.

use super::Correction;
use wavemill_core::units::Decibels;

/// Most times that an export is made again to find its correction.
pub(super) const REPEATS_MAX: usize = 5;

/// How far below the ceiling a repeat aims; after each attempt above it by as much more, since a lossy format
/// does not do quite the same to a signal that is a little quieter.
const MARGIN_DB: f64 = 0.1;

/// How far from its loudness an export may be. What it is compared with is itself within 0.03 LU of the target,
/// and the whole is to be within 0.1 LU.
const CLOSE_LU: f64 = 0.06;

/// Room below the ceiling that an export may leave while it is too soft.
const HEADROOM_MAX_DB: f64 = 0.3;

/// Smallest response that is believed: where a limiter saturates, more is asked for without end.
const RESPONSE_MIN: f64 = 0.5;

/// An export as it came out with a correction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Attempt {
    pub(super) correction: Correction,
    /// Its peak compared with its ceiling and what may be above that; `None` for silence and where nothing is
    /// promised.
    pub(super) above_db: Option<f64>,
    /// Loudness that is missing; `None` where a correction cannot change it, or nothing asks for any.
    pub(super) missing_lu: Option<f64>,
    /// Whether the step that makes it loud gives no more.
    pub(super) is_bound: bool,
}

impl Attempt {
    /// By how much it exceeds its ceiling; 0 where it does not.
    pub(super) fn excess_db(&self) -> f64 {
        self.above_db.map_or(0.0, |above| above.max(0.0))
    }

    /// What is missing of its loudness, as far as another correction may change that.
    fn reachable_lu(&self) -> f64 {
        let missing = self.missing_lu.filter(|missing| missing.abs() > CLOSE_LU).unwrap_or(0.0);
        if self.is_bound { missing.min(0.0) } else { missing }
    }

    /// Room below the ceiling that it may use to become louder.
    fn unused_db(&self) -> f64 {
        let is_soft = self.is_bound && self.missing_lu.is_some_and(|missing| missing > CLOSE_LU);
        let room = self.above_db.map_or(0.0, |above| -above);
        if is_soft && room > HEADROOM_MAX_DB { room - MARGIN_DB } else { 0.0 }
    }

    /// How far it is from what was asked for: first its peak, then its loudness.
    fn distance(&self) -> (f64, f64) {
        (self.excess_db(), self.missing_lu.map_or(0.0, f64::abs))
    }
}

/// The correction to try after these attempts, which differ; `None` where another one will not help.
pub(super) fn next(attempts: &[Attempt]) -> Option<Correction> {
    let last = attempts.last().filter(|_| attempts.len() <= REPEATS_MAX)?;
    let Correction { lower, louder } = last.correction;
    let (excess, unused) = (last.excess_db(), last.unused_db());
    let lower = if excess > 0.0 {
        let overs = attempts.iter().filter(|attempt| attempt.excess_db() > 0.0).count();
        let known = between(lower, kept(attempts, true).reduce(f64::min));
        known.unwrap_or(lower.0 + excess + MARGIN_DB * overs as f64)
    } else if unused > 0.0 {
        let known = between(lower, kept(attempts, false).reduce(f64::max));
        known.unwrap_or((lower.0 - unused).max(0.0))
    } else {
        lower.0
    };
    let next = Correction {
        lower: Decibels(lower).rounded(),
        louder: Decibels(louder.0 + last.reachable_lu() / response(attempts)).rounded(),
    };
    (next != last.correction).then_some(next)
}

/// How much lower the ceiling was of the attempts that kept it, or of those that exceeded it.
fn kept(attempts: &[Attempt], is_kept: bool) -> impl Iterator<Item = f64> {
    let attempts = attempts.iter().filter(move |it| (it.excess_db() <= 0.0) == is_kept);
    attempts.map(|attempt| attempt.correction.lower.0)
}

/// The middle between what was tried and the nearest that came out on the other side of the ceiling.
fn between(lower: Decibels, other: Option<f64>) -> Option<f64> {
    other.map(|other| f64::midpoint(lower.0, other))
}

/// What an export became louder by, for each LU that the last attempt asked for; 1 where that is not known.
fn response(attempts: &[Attempt]) -> f64 {
    let [.., before, last] = attempts else { return 1.0 };
    let asked = (last.correction.louder - before.correction.louder).0;
    let found = before.missing_lu.zip(last.missing_lu).map_or(0.0, |(before, last)| before - last);
    let is_known = last.correction.lower == before.correction.lower && asked != 0.0;
    if is_known { (found / asked).clamp(RESPONSE_MIN, 2.0) } else { 1.0 }
}

/// Which of the attempts came out best; the last of equals.
pub(super) fn best(attempts: &[Attempt]) -> usize {
    let distances = attempts.iter().map(Attempt::distance).enumerate().rev();
    let best = distances.min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A format that raises peaks by `raise_db`, more or less, and takes `loss_lu`, behind a limiter that gives
    /// at most `most_db` more than asked for below its ceiling.
    struct Coded {
        raise_db: f64,
        jitter_db: f64,
        loss_lu: f64,
        most_db: f64,
    }

    impl Coded {
        fn attempt(&self, correction: Correction, number: usize) -> Attempt {
            let Correction { lower, louder } = correction;
            // Below a lower ceiling a limiter takes a quarter of a decibel for each.
            let wanted = louder.0 + 0.25 * lower.0;
            let given = wanted.min(self.most_db - lower.0);
            let jitter = if number.is_multiple_of(2) { self.jitter_db } else { -self.jitter_db };
            Attempt {
                correction,
                above_db: Some(self.raise_db + jitter - lower.0),
                missing_lu: Some(self.loss_lu - (given - 0.25 * lower.0)),
                is_bound: given < wanted,
            }
        }

        fn found(&self) -> (Attempt, usize) {
            let mut attempts = vec![self.attempt(Correction::NONE, 0)];
            while let Some(correction) = next(&attempts) {
                attempts.push(self.attempt(correction, attempts.len()));
            }
            (attempts[best(&attempts)], attempts.len())
        }
    }

    #[test]
    fn what_is_right_is_made_once() {
        let coded = Coded { raise_db: -0.5, jitter_db: 0.0, loss_lu: 0.05, most_db: 9.0 };
        assert_eq!(coded.found(), (coded.attempt(Correction::NONE, 0), 1));
        assert_eq!(next(&[Attempt::default()]), None);
    }

    #[test]
    fn ceiling_holds_and_loudness_is_reached_in_a_few_attempts() {
        for raise_db in [0.0, 0.3, 1.0, 2.5] {
            for jitter_db in [0.0, 0.05, 0.1] {
                for loss_lu in [0.0, 0.2, 0.6] {
                    let (found, count) =
                        Coded { raise_db, jitter_db, loss_lu, most_db: 9.0 }.found();
                    assert!(found.excess_db() <= 0.0, "{raise_db} {jitter_db} {loss_lu}");
                    assert!(found.missing_lu.unwrap().abs() <= CLOSE_LU, "{found:?}");
                    assert!(count <= 4, "{count}: {raise_db} {jitter_db} {loss_lu}");
                }
            }
        }
    }

    #[test]
    fn loudness_out_of_reach_leaves_little_room_below_the_ceiling() {
        for most_db in [0.0, 0.5, 1.0] {
            let (found, count) =
                Coded { raise_db: 1.2, jitter_db: 0.0, loss_lu: 0.4, most_db }.found();
            assert!(found.is_bound && found.excess_db() <= 0.0, "{found:?}");
            assert!(found.above_db.unwrap() >= -HEADROOM_MAX_DB, "{found:?}");
            assert!(count <= REPEATS_MAX + 1);
        }
        // A first attempt that was lowered too much is raised again.
        let low = Correction { lower: Decibels(1.5), louder: Decibels::ZERO };
        let attempt = Attempt {
            correction: low,
            above_db: Some(-0.8),
            missing_lu: Some(0.7),
            is_bound: true,
        };
        assert_eq!(next(&[attempt]), Some(Correction { lower: Decibels(0.8), ..low }));
    }

    #[test]
    fn best_attempt_keeps_the_ceiling_before_it_is_loud() {
        let attempt = |above, missing| Attempt {
            above_db: Some(above),
            missing_lu: Some(missing),
            ..Attempt::default()
        };
        assert_eq!(best(&[attempt(0.1, 0.0), attempt(-0.2, 0.3), attempt(-0.1, 0.2)]), 2);
        assert_eq!(best(&[attempt(0.3, 0.0), attempt(0.1, 0.3)]), 1);
    }
}
