//! The JSON schema of pipelines, which editors read beside the shipped ones.

use super::{Lab, json};
use serde_json::{Value, json};
use std::path::Path;

/// Takes the names of formats out: which of them there are depends on the build.
fn formats(schema: &mut Value) -> Vec<Value> {
    let format = &mut schema["properties"]["export"]["items"]["properties"]["format"]["enum"];
    let Value::Array(names) = std::mem::replace(format, json!([])) else { panic!("{format}") };
    names
}

#[test]
fn shipped_schema_of_pipelines_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/pipeline.schema.json");
    let mut shipped: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut printed = json(&Lab::new().run(&["schema", "pipeline"]));
    let (all, built) = (formats(&mut shipped), formats(&mut printed));
    assert!(built.iter().all(|name| all.contains(name)), "{built:?} of {all:?}");
    assert!(all.contains(&json!("mp3")) && all.contains(&json!("aac")), "{all:?}");
    assert!(
        shipped == printed,
        "run `wavemill schema > pipelines/pipeline.schema.json` with all formats built"
    );
}
