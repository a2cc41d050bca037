//! What every command is given: the flags that all share, completed from environment and files.

use super::{CliError, GlobalArgs, Settings, settings};
use crate::config::http::HttpFile;
use crate::config::{ConfigFile, ConfigPlace};
use crate::report::{self, Report, log_filter, one_line};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use wavemill_daemon::DaemonSettings;
use wavemill_pipelines::Effects;
use wavemill_pipelines::model::Defaults;
use wavemill_store::cache::effects_with;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where results and notes go.
    pub report: Report,
    /// Everything that can be set, after flag, environment and configuration file.
    pub settings: Settings,
    /// What is wrong with the configuration file, for a command that goes on without that.
    pub mistake: Option<String>,
    /// Where effects come from; nothing of it is made before a pipeline names one.
    pub effects: Effects,
    /// What it was made of.
    global: GlobalArgs,
}

impl Context {
    /// Reads environment and configuration file, and starts logging.
    ///
    /// # Errors
    /// When a variable or the configuration file is wrong; its mistakes are shown then.
    pub(crate) fn new(global: &GlobalArgs) -> Result<Self, CliError> {
        let report = Report::new(global.json, global.quiet);
        let file = ConfigFile::read(&settings::config_place(global, &environment), &report)?;
        Self::of(global, report, file)
    }

    /// The same for a command that shows or controls: mistakes of the configuration file are shown, and what is right
    /// of it holds. A daemon that runs may still be looked at and controlled after a mistake in it.
    ///
    /// # Errors
    /// When a variable is wrong, or the mistake may be about the state folder: another one has another daemon.
    pub(crate) fn lenient(global: &GlobalArgs) -> Result<Self, CliError> {
        let report = Report::new(global.json, global.quiet);
        let place = settings::config_place(global, &environment);
        let (file, read) = ConfigFile::read_what_is_right(&place, &report);
        let is_state_known = global.state.is_some() || file.state.is_some();
        let mistake = match read {
            Err(wrong) if wrong.may_name_a_state && !is_state_known => return Err(wrong.error),
            read => read.err().map(|wrong| one_line(&wrong.error.to_string())),
        };
        if let Some(mistake) = &mistake {
            report.warning(&format!("{mistake}; the other settings apply"));
        }
        Ok(Self { mistake, ..Self::of(global, report, file)? })
    }

    fn of(global: &GlobalArgs, report: Report, file: ConfigFile) -> Result<Self, CliError> {
        let settings = Settings::resolve(global, &environment, file)?;
        start_log(&settings.log)?;
        let effects = effects_with(&settings.state);
        Ok(Self { report, settings, mistake: None, effects, global: global.clone() })
    }

    /// What it would be if it were made now: files may have changed.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub(crate) fn again(&self) -> Result<Self, CliError> {
        Self::new(&self.global)
    }

    /// Where its configuration file is, or would be.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        match settings::config_place(&self.global, &environment) {
            ConfigPlace::Named(path) => Some(path),
            ConfigPlace::Usual(path) => path,
        }
    }

    /// Flags, variables and files left alone, for a process that another one gives everything.
    ///
    /// # Errors
    /// When logging cannot start.
    pub(crate) fn internal() -> Result<Self, CliError> {
        let settings = Settings {
            state: PathBuf::new(),
            root: PathBuf::new(),
            output_dir: None,
            log: "warn".to_owned(),
            workers: None,
            free_bytes_min: 0,
            confine: true,
            history: DaemonSettings::HISTORY,
            history_jobs: DaemonSettings::HISTORY_JOBS,
            defaults: Defaults::default(),
            hooks: Vec::new(),
            http: HttpFile::default(),
            log_file: None,
        };
        start_log(&settings.log)?;
        Ok(Self {
            report: Report::new(false, true),
            settings,
            mistake: None,
            effects: Effects::default(),
            global: GlobalArgs::default(),
        })
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.report.is_json()
    }

    /// Prints lines for people.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn lines<T: AsRef<str>>(
        &self,
        lines: impl IntoIterator<Item = T>,
    ) -> Result<(), CliError> {
        for line in lines {
            self.report.line(line.as_ref()).map_err(CliError::Output)?;
        }
        Ok(())
    }

    /// Prints one JSON document.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn document(&self, value: &serde_json::Value) -> Result<(), CliError> {
        self.report.document(value).map_err(CliError::Output)
    }

    /// Prints one event of a stream.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn event(&self, value: &serde_json::Value) -> Result<(), CliError> {
        self.report.event(value).map_err(CliError::Output)
    }

    /// `path`, or below the root when it is relative.
    pub(crate) fn below_root(&self, path: &Path) -> PathBuf {
        self.settings.root.join(path)
    }
}

/// A variable of the environment; an empty one counts as unset.
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Logs to standard error.
fn start_log(filter: &str) -> Result<(), CliError> {
    let filter = log_filter(filter).map_err(|reason| CliError::BadConfig { reason })?;
    report::start_log(filter, report::Paint::of(io::IsTerminal::is_terminal(&io::stderr())).color);
    Ok(())
}
