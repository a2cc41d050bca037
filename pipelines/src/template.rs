//! Paths with placeholders.

use serde::Serialize;

/// A checked path template such as `outbox/{date:%Y/%m/%d}/{stem}.{ext}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Template(String);
