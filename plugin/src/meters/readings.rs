//! Numbers that the audio thread passes to the editor, and that are saved with the project.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

/// A number that may not exist, written by one thread and read by others. Neither waits.
#[derive(Debug)]
pub struct Reading(AtomicU32);

/// What stands for a number that does not exist: no measure is ever a NaN.
const NONE: u32 = f32::NAN.to_bits();

impl Default for Reading {
    fn default() -> Self {
        Self(AtomicU32::new(NONE))
    }
}

impl Reading {
    /// Says a new value. Real-time.
    pub(crate) fn set(&self, value: Option<f32>) {
        self.0.store(value.map_or(NONE, f32::to_bits), Ordering::Relaxed);
    }

    /// The latest value. Real-time.
    pub(crate) fn get(&self) -> Option<f32> {
        let value = f32::from_bits(self.0.load(Ordering::Relaxed));
        (!value.is_nan()).then_some(value)
    }
}

/// Both forms of the readings from one list: the names are those of reports and of saved projects, and
/// never change.
macro_rules! readings {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The latest readings. Each is exact on its own; together they may be a moment apart, which no
        /// eye sees.
        #[derive(Debug, Default)]
        pub struct Readings {
            $($(#[$doc])* pub $name: Reading,)*
        }

        /// Readings of one moment, as they are saved with the project. What is not there was not measured.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Values {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<f32>,
            )*
        }

        impl Readings {
            /// Says new values. Real-time.
            pub(crate) fn set(&self, values: &Values) {
                $(self.$name.set(values.$name);)*
            }

            /// The latest values. Real-time.
            pub fn get(&self) -> Values {
                Values { $($name: self.$name.get(),)* }
            }
        }

        impl Values {
            /// Without what is no finite number: a damaged project may say anything.
            pub(crate) fn finite(self) -> Self {
                Self { $($name: self.$name.filter(|value| value.is_finite()),)* }
            }
        }
    };
}

readings! {
    momentary_lufs,
    momentary_max_lufs,
    short_term_lufs,
    short_term_max_lufs,
    integrated_lufs,
    loudness_range_lu,
    /// Of the latest 100 ms.
    true_peak_now_dbtp,
    /// Since the meters began.
    true_peak_dbtp,
    /// The same, 16 times oversampled.
    true_peak_precise_dbtp,
    peak_to_loudness_lu,
    peak_to_short_term_lu,
    /// Of the latest 400 ms of front left and right; `None` for mono.
    correlation,
    balance_db,
    /// What folding the same down to mono costs.
    mono_loss_db,
    /// The same since the meters began.
    mono_loss_program_db,
    /// Time that was measured.
    measured_s,
}

impl Readings {
    /// As before anything was measured. Real-time.
    pub(crate) fn clear(&self) {
        self.set(&Values::default());
    }

    /// The larger of both true peaks, which is the one that is judged.
    pub(crate) fn larger_true_peak(&self) -> Option<f32> {
        let (standard, precise) = (self.true_peak_dbtp.get(), self.true_peak_precise_dbtp.get());
        standard.zip(precise).map(|(one, other)| one.max(other)).or(standard).or(precise)
    }

    /// Whether anything but silence was measured.
    pub(crate) fn has_signal(&self) -> bool {
        self.true_peak_dbtp.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_keeps_a_number_or_none() {
        let reading = Reading::default();
        assert_eq!(reading.get(), None);
        reading.set(Some(-23.0));
        assert_eq!(reading.get(), Some(-23.0));
        reading.set(None);
        assert_eq!(reading.get(), None);
    }

    #[test]
    fn values_come_back_until_they_are_cleared() {
        let readings = Readings::default();
        let values = Values {
            integrated_lufs: Some(-23.0),
            true_peak_dbtp: Some(-1.5),
            ..Values::default()
        };
        readings.set(&values);
        assert_eq!(readings.get(), values);
        assert!(readings.has_signal());
        readings.clear();
        assert_eq!(readings.get(), Values::default());
        assert!(!readings.has_signal());
    }

    #[test]
    fn values_that_are_no_numbers_are_none() {
        let values = Values {
            integrated_lufs: Some(f32::INFINITY),
            loudness_range_lu: Some(5.0),
            ..Values::default()
        };
        let finite = Values { loudness_range_lu: Some(5.0), ..Values::default() };
        assert_eq!(values.finite(), finite);
    }
}
