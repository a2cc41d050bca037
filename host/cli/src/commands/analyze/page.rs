//! The page of a run of `analyze`: where it goes, and what is on it.

use super::Record;
use super::charts::Charts;
use crate::commands::{CliError, Context, output_file};
use crate::report::{counted, shown, size};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use wavemill_core::delivery::Judgment;
use wavemill_core::loudness::{GroupLoudness, Piece};
use wavemill_pipelines::report::html::{
    LOGO_BYTES_MAX, Logo, Page, PageFile, Recommendations, Signal, render,
};

/// Where the page goes, and who sends it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "HTML report")]
pub(super) struct Flags {
    /// Write a report for people: one HTML file with verdicts, charts and numbers, for any browser and for print
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csv", "history"])]
    html: Option<PathBuf>,

    /// Name above the report, such as that of your studio
    #[arg(long, value_name = "TEXT", requires = "html")]
    title: Option<String>,

    /// Picture beside the name: PNG, JPEG, WebP, GIF or SVG of up to 96 KiB
    #[arg(long, value_name = "PICTURE", requires = "html")]
    logo: Option<PathBuf>,

    /// Replace the report if it exists
    #[arg(long, requires = "html")]
    force: bool,
}

/// A page that is being filled.
pub(super) struct Draft {
    page: Page,
    pieces: Vec<Piece>,
}

/// A page that was written.
pub(super) struct WrittenPage {
    path: PathBuf,
    size_bytes: u64,
    file_count: usize,
}

impl Flags {
    /// Where the page goes.
    pub(super) fn html(&self) -> Option<&Path> {
        self.html.as_deref()
    }

    /// An empty page, where one is asked for. What would be refused after the work is refused now.
    ///
    /// # Errors
    /// When the page may not be written there, or the logo cannot be used.
    pub(super) fn prepare<'p>(
        &self,
        mut inputs: impl Iterator<Item = &'p Path>,
    ) -> Result<Option<Draft>, CliError> {
        let Some(path) = &self.html else { return Ok(None) };
        inputs.try_for_each(|input| output_file::check(path, input, self.force))?;
        let logo = self.logo.as_deref().map(read_logo).transpose()?;
        let page = Page { title: self.title.clone(), logo, ..Page::default() };
        Ok(Some(Draft { page, pieces: Vec::new() }))
    }

    /// Writes the page; nothing where no file could be analyzed.
    ///
    /// # Errors
    /// When it was made by others meanwhile, or the disk fails.
    pub(super) fn write(&self, draft: Draft) -> Result<Option<WrittenPage>, CliError> {
        let Draft { mut page, pieces } = draft;
        let Some(path) = self.html.clone().filter(|_| !page.files.is_empty()) else {
            return Ok(None);
        };
        page.album = (page.files.len() > 1).then(|| GroupLoudness::of(&pieces));
        let bytes = render(&page).into_bytes();
        output_file::write(&path, &bytes, self.force)?;
        let size_bytes = bytes.len() as u64;
        Ok(Some(WrittenPage { path, size_bytes, file_count: page.files.len() }))
    }
}

fn read_logo(path: &Path) -> Result<Logo, CliError> {
    let mut bytes = Vec::new();
    let limit = LOGO_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| CliError::path(path, error))?;
    Logo::new(bytes).map_err(|error| CliError::usage(format!("{} {error}", shown(path))))
}

impl Draft {
    /// Adds a file.
    pub(super) fn add(
        &mut self,
        record: &Record,
        charts: Charts,
        judgments: &[Judgment],
        recommendations: Option<Recommendations>,
    ) {
        let Charts { waveform, history, piece } = charts;
        let file = record.get("file").cloned().unwrap_or_default();
        let warnings = file.get("warnings").and_then(Value::as_array).into_iter().flatten();
        let warnings = warnings.filter_map(Value::as_str).map(str::to_owned).collect();
        let analysis = read(Value::Object(record.clone()));
        let has_loudness = record.contains_key("loudness");
        let history = if has_loudness { history } else { Vec::new() };
        self.page.files.push(PageFile {
            facts: read(file),
            tags: record.get("tags").cloned().unwrap_or_default(),
            source: Signal { analysis, history, waveform },
            judgments: judgments.to_vec(),
            recommendations,
            warnings,
            ..PageFile::default()
        });
        self.pieces.push(piece);
    }
}

/// What a record has; it was written by the same types.
fn read<T: DeserializeOwned + Default>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_default()
}

impl WrittenPage {
    /// As JSON has it.
    pub(super) fn json(&self) -> Value {
        json!({ "path": self.path.to_string_lossy(), "size_bytes": self.size_bytes })
    }

    /// What was made of how many files.
    pub(super) fn line(&self, context: &Context) -> String {
        let arrow = context.report.paint().arrow();
        let Self { path, size_bytes, file_count } = self;
        format!("{} {arrow} {} ({})", counted(*file_count, "file"), shown(path), size(*size_bytes))
    }
}
