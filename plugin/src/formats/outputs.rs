//! Parameters that hosts read and never set: what was measured, for automation lanes, scripts and control surfaces.
//!
//! The framework's parameters belong to the host. These follow behind them in the host's list, are in no state, and are
//! sent with each block in which they changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A parameter that is only read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Output {
    /// Its identity in projects and scripts, for ever.
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Stands for no value.
    pub(crate) min: f64,
    /// Larger values read as this.
    pub(crate) max: f64,
    /// Digits behind the point. Without any, the values are whole numbers.
    pub(crate) decimals: usize,
    /// What the whole numbers from `min` on mean; empty where they are numbers.
    pub(crate) words: &'static [&'static str],
}

/// What stands where there is no value.
const NONE: &str = "none";

impl Output {
    /// The value as hosts have it.
    pub(super) fn plain(&self, value: Option<f64>) -> f64 {
        // A value that exists never reads as none.
        let lowest = if self.words.is_empty() { self.min + self.step() } else { self.min };
        value.map_or(self.min, |value| value.clamp(lowest, self.max))
    }

    fn step(&self) -> f64 {
        if self.is_stepped() { 1.0 } else { 0.1 }
    }

    pub(super) fn is_stepped(&self) -> bool {
        self.decimals == 0
    }

    /// Steps between the values; 0 for those without.
    pub(super) fn step_count(&self) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "some thousand")]
        let steps = (self.max - self.min) as i32;
        if self.is_stepped() { steps } else { 0 }
    }

    /// From 0 to 1.
    pub(super) fn normalized(&self, plain: f64) -> f64 {
        ((plain - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }

    pub(super) fn of_normalized(&self, normalized: f64) -> f64 {
        let plain = self.min + normalized.clamp(0.0, 1.0) * (self.max - self.min);
        if self.is_stepped() { plain.round() } else { plain }
    }

    /// The value in words, without a unit.
    pub(super) fn text(&self, plain: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and what has no word is written as a number"
        )]
        let word = self.words.get((plain - self.min).round().max(0.0) as usize);
        match word {
            Some(word) => (*word).to_owned(),
            None if plain < self.min + self.step() / 2.0 => NONE.to_owned(),
            None => format!("{plain:.*}", self.decimals),
        }
    }

    /// The value in words, with its unit.
    pub(super) fn text_with_unit(&self, plain: f64) -> String {
        let text = self.text(plain);
        let has_unit = !self.unit.is_empty() && text != NONE;
        if has_unit { format!("{text} {}", self.unit) } else { text }
    }

    /// The value of such words.
    pub(super) fn parse(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let text = text.strip_suffix(self.unit).unwrap_or(text).trim();
        if let Some(index) = self.words.iter().position(|word| *word == text) {
            return Some(self.min + index as f64);
        }
        if text == NONE {
            return Some(self.min);
        }
        let number: f64 = text.parse().ok().filter(|_| self.words.is_empty())?;
        number.is_finite().then(|| number.clamp(self.min, self.max))
    }
}

/// A plugin that has output parameters.
pub(crate) trait Outputs: Send + Sync {
    /// All of them; the same at any time.
    fn list(&self) -> &'static [Output];

    /// The latest value, by its place in the list. Real-time.
    fn value(&self, index: usize) -> Option<f64>;

    /// Brings up to date what is not found by the audio thread. Not real-time.
    fn refresh(&self);
}

/// The outputs of an instance, and what its host was sent of them.
pub(super) struct Readout {
    outputs: Arc<dyn Outputs>,
    /// Bits of the latest values that the host took.
    sent: Vec<AtomicU64>,
}

impl Readout {
    pub(super) fn new(outputs: Arc<dyn Outputs>) -> Self {
        // No value has these bits.
        let sent = outputs.list().iter().map(|_| AtomicU64::new(f64::NAN.to_bits())).collect();
        Self { outputs, sent }
    }

    pub(super) fn list(&self) -> &'static [Output] {
        self.outputs.list()
    }

    /// The one with this id, and its place.
    pub(super) fn by_id(&self, id: u32) -> Option<(usize, &'static Output)> {
        self.list().iter().enumerate().find(|(_, output)| output.id == id)
    }

    /// The value of this moment. Not real-time.
    pub(super) fn fresh(&self, index: usize) -> f64 {
        self.outputs.refresh();
        self.plain(index)
    }

    fn plain(&self, index: usize) -> f64 {
        self.list()[index].plain(self.outputs.value(index))
    }

    /// Hands over what changed since the host took it; `take` says whether it does now. Real-time.
    pub(super) fn send(&self, mut take: impl FnMut(&Output, f64) -> bool) {
        for (index, (output, sent)) in self.list().iter().zip(&self.sent).enumerate() {
            let value = self.plain(index);
            if sent.load(Ordering::Relaxed) != value.to_bits() && take(output, value) {
                sent.store(value.to_bits(), Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: Output = Output {
        id: 1,
        name: "Level",
        unit: "LUFS",
        min: -100.0,
        max: 20.0,
        decimals: 1,
        words: &[],
    };
    const COUNT: Output =
        Output { unit: "", min: -1.0, max: 9.0, decimals: 0, name: "Count", ..LEVEL };
    const STATE: Output = Output { min: 0.0, max: 1.0, words: &["none", "pass"], ..COUNT };

    #[test]
    fn values_stay_in_their_range_and_none_is_the_smallest() {
        assert_eq!(LEVEL.plain(None).to_bits(), (-100.0f64).to_bits());
        for (value, plain) in [(-300.0, -99.9), (-23.0, -23.0), (100.0, 20.0)] {
            assert!((LEVEL.plain(Some(value)) - plain).abs() < 1e-9, "{value}");
        }
        let of = |output: &Output, values: [Option<f64>; 3]| {
            values.map(|value| format!("{}", output.plain(value)))
        };
        assert_eq!(of(&COUNT, [None, Some(0.0), Some(12.0)]), ["-1", "0", "9"]);
        assert_eq!(of(&STATE, [None, Some(0.0), Some(1.0)]), ["0", "0", "1"]);
    }

    #[test]
    fn words_lead_back_to_their_values() {
        for (output, plain, text) in [
            (&LEVEL, -23.04, "-23.0 LUFS"),
            (&LEVEL, -100.0, "none"),
            (&COUNT, -1.0, "none"),
            (&COUNT, 3.0, "3"),
            (&STATE, 0.0, "none"),
            (&STATE, 1.0, "pass"),
        ] {
            assert_eq!(output.text_with_unit(plain), text);
            let back = output.parse(text).unwrap();
            assert!((back - plain).abs() < 0.05, "{text}: {back}");
            let back = output.of_normalized(output.normalized(plain));
            assert!((back - plain).abs() < 1e-9, "{text}: {back}");
        }
        assert_eq!((LEVEL.parse("loud"), STATE.parse("7"), LEVEL.parse("NaN")), (None, None, None));
    }

    struct One(AtomicU64);

    impl Outputs for One {
        fn list(&self) -> &'static [Output] {
            &[LEVEL]
        }

        fn value(&self, _index: usize) -> Option<f64> {
            Some(f64::from_bits(self.0.load(Ordering::Relaxed)))
        }

        fn refresh(&self) {}
    }

    #[test]
    fn change_is_sent_until_the_host_takes_it_and_once() {
        let one = Arc::new(One(AtomicU64::new((-20.0f64).to_bits())));
        let own = Arc::clone(&one);
        let readout = Readout::new(own);
        let send = |takes| {
            let mut count = 0;
            readout.send(|_, _| {
                count += 1;
                takes
            });
            count
        };
        assert_eq!([send(false), send(true), send(true)], [1, 1, 0]);
        one.0.store((-21.0f64).to_bits(), Ordering::Relaxed);
        assert_eq!([send(true), send(true)], [1, 0]);
    }
}
