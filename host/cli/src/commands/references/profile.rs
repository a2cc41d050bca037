//! `wavemill references profile`.

use super::measured;
use crate::analysis::Cache;
use crate::commands::analyze::audio_files;
use crate::commands::answers::with_version;
use crate::commands::confinement::before_analysis;
use crate::commands::{CliError, Context, Exit, output_file};
use crate::report::{counted, one_line, shown};
use serde_json::json;
use std::path::{Path, PathBuf};
use wavemill_core::advice::Profile;
use wavemill_pipelines::profiles::{self, plain_name};

/// Make a genre profile of your own tracks, for `analyze --recommend --genre FILE.toml`
///
/// Each range is from the 10th to the 90th percentile of the tracks.
#[derive(Debug, clap::Args)]
pub(super) struct ProfileOf {
    /// A folder of finished tracks, at least three
    folder: PathBuf,
    /// Name of the genre
    #[arg(long)]
    genre: String,
    /// Write it to this file, which must not exist [default: standard output]
    #[arg(long, short, value_name = "FILE.toml")]
    output: Option<PathBuf>,
    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,
}

impl ProfileOf {
    pub(super) fn run(self, context: &Context) -> Result<Exit, CliError> {
        if plain_name(&self.genre).is_empty() {
            return Err(CliError::usage("--genre needs a letter or digit"));
        }
        let files = audio_files(std::slice::from_ref(&self.folder))?;
        if let Some(output) = &self.output {
            output_file::check(output, &self.folder, false)?;
        }
        let cache = (!self.no_cache).then(|| Cache::of_state(&context.settings.state));
        let outputs: Vec<&Path> = self.output.iter().map(PathBuf::as_path).collect();
        let paths = files.iter().map(PathBuf::as_path);
        before_analysis(context, paths, cache.as_ref(), None, &outputs)?;
        let mut analyses = Vec::new();
        for (path, found) in files.iter().zip(measured::all(&files, cache.as_ref(), context)) {
            match found {
                Ok(found) => analyses.push(found.analysis),
                Err(reason) => context.report.error(&format!("{} {reason}", shown(path))),
            }
        }
        let profile =
            Profile::of_tracks(&one_line(&self.genre), &plain_name(&self.genre), &analyses);
        let profile = profile.ok_or_else(|| {
            CliError::failed(format!(
                "{} with {} that can be measured; a profile needs at least {}",
                shown(&self.folder),
                counted(analyses.len(), "track"),
                Profile::TRACKS_MIN
            ))
        })?;
        self.write(&profile, context)?;
        Ok(if analyses.len() == files.len() { Exit::Done } else { Exit::SomeFailed })
    }

    fn write(&self, profile: &Profile, context: &Context) -> Result<(), CliError> {
        let text = profiles::text_of(profile);
        if let Some(output) = &self.output {
            output_file::write(output, text.as_bytes(), false)?;
            let output = shown(output);
            context.report.note(&format!(
                "{output} written; next: wavemill analyze FILE --recommend --genre {output}"
            ));
        }
        if context.is_json() {
            return context.document(&with_version(&json!({ "profile": profile }))?);
        }
        if self.output.is_none() {
            context.report.text(&text).map_err(CliError::Output)?;
        }
        Ok(())
    }
}
