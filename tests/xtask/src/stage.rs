//! One command of the gate after the other, timed, with the skips its tests report.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a test prints, at the start of a line, when this machine cannot run it; the reason follows.
const SKIP_PREFIX: &str = "skipped: ";

/// What the stages brought so far.
pub(crate) struct Gate {
    started: Instant,
    passed: usize,
    failed: Vec<String>,
    skips: BTreeMap<String, usize>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), passed: 0, failed: Vec::new(), skips: BTreeMap::new() }
    }

    /// Counts something this machine cannot run.
    pub(crate) fn skip(&mut self, reason: &str) {
        println!("{SKIP_PREFIX}{reason}");
        *self.skips.entry(reason.to_owned()).or_default() += 1;
    }

    /// Runs a command, passing its output on as it comes. A failure is kept for the end, so that one
    /// run of the gate shows everything that is wrong.
    pub(crate) fn stage(&mut self, name: &str, command: &mut Command) {
        let line = command_line(command);
        println!("\n== {name}: {line}");
        let started = Instant::now();
        let result = self.stream(command);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                self.passed += 1;
                println!("== {name}: passed in {seconds:.1} s");
            }
            Err(error) => {
                println!("== {name}: FAILED in {seconds:.1} s: {error:#}");
                self.failed.push(format!("`{line}` ({error:#})"));
            }
        }
    }

    fn stream(&mut self, command: &mut Command) -> Result<()> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot be started")?;
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = Vec::new();
        let mut excerpt = Excerpt::default();
        while output.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            if excerpt.takes(&text) {
                std::io::stdout().write_all(&line)?;
            }
            if let Some(reason) = text.strip_prefix(SKIP_PREFIX) {
                *self.skips.entry(reason.trim().to_owned()).or_default() += 1;
            }
            line.clear();
        }
        let status = child.wait()?;
        if !status.success() {
            let failed = excerpt.failed.join(", ");
            let separator = if failed.is_empty() { "" } else { ": " };
            bail!("{status}{separator}{failed}");
        }
        Ok(())
    }

    /// Says how it went.
    ///
    /// # Errors
    /// Names every command that failed.
    pub(crate) fn finish(self) -> Result<()> {
        let skipped: usize = self.skips.values().sum();
        let mut line = format!(
            "gate: {} stages passed in {:.0} s, {skipped} skipped tests",
            self.passed,
            self.started.elapsed().as_secs_f64(),
        );
        for (index, (reason, count)) in self.skips.iter().enumerate() {
            let separator = if index == 0 { ':' } else { ',' };
            write!(line, "{separator} {reason} ({count})").context("formatting")?;
        }
        println!("\n{line}");
        if !self.failed.is_empty() {
            bail!("the gate is closed; failed: {}", self.failed.join(", "));
        }
        Ok(())
    }
}

/// What is shown of a command's output: all but what passing tests printed, so that a failure can be found.
#[derive(Debug, Default)]
struct Excerpt {
    is_hiding: bool,
    /// Tests that failed.
    failed: Vec<String>,
}

impl Excerpt {
    /// Whether a line is shown.
    fn takes(&mut self, line: &str) -> bool {
        let line = line.trim_end();
        if line == "successes:" {
            self.is_hiding = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.is_hiding = false;
        }
        let test = line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED"));
        self.failed.extend(test.map(str::to_owned));
        !self.is_hiding
    }
}

/// The command as a person would type it.
fn command_line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_passing_tests_is_left_out() {
        let output = [
            ("test a ... ok", true),
            ("test b::c ... FAILED", true),
            ("successes:", false),
            ("---- a stdout ----", false),
            ("skipped: no program", false),
            ("successes:", false),
            ("failures:", true),
            ("---- b::c stdout ----", true),
            ("test result: FAILED. 1 passed; 1 failed", true),
        ];
        let mut excerpt = Excerpt::default();
        for (line, is_shown) in output {
            assert_eq!(excerpt.takes(&format!("{line}\n")), is_shown, "{line}");
        }
        assert_eq!(excerpt.failed, ["b::c"]);
    }
}
