//! What `analyze` prints as JSON, as types: its schemas are made of them. A test holds real output against
//! the schemas.

#![expect(dead_code, reason = "only the schemas of these types are used")]

use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value};
use wavemill_core::advice::Advice;
use wavemill_core::analysis::Analysis;
use wavemill_core::decode::Repair;
use wavemill_core::delivery::Judgment;
use wavemill_core::loudness::{DistributionBin, HistoryPoint};
use wavemill_core::tags::Tags;
use wavemill_pipelines::report::FileFacts;

/// What `wavemill analyze --json` prints. Members that were not asked for are absent; values that do not
/// exist are null. New members may be added; nothing else changes without a new version.
#[derive(JsonSchema)]
#[schemars(title = "wavemill analyze --json")]
pub(super) struct AnalysisDocument {
    #[schemars(extend("const" = 1))]
    version: u32,
    files: Vec<AnalyzedFile>,
}

/// A file and what became of it.
#[derive(JsonSchema)]
struct AnalyzedFile {
    /// As it was named; `-` is standard input.
    path: String,
    /// Why it could not be analyzed; the other members are missing then.
    #[schemars(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    tags: Option<Tags>,
    #[schemars(flatten)]
    measures: Analysis,
    /// What was repaired, with `--damaged repair`, and pauses that were filled; absent where nothing was.
    #[schemars(skip_serializing_if = "Option::is_none")]
    repairs: Option<Vec<Repair>>,
    /// One for each `--target`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<Judgment>>,
    /// The profile that the file is held against, with `--recommend`: one by genre, `general` or `reference`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// What to change, most audible first, with `--recommend`; empty where nothing is.
    #[schemars(skip_serializing_if = "Option::is_none")]
    advice: Option<Vec<Advice>>,
}

/// What a file is.
#[derive(JsonSchema)]
struct File {
    #[schemars(flatten)]
    facts: FileFacts,
    /// What is odd about it, a line each; absent where nothing is.
    #[schemars(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<String>>,
}

/// A line that `wavemill analyze --history` prints.
#[derive(JsonSchema)]
#[schemars(title = "wavemill analyze --history, one line", tag = "type", rename_all = "kebab-case")]
pub(super) enum HistoryRow {
    /// A file begins.
    File {
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The file, as it was named.
        path: String,
    },
    /// A point of the loudness curve, every 100 ms; null where no value exists.
    Point {
        /// The file, as it was named.
        path: String,
        #[schemars(flatten)]
        point: HistoryPoint,
    },
    /// How short-term loudness is distributed; ends a file.
    Distribution {
        /// The file, as it was named.
        path: String,
        bins: Vec<DistributionBin>,
    },
    /// Why a file could not be measured; ends it.
    Error {
        /// The file, as it was named.
        path: String,
        /// What happened.
        error: String,
    },
}

/// The JSON schema of a type, which has no members but its own.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().for_serialize().with_transform(ClosedObjects);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Forbids members that are not described, and null where a member is left out instead.
#[derive(Clone, Debug)]
struct ClosedObjects;

impl Transform for ClosedObjects {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let required = schema.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| {
            required.as_array().is_some_and(|names| names.iter().any(|other| other == name))
        };
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        for (name, property) in properties {
            if let Value::Object(words) = property
                && !is_required(name)
            {
                forbid_null(words);
            }
        }
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

fn forbid_null(words: &mut Map<String, Value>) {
    if let Some(Value::Array(any)) = words.get_mut("anyOf") {
        any.retain(|one| one["type"] != "null");
        if let [only] = any.as_slice()
            && let Some(only) = only.as_object().cloned()
        {
            words.remove("anyOf");
            words.extend(only);
        }
    }
    if let Some(Value::Array(types)) = words.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            words.insert("type".to_owned(), only);
        }
    }
}
