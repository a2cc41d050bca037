//! When the next picture is due.

use std::time::{Duration, Instant};

/// Time between two pictures while something changes.
const FRAME_TIME: Duration = Duration::from_millis(33);

/// The same while nothing does.
const IDLE_TIME: Duration = Duration::from_millis(250);

/// One appointment at a time. The framework keeps every one it is given, so pictures between two (the
/// pointer moves, a key is pressed) must not make more of them: they would never end.
#[derive(Debug, Default)]
pub(super) struct Pace {
    due: Option<Instant>,
}

impl Pace {
    /// How long to wait after a picture drawn at `now`; `None` where an appointment stands already.
    pub(super) fn pause(&mut self, now: Instant, is_restless: bool) -> Option<Duration> {
        let pause = if is_restless { FRAME_TIME } else { IDLE_TIME };
        if self.due.is_some_and(|due| now < due && due <= now + pause) {
            return None;
        }
        self.due = Some(now + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_in_between_make_no_further_appointments() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.pause(begin, true), Some(FRAME_TIME));
        for passed_ms in [1, 10, 32] {
            assert_eq!(pace.pause(begin + Duration::from_millis(passed_ms), true), None);
        }
        assert_eq!(pace.pause(begin + FRAME_TIME, true), Some(FRAME_TIME));
    }

    #[test]
    fn first_change_after_a_rest_is_followed_soon() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.pause(begin, false), Some(IDLE_TIME));
        let heard = begin + Duration::from_millis(100);
        assert_eq!(pace.pause(heard, true), Some(FRAME_TIME));
        assert_eq!(pace.pause(begin + IDLE_TIME, true), Some(FRAME_TIME));
    }
}
