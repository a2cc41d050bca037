//! `wavemill analyze`: what files are and how loud.

use super::{CliError, Context, Exit, Run};
use crate::analysis::{self, Analysis, AnalyzeError, Part};
use crate::report::{JSON_VERSION, one_line, shown};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use wavemill_pipelines::execution;

mod sheet;

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
        let parts = if self.only.is_empty() { Part::ALL.to_vec() } else { self.only.clone() };
        let results = analyze_all(&self.files, &parts, context);
        let files: Vec<_> = self.files.iter().map(PathBuf::as_path).zip(&results).collect();
        if context.is_json() {
            let files: Vec<_> = files.iter().map(|(path, result)| object(path, result)).collect();
            context.document(&json!({ "version": JSON_VERSION, "files": files }))?;
        } else {
            context.lines(sheet::lines(&files, context.report.paint()))?;
        }
        for (path, result) in &files {
            if let Err(error) = result {
                context.report.error(&format!("{} {}", shown(path), one_line(&error.to_string())));
            }
        }
        Ok(if results.iter().all(Result::is_ok) { Exit::Done } else { Exit::SomeFailed })
    }
}

/// Analyzes files beside each other, in the order they were named.
fn analyze_all(
    files: &[PathBuf],
    parts: &[Part],
    context: &Context,
) -> Vec<Result<Analysis, AnalyzeError>> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let thread_count = context.settings.workers.unwrap_or_else(processors).min(files.len());
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        while let Some((index, path)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            files.get(index).map(|path| (index, path))
        } {
            let result = analysis::analyze(path, parts);
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

fn object(path: &Path, result: &Result<Analysis, AnalyzeError>) -> Value {
    let mut object = json!({ "path": path.to_string_lossy() });
    match result {
        // The path stands there even when `--only` leaves the file's facts out. Rounded as in
        // reports, so that both say the same.
        Ok(analysis) => {
            if let (Value::Object(object), Value::Object(parts)) =
                (&mut object, execution::measures(analysis))
            {
                object.extend(parts);
            }
        }
        Err(error) => object["error"] = json!(one_line(&error.to_string())),
    }
    object
}
