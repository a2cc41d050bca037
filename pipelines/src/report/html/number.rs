//! Numbers as the page shows them.

use crate::number;
pub(super) use crate::number::{clock, duration, size};

/// Shown where a value does not exist, as the loudness of silence.
pub(super) const NONE: &str = "-";

/// A number with so many decimals and a true minus sign.
pub(super) fn fixed(number: f64, digits: usize) -> String {
    typeset(&number::fixed(number, digits))
}

/// A difference: with its sign unless it is zero.
pub(super) fn signed(number: f64, digits: usize) -> String {
    typeset(&number::signed(number, digits))
}

/// With true minus signs.
pub(super) fn typeset(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

/// A number, or [`NONE`].
pub(super) fn shown(number: Option<f64>, digits: usize) -> String {
    number.map_or(NONE.to_owned(), |number| fixed(number, digits))
}

/// `20 Hz`, `4.2 kHz`.
pub(super) fn frequency(hertz: f64) -> String {
    if hertz < 1000.0 {
        return format!("{hertz:.0} Hz");
    }
    let digits = usize::from((hertz / 100.0).round() % 10.0 > 0.5);
    format!("{:.digits$} kHz", hertz / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_minus_sign() {
        assert_eq!(fixed(-14.06, 1), "\u{2212}14.1");
        assert_eq!(signed(-0.06, 1), "\u{2212}0.1");
        assert_eq!(shown(None, 1), "-");
    }

    #[test]
    fn frequencies_are_short() {
        assert_eq!(
            [frequency(120.0), frequency(2000.0), frequency(4180.0)],
            ["120 Hz", "2 kHz", "4.2 kHz"]
        );
    }
}
