//! Advice as people read it.

use crate::number::{fixed, signed};
use wavemill_core::advice::{Advice, Measure, Range};

/// A piece of advice in words, with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdviceText {
    /// What it is about, such as `low mid band` or `true peak`.
    pub name: String,
    /// What was measured, such as `-12.0 dB`.
    pub measured: String,
    /// What is wanted, such as `-22.2 to -14.2`.
    pub wanted: String,
    /// How far the one is from the other, such as `+2.2 dB`.
    pub difference: String,
    /// Why it matters, as a sentence.
    pub why: String,
    /// What to do, as a sentence.
    pub action: String,
}

impl AdviceText {
    /// The words of a piece of advice.
    pub fn of(advice: &Advice) -> Self {
        let Advice { measure, measured, difference, .. } = advice;
        let digits = if measure.unit().is_empty() { 2 } else { 1 };
        // A difference that would show as nothing shows its digits.
        let digits = if difference.abs() < 0.1 { digits + 1 } else { digits };
        let with = |number: String, unit: &str| format!("{number} {unit}").trim_end().to_owned();
        Self {
            name: name(advice),
            measured: with(fixed(*measured, digits), measure.unit()),
            wanted: wanted(advice.range(), digits),
            difference: with(signed(*difference, digits), measure.difference_unit()),
            why: sentence(&advice.why),
            action: sentence(&advice.action),
        }
    }
}

fn name(advice: &Advice) -> String {
    let Some(band) = advice.band else { return advice.measure.name().to_owned() };
    let band = band.name().replace('_', " ");
    match advice.measure {
        Measure::Width => format!("{band} band, width"),
        _ => format!("{band} band"),
    }
}

fn wanted(range: Range<f64>, digits: usize) -> String {
    let number = |value: f64| fixed(value, digits);
    match range {
        Range { min: Some(min), max: Some(max) } => format!("{} to {}", number(min), number(max)),
        Range { min: Some(min), .. } => format!("at least {}", number(min)),
        Range { max, .. } => format!("at most {}", number(max.unwrap_or_default())),
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
