//! The gain before a limiter that gives a loudness behind it.

use crate::units::{Decibels, Lufs};

/// Distance to the target that ends the search: a third of what the step promises.
const CLOSE_LU: f64 = 0.03;

/// Rehearsals at most; two or three are usual.
const REHEARSALS_MAX: usize = 5;

/// What a decibel of gain brings at first where peaks are limited, on dense music; the second rehearsal
/// knows better.
const FIRST_SLOPE: f64 = 0.75;

/// Bounds of what it can bring.
const SLOPE_MIN: f64 = 0.1;
const SLOPE_MAX: f64 = 1.0;

/// Looks for the gain in a few rehearsals. The louder a signal comes in, the louder it goes out, and
/// the less each further decibel brings.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// `None` where only one gain is of interest.
    target: Option<Lufs>,
    reduction_max: Decibels,
    /// The largest gain that may be tried.
    gain_max: Decibels,
    /// Gain and loudness without a limiter, then of each rehearsal.
    known: Vec<(Decibels, Lufs)>,
    rehearsals: usize,
    next: Option<Decibels>,
    best: Option<Decibels>,
}

impl Search {
    /// For a file that has a loudness of `loudness` at a gain of `allowed`, the largest one that the
    /// limiter would not change.
    pub(super) fn new(
        target: Lufs,
        allowed: Decibels,
        loudness: Lufs,
        reduction_max: Decibels,
    ) -> Self {
        let mut search = Self {
            target: Some(target),
            reduction_max,
            gain_max: (allowed + reduction_max).rounded_down(),
            known: vec![(allowed, loudness)],
            rehearsals: 0,
            next: None,
            best: None,
        };
        search.next = Some(search.towards(target, (allowed, loudness), FIRST_SLOPE));
        search
    }

    /// One rehearsal with a gain, or with less where that would need more than `reduction_max`.
    pub(super) fn of_one(gain: Decibels, allowed: Decibels, reduction_max: Decibels) -> Self {
        let gain_max = (allowed + reduction_max).rounded_down();
        let gain = if gain > gain_max { gain_max } else { gain };
        Self {
            target: None,
            reduction_max,
            gain_max,
            known: Vec::new(),
            rehearsals: 0,
            next: Some(gain),
            best: None,
        }
    }

    /// One rehearsal with a gain that is given, whatever it needs.
    pub(super) fn fixed(gain: Decibels) -> Self {
        Self {
            target: None,
            reduction_max: Decibels(f64::INFINITY),
            gain_max: gain,
            known: Vec::new(),
            rehearsals: 0,
            next: Some(gain),
            best: None,
        }
    }

    /// The gain to rehearse next; `None` when the search is over.
    pub(super) fn next(&self) -> Option<Decibels> {
        self.next
    }

    /// The best gain known.
    pub(super) fn best(&self) -> Decibels {
        self.best.or(self.next).unwrap_or(self.gain_max)
    }

    /// Whether the target asks for more gain than may be given.
    pub(super) fn is_bound(&self) -> bool {
        let best = self.best();
        let loudness = self.known.iter().rfind(|known| known.0 == best).map(|known| known.1);
        let is_short = self
            .target
            .zip(loudness)
            .is_some_and(|(target, loudness)| (target - loudness).0 > CLOSE_LU);
        is_short && best >= self.gain_max
    }

    /// Takes what the rehearsal of [`Self::next`] gave, and says whether that is the best so far.
    pub(super) fn learn(&mut self, loudness: Option<Lufs>, reduction: Decibels) -> bool {
        let Some(gain) = self.next.take() else { return false };
        self.rehearsals += 1;
        let may_go_on = self.rehearsals < REHEARSALS_MAX;
        let excess = reduction - self.reduction_max;
        let is_excessive = excess.0 > 0.0005;
        if is_excessive {
            // The limiter adds a little for its own safety.
            self.gain_max = (gain - excess).rounded_down();
        }
        let distance = |known: &(Decibels, Lufs), target: Lufs| (target - known.1).0.abs();
        let (Some(target), Some(loudness)) = (self.target, loudness) else {
            self.best = Some(gain);
            self.next = (is_excessive && may_go_on).then_some(self.gain_max);
            return true;
        };
        let here = (gain, loudness);
        let best = self.best.and_then(|best| self.known.iter().rfind(|known| known.0 == best));
        let is_best = best.is_none_or(|best| {
            best.0 > self.gain_max || distance(&here, target) < distance(best, target)
        });
        if is_best {
            self.best = Some(gain);
        }
        let slope = self.slope_at(here, target);
        self.known.push(here);
        let is_done = distance(&here, target) <= CLOSE_LU && !is_excessive;
        if may_go_on && !is_done {
            let next = self.towards(target, here, slope);
            self.next = self.known.iter().all(|known| known.0 != next).then_some(next);
        }
        is_best
    }

    /// The gain at which a straight line from what is known reaches the target.
    fn towards(&self, target: Lufs, from: (Decibels, Lufs), slope: f64) -> Decibels {
        let gain = (from.0 + Decibels((target - from.1).0 / slope)).rounded();
        if gain > self.gain_max { self.gain_max } else { gain }
    }

    /// What a decibel brings between here and what is known on the other side of the target, or the
    /// nearest.
    fn slope_at(&self, here: (Decibels, Lufs), target: Lufs) -> f64 {
        let is_louder = here.1 > target;
        let others = || self.known.iter().filter(|known| known.0 != here.0);
        let nearest = |known: &&(Decibels, Lufs), other: &&(Decibels, Lufs)| {
            (known.1 - target).0.abs().total_cmp(&(other.1 - target).0.abs())
        };
        let opposite = others().filter(|known| (known.1 > target) != is_louder).min_by(nearest);
        let Some(other) = opposite.or_else(|| others().min_by(nearest)) else {
            return FIRST_SLOPE;
        };
        ((here.1 - other.1).0 / (here.0 - other.0).0).clamp(SLOPE_MIN, SLOPE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of -10 LUFS whose peaks allow -2 dB: beyond that each decibel brings less.
    fn loudness(gain: Decibels) -> Lufs {
        let above = gain.0 + 2.0;
        Lufs(-12.0 + above - 0.09 * above * above)
    }

    fn search(target: f64, reduction_max: f64, margin: f64) -> (Decibels, usize) {
        let allowed = Decibels(-2.0);
        let mut search = Search::new(Lufs(target), allowed, Lufs(-12.0), Decibels(reduction_max));
        let mut count = 0;
        while let Some(gain) = search.next() {
            search.learn(Some(loudness(gain)), gain - allowed + Decibels(margin));
            count += 1;
        }
        (search.best(), count)
    }

    #[test]
    fn search_finds_the_gain_in_a_few_rehearsals() {
        for target in [-11.9, -11.0, -10.5, -10.0] {
            let (gain, count) = search(target, 6.0, 0.03);
            assert!((loudness(gain).0 - target).abs() <= CLOSE_LU, "{target}: {gain}");
            assert!(count <= 4, "{target}: {count}");
        }
    }

    #[test]
    fn search_stops_at_the_largest_reduction() {
        let (gain, count) = search(-9.0, 3.0, 0.03);
        assert_eq!(gain, Decibels(0.97));
        assert_eq!(count, 2);
        let (gain, count) = search(-9.0, 3.0, 0.0);
        assert_eq!((gain, count), (Decibels(1.0), 1));
    }

    #[test]
    fn gain_that_is_given_stays_whatever_it_needs() {
        let mut search = Search::fixed(Decibels(4.0));
        assert_eq!(search.next(), Some(Decibels(4.0)));
        assert!(search.learn(Some(Lufs(-9.0)), Decibels(30.0)));
        assert_eq!((search.next(), search.best()), (None, Decibels(4.0)));
        assert!(!search.is_bound());
    }

    #[test]
    fn one_rehearsal_keeps_its_gain() {
        let mut search = Search::of_one(Decibels::ZERO, Decibels(-2.0), Decibels(6.0));
        assert_eq!(search.next(), Some(Decibels::ZERO));
        assert!(search.learn(None, Decibels(2.03)));
        assert_eq!((search.next(), search.best()), (None, Decibels::ZERO));
        let search = Search::of_one(Decibels::ZERO, Decibels(-9.0), Decibels(6.0));
        assert_eq!(search.next(), Some(Decibels(-3.0)));
    }
}
