//! Descriptions right and wrong.

mod garbage;
mod params;
mod schema;

use super::*;
use serde_json::{Value, json};

/// A description with everything in it.
fn full() -> Value {
    json!({
        "id": "com.example.echo-2",
        "name": "Echo",
        "version": "1.2.3-beta.1",
        "abi": { "minor": 3, "later": true },
        "channels": [1, 2],
        "sample_rates": [44100, 48000],
        "summary": "Repeats its input.",
        "manual": "One line.\n\nAnother.",
        "params": [
            { "id": 7, "key": "time_ms", "name": "Time", "summary": "Between two repeats.", "unit": "ms",
              "min": 1, "max": 2000.0, "default": 250, "scale": "log", "flags": ["restart"] },
            { "id": 3, "key": "mode", "min": 0, "max": 2, "default": 1, "labels": ["tape", "digital", "ping-pong"] },
            { "id": 4, "key": "freeze", "min": 0, "max": 1, "default": 0, "labels": ["off", "on"], "steps": 1,
              "flags": ["automatable"] },
            { "id": 5, "key": "mix_db", "min": -24, "max": 24, "default": 0, "scale": "db", "steps": 96 }
        ],
        "presets": { "Slap": { "time_ms": 90, "mode": "tape", "freeze": false }, "Plain": {} },
        "license": "MIT",
        "homepage": "https://example.com",
        "later": { "unknown": [1, 2, 3] }
    })
}

fn parse(document: &Value) -> Result<Description, DescriptionError> {
    Description::parse(document.to_string().as_bytes())
}

/// `full()` with the value at a JSON pointer set, or taken away.
fn with(pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let mut document = full();
    match document.pointer_mut(parent).expect("the parent exists") {
        Value::Object(object) if value.is_null() => {
            object.remove(key);
        }
        Value::Object(object) => {
            object.insert(key.to_owned(), value);
        }
        Value::Array(list) => match key.parse::<usize>() {
            Ok(index) => list[index] = value,
            Err(_) => list.push(value),
        },
        _ => panic!("{parent} is no object"),
    }
    document
}

/// The message for [`with`]; panics where the document is accepted.
fn complaint(pointer: &str, value: Value) -> String {
    parse(&with(pointer, value)).expect_err(pointer).to_string()
}

#[test]
fn description_with_everything_is_read() {
    let description = parse(&full()).unwrap();
    assert_eq!(description.id, "com.example.echo-2");
    assert_eq!(description.abi_minor, 3);
    assert_eq!(description.channels, (1, 2));
    assert_eq!(description.sample_rates, [44_100, 48_000]);
    assert_eq!(description.manual, "One line.\n\nAnother.");
    let keys: Vec<_> = description.params.iter().map(|param| param.key.as_str()).collect();
    assert_eq!(keys, ["time_ms", "mode", "freeze", "mix_db"]);
    let time = description.param("time_ms").unwrap();
    assert_eq!((time.id, time.min, time.max, time.default), (7, 1.0, 2000.0, 250.0));
    assert_eq!((time.scale, time.steps), (Scale::Logarithmic, None));
    assert!(time.needs_restart && !time.is_automatable);
    let mode = description.param("mode").unwrap();
    assert_eq!((mode.name.as_str(), mode.steps), ("mode", Some(2)));
    assert!(!mode.needs_restart && !mode.is_automatable);
    assert!(description.param("freeze").unwrap().is_automatable);
    let slap = description.preset("Slap").unwrap();
    let values: Vec<_> = slap.values.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(values, [("freeze", 0.0), ("mode", 0.0), ("time_ms", 90.0)]);
    assert_eq!(description.presets[1].name, "Plain");
}

#[test]
fn description_of_four_keys_has_empty_defaults() {
    let document = json!({ "id": "half", "name": "Half", "version": "1.0.0", "channels": [1, 8] });
    let description = parse(&document).unwrap();
    assert_eq!(description.channels, (1, 8));
    assert_eq!(description.abi_minor, 0);
    assert!(description.sample_rates.is_empty() && description.params.is_empty());
    assert!(description.presets.is_empty() && description.manual.is_empty());
}

#[test]
fn description_of_the_worked_example_is_read() {
    let page = include_str!("../../../../ABI.md");
    let text = page.split("(data (i32.const 16)\n    \"").nth(1).unwrap();
    let text = text.split("\\00\")").next().unwrap().replace("\\\"", "\"");
    assert_eq!(Description::parse(text.as_bytes()).unwrap().id, "half");
}

#[test]
fn description_of_the_largest_size_is_read_and_one_byte_more_is_not() {
    let mut text = full().to_string();
    text.push_str(&" ".repeat(limits::DESCRIPTION_BYTES_MAX - text.len()));
    Description::parse(text.as_bytes()).unwrap();
    text.push(' ');
    let error = Description::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the description has 65537 bytes; at most 65536 are allowed");
}

#[test]
fn description_of_the_deepest_level_is_read_and_one_deeper_is_not() {
    let nested = |levels| (1..levels).fold(json!([]), |inner, _| json!([inner]));
    parse(&with("/later", nested(limits::DESCRIPTION_DEPTH_MAX - 1))).unwrap();
    let error = complaint("/later", nested(limits::DESCRIPTION_DEPTH_MAX));
    assert!(error.contains("more than 16 levels of objects and lists"), "{error}");
    let bomb = "[".repeat(60_000);
    let error = Description::parse(bomb.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 16 levels"), "{error}");
}

#[test]
fn bytes_that_are_no_json_text_are_refused() {
    let error = |bytes: &[u8]| Description::parse(bytes).unwrap_err().to_string();
    assert_eq!(error(b"{\"id\":\"\xff\"}"), "the description is not UTF-8 at byte 7");
    assert!(
        error(b"").starts_with("the description cannot be read as JSON: EOF"),
        "{}",
        error(b"")
    );
    assert!(error(b"{} {}").contains("trailing characters"));
    assert!(error(b"{\"id\": 1e999}").contains("number out of range"));
    assert!(error(b"{\"id\": NaN}").contains("cannot be read as JSON"));
    assert_eq!(error(b"[]"), "`the description` is an empty list; it must be an object `{ ... }`");
    let twice = error(b"{\"id\": \"a\", \"id\": \"b\"}");
    assert!(twice.contains("duplicate key \"id\""), "{twice}");
}

#[test]
fn missing_keys_are_named() {
    for key in ["id", "name", "version", "channels"] {
        let error = complaint(&format!("/{key}"), Value::Null);
        assert!(error.starts_with(&format!("`{key}` is missing; it must be ")), "{error}");
    }
    for key in ["id", "key", "min", "max", "default"] {
        let error = complaint(&format!("/params/2/{key}"), Value::Null);
        assert!(error.starts_with(&format!("`params[2].{key}` is missing; ")), "{error}");
    }
}

#[test]
fn errors_are_one_line_whatever_the_module_wrote() {
    let evil = "\u{1b}[31m\n\r\0\u{202e}".repeat(500);
    for pointer in ["/id", "/name", "/version", "/summary", "/params/0/key", "/params/0/unit"] {
        let error = complaint(pointer, json!(evil));
        assert!(error.len() < 600 && !error.contains(char::is_control), "{error:?}");
    }
    let error = complaint(&format!("/presets/{}", evil.replace('/', "")), json!({}));
    assert!(error.len() < 600 && !error.contains(char::is_control), "{error:?}");
    let error = complaint("/presets/Slap", json!({ &evil: 1 }));
    assert!(error.len() < 600 && !error.contains(char::is_control), "{error:?}");
}

#[test]
fn mistakes_in_the_module_are_reported_with_what_would_be_right() {
    let counts = "two whole numbers from 1 to 64, the smaller one first, as in `[1, 2]`";
    for (pointer, value, expected) in [
        ("/channels", json!([2, 1]), format!("`channels` is [2, 1]; it must be {counts}")),
        ("/channels", json!([0, 1]), format!("`channels` is [0, 1]; it must be {counts}")),
        ("/channels", json!([1, 65]), format!("`channels` is [1, 65]; it must be {counts}")),
        ("/channels", json!(2), format!("`channels` is 2; it must be {counts}")),
        (
            "/sample_rates/1",
            json!(999),
            "`sample_rates[1]` is 999; it must be a whole number of Hz from 1000 to 655350".into(),
        ),
        (
            "/sample_rates",
            json!([]),
            "`sample_rates` is an empty list; it must be a list of 1 to 64 values".into(),
        ),
        (
            "/abi/minor",
            json!(-1),
            "`abi.minor` is -1; it must be a whole number from 0 to 4294967295".into(),
        ),
        ("/abi", json!(1), "`abi` is 1; it must be an object `{ ... }`".into()),
        (
            "/version",
            json!("1.2"),
            "`version` is \"1.2\"; it must be 1 to 64 characters: three numbers as in `1.2.3`, then \
             perhaps `-beta`"
                .into(),
        ),
    ] {
        assert_eq!(complaint(pointer, value), expected);
    }
}
