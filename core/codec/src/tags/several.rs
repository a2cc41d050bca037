//! Fields with several values.

use super::Field;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The values of fields that have more than one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldValues(Vec<(Field, Vec<String>)>);

impl FieldValues {
    /// Whether no field has several.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a field.
    pub(super) fn of(&self, field: Field) -> Option<&[String]> {
        self.0.iter().find(|(of, _)| *of == field).map(|(_, values)| &values[..])
    }

    /// Keeps those of a field in place of what was known.
    pub(super) fn keep(&mut self, field: Field, values: Vec<String>) {
        self.0.retain(|(of, _)| *of != field);
        self.0.push((field, values));
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for FieldValues {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Several".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <std::collections::BTreeMap<String, Vec<String>>>::json_schema(generator)
    }
}

impl Serialize for FieldValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, values) in &self.0 {
            map.serialize_entry(field.name(), values)?;
        }
        map.end()
    }
}
