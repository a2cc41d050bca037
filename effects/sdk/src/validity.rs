//! What the contract asks of a description, checked while the effect is compiled.

use crate::{Description, Meter, Param, Preset};

/// Parameters and presets of an effect, and bytes of its JSON, that a host takes.
const PARAM_COUNT_MAX: usize = 128;
/// As [`PARAM_COUNT_MAX`].
const METER_COUNT_MAX: usize = 16;
/// As [`PARAM_COUNT_MAX`].
const PRESET_COUNT_MAX: usize = 128;
/// As [`PARAM_COUNT_MAX`].
const JSON_BYTES_MAX: usize = 64 << 10;

/// Refuses to compile a description that no host would take.
///
/// # Panics
/// Where the contract is broken, with the rule.
pub const fn check(description: &Description) {
    check_id(description.id.as_bytes());
    let name = description.name.len();
    assert!(name >= 1 && name <= 64, "`name` must have 1 to 64 bytes");
    check_version(description.version.as_bytes());
    let (min, max) = description.channels;
    assert!(1 <= min && min <= max && max <= 64, "`channels` must be within 1..=64, in order");
    assert!(description.params.len() <= PARAM_COUNT_MAX, "there can be 128 parameters");
    let mut at = 0;
    while at < description.params.len() {
        check_param(&description.params[at]);
        check_unique(description.params, at);
        at += 1;
    }
    assert!(description.meters.len() <= METER_COUNT_MAX, "there can be 16 meters");
    let mut at = 0;
    while at < description.meters.len() {
        check_meter(&description.meters[at]);
        let mut other = 0;
        while other < at {
            let is_twice = is_same(description.meters[other].key, description.meters[at].key);
            assert!(!is_twice, "two meters have the same key");
            other += 1;
        }
        at += 1;
    }
    assert!(description.presets.len() <= PRESET_COUNT_MAX, "there can be 128 presets");
    let mut at = 0;
    while at < description.presets.len() {
        check_preset(&description.presets[at], description.params);
        at += 1;
    }
    assert!(crate::json::length(description) < JSON_BYTES_MAX, "the JSON has more than 64 KiB");
}

const fn check_id(id: &[u8]) {
    assert!(!id.is_empty() && id.len() <= 64, "`id` must have 1 to 64 characters");
    let mut at = 0;
    while at < id.len() {
        let is_word = matches!(id[at], b'a'..=b'z' | b'0'..=b'9');
        let is_inside = at > 0 && at + 1 < id.len() && matches!(id[at], b'-' | b'.');
        assert!(is_word || is_inside, "`id` consists of a-z, 0-9 and, inside, `-` and `.`");
        at += 1;
    }
}

/// Three numbers; what may follow them is left to the host.
const fn check_version(version: &[u8]) {
    let (mut at, mut dots) = (0, 0);
    let mut has_digit = false;
    while at < version.len() && !matches!(version[at], b'-' | b'+') {
        if version[at] == b'.' {
            assert!(has_digit, "`version` must read like 1.2.3");
            dots += 1;
            has_digit = false;
        } else {
            assert!(version[at].is_ascii_digit(), "`version` must read like 1.2.3");
            has_digit = true;
        }
        at += 1;
    }
    assert!(has_digit && dots == 2, "`version` must read like 1.2.3");
}

const fn check_param(param: &Param) {
    assert!(param.id <= i32::MAX.cast_unsigned(), "the id of a parameter must be below 2^31");
    check_key(param.key.as_bytes());
    assert!(param.min < param.max, "`min` must be below `max`");
    assert!(is_within(param, param.default), "`default` must lie within `min` and `max`");
    let is_logarithmic = matches!(param.scale, crate::Scale::Logarithmic);
    assert!(!is_logarithmic || param.min > 0.0, "a logarithmic scale needs a `min` above 0");
    let labels = param.labels.len();
    assert!(labels == 0 || is_labeled(param), "one label for each whole number of the range");
}

const fn check_meter(meter: &Meter) {
    check_key(meter.key.as_bytes());
    assert!(meter.min < meter.max, "`min` of a meter must be below its `max`");
}

const fn check_key(key: &[u8]) {
    assert!(!key.is_empty() && key.len() <= 32, "`key` must have 1 to 32 characters");
    let mut at = 0;
    while at < key.len() {
        let is_letter = key[at].is_ascii_lowercase();
        let is_later = at > 0 && matches!(key[at], b'0'..=b'9' | b'_');
        assert!(is_letter || is_later, "`key` is a letter, then letters, digits and `_`");
        at += 1;
    }
}

#[expect(clippy::float_cmp, reason = "whole numbers")]
const fn is_labeled(param: &Param) -> bool {
    param.labels.len() >= 2 && param.max - param.min == (param.labels.len() - 1) as f64
}

const fn is_within(param: &Param, value: f64) -> bool {
    param.min <= value && value <= param.max
}

/// The parameter at `at` has an id and a key of its own.
const fn check_unique(params: &[Param], at: usize) {
    let mut other = 0;
    while other < at {
        assert!(params[other].id != params[at].id, "two parameters have the same id");
        assert!(!is_same(params[other].key, params[at].key), "two parameters have the same key");
        other += 1;
    }
}

const fn check_preset(preset: &Preset, params: &[Param]) {
    let name = preset.name.len();
    assert!(name >= 1 && name <= 64, "the name of a preset must have 1 to 64 bytes");
    let mut at = 0;
    while at < preset.values.len() {
        let (key, value) = preset.values[at];
        let mut param = 0;
        while param < params.len() && !is_same(params[param].key, key) {
            param += 1;
        }
        assert!(param < params.len(), "a preset names a parameter that does not exist");
        assert!(is_within(&params[param], value), "a preset's value is out of range");
        at += 1;
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a.as_bytes()[at] != b.as_bytes()[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;

    const GOOD: Description = Description::new("com.example.a-1", "A", "1.0.0-rc.1");
    const GAIN: Param = Param::new(0, "gain_db", "Gain", (-6.0, 6.0, 0.0));

    /// What `check` says of a description that must be refused.
    fn reason(description: &Description) -> String {
        let panic = std::panic::catch_unwind(|| check(description)).unwrap_err();
        panic.downcast_ref::<&str>().unwrap().to_string()
    }

    #[test]
    fn good_description_is_taken() {
        const INSIDE: &[Preset] = &[Preset::new("x", &[("gain_db", 6.0)])];
        check(&GOOD);
        check(&GOOD.params(&[GAIN]).presets(INSIDE));
    }

    #[test]
    fn broken_descriptions_are_refused_with_the_rule() {
        const TWICE: &[Param] = &[GAIN, GAIN];
        const SAME_KEY: &[Param] = &[GAIN, Param::new(1, "gain_db", "Gain", (0.0, 1.0, 0.0))];
        const OUTSIDE: &[Param] = &[Param::new(0, "a", "A", (0.0, 1.0, 2.0))];
        const LOG: &[Param] = &[Param::new(0, "a", "A", (0.0, 1.0, 1.0)).scale(Scale::Logarithmic)];
        const KEY: &[Param] = &[Param::new(0, "Gain", "A", (0.0, 1.0, 1.0))];
        const UNKNOWN: &[Preset] = &[Preset::new("x", &[("gain", 0.0)])];
        const BEYOND: &[Preset] = &[Preset::new("x", &[("gain_db", 7.0)])];
        const METER: Meter = Meter::new("a_db", "A", (-24.0, 0.0));
        const METERS: &[Meter] = &[METER, METER];
        const NO_RANGE: &[Meter] = &[Meter::new("a_db", "A", (0.0, 0.0))];
        const METER_KEY: &[Meter] = &[Meter::new("A", "A", (0.0, 1.0))];
        const NAN: &[Param] = &[Param::new(0, "a", "A", (0.0, f64::NAN, 0.0))];
        for (description, part) in [
            (Description::new("-a", "A", "1.0.0"), "`id`"),
            (Description::new("A", "A", "1.0.0"), "`id`"),
            (Description::new("a", "", "1.0.0"), "`name`"),
            (Description::new("a", "A", "1.0"), "`version`"),
            (Description::new("a", "A", "1..0"), "`version`"),
            (GOOD.channels(2, 1), "`channels`"),
            (GOOD.channels(0, 1), "`channels`"),
            (GOOD.channels(1, 65), "`channels`"),
            (GOOD.params(TWICE), "same id"),
            (GOOD.params(SAME_KEY), "same key"),
            (GOOD.params(OUTSIDE), "`default`"),
            (GOOD.params(LOG), "logarithmic"),
            (GOOD.params(KEY), "`key`"),
            (GOOD.params(NAN), "`min`"),
            (GOOD.meters(METERS), "two meters"),
            (GOOD.meters(NO_RANGE), "of a meter"),
            (GOOD.meters(METER_KEY), "`key`"),
            (GOOD.presets(UNKNOWN), "does not exist"),
            (GOOD.params(&[GAIN]).presets(BEYOND), "out of range"),
        ] {
            let reason = reason(&description);
            assert!(reason.contains(part), "`{reason}` says nothing of {part}");
        }
    }
}
