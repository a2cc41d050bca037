//! `--dry-run`: what a run would make of files, measured as a run measures it; nothing is written.

use super::grouped::{grouped_jobs, job_of};
use super::how::RunOptions;
use super::outcome::{below, rehearsed};
use super::{CliError, Context, Exit};
use crate::report::{JSON_VERSION, Tone, one_line};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{
    Decision, Hooks, Job, Outcome, OutputKind, Places, Proposal, RunError, rehearse,
};
use wavemill_pipelines::publishing::{
    Choice, DiskNames, NameState, Names, Source, are_twins, choose, forced,
};
use wavemill_store::JobIds;

/// Says what a pipeline would make of files.
pub(super) fn dry_run(
    context: &Context,
    pipeline: &Pipeline,
    files: &[PathBuf],
    places: &Places<'_>,
    how: &RunOptions,
) -> Result<Exit, CliError> {
    let ids = JobIds::after(None);
    let mut jobs = grouped_jobs(context, pipeline, files, places, &ids).into_iter();
    let mut planned = PlannedNames::new();
    let mut exit = Exit::Done;
    for file in files {
        if places.cancel.load(Ordering::SeqCst) {
            break;
        }
        let job = jobs.next().unwrap_or_else(|| job_of(file, &ids));
        let found = match job {
            Ok(job) => rehearse_one(pipeline, &job, places, (how, &mut planned)),
            Err(reason) => Err(RunError::Refused { reason }),
        };
        let is_right = match found {
            Err(RunError::Canceled) => break,
            Ok(rehearsal) => show(context, pipeline, file, &rehearsal)?,
            Err(error) => show_failure(context, pipeline, file, &error.to_string())?,
        };
        if !is_right {
            exit = Exit::SomeFailed;
        }
    }
    Ok(if places.cancel.load(Ordering::SeqCst) { Exit::Interrupted } else { exit })
}

/// What a run would come to.
struct Rehearsal {
    outcome: Outcome,
    outputs: Vec<PlannedOutput>,
}

/// An output that would be made, or not.
struct PlannedOutput {
    kind: OutputKind,
    path: PathBuf,
    /// Why the run would fail.
    conflict: Option<String>,
    /// Why it would be left out.
    skipped: Option<String>,
}

impl PlannedOutput {
    /// Whether a run writes it where nothing is in its way.
    fn would_be_made(&self, outcome: &Outcome) -> bool {
        match self.kind {
            OutputKind::Page | OutputKind::Report => true,
            OutputKind::Export => outcome.rejected.is_none(),
            // Steps may cut off the last one.
            OutputKind::Chapters => {
                let chapters = outcome.report.chapters.as_ref();
                chapters.and_then(|chapters| chapters.count).is_some_and(|count| count > 0)
            }
        }
    }
}

fn rehearse_one(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    (how, planned): (&RunOptions, &mut PlannedNames),
) -> Result<Rehearsal, RunError> {
    let source = Source { pipeline: &pipeline.name, input: &job.input, blake3: &job.hash };
    let names = DiskNames { source, memory: how.memory() };
    let mut hooks = DryHooks { names, how, planned, outputs: Vec::new() };
    let outcome = rehearse(pipeline, job, places, &mut hooks)?;
    Ok(Rehearsal { outcome, outputs: hooks.outputs })
}

/// Names that the files before would have made, and of which source.
type PlannedNames = BTreeMap<PathBuf, PathBuf>;

/// Chooses names as a run does and takes none.
struct DryHooks<'a> {
    names: DiskNames<'a>,
    how: &'a RunOptions,
    planned: &'a mut PlannedNames,
    outputs: Vec<PlannedOutput>,
}

impl Names for DryHooks<'_> {
    fn standing(&self, path: &Path) -> io::Result<NameState> {
        let Some(other) = self.planned.get(path) else { return self.names.standing(path) };
        let by = "would be written by an earlier file".to_owned();
        Ok(if are_twins(other, self.input()) {
            NameState::OfTwin { by }
        } else {
            NameState::Taken { by, is_replaceable: true }
        })
    }

    fn input(&self) -> &Path {
        self.names.source.input
    }

    fn advice(&self) -> &'static str {
        self.how.advice
    }
}

impl Hooks for DryHooks<'_> {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        let mut decisions = Vec::new();
        for proposal in proposals {
            let mut output = PlannedOutput {
                kind: proposal.kind,
                path: proposal.path.clone(),
                conflict: None,
                skipped: None,
            };
            match choose(self, &forced(proposal, self.how.replaces)) {
                Ok(Choice::Write { path, .. }) => output.path = path,
                Ok(Choice::Skip { reason }) => output.skipped = Some(reason),
                Err(error) => output.conflict = Some(error.to_string()),
            }
            decisions.push(match &output.skipped {
                Some(reason) => Decision::Skip { reason: reason.clone() },
                None => Decision::Write { temporary: PathBuf::new(), path: output.path.clone() },
            });
            if output.skipped.is_none() {
                self.planned.insert(output.path.clone(), self.names.source.input.to_owned());
            }
            self.outputs.push(output);
        }
        Ok(decisions)
    }

    fn progress(&mut self, _share: f64) {}
}

/// Shows what would be made; returns whether a run would deliver.
fn show(
    context: &Context,
    pipeline: &Pipeline,
    file: &Path,
    rehearsal: &Rehearsal,
) -> Result<bool, CliError> {
    let Rehearsal { outcome, outputs } = rehearsal;
    let is_right =
        outcome.rejected.is_none() && outputs.iter().all(|output| output.conflict.is_none());
    if context.is_json() {
        context.event(&json!({
            "version": JSON_VERSION,
            "event": "dry-run",
            "pipeline": pipeline.name,
            "input": file.display().to_string(),
            "rejected": outcome.rejected,
            "outputs": outputs.iter().map(output_json).collect::<Vec<_>>(),
            "report": outcome.report.to_json(),
        }))?;
        return Ok(is_right);
    }
    let paint = context.report.paint();
    let mut lines = rehearsed(file, &outcome.report, context);
    if let Some(reason) = &outcome.rejected {
        lines.push(format!(
            "  would be {}: {}",
            paint.tone(Tone::Bad, "rejected"),
            one_line(reason)
        ));
    }
    for output in outputs {
        lines.push(match (&output.conflict, &output.skipped) {
            (Some(conflict), _) => {
                format!("  would {}: {}", paint.tone(Tone::Bad, "fail"), one_line(conflict))
            }
            // The notes say it.
            (None, Some(_)) => continue,
            (None, None) if !output.would_be_made(outcome) => continue,
            (None, None) => {
                paint.tone(Tone::Faint, format!("  would write {}", below(&output.path, context)))
            }
        });
    }
    context.lines(&lines)?;
    Ok(is_right)
}

fn output_json(output: &PlannedOutput) -> Value {
    json!({
        "path": output.path.display().to_string(),
        "kind": output.kind,
        "conflict": output.conflict,
        "skipped": output.skipped,
    })
}

fn show_failure(
    context: &Context,
    pipeline: &Pipeline,
    file: &Path,
    reason: &str,
) -> Result<bool, CliError> {
    if context.is_json() {
        context.event(&json!({
            "version": JSON_VERSION,
            "event": "dry-run",
            "pipeline": pipeline.name,
            "input": file.display().to_string(),
            "error": reason,
        }))?;
    } else {
        context.report.error(&format!("{}: {}", below(file, context), one_line(reason)));
    }
    Ok(false)
}
