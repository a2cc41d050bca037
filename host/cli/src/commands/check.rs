//! `wavemill check`: every mistake of pipeline files, before any audio is touched.

use super::pipeline_files::{self, PipelineFile};
use super::{CliError, Context, Exit, Run};
use crate::report::{JSON_VERSION, Tone, counted, one_line, shown};
use serde_json::{Value, json};
use std::path::PathBuf;
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::model::Step;

/// Check pipelines: report all mistakes, each with its place and a fix
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Pipeline files or folders
    #[arg(required = true, value_name = "PIPELINE|DIR")]
    pipelines: Vec<PathBuf>,
}

impl Run for Check {
    const NAME: &'static str = "check";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let files = pipeline_files::read_all(&self.pipelines, context)?;
        if context.is_json() {
            context.document(&document(&files))?;
        } else {
            for file in &files {
                show(file, context)?;
            }
        }
        let is_good = files.iter().all(|file| file.pipeline.is_some());
        Ok(if is_good { Exit::Done } else { Exit::BadConfig })
    }
}

fn show(file: &PipelineFile, context: &Context) -> Result<(), CliError> {
    let paint = context.report.paint();
    if !file.diagnostics.is_empty() {
        context.lines([file.drawn(paint).trim_end_matches('\n'), ""])?;
    }
    let path = shown(&file.path);
    match &file.pipeline {
        Some(_) if context.report.is_quiet() => Ok(()),
        Some(pipeline) => {
            let ok = paint.tone(Tone::Good, "ok");
            context.lines([format!("{ok}  {path}  {}", summary(pipeline, paint.arrow()))])?;
            hint(pipeline, context);
            Ok(())
        }
        None => {
            let count = counted(file.mistake_count(), "mistake");
            context.lines([format!("{}  {path}  {count}", paint.tone(Tone::Bad, "no"))])
        }
    }
}

/// Says which modules may be others tomorrow without anyone noticing.
fn hint(pipeline: &Pipeline, context: &Context) {
    let names = unpinned(pipeline);
    if !names.is_empty() {
        let names = one_line(&names.join(", "));
        context.report.note(&format!("    not pinned: {names} (pin with `wavemill effects lock`)"));
    }
}

/// The effects whose files nothing pins.
fn unpinned(pipeline: &Pipeline) -> Vec<&str> {
    let effects = pipeline.steps.iter().filter_map(Step::effect);
    let open = effects.filter(|effect| effect.is_file() && !effect.is_pinned);
    open.map(|effect| effect.name.as_str()).collect()
}

/// `podcast: inbox/podcast -> high-pass, loudness -> mp3, flac, report`.
fn summary(pipeline: &Pipeline, arrow: &str) -> String {
    let watches: Vec<_> = pipeline.watches.iter().map(|watch| shown(&watch.path)).collect();
    let mut stages = stages(pipeline);
    if !watches.is_empty() {
        stages.insert(0, watches.join(", "));
    }
    format!("{}: {}", pipeline.name, stages.join(&format!(" {arrow} ")))
}

/// What is done and what is made: `high-pass, loudness` and `mp3, flac, report`.
pub(super) fn stages(pipeline: &Pipeline) -> Vec<String> {
    let steps: Vec<_> = pipeline.steps.iter().map(Step::name).collect();
    let exports = pipeline.exports.iter().map(|export| export.format.name);
    let chapters = pipeline.chapters.as_ref().map(|_| "chapters");
    let page = pipeline.page.as_ref().map(|_| "page");
    let report = pipeline.report.as_ref().map(|_| "report");
    let results: Vec<_> = exports.chain(chapters).chain(page).chain(report).collect();
    [steps.join(", "), results.join(", ")].into_iter().filter(|stage| !stage.is_empty()).collect()
}

fn document(files: &[PipelineFile]) -> Value {
    let pipelines: Vec<_> = files
        .iter()
        .map(|file| {
            json!({
                "path": file.path.to_string_lossy(),
                "ok": file.pipeline.is_some(),
                "name": file.pipeline.as_ref().map(|pipeline| &pipeline.name),
                "description": file.pipeline.as_ref().map(|pipeline| &pipeline.description),
                "unpinned_effects": file.pipeline.as_ref().map(unpinned),
            })
        })
        .collect();
    json!({
        "version": JSON_VERSION,
        "pipelines": pipelines,
        "diagnostics": diagnostics(files),
    })
}

/// The diagnostics of all files, flat: each says which file it is about.
pub(super) fn diagnostics(files: &[PipelineFile]) -> Vec<Value> {
    let of_file = |file: &PipelineFile| {
        let path = file.path.to_string_lossy().into_owned();
        file.diagnostics
            .iter()
            .map(|diagnostic| {
                json!({
                    "path": path,
                    "line": diagnostic.line,
                    "column": diagnostic.column,
                    "code": diagnostic.code,
                    "severity": diagnostic.severity,
                    "message": diagnostic.message,
                    "help": diagnostic.help,
                    "span": { "start": diagnostic.span.start, "end": diagnostic.span.end },
                })
            })
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}
