//! Durations as people write them: `"2s"`, `"500ms"`, `"1h30m"`.

use std::time::Duration;

/// Units, longest names first, so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 5] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// What would be right, for diagnostics.
pub(crate) const EXAMPLES: &str =
    "write a number with its unit, such as \"500ms\", \"2s\", \"30m\" or \"1h30m\"";

/// The duration `text` means; `None` where it is not a sum of numbers with units.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, unit_s) = UNITS.iter().find(|(name, _)| *name == &rest[..letters])?;
        seconds += number * unit_s;
        rest = rest[letters..].trim_start();
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// The two durations of `"30s..10m"`; one alone counts twice.
pub(crate) fn parse_range(text: &str) -> Option<(Duration, Duration)> {
    match text.split_once("..") {
        Some((from, to)) => Some((parse(from)?, parse(to)?)),
        None => parse(text).map(|both| (both, both)),
    }
}

/// A duration as it would be written in a pipeline.
pub(crate) fn display(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let whole = |unit: u128| milliseconds >= unit && milliseconds.is_multiple_of(unit);
    if whole(3_600_000) {
        format!("{}h", milliseconds / 3_600_000)
    } else if whole(60_000) {
        format!("{}m", milliseconds / 60_000)
    } else if whole(1000) {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_units_are_read() {
        assert_eq!(parse("2s"), Some(Duration::from_secs(2)));
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("30m"), Some(Duration::from_mins(30)));
        assert_eq!(parse("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse("1.5 s"), Some(Duration::from_millis(1500)));
        assert_eq!(
            parse_range("30s..10m"),
            Some((Duration::from_secs(30), Duration::from_mins(10)))
        );
    }

    #[test]
    fn durations_without_unit_or_sense_are_refused() {
        for text in ["", "2", "s", "2 seconds", "-2s", "1..2s", "2s x", "1e400s", "µs"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_shown_as_they_are_written() {
        for text in ["500ms", "2s", "30m", "2h", "90s"] {
            assert_eq!(display(parse(text).unwrap()), text);
        }
    }
}
