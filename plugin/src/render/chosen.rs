//! From what was chosen to a pipeline.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use wavemill_pipelines::diagnostic::Severity;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::schema::LoadedPipeline;
use wavemill_pipelines::{Diagnostic, Effects, Pipeline, shipped};

/// Largest pipeline file read. The largest sensible one has some kilobytes.
const BYTES_MAX: u64 = 1 << 20;

/// Loads the shipped pipeline of this name, or the file at this path.
///
/// # Errors
/// One line: there is none, or its first mistake. A step or a format that is not built into the plugin
/// is one, and named.
pub(crate) fn load(choice: &str) -> Result<Pipeline, String> {
    let (text, folder) = match shipped::text(choice) {
        Some(text) => (text.to_owned(), PathBuf::from("/")),
        None => read(choice)?,
    };
    let effects = Effects::absent().in_folder(&folder);
    match wavemill_pipelines::load(&text, &Defaults::default(), &effects) {
        Ok(LoadedPipeline { pipeline, .. }) => Ok(pipeline),
        Err(found) => Err(line(choice, &found)),
    }
}

/// The text of a file and the folder it is in.
fn read(choice: &str) -> Result<(String, PathBuf), String> {
    let path = Path::new(choice);
    if !path.is_absolute() {
        let names: Vec<_> = shipped::PIPELINES.iter().map(|shipped| shipped.name).collect();
        return Err(format!(
            "unknown pipeline `{choice}`: use {}, or the full path of your own",
            names.join(", ")
        ));
    }
    let text = read_text(path).map_err(|error| format!("pipeline {choice}: {error}"))?;
    Ok((text, path.parent().unwrap_or(Path::new("/")).to_owned()))
}

fn read_text(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("is no file"));
    }
    let mut text = String::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| {
        if error.kind() == io::ErrorKind::InvalidData {
            io::Error::other("is not valid UTF-8")
        } else {
            error
        }
    })?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("has more than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The first mistake, and how many more there are.
fn line(choice: &str, found: &[Diagnostic]) -> String {
    let name = Path::new(choice).file_name().unwrap_or_default().to_string_lossy();
    let mut mistakes = found.iter().filter(|found| found.severity == Severity::Error);
    let Some(first) = mistakes.next() else { return format!("{name} is refused") };
    // Variables of the program mean nothing here.
    let help =
        |help: &String| format!("; {}", help.split(", or set WAVEMILL_").next().unwrap_or(help));
    let help = first.help.as_ref().map_or(String::new(), help);
    let more = match mistakes.count() {
        0 => String::new(),
        1 => " (and 1 more mistake)".to_owned(),
        count => format!(" (and {count} more mistakes)"),
    };
    format!("{name}, line {}: {}{help}{more}", first.line, first.message)
}
