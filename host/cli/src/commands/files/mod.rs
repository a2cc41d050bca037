//! `wavemill files`: what was made, and keeping it in order.

use super::answers::{moment, with_version};
use super::paths::absolute_text;
use super::{CliError, Context, Exit, Run, outcome};
use crate::report::{Align, Table, Tone, counted, duration, one_line, size};
use jiff::civil::Date;
use std::path::{Path, PathBuf};
use wavemill_api::Client;
use wavemill_api::types::{
    DeleteAnswer, DeleteRequest, FileFilter, FileList, FileStats, FileView, JobFilter, MoveRequest,
};
use wavemill_core::units::Plain;
use wavemill_store::{Clock, is_job_id};

mod adopt;

/// List and manage the files that were made
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List files, newest first
    List(List),
    /// Show everything about a file, or about the files of a job
    Show {
        /// A file, or the id of a job
        file: String,
    },
    /// Check whether files of a job exist: exit code 0 if so, else 1
    Exists {
        /// The id of the job
        job: String,
        /// Only files made on this date, such as 2026-11-22
        #[arg(long, value_name = "DAY", value_parser = day)]
        date: Option<Date>,
    },
    /// Count files and bytes, by type
    Stats,
    /// Move a file and update the catalog; existing files are not replaced
    Move {
        /// A file that was made or adopted
        from: PathBuf,
        /// Its new name, or a folder
        to: PathBuf,
    },
    /// Copy a file and add the copy to the catalog; existing files are not replaced
    Copy {
        /// A file that was made or adopted
        from: PathBuf,
        /// The copy's name, or a folder
        to: PathBuf,
    },
    /// Delete files that have not changed since they were made
    Delete {
        /// Files that were made or adopted
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List old files; with --delete, delete them
    Clean {
        /// Older than this, such as 30d, 12h or 2026-11-22
        #[arg(long, value_name = "TIME", value_parser = moment_ms)]
        older_than: u64,
        /// Only files of this pipeline
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
        /// Delete them and folders that become empty
        #[arg(long)]
        delete: bool,
    },
    Adopt(adopt::Adopt),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Made at this time or later, such as 2026-11-22, 7d or 12h
    #[arg(long, value_name = "TIME", value_parser = moment_ms)]
    since: Option<u64>,
    /// Made before this time
    #[arg(long, value_name = "TIME", value_parser = moment_ms)]
    until: Option<u64>,
    /// Only files with this extension
    #[arg(long)]
    ext: Option<String>,
    /// Only files of this pipeline
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Only files with this tag, such as artist=Ada
    #[arg(long, value_name = "TAG=TEXT")]
    tag: Option<String>,
    /// Minimum integrated loudness, LUFS
    #[arg(long, value_name = "LUFS", allow_hyphen_values = true)]
    min_lufs: Option<f64>,
    /// Maximum integrated loudness, LUFS
    #[arg(long, value_name = "LUFS", allow_hyphen_values = true)]
    max_lufs: Option<f64>,
    /// Sort by date (newest first), name, size (largest first) or loudness (loudest first)
    #[arg(long, default_value = "date", value_parser = ["date", "name", "size", "loudness"])]
    sort: String,
    /// Maximum number of entries
    #[arg(long, default_value_t = JobFilter::LIMIT_DEFAULT)]
    limit: usize,
}

impl Run for Files {
    const NAME: &'static str = "files";
    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let action = match self.action {
            Action::Adopt(adopt) => return adopt.run(context),
            action => action,
        };
        let client = context.settings.client()?;
        match action {
            Action::List(list) => list.run(&client, context)?,
            Action::Show { file } => show(&client, &file, context)?,
            Action::Exists { job, date } => return exists(&client, &job, date, context),
            Action::Stats => stats(&client.file_stats()?, context)?,
            Action::Move { from, to } => relocate(&client, &from, &to, false, context)?,
            Action::Copy { from, to } => relocate(&client, &from, &to, true, context)?,
            Action::Delete { files } => {
                let paths =
                    files.iter().map(|file| absolute_text(file)).collect::<Result<_, _>>()?;
                let request = DeleteRequest { paths, empty_folders: false };
                return deleted(&client.delete_files(&request)?, context);
            }
            Action::Clean { older_than, pipeline, delete } => {
                return clean(&client, older_than, pipeline, delete, context);
            }
            Action::Adopt(_) => {}
        }
        Ok(Exit::Done)
    }
}

/// A moment: a day (its beginning here), a time, or an age.
fn moment_ms(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time; write, for example, 2026-11-22, 30d or 12h");
    let units_s = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let age_s = units_s.iter().find_map(|(unit, unit_s)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number.saturating_mul(*unit_s))
    });
    if let Some(age_s) = age_s {
        return Ok(Clock::now_ms().saturating_sub(age_s.saturating_mul(1_000)));
    }
    let begin = |day: Date| day.to_zoned(jiff::tz::TimeZone::system()).ok();
    let moment = text.parse().ok().or_else(|| Some(begin(day(text).ok()?)?.timestamp()));
    let moment: jiff::Timestamp = moment.ok_or_else(wrong)?;
    u64::try_from(moment.as_millisecond()).map_err(|_| wrong())
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("`{text}` is not a date; write, for example, 2026-11-22"))
}

impl List {
    fn run(self, client: &Client, context: &Context) -> Result<(), CliError> {
        let limit = self.limit;
        let filter = FileFilter {
            path: None,
            since_ms: self.since,
            until_ms: self.until,
            ext: self.ext,
            pipeline: self.pipeline,
            tag: self.tag,
            min_lufs: self.min_lufs,
            max_lufs: self.max_lufs,
            sort: Some(self.sort),
            limit: Some(limit),
        };
        let list = client.files(&filter)?;
        print(&list, context)?;
        if !context.is_json() && list.files.len() == limit {
            context.report.note(&format!("\nThe first {limit}; --limit N shows more."));
        }
        Ok(())
    }
}

fn print(list: &FileList, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(list)?);
    }
    if list.files.is_empty() {
        context.report.note("no files");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("MADE", Align::Left),
        ("SIZE", Align::Right),
        ("LENGTH", Align::Right),
        ("LUFS", Align::Right),
        ("FILE", Align::Left),
        ("", Align::Left),
    ]);
    for file in &list.files {
        table.toned([
            (moment(&file.made), Some(Tone::Faint)),
            (size(file.size_bytes), None),
            (file.duration_s.map(duration).unwrap_or_default(), None),
            (
                file.integrated_lufs.map(|lufs| format!("{:.1}", Plain(lufs))).unwrap_or_default(),
                None,
            ),
            (outcome::below(Path::new(&file.path), context), Some(Tone::Name)),
            state_of(file),
        ]);
    }
    context.lines(table.lines(context.report.paint()))
}

/// What is to be said of a file that is not as it was made.
fn state_of(file: &FileView) -> (String, Option<Tone>) {
    match file.state.as_str() {
        "present" => (String::new(), None),
        "changed" => ("changed since".to_owned(), Some(Tone::Doubt)),
        _ => ("missing".to_owned(), Some(Tone::Bad)),
    }
}

fn show(client: &Client, file: &str, context: &Context) -> Result<(), CliError> {
    let path = Some(absolute_text(Path::new(file))?).filter(|_| !is_job_id(file));
    let filter = FileFilter { path, ..FileFilter::default() };
    let mut list = if filter.path.is_some() { client.files(&filter)? } else { FileList::default() };
    if list.files.is_empty() {
        // Jobs of adopted files are named as their folders say.
        list = client.files_of_job(file)?;
    }
    if list.files.is_empty() {
        let file = one_line(file);
        return Err(CliError::failed(format!("{file} was neither made nor adopted by Wavemill")));
    }
    if context.is_json() {
        return context.document(&with_version(&list)?);
    }
    let paint = context.report.paint();
    list.files.iter().try_for_each(|file| context.lines(rows(file).lines(paint)))
}

fn rows(file: &FileView) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.toned([(name.to_owned(), Some(Tone::Faint)), (value, None)]);
        }
    };
    row("file", Some(one_line(&file.path)));
    row("state", Some(file.state.clone()));
    row("made", Some(moment(&file.made)));
    row("job", file.job.clone());
    row("pipeline", file.pipeline.as_deref().map(one_line));
    row("size", Some(size(file.size_bytes)));
    row("length", file.duration_s.map(duration));
    row("loudness", file.integrated_lufs.map(|lufs| format!("{:.1} LUFS", Plain(lufs))));
    row("true peak", file.true_peak_dbtp.map(|peak| format!("{:.1} dBTP", Plain(peak))));
    for (name, text) in &file.tags {
        row(name, Some(one_line(text)));
    }
    row("blake3", Some(file.blake3.clone()));
    table
}

fn exists(
    client: &Client,
    job: &str,
    date: Option<Date>,
    context: &Context,
) -> Result<Exit, CliError> {
    let mut list = client.files_of_job(job)?;
    let is_of_day = |file: &FileView| {
        let made = file.made.parse::<jiff::Timestamp>();
        let here = made.map(|made| made.to_zoned(jiff::tz::TimeZone::system()).date());
        date.is_none_or(|date| here.is_ok_and(|here| here == date))
    };
    list.files.retain(|file| file.state != "missing" && is_of_day(file));
    print(&list, context)?;
    Ok(if list.files.is_empty() { Exit::Error } else { Exit::Done })
}

fn stats(stats: &FileStats, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(stats)?);
    }
    let paint = context.report.paint();
    let files = counted(usize::try_from(stats.count).unwrap_or(usize::MAX), "file");
    context.lines([format!(
        "{files}, {}, {} of audio",
        size(stats.bytes),
        duration(stats.audio_s)
    )])?;
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for (name, time) in [("oldest", &stats.oldest), ("newest", &stats.newest)] {
        let time = time.as_deref().map(moment).unwrap_or_default();
        table.toned([(name.to_owned(), Some(Tone::Faint)), (time, None)]);
    }
    for (extension, of_type) in &stats.by_extension {
        let name = if extension.is_empty() { "none" } else { extension };
        let text = format!("{} of {}", of_type.count, size(of_type.bytes));
        table.toned([(one_line(name), Some(Tone::Faint)), (text, None)]);
    }
    context.lines(table.lines(paint))
}

fn relocate(
    client: &Client,
    from: &Path,
    to: &Path,
    copy: bool,
    context: &Context,
) -> Result<(), CliError> {
    let name = from.file_name().unwrap_or_default();
    let to = if to.is_dir() { to.join(name) } else { to.to_owned() };
    let request = MoveRequest { from: absolute_text(from)?, to: absolute_text(&to)?, copy };
    let file = client.move_file(&request)?;
    if context.is_json() {
        return context.document(&with_version(&file)?);
    }
    context.lines([outcome::below(Path::new(&file.path), context)])
}

fn deleted(answer: &DeleteAnswer, context: &Context) -> Result<Exit, CliError> {
    for file in &answer.kept {
        context.report.error(&one_line(&file.reason));
    }
    if context.is_json() {
        context.document(&with_version(answer)?)?;
    } else {
        let count = counted(answer.deleted.len(), "file");
        let folders = match answer.folders.len() {
            0 => String::new(),
            count => format!(" and {}", counted(count, "empty folder")),
        };
        context.report.note(&format!("{count}{folders} deleted"));
    }
    Ok(if answer.kept.is_empty() { Exit::Done } else { Exit::SomeFailed })
}

fn clean(
    client: &Client,
    before_ms: u64,
    pipeline: Option<String>,
    delete: bool,
    context: &Context,
) -> Result<Exit, CliError> {
    let (until_ms, limit) = (Some(before_ms), Some(usize::MAX));
    let filter = FileFilter { until_ms, pipeline, limit, ..FileFilter::default() };
    let list = client.files(&filter)?;
    if !delete {
        print(&list, context)?;
        if !context.is_json() && !list.files.is_empty() {
            context.report.note(&format!("\n{}", announced(&list.files)));
        }
        return Ok(Exit::Done);
    }
    let paths = list.files.into_iter().map(|file| file.path).collect();
    let request = DeleteRequest { paths, empty_folders: true };
    deleted(&client.delete_files(&request)?, context)
}

/// What `--delete` would do with files.
fn announced(files: &[FileView]) -> String {
    let of = |state: &'static str| files.iter().filter(move |file| file.state == state);
    let bytes = of("present").map(|file| file.size_bytes).sum();
    let deleted = counted(of("present").count(), "file");
    let mut parts = vec![format!("{deleted}, {}; --delete deletes them", size(bytes))];
    let others = [
        ("changed", "changed since and kept"),
        ("missing", "missing and dropped from the catalog"),
    ];
    for (state, what) in others {
        let count = of(state).count();
        parts.extend((count > 0).then(|| format!("{count} {what}")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_moments_or_ages() {
        assert_eq!(moment_ms("2026-11-22T00:00:00Z").unwrap(), 1_795_305_600_000);
        let day_ago = Clock::now_ms() - moment_ms("1d").unwrap();
        assert!((86_400_000..86_460_000).contains(&day_ago), "{day_ago}");
        assert!(moment_ms("2026-11-22").is_ok());
        for text in ["", "soon", "7x", "2026-13-01", "1"] {
            assert!(moment_ms(text).is_err(), "{text}");
        }
    }
}
