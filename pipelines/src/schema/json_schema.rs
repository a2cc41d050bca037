//! The JSON schema of pipeline files, for editors; made from the tables of keys and the steps.

use super::ROOT_KEYS;
use super::export::{BIT_DEPTH_NAMES, BIT_DEPTHS};
use crate::effects::Effects;
use crate::reader::{Key, Kind};
use serde_json::{Map, Value, json};
use wavemill_core::descriptor::{ParamDefault, ParamDescriptor, ParamKind, StepDescriptor};
use wavemill_core::{encode, processors};

/// What a duration looks like, for editors.
const DURATION_PATTERN: &str = r"^\s*([0-9.]+\s*(ms|s|m|h|d)\s*)+$";

/// The JSON schema (draft 7, which TOML editors know) of a pipeline file. Bundled effects are loaded to
/// see their parameters.
pub fn json_schema(effects: &Effects) -> Value {
    let mut schema = section(ROOT_KEYS);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("Wavemill pipeline");
    schema["properties"]["version"] = json!({ "const": super::VERSION });
    let step = &mut schema["properties"]["step"]["items"];
    step["properties"]["use"] = json!({ "enum": step_names() });
    step["properties"]["effect"]["anyOf"] = effect_names();
    step["oneOf"] = json!([{ "required": ["use"] }, { "required": ["effect"] }]);
    let steps = processors::STEPS.iter().map(|step| step_rule(step));
    step["allOf"] = steps.chain(effect_rules(effects)).collect();
    let formats: Vec<&str> = encode::FORMATS.iter().map(|format| format.name).collect();
    schema["properties"]["export"]["items"]["properties"]["format"] = json!({ "enum": formats });
    schema
}

fn step_names() -> Vec<&'static str> {
    processors::STEPS.iter().map(|step| step.name).collect()
}

/// Bundled effects by name, so that editors offer them; or a path.
fn effect_names() -> Value {
    #[cfg(feature = "effects")]
    let bundled: Vec<&str> =
        wavemill_runtime::bundled::MODULES.iter().map(|module| module.name).collect();
    #[cfg(not(feature = "effects"))]
    let bundled: [&str; 0] = [];
    let path = json!({ "type": "string", "pattern": "/|\\.wasm$" });
    if bundled.is_empty() { json!([path]) } else { json!([{ "enum": bundled }, path]) }
}

#[cfg(not(feature = "effects"))]
fn effect_rules(_effects: &Effects) -> Vec<Value> {
    Vec::new()
}

/// What `with` and `preset` may hold when `effect` names a bundled effect. One that cannot be loaded
/// has no rule: the schema is a help, and `check` says what is wrong.
#[cfg(feature = "effects")]
fn effect_rules(effects: &Effects) -> Vec<Value> {
    let names = wavemill_runtime::bundled::MODULES.iter().map(|module| module.name);
    let rule = |name| effects.load(name).ok().map(|module| effect_rule(name, module.description()));
    names.filter_map(rule).collect()
}

#[cfg(feature = "effects")]
fn effect_rule(name: &str, description: &wavemill_runtime::Description) -> Value {
    let params = description.params.iter().map(|param| {
        let number = json!({ "type": "number", "minimum": param.min, "maximum": param.max });
        let mut forms = vec![number];
        if !param.labels.is_empty() {
            forms.insert(0, json!({ "enum": param.labels }));
        }
        if param.is_switch() {
            forms.insert(0, json!({ "type": "boolean" }));
        }
        let schema =
            json!({ "anyOf": forms, "description": param.summary, "default": param.default });
        (param.key.clone(), schema)
    });
    let with = json!({
        "type": "object",
        "description": description.summary,
        "additionalProperties": false,
        "properties": params.collect::<Map<_, _>>(),
    });
    let presets: Vec<&str> =
        description.presets.iter().map(|preset| preset.name.as_str()).collect();
    let file = json!({ "type": "string", "pattern": "/|\\.toml$" });
    let preset = json!({ "anyOf": [{ "enum": presets }, file] });
    let then = json!({ "properties": { "with": with, "preset": preset } });
    let is_named = json!({ "properties": { "effect": { "const": name } }, "required": ["effect"] });
    json!({ "if": is_named, "then": then })
}

fn section(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut property = kind(&key.kind);
        property["description"] = json!(key.summary);
        properties.insert(key.name.to_owned(), property);
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

/// The schema of a value.
fn kind(kind: &Kind) -> Value {
    let integer = |min: i64, max: i64| json!({ "type": "integer", "minimum": min, "maximum": max });
    let number = |min: f64, max: f64| json!({ "type": "number", "minimum": min, "maximum": max });
    let text = || json!({ "type": "string", "minLength": 1 });
    let duration = || json!({ "type": "string", "pattern": DURATION_PATTERN });
    let bounds = |properties: Value| json!({ "type": "object", "additionalProperties": false, "properties": properties });
    match *kind {
        Kind::Integer { min, max } => integer(min, max),
        Kind::Integers { min, max } => one_or_more(&integer(min, max)),
        Kind::Number { min, max, .. } => number(min, max),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Text | Kind::DurationRange { .. } => text(),
        Kind::Texts => one_or_more(&text()),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => one_or_more(&json!({ "enum": words })),
        Kind::Duration { .. } => duration(),
        Kind::DurationBounds { .. } => bounds(json!({ "min": duration(), "max": duration() })),
        Kind::Bounds { min, max, .. } => bounds(json!({
            "min": number(min, max),
            "max": number(min, max),
            "target": number(min, max),
            "tolerance": number(0.0, max - min),
        })),
        Kind::TextMap => json!({ "type": "object", "additionalProperties": text() }),
        Kind::Table(keys) => section(keys),
        Kind::Tables(keys) => json!({ "type": "array", "items": section(keys) }),
        Kind::Params => json!({ "type": "object" }),
        Kind::BitDepth => {
            let names: Vec<&str> = BIT_DEPTH_NAMES.iter().map(|(name, _)| *name).collect();
            json!({ "anyOf": [{ "enum": BIT_DEPTHS }, { "enum": names }] })
        }
    }
}

fn one_or_more(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "minItems": 1, "items": item }] })
}

/// What `with` may hold when `use` names this step.
fn step_rule(step: &StepDescriptor) -> Value {
    let mut properties = Map::new();
    for param in step.params {
        properties.insert(param.key.to_owned(), param_schema(param));
    }
    // A target may also come from the environment.
    let required: Vec<&str> = step
        .params
        .iter()
        .filter(|param| {
            matches!(param.default, ParamDefault::Required { .. }) && param.key != "target_lufs"
        })
        .map(|param| param.key)
        .collect();
    let with = json!({
        "type": "object",
        "description": step.summary,
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    });
    let mut then = json!({ "properties": { "with": with } });
    if !required.is_empty() {
        then["required"] = json!(["with"]);
    }
    let is_named = json!({ "properties": { "use": { "const": step.name } }, "required": ["use"] });
    json!({ "if": is_named, "then": then })
}

fn param_schema(param: &ParamDescriptor) -> Value {
    let mut schema = match param.kind {
        ParamKind::Number { min, max, .. } => {
            json!({ "type": "number", "minimum": min, "maximum": max })
        }
        ParamKind::Integer { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Choice(words) => json!({ "enum": words }),
        ParamKind::AudioFile => json!({ "type": "string", "minLength": 1 }),
    };
    schema["description"] = json!(param.summary);
    match param.default {
        ParamDefault::Number(value) => schema["default"] = json!(value),
        ParamDefault::Integer(value) => schema["default"] = json!(value),
        ParamDefault::Bool(value) => schema["default"] = json!(value),
        ParamDefault::Choice(value) => schema["default"] = json!(value),
        ParamDefault::Required { .. } | ParamDefault::Absent => {}
    }
    schema
}
