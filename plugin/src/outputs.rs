//! The readings as parameters that hosts read.

use crate::formats::{Output, Outputs};
use crate::meters::Readings;
use crate::plugin::SharedState;

/// A reading that hosts see, and where its value is.
struct Column {
    output: Output,
    /// Real-time.
    value: fn(&SharedState, &Readings) -> Option<f32>,
}

/// Lowest and highest loudness and peak. What is louder or softer reads as these.
const LEVEL_MIN: f64 = -100.0;
const LEVEL_MAX: f64 = 20.0;

/// Largest loudness range: more than lies between the absolute gate and the loudest sample.
const RANGE_MAX_LU: f64 = 120.0;

/// Largest number of violations.
const VIOLATIONS_MAX: f64 = 9999.0;

/// Before so much was measured there is nothing to read: a window of momentary loudness, without which there is no
/// other.
const BEGIN_S: f32 = 0.4;

/// What a verdict is, from 0 on. Source: [`Standing`](crate::judge::Standing).
const VERDICTS: &[&str] = &["none", "pass", "fail", "not measured"];

const fn level(id: u32, name: &'static str, unit: &'static str) -> Output {
    Output { id, name, unit, min: LEVEL_MIN, max: LEVEL_MAX, decimals: 1, words: &[] }
}

const fn count(id: u32, name: &'static str, max: f64) -> Output {
    Output { id, name, unit: "", min: -1.0, max, decimals: 0, words: &[] }
}

/// **Adding one: at the end, with an id that was never used.**
const COLUMNS: [Column; 7] = [
    Column {
        output: level(1001, "Integrated", "LUFS"),
        value: |_, readings| readings.integrated_lufs.get(),
    },
    Column {
        output: level(1002, "Momentary", "LUFS"),
        value: |_, readings| readings.momentary_lufs.get(),
    },
    Column {
        output: level(1003, "Short-term", "LUFS"),
        value: |_, readings| readings.short_term_lufs.get(),
    },
    Column {
        output: Output { min: -1.0, max: RANGE_MAX_LU, ..level(1004, "Loudness range", "LU") },
        value: |_, readings| readings.loudness_range_lu.get(),
    },
    Column {
        output: level(1005, "True peak", "dBTP"),
        value: |_, readings| readings.larger_true_peak(),
    },
    Column {
        output: Output { min: 0.0, words: VERDICTS, ..count(1006, "Verdict", 3.0) },
        value: |desk, _| desk.judge.standing(),
    },
    Column {
        output: count(1007, "Violations", VIOLATIONS_MAX),
        value: |desk, _| desk.judge.violations(),
    },
];

static LIST: [Output; COLUMNS.len()] = {
    let mut list = [COLUMNS[0].output; COLUMNS.len()];
    let mut index = 0;
    while index < list.len() {
        list[index] = COLUMNS[index].output;
        index += 1;
    }
    list
};

impl Outputs for SharedState {
    fn list(&self) -> &'static [Output] {
        &LIST
    }

    fn value(&self, index: usize) -> Option<f64> {
        let (readings, _) = self.shared.shown();
        readings.measured_s.get().filter(|measured_s| *measured_s >= BEGIN_S)?;
        COLUMNS.get(index).and_then(|column| (column.value)(self, readings)).map(f64::from)
    }

    fn refresh(&self) {
        self.judge.update(self);
    }
}
