//! What a run is about to make, and what the caller said to it; its outputs that hold no audio.

use super::chapters::Chapters;
use super::writer::{Temporary, hash};
use super::{
    Decision, FileAccess, Hooks, Job, OutputKind, Places, PreparedOutput, Proposal, RunError,
};
use crate::error::output_io;
use crate::model::{OnConflict, Pipeline};
use crate::report::Report;
use crate::report::html::{self, Page};
use crate::template::{Template, Values};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// What happens to each export, to the chapters and to the reports.
#[derive(Debug, Default)]
pub(super) struct OutputDecisions {
    /// By export.
    pub(super) exports: Vec<Decision>,
    pub(super) chapters: Option<Decision>,
    pub(super) page: Option<Decision>,
    pub(super) report: Option<Decision>,
}

impl OutputDecisions {
    /// The exports that are to be written.
    pub(super) fn written(&self) -> impl Iterator<Item = usize> {
        let exports = self.exports.iter().enumerate();
        exports
            .filter(|(_, decision)| matches!(decision, Decision::Write { .. }))
            .map(|(export, _)| export)
    }

    /// Whether nothing is to be written at all, though something was asked for.
    pub(super) fn is_nothing(&self) -> bool {
        let mut all = self
            .exports
            .iter()
            .chain(&self.chapters)
            .chain(&self.page)
            .chain(&self.report)
            .peekable();
        all.peek().is_some() && all.all(|decision| matches!(decision, Decision::Skip { .. }))
    }
}

/// The outputs of a pipeline under the names that a job gives them; chapters where it has any.
pub(crate) fn propose(
    pipeline: &Pipeline,
    values: &Values,
    places: &Places<'_>,
    has_chapters: bool,
) -> Vec<Proposal> {
    let place = |template: &Template, extension: &str| -> PathBuf {
        places.output_root.join(template.expand(&values.clone().with_extension(extension)))
    };
    let mut proposals: Vec<Proposal> = pipeline
        .exports
        .iter()
        .map(|export| Proposal {
            kind: OutputKind::Export,
            path: place(&export.path, export.format.extension),
            on_conflict: export.on_conflict,
        })
        .collect();
    let on_conflict = conflict_beside(pipeline);
    let chapters = pipeline.chapters.iter().filter(|_| has_chapters);
    let chapters = chapters.map(|template| (OutputKind::Chapters, template, "json"));
    let page = pipeline.page.iter().map(|page| (OutputKind::Page, &page.path, "html"));
    let report = pipeline.report.iter().map(|template| (OutputKind::Report, template, "json"));
    let beside = chapters.chain(page).chain(report);
    proposals.extend(beside.map(|(kind, template, extension)| Proposal {
        kind,
        path: place(template, extension),
        on_conflict,
    }));
    proposals
}

/// Chapters and reports have no key of their own: they follow the exports they describe, so that a pipeline that
/// replaces its outputs, or gives them free names, can run again.
fn conflict_beside(pipeline: &Pipeline) -> OnConflict {
    let first = pipeline.exports.first().map(|export| export.on_conflict);
    let is_same = pipeline.exports.iter().all(|export| Some(export.on_conflict) == first);
    first.filter(|_| is_same).unwrap_or_default()
}

/// Asks the caller.
pub(super) fn decide(
    hooks: &mut dyn Hooks,
    proposals: &[Proposal],
) -> Result<OutputDecisions, RunError> {
    let decisions = hooks.decide(proposals)?;
    if decisions.len() != proposals.len() {
        let reason =
            format!("{} outputs were proposed, {} decided", proposals.len(), decisions.len());
        return Err(RunError::Refused { reason });
    }
    let mut decided = OutputDecisions::default();
    for (proposal, decision) in proposals.iter().zip(decisions) {
        match proposal.kind {
            OutputKind::Export => decided.exports.push(decision),
            OutputKind::Chapters => decided.chapters = Some(decision),
            OutputKind::Page => decided.page = Some(decision),
            OutputKind::Report => decided.report = Some(decision),
        }
    }
    Ok(decided)
}

/// Writes the chapters of the exports; nothing where there are none, the pipeline does not ask for them or their
/// name is taken and skipped.
pub(super) fn write_chapters(
    decision: Option<&Decision>,
    chapters: &Chapters,
    job: &Job,
    access: &Arc<dyn FileAccess>,
) -> Result<Option<(PreparedOutput, Temporary)>, RunError> {
    if chapters.count() == 0 {
        return Ok(None);
    }
    let text = chapters.to_json().map_err(|error| unwritable("chapters", job, &error))?;
    write(OutputKind::Chapters, decision, &text, access)
}

/// Writes the page; nothing where its name is taken and skipped.
pub(super) fn write_page(
    decision: Option<&Decision>,
    page: &Page,
    access: &Arc<dyn FileAccess>,
) -> Result<Option<(PreparedOutput, Temporary)>, RunError> {
    write(OutputKind::Page, decision, &html::render(page), access)
}

/// Writes the report; nothing where the pipeline has none or its name is taken and skipped.
pub(super) fn write_report(
    decision: Option<&Decision>,
    report: &Report,
    job: &Job,
    access: &Arc<dyn FileAccess>,
) -> Result<Option<(PreparedOutput, Temporary)>, RunError> {
    let mut text = serde_json::to_string_pretty(&report.to_json())
        .map_err(|error| unwritable("report", job, &error))?;
    text.push('\n');
    write(OutputKind::Report, decision, &text, access)
}

fn unwritable(what: &str, job: &Job, error: &serde_json::Error) -> RunError {
    RunError::Refused { reason: format!("the {what} of job {} cannot be written: {error}", job.id) }
}

/// Writes a text, syncs it and reads it again; nothing where it is not to be written.
fn write(
    kind: OutputKind,
    decision: Option<&Decision>,
    text: &str,
    access: &Arc<dyn FileAccess>,
) -> Result<Option<(PreparedOutput, Temporary)>, RunError> {
    let Some(Decision::Write { temporary: path, path: final_path }) = decision else {
        return Ok(None);
    };
    let (mut file, temporary) = Temporary::create(path, access)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| output_io(&error, path))?;
    let (size_bytes, blake3) = hash(path, access.as_ref())?;
    if blake3 != blake3::hash(text.as_bytes()).to_hex().as_str() {
        let reason = format!("`{}` was written but failed verification", path.display());
        return Err(RunError::Transient { reason });
    }
    let prepared = PreparedOutput {
        kind,
        temporary: path.clone(),
        path: final_path.clone(),
        size_bytes,
        blake3,
    };
    Ok(Some((prepared, temporary)))
}
