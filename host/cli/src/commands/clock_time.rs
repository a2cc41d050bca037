//! Times as people type them.

/// Seconds of `90`, `1.5`, `1:30` or `1:00:05.25`.
pub(super) fn parse_time(text: &str) -> Result<f64, String> {
    let wrong = || "write seconds, 1:30 or 1:00:05.25".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(wrong());
    }
    let mut seconds = 0.0;
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let is_number = |c: char| c.is_ascii_digit() || (is_last && c == '.');
        let value: f64 = part.parse().map_err(|_| wrong())?;
        // Behind a colon there are only 60.
        if !part.chars().all(is_number) || (index > 0 && value >= 60.0) {
            return Err(wrong());
        }
        seconds = seconds * 60.0 + value;
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_as_on_a_clock() {
        assert_eq!(parse_time("90"), Ok(90.0));
        assert_eq!(parse_time("1:30"), Ok(90.0));
        assert_eq!(parse_time("1:00:05.25"), Ok(3605.25));
        assert_eq!(parse_time(".5"), Ok(0.5));
        for wrong in ["", "-1", "1:60", "1:2:3:4", "1.5:00", "inf", "nan", "1e3", "a", ":5"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
