//! Parameters, presets, and what users write for them.

use super::*;
use std::collections::BTreeMap;
use wavemill_core::descriptor::{ParamMistake, ParamValue};

use crate::settings::Settings;

fn param(key: &str) -> Param {
    parse(&full()).unwrap().param(key).unwrap().clone()
}

fn number(value: f64) -> ParamValue {
    ParamValue::Number(value)
}

fn text(word: &str) -> ParamValue {
    ParamValue::Choice(word.to_owned())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a flat table")]
fn mistakes_in_parameters_are_reported_with_what_would_be_right() {
    for (pointer, value, expected) in [
        ("/params/1/id", json!(7), "`params[1].id` is 7; it must be unique; params[0] has it"),
        (
            "/params/1/key",
            json!("time_ms"),
            "`params[1].key` is \"time_ms\"; it must be unique; params[0] has it",
        ),
        ("/params/0/max", json!(1), "`params[0].max` is 1; it must be above `min`, which is 1"),
        (
            "/params/0/default",
            json!(0.5),
            "`params[0].default` is 0.5; it must be within `min` and `max`, 1 to 2000",
        ),
        (
            "/params/0/min",
            json!(0),
            "`params[0].min` is 0; it must be above 0, because `scale` is \"log\"",
        ),
        (
            "/params/0/scale",
            json!("exp"),
            "`params[0].scale` is \"exp\"; it must be \"lin\" or \"log\" or \"db\"",
        ),
        (
            "/params/0/flags",
            json!(["x"]),
            "`params[0].flags[0]` is \"x\"; it must be \"automatable\" or \"restart\"",
        ),
        (
            "/params/0/flags",
            json!(["restart", "automatable"]),
            "`params[0].flags` is a list of 2; it must be \"automatable\" or \"restart\", not both",
        ),
        (
            "/params/1/labels",
            json!(["a", "b"]),
            "`params[1].labels` is a list of 2; it must be one word for each whole number from `min` to `max`, 0 to 2",
        ),
        (
            "/params/1/labels/2",
            json!("tape"),
            "`params[1].labels[2]` is \"tape\"; it must be another word than the labels before it",
        ),
        (
            "/params/1/steps",
            json!(3),
            "`params[1].steps` is 3; it must be 2, one less than there are labels, or absent",
        ),
        (
            "/params/3/default",
            json!(0.3),
            "`params[3].default` is 0.3; it must be on a step; the nearest one is 0.5",
        ),
        (
            "/params/3/steps",
            json!(0),
            "`params[3].steps` is 0; it must be a whole number from 1 to 1000000",
        ),
        ("/params/3/min", json!("0"), "`params[3].min` is \"0\"; it must be a number"),
        ("/params/3", json!([]), "`params[3]` is an empty list; it must be an object `{ ... }`"),
        (
            "/presets/Slap/time_ms",
            json!(0),
            "`presets.\"Slap\".\"time_ms\"` is 0; it must be a number from 1 to 2000 ms",
        ),
        (
            "/presets/Slap/mode",
            json!("tap"),
            "`presets.\"Slap\".\"mode\"` is \"tap\"; it must be \"tape\", \"digital\", \"ping-pong\", or a number from 0 to 2",
        ),
        (
            "/presets/Slap/freeze",
            json!("maybe"),
            "`presets.\"Slap\".\"freeze\"` is \"maybe\"; it must be true or false",
        ),
        (
            "/presets/Slap/tim_ms",
            json!(1),
            "`presets.\"Slap\".\"tim_ms\"` is no parameter; it must be the `key` of one of the `params`",
        ),
    ] {
        assert_eq!(complaint(pointer, value), expected);
    }
}

#[test]
fn range_wider_than_every_number_is_refused() {
    let mut document = full();
    document["params"][3]["min"] = json!(-1e308);
    document["params"][3]["max"] = json!(1e308);
    let error = parse(&document).unwrap_err().to_string();
    assert!(error.starts_with("`params[3].max` is 1"), "{error}");
    assert!(error.ends_with("their difference is beyond every number"), "{error}");
}

#[test]
fn number_within_the_range_is_taken_as_it_is() {
    let time = param("time_ms");
    for value in [1.0, 90.123456789, 2000.0] {
        assert_eq!(time.value_of(&number(value)), Ok(value));
    }
}

#[test]
fn number_outside_of_the_range_is_refused_with_the_range() {
    let time = param("time_ms");
    for value in [0.999, 2000.1, f64::INFINITY, f64::NAN] {
        let error = time.value_of(&number(value)).unwrap_err();
        let expected = format!("`time_ms` is {value}; it must be a number from 1 to 2000 ms");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn number_between_steps_goes_to_the_nearest() {
    let mix = param("mix_db");
    for (given, value) in [(0.3, 0.5), (0.2, 0.0), (-23.9, -24.0), (23.8, 24.0), (24.0, 24.0)] {
        assert_eq!(mix.value_of(&number(given)), Ok(value), "{given}");
    }
    assert_eq!(param("mode").value_of(&number(1.4)), Ok(1.0));
}

#[test]
fn step_of_a_decimal_range_is_the_decimal() {
    let mut document = full();
    let share = json!({ "id": 9, "key": "share", "min": 0, "max": 1, "default": 0.3, "steps": 10 });
    document["params"].as_array_mut().unwrap().push(share);
    let share = parse(&document).unwrap().param("share").unwrap().clone();
    assert_eq!(share.default.to_bits(), 0.3_f64.to_bits());
    for tenth in 0..=10 {
        let value = f64::from(tenth) / 10.0;
        assert_eq!(share.value_of(&number(value)).unwrap().to_bits(), value.to_bits());
    }
}

#[test]
fn word_is_the_number_of_its_label() {
    let mode = param("mode");
    assert_eq!(mode.value_of(&text("ping-pong")), Ok(2.0));
    let error = mode.value_of(&text("Tape")).unwrap_err();
    assert!(matches!(error.mistake, ParamMistake::UnknownChoice { .. }), "{error:?}");
    let error = param("time_ms").value_of(&text("long")).unwrap_err();
    assert_eq!(error.to_string(), "`time_ms` is \"long\"; it must be a number from 1 to 2000 ms");
}

#[test]
fn false_and_true_are_off_and_on_only() {
    let freeze = param("freeze");
    assert_eq!(freeze.value_of(&ParamValue::Bool(false)), Ok(0.0));
    assert_eq!(freeze.value_of(&ParamValue::Bool(true)), Ok(1.0));
    assert_eq!(freeze.value_of(&text("on")), Ok(1.0));
    let error = param("mode").value_of(&ParamValue::Bool(true)).unwrap_err();
    assert!(error.to_string().starts_with("`mode` is true; it must be \"tape\", "), "{error}");
}

#[test]
fn shown_value_is_the_label_or_the_number_with_its_unit() {
    assert_eq!(param("mode").shown(2.0), "ping-pong");
    assert_eq!(param("freeze").shown(0.0), "off");
    let time = param("time_ms");
    for (value, shown) in [
        (250.0, "250 ms"),
        (90.5, "90.5 ms"),
        (0.1 + 0.2, "0.3 ms"),
        (1234.5678, "1234.57 ms"),
        (20_000.0, "20000 ms"),
        (1_234_567.0, "1234567 ms"),
        (-0.0, "0 ms"),
        (-6.02, "-6.02 ms"),
        (0.000_25, "0.00025 ms"),
    ] {
        assert_eq!(time.shown(value), shown);
    }
}

#[test]
fn expected_of_many_labels_stays_short() {
    let labels: Vec<_> = (0..200).map(|index| format!("a long label number {index}")).collect();
    let param =
        json!({ "id": 9, "key": "many", "min": 0, "max": 199, "default": 0, "labels": labels });
    let param = parse(&with("/params/-", param)).unwrap().param("many").unwrap().clone();
    assert!(param.expected().len() < 600, "{}", param.expected());
}

fn given(pairs: &[(&str, ParamValue)]) -> BTreeMap<String, ParamValue> {
    pairs.iter().map(|(key, given)| ((*key).to_owned(), given.clone())).collect()
}

#[test]
fn settings_are_defaults_then_preset_then_what_was_given() {
    let description = parse(&full()).unwrap();
    let defaults: Vec<_> = Settings::defaults(&description).iter().collect();
    assert_eq!(defaults, [(7, 250.0), (3, 1.0), (4, 0.0), (5, 0.0)]);
    let given = given(&[("time_ms", number(33.0)), ("freeze", ParamValue::Bool(true))]);
    let settings = Settings::of(&description, Some("Slap"), &given).unwrap();
    let values: Vec<_> = settings.iter().collect();
    assert_eq!(values, [(7, 33.0), (3, 0.0), (4, 1.0), (5, 0.0)]);
    assert_eq!(settings.get("mode"), Some(0.0));
    assert_eq!(settings.get("absent"), None);
    let shown = serde_json::to_string(&settings).unwrap();
    assert_eq!(shown, r#"{"time_ms":33.0,"mode":0.0,"freeze":1.0,"mix_db":0.0}"#);
}

#[test]
fn settings_with_four_mistakes_report_four() {
    let description = parse(&full()).unwrap();
    let given = given(&[
        ("mode", text("tap")),
        ("tme_ms", number(3.0)),
        ("time_ms", number(-1.0)),
        ("mix_db", number(1.0)),
    ]);
    let errors = Settings::of(&description, Some("Slab"), &given).unwrap_err();
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "there is no preset \"Slab\"; did you mean `Slap`?",
            "`mode` is \"tap\"; it must be \"tape\", \"digital\", \"ping-pong\", or a number from 0 to 2",
            "`time_ms` is -1; it must be a number from 1 to 2000 ms",
            "there is no parameter \"tme_ms\"; did you mean `time_ms`?",
        ]
    );
}

#[test]
fn unknown_name_like_no_other_is_answered_with_all() {
    let description = parse(&full()).unwrap();
    let errors = Settings::of(&description, None, &given(&[("wobble", number(1.0))])).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "there is no parameter \"wobble\"; the parameters are time_ms, mode, freeze, mix_db"
    );
    let bare = json!({ "id": "half", "name": "Half", "version": "1.0.0", "channels": [1, 8] });
    let errors = Settings::of(&parse(&bare).unwrap(), Some("x"), &BTreeMap::new()).unwrap_err();
    assert_eq!(errors[0].to_string(), "there is no preset \"x\"; the effect has no presets");
}
