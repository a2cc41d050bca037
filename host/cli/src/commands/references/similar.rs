//! `wavemill references similar`.

use super::measured;
use crate::analysis::Cache;
use crate::commands::answers::with_version;
use crate::commands::{CliError, Context, Exit};
use crate::report::{Align, Table, Tone, counted, one_line, shown};
use std::path::PathBuf;
use wavemill_api::references::types::{
    FeaturePartView, SimilarAnswer, SimilarRequest, SimilarView,
};

/// Find the references that sound most like a file
///
/// A score of 1 means the same sound, 0 means unrelated.
#[derive(Debug, clap::Args)]
pub(super) struct Similar {
    /// An audio file
    file: PathBuf,
    /// Only references of this genre
    #[arg(long)]
    genre: Option<String>,
    /// How many to show
    #[arg(long, default_value_t = 5, value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Show which features made each score
    #[arg(long)]
    explain: bool,
    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,
}

impl Similar {
    pub(super) fn run(self, context: &Context) -> Result<Exit, CliError> {
        let client = context.settings.client()?;
        let cache = (!self.no_cache).then(|| Cache::of_state(&context.settings.state));
        let files = std::slice::from_ref(&self.file);
        let found = measured::all(files, cache.as_ref(), context).pop();
        let found = found.unwrap_or_else(|| Err("was not measured".to_owned()));
        let found =
            found.map_err(|reason| CliError::failed(format!("{} {reason}", shown(&self.file))))?;
        let request = SimilarRequest {
            features: found.given(),
            genre: self.genre.clone(),
            top: Some(self.top.into()),
        };
        let answer = client.similar(&request)?;
        if answer.outdated > 0 {
            let count = usize::try_from(answer.outdated).unwrap_or(usize::MAX);
            context.report.warning(&format!(
                "{} of another version of Wavemill left out; add the files again",
                counted(count, "reference")
            ));
        }
        if answer.similar.is_empty() {
            return Err(CliError::failed(self.nothing(&answer)));
        }
        if context.is_json() {
            context.document(&with_version(&answer)?)?;
        } else {
            self.print(&answer.similar, context)?;
        }
        Ok(Exit::Done)
    }

    fn nothing(&self, answer: &SimilarAnswer) -> String {
        match &self.genre {
            _ if answer.searched == 0 => {
                "there are no references to compare with; `wavemill references add FILE` adds one"
                    .to_owned()
            }
            Some(genre) => format!(
                "no reference of genre `{}` can be compared; `wavemill references list` shows all",
                one_line(genre)
            ),
            None => "no reference shares enough features with this file".to_owned(),
        }
    }

    fn print(&self, similar: &[SimilarView], context: &Context) -> Result<(), CliError> {
        if self.explain {
            return similar.iter().try_for_each(|one| explain(one, context));
        }
        let mut table = Table::new(&[
            ("SCORE", Align::Right),
            ("NAME", Align::Left),
            ("ARTIST", Align::Left),
            ("GENRE", Align::Left),
            ("YEAR", Align::Right),
        ]);
        for one in similar {
            let reference = &one.reference;
            let text = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
            table.toned([
                (score(one.score), None),
                (one_line(&reference.name), Some(Tone::Name)),
                (text(&reference.artist), None),
                (text(&reference.genre), None),
                (reference.year.map(|year| year.to_string()).unwrap_or_default(), None),
            ]);
        }
        context.lines(table.lines(context.report.paint()))
    }
}

/// The score of a reference and what made it.
fn explain(one: &SimilarView, context: &Context) -> Result<(), CliError> {
    let paint = context.report.paint();
    let name = paint.tone(Tone::Strong, one_line(&one.reference.name));
    context.lines([format!("{} {name}", score(one.score))])?;
    let groups = one.groups.iter().map(|part| format!("{} {}", part.group, signed(part.part)));
    let groups = groups.collect::<Vec<_>>().join(", ");
    context.lines([format!("  {} of 128 features shared: {groups}", one.shared)])?;
    let mut table = Table::new(&[
        ("  PART", Align::Right),
        ("FILE", Align::Right),
        ("REFERENCE", Align::Right),
        ("", Align::Left),
    ]);
    let mut row = |part: &FeaturePartView| {
        table.toned([
            (signed(part.part), None),
            (spreads(part.file), None),
            (spreads(part.reference), None),
            (part.summary.clone(), Some(Tone::Faint)),
        ]);
    };
    one.features.iter().for_each(&mut row);
    one.against.iter().for_each(&mut row);
    context.lines(table.lines(paint))?;
    context.lines([String::new()])
}

fn score(score: f64) -> String {
    format!("{score:.3}")
}

/// Without a sign before what rounds to nothing.
fn spreads(value: f32) -> String {
    format!("{:+.1}", (value * 10.0).round() / 10.0 + 0.0)
}

fn signed(part: f64) -> String {
    format!("{part:+.3}")
}
