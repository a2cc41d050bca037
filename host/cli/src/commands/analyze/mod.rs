//! `wavemill analyze`: what files are, how they measure, how they stand to delivery targets, and what to change.

use super::confinement::before_analysis;
use super::flags::damaged;
use super::{CliError, Context, Exit, Run};
use crate::analysis::{Cache, Part, REPAIRS, RawFormat, Record, STREAM_NAME, SampleCoding};
use crate::report::{JSON_VERSION, Tone, counted, one_line, shown};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wavemill_core::analysis::MeasureGroup;
use wavemill_core::decode::Damaged;
use wavemill_core::delivery::{Judgment, Target};
use wavemill_core::music::RhythmOptions;
use wavemill_pipelines::report::measures;

mod charts;
mod csv;
mod files;
mod history;
mod lab;
mod page;
mod reading;
mod recommend;
mod sheet;
mod table;
pub(super) mod verdicts;
mod work;

use lab::Lab;
pub(super) use recommend::PARTS as ADVICE_PARTS;
use recommend::{Advisor, Recommend, Recommendation};

/// The audio files that arguments mean, folders walked.
///
/// # Errors
/// When one is standard input, or a folder has none.
pub(super) fn audio_files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let items = files::items(arguments, None);
    items
        .into_iter()
        .map(files::Item::into_file)
        .collect::<Result<_, _>>()
        .map_err(CliError::failed)
}

/// Measure files: format, tags, loudness, levels, spectrum; and compare them with delivery targets
#[derive(Debug, clap::Args)]
pub(super) struct Analyze {
    /// Audio files or folders, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Measure only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,

    /// Compare with these delivery targets: names from `wavemill targets`, targets files, or all
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    target: Vec<String>,

    /// Print CSV: one row per file, one column per measure
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// Print loudness over time as JSON lines instead: momentary, short-term and true peak every 100 ms, then the
    /// distribution of short-term loudness
    #[arg(long, conflicts_with_all = ["csv", "only", "target"])]
    history: bool,

    #[command(flatten)]
    lab: Lab,

    /// What to do with a damaged file: refuse it, or repair it and report the repairs
    #[arg(
        long,
        value_parser = damaged,
        default_value = Damaged::Refuse.name(),
        value_name = "refuse|repair",
        conflicts_with = "history"
    )]
    damaged: Damaged,

    /// Report only tempos in this range [default: 60-200]; `--genre` favors the tempos that are usual for it
    #[arg(
        long,
        value_parser = tempo_range,
        value_name = "MIN-MAX",
        conflicts_with = "history"
    )]
    tempo_range: Option<RhythmOptions>,

    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,

    #[command(flatten)]
    page: page::Flags,

    #[command(flatten)]
    recommend: Recommend,

    #[command(flatten)]
    raw: Raw,
}

/// What raw samples from standard input are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Raw samples from standard input")]
struct Raw {
    /// Sample rate in Hz
    #[arg(long, value_name = "HZ", requires_all = ["channels", "sample_format"])]
    rate: Option<u32>,

    /// Number of channels
    #[arg(long, value_name = "COUNT", requires_all = ["rate", "sample_format"])]
    channels: Option<u16>,

    /// Sample format, little-endian
    #[arg(long, value_enum, value_name = "FORMAT", requires_all = ["rate", "channels"])]
    sample_format: Option<SampleCoding>,
}

impl Raw {
    fn format(&self) -> Result<Option<RawFormat>, CliError> {
        RawFormat::of(self.rate, self.channels, self.sample_format)
            .map_err(|error| CliError::usage(format!("--{error}")))
    }
}

/// A range such as 60-200.
fn tempo_range(text: &str) -> Result<RhythmOptions, String> {
    let number = |text: &str| text.trim().parse().ok();
    let range = text.split_once('-').and_then(|(min, max)| Some((number(min)?, number(max)?)));
    let (min, max) = range.ok_or("expected a range in BPM, such as 60-200")?;
    RhythmOptions::of_range(min, max)
}

/// What is known of a file.
struct FileResult {
    record: Record,
    judgments: Vec<Judgment>,
    /// What is advised, where that was asked for.
    advised: Option<Recommendation>,
}

impl FileResult {
    /// All of it, as JSON has it.
    fn members(&self) -> Record {
        let mut members = self.record.clone();
        if !self.judgments.is_empty() {
            members.insert("targets".to_owned(), json!(self.judgments));
        }
        if let Some(advised) = &self.advised {
            members.insert("profile".to_owned(), json!(advised.profile()));
            members.insert("advice".to_owned(), measures(&advised.advice));
        }
        members
    }
}

/// A file and what became of it; the reason of a failure reads on after the path.
type File<'a> = (&'a Path, Result<FileResult, String>);

impl Run for Analyze {
    const NAME: &'static str = "analyze";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let raw = self.raw.format()?;
        self.check_stream(raw.is_some())?;
        if self.history {
            let items = files::items(&self.files, raw);
            confine(items.iter(), None, &[], context)?;
            let is_good = history::print_all(&items, context)?;
            return Ok(if is_good { Exit::Done } else { Exit::SomeFailed });
        }
        let targets = verdicts::find(&self.target, context)?;
        let shown_parts = self.parts();
        let cache = (!self.no_cache).then(|| Cache::of_state(&context.settings.state));
        let items = files::items(&self.files, raw).into_iter();
        let items: Vec<_> = items.map(|item| item.with_damaged(self.damaged)).collect();
        self.lab.check(items.len())?;
        let mut page = self.page.prepare(items.iter().map(|item| item.path.as_path()))?;
        self.recommend.check(items.len())?;
        let reference = self.recommend.reference(context)?;
        let reference_item = reference.as_ref().and_then(recommend::Reference::item);
        let outputs: Vec<&Path> =
            self.page.html().into_iter().chain(self.recommend.apply.as_deref()).collect();
        confine(items.iter().chain(reference_item), cache.as_ref(), &outputs, context)?;
        let advisor = self.recommend.advisor(reference, cache.as_ref(), context)?;
        let mut parts = needed(&shown_parts, &targets, self.damaged, page.is_some());
        if advisor.is_some() {
            parts = Part::all()
                .iter()
                .copied()
                .filter(|part| parts.contains(part) || recommend::PARTS.contains(part))
                .collect();
        }
        let rhythm = self.rhythm(advisor.as_ref());
        let wanted = work::MeasureRequest {
            parts: &parts,
            rhythm,
            cache: cache.as_ref(),
            has_charts: page.is_some(),
        };
        let outcomes = work::analyze_all(&items, wanted, context);
        let mut files: Vec<File<'_>> = Vec::with_capacity(items.len());
        for (item, outcome) in items.iter().zip(outcomes) {
            warn(&item.path, outcome.as_ref().ok().map(|found| &found.record), context);
            let analyzed = outcome.and_then(|found| {
                let judgments = verdicts::judge_all(&found.record, &targets);
                let advised =
                    advisor.as_ref().map(|advisor| advisor.advise(&found.record, &targets));
                let advised = advised.transpose()?;
                if let Some(page) = &mut page {
                    let recommendations = advised.as_ref().map(Recommendation::recommendations);
                    let charts = found.charts.unwrap_or_default();
                    page.add(&found.record, charts, &judgments, recommendations);
                }
                Ok(judged(found.record, judgments, advised, &shown_parts))
            });
            files.push((&item.path, analyzed));
        }
        let is_failed = files.iter().any(|(_, outcome)| self.is_failed(outcome));
        let written = page.map(|page| self.page.write(page)).transpose()?.flatten();
        self.print(&files, written.as_ref(), &shown_parts, context)?;
        for (path, outcome) in &files {
            if let Ok(FileResult { advised: Some(advised), .. }) = outcome {
                self.recommend.write(path, advised, context)?;
            }
        }
        for (path, outcome) in &files {
            if let Err(reason) = outcome {
                context.report.error(&format!("{} {reason}", shown(path)));
            }
        }
        Ok(if is_failed { Exit::SomeFailed } else { Exit::Done })
    }
}

impl Analyze {
    /// The parts that are shown, in the order of reports.
    fn parts(&self) -> Vec<Part> {
        let is_asked = |part: &Part| match part {
            _ if self.lab.is_asked() => *part == Part::Measures(MeasureGroup::Chords),
            _ if self.only.is_empty() => part.is_usual(),
            _ => self.only.contains(part),
        };
        Part::all().iter().copied().filter(is_asked).collect()
    }

    /// How rhythm is measured.
    fn rhythm(&self, advisor: Option<&Advisor>) -> RhythmOptions {
        let prior = advisor.and_then(Advisor::tempo_prior);
        RhythmOptions { prior, ..self.tempo_range.unwrap_or_default() }
    }

    fn check_stream(&self, is_raw: bool) -> Result<(), CliError> {
        let is_stream = |path: &&PathBuf| path.as_os_str() == STREAM_NAME;
        match self.files.iter().filter(is_stream).count() {
            0 if is_raw => {
                Err(CliError::usage("raw samples are read from standard input: name it as `-`"))
            }
            0 | 1 => Ok(()),
            _ => Err(CliError::usage("standard input can be read only once")),
        }
    }

    /// Whether a file cannot be analyzed, or misses a target that was named. `all` compares; nothing
    /// fails by it.
    fn is_failed(&self, outcome: &Result<FileResult, String>) -> bool {
        let is_named = !self.target.iter().any(|name| name == verdicts::ALL);
        let misses = |one: &Judgment| one.passed == Some(false);
        outcome.as_ref().map_or(true, |file| is_named && file.judgments.iter().any(misses))
    }

    fn print(
        &self,
        files: &[File<'_>],
        written: Option<&page::WrittenPage>,
        parts: &[Part],
        context: &Context,
    ) -> Result<(), CliError> {
        if context.is_json() {
            let files: Vec<_> = files.iter().map(|(path, outcome)| object(path, outcome)).collect();
            let mut document = json!({ "version": JSON_VERSION, "files": files });
            if let Some(written) = written {
                document["html"] = written.json();
            }
            return context.document(&document);
        }
        if let Some(written) = written {
            return context.lines([written.line(context)]);
        }
        if self.csv {
            let rows = files.iter().map(|(path, outcome)| {
                (*path, outcome.as_ref().map(FileResult::members).map_err(String::as_str))
            });
            let text = csv::table(rows, parts);
            return context.report.text(&text).map_err(CliError::Output);
        }
        let analyzed: Vec<(&Path, &FileResult)> = files
            .iter()
            .filter_map(|(path, outcome)| outcome.as_ref().ok().map(|file| (*path, file)))
            .collect();
        if self.lab.is_asked() {
            return context.lines(analyzed.iter().flat_map(|(_, file)| lab::lines(&file.record)));
        }
        let paint = context.report.paint();
        match (files.len(), analyzed.as_slice()) {
            (_, []) => Ok(()),
            (1, [(path, file)]) => {
                context.lines([paint.tone(Tone::Strong, shown(path))])?;
                context.lines(sheet::lines(&file.record, paint))?;
                context.lines(verdicts::lines(&file.judgments, paint))?;
                context.lines(file.advised.iter().flat_map(|advised| advised.lines(paint)))
            }
            (count, several) => {
                context.lines(table::lines(
                    several,
                    &self.only,
                    paint,
                    context.report.columns(),
                ))?;
                for (path, file) in several {
                    let Some(advised) = &file.advised else { continue };
                    context.lines([String::new(), paint.tone(Tone::Strong, shown(path))])?;
                    context.lines(advised.lines(paint).into_iter().skip(1))?;
                }
                let failed = count - several.len();
                if failed > 0 {
                    context.report.note(&format!("{} failed:", counted(failed, "file")));
                }
                Ok(())
            }
        }
    }
}

/// Gives up what measuring these does not need.
fn confine<'i>(
    items: impl Iterator<Item = &'i files::Item> + Clone,
    cache: Option<&Cache>,
    outputs: &[&Path],
    context: &Context,
) -> Result<(), CliError> {
    let spool = context.settings.state.join("spool");
    let has_stream = items.clone().any(files::Item::is_stream);
    let paths = items.map(|item| item.path.as_path());
    before_analysis(context, paths, cache, has_stream.then_some(spool.as_path()), outputs)
}

/// Warns of what is odd about a file, as streams that were left out.
fn warn(path: &Path, record: Option<&Record>, context: &Context) {
    let warnings = record.and_then(|record| record.get("file")?.get("warnings")?.as_array());
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        context.report.warning(&format!("{}: {}", shown(path), one_line(warning)));
    }
}

/// What must be measured, for these parts and for the targets.
fn needed(shown: &[Part], targets: &[Target], damaged: Damaged, has_page: bool) -> Vec<Part> {
    let has_targets = !targets.is_empty();
    let asks_channels = targets.iter().any(|target| !target.channels.is_empty());
    let is_needed = |part: &Part| match part {
        Part::Measures(MeasureGroup::Loudness) => has_targets,
        // What was repaired stands among the facts.
        Part::File => asks_channels || damaged == Damaged::Repair || has_page,
        Part::Tags => has_page,
        Part::Measures(_) => false,
    };
    Part::all().iter().copied().filter(|part| shown.contains(part) || is_needed(part)).collect()
}

/// A file with its verdicts and advice; what was measured for them or for the page alone is taken away.
fn judged(
    mut record: Record,
    judgments: Vec<Judgment>,
    advised: Option<Recommendation>,
    parts: &[Part],
) -> FileResult {
    record.retain(|name, _| name == REPAIRS || parts.iter().any(|part| part.name() == name));
    FileResult { record, judgments, advised }
}

fn object(path: &Path, outcome: &Result<FileResult, String>) -> Value {
    // The path stands there even when `--only` leaves the file's facts out.
    let mut object = Record::new();
    object.insert("path".to_owned(), path.to_string_lossy().into());
    match outcome {
        Ok(file) => object.extend(file.members()),
        Err(reason) => {
            object.insert("error".to_owned(), reason.as_str().into());
        }
    }
    Value::Object(object)
}
