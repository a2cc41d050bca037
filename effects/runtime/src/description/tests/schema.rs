//! `effects/describe.schema.json` and the parser say the same, and where the schema cannot (order of
//! numbers, names of other keys) the table says so.

use super::*;
use regex_lite::Regex;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../describe.schema.json")).unwrap()
}

/// What both must say.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Says {
    /// Both accept.
    Right,
    /// Both refuse.
    Wrong,
    /// Beyond a schema: only the parser refuses.
    Unseen,
}

use Says::{Right, Unseen, Wrong};

#[expect(clippy::too_many_lines, reason = "a flat table")]
fn table() -> Vec<(&'static str, Value, Says)> {
    let long = |count: usize| json!("a".repeat(count));
    let param =
        |id: usize| json!({ "id": id, "key": format!("k{id}"), "min": 0, "max": 1, "default": 0 });
    let params = |count: usize| Value::Array((0..count).map(param).collect());
    let meters = |count: usize| {
        Value::Array(
            (0..count).map(|id| json!({ "key": format!("k{id}"), "min": 0, "max": 1 })).collect(),
        )
    };
    let presets =
        |count: usize| Value::Object((0..count).map(|n| (format!("p{n}"), json!({}))).collect());
    let labels = |count: usize| json!((0..count).map(|n| format!("l{n}")).collect::<Vec<_>>());
    let labeled = |count: usize| json!({ "id": 9, "key": "k", "min": 1, "max": count, "default": 1, "labels": labels(count) });
    let mut table = vec![
        ("/later", json!(1), Right),
        ("/id", long(64), Right),
        ("/id", long(65), Wrong),
        ("/id", json!(""), Wrong),
        ("/id", json!("a"), Right),
        ("/id", json!("-a"), Wrong),
        ("/id", json!("a."), Wrong),
        ("/id", json!("a_b"), Wrong),
        ("/id", json!("A"), Wrong),
        ("/id", json!("é"), Wrong),
        ("/id", json!(1), Wrong),
        ("/id", Value::Null, Wrong),
        ("/name", json!(""), Wrong),
        ("/name", json!("é".repeat(64)), Right),
        ("/name", json!("é".repeat(65)), Wrong),
        ("/name", json!("a\nb"), Wrong),
        ("/name", json!("a\u{9b}b"), Wrong),
        ("/name", Value::Null, Wrong),
        ("/version", json!("0.0.0"), Right),
        ("/version", json!("10.20.30+build.5"), Right),
        ("/version", json!("1.2"), Wrong),
        ("/version", json!("1.2.3.4"), Wrong),
        ("/version", json!("1..3"), Wrong),
        ("/version", json!("1.2.3-"), Wrong),
        ("/version", json!("1.2.3-a b"), Wrong),
        ("/version", json!("v1.2.3"), Wrong),
        ("/version", json!(format!("1.2.3-{}", "a".repeat(58))), Right),
        ("/version", json!(format!("1.2.3-{}", "a".repeat(59))), Wrong),
        ("/abi", json!({}), Right),
        ("/abi", json!([]), Wrong),
        ("/abi/minor", json!(4_294_967_295_u32), Right),
        ("/abi/minor", json!(4_294_967_296_u64), Wrong),
        ("/abi/minor", json!(1.5), Wrong),
        ("/abi/minor", json!(1.0), Right),
        ("/channels", json!([1, 64]), Right),
        ("/channels", json!([2, 2]), Right),
        ("/channels", json!([0, 2]), Wrong),
        ("/channels", json!([1, 65]), Wrong),
        ("/channels", json!([1]), Wrong),
        ("/channels", json!([1, 2, 3]), Wrong),
        ("/channels", json!([1, 1.5]), Wrong),
        ("/channels", json!([2, 1]), Unseen),
        ("/sample_rates", json!([1000, 655_350]), Right),
        ("/sample_rates", json!([999]), Wrong),
        ("/sample_rates", json!([655_351]), Wrong),
        ("/sample_rates", json!([]), Wrong),
        ("/sample_rates", json!(vec![48_000; 64]), Right),
        ("/sample_rates", json!(vec![48_000; 65]), Wrong),
        ("/summary", json!("a\tb"), Wrong),
        ("/summary", json!(""), Right),
        ("/manual", json!("a\tb\nc"), Right),
        ("/manual", json!("a\u{1b}b"), Wrong),
        ("/manual", json!(7), Wrong),
        ("/license", json!("a\u{7f}"), Wrong),
        ("/homepage", json!(true), Wrong),
        ("/keep_length", json!(false), Right),
        ("/keep_length", json!("no"), Wrong),
        ("/meters", meters(16), Right),
        ("/meters", meters(17), Wrong),
        ("/meters", json!([{ "key": "a", "min": 0 }]), Wrong),
        ("/meters", json!([{ "key": "A", "min": 0, "max": 1 }]), Wrong),
        ("/meters", json!([{ "key": "a", "unit": long(17), "min": 0, "max": 1 }]), Wrong),
        ("/meters", json!([{ "key": "a", "name": "", "min": 0, "max": 1 }]), Wrong),
        ("/meters", json!([{ "key": "a", "min": 1, "max": 1 }]), Unseen),
        ("/meters", json!([{ "key": "a", "min": 0, "max": 1e39 }]), Unseen),
        ("/meters", json!([{ "key": "a", "min": -1e39, "max": 1 }]), Unseen),
        (
            "/meters",
            json!([{ "key": "a", "min": 0, "max": 1 }, { "key": "a", "min": 0, "max": 1 }]),
            Unseen,
        ),
        ("/presets", json!([]), Wrong),
        ("/presets", presets(128), Right),
        ("/presets", presets(129), Wrong),
        ("/presets/Slap", json!(1), Wrong),
        ("/presets/Slap/time_ms", json!([]), Wrong),
        ("/presets/Slap/time_ms", json!(0.5), Unseen),
        ("/presets/Slap/time_ms", json!("tape"), Unseen),
        ("/presets/Slap/time_ms", json!(true), Unseen),
        ("/presets/Slap/mode", json!("digital"), Right),
        ("/presets/Slap/mode", json!(2), Right),
        ("/presets/Slap/mode", json!("vinyl"), Unseen),
        ("/presets/Slap/freeze", json!("on"), Right),
        ("/presets/Slap/other", json!(1), Unseen),
        ("/presets/", json!({}), Wrong),
        ("/presets/a\tb", json!({}), Wrong),
        ("/params/-", param(9), Right),
        ("/params/-", labeled(2), Right),
        ("/params/-", labeled(256), Right),
        ("/params/-", labeled(257), Wrong),
        ("/params/-", json!(1), Wrong),
        ("/params", json!({}), Wrong),
    ];
    table.extend(param_table());
    // Presets name parameters of `full()`, so these documents have none.
    for (count, says) in [(128, Right), (129, Wrong)] {
        table.push(("/params", params(count), if says == Right { Unseen } else { says }));
    }
    table
}

fn param_table() -> Vec<(&'static str, Value, Says)> {
    vec![
        ("/params/0/id", json!(2_147_483_647), Right),
        ("/params/0/id", json!(2_147_483_648_u32), Wrong),
        ("/params/0/id", json!(-1), Wrong),
        ("/params/0/id", json!(3), Unseen),
        ("/params/0/id", Value::Null, Wrong),
        ("/params/3/key", json!(format!("a{}", "_".repeat(31))), Right),
        ("/params/3/key", json!(format!("a{}", "_".repeat(32))), Wrong),
        ("/params/3/key", json!("_a"), Wrong),
        ("/params/3/key", json!("aB"), Wrong),
        ("/params/3/key", json!("mode"), Unseen),
        ("/params/3/key", Value::Null, Wrong),
        ("/params/0/name", json!(""), Wrong),
        ("/params/0/name", json!("b".repeat(65)), Wrong),
        ("/params/0/summary", json!("a\nb"), Wrong),
        ("/params/0/unit", json!("u".repeat(16)), Right),
        ("/params/0/unit", json!("u".repeat(17)), Wrong),
        ("/params/0/unit", json!(""), Right),
        ("/params/0/min", json!("1"), Wrong),
        ("/params/0/min", Value::Null, Wrong),
        ("/params/0/min", json!(300), Unseen),
        ("/params/0/min", json!(-1), Unseen),
        ("/params/0/max", Value::Null, Wrong),
        ("/params/0/max", json!(0), Unseen),
        ("/params/0/default", Value::Null, Wrong),
        ("/params/0/default", json!(3000), Unseen),
        ("/params/0/scale", json!("lin"), Right),
        ("/params/0/scale", json!("exp"), Wrong),
        ("/params/0/steps", json!(1), Unseen),
        ("/params/3/steps", json!(1_000_000), Right),
        ("/params/3/steps", json!(1_000_001), Wrong),
        ("/params/3/steps", json!(0), Wrong),
        ("/params/3/steps", json!(2.5), Wrong),
        ("/params/3/default", json!(0.25), Unseen),
        ("/params/1/labels", json!(["a"]), Wrong),
        ("/params/1/labels", json!(["a", "b", "a"]), Wrong),
        ("/params/1/labels", json!(["a", "b", ""]), Wrong),
        ("/params/1/labels", json!(["tape", "b", "l".repeat(32)]), Right),
        ("/params/1/labels", json!(["tape", "b", "l".repeat(33)]), Wrong),
        ("/params/2/labels", json!(["off", "a\u{0}"]), Wrong),
        ("/params/3/labels", json!(["a", "b"]), Unseen),
        ("/params/0/flags", json!([]), Right),
        ("/params/0/flags", json!(["loud"]), Wrong),
        ("/params/0/flags", json!(vec!["restart"; 16]), Right),
        ("/params/0/flags", json!(vec!["restart"; 17]), Wrong),
        ("/params/0/flags", json!(["automatable", "restart"]), Unseen),
        ("/params/0/later", json!({ "any": "thing" }), Right),
    ]
}

#[test]
fn schema_and_parser_agree_on_every_document() {
    let schema = schema();
    accepts(&schema, &schema, &full()).expect("the schema accepts the full document");
    for (pointer, value, says) in table() {
        let document = with(pointer, value.clone());
        let by_schema = accepts(&schema, &schema, &document);
        let by_parser = parse(&document);
        let found = match (&by_schema, &by_parser) {
            (Ok(()), Ok(_)) => Some(Right),
            (Err(_), Err(_)) => Some(Wrong),
            (Ok(()), Err(_)) => Some(Unseen),
            (Err(_), Ok(_)) => None,
        };
        assert_eq!(found, Some(says), "{pointer} = {value}: {by_schema:?}, {by_parser:?}");
    }
}

#[test]
fn numbers_of_the_schema_are_those_of_the_limits() {
    let schema = schema();
    for (pointer, limit) in [
        ("/properties/name/maxLength", limits::NAME_CHARS_MAX),
        ("/properties/version/maxLength", limits::VERSION_CHARS_MAX),
        ("/properties/channels/items/maximum", limits::CHANNEL_COUNT_MAX as usize),
        ("/properties/sample_rates/items/minimum", limits::SAMPLE_RATE_HZ_MIN as usize),
        ("/properties/sample_rates/items/maximum", limits::SAMPLE_RATE_HZ_MAX as usize),
        ("/properties/sample_rates/maxItems", limits::SAMPLE_RATE_COUNT_MAX),
        ("/properties/params/maxItems", limits::PARAM_COUNT_MAX),
        ("/properties/presets/maxProperties", limits::PRESET_COUNT_MAX),
        ("/properties/presets/propertyNames/maxLength", limits::NAME_CHARS_MAX),
        ("/$defs/param/properties/name/maxLength", limits::NAME_CHARS_MAX),
        ("/$defs/param/properties/unit/maxLength", limits::UNIT_CHARS_MAX),
        ("/$defs/param/properties/steps/maximum", limits::STEP_COUNT_MAX as usize),
        ("/$defs/param/properties/labels/maxItems", limits::LABEL_COUNT_MAX),
        ("/$defs/param/properties/labels/items/maxLength", limits::LABEL_CHARS_MAX),
        ("/$defs/param/properties/flags/maxItems", limits::FLAG_COUNT_MAX),
    ] {
        assert_eq!(schema.pointer(pointer), Some(&json!(limit)), "{pointer}");
    }
    let id = format!("{{0,{}}}", limits::ID_CHARS_MAX - 2);
    assert!(schema["properties"]["id"]["pattern"].as_str().unwrap().contains(&id));
    let key = format!("{{0,{}}}", limits::KEY_CHARS_MAX - 1);
    let pattern = &schema["$defs"]["param"]["properties"]["key"]["pattern"];
    assert!(pattern.as_str().unwrap().contains(&key));
}

/// JSON schema, as far as ours goes; an unknown keyword panics.
fn accepts(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "properties" | "items" | "additionalProperties" | "propertyNames" | "$ref" => {
                inside(root, keyword, rule, schema, value)?;
                true
            }
            "required" => rule.as_array().unwrap().iter().all(|key| {
                value.as_object().is_none_or(|object| object.contains_key(key.as_str().unwrap()))
            }),
            _ => keyword_holds(keyword, rule, value),
        };
        if !holds {
            return Err(format!("{keyword} {rule} refuses {value}"));
        }
    }
    Ok(())
}

/// Keywords that look into the value.
fn inside(
    root: &Value,
    keyword: &str,
    rule: &Value,
    schema: &Value,
    value: &Value,
) -> Result<(), String> {
    match (keyword, value) {
        ("$ref", _) => {
            let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
            accepts(root, root.pointer(pointer).unwrap(), value)
        }
        ("items", Value::Array(list)) => list.iter().try_for_each(|item| accepts(root, rule, item)),
        ("properties", Value::Object(object)) => object
            .iter()
            .filter_map(|(key, value)| Some((rule.get(key)?, value)))
            .try_for_each(|(rule, value)| accepts(root, rule, value)),
        ("propertyNames", Value::Object(object)) => {
            object.keys().try_for_each(|key| accepts(root, rule, &json!(key)))
        }
        ("additionalProperties", Value::Object(object)) => {
            assert!(schema.get("properties").is_none(), "not implemented here");
            object.values().try_for_each(|value| accepts(root, rule, value))
        }
        _ => Ok(()),
    }
}

fn keyword_holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let limit = || usize::try_from(rule.as_u64().unwrap()).unwrap();
    let chars = value.as_str().map(|text| text.chars().count());
    let items = value.as_array().map(Vec::len);
    match keyword {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| is_type(value, name)),
            name => is_type(value, name),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "pattern" => value
            .as_str()
            .is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
        "minLength" => chars.is_none_or(|count| count >= limit()),
        "maxLength" => chars.is_none_or(|count| count <= limit()),
        "minItems" => items.is_none_or(|count| count >= limit()),
        "maxItems" => items.is_none_or(|count| count <= limit()),
        "maxProperties" => value.as_object().is_none_or(|object| object.len() <= limit()),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "uniqueItems" => value.as_array().is_none_or(|list| {
            list.iter().enumerate().all(|(index, item)| !list[..index].contains(item))
        }),
        _ => panic!("the schema uses `{keyword}`, which this test does not know"),
    }
}

fn is_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("type {other} is not known here"),
    }
}
