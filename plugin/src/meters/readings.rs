//! Numbers that the audio thread tells the editor.

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
    pub(crate) fn set(&self, value: Option<f64>) {
        #[expect(clippy::cast_possible_truncation, reason = "more digits than anyone can see")]
        let bits = value.map_or(NONE, |value| (value as f32).to_bits());
        self.0.store(bits, Ordering::Relaxed);
    }

    /// The latest value. Real-time.
    pub fn get(&self) -> Option<f32> {
        let value = f32::from_bits(self.0.load(Ordering::Relaxed));
        (!value.is_nan()).then_some(value)
    }
}

/// The latest readings. Each is exact on its own; together they may be a moment apart, which no eye
/// sees.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names and units are those of the reports")]
pub struct Readings {
    pub momentary_lufs: Reading,
    pub momentary_max_lufs: Reading,
    pub short_term_lufs: Reading,
    pub short_term_max_lufs: Reading,
    pub integrated_lufs: Reading,
    pub loudness_range_lu: Reading,
    /// Of the latest 100 ms.
    pub true_peak_now_dbtp: Reading,
    /// Since the meters began.
    pub true_peak_dbtp: Reading,
    pub peak_to_loudness_lu: Reading,
    pub peak_to_short_term_lu: Reading,
    /// Of the latest 400 ms; `None` for anything but stereo.
    pub correlation: Reading,
    pub balance_db: Reading,
    /// Time that was measured.
    pub measured_s: Reading,
}

impl Readings {
    /// As before anything was measured.
    pub(crate) fn clear(&self) {
        let Self {
            momentary_lufs,
            momentary_max_lufs,
            short_term_lufs,
            short_term_max_lufs,
            integrated_lufs,
            loudness_range_lu,
            true_peak_now_dbtp,
            true_peak_dbtp,
            peak_to_loudness_lu,
            peak_to_short_term_lu,
            correlation,
            balance_db,
            measured_s,
        } = self;
        let all = [
            momentary_lufs,
            momentary_max_lufs,
            short_term_lufs,
            short_term_max_lufs,
            integrated_lufs,
            loudness_range_lu,
            true_peak_now_dbtp,
            true_peak_dbtp,
            peak_to_loudness_lu,
            peak_to_short_term_lu,
            correlation,
            balance_db,
            measured_s,
        ];
        for reading in all {
            reading.set(None);
        }
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
}
