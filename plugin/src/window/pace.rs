//! When the next picture is due.

use std::time::{Duration, Instant};

/// Time between two pictures while something changes: with those of [`WATCH_TIME`] no more than 30 a second.
const FRAME_TIME: Duration = Duration::from_millis(34);

/// The same while nothing does.
const IDLE_TIME: Duration = Duration::from_millis(250);

/// How long an editor stands still at most when the picture of an appointment is not drawn: `baseview` 0.4.2
/// drops one when the display's count of frames does not grow, as it may when a window changes its screen.
const WATCH_TIME: Duration = Duration::from_secs(2);

/// One appointment of a kind at a time. The window keeps every one it is given, so pictures between two (the
/// pointer moves, a key is pressed) must not make more of them: they would never end.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    due: Option<Instant>,
    watch: Option<Instant>,
}

impl Pace {
    /// The appointments to make after a picture drawn at `now`; `None` where one stands already.
    pub(crate) fn pauses(&mut self, now: Instant, is_restless: bool) -> [Option<Duration>; 2] {
        let pause = if is_restless { FRAME_TIME } else { IDLE_TIME };
        [(&mut self.due, pause), (&mut self.watch, WATCH_TIME)].map(|(due, pause)| {
            if due.is_some_and(|due| now < due && due <= now + pause) {
                return None;
            }
            *due = Some(now + pause);
            Some(pause)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_in_between_make_no_further_appointments() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.pauses(begin, true), [Some(FRAME_TIME), Some(WATCH_TIME)]);
        for passed_ms in [1, 10, 33] {
            assert_eq!(pace.pauses(begin + Duration::from_millis(passed_ms), true), [None; 2]);
        }
        assert_eq!(pace.pauses(begin + FRAME_TIME, true), [Some(FRAME_TIME), None]);
    }

    #[test]
    fn first_change_after_a_rest_is_followed_soon() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.pauses(begin, false)[0], Some(IDLE_TIME));
        let changed = begin + Duration::from_millis(100);
        assert_eq!(pace.pauses(changed, true)[0], Some(FRAME_TIME));
        assert_eq!(pace.pauses(begin + IDLE_TIME, true)[0], Some(FRAME_TIME));
    }

    /// A window that draws what it is asked for, but for every 7th picture.
    #[test]
    fn lost_pictures_do_not_stop_the_editor() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let mut asked = vec![begin];
        let (mut drawn_at, mut longest) = (begin, Duration::ZERO);
        for count in 1..1000 {
            asked.sort();
            let now = asked.remove(0);
            if count % 7 == 0 {
                continue;
            }
            longest = longest.max(now - drawn_at);
            drawn_at = now;
            asked.extend(pace.pauses(now, true).into_iter().flatten().map(|pause| now + pause));
        }
        assert!(longest > FRAME_TIME && longest <= 2 * WATCH_TIME, "{longest:?}");
        assert!(drawn_at - begin < Duration::from_secs(1000));
    }

    #[test]
    fn pictures_of_a_second_are_thirty_at_most() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let (mut asked, mut count) = (vec![begin], 0);
        while let Some(now) = asked.pop().filter(|now| *now < begin + Duration::from_secs(10)) {
            count += 1;
            asked.extend(pace.pauses(now, true).into_iter().flatten().map(|pause| now + pause));
            asked.sort_by(|one, other| other.cmp(one));
        }
        assert!((280..=300).contains(&count), "{count} in ten seconds");
    }
}
