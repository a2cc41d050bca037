//! What is wrong with a pipeline file, as data; the host draws it.

use serde::Serialize;
use std::ops::Range;

/// One mistake (or doubt) in a pipeline file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Stable name of the kind of mistake, `kebab-case`: `unknown-key`, `out-of-range`...
    pub code: &'static str,
    /// Whether it keeps the pipeline from running.
    pub severity: Severity,
    /// One line, lower case, no full stop.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
    /// Bytes of the text it is about.
    pub span: Range<usize>,
    /// Line of the span's start, from 1.
    pub line: usize,
    /// Column of the span's start in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The pipeline is refused.
    Error,
    /// The pipeline runs, perhaps not as meant.
    Warning,
}
