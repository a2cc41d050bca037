//! `wavemill analyze`: what files are and how loud.

use super::{CliError, Context, Exit, Run};
use crate::analysis::{self, Analysis, AnalyzeError, Part};
use crate::report::{JSON_VERSION, Paint, Tone, one_line, shown};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use wavemill_pipelines::execution;

mod reading;
mod sheet;
mod table;

/// An analysis as reports have it.
type Record = Map<String, Value>;

/// What became of a file.
type Outcome = Result<Record, AnalyzeError>;

/// Measure files: format, tags, loudness, levels
#[derive(Debug, clap::Args)]
pub(super) struct Analyze {
    /// Audio files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
}

impl Run for Analyze {
    const NAME: &'static str = "analyze";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let parts = if self.only.is_empty() { Part::all().to_vec() } else { self.only.clone() };
        let results = analyze_all(&self.files, &parts, context);
        let files: Vec<(&Path, &Outcome)> =
            self.files.iter().map(PathBuf::as_path).zip(&results).collect();
        if context.is_json() {
            let files: Vec<_> = files.iter().map(|(path, result)| object(path, result)).collect();
            context.document(&json!({ "version": JSON_VERSION, "files": files }))?;
        } else {
            context.lines(for_people(&files, context.report.paint()))?;
        }
        for (path, result) in &files {
            if let Err(error) = result {
                context.report.error(&format!("{} {}", shown(path), one_line(&error.to_string())));
            }
        }
        Ok(if results.iter().all(Result::is_ok) { Exit::Done } else { Exit::SomeFailed })
    }
}

/// An analysis as reports have it: rounded alike, so that both say the same.
fn record(analysis: &Analysis) -> Record {
    match execution::measures(analysis) {
        Value::Object(record) => record,
        _ => Map::new(),
    }
}

/// The analyzed files' lines; failed ones are left to the errors.
fn for_people(files: &[(&Path, &Outcome)], paint: Paint) -> Vec<String> {
    let analyzed: Vec<(&Path, &Record)> = files
        .iter()
        .filter_map(|(path, result)| result.as_ref().ok().map(|record| (*path, record)))
        .collect();
    match analyzed.as_slice() {
        [] => Vec::new(),
        [(path, record)] => {
            let mut lines = vec![paint.tone(Tone::Strong, shown(path))];
            lines.extend(sheet::lines(record, paint));
            lines
        }
        several => table::lines(several, paint),
    }
}

/// Analyzes files beside each other, in the order they were named.
fn analyze_all(files: &[PathBuf], parts: &[Part], context: &Context) -> Vec<Outcome> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let thread_count = context.settings.workers.unwrap_or_else(processors).min(files.len());
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        while let Some((index, path)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            files.get(index).map(|path| (index, path))
        } {
            let result = analysis::analyze(path, parts).map(|analysis| record(&analysis));
            found.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread_count {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, result)| result).collect()
}

fn object(path: &Path, result: &Outcome) -> Value {
    // The path stands there even when `--only` leaves the file's facts out.
    let mut object = Map::new();
    object.insert("path".to_owned(), path.to_string_lossy().into());
    match result {
        Ok(record) => object.extend(record.clone()),
        Err(error) => {
            object.insert("error".to_owned(), one_line(&error.to_string()).into());
        }
    }
    Value::Object(object)
}
