//! `wavemill references`: tracks that others are compared with.

use super::answers::{moment, with_version};
use super::{CliError, Context, Exit, Run};
use crate::report::{Align, Table, Tone, one_line};
use serde_json::Value;
use wavemill_api::references::types::{
    ReferenceFilter, ReferenceList, ReferenceView, RemoveReferencesRequest,
};
use wavemill_core::features::DIMENSIONS;
use wavemill_core::units::Plain;

mod add;
mod measured;
mod profile;
mod similar;

/// Keep tracks to compare with, and find those that sound like a file
#[derive(Debug, clap::Args)]
pub(super) struct References {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(add::Add),
    /// List references by name
    List(List),
    /// Show everything about a reference: tags, features, measures
    Show {
        /// Its name
        name: String,
    },
    /// Remove references; their files stay
    Remove {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    Similar(similar::Similar),
    Profile(profile::ProfileOf),
    /// List the 128 features that files are compared by
    Features,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only references whose name contains this
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only references whose artist contains this
    #[arg(long, value_name = "TEXT")]
    artist: Option<String>,
    /// Only references of this genre
    #[arg(long)]
    genre: Option<String>,
    /// Only references of this year
    #[arg(long)]
    year: Option<i32>,
    /// Maximum number of entries
    #[arg(long, default_value_t = LIMIT_DEFAULT)]
    limit: usize,
}

/// References listed when no limit is given.
const LIMIT_DEFAULT: usize = 100;

impl Run for References {
    const NAME: &'static str = "references";
    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        match self.action {
            Action::Add(add) => return add.run(context),
            Action::Similar(similar) => return similar.run(context),
            Action::Profile(profile) => return profile.run(context),
            Action::List(list) => list.run(context)?,
            Action::Show { name } => show(&name, context)?,
            Action::Remove { names } => remove(names, context)?,
            Action::Features => features(context)?,
        }
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self, context: &Context) -> Result<(), CliError> {
        let limit = self.limit;
        let filter = ReferenceFilter {
            name: self.name,
            artist: self.artist,
            genre: self.genre,
            year: self.year,
            limit: Some(limit),
        };
        let list = context.settings.client()?.references(&filter)?;
        print(&list, context)?;
        if !context.is_json() && list.references.len() == limit {
            context.report.note(&format!("\nThe first {limit}; --limit N shows more."));
        }
        Ok(())
    }
}

fn print(list: &ReferenceList, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(list)?);
    }
    if list.references.is_empty() {
        context.report.note("no references; `wavemill references add FILE` adds one");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("ARTIST", Align::Left),
        ("GENRE", Align::Left),
        ("YEAR", Align::Right),
        ("", Align::Left),
    ]);
    for one in &list.references {
        let text = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
        let year = one.year.map(|year| year.to_string()).unwrap_or_default();
        let state = if one.is_outdated { "outdated: add it again" } else { "" };
        table.toned([
            (one_line(&one.name), Some(Tone::Name)),
            (text(&one.artist), None),
            (text(&one.genre), None),
            (year, None),
            (state.to_owned(), Some(Tone::Doubt)),
        ]);
    }
    context.lines(table.lines(context.report.paint()))
}

fn show(name: &str, context: &Context) -> Result<(), CliError> {
    let found = context.settings.client()?.reference(name)?;
    if context.is_json() {
        return context.document(&with_version(&found)?);
    }
    let paint = context.report.paint();
    context.lines(rows(&found).lines(paint))?;
    let Some(Value::Object(features)) = &found.features else { return Ok(()) };
    let mut table = Table::new(&[
        ("GROUP", Align::Left),
        ("FEATURE", Align::Left),
        ("VALUE", Align::Right),
        ("", Align::Left),
    ]);
    for one in &DIMENSIONS {
        let Some(value) = features.get(one.name).and_then(Value::as_f64) else { continue };
        table.toned([
            (one.group.name().to_owned(), Some(Tone::Faint)),
            (one.name.to_owned(), None),
            (format!("{:+.2}", (value * 100.0).round() / 100.0 + 0.0), None),
            (one.summary.to_owned(), Some(Tone::Faint)),
        ]);
    }
    context.lines([
        String::new(),
        "Features, in spreads above the mean of a corpus of music:".to_owned(),
    ])?;
    context.lines(table.lines(paint))
}

fn rows(one: &ReferenceView) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.toned([(name.to_owned(), Some(Tone::Faint)), (value, None)]);
        }
    };
    let measure = |group: &str, key: &str, unit: &str| {
        let number = one.measures.as_ref()?.get(group)?.get(key)?.as_f64()?;
        Some(format!("{:.1} {unit}", Plain(number)))
    };
    row("name", Some(one_line(&one.name)));
    row("artist", one.artist.as_deref().map(one_line));
    row("genre", one.genre.as_deref().map(one_line));
    row("year", one.year.map(|year| year.to_string()));
    row("file", Some(one_line(&one.path)));
    row("added", Some(moment(&one.added)));
    row("loudness", measure("loudness", "integrated_lufs", "LUFS"));
    row("range", measure("loudness", "loudness_range_lu", "LU"));
    row("true peak", measure("loudness", "true_peak_dbtp", "dBTP"));
    row("crest factor", measure("level", "crest_factor_db", "dB"));
    row("blake3", Some(one.blake3.clone()));
    if one.is_outdated {
        row("state", Some("made by another version of Wavemill: add its file again".to_owned()));
    }
    table
}

fn remove(names: Vec<String>, context: &Context) -> Result<(), CliError> {
    let client = context.settings.client()?;
    let removed = client.remove_references(&RemoveReferencesRequest { names })?;
    if context.is_json() {
        return context.document(&with_version(&removed)?);
    }
    for one in &removed.references {
        context.report.note(&format!("{} removed; its file stays", one_line(&one.name)));
    }
    Ok(())
}

fn features(context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        let all: Vec<Value> = DIMENSIONS
            .iter()
            .map(|one| {
                serde_json::json!({
                    "name": one.name, "group": one.group.name(), "summary": one.summary,
                })
            })
            .collect();
        return context.document(&with_version(&serde_json::json!({ "features": all }))?);
    }
    let mut table =
        Table::new(&[("GROUP", Align::Left), ("FEATURE", Align::Left), ("", Align::Left)]);
    for one in &DIMENSIONS {
        table.toned([
            (one.group.name().to_owned(), Some(Tone::Faint)),
            (one.name.to_owned(), Some(Tone::Name)),
            (one.summary.to_owned(), None),
        ]);
    }
    context.lines(table.lines(context.report.paint()))
}
