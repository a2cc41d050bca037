//! Where ticks stand and what they say.

/// Steps of a time axis, in seconds: those that people count in.
const TIME_STEPS_S: &[f64] = &[
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0,
];

/// A mark and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// Ticks of times from `start_s` to `end_s`, at most `count_max` of them.
pub(super) fn time_ticks(start_s: f64, end_s: f64, count_max: f64) -> Vec<Tick> {
    let span_s = end_s - start_s;
    if span_s <= 0.0 || count_max < 1.0 {
        return Vec::new();
    }
    let fits = |step: &&f64| span_s / **step <= count_max;
    let longest = TIME_STEPS_S[TIME_STEPS_S.len() - 1];
    let step_s = TIME_STEPS_S.iter().find(fits).copied().unwrap_or_else(|| {
        // Longer than a week: whole multiples of the longest step.
        longest * (span_s / longest / count_max).ceil()
    });
    multiples(start_s, end_s, step_s)
        .map(|at| Tick { at, label: time_label(at, step_s, end_s) })
        .collect()
}

/// Multiples of a step from `start` to `end`.
pub(super) fn multiples(start: f64, end: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (start / step - 1e-9).ceil();
    // Each from its number: a sum would drift.
    (0u32..)
        .map(move |index| (first + f64::from(index)) * step)
        .take_while(move |&at| at <= end + step * 1e-9)
}

/// `0:05`, `1:00:05`, `1:01.1`, or `2.5 ms` where everything is within a second.
fn time_label(at_s: f64, step_s: f64, end_s: f64) -> String {
    if end_s < 1.0 {
        let digits = decimals(step_s * 1000.0);
        return format!("{:.digits$} ms", at_s * 1000.0);
    }
    clock(at_s, decimals(step_s))
}

/// Decimals that a multiple of `step` needs, as far as a label has room.
fn decimals(step: f64) -> usize {
    const DECIMALS_MAX: usize = 6;
    let is_enough = |digits: &usize| {
        let scaled = step * 10f64.powi(i32::try_from(*digits).unwrap_or_default());
        (scaled - scaled.round()).abs() < 1e-6 && scaled.round() >= 1.0
    };
    (0..=DECIMALS_MAX).find(is_enough).unwrap_or(DECIMALS_MAX)
}

/// A time as `m:ss` or `h:mm:ss`, with decimals.
fn clock(at_s: f64, digits: usize) -> String {
    let scale = 10f64.powi(i32::try_from(digits).unwrap_or_default());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times are not negative, and `as` saturates"
    )]
    let whole = (at_s * scale).round() as u64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small power of ten"
    )]
    let per_second = scale as u64;
    let (seconds, part) = (whole / per_second, whole % per_second);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let part = if digits > 0 { format!(".{part:0digits$}") } else { String::new() };
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}{part}")
    } else {
        format!("{minutes}:{seconds:02}{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start_s: f64, end_s: f64) -> Vec<String> {
        time_ticks(start_s, end_s, 10.0).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_of_minutes_are_round_times() {
        assert_eq!(
            labels(0.0, 215.0),
            ["0:00", "0:30", "1:00", "1:30", "2:00", "2:30", "3:00", "3:30"]
        );
    }

    #[test]
    fn ticks_of_an_hour_say_the_hour() {
        assert_eq!(labels(3300.0, 3900.0).last().unwrap(), "1:05:00");
        assert_eq!(labels(0.0, 36_000.0).len(), 11);
    }

    #[test]
    fn ticks_of_milliseconds_have_decimals() {
        let expected = ["0.0 ms", "0.5 ms", "1.0 ms", "1.5 ms", "2.0 ms"];
        assert_eq!(labels(0.0, 0.004)[..5], expected);
        assert_eq!(labels(0.9, 0.99)[1], "910 ms");
        assert_eq!(labels(61.0, 62.0)[1], "1:01.1");
    }

    #[test]
    fn ticks_of_no_time_are_none() {
        assert!(labels(1.0, 1.0).is_empty());
    }

    #[test]
    fn ticks_of_a_hundred_hours_are_at_most_as_many_as_asked() {
        let count = labels(0.0, 360_000.0).len();
        assert!((2..=11).contains(&count), "{count}");
    }
}
