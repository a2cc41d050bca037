//! The gain before a limiter that gives a loudness behind it.

use wavemill_audio::units::{Dbtp, Decibels, Lufs};

/// Distance to the target that ends the search: a third of what the step promises.
const CLOSE_LU: f64 = 0.03;

/// Rehearsals at most; two or three are usual, more where the target is out of reach.
const REHEARSALS_MAX: usize = 9;

/// What a decibel of gain brings at first where peaks are limited, on dense music; the second rehearsal
/// knows better.
pub(super) const FIRST_SLOPE: f64 = 0.75;

/// LU that another decibel of gain must bring at least.
const SLOPE_MIN: f64 = 0.1;

/// Most by which a rehearsal goes beyond what is known.
const STEP_DB_MAX: f64 = 6.0;

/// How closely the gain is found from which on a decibel brings less than [`SLOPE_MIN`].
const KNEE_DB: f64 = 1.0;

/// Smallest step of a gain.
const GAIN_STEP_DB: f64 = 0.001;

/// What came out with a gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) gain: Decibels,
    /// `None` for silence, as is the peak.
    pub(super) loudness: Option<Lufs>,
    pub(super) true_peak: Option<Dbtp>,
}

/// Why the target is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// It would need more reduction than is allowed.
    Reduction,
    /// More gain makes it hardly louder.
    Saturation,
    /// No gain was found in so many rehearsals.
    Rehearsals,
}

/// Looks for the gain in a few rehearsals: by straight lines between what is known on both sides of the
/// target. The louder a signal comes in, the louder it goes out, and the less each further decibel
/// brings; where that is next to nothing the search ends.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// `None` where only one gain is of interest.
    target: Option<Lufs>,
    reduction_max: Decibels,
    /// The largest gain that may be tried.
    gain_max: Decibels,
    /// Sorted by gain; the first is what the file is without a limiter.
    known: Vec<Outcome>,
    rehearsals: usize,
    next: Option<Decibels>,
    best: Option<Outcome>,
    bound: Option<Bound>,
}

impl Search {
    /// For a file whose outcome at the largest gain that the limiter would not change is `plain`.
    pub(super) fn new(target: Lufs, plain: Outcome, reduction_max: Decibels) -> Self {
        let gain_max = (plain.gain + reduction_max).rounded_down();
        let mut search = Self::of(Some(target), gain_max, reduction_max);
        search.known.push(plain);
        search.next = search.choose();
        search
    }

    /// One rehearsal with a gain, or with less where that would need more than `reduction_max`.
    pub(super) fn of_one(gain: Decibels, allowed: Decibels, reduction_max: Decibels) -> Self {
        let gain_max = (allowed + reduction_max).rounded_down();
        let mut search = Self::of(None, gain_max, reduction_max);
        search.next = Some(if gain > gain_max { gain_max } else { gain });
        search
    }

    /// One rehearsal with a gain that is given, whatever it needs.
    pub(super) fn fixed(gain: Decibels) -> Self {
        Self { next: Some(gain), ..Self::of(None, gain, Decibels(f64::INFINITY)) }
    }

    fn of(target: Option<Lufs>, gain_max: Decibels, reduction_max: Decibels) -> Self {
        Self {
            target,
            reduction_max,
            gain_max,
            known: Vec::new(),
            rehearsals: 0,
            next: None,
            best: None,
            bound: None,
        }
    }

    /// The gain to rehearse next; `None` when the search is over.
    pub(super) fn next(&self) -> Option<Decibels> {
        self.next
    }

    /// The best gain known.
    pub(super) fn best(&self) -> Decibels {
        self.best.map(|best| best.gain).or(self.next).unwrap_or(self.gain_max)
    }

    /// What came out with it, if it was rehearsed.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.best
    }

    /// Why the target is missed; `None` where it is not.
    pub(super) fn bound(&self) -> Option<Bound> {
        self.bound
    }

    /// Takes what the rehearsal of [`Self::next`] gave.
    pub(super) fn learn(
        &mut self,
        loudness: Option<Lufs>,
        true_peak: Option<Dbtp>,
        reduction: Decibels,
    ) {
        let Some(gain) = self.next.take() else { return };
        self.rehearsals += 1;
        let excess = reduction - self.reduction_max;
        if excess.0 > GAIN_STEP_DB / 2.0 {
            // The limiter adds a little for its own safety.
            self.gain_max = (gain - excess).rounded_down();
        }
        let here = Outcome { gain, loudness, true_peak };
        if self.target.is_none() || loudness.is_none() {
            self.best = Some(here);
            let is_over = gain <= self.gain_max || self.rehearsals >= REHEARSALS_MAX;
            self.next = (!is_over).then_some(self.gain_max);
            return;
        }
        let place = self.known.partition_point(|known| known.gain < gain);
        self.known.insert(place, here);
        self.next = self.choose();
    }

    /// The same search for a ceiling lower by `by` and a target higher by `louder`, with the gain estimated
    /// from what is known: a limiter does the same to a signal that is quieter by as much as its ceiling is
    /// lower.
    pub(super) fn lowered(&self, by: Decibels, louder: Decibels) -> Self {
        let mut search = Self { gain_max: self.gain_max - by, ..self.clone() };
        let Some(target) = self.target.map(|target| target + louder) else {
            // What is given stays, and is only reduced by more.
            let gain = self.best();
            let gain = if gain > search.gain_max { search.gain_max } else { gain };
            let lost = Decibels(by.0 * (1.0 - FIRST_SLOPE));
            search.best = self.best.map(|best| Outcome {
                gain,
                loudness: best.loudness.map(|loudness| loudness + -lost),
                true_peak: best.true_peak.map(|peak| peak + -by),
            });
            return search;
        };
        for known in search.known.iter_mut().chain(&mut search.best) {
            known.gain = known.gain - by;
            known.loudness = known.loudness.map(|loudness| loudness + -by);
            known.true_peak = known.true_peak.map(|peak| peak + -by);
        }
        let true_peak = search.best.and_then(|best| best.true_peak);
        // A target that was out of reach is farther away now.
        if matches!(self.bound, None | Some(Bound::Rehearsals)) {
            let gain = search.estimated_gain(target).rounded();
            let gain = if gain > search.gain_max { search.gain_max } else { gain };
            let loudness = search.estimated_loudness(gain);
            search.best = Some(Outcome { gain, loudness, true_peak });
            let is_short = loudness.is_none_or(|loudness| (target - loudness).0 > CLOSE_LU);
            search.bound = (is_short && gain >= search.gain_max).then_some(Bound::Reduction);
        }
        search
    }

    /// Sets what is best so far, and gives the gain to rehearse next.
    fn choose(&mut self) -> Option<Decibels> {
        let target = self.target?;
        let short = |known: &Outcome| known.loudness.map_or(0.0, |it| (target - it).0);
        let may_be = |known: &&Outcome| known.gain <= self.gain_max;
        let rehearsed = self.known.iter().skip(1).filter(may_be);
        self.best = rehearsed.min_by(|a, b| short(a).abs().total_cmp(&short(b).abs())).copied();
        if self.best.is_some_and(|best| short(&best).abs() <= CLOSE_LU) {
            self.bound = None;
            return None;
        }
        let knee = self.knee();
        let saturated = knee.filter(|&knee| short(&self.known[knee]) > CLOSE_LU);
        let gain = if let Some(knee) = saturated {
            self.bound = Some(Bound::Saturation);
            // What the knee itself reaches is the best, unless that must still be rehearsed.
            self.best = (knee > 0).then_some(self.known[knee]).or(self.best);
            self.around(knee)
        } else {
            let gain = self.estimated_gain(target).rounded();
            let is_bound = gain >= self.gain_max;
            self.bound = Some(if is_bound { Bound::Reduction } else { Bound::Rehearsals });
            Some(if is_bound { self.gain_max } else { gain })
        };
        let is_new = |gain: &Decibels| {
            self.known.iter().skip(1).all(|it| (it.gain - *gain).0.abs() >= GAIN_STEP_DB / 2.0)
        };
        gain.filter(is_new).filter(|_| self.rehearsals < REHEARSALS_MAX)
    }

    /// The first of what is known from which on a decibel brings too little.
    fn knee(&self) -> Option<usize> {
        (1..self.known.len()).map(|next| next - 1).find(|&index| self.slope(index) < SLOPE_MIN)
    }

    /// What a decibel brings from one of the known gains to the next.
    fn slope(&self, index: usize) -> f64 {
        let (low, high) = (self.known[index], self.known[index + 1]);
        let rise = low.loudness.zip(high.loudness).map_or(0.0, |(low, high)| (high - low).0);
        rise / (high.gain - low.gain).0
    }

    /// What each of `distance` decibels more than the largest known gain brings: less than those before
    /// it by as much as they bring less than the ones before them.
    fn slope_beyond(&self, distance: Decibels) -> f64 {
        let Some(last) = self.known.len().checked_sub(2) else { return FIRST_SLOPE };
        let width = |index: usize| (self.known[index + 1].gain - self.known[index].gain).0;
        let mean = self.slope(last);
        let (before, span) = match last.checked_sub(1) {
            Some(before) => (self.slope(before), width(last) + width(before)),
            // Where limiting begins, a decibel brings a decibel, but that is soon over: half as much
            // bend is nearest the truth of dense music.
            None => (1.0, 2.0 * width(last)),
        };
        let bent = mean + (mean - before) / span * (width(last) + distance.0);
        bent.max(mean / 2.0).min(mean)
    }

    /// A gain in the wider gap beside a known one, where that is wide.
    fn around(&self, knee: usize) -> Option<Decibels> {
        let gain = |index: usize| self.known[index].gain;
        let middle =
            |index: usize| Decibels(f64::midpoint(gain(index).0, gain(index + 1).0)).rounded();
        let width = |index: usize| (gain(index + 1) - gain(index)).0;
        let before = knee.checked_sub(1).filter(|&index| width(index) > KNEE_DB);
        let behind = Some(knee).filter(|&index| width(index) > KNEE_DB);
        let wider = match (before, behind) {
            (Some(before), Some(behind)) if width(before) > width(behind) => Some(before),
            (before, behind) => behind.or(before),
        };
        wider.map(middle)
    }

    /// The gain at which a line through what is known reaches the target: between the neighbors on both
    /// sides of it, or on from the loudest.
    fn estimated_gain(&self, target: Lufs) -> Decibels {
        let is_louder = |known: &Outcome| known.loudness.is_some_and(|it| it > target);
        let above = self.known.iter().position(is_louder);
        let index = above.unwrap_or(self.known.len()).saturating_sub(1);
        let from = self.known[index];
        let distance = from.loudness.map_or(0.0, |loudness| (target - loudness).0);
        let is_between = above.is_some() && index + 1 < self.known.len();
        let step = |slope: f64| Decibels((distance / slope.max(SLOPE_MIN)).min(STEP_DB_MAX));
        if is_between {
            return from.gain + step(self.slope(index));
        }
        let straight = step(self.slope_beyond(Decibels::ZERO));
        from.gain + step(self.slope_beyond(straight))
    }

    fn estimated_loudness(&self, gain: Decibels) -> Option<Lufs> {
        let above = self.known.iter().position(|known| known.gain > gain);
        let index = above.unwrap_or(self.known.len()).saturating_sub(1);
        let is_between = above.is_some() && index + 1 < self.known.len();
        let from = self.known[index];
        let distance = gain - from.gain;
        let slope = if is_between { self.slope(index) } else { self.slope_beyond(distance) };
        Some(from.loudness? + Decibels(distance.0 * slope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Decibels = Decibels(-2.0);

    /// A file of -10 LUFS whose peaks allow -2 dB: beyond that each decibel brings less.
    fn bent(gain: Decibels) -> Lufs {
        let above = gain.0 + 2.0;
        Lufs(-12.0 + above - 0.09 * above * above)
    }

    /// One that 5 dB of reduction make as loud as it gets.
    fn saturating(gain: Decibels) -> Lufs {
        Lufs(-12.0 + 3.0 * ((gain.0 + 2.0) / 3.0).tanh())
    }

    /// Louder by little at first, then by more, as music that is loud in few places.
    fn uneven(gain: Decibels) -> Lufs {
        let above = gain.0 + 2.0;
        Lufs(-12.0 + if above < 3.0 { 0.95 * above } else { 2.85 + 0.3 * (above - 3.0) })
    }

    struct Found {
        search: Search,
        count: usize,
    }

    fn search(
        of: fn(Decibels) -> Lufs,
        target: f64,
        reduction_max: f64,
        margin: f64,
        ceiling_below: f64,
    ) -> Found {
        let by = Decibels(ceiling_below);
        let plain =
            Outcome { gain: ALLOWED - by, loudness: Some(Lufs(-12.0) + -by), true_peak: None };
        let mut search = Search::new(Lufs(target), plain, Decibels(reduction_max));
        let mut count = 0;
        while let Some(gain) = search.next() {
            let loudness = of(gain + by) + -by;
            search.learn(Some(loudness), None, gain + by - ALLOWED + Decibels(margin));
            count += 1;
        }
        Found { search, count }
    }

    #[test]
    fn search_finds_the_gain_in_a_few_rehearsals() {
        for of in [bent, saturating, uneven] {
            for target in [-11.9, -11.0, -10.5, -10.0, -9.5] {
                let Found { search, count } = search(of, target, 12.0, 0.03, 0.0);
                let gain = search.best();
                assert!((of(gain).0 - target).abs() <= CLOSE_LU, "{target}: {gain}");
                assert!(count <= 5, "{target}: {count}");
                assert_eq!(search.bound(), None);
            }
        }
    }

    #[test]
    fn search_stops_at_the_largest_reduction() {
        let Found { search: found, count } = search(bent, -9.0, 3.0, 0.03, 0.0);
        assert_eq!(found.best(), Decibels(0.97));
        assert_eq!((count, found.bound()), (2, Some(Bound::Reduction)));
        let Found { search: found, count } = search(bent, -9.0, 3.0, 0.0, 0.0);
        assert_eq!((found.best(), count), (Decibels(1.0), 1));
    }

    /// 7 dB of reduction make 0.06 LU less than 20 dB do.
    #[test]
    fn search_stops_where_a_decibel_brings_less_than_a_tenth() {
        let Found { search, count } = search(saturating, -6.0, 20.0, 0.0, 0.0);
        assert_eq!(search.bound(), Some(Bound::Saturation));
        let gain = search.best();
        let here = saturating(gain).0;
        assert!(saturating(gain + Decibels(1.0)).0 - here < SLOPE_MIN, "{gain}");
        assert!(here - saturating(gain - Decibels(1.0)).0 > SLOPE_MIN, "{gain}");
        assert!(count <= REHEARSALS_MAX);
        assert_eq!(search.outcome().unwrap().loudness, Some(saturating(gain)));
    }

    #[test]
    fn lowered_ceiling_keeps_the_target_without_a_rehearsal() {
        for by in [0.1, 0.5, 1.0] {
            let found =
                search(bent, -10.5, 6.0, 0.03, 0.0).search.lowered(Decibels(by), Decibels::ZERO);
            let gain = found.best();
            let loudness = bent(gain + Decibels(by)) + Decibels(-by);
            assert!((loudness.0 + 10.5).abs() < 0.1, "{by}: {loudness}");
            let estimated = found.outcome().unwrap().loudness.unwrap();
            assert!((estimated - loudness).0.abs() < 0.1, "{by}: {estimated}");
            assert_eq!(found.bound(), None);
            // As a search at that ceiling would have found it.
            let anew = search(bent, -10.5, 6.0, 0.03, by).search.best();
            assert!((anew - gain).0.abs() < 0.2, "{anew} {gain}");
        }
        let bound = search(bent, -9.0, 3.0, 0.0, 0.0).search.lowered(Decibels(0.5), Decibels::ZERO);
        assert_eq!((bound.best(), bound.bound()), (Decibels(0.5), Some(Bound::Reduction)));
    }

    #[test]
    fn gain_that_is_given_stays_whatever_it_needs() {
        let mut search = Search::fixed(Decibels(4.0));
        assert_eq!(search.next(), Some(Decibels(4.0)));
        search.learn(Some(Lufs(-9.0)), None, Decibels(30.0));
        assert_eq!((search.next(), search.best()), (None, Decibels(4.0)));
        assert_eq!(search.bound(), None);
    }

    #[test]
    fn one_rehearsal_keeps_its_gain() {
        let mut search = Search::of_one(Decibels::ZERO, Decibels(-2.0), Decibels(6.0));
        assert_eq!(search.next(), Some(Decibels::ZERO));
        search.learn(None, None, Decibels(2.03));
        assert_eq!((search.next(), search.best()), (None, Decibels::ZERO));
        let search = Search::of_one(Decibels::ZERO, Decibels(-9.0), Decibels(6.0));
        assert_eq!(search.next(), Some(Decibels(-3.0)));
    }
}
