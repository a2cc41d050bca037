//! `wavemill references add`.

use super::measured::{self, MeasuredFile};
use crate::analysis::Cache;
use crate::commands::analyze::{ADVICE_PARTS, audio_files};
use crate::commands::answers::with_version;
use crate::commands::paths::absolute_text;
use crate::commands::{CliError, Context, Exit};
use crate::report::{one_line, shown};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use wavemill_api::references::types::{AddReferenceRequest, ReferenceList};

/// Measure tracks and keep them to compare with; the files stay where they are
///
/// The features are kept, not the sound. What is not given comes from the tags; a file without a title gets its own
/// name.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Audio files or folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Name of the reference, for a single file [default: artist and title]
    #[arg(long)]
    name: Option<String>,
    /// Artist
    #[arg(long)]
    artist: Option<String>,
    /// Genre
    #[arg(long)]
    genre: Option<String>,
    /// Year
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=9999))]
    year: Option<i32>,
    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,
}

impl Add {
    pub(super) fn run(self, context: &Context) -> Result<Exit, CliError> {
        let files = audio_files(&self.files)?;
        if self.name.is_some() && files.len() != 1 {
            return Err(CliError::usage("--name is the name of one reference: name one file"));
        }
        let client = context.settings.client_or_new()?;
        let cache = (!self.no_cache).then(|| Cache::of_state(&context.settings.state));
        let mut added = ReferenceList::default();
        for (path, found) in files.iter().zip(measured::all(&files, cache.as_ref(), context)) {
            let answer = found.and_then(|found| {
                let request = self.request(path, &found).map_err(|error| error.to_string())?;
                client.add_reference(&request).map_err(|error| error.to_string())
            });
            match answer {
                Ok(reference) => added.references.push(reference),
                Err(reason) => {
                    context.report.error(&format!("{}: {}", shown(path), one_line(&reason)));
                }
            }
        }
        let is_complete = added.references.len() == files.len();
        if context.is_json() {
            context.document(&with_version(&added)?)?;
        } else {
            let lines = added.references.iter().map(|one| format!("{} added", one_line(&one.name)));
            context.lines(lines)?;
        }
        Ok(if is_complete { Exit::Done } else { Exit::SomeFailed })
    }

    fn request(&self, path: &Path, found: &MeasuredFile) -> Result<AddReferenceRequest, CliError> {
        let tags = found.tags();
        let tag = |name: &str| tags.get(name).map(|text| one_line(text));
        let artist = self.artist.clone().or_else(|| tag("artist"));
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let titled = || match (&artist, tag("title")) {
            (Some(artist), Some(title)) => format!("{artist} - {title}"),
            (None, Some(title)) => title,
            (_, None) => stem(),
        };
        let year = tag("date").or_else(|| tag("year"));
        let year = year.and_then(|date| date.get(..4)?.parse().ok());
        let measures = ADVICE_PARTS.iter().filter_map(|part| {
            Some((part.name().to_owned(), found.record.get(part.name())?.clone()))
        });
        Ok(AddReferenceRequest {
            name: self.name.clone().unwrap_or_else(titled),
            genre: self.genre.clone().or_else(|| tag("genre")),
            year: self.year.or(year),
            path: absolute_text(path)?,
            blake3: found.blake3(),
            features: found.given(),
            measures: Value::Object(measures.collect::<Map<_, _>>()),
            artist,
        })
    }
}
