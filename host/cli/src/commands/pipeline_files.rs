//! From what was typed as PIPELINE or DIR to loaded pipelines.

use super::flags::{in_flags, step_at};
use super::{CliError, Context};
use crate::diagnostics;
use crate::report::{Paint, one_line, shown};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use toml::de::DeTable;
use wavemill_core::decode::Damaged;
use wavemill_core::suggestion::did_you_mean_one_of;
use wavemill_pipelines::diagnostic::Severity;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::schema::LoadedPipeline;
use wavemill_pipelines::{Diagnostic, Effects, Pipeline, shipped};
use wavemill_store::cache::folder_of;

/// Largest pipeline file read. The largest sensible one has some kilobytes.
const BYTES_MAX: u64 = 1 << 20;

/// A pipeline file and what became of it.
#[derive(Debug)]
pub(super) struct PipelineFile {
    /// As typed, or found in a folder that was typed; the name of a shipped pipeline.
    pub(super) path: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// Its meaning, if it has one.
    pub(super) pipeline: Option<Pipeline>,
    /// Mistakes and doubts, in the order of the text.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether flags made it: then messages speak of these.
    pub(super) is_of_flags: bool,
}

impl PipelineFile {
    /// Reads and understands a file; its mistakes are kept in it.
    fn read(path: PathBuf, context: &Context, effects: &Effects) -> Result<Self, CliError> {
        let text = text_of(&path).map_err(|error| CliError::path(&path, error))?;
        let folder = folder_of(&path).map_err(|error| CliError::path(&path, error))?;
        let defaults = &context.settings.defaults;
        Ok(Self::understand(path, text, defaults, &effects.in_folder(&folder)))
    }

    /// Understands a text; its mistakes are kept beside it.
    fn understand(path: PathBuf, text: String, defaults: &Defaults, effects: &Effects) -> Self {
        let loaded = wavemill_pipelines::load(&text, defaults, effects);
        let (pipeline, diagnostics) = match loaded {
            Ok(LoadedPipeline { pipeline, warnings }) => (Some(pipeline), warnings),
            Err(mistakes) => (None, mistakes),
        };
        Self { path, text, pipeline, diagnostics, is_of_flags: false }
    }

    /// How many of its diagnostics keep it from running.
    pub(super) fn mistake_count(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// Takes another word for what becomes of damaged sources than its own.
    pub(super) fn with_damaged(mut self, damaged: Option<Damaged>) -> Self {
        if let (Some(pipeline), Some(damaged)) = (&mut self.pipeline, damaged) {
            pipeline.damaged = damaged;
        }
        self
    }

    /// Its diagnostics as text.
    pub(super) fn drawn(&self, paint: Paint) -> String {
        diagnostics::draw(&self.path, &self.text, &self.diagnostics, paint)
    }
}

/// Reads the files that arguments mean, and holds them against each other.
pub(super) fn read_all(
    arguments: &[PathBuf],
    context: &Context,
) -> Result<Vec<PipelineFile>, CliError> {
    read_all_with(arguments, context, &context.effects)
}

fn read_all_with(
    arguments: &[PathBuf],
    context: &Context,
    effects: &Effects,
) -> Result<Vec<PipelineFile>, CliError> {
    let mut files: Vec<_> = find(arguments)?
        .into_iter()
        .map(|path| PipelineFile::read(path, context, effects))
        .collect::<Result<_, _>>()?;
    refuse_second_names(&mut files);
    if let Some(reason) = effects.uncached_because() {
        tracing::warn!(%reason, "Effects are compiled again by every process.");
    }
    Ok(files)
}

/// A name identifies finished work, so each pipeline needs its own.
fn refuse_second_names(files: &mut [PipelineFile]) {
    for index in 1..files.len() {
        let (before, rest) = files.split_at_mut(index);
        let Some(name) = rest[0].pipeline.as_ref().map(|pipeline| pipeline.name.clone()) else {
            continue;
        };
        let has_name =
            |file: &&PipelineFile| file.pipeline.as_ref().is_some_and(|other| other.name == name);
        if let Some(first) = before.iter().find(has_name) {
            let mistake = second_name(&rest[0].text, &name, &first.path);
            rest[0].diagnostics.push(mistake);
            rest[0].pipeline = None;
        }
    }
}

fn second_name(text: &str, name: &str, first: &Path) -> Diagnostic {
    let (document, _) = DeTable::parse_recoverable(text);
    let section = document.get_ref().get("pipeline").and_then(|value| value.get_ref().get("name"));
    let span = section.map_or(0..0, toml::Spanned::span);
    let before = text.get(..span.start).unwrap_or_default();
    Diagnostic {
        code: "name-taken",
        severity: Severity::Error,
        message: format!("{} also has the name `{name}`", shown(first)),
        help: Some(
            "each pipeline needs its own name, because jobs are identified by it".to_owned(),
        ),
        line: before.matches('\n').count() + 1,
        column: before.lines().last().map_or(0, |line| line.chars().count()) + 1,
        span,
    }
}

/// The files that PIPELINE and DIR arguments mean.
///
/// A folder means its `*.toml` except `Cargo.toml`, by name. A word that is no path means
/// `pipelines/<word>.toml`, or, without such a file, the shipped pipeline of that name.
pub(super) fn find(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    for argument in arguments {
        if argument.is_dir() {
            found.extend(in_folder(argument)?);
        } else {
            found.push(find_one(argument)?);
        }
    }
    let mut seen = Vec::new();
    found.retain(|path: &PathBuf| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let is_new = !seen.contains(&real);
        seen.push(real);
        is_new
    });
    Ok(found)
}

/// The file a PIPELINE argument means, or the name of a shipped pipeline.
pub(super) fn find_one(argument: &Path) -> Result<PathBuf, CliError> {
    if argument.exists() && !argument.is_dir() {
        return Ok(argument.to_owned());
    }
    let is_word = argument.components().count() == 1 && argument.extension().is_none();
    let below = Path::new("pipelines").join(argument).with_extension("toml");
    if is_word && below.exists() {
        return Ok(below);
    }
    // Before folders: what `archive` makes lies in a folder of that name.
    if shipped_text(argument).is_some() {
        return Ok(argument.to_owned());
    }
    if argument.is_dir() {
        let reason = format!("{} is a folder; name a pipeline file", shown(argument));
        return Err(CliError::usage(reason));
    }
    let names: Vec<_> = shipped::PIPELINES.iter().map(|shipped| shipped.name).collect();
    let also = match argument.to_str() {
        Some(name) if is_word => {
            let names = names.iter().copied();
            let help = did_you_mean_one_of(name, "included pipelines", names);
            format!(" and no {}; {help}", shown(&below))
        }
        _ => String::new(),
    };
    Err(CliError::failed(format!("there is no pipeline file {}{also}", shown(argument))))
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = fs::read_dir(folder).map_err(|error| CliError::path(folder, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| CliError::path(folder, error))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let is_manifest = path.file_name().is_some_and(|name| name == "Cargo.toml");
        if path.extension().is_some_and(|extension| extension == "toml")
            && !is_manifest
            && !is_hidden
            && path.is_file()
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        let reason = format!("{} contains no pipeline (no *.toml)", shown(folder));
        return Err(CliError::failed(reason));
    }
    files.sort();
    Ok(files)
}

/// Loads files that are about to be used: mistakes of all of them are shown and end the command.
pub(super) fn load_all(
    arguments: &[PathBuf],
    context: &Context,
) -> Result<Vec<PipelineFile>, CliError> {
    load_all_with(arguments, context, &context.effects)
}

/// As [`load_all`], with effects from elsewhere.
pub(super) fn load_all_with(
    arguments: &[PathBuf],
    context: &Context,
    effects: &Effects,
) -> Result<Vec<PipelineFile>, CliError> {
    accept(read_all_with(arguments, context, effects)?, context)
}

/// Loads a pipeline that a command wrote itself; `name` stands for a file in messages.
pub(super) fn load_text(
    name: &str,
    text: String,
    context: &Context,
) -> Result<Vec<PipelineFile>, CliError> {
    // A flag for loudness wins over the variable that turns it off.
    let defaults = Defaults { normalize: true, ..context.settings.defaults.clone() };
    let mut file = PipelineFile::understand(PathBuf::from(name), text, &defaults, &context.effects);
    file.is_of_flags = true;
    for diagnostic in &mut file.diagnostics {
        let step = step_at(&file.text, diagnostic.line);
        diagnostic.message = in_flags(&diagnostic.message, step);
        diagnostic.help = diagnostic.help.as_deref().map(|help| in_flags(help, step));
    }
    accept(vec![file], context)
}

/// Files without mistakes; else they are shown.
fn accept(files: Vec<PipelineFile>, context: &Context) -> Result<Vec<PipelineFile>, CliError> {
    let (of_flags, written): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.is_of_flags);
    of_flags.into_iter().try_for_each(|file| accept_flags(file, context))?;
    for file in written.into_iter().filter(|file| !file.diagnostics.is_empty()) {
        context.report.raw_error(&file.drawn(context.report.note_paint()));
    }
    match files.iter().find(|file| file.pipeline.is_none()) {
        Some(file) => {
            Err(CliError::Mistakes { path: file.path.clone(), count: file.mistake_count() })
        }
        None => Ok(files),
    }
}

/// Flags without mistakes; else they are shown without the text that was made of them, which nobody wrote.
fn accept_flags(file: &PipelineFile, context: &Context) -> Result<(), CliError> {
    let mut last = None;
    for diagnostic in &file.diagnostics {
        let help = diagnostic.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let text = one_line(&format!("{}{help}", diagnostic.message));
        if diagnostic.severity == Severity::Warning {
            context.report.warning(&text);
        } else if let Some(before) = last.replace(text) {
            context.report.error(&before);
        }
    }
    match last {
        Some(reason) => Err(CliError::BadConfig { reason }),
        None => Ok(()),
    }
}

/// The text of a pipeline file, or of a shipped pipeline.
fn text_of(path: &Path) -> io::Result<String> {
    shipped_text(path).map_or_else(|| read_text(path), |text| Ok(text.to_owned()))
}

/// The shipped pipeline that a word means where no file has that name.
fn shipped_text(path: &Path) -> Option<&'static str> {
    if path.is_file() { None } else { path.to_str().and_then(shipped::text) }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => io::Error::other("is not valid UTF-8"),
        _ => error,
    })?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("has more than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_shipped_pipeline_needs_no_file() {
        let found = find_one(Path::new("streaming")).unwrap();
        assert_eq!(found, Path::new("streaming"));
        assert_eq!(text_of(&found).unwrap(), shipped::text("streaming").unwrap());
    }

    #[test]
    fn unknown_name_gets_a_list_of_known_ones() {
        let error = find_one(Path::new("podcst")).unwrap_err().to_string();
        let expected = "there is no pipeline file podcst and no pipelines/podcst.toml; did you mean `podcast`?";
        assert_eq!(error, expected);
        let error = find_one(Path::new("mine")).unwrap_err().to_string();
        assert!(error.starts_with("there is no pipeline file mine and no "), "{error}");
        assert!(error.contains("podcast, streaming, voice, youtube"), "{error}");
        let path = find_one(Path::new("here/streaming")).unwrap_err().to_string();
        assert_eq!(path, "there is no pipeline file here/streaming");
    }
}
