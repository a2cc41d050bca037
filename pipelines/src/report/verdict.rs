//! A gate's measure, held against its bounds.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One measure held against its bounds, for the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was measured: the source, or an export.
    pub subject: String,
    /// Which measure, with its unit.
    pub measure: Cow<'static, str>,
    /// What was measured; `None` where there is no such value.
    pub value: Option<f64>,
    /// The least that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The values that are allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<u64>,
    /// Whether it is within its bounds.
    pub passed: bool,
    /// The delivery target that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Unit of the value and its bounds.
    #[serde(skip)]
    pub(crate) unit: &'static str,
}

impl Verdict {
    /// Whether the gate was missed.
    pub(crate) fn is_miss(&self) -> bool {
        !self.passed
    }

    /// One line that names measure, value and bound.
    pub(crate) fn line(&self) -> String {
        let Self { subject, measure, unit, .. } = self;
        let name = measure.trim_end_matches(|c| c != '_').trim_end_matches('_').replace('_', " ");
        let name = if name.is_empty() { measure.to_string() } else { name };
        let Some(value) = self.value else {
            return format!("{subject} has no {name}, but a [[require]] checks it");
        };
        let by = self.target.as_ref().map(|target| format!(" by {target}")).unwrap_or_default();
        let required = match (self.min, self.max) {
            (Some(min), _) if value < min => format!("at least {} is required", show(min, unit)),
            (_, Some(max)) if value > max => format!("at most {} is allowed", show(max, unit)),
            _ => format!("one of {:?} is required", self.one_of),
        };
        format!("{subject} has {name} {}; {required}{by}", show(value, unit))
    }
}

/// A value with its unit: counts whole, everything else with two decimals.
fn show(value: f64, unit: &str) -> String {
    let number = if value.fract() == 0.0 && unit.len() < 3 {
        format!("{value}")
    } else {
        format!("{value:.2}")
    };
    format!("{number} {unit}").trim_end().to_owned()
}
