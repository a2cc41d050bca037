//! How long each call of a module may take.

use crate::allowance::Allowance;
use crate::limits;
use crate::sandbox::Mode;
use crate::ticker;
use std::time::Duration;
use wavemill_core::units::SampleRate;

/// Time for each operation; all but compiling in ticks. Made of [`limits`]; tests make shorter ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budgets {
    /// Compiling.
    pub(crate) compile: Duration,
    /// Instantiating, `_initialize`, `fx_describe` and `fx_error`, each.
    pub(crate) describe: u64,
    /// `fx_create` with all that belongs to it.
    pub(crate) create: u64,
    /// Least time of a call while audio runs.
    pub(crate) call: u64,
    /// A call's time as a multiple of the duration of its frames.
    pub(crate) call_factor: u32,
    /// Time of all calls for one file beyond `file_factor` times its duration; `None` in a live stream,
    /// which has no end, and whose calls have an [`Allowance`].
    pub(crate) file: Option<u64>,
    /// See `file`.
    pub(crate) file_factor: u32,
}

impl Budgets {
    pub(crate) fn of(mode: Mode) -> Self {
        let ticks = |time| ticker::of(mode).ticks(time);
        let file = Self {
            compile: limits::COMPILE_TIME_MAX,
            describe: ticks(limits::DESCRIBE_TIME_MAX),
            create: ticks(limits::CREATE_TIME_MAX),
            call: ticks(limits::BLOCK_TIME_MIN),
            call_factor: limits::BLOCK_TIME_FACTOR,
            file: Some(ticks(limits::FILE_TIME_MIN)),
            file_factor: limits::FILE_TIME_FACTOR,
        };
        match mode {
            Mode::File | Mode::Metered => file,
            Mode::Live => Self {
                call: ticks(limits::LIVE_TIME_MIN),
                call_factor: limits::LIVE_TIME_FACTOR,
                file: None,
                ..file
            },
        }
    }
}

/// One in fixed-point numbers with 32 binary places.
const Q32: f64 = 4_294_967_296.0;

/// Time of one instance's calls on one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAccount {
    budgets: Budgets,
    /// Ticks a frame lasts, times the factor of a call, in units of 2^-32 ticks: integers, because this
    /// is asked for every call.
    call_ticks_per_frame_q32: u64,
    /// Ticks a frame lasts, times the factor of a file.
    file_ticks_per_frame: f64,
    /// Ticks that passed inside calls.
    spent: u64,
}

impl TimeAccount {
    pub(crate) fn new(budgets: Budgets, rate: SampleRate, tick: Duration) -> Self {
        let ticks_per_frame = 1.0 / (f64::from(rate.0) * tick.as_secs_f64());
        Self {
            budgets,
            call_ticks_per_frame_q32: whole(
                (ticks_per_frame * f64::from(budgets.call_factor) * Q32).ceil(),
            ),
            file_ticks_per_frame: ticks_per_frame * f64::from(budgets.file_factor),
            spent: 0,
        }
    }

    /// What calls for `frames` frames get where nobody says what all of them may take.
    pub(crate) fn usual(&self, frames: usize) -> Allowance {
        let duration = (frames as u64 * self.call_ticks_per_frame_q32) >> 32;
        Allowance::of_ticks(self.budgets.call.max(duration + 1))
    }

    /// Ticks a call for `frames` frames gets when `position` frames were processed before; `None`
    /// when the file has none left. A file has time of its own, a live call that of its allowance.
    pub(crate) fn deadline(
        &self,
        frames: usize,
        position: u64,
        allowance: &Allowance,
    ) -> Option<u64> {
        let Some(file) = self.budgets.file else { return Some(allowance.deadline()) };
        let call = self.usual(frames).deadline();
        if self.spent.saturating_add(call) <= file {
            return Some(call);
        }
        let processed = position.saturating_add(frames as u64) as f64;
        let allowed = file.saturating_add(whole(processed * self.file_ticks_per_frame));
        let left = allowed.saturating_sub(self.spent);
        (left > 0).then_some(call.min(left))
    }

    /// A call took this many ticks.
    pub(crate) fn add(&mut self, ticks: u64, allowance: &mut Allowance) {
        self.spent = self.spent.saturating_add(ticks);
        allowance.spend(ticks);
    }

    /// Another file begins.
    pub(crate) fn restart(&mut self) {
        self.spent = 0;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; `as` saturates, and a budget of 2^64 ticks is none"
)]
fn whole(ticks: f64) -> u64 {
    ticks as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(48_000);

    #[test]
    fn budgets_of_files_are_the_limits() {
        let budgets = Budgets::of(Mode::File);
        assert_eq!(budgets.compile, Duration::from_secs(10));
        assert_eq!((budgets.describe, budgets.create, budgets.call), (101, 1001, 101));
        assert_eq!((budgets.call_factor, budgets.file, budgets.file_factor), (50, Some(6001), 20));
        assert_eq!(budgets, Budgets::of(Mode::Metered));
    }

    #[test]
    fn budgets_of_live_calls_are_short_and_have_no_end() {
        let budgets = Budgets::of(Mode::Live);
        assert_eq!((budgets.describe, budgets.create), (2_001, 20_001));
        assert_eq!((budgets.call, budgets.call_factor, budgets.file), (41, 4, None));
    }

    fn file() -> TimeAccount {
        TimeAccount::new(Budgets::of(Mode::File), RATE, limits::TICK)
    }

    fn deadline(account: &TimeAccount, frames: usize, position: u64) -> Option<u64> {
        // What is left of an allowance says nothing in a file.
        account.deadline(frames, position, &Allowance::of_ticks(3))
    }

    #[test]
    fn long_block_gets_a_multiple_of_its_duration() {
        // 48,000 frames last 1 s = 100 ticks; 50 times that, and the tick under way.
        assert_eq!(deadline(&file(), 48_000, 0), Some(5_001));
        assert_eq!(deadline(&file(), 64, 0), Some(101));
    }

    #[test]
    fn file_gets_its_least_time_and_a_multiple_of_its_duration() {
        let mut spending = file();
        let mut none = Allowance::of_ticks(0);
        spending.add(6_000, &mut none);
        assert_eq!(deadline(&spending, 1, 0), Some(1));
        spending.add(1, &mut none);
        assert_eq!(deadline(&spending, 1, 0), None);
        // One second of audio is worth 20 s.
        assert_eq!(deadline(&spending, 24_000, 24_000), Some(2_000));
        spending.restart();
        assert_eq!(deadline(&spending, 1, 0), Some(101));
    }

    #[test]
    fn live_call_gets_what_is_left_of_its_allowance() {
        let mut live = TimeAccount::new(Budgets::of(Mode::Live), RATE, limits::LIVE_TICK);
        let mut allowance = Allowance::of_ticks(7);
        live.add(3, &mut allowance);
        assert_eq!(live.deadline(64, 0, &allowance), Some(4));
    }

    #[test]
    fn live_call_without_an_allowance_gets_four_times_its_duration() {
        let live = TimeAccount::new(Budgets::of(Mode::Live), RATE, limits::LIVE_TICK);
        assert_eq!(live.usual(64).deadline(), 41);
        assert_eq!(live.usual(4_800).deadline(), 801);
    }
}
