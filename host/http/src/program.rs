//! Commands of this program that answer requests: they confine themselves, and what they print is the answer.

use crate::app::App;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;
use wavemill_api::types::Problem;

/// Longest time that a command runs.
const RUN_WITHIN: Duration = Duration::from_mins(5);

/// Most that a command prints, bytes: an hour of loudness has some 4 MB.
const PRINTED_BYTES_MAX: usize = 64 << 20;

impl App {
    /// The JSON document that a command prints.
    ///
    /// # Errors
    /// When it fails; its reason goes to the log, since it names paths of this machine.
    pub(crate) async fn document_of(&self, arguments: &[&str]) -> Result<Value, Problem> {
        let text = self.printed(arguments).await?;
        serde_json::from_slice(&text)
            .map_err(|error| Problem::new(500, "internal error", error.to_string()))
    }

    /// The JSON documents that a command prints, one a line.
    ///
    /// # Errors
    /// As [`App::document_of`].
    pub(crate) async fn lines_of(&self, arguments: &[&str]) -> Result<Vec<Value>, Problem> {
        let text = self.printed(arguments).await?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| Problem::new(500, "internal error", error.to_string()))
    }

    async fn printed(&self, arguments: &[&str]) -> Result<Vec<u8>, Problem> {
        let internal = |reason: String| Problem::new(500, "internal error", reason);
        let _place = self.programs.acquire().await;
        // This very program, also where another version lies in its place by now.
        let own = Path::new("/proc/self/exe");
        let program = if own.exists() { Ok(own.to_owned()) } else { std::env::current_exe() };
        let program = program.map_err(|error| internal(error.to_string()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let ran = timeout(RUN_WITHIN, command.output()).await;
        let output = ran
            .map_err(|_| Problem::new(504, "too slow", "this takes too long"))?
            .map_err(|error| internal(error.to_string()))?;
        if output.status.success() && output.stdout.len() <= PRINTED_BYTES_MAX {
            return Ok(output.stdout);
        }
        tracing::warn!(reason = %String::from_utf8_lossy(&output.stderr).trim(), "A command failed.");
        Err(Problem::new(422, "cannot be processed", "the file cannot be read as audio"))
    }
}
