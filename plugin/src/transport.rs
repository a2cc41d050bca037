//! What the DAW's transport means for meters and captures.

/// What the transport says about one block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Transport {
    pub(crate) is_playing: bool,
    /// Place in the song, in frames, where the DAW reports it.
    pub(crate) position: Option<i64>,
    /// First frame of the loop and the first behind it, where one is active.
    pub(crate) cycle: Option<(i64, i64)>,
}

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransportRules {
    /// Pause while the transport is stopped.
    pub(crate) follows: bool,
    /// Begin anew when it starts, or jumps.
    pub(crate) resets: bool,
}

/// What the meters do with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Measure,
    /// Forget everything, then measure.
    Restart,
    Pause,
}

/// Follows the transport from block to block. Real-time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Follower {
    was_playing: bool,
    /// A DAW that never plays has no transport worth following.
    has_played: bool,
    /// Where the next block begins if nothing jumps.
    expected: Option<i64>,
}

impl Follower {
    /// The stream begins anew, as it does with each start of processing; whether the DAW has a transport worth
    /// following stays known.
    pub(crate) fn reset(&mut self) {
        *self = Self { has_played: self.has_played, ..Self::default() };
    }

    /// What to do with a block of this many frames.
    pub(crate) fn order(&mut self, now: Transport, frames: usize, habits: TransportRules) -> Order {
        let starts = now.is_playing && !self.was_playing;
        let jumps = now.is_playing && self.was_playing && self.has_jumped(now);
        self.was_playing = now.is_playing;
        self.has_played |= now.is_playing;
        self.expected = now
            .position
            .filter(|_| now.is_playing)
            .map(|position| position.saturating_add(i64::try_from(frames).unwrap_or(i64::MAX)));
        if habits.follows && self.has_played && !now.is_playing {
            Order::Pause
        } else if habits.resets && (starts || jumps) {
            Order::Restart
        } else {
            Order::Measure
        }
    }

    /// Whether the place is another than expected, and not the begin of a loop that was played to its
    /// end. DAWs that count in beats or seconds round by a frame.
    fn has_jumped(&self, now: Transport) -> bool {
        /// Rounding of beats at extreme tempos.
        const SLACK: i64 = 2;
        let (Some(expected), Some(position)) = (self.expected, now.position) else { return false };
        if position.abs_diff(expected) <= SLACK.unsigned_abs() {
            return false;
        }
        let is_cycle = now.cycle.is_some_and(|(start, end)| {
            // A block may reach over the loop's end: what it played behind is then behind the start.
            let over = expected - end;
            over >= -SLACK && (position - (start + over.max(0))).abs() <= SLACK
        });
        !is_cycle
    }
}

#[cfg(test)]
mod tests {
    use super::Order::{Measure, Pause, Restart};
    use super::*;

    const BOTH: TransportRules = TransportRules { follows: true, resets: true };

    fn playing(position: i64) -> Transport {
        Transport { is_playing: true, position: Some(position), cycle: None }
    }

    fn orders(habits: TransportRules, blocks: &[Transport]) -> Vec<Order> {
        let mut follower = Follower::default();
        blocks.iter().map(|block| follower.order(*block, 64, habits)).collect()
    }

    #[test]
    fn host_without_a_transport_is_measured() {
        let still = Transport::default();
        assert_eq!(orders(BOTH, &[still; 3]), [Measure; 3]);
    }

    #[test]
    fn meters_pause_with_the_transport_and_begin_anew_with_it() {
        let still = Transport { position: Some(128), ..Transport::default() };
        let blocks = [playing(0), playing(64), still, still, playing(128), playing(192)];
        assert_eq!(orders(BOTH, &blocks), [Restart, Measure, Pause, Pause, Restart, Measure]);
        let habits = TransportRules { follows: false, resets: false };
        assert_eq!(orders(habits, &blocks), [Measure; 6]);
    }

    #[test]
    fn reset_keeps_the_meters_paused_while_the_transport_stands() {
        let mut follower = Follower::default();
        let still = Transport { position: Some(64), ..Transport::default() };
        assert_eq!(follower.order(playing(0), 64, BOTH), Restart);
        assert_eq!(follower.order(still, 64, BOTH), Pause);
        follower.reset();
        assert_eq!(follower.order(still, 64, BOTH), Pause);
        assert_eq!(follower.order(playing(9_600), 64, BOTH), Restart);
    }

    #[test]
    fn jump_while_playing_begins_anew() {
        let blocks = [playing(0), playing(64), playing(9_600), playing(9_664)];
        assert_eq!(orders(BOTH, &blocks), [Restart, Measure, Restart, Measure]);
        let habits = TransportRules { resets: false, ..BOTH };
        assert_eq!(orders(habits, &blocks), [Measure; 4]);
    }

    #[test]
    fn loop_is_no_jump() {
        let at = |position| Transport { cycle: Some((0, 160)), ..playing(position) };
        // The third block reaches 32 frames over the loop's end.
        let blocks = [at(0), at(64), at(128), at(32), at(96), at(160 - 160)];
        assert_eq!(orders(BOTH, &blocks), [Restart, Measure, Measure, Measure, Measure, Measure]);
    }

    #[test]
    fn rounded_positions_are_no_jump() {
        let blocks = [playing(0), playing(65), playing(128), playing(191)];
        assert_eq!(orders(BOTH, &blocks), [Restart, Measure, Measure, Measure]);
    }
}
