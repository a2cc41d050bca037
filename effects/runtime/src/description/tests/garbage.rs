//! Whatever a module returns, reading it ends in a description or in one line.

use super::*;
use proptest::prelude::*;
use wavemill_core::descriptor::ParamValue;

/// Reads, and checks that what was accepted holds what the contract promises.
fn read(bytes: &[u8]) {
    let description = match Description::parse(bytes) {
        Ok(description) => description,
        Err(error) => {
            let line = error.to_string();
            assert!(line.len() < 1_000 && !line.contains(char::is_control), "{line:?}");
            return;
        }
    };
    for param in &description.params {
        assert!(param.min < param.max && (param.min..=param.max).contains(&param.default));
        for value in [param.min, param.default, param.max] {
            assert_eq!(param.value_of(&ParamValue::Number(value)), Ok(value), "{param:?}");
        }
    }
    for preset in &description.presets {
        for (key, value) in &preset.values {
            let param = description.param(key).expect("presets name known parameters");
            assert!((param.min..=param.max).contains(value));
        }
    }
    serde_json::to_string(&description).expect("a description can be written as JSON");
}

/// Values that stand where others should.
fn value() -> impl Strategy<Value = Value> {
    const NUMBERS: &[f64] =
        &[-1.0, 0.0, 0.5, 1.0, 2.0, 64.0, 65.0, 128.0, 44_100.0, 1e6, 4_294_967_296.0, 1e300];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        proptest::sample::select(NUMBERS).prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::String),
        proptest::sample::select(&["a", "log", "off", "restart", "tape", "time_ms"][..])
            .prop_map(|word| json!(word)),
        Just(json!([])),
        Just(json!({})),
        proptest::collection::vec(any::<u8>().prop_map(|number| json!(number)), 0..5)
            .prop_map(Value::Array),
    ]
}

/// Every place of a document, as JSON pointers.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                places(value, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                places(value, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_in_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn damaged_bytes_are_read_or_refused_in_one_line(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = full().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        read(&bytes);
    }

    #[test]
    fn exchanged_values_are_read_or_refused_in_one_line(
        exchanges in proptest::collection::vec((any::<prop::sample::Index>(), value()), 1..4),
    ) {
        let mut document = full();
        for (place, value) in exchanges {
            let mut found = Vec::new();
            places(&document, "", &mut found);
            let place = &found[place.index(found.len())];
            *document.pointer_mut(place).expect("it was listed") = value;
        }
        read(document.to_string().as_bytes());
    }

    #[test]
    fn settings_lie_on_a_step_within_the_range(value in -30.0..30.0_f64) {
        let description = parse(&full()).unwrap();
        let mix = description.param("mix_db").unwrap();
        match mix.value_of(&ParamValue::Number(value)) {
            Ok(set) => {
                prop_assert!((set - value).abs() <= 0.25 && (set * 2.0).fract() == 0.0);
                prop_assert_eq!(mix.value_of(&ParamValue::Number(set)), Ok(set));
            }
            Err(_) => prop_assert!(!(-24.0..=24.0).contains(&value)),
        }
    }
}
