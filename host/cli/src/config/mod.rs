//! The configuration file: what holds on this machine for every pipeline.

#[cfg(test)]
mod damage;
mod hooks;

use crate::diagnostics;
use crate::exit::CliError;
use crate::report::{Report, log_filter};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wavemill_core::suggestion::did_you_mean;
use wavemill_daemon::hooks::Hook;
use wavemill_pipelines::Diagnostic;
use wavemill_pipelines::diagnostic::Severity;

/// Targets that make sense: -70 LUFS is the absolute gate of BS.1770, 0 LUFS would be full scale.
pub const TARGET_LUFS_RANGE: RangeInclusive<f64> = -70.0..=0.0;

/// Most jobs at once; each is a process with its own buffers.
pub const WORKERS_MAX: usize = 256;

/// Most free space that can be asked for: 1 TiB.
const MIN_FREE_MIB_MAX: u64 = 1 << 20;

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
pub struct ConfigFile {
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
    /// Whether workers give up what their jobs do not need.
    pub confine: Option<bool>,
    /// Target of loudness steps that name none.
    pub target_lufs: Option<f64>,
    /// `false` turns loudness steps off.
    pub normalize: Option<bool>,
    /// Who is told of the ends of jobs and batches.
    pub hooks: Vec<Hook>,
}

/// Keys and what they take, for the help of a mistake.
const KEYS: &[(&str, &str)] = &[
    ("state", "a folder, as \"/var/lib/wavemill\""),
    ("root", "a folder, as \"/srv/audio\""),
    ("output_dir", "a folder, as \"/srv/audio/out\""),
    ("log", "a level, as \"info\", or levels of parts, as \"info,wavemill_watch=debug\""),
    ("log_file", "a file, as \"/var/log/wavemill.log\""),
    ("log_file_mib", "a whole number from 1 to 1024"),
    ("log_files", "a whole number from 0 to 100"),
    ("workers", "a whole number from 1 to 256"),
    ("min_free_mib", "a whole number from 0 to 1048576"),
    ("confine", "true or false"),
    ("target_lufs", "a number from -70 to 0, as -16.0"),
    ("normalize", "true or false"),
    ("hook", "tables, each under a line [[hook]]"),
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
    ) -> (Self, Result<(), Wrong>) {
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
                let wrong = Wrong { error: CliError::BadConfig { reason }, may_name_a_state: true };
                return (Self::default(), Err(wrong));
            }
        };
        let (config, mistakes) = Self::understand(&text, path.parent().unwrap_or(Path::new("")));
        if mistakes.is_empty() {
            return (config, Ok(()));
        }
        report.raw_error(&diagnostics::draw(path, &text, &mistakes, report.note_paint()));
        let error = CliError::Mistakes { path: path.clone(), count: mistakes.len() };
        (config, Err(Wrong { error, may_name_a_state: may_name_a_state(&text, &mistakes) }))
    }

    /// Understands a file's text; relative paths are below `folder`.
    ///
    /// # Errors
    /// Every mistake, in the order of the text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let (config, mistakes) = Self::understand(text, folder);
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    /// What is right of a file's text, and every mistake, in the order of the text.
    fn understand(text: &str, folder: &Path) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader { text, folder, mistakes: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            reader.mistake("syntax", error.message().to_owned(), None, span);
        }
        let mut config = Self::default();
        for (key, value) in table.get_ref() {
            reader.key(key.get_ref(), key.span(), value, &mut config);
        }
        reader.mistakes.sort_by_key(|mistake| mistake.span.start);
        (config, reader.mistakes)
    }
}

/// What is wrong with a file.
pub(crate) struct Wrong {
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

struct Reader<'a> {
    text: &'a str,
    folder: &'a Path,
    mistakes: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn key(
        &mut self,
        key: &str,
        key_span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
        config: &mut ConfigFile,
    ) {
        match key {
            "state" => config.state = self.folder_of(key, value),
            "root" => config.root = self.folder_of(key, value),
            "output_dir" => config.output_dir = self.folder_of(key, value),
            "log" => config.log = self.log(key, value),
            "log_file" => config.log_file = self.folder_of(key, value),
            "log_file_mib" => config.log_file_mib = self.whole(key, value, 1..=1024),
            "log_files" => config.log_files = self.whole(key, value, 0..=100),
            "workers" => config.workers = self.whole(key, value, 1..=WORKERS_MAX),
            "min_free_mib" => {
                config.min_free_mib = self.whole(key, value, 0..=MIN_FREE_MIB_MAX);
            }
            "confine" => config.confine = self.bool(key, value),
            "target_lufs" => config.target_lufs = self.target(key, value),
            "normalize" => config.normalize = self.bool(key, value),
            "hook" => config.hooks = self.hooks(value),
            _ => self.unknown_of(KEYS, key, key_span),
        }
    }

    fn unknown_of(&mut self, keys: &[(&str, &str)], key: &str, span: Range<usize>) {
        let help = did_you_mean(key, "known keys", keys.iter().map(|(name, _)| *name));
        self.mistake("unknown-key", format!("there is no key `{key}`"), Some(help), span);
    }

    fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => self.wrong(key, value),
        }
    }

    fn log(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let filter = self.string(key, value)?;
        if log_filter(&filter).is_ok() { Some(filter) } else { self.wrong(key, value) }
    }

    fn folder_of(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<PathBuf> {
        self.string(key, value).map(|text| self.folder.join(text))
    }

    fn bool(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong(key, value),
        }
    }

    fn whole<T: TryFrom<u64> + PartialOrd>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.filter(|number| range.contains(number)).or_else(|| self.wrong(key, value))
    }

    fn target(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<f64> {
        let target: Option<f64> = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let target = target.filter(|target| TARGET_LUFS_RANGE.contains(target));
        target.or_else(|| self.wrong(key, value))
    }

    fn wrong<T>(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
        self.wrong_of(KEYS, key, value)
    }

    fn wrong_of<T>(
        &mut self,
        keys: &[(&str, &str)],
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let takes = keys.iter().find(|(name, _)| *name == key).map_or("", |(_, takes)| *takes);
        let typed = self.text.get(value.span()).unwrap_or_default();
        let message = format!("`{key}` is {typed}");
        self.mistake("bad-value", message, Some(format!("it takes {takes}")), value.span());
        None
    }

    fn mistake(
        &mut self,
        code: &'static str,
        message: String,
        help: Option<String>,
        span: Range<usize>,
    ) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        self.mistakes.push(Diagnostic {
            code,
            severity: Severity::Error,
            message,
            help,
            span,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_with_every_key_is_understood() {
        let text = "state = \"s\"\nroot = \"/srv\"\noutput_dir = \"out\"\nlog = \"info\"\n\
                    log_file = \"w.log\"\nlog_file_mib = 2\nlog_files = 0\nworkers = 3\nmin_free_mib = 2048\nconfine = false\ntarget_lufs = -16\n\
                    normalize = false\n";
        let config = ConfigFile::parse(text, Path::new("/etc/wavemill")).unwrap();
        assert_eq!(config.state, Some("/etc/wavemill/s".into()));
        assert_eq!(config.root, Some("/srv".into()));
        assert_eq!(config.log_file, Some("/etc/wavemill/w.log".into()));
        assert_eq!((config.log_file_mib, config.log_files), (Some(2), Some(0)));
        assert_eq!(config.workers, Some(3));
        assert_eq!(config.min_free_mib, Some(2048));
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
                (2, 11, "bad-value"),
                (3, 15, "bad-value"),
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
