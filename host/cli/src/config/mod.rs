//! The configuration file: what holds on this machine for every pipeline.

#[cfg(test)]
mod damage;
mod hooks;
pub(crate) mod http;

use crate::diagnostics;
use crate::exit::CliError;
use crate::report::{Report, log_filter};
use http::HttpFile;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use wavemill_daemon::hooks::Hook;
use wavemill_pipelines::Diagnostic;
use wavemill_pipelines::reader::{Key, Kind, Sink, Values, read_document};

/// Targets that make sense: -70 LUFS is the absolute gate of BS.1770, 0 LUFS would be full scale.
pub(crate) const TARGET_LUFS_RANGE: RangeInclusive<f64> = -70.0..=0.0;

/// Most jobs at once; each is a process with its own buffers.
pub(crate) const WORKERS_MAX: i64 = 256;

/// Most free space that can be asked for: 1 TiB.
const MIN_FREE_MIB_MAX: i64 = 1 << 20;

/// Longest `history`: a hundred years.
const HISTORY_MAX: Duration = Duration::from_hours(24 * 36_525);

/// Largest `history_jobs`: what a disk of some 100 GB has room for.
const HISTORY_JOBS_MAX: i64 = 10_000_000;

/// Largest configuration file read. A handful of keys needs far less.
const BYTES_MAX: u64 = 1 << 20;

/// Where the configuration file is, and whether it must exist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ConfigPlace {
    /// Named by a flag: it must exist.
    Named(PathBuf),
    /// The usual place, if this user has one.
    Usual(Option<PathBuf>),
}

/// Contents of a configuration file; `None` where it says nothing. Relative paths are below the
/// file's own folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ConfigFile {
    /// Folder of store, socket and spool.
    pub state: Option<PathBuf>,
    /// Base of relative paths in pipelines.
    pub root: Option<PathBuf>,
    /// Base of relative output paths.
    pub output_dir: Option<PathBuf>,
    /// Log filter.
    pub log: Option<String>,
    /// File that the daemon logs to.
    pub log_file: Option<PathBuf>,
    /// Size at which that file is full, MiB.
    pub log_file_mib: Option<u64>,
    /// Log files that are kept; 0 for no log file.
    pub log_files: Option<u32>,
    /// Jobs at once.
    pub workers: Option<usize>,
    /// Free space below which no job begins, MiB.
    pub min_free_mib: Option<u64>,
    /// How long finished jobs are remembered.
    pub history: Option<Duration>,
    /// Most finished jobs that are remembered.
    pub history_jobs: Option<u64>,
    /// Whether workers give up what their jobs do not need.
    pub confine: Option<bool>,
    /// Target of loudness steps that name none.
    pub target_lufs: Option<f64>,
    /// `false` turns all loudness steps of pipelines off.
    pub normalize: Option<bool>,
    /// Who is notified of the ends of jobs and batches.
    pub hooks: Vec<Hook>,
    /// How HTTP is served.
    pub http: HttpFile,
}

const KEYS: &[Key] = &[
    Key::optional(
        "state",
        Kind::Text,
        "Folder of store, socket and spool, as \"/var/lib/wavemill\".",
    ),
    Key::optional("root", Kind::Text, "Base of relative paths in pipelines, as \"/srv/audio\"."),
    Key::optional(
        "output_dir",
        Kind::Text,
        "Base of relative output paths, as \"/srv/audio/out\".",
    ),
    Key::optional(
        "log",
        Kind::Text,
        "A level, as \"info\", or filters, as \"info,wavemill_watch=debug\".",
    ),
    Key::optional("log_file", Kind::Text, "File of the log, as \"/var/log/wavemill.log\"."),
    Key::optional(
        "log_file_mib",
        Kind::Integer { min: 1, max: 1024 },
        "Size at which it is full, MiB.",
    ),
    Key::optional("log_files", Kind::Integer { min: 0, max: 100 }, "Log files that are kept."),
    Key::optional("workers", Kind::Integer { min: 1, max: WORKERS_MAX }, "Jobs at once."),
    Key::optional(
        "min_free_mib",
        Kind::Integer { min: 0, max: MIN_FREE_MIB_MAX },
        "Free space below which no job begins, MiB.",
    ),
    Key::optional(
        "history",
        Kind::Duration { min: Duration::from_hours(1), max: HISTORY_MAX },
        "Time that finished jobs are remembered, as \"90d\".",
    ),
    Key::optional(
        "history_jobs",
        Kind::Integer { min: 1_000, max: HISTORY_JOBS_MAX },
        "Number of finished jobs above which the oldest are forgotten earlier.",
    ),
    Key::optional("confine", Kind::Bool, "Whether workers give up what their jobs do not need."),
    Key::optional(
        "target_lufs",
        Kind::Number {
            unit: "LUFS",
            min: *TARGET_LUFS_RANGE.start(),
            max: *TARGET_LUFS_RANGE.end(),
        },
        "Target of loudness steps that name none.",
    ),
    Key::optional("normalize", Kind::Bool, "false turns off all `loudness` steps of pipelines."),
    Key::optional(
        "hook",
        Kind::Tables(hooks::KEYS),
        "Who is notified of the ends of jobs and batches.",
    ),
    Key::optional("http", Kind::Table(http::KEYS), "How `watch` serves HTTP."),
];

impl ConfigFile {
    /// Reads the file, if it is there.
    ///
    /// # Errors
    /// When it cannot be read or has mistakes; those are shown.
    pub(crate) fn read(place: &ConfigPlace, report: &Report) -> Result<Self, CliError> {
        let (config, read) = Self::read_what_is_right(place, report);
        read.map(|()| config).map_err(|wrong| wrong.error)
    }

    /// What is right of the file, if it is there, and what is wrong with it; mistakes are shown.
    pub(crate) fn read_what_is_right(
        place: &ConfigPlace,
        report: &Report,
    ) -> (Self, Result<(), ConfigFault>) {
        let (path, must_exist) = match place {
            ConfigPlace::Named(path) => (path, true),
            ConfigPlace::Usual(Some(path)) => (path, false),
            ConfigPlace::Usual(None) => return (Self::default(), Ok(())),
        };
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
                return (Self::default(), Ok(()));
            }
            Err(error) => {
                let reason = format!("configuration file {}: {error}", crate::report::shown(path));
                // It may say anything.
                let wrong =
                    ConfigFault { error: CliError::BadConfig { reason }, may_name_a_state: true };
                return (Self::default(), Err(wrong));
            }
        };
        let (config, mistakes) = Self::understand(&text, path.parent().unwrap_or(Path::new("")));
        if mistakes.is_empty() {
            return (config, Ok(()));
        }
        report.raw_error(&diagnostics::draw(path, &text, &mistakes, report.note_paint()));
        let error = CliError::Mistakes { path: path.clone(), count: mistakes.len() };
        (config, Err(ConfigFault { error, may_name_a_state: may_name_a_state(&text, &mistakes) }))
    }

    /// Understands a file's text; relative paths are below `folder`.
    ///
    /// # Errors
    /// Every mistake, in the order of the text.
    #[cfg(test)]
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let (config, mistakes) = Self::understand(text, folder);
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    /// What is right of a file's text, and every mistake, in the order of the text.
    fn understand(text: &str, folder: &Path) -> (Self, Vec<Diagnostic>) {
        let (mut config, mut mistakes) = (Self::default(), Vec::new());
        read_document(text, KEYS, "the configuration file", &mut mistakes, |sink, values| {
            config = Self::of(sink, values, folder);
        });
        (config, mistakes)
    }

    fn of(sink: &mut Sink<'_>, values: &Values<'_>, folder: &Path) -> Self {
        let path = |key| values.text(key).map(|text| folder.join(text.get_ref()));
        let truth = |key| values.truth(key).map(Spanned::into_inner);
        Self {
            state: path("state"),
            root: path("root"),
            output_dir: path("output_dir"),
            log: values.text("log").and_then(|text| log(sink, text)),
            log_file: path("log_file"),
            log_file_mib: whole(values, "log_file_mib"),
            log_files: whole(values, "log_files"),
            workers: whole(values, "workers"),
            min_free_mib: whole(values, "min_free_mib"),
            history: values.duration("history").map(Spanned::into_inner),
            history_jobs: whole(values, "history_jobs"),
            confine: truth("confine"),
            target_lufs: values.number("target_lufs").map(Spanned::into_inner),
            normalize: truth("normalize"),
            hooks: hooks::read(sink, values.tables("hook"), folder),
            http: values
                .table("http")
                .map(|http| HttpFile::read(sink, http, folder))
                .unwrap_or_default(),
        }
    }
}

fn whole<T: TryFrom<i64>>(values: &Values<'_>, key: &str) -> Option<T> {
    T::try_from(values.integer(key)?.into_inner()).ok()
}

fn log(sink: &mut Sink<'_>, text: Spanned<String>) -> Option<String> {
    match log_filter(text.get_ref()) {
        Ok(_) => Some(text.into_inner()),
        Err(reason) => {
            sink.error("bad-value", text.span(), reason);
            None
        }
    }
}

/// What is wrong with a file.
pub(crate) struct ConfigFault {
    /// All of it, in one line.
    pub(crate) error: CliError,
    /// Whether a part of it may stand in the place of `state`.
    pub(crate) may_name_a_state: bool,
}

/// Whether a line looks, in its key or elsewhere outside of quotes, as if it should say where the state is.
fn may_name_a_state(text: &str, mistakes: &[Diagnostic]) -> bool {
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let is_said = |line: &str| {
        let key = line.split('=').next();
        let mut parts = line.split(['"', '\'']).step_by(2).chain(key);
        !is_comment(line) && parts.any(|part| part.to_ascii_lowercase().contains("stat"))
    };
    let is_meant =
        |mistake: &Diagnostic| mistake.help.as_deref().is_some_and(|help| help.contains("`state`"));
    text.lines().any(is_said) || mistakes.iter().any(is_meant)
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let size_bytes = std::fs::metadata(path)?.len();
    if size_bytes > BYTES_MAX {
        let reason = format!("has {size_bytes} bytes; at most {BYTES_MAX} are read");
        return Err(std::io::Error::other(reason));
    }
    std::fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_with_every_key_is_understood() {
        let text = "state = \"s\"\nroot = \"/srv\"\noutput_dir = \"out\"\nlog = \"info\"\n\
                    log_file = \"w.log\"\nlog_file_mib = 2\nlog_files = 0\nworkers = 3\nmin_free_mib = 2048\nhistory = \"30d\"\nhistory_jobs = 5000\nconfine = false\ntarget_lufs = -16\n\
                    normalize = false\n";
        let config = ConfigFile::parse(text, Path::new("/etc/wavemill")).unwrap();
        assert_eq!(config.state, Some("/etc/wavemill/s".into()));
        assert_eq!(config.root, Some("/srv".into()));
        assert_eq!(config.log_file, Some("/etc/wavemill/w.log".into()));
        assert_eq!((config.log_file_mib, config.log_files), (Some(2), Some(0)));
        assert_eq!(config.workers, Some(3));
        assert_eq!(config.min_free_mib, Some(2048));
        assert_eq!(config.history, Some(Duration::from_hours(30 * 24)));
        assert_eq!(config.history_jobs, Some(5000));
        assert_eq!(config.confine, Some(false));
        assert_eq!(config.target_lufs, Some(-16.0));
        assert_eq!(config.normalize, Some(false));
    }

    #[test]
    fn config_with_several_mistakes_reports_each_at_its_place() {
        let text = "stat = \"x\"\nworkers = 0\ntarget_lufs = \"loud\"\n[table]\n";
        let mistakes = ConfigFile::parse(text, Path::new("")).unwrap_err();
        let places: Vec<_> = mistakes.iter().map(|m| (m.line, m.column, m.code)).collect();
        assert_eq!(
            places,
            [
                (1, 1, "unknown-key"),
                (2, 11, "out-of-range"),
                (3, 15, "wrong-type"),
                (4, 2, "unknown-key")
            ]
        );
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `state`?"));
    }

    #[test]
    fn line_that_may_say_where_the_state_is_is_known_however_it_is_written() {
        let may = |text: &str| {
            let (_, mistakes) = ConfigFile::understand(text, Path::new(""));
            assert!(!mistakes.is_empty(), "{text}");
            may_name_a_state(text, &mistakes)
        };
        for text in
            ["state = 5", "\"state\" = 5", "'state' = [", "STATE_DIR = \"/s\"", "stae = \"/s\""]
        {
            assert!(may(text), "{text}");
        }
        for text in ["workers = 0", "# state = \"/s\"\nworkers = 0", "log = \"station!\""] {
            assert!(!may(text), "{text}");
        }
    }

    #[test]
    fn config_that_is_no_toml_says_where() {
        let mistakes = ConfigFile::parse("workers = 2\nroot = ", Path::new("")).unwrap_err();
        assert_eq!((mistakes[0].line, mistakes[0].code), (2, "syntax"));
    }
}
