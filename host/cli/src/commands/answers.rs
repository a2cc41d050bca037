//! Answers of the control API as the commands show them.

use super::CliError;
use crate::report::{JSON_VERSION, Tone, one_line};
use serde_json::{Value, json};
use wavemill_store::JobState;

/// The tone of a state.
pub(super) fn tone_of(state: JobState) -> Tone {
    match state {
        JobState::Done => Tone::Good,
        JobState::Failed | JobState::Rejected => Tone::Bad,
        JobState::Retry | JobState::Skipped | JobState::Canceled => Tone::Doubt,
        JobState::Running | JobState::Prepared | JobState::Published => Tone::Strong,
        JobState::Ready => Tone::Faint,
    }
}

/// An RFC 3339 time as `2026-11-21 08:45:55` in this machine's zone; another text as it is.
pub(super) fn moment(time: &str) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => {
            let here = time.to_zoned(jiff::tz::TimeZone::system());
            here.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => one_line(time),
    }
}

/// A control type's JSON with the version before it.
pub(super) fn with_version(value: &impl serde::Serialize) -> Result<Value, CliError> {
    let mut object = json!({ "version": JSON_VERSION });
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, value_of(value)?) {
        object.extend(fields);
    }
    Ok(object)
}

/// A control type's JSON.
pub(super) fn value_of(value: &impl serde::Serialize) -> Result<Value, CliError> {
    serde_json::to_value(value).map_err(|error| CliError::failed(error.to_string()))
}
