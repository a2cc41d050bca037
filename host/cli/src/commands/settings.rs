//! Settings from flags, environment, configuration file and defaults, in this order.
//!
//! What a pipeline states itself stands between flag and environment: the values that a pipeline
//! can state ([`Defaults`]) are handed to its loader, which uses them only where it is silent.

use super::paths::absolute;
use super::{CliError, GlobalArgs};
use crate::config::http::HttpFile;
use crate::config::{ConfigFile, ConfigPlace, TARGET_LUFS_RANGE};
use crate::report::LogFile;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_api::{Client, Terms};
use wavemill_daemon::DaemonSettings;
use wavemill_daemon::hooks::Hook;
use wavemill_pipelines::model::Defaults;

/// How variables of the environment are looked up; empty ones count as unset.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Everything that can be set outside of pipelines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Folder of store, socket and spool.
    pub state: PathBuf,
    /// Base of relative paths in pipelines; absolute.
    pub root: PathBuf,
    /// Base of relative output paths; `None` is the root.
    pub output_dir: Option<PathBuf>,
    /// Log filter.
    pub log: String,
    /// File that the daemon logs to; `None` for none.
    pub log_file: Option<LogFile>,
    /// Jobs at once; `None` is the number of processors.
    pub workers: Option<usize>,
    /// Free space below which no job begins.
    pub free_bytes_min: u64,
    /// Whether workers give up what their jobs do not need.
    pub confine: bool,
    /// How long finished jobs are remembered.
    pub history: Duration,
    /// Most finished jobs that are remembered.
    pub history_jobs: u64,
    /// What pipelines that say nothing do.
    pub defaults: Defaults,
    /// Who is notified of the ends of jobs and batches.
    pub hooks: Vec<Hook>,
    /// What the configuration file says of HTTP.
    pub http: HttpFile,
}

/// Free space below which no job begins, unless the configuration file says otherwise: what an hour of
/// 24 bit stereo takes.
const MIN_FREE_MIB: u64 = 1024;

/// File in the state folder that the daemon logs to.
const LOG_FILE: &str = "wavemill.log";

/// Size at which a log file is full: some 50,000 jobs.
const LOG_FILE_MIB: u64 = 10;

/// Log files that are kept.
const LOG_FILES: u32 = 5;

impl Settings {
    /// Resolves everything.
    ///
    /// # Errors
    /// When a variable's value makes no sense.
    pub(super) fn resolve(
        flags: &GlobalArgs,
        environment: Environment<'_>,
        file: ConfigFile,
    ) -> Result<Self, CliError> {
        let current = std::env::current_dir()
            .map_err(|error| CliError::failed(format!("the current folder: {error}")))?;
        // Without `..`: what jobs moved is known by its path, and asked for by it.
        let first = |flag: &Option<PathBuf>, file: Option<PathBuf>| {
            flag.clone().or(file).map(|path| absolute(&path)).transpose()
        };
        let output_dir = environment("WAVEMILL_OUTPUT_DIR").map(PathBuf::from);
        let state = match first(&flags.state, file.state)? {
            Some(state) => state,
            None => default_state(environment)?,
        };
        let files = file.log_files.unwrap_or(LOG_FILES);
        let log_file = (files > 0).then(|| LogFile {
            path: file.log_file.map_or_else(|| state.join(LOG_FILE), |path| current.join(path)),
            bytes_max: file.log_file_mib.unwrap_or(LOG_FILE_MIB) << 20,
            files,
        });
        Ok(Self {
            state,
            log_file,
            root: first(&flags.root, file.root)?.unwrap_or_else(|| current.clone()),
            output_dir: first(&output_dir, file.output_dir)?,
            log: flags.log.clone().or(file.log).unwrap_or_else(|| "warn".to_owned()),
            workers: file.workers,
            free_bytes_min: file.min_free_mib.unwrap_or(MIN_FREE_MIB) << 20,
            confine: file.confine.unwrap_or(true),
            history: file.history.unwrap_or(DaemonSettings::HISTORY),
            history_jobs: file.history_jobs.unwrap_or(DaemonSettings::HISTORY_JOBS),
            defaults: Defaults {
                target_lufs: target_lufs(environment)?.or(file.target_lufs),
                normalize: normalize(environment)?.or(file.normalize).unwrap_or(true),
            },
            hooks: file.hooks,
            http: file.http,
        })
    }

    /// That the root is there, before anything is made below it.
    ///
    /// # Errors
    /// When it is not a folder.
    pub(super) fn check_root(&self) -> Result<(), CliError> {
        if self.root.is_dir() {
            return Ok(());
        }
        let (root, is_there) = (self.root.display(), self.root.exists());
        let what = if is_there { "is not a folder" } else { "does not exist" };
        let reason = format!(
            "the root {root} {what}; create it with `mkdir -p {root}`, mount it, or correct --root \
            or `root` in the configuration file"
        );
        Err(CliError::BadConfig { reason })
    }

    /// The daemon of the state folder, or its store; where there is none, an empty one.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] when a process holds the store and does not answer.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        Ok(Client::open(self.terms())?)
    }

    /// As [`Settings::client`]; makes the store where there is none.
    ///
    /// # Errors
    /// As [`Settings::client`].
    pub(super) fn client_or_new(&self) -> Result<Client, CliError> {
        Ok(Client::open_or_make(self.terms())?)
    }

    fn terms(&self) -> Terms {
        Terms {
            state_dir: self.state.clone(),
            output_root: self.output_root().to_owned(),
            defaults: self.defaults.clone(),
        }
    }

    /// Base of relative output paths.
    pub(crate) fn output_root(&self) -> &Path {
        self.output_dir.as_deref().unwrap_or(&self.root)
    }
}

pub(super) fn config_place(flags: &GlobalArgs, environment: Environment<'_>) -> ConfigPlace {
    match &flags.config {
        Some(path) => ConfigPlace::Named(path.clone()),
        None => ConfigPlace::Usual(
            user_folder(environment, "XDG_CONFIG_HOME", ".config")
                .map(|folder| folder.join("wavemill").join("config.toml")),
        ),
    }
}

fn default_state(environment: Environment<'_>) -> Result<PathBuf, CliError> {
    user_folder(environment, "XDG_STATE_HOME", ".local/state")
        .map(|folder| folder.join("wavemill"))
        .ok_or_else(|| CliError::BadConfig {
            reason: "neither XDG_STATE_HOME nor HOME is set; name a folder with --state".to_owned(),
        })
}

/// A folder of the XDG base directory specification, which ignores relative paths.
fn user_folder(environment: Environment<'_>, variable: &str, below_home: &str) -> Option<PathBuf> {
    let home = || environment(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    environment(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home().map(|home| PathBuf::from(home).join(below_home)))
}

fn target_lufs(environment: Environment<'_>) -> Result<Option<f64>, CliError> {
    let Some(value) = text_of(environment, "WAVEMILL_TARGET_LUFS")? else { return Ok(None) };
    match value.trim().parse() {
        Ok(target) if TARGET_LUFS_RANGE.contains(&target) => Ok(Some(target)),
        _ => Err(CliError::BadConfig {
            reason: format!(
                "WAVEMILL_TARGET_LUFS is \"{value}\"; it must be a number from {} to {}, such as \
                -16",
                TARGET_LUFS_RANGE.start(),
                TARGET_LUFS_RANGE.end()
            ),
        }),
    }
}

fn normalize(environment: Environment<'_>) -> Result<Option<bool>, CliError> {
    let Some(value) = text_of(environment, "WAVEMILL_NORMALIZE")? else { return Ok(None) };
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Some(true)),
        "false" | "0" | "no" | "off" => Ok(Some(false)),
        _ => Err(CliError::BadConfig {
            reason: format!("WAVEMILL_NORMALIZE is \"{value}\"; it must be true or false"),
        }),
    }
}

fn text_of(environment: Environment<'_>, name: &str) -> Result<Option<String>, CliError> {
    let text = environment(name).map(OsString::into_string).transpose();
    text.map_err(|value| CliError::BadConfig {
        reason: format!("{name} is {}, which is not valid UTF-8", value.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        flags: &GlobalArgs,
        variables: &[(&str, &str)],
        file: ConfigFile,
    ) -> Result<Settings, CliError> {
        let get = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        Settings::resolve(flags, &get, file)
    }

    const HOME: (&str, &str) = ("HOME", "/home/ada");

    #[test]
    fn settings_without_anything_are_the_defaults() {
        let settings = resolve(&GlobalArgs::default(), &[HOME], ConfigFile::default()).unwrap();
        assert_eq!(settings.state, Path::new("/home/ada/.local/state/wavemill"));
        assert_eq!(settings.root, std::env::current_dir().unwrap());
        assert_eq!(settings.output_root(), settings.root);
        assert_eq!(settings.defaults, Defaults::default());
        assert_eq!(settings.log, "warn");
        assert_eq!(settings.history, Duration::from_hours(90 * 24));
        assert_eq!(settings.history_jobs, 100_000);
        let log_file = settings.log_file.unwrap();
        assert_eq!(log_file.path, Path::new("/home/ada/.local/state/wavemill/wavemill.log"));
        assert_eq!((log_file.bytes_max, log_file.files), (10 << 20, 5));
    }

    #[test]
    fn flag_wins_over_config_file() {
        let flags = GlobalArgs { state: Some("/flag".into()), ..GlobalArgs::default() };
        let file = ConfigFile { state: Some("/file".into()), ..ConfigFile::default() };
        assert_eq!(resolve(&flags, &[HOME], file.clone()).unwrap().state, Path::new("/flag"));
        let settings = resolve(&GlobalArgs::default(), &[HOME], file).unwrap();
        assert_eq!(settings.state, Path::new("/file"));
    }

    #[test]
    fn environment_wins_over_config_file() {
        let file = ConfigFile {
            target_lufs: Some(-20.0),
            normalize: Some(true),
            output_dir: Some("/file".into()),
            ..ConfigFile::default()
        };
        let variables = [
            HOME,
            ("WAVEMILL_TARGET_LUFS", "-14.5"),
            ("WAVEMILL_NORMALIZE", "no"),
            ("WAVEMILL_OUTPUT_DIR", "/variable"),
        ];
        let settings = resolve(&GlobalArgs::default(), &variables, file.clone()).unwrap();
        assert_eq!(settings.defaults, Defaults { target_lufs: Some(-14.5), normalize: false });
        assert_eq!(settings.output_root(), Path::new("/variable"));
        let settings = resolve(&GlobalArgs::default(), &[HOME], file).unwrap();
        assert_eq!(settings.defaults.target_lufs, Some(-20.0));
        assert_eq!(settings.output_root(), Path::new("/file"));
    }

    #[test]
    fn variable_with_a_bad_value_is_a_configuration_error_that_names_it() {
        for variable in [
            ("WAVEMILL_TARGET_LUFS", "loud"),
            ("WAVEMILL_TARGET_LUFS", "16"),
            ("WAVEMILL_TARGET_LUFS", "NaN"),
            ("WAVEMILL_NORMALIZE", "maybe"),
        ] {
            let error = resolve(&GlobalArgs::default(), &[HOME, variable], ConfigFile::default())
                .unwrap_err();
            assert_eq!(error.exit(), super::super::Exit::BadConfig);
            assert!(error.to_string().contains(variable.0), "{error}");
        }
    }

    #[test]
    fn state_folder_follows_xdg_only_when_absolute() {
        let variables = [HOME, ("XDG_STATE_HOME", "/var/state")];
        let settings = resolve(&GlobalArgs::default(), &variables, ConfigFile::default()).unwrap();
        assert_eq!(settings.state, Path::new("/var/state/wavemill"));
        let variables = [HOME, ("XDG_STATE_HOME", "state")];
        let settings = resolve(&GlobalArgs::default(), &variables, ConfigFile::default()).unwrap();
        assert_eq!(settings.state, Path::new("/home/ada/.local/state/wavemill"));
    }

    #[test]
    fn state_folder_without_home_asks_for_the_flag() {
        let error = resolve(&GlobalArgs::default(), &[], ConfigFile::default()).unwrap_err();
        assert!(error.to_string().contains("--state"));
    }
}
