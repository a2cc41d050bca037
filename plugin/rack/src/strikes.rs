//! How often a slot's instances broke lately.

use std::time::{Duration, Instant};

/// A fault counts for so long.
const MEMORY: Duration = Duration::from_mins(1);

/// So many faults within [`MEMORY`], and the slot stays dry.
const STRIKES_MAX: usize = 3;

/// The last faults.
#[derive(Debug, Default)]
pub(crate) struct Strikes([Option<Instant>; STRIKES_MAX]);

impl Strikes {
    /// One more; whether it was one too many.
    pub(crate) fn add(&mut self, now: Instant) -> bool {
        self.0.rotate_left(1);
        self.0[STRIKES_MAX - 1] = Some(now);
        self.0.iter().all(|at| at.is_some_and(|at| now.saturating_duration_since(at) < MEMORY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_a_minute_are_too_many_and_old_ones_are_forgotten() {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut strikes = Strikes::default();
        assert!(!strikes.add(at(0)));
        assert!(!strikes.add(at(10)));
        assert!(!strikes.add(at(61)), "the first one is forgotten");
        assert!(strikes.add(at(69)));
    }
}
