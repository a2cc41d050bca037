//! As much of JSON schema (draft 7) as the shipped schemas use.

use serde_json::Value;

/// Words of a schema that say something to people only.
const REMARKS: [&str; 7] =
    ["$schema", "$id", "title", "description", "definitions", "default", "format"];

/// Notes where `value` is not as `schema`, a part of `root`, says.
#[expect(clippy::too_many_lines, reason = "an arm for each word of a schema")]
pub(crate) fn check(
    root: &Value,
    schema: &Value,
    value: &Value,
    place: &str,
    complaints: &mut Vec<String>,
) {
    for (word, said) in schema.as_object().expect("a schema is an object") {
        match word.as_str() {
            word if REMARKS.contains(&word) => {}
            "$ref" => {
                let pointer = said.as_str().unwrap().trim_start_matches('#');
                check(root, root.pointer(pointer).unwrap(), value, place, complaints);
            }
            "type" => {
                if !types(said).iter().any(|name| is_of(value, name)) {
                    complaints.push(format!("{place} is no {said}: {value}"));
                }
            }
            "enum" | "const" => {
                let allowed = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
                if !allowed.contains(value) {
                    complaints.push(format!("{place} is not {said}: {value}"));
                }
            }
            "minimum" | "maximum" => {
                let is_low = word == "minimum";
                let bound = said.as_f64().unwrap();
                let is_beyond = |number| if is_low { number < bound } else { number > bound };
                if value.as_f64().is_some_and(is_beyond) {
                    complaints.push(format!("{place} is beyond the {word} of {said}: {value}"));
                }
            }
            "required" => {
                for key in said.as_array().unwrap() {
                    if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
                        complaints.push(format!("{place} lacks {key}"));
                    }
                }
            }
            "properties" => {
                for (key, schema) in said.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(root, schema, value, &format!("{place}/{key}"), complaints);
                    }
                }
            }
            "additionalProperties" if said.is_object() => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    check(root, said, value, &format!("{place}/{key}"), complaints);
                }
            }
            "additionalProperties" => {
                assert_eq!(said, &Value::Bool(false), "nothing else is used");
                for key in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
                    if schema["properties"].get(key).is_none() {
                        complaints.push(format!("{place}/{key} is not in the schema"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, said, item, &format!("{place}/{index}"), complaints);
                }
            }
            "allOf" => {
                for schema in said.as_array().unwrap() {
                    check(root, schema, value, place, complaints);
                }
            }
            "anyOf" | "oneOf" => {
                let any = said.as_array().unwrap();
                if !any.iter().any(|schema| fits(root, schema, value)) {
                    complaints.push(format!("{place} is nothing that may be there: {value}"));
                }
            }
            other => panic!("the checker does not know `{other}`"),
        }
    }
}

fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut complaints = Vec::new();
    check(root, schema, value, "", &mut complaints);
    complaints.is_empty()
}

fn types(said: &Value) -> Vec<&str> {
    match said {
        Value::String(one) => vec![one],
        several => several.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect(),
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type `{other}`"),
    }
}
