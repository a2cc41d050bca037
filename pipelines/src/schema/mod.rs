//! From the text of a pipeline file to its meaning, or to all of its mistakes.
//!
//! One table of keys per section says what may be written; [`crate::reader`] walks the document
//! against it and stops at nothing; each section's file turns the values into its part of the model.

mod collisions;
mod decode;
mod effect;
mod export;
mod globs;
mod json_schema;
mod lossy;
mod pipeline;
#[cfg(feature = "effects")]
mod reference;
mod require;
mod source;
mod step;
mod tags;
mod template;
mod watch;

pub use json_schema::json_schema;
#[cfg(feature = "effects")]
pub(crate) use reference::key_tables;

use crate::diagnostic::{Diagnostic, Severity};
use crate::effects::Effects;
use crate::model::{Defaults, Grouping, Pipeline, SourceAction};
use crate::reader::{Key, Kind, Sink, VERSION_KEY, Values, check_version, read_document};
use collisions::Target;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// A pipeline that may run, with doubts that do not keep it from running.
#[derive(Clone, Debug)]
pub struct LoadedPipeline {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// The meaning of the keys; files of this version keep it forever.
const VERSION: i64 = 1;

const ROOT_KEYS: &[Key] = &[
    VERSION_KEY,
    Key::required("pipeline", Kind::Table(pipeline::KEYS), "a section with at least a name"),
    Key::optional("watch", Kind::Tables(watch::KEYS), "Folders to watch for files."),
    Key::optional("decode", Kind::Table(decode::KEYS), "How sources are read."),
    Key::optional("require", Kind::Tables(require::KEYS), "Requirements that a file must meet."),
    Key::optional("step", Kind::Tables(step::KEYS), "Processing steps, in order."),
    Key::optional("export", Kind::Tables(export::KEYS), "Audio files to write."),
    Key::optional(
        "chapters",
        Kind::Table(source::CHAPTERS_KEYS),
        "Where to write the chapters of the exports, as Podcasting 2.0 JSON.",
    ),
    Key::optional("report", Kind::Table(source::REPORT_KEYS), "Where to write the report."),
    Key::optional("tags", Kind::Table(tags::KEYS), "Tags to change in the exports."),
    Key::optional(
        "source",
        Kind::Table(source::SOURCE_KEYS),
        "What to do with the source afterward.",
    ),
];

/// Reads a pipeline file's text; its effects are loaded from where `effects` says.
///
/// # Errors
/// Every mistake at once, in the order of the text; warnings among them.
pub fn load(
    text: &str,
    defaults: &Defaults,
    effects: &Effects,
) -> Result<LoadedPipeline, Vec<Diagnostic>> {
    let mut pipeline = Pipeline::named("");
    let mut found = Vec::new();
    read_document(text, ROOT_KEYS, "the pipeline file", &mut found, |sink, root| {
        check_version(sink, root, VERSION);
        let finder = effect::Finder::new(effects);
        let mut context = Context { defaults, finder, folder: effects.folder() };
        read_root(sink, root, &mut context, &mut pipeline);
    });
    pipeline.hash = hash(text, defaults);
    if found.iter().any(|found| found.severity == Severity::Error) {
        return Err(found);
    }
    Ok(LoadedPipeline { pipeline, warnings: found })
}

/// Hash of all that decides what the pipeline does.
fn hash(text: &str, defaults: &Defaults) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    hasher.update(format!("\0{:?}\0{}", defaults.target_lufs, defaults.normalize).as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// What the meaning of a text depends on besides the text.
struct Context<'c> {
    defaults: &'c Defaults,
    finder: effect::Finder<'c>,
    /// Folder of the pipeline file.
    folder: &'c Path,
}

fn read_root(
    sink: &mut Sink<'_>,
    root: &Values<'_>,
    context: &mut Context<'_>,
    pipeline: &mut Pipeline,
) {
    let folder = context.folder;
    if let Some(values) = root.table("pipeline") {
        pipeline::read(sink, values, pipeline);
    }
    pipeline.watches =
        root.tables("watch").iter().filter_map(|values| watch::read(sink, values)).collect();
    pipeline.requires =
        root.tables("require").iter().map(|values| require::read(sink, values, folder)).collect();
    let ids = read_steps(sink, root.tables("step"), context, pipeline);
    let exports: Vec<export::ParsedExport> = root
        .tables("export")
        .iter()
        .filter_map(|values| export::read(sink, values, &ids, &pipeline.steps))
        .collect();
    let chapters =
        root.table("chapters").and_then(|values| source::read_path(sink, values, "json"));
    let (mut report, mut page) = (None, None);
    if let Some(values) = root.table("report") {
        report = source::read_path(sink, values, "json");
        page = source::read_page(sink, values, folder);
        pipeline.measures = source::read_measures(values);
        pipeline.rhythm = source::read_rhythm(sink, values);
        if values.text("json").is_none() && values.text("html").is_none() {
            sink.error("missing-key", values.span.clone(), "`[report]` needs `json` or `html`")
                .help("add json = \"outbox/{stem}.json\", html = \"outbox/{stem}.html\" or both");
        }
    }
    if let Some(values) = root.table("decode") {
        pipeline.damaged = decode::read(values);
    }
    if let Some(values) = root.table("tags") {
        pipeline.tags = tags::read(sink, values, folder);
    }
    let source = source::read(sink, root.table("source"));
    let beside = [
        ("chapter file", "json", chapters.as_ref()),
        ("page", "html", page.as_ref().map(|(_, path)| path)),
        ("report", "json", report.as_ref()),
    ];
    check_together(sink, root, pipeline, &exports, beside, &source);
    pipeline.exports = exports.into_iter().map(|read| read.export).collect();
    pipeline.chapters = chapters.map(Spanned::into_inner);
    pipeline.report = report.map(Spanned::into_inner);
    pipeline.page = page.map(|(page, _)| page);
    pipeline.source = source.policy;
    decode::check(sink, pipeline, source.on_success);
}

fn read_steps(
    sink: &mut Sink<'_>,
    sections: &[Values<'_>],
    context: &mut Context<'_>,
    pipeline: &mut Pipeline,
) -> export::StepIds {
    let mut ids = export::StepIds::new();
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for values in sections {
        let read = step::read(sink, values, context.defaults, context.folder, &mut context.finder);
        if let Some(id) = &read.id {
            if id.get_ref() == step::DECODE {
                sink.error(
                    "duplicate-id",
                    id.span(),
                    "the id `decode` is reserved for the decoded signal",
                )
                .help("choose another id");
            } else if seen.insert(id.get_ref().clone(), id.span()).is_some() {
                let message = format!("two steps have the id `{}`", id.get_ref());
                sink.error("duplicate-id", id.span(), message)
                    .help("each id must be unique, because `after` in exports refers to it");
            }
        }
        if read.step.as_ref().is_some_and(|step| step.grouping().is_some())
            && pipeline.grouped_step().is_some()
        {
            let message = "a second step has `group`; only one step may have it";
            sink.error("contradiction", values.span.clone(), message)
                .help("remove `group` from one of them");
        }
        pipeline.steps.extend(read.step);
        ids.push((read.id.map(Spanned::into_inner), pipeline.steps.len()));
    }
    ids
}

fn check_together(
    sink: &mut Sink<'_>,
    root: &Values<'_>,
    pipeline: &Pipeline,
    exports: &[export::ParsedExport],
    beside: [(&'static str, &'static str, Option<&Spanned<crate::template::Template>>); 3],
    source: &source::ParsedSource,
) {
    let mut targets: Vec<Target<'_>> = exports
        .iter()
        .map(|read| Target {
            path: &read.path,
            extension: read.export.format.extension,
            what: "export",
            is_folder: false,
        })
        .collect();
    targets.extend(beside.into_iter().filter_map(|(what, extension, path)| {
        Some(Target { path: path?, extension, what, is_folder: false })
    }));
    collisions::check_same_paths(sink, &targets);
    collisions::check_loops(sink, &pipeline.watches, &targets);
    let moves: Vec<Target<'_>> = source
        .moves
        .iter()
        .map(|path| Target { path, extension: "", what: "folder for sources", is_folder: true })
        .collect();
    collisions::check_loops(sink, &pipeline.watches, &moves);
    if let (Some((_, Grouping::Batch)), Some(span)) =
        (pipeline.grouped_step(), root.written("watch"))
    {
        sink.error("contradiction", span, "`group = \"batch\"` does not work in watched folders")
            .help("write group = \"folder\", or remove [[watch]] and use `wavemill run`");
    }
    let has_export = root.written("export").is_some();
    if let (SourceAction::Delete, false, Some(span)) =
        (&source.policy.on_success, has_export, source.on_success.clone())
    {
        sink.error("deletes-source", span, "the source would be deleted, but nothing is exported")
            .help("add an [[export]], or keep the source");
    }
    let is_beside = |name| root.written(name).is_some();
    if !has_export && !is_beside("chapters") && !is_beside("report") {
        sink.warning("no-output", root.span.clone(), "the pipeline has no output")
            .help("add an [[export]], [chapters] or a [report]");
    }
}

#[cfg(test)]
mod tests;
