//! `wavemill effects check`: whether modules keep the promises of `effects/ABI.md`.

use super::super::steps::wrap;
use super::super::{CliError, Context, Exit, Run};
use crate::report::{JSON_VERSION, Paint, Tone, counted, one_line, shown, size};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use wavemill_runtime::check::{self, CheckReport, CheckResult, Verdict};
use wavemill_runtime::{bundled, limits};

/// Test modules: same output at any block size, correct latency and tail, no failure on any input
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Names of bundled effects, or .wasm files
    #[arg(required = true, value_name = "NAME|FILE")]
    effects: Vec<PathBuf>,

    /// Memory an instance may have, in MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = limits::MEMORY_MIB,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(limits::MEMORY_MIB_MAX)),
    )]
    max_memory_mib: u32,
}

impl Run for Check {
    const NAME: &'static str = "check";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let mut are_good = true;
        let mut documents = Vec::new();
        for (index, path) in self.effects.iter().enumerate() {
            let bytes = match bytes_of(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    context.report.error(&format!("{}: {error}", shown(path)));
                    are_good = false;
                    continue;
                }
            };
            let report = check::check(&bytes, self.max_memory_mib);
            are_good &= !report.has_failed();
            if context.is_json() {
                documents.push(document(path, &report));
                continue;
            }
            if index > 0 && !context.report.is_quiet() {
                context.lines([""])?;
            }
            let paint = context.report.paint();
            context.lines(lines(path, &report, paint, context.report.is_quiet()))?;
        }
        if context.is_json() {
            context.document(&json!({ "version": JSON_VERSION, "effects": documents }))?;
        }
        Ok(if are_good { Exit::Done } else { Exit::SomeFailed })
    }
}

/// A bundled effect, or what a file begins with: one byte more than a module may have is enough to
/// refuse it.
pub(super) fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    if let Some(found) = path.to_str().and_then(bundled) {
        return Ok(found.bytes.to_vec());
    }
    let mut bytes = Vec::new();
    let most = limits::MODULE_BYTES_MAX as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first promise that a module does not keep, and why.
pub(super) fn first_failure(bytes: &[u8]) -> Option<String> {
    let report = check::check(bytes, limits::MEMORY_MIB);
    let failure = report.failures().next()?;
    let reason = match &failure.verdict {
        Verdict::Failed(reason) => reason,
        _ => failure.summary,
    };
    Some(format!("{}: {reason}", failure.name))
}

fn document(path: &Path, report: &CheckReport) -> Value {
    json!({
        "path": path.to_string_lossy(),
        "ok": !report.has_failed(),
        "module": report.module,
        "results": report.results,
        "fuel_per_frame": report.fuel_per_frame,
        "fuel_of_dearest_call": report.fuel_of_dearest_call,
    })
}

/// The sheet of one module; a quiet one shows only what is wrong.
fn lines(path: &Path, report: &CheckReport, paint: Paint, is_quiet: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if !is_quiet {
        lines.extend([head(path, report, paint), String::new()]);
    }
    let width = check::names().map(|(name, _)| name.len()).max().unwrap_or(0);
    // What does not load or run is not judged further; those rows say nothing.
    let is_end = |result: &CheckResult| {
        matches!(result.verdict, Verdict::Failed(_))
            && ["loads", "description", "runs"].contains(&result.name)
    };
    let end = report.results.iter().position(is_end);
    let count = end.map_or(report.results.len(), |end| end + 1);
    for result in &report.results[..count] {
        if !is_quiet || matches!(result.verdict, Verdict::Failed(_)) {
            lines.extend(rows(result, width, paint));
        }
    }
    if !is_quiet {
        lines.push(String::new());
    }
    lines.push(tally(path, report, paint));
    lines
}

/// `fx/echo.wasm: Echo 1.2.0 (com.example.echo), 12.3 kB`.
fn head(path: &Path, report: &CheckReport, paint: Paint) -> String {
    let bytes = size(report.module.size_bytes as u64);
    let name = paint.tone(Tone::Name, shown(path));
    match &report.module.description {
        Some(description) => format!(
            "{name}: {} {} ({}), {bytes}",
            one_line(&description.name),
            description.version,
            description.id
        ),
        None => format!("{name}: {bytes}"),
    }
}

/// The verdict, the check, and its reason or what was seen, broken at blanks.
fn rows(result: &CheckResult, width: usize, paint: Paint) -> Vec<String> {
    let (word, tone, text) = match &result.verdict {
        Verdict::Passed if result.seen.is_empty() => ("ok", Tone::Good, result.summary),
        Verdict::Passed => ("ok", Tone::Good, result.seen.as_str()),
        Verdict::Failed(reason) => ("no", Tone::Bad, reason.as_str()),
        Verdict::Hint(reason) => ("hint", Tone::Doubt, reason.as_str()),
        Verdict::NotJudged(reason) => ("-", Tone::Faint, reason.as_str()),
    };
    let indent = " ".repeat(2 + WORD_WIDTH + 2 + width + 2);
    let mut lines = wrap(&one_line(text), &indent);
    let (word_pad, name_pad) = (WORD_WIDTH - word.len(), width - result.name.len());
    let words = format!(
        "  {}{}  {}{}  ",
        paint.tone(tone, word),
        " ".repeat(word_pad),
        paint.tone(Tone::Name, result.name),
        " ".repeat(name_pad)
    );
    // What is fine need not be read.
    let is_faint = matches!(result.verdict, Verdict::Passed | Verdict::NotJudged(_));
    for (index, line) in lines.iter_mut().enumerate() {
        let text = &line[indent.len()..];
        let text = if is_faint { paint.tone(Tone::Faint, text) } else { text.to_owned() };
        *line = if index == 0 { format!("{words}{text}") } else { format!("{indent}{text}") };
    }
    lines
}

/// Width of the longest word for a verdict.
const WORD_WIDTH: usize = "hint".len();

/// `ok  fx/echo.wasm: 1 hint, 17 passed, 1 not checked`.
fn tally(path: &Path, report: &CheckReport, paint: Paint) -> String {
    let count = |is: fn(&Verdict) -> bool| report.results.iter().filter(|r| is(&r.verdict)).count();
    let (failed, hints, passed, unjudged) = (
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::Hint(_))),
        count(|verdict| matches!(verdict, Verdict::Passed)),
        count(|verdict| matches!(verdict, Verdict::NotJudged(_))),
    );
    let parts = [
        (failed, format!("{failed} failed")),
        (hints, counted(hints, "hint")),
        (passed, format!("{passed} passed")),
        (unjudged, format!("{unjudged} not checked")),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    let verdict = if report.has_failed() {
        paint.tone(Tone::Bad, "no")
    } else {
        paint.tone(Tone::Good, "ok")
    };
    format!("{verdict}  {}: {}", shown(path), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report on the last checks.
    fn report(verdicts: &[Verdict]) -> CheckReport {
        let mut report = check::check(b"", limits::MEMORY_MIB);
        report.results.drain(..report.results.len() - verdicts.len());
        for (result, verdict) in report.results.iter_mut().zip(verdicts) {
            result.verdict = verdict.clone();
        }
        report
    }

    #[test]
    fn sheet_is_aligned_and_long_reasons_hang() {
        let reason = "the output lags behind ".repeat(6);
        let report = report(&[
            Verdict::Passed,
            Verdict::Failed(reason.trim().to_owned()),
            Verdict::Hint("could be shorter".to_owned()),
        ]);
        let lines = lines(Path::new("a.wasm"), &report, Paint::PLAIN, false);
        assert_eq!(
            lines,
            [
                "a.wasm: 0 B",
                "",
                "  ok    silence       once it reports silence, it stays silent",
                "  no    meters        the output lags behind the output lags behind the output lags",
                "                      behind the output lags behind the output lags behind the output",
                "                      lags behind",
                "  hint  cost          could be shorter",
                "",
                "no  a.wasm: 1 failed, 1 hint, 1 passed",
            ]
        );
    }

    #[test]
    fn quiet_sheet_has_failures_and_the_tally() {
        let report = report(&[Verdict::Passed, Verdict::Failed("bad".to_owned())]);
        let lines = lines(Path::new("a.wasm"), &report, Paint::PLAIN, true);
        assert_eq!(lines, ["  no    cost          bad", "no  a.wasm: 1 failed, 1 passed"]);
    }

    #[test]
    fn sheet_of_what_does_not_load_ends_there() {
        let report = check::check(b"", limits::MEMORY_MIB);
        let lines = lines(Path::new("a.wasm"), &report, Paint::PLAIN, false);
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(lines[4], "no  a.wasm: 1 failed, 19 not checked");
    }

    #[test]
    fn tally_of_a_good_module_begins_with_ok() {
        let report = report(&[Verdict::Passed, Verdict::NotJudged("none".to_owned())]);
        assert_eq!(
            tally(Path::new("a.wasm"), &report, Paint::PLAIN),
            "ok  a.wasm: 1 passed, 1 not checked"
        );
    }
}
