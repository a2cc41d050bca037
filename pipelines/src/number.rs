//! Numbers as people read them.

use wavemill_core::units::Plain;

/// A number with so many decimals; never minus zero.
pub fn fixed(number: f64, digits: usize) -> String {
    format!("{:.digits$}", Plain(number))
}

/// A difference: with its sign unless it rounds to zero.
pub fn signed(number: f64, digits: usize) -> String {
    let text = format!("{:+.digits$}", Plain(number));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'+' | b'0' | b'.'));
    if is_zero { text.replace('+', "") } else { text }
}

/// A duration as `4.2 s`, `3:05` or `1:00:05`.
pub fn duration(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.1} s") } else { clock(seconds) }
}

/// A time as `0:05`, `1:00:05`.
pub(crate) fn clock(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times are not negative, and `as` saturates"
    )]
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A size as `512 B`, `1.4 MB`; powers of 1000.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    let digits = usize::from(unit != "B" && value < 99.95);
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([fixed(-0.04, 1), signed(0.04, 1), signed(-0.04, 1)], ["0.0"; 3]);
        assert_eq!([signed(0.06, 1), signed(-0.06, 1)], ["+0.1", "-0.1"]);
    }

    #[test]
    fn durations_grow_from_seconds_to_hours() {
        assert_eq!(duration(4.25), "4.2 s");
        assert_eq!(duration(185.0), "3:05");
        assert_eq!(duration(3605.2), "1:00:05");
    }

    #[test]
    fn sizes_have_one_digit_where_it_says_something() {
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1_440_000), "1.4 MB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(size(144_000_000), "144 MB");
    }
}
