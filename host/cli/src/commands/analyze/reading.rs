//! Measures as people read them: a name, a number, a unit, from the keys that reports have.

use crate::report::duration;
use serde_json::{Map, Value};
use wavemill_pipelines::number::fixed;

/// Shown where a value does not exist, as the loudness of silence.
pub(super) const NONE: &str = "-";

/// One line of a sheet.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) label: String,
    pub(super) number: String,
    pub(super) unit: &'static str,
    /// When it was, where that is known.
    pub(super) remark: String,
}

/// What a key's last words say of its value: unit and digits shown. The first that fits counts.
const UNITS: &[(&str, &str, usize)] = &[
    ("_lufs", "LUFS", 1),
    ("_lu", "LU", 1),
    ("_dbtp", "dBTP", 1),
    ("_dbfs", "dBFS", 1),
    ("_db", "dB", 1),
    ("_hz", "Hz", 0),
    ("_per_s", "per second", 2),
    ("_ms", "ms", 1),
    ("_percent", "%", 2),
    ("_bpm", "BPM", 1),
];

/// Names that are no plain words of their keys.
const LABELS: &[(&str, &str)] = &[
    ("short_term_max_lufs", "short-term max"),
    ("peak_to_loudness_lu", "PLR"),
    ("peak_to_short_term_lu", "PSR"),
    ("rms_dbfs", "RMS"),
    ("dr14", "DR14"),
    ("dc_offset", "DC offset"),
    ("thd_percent", "THD"),
    ("is_steady", "steady"),
];

/// Keys that say again, for programs, what another says.
const TWINS: &[&str] = &["rms_amplitude", "peak_amplitude", "dynamic_range_db"];

/// Shown only where there are some.
const INVALID: &str = "invalid_samples";

/// Shown only where there is one: why there are no values.
const REASON: &str = "reason";

/// Both measures of the true peak: the larger one is shown, and what the standard's meter reads where that differs.
const STANDARD_PEAK: &str = "true_peak_dbtp";
const PRECISE_PEAK: &str = "true_peak_precise_dbtp";

/// Most channels whose values are shown beside the worst one.
const CHANNELS_SHOWN_MAX: usize = 8;

/// The readings of a group; lists are left to whoever draws tables.
pub(super) fn readings(group: &Map<String, Value>) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for (key, value) in group {
        if key.ends_with("_at_s") {
            if let (Some(last), Some(seconds)) = (readings.last_mut(), value.as_f64()) {
                last.remark = format!("at {}", duration(seconds));
            }
        } else if key == PRECISE_PEAK && group.contains_key(STANDARD_PEAK) {
            if let Some(last) = readings.last_mut() {
                show_larger_peak(last, &group[STANDARD_PEAK], value);
            }
        } else if key == "dc_offset_by_channel" {
            if let (Some(last), Some(channels)) = (readings.last_mut(), value.as_array()) {
                last.remark = by_channel(channels);
            }
        } else if (key == INVALID && value == 0) || (key == REASON && value.is_null()) {
            // Hardly ever there are any.
        } else if !TWINS.contains(&key.as_str()) && !value.is_array() && !value.is_object() {
            let (number, unit) = shown(key, value);
            readings.push(Reading { label: label(key), number, unit, remark: String::new() });
        }
    }
    readings
}

/// Makes the reading of the standard's true peak that of the larger one.
fn show_larger_peak(reading: &mut Reading, standard: &Value, precise: &Value) {
    let (Some(by_standard), Some(by_precise)) = (standard.as_f64(), precise.as_f64()) else {
        return;
    };
    if by_precise > by_standard {
        let (number, unit) = shown(PRECISE_PEAK, precise);
        let by_standard = std::mem::replace(&mut reading.number, number);
        reading.unit = unit;
        if by_standard != reading.number {
            reading.remark = format!("16x oversampling; BS.1770 meters read {by_standard}");
        }
    }
}

/// The values of several channels.
fn by_channel(channels: &[Value]) -> String {
    if channels.len() < 2 || channels.len() > CHANNELS_SHOWN_MAX {
        return String::new();
    }
    let values: Vec<String> = channels.iter().map(|value| shown("dc_offset", value).0).collect();
    format!("by channel: {}", values.join(", "))
}

/// The words of a key without its unit.
pub(super) fn label(key: &str) -> String {
    let known = LABELS.iter().find(|(known, _)| *known == key);
    known.map_or_else(|| without_unit(key).replace('_', " "), |(_, label)| (*label).to_owned())
}

fn without_unit(key: &str) -> &str {
    UNITS.iter().find_map(|(suffix, ..)| key.strip_suffix(suffix)).unwrap_or(key)
}

/// The number of a value with the digits that say something, and its unit.
pub(super) fn shown(key: &str, value: &Value) -> (String, &'static str) {
    let unit = UNITS.iter().find(|(suffix, ..)| key.ends_with(suffix));
    let (_, unit, digits) = unit.copied().unwrap_or(("", "", 3));
    match value {
        Value::Null => (NONE.to_owned(), ""),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            (fixed(number, if matches!(key, "dc_offset" | "flatness") { 6 } else { digits }), unit)
        }
        Value::String(text) => (crate::report::one_line(text), unit),
        Value::Bool(is_so) => (if *is_so { "yes" } else { "no" }.to_owned(), unit),
        other => (other.to_string(), unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(group: &Value) -> Vec<String> {
        readings(group.as_object().unwrap())
            .into_iter()
            .map(|one| format!("{}|{}|{}|{}", one.label, one.number, one.unit, one.remark))
            .collect()
    }

    #[test]
    fn larger_of_both_true_peaks_is_shown_with_what_the_standard_reads() {
        let peaks = |standard: f64, precise: f64| {
            lines(&json!({ "true_peak_dbtp": standard, "true_peak_precise_dbtp": precise }))
        };
        let remark = "16x oversampling; BS.1770 meters read -1.4";
        assert_eq!(peaks(-1.44, -1.0), [format!("true peak|-1.0|dBTP|{remark}")]);
        assert_eq!(peaks(-1.0, -1.02), ["true peak|-1.0|dBTP|"]);
        assert_eq!(peaks(-0.9, -1.2), ["true peak|-0.9|dBTP|"]);
    }

    #[test]
    fn dc_offsets_of_channels_stand_beside_the_worst() {
        let group = json!({ "dc_offset": 0.1, "dc_offset_by_channel": [0.1, -0.1] });
        assert_eq!(lines(&group), ["DC offset|0.100000||by channel: 0.100000, -0.100000"]);
    }

    #[test]
    fn keys_become_names_units_and_times() {
        let group = json!({
            "momentary_max_lufs": -3.28, "momentary_max_at_s": 185.0, "centroid_hz": 2345.6,
            "rms_amplitude": 0.2, "zero_crossings": 12, "width": null, "dc_offset": -1e-9,
            "list": [1], "invalid_samples": 0,
        });
        assert_eq!(
            lines(&group),
            [
                "momentary max|-3.3|LUFS|at 3:05",
                "centroid|2346|Hz|",
                "zero crossings|12||",
                "width|-||",
                "DC offset|0.000000||",
            ]
        );
    }
}
