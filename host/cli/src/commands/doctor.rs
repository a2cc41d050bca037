//! `wavemill doctor`: whether this machine can be left alone with a daemon.

use super::pipeline_files::{self, PipelineFile};
use super::{CliError, Context, Exit, Run, Settings};
use crate::report::{Align, JSON_VERSION, Table, Tone, one_line, shown, size};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wavemill_api::types::Status;
use wavemill_pipelines::Pipeline;
use wavemill_platform::{
    Confinement, ConfinementLevel, Space, confinement_here, inotify_limits, is_clock_kept, mark,
    may_use_folder, open_files_max, space,
};
use wavemill_store::Store;
use wavemill_watch::is_on_network;

/// Free bytes below which a file system is about to stop the work, and below which it soon may: a
/// gigabyte is an hour and a half of stereo at 48 kHz in 32 bits.
const BYTES_MIN: u64 = 100 << 20;
const BYTES_LOW: u64 = 1 << 30;

/// The same for the count of files it can still hold.
const FILES_MIN: u64 = 100;
const FILES_LOW: u64 = 10_000;

/// Open files with which a daemon of a few folders and workers gets by, and with which it is safe.
const OPEN_FILES_MIN: u64 = 128;
const OPEN_FILES_LOW: u64 = 512;

/// Most folders that are counted; more than any limit of inotify allows by default.
const FOLDERS_MAX: u64 = 2_000_000;

/// Check this machine for unattended use: folders, limits, space, clock, confinement
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Pipelines whose folders are checked too: files or folders [default: those being watched]
    #[arg(value_name = "PIPELINE|DIR")]
    pipelines: Vec<PathBuf>,
}

impl Run for Doctor {
    const NAME: &'static str = "doctor";

    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let files = match self.pipelines.as_slice() {
            [] => Vec::new(),
            pipelines => pipeline_files::load_all(pipelines, context)?,
        };
        let mut checks = Checks::default();
        if let Some(mistake) = &context.mistake {
            let help = "fix it: a daemon cannot start with it, and a running one keeps its old \
                settings";
            checks.add("configuration", Verdict::Fail, mistake, help);
        }
        let daemon = checks.store_and_daemon(&context.settings);
        let folders = Folders::of(&files, daemon.as_ref(), context);
        checks.confinement(context, daemon.as_ref());
        checks.state(&context.settings.state);
        checks.root(&context.settings);
        checks.watched(&folders.watched);
        checks.outputs(&folders.outputs);
        checks.space(&folders, &context.settings);
        checks.inotify(&folders.watched);
        checks.open_files();
        checks.clock(&context.settings.state);
        checks.show(context)?;
        let is_failed = checks.0.iter().any(|check| check.verdict == Verdict::Fail);
        Ok(if is_failed { Exit::SomeFailed } else { Exit::Done })
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not for ever or not in full.
    Warn,
    /// It does not work.
    Fail,
}

/// A line of the result.
#[derive(Debug, Serialize)]
struct Check {
    #[serde(rename = "check")]
    of: &'static str,
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to do.
    help: Option<String>,
}

/// A watched folder, and what it must allow.
struct WatchedFolder {
    path: PathBuf,
    pipeline: String,
    /// Whether another daemon watches it too, if the one of this state folder knows.
    is_contended: Option<bool>,
    /// Whether sources are taken away from it.
    is_emptied: bool,
}

/// The folders that a daemon needs.
#[derive(Default)]
struct Folders {
    watched: Vec<WatchedFolder>,
    /// Folders of outputs.
    outputs: BTreeSet<PathBuf>,
}

impl Folders {
    fn of(files: &[PipelineFile], daemon: Option<&Status>, context: &Context) -> Self {
        let mut folders = Self::default();
        for pipeline in files.iter().filter_map(|file| file.pipeline.as_ref()) {
            folders.add(pipeline, daemon, context);
        }
        if files.is_empty()
            && let Some(daemon) = daemon
        {
            folders.watched.extend(daemon.watches.iter().map(|watch| WatchedFolder {
                path: PathBuf::from(&watch.path),
                pipeline: watch.pipeline.clone(),
                is_contended: Some(watch.is_contended),
                is_emptied: watch.is_emptied,
            }));
            folders.outputs.extend(daemon.outputs.iter().map(|path| plain(Path::new(path))));
        }
        folders
    }

    fn add(&mut self, pipeline: &Pipeline, daemon: Option<&Status>, context: &Context) {
        let is_emptied = !pipeline.source.keeps_all();
        self.watched.extend(pipeline.watches.iter().map(|watch| {
            let path = context.below_root(&watch.path);
            let watches = daemon.iter().flat_map(|daemon| &daemon.watches);
            let same =
                watches.filter(|it| it.pipeline == pipeline.name && Path::new(&it.path) == path);
            let is_contended = same.map(|watch| watch.is_contended).next();
            WatchedFolder { path, pipeline: pipeline.name.clone(), is_contended, is_emptied }
        }));
        let outputs = pipeline.output_folders(context.settings.output_root());
        self.outputs.extend(outputs.iter().map(|path| plain(path)));
    }
}

/// The same path without a slash at its end: `out/` is not there where `out` is a file.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, check: &'static str, verdict: Verdict, found: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.0.push(Check { of: check, verdict, found: found.into(), help });
    }

    /// Asks the daemon, or opens the store that none holds.
    fn store_and_daemon(&mut self, settings: &Settings) -> Option<Status> {
        if !Store::file_in(&settings.state).exists() {
            self.add("store", Verdict::Ok, "none yet; `wavemill watch` creates it", "");
            return None;
        }
        let status = settings.client().and_then(|client| Ok(client.daemon_status()?));
        match status {
            Ok(Some(status)) => {
                let found = format!("version {}, process {}", status.version, status.pid);
                let own = env!("CARGO_PKG_VERSION");
                if status.version == own {
                    self.add("daemon", Verdict::Ok, found, "");
                } else {
                    let found = format!("{found}; this program is {own}");
                    self.add("daemon", Verdict::Warn, found, "restart the daemon");
                }
                return Some(status);
            }
            Ok(None) => self.add(
                "store",
                Verdict::Ok,
                "opens and has the right version; no daemon is running",
                "",
            ),
            Err(error @ CliError::Unreachable { .. }) => {
                self.add(
                    "daemon",
                    Verdict::Fail,
                    error.to_string(),
                    "end that process and restart `wavemill watch`",
                );
            }
            Err(error) => self.add(
                "store",
                Verdict::Fail,
                error.to_string(),
                "use the version that created it, or move it aside and start with an empty state \
                folder",
            ),
        }
        None
    }

    fn confinement(&mut self, context: &Context, daemon: Option<&Status>) {
        let in_force = daemon.and_then(|daemon| daemon.confinement.clone());
        let in_force = in_force.unwrap_or_else(|| {
            if context.settings.confine { confinement_here() } else { Confinement::off() }
        });
        let help = match in_force.level {
            ConfinementLevel::Full => "",
            ConfinementLevel::Off => "remove `confine = false` from the configuration file",
            _ => "use Linux 5.13 or later with `landlock` in CONFIG_LSM or lsm=, and seccomp",
        };
        let is_full = in_force.level == ConfinementLevel::Full;
        let verdict = if is_full { Verdict::Ok } else { Verdict::Warn };
        self.add("confinement", verdict, in_force.to_string(), help);
    }

    fn state(&mut self, state: &Path) {
        let Some(there) = nearest(state) else { return };
        let place = shown(state);
        if let Err(error) = may_use_folder(there, true) {
            let found = format!("{place} cannot be written: {error}");
            self.add(
                "state",
                Verdict::Fail,
                found,
                "make the daemon's user its owner, or choose another folder with --state",
            );
            return;
        }
        let spool = state.join("spool");
        let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
        if is_on_network(there) {
            let help = "choose a local folder with --state: locks and syncs are not reliable on \
                network shares";
            self.add("state", Verdict::Warn, format!("{place} is on a network share"), help);
        } else if spool.exists() && device(&spool) != device(there) {
            let found = format!("{place}, with a spool on another file system");
            self.add("state", Verdict::Ok, found, "");
        } else {
            self.add("state", Verdict::Ok, place, "");
        }
    }

    fn watched(&mut self, folders: &[WatchedFolder]) {
        for folder in folders {
            self.watched_one(folder);
            if folder.is_contended.unwrap_or_else(|| mark(&folder.path, &folder.pipeline).is_none())
            {
                let place = shown(&folder.path);
                let found =
                    format!("{place} is also watched by a daemon with another state folder");
                let help = "files are processed twice: stop one daemon, or start both with the \
                    same --state";
                self.add("watched", Verdict::Warn, found, help);
            }
        }
    }

    fn root(&mut self, settings: &Settings) {
        if let Err(error) = settings.check_root() {
            self.add("root", Verdict::Fail, error.to_string(), "");
        }
    }

    fn watched_one(&mut self, folder: &WatchedFolder) {
        let place = shown(&folder.path);
        let Some(there) = nearest(&folder.path) else { return };
        let is_there = there == folder.path;
        if is_there && !there.is_dir() {
            self.add("watched", Verdict::Fail, format!("{place} is not a folder"), "use a folder");
        } else if let Err(error) = may_use_folder(there, !is_there) {
            let what = if is_there { "read" } else { "made" };
            let help = "give the daemon's user access to it";
            self.add("watched", Verdict::Fail, format!("{place} cannot be {what}: {error}"), help);
        } else if !is_there {
            let help = "check that its share or disk is mounted";
            self.add(
                "watched",
                Verdict::Warn,
                format!("{place} does not exist and will be created"),
                help,
            );
        } else if folder.is_emptied
            && let Err(error) = may_use_folder(there, true)
        {
            let help = "its sources will be moved or deleted: give the daemon's user write access";
            self.add("watched", Verdict::Fail, format!("{place} cannot be written: {error}"), help);
        } else if folder.is_emptied && is_sticky_of_another(there) {
            let found = format!(
                "{place} has the sticky bit: files of other users cannot be moved or deleted"
            );
            self.add(
                "watched",
                Verdict::Warn,
                found,
                "run chmod -t on it, or make the daemon's user its owner",
            );
        } else if is_on_network(there) {
            let found = format!(
                "{place} is on a network share: it is scanned every 10 s instead of relying on \
                events"
            );
            self.add("watched", Verdict::Ok, found, "");
        } else {
            self.add("watched", Verdict::Ok, place, "");
        }
    }

    fn outputs(&mut self, outputs: &BTreeSet<PathBuf>) {
        for folder in outputs {
            let place = shown(folder);
            let Some(there) = nearest(folder) else { continue };
            if !there.is_dir() {
                let found = format!("{} is not a folder", shown(there));
                self.add("output", Verdict::Fail, found, "use a folder");
            } else if let Err(error) = may_use_folder(there, true) {
                let found = format!("{} cannot be written: {error}", shown(there));
                self.add("output", Verdict::Fail, found, "give the daemon's user access to it");
            } else {
                self.add("output", Verdict::Ok, place, "");
            }
        }
    }

    /// One line for each file system.
    fn space(&mut self, folders: &Folders, settings: &Settings) {
        let watched = folders.watched.iter().map(|folder| folder.path.as_path());
        let places = [&*settings.state]
            .into_iter()
            .chain(folders.outputs.iter().map(PathBuf::as_path))
            .chain(watched);
        let mut seen = Vec::new();
        for place in places.filter_map(nearest) {
            let Ok(device) = fs::metadata(place).map(|found| found.dev()) else { continue };
            if seen.contains(&device) {
                continue;
            }
            seen.push(device);
            match space(place) {
                Ok(found) => self.add_space(place, found, settings.free_bytes_min),
                Err(error) => {
                    let found = format!("{}: {error}", shown(place));
                    self.add("space", Verdict::Warn, found, "");
                }
            }
        }
    }

    fn add_space(&mut self, place: &Path, found: Space, free_bytes_min: u64) {
        let Space { free_bytes, free_files, .. } = found;
        let (verdict, help) = verdict_on_space(free_bytes, free_files, free_bytes_min);
        let files = free_files.map(|count| format!(", room for {count} files")).unwrap_or_default();
        let found = format!("{} free{files} at {}", size(free_bytes), shown(place));
        self.add("space", verdict, found, help);
    }

    fn inotify(&mut self, folders: &[WatchedFolder]) {
        let Some(limits) = inotify_limits() else {
            let help = "folders are polled";
            self.add("inotify", Verdict::Warn, "not available on this system", help);
            return;
        };
        let count: u64 = folders.iter().map(|folder| count_folders(&folder.path)).sum();
        let roots = folders.len() as u64;
        let found = format!(
            "{count} of {} folders, {roots} of {} instances",
            limits.watches, limits.instances
        );
        let is_close = |need: u64, limit: u64| need.saturating_mul(2) > limit;
        if count > limits.watches || roots > limits.instances {
            let help = "folders above the limit are polled; raise fs.inotify.max_user_watches and \
                max_user_instances (sysctl)";
            self.add("inotify", Verdict::Warn, found, help);
        } else if is_close(count, limits.watches) || is_close(roots, limits.instances) {
            let help = "other programs of this user share the limit; raise \
                fs.inotify.max_user_watches and max_user_instances (sysctl)";
            self.add("inotify", Verdict::Warn, found, help);
        } else {
            self.add("inotify", Verdict::Ok, found, "");
        }
    }

    fn open_files(&mut self) {
        let help = "raise the limit (ulimit -n, LimitNOFILE= of systemd)";
        match open_files_max() {
            None => self.add("open files", Verdict::Ok, "no limit", ""),
            Some(most) => {
                let verdict = match most {
                    ..OPEN_FILES_MIN => Verdict::Fail,
                    OPEN_FILES_MIN..OPEN_FILES_LOW => Verdict::Warn,
                    OPEN_FILES_LOW.. => Verdict::Ok,
                };
                let help = if verdict == Verdict::Ok { "" } else { help };
                self.add("open files", verdict, format!("at most {most}"), help);
            }
        }
    }

    /// Dates go into names and the store; times of files are compared for equality only.
    fn clock(&mut self, state: &Path) {
        let program = std::env::current_exe().and_then(fs::metadata).and_then(|it| it.modified());
        let store = fs::metadata(Store::file_in(state)).and_then(|it| it.modified());
        let now = SystemTime::now();
        let is_before = |time: &SystemTime| *time > now + std::time::Duration::from_hours(24);
        if [program, store].iter().flatten().any(is_before) {
            let found = "it is days behind the date of this program or its store";
            self.add(
                "clock",
                Verdict::Fail,
                found,
                "set the clock; dates in file names and in the store are wrong",
            );
            return;
        }
        match is_clock_kept() {
            Some(true) => self.add("clock", Verdict::Ok, "synchronized", ""),
            Some(false) => {
                let help = "start a time service (systemd-timesyncd, chrony) if dates in file \
                    names matter";
                self.add("clock", Verdict::Warn, "not synchronized", help);
            }
            None => {
                self.add("clock", Verdict::Ok, "synchronization unknown on this system", "");
            }
        }
    }

    fn show(&self, context: &Context) -> Result<(), CliError> {
        if context.is_json() {
            let is_healthy = self.0.iter().all(|check| check.verdict != Verdict::Fail);
            return context.document(&json!({
                "version": JSON_VERSION,
                "is_healthy": is_healthy,
                "checks": self.0,
            }));
        }
        let mut table = Table::new(&[("", Align::Left); 3]);
        for check in &self.0 {
            let (word, tone) = match check.verdict {
                Verdict::Ok => ("ok", Tone::Good),
                Verdict::Warn => ("warn", Tone::Doubt),
                Verdict::Fail => ("fail", Tone::Bad),
            };
            let help = check.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            let text = format!("{}{help}", check.found);
            table.toned([
                (word.to_owned(), Some(tone)),
                (check.of.to_owned(), Some(Tone::Name)),
                (one_line(&text), None),
            ]);
        }
        context.lines(table.lines(context.report.paint()))
    }
}

/// What so much room means.
fn verdict_on_space(bytes: u64, files: Option<u64>, bytes_min: u64) -> (Verdict, &'static str) {
    let files = files.unwrap_or(u64::MAX);
    if bytes < bytes_min {
        (Verdict::Fail, "free some space, or lower `min_free_mib`: until then, jobs wait")
    } else if bytes < BYTES_MIN || files < FILES_MIN {
        (Verdict::Fail, "free some space: until then, jobs are retried or `watch` pauses")
    } else if bytes < BYTES_LOW.max(bytes_min.saturating_mul(2)) || files < FILES_LOW {
        (Verdict::Warn, "free some space soon")
    } else {
        (Verdict::Ok, "")
    }
}

/// The path itself, or what is there of it.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|path| path.exists())
}

/// Whether only its owner, and those of its files, may remove files from it, and that is not us.
fn is_sticky_of_another(folder: &Path) -> bool {
    let own = rustix::process::geteuid();
    fs::metadata(folder).is_ok_and(|found| {
        found.mode() & 0o1000 != 0 && !own.is_root() && found.uid() != own.as_raw()
    })
}

/// Folders at and below a path, links not followed.
fn count_folders(path: &Path) -> u64 {
    let mut count = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        count += 1;
        if count >= FOLDERS_MAX {
            break;
        }
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        folders.extend(entries.flatten().filter(is_folder).map(|entry| entry.path()));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_reported_before_none_is_left() {
        let verdict = |bytes, files| verdict_on_space(bytes, files, 0).0;
        assert_eq!(verdict(2 << 30, None), Verdict::Ok);
        assert_eq!(verdict(2 << 30, Some(1_000_000)), Verdict::Ok);
        assert_eq!(verdict(500 << 20, None), Verdict::Warn);
        assert_eq!(verdict(2 << 30, Some(5_000)), Verdict::Warn);
        assert_eq!(verdict(2 << 30, Some(0)), Verdict::Fail);
        assert_eq!(verdict(0, None), Verdict::Fail);
        // What jobs wait for counts too.
        assert_eq!(verdict_on_space(500 << 20, None, 512 << 20).0, Verdict::Fail);
        assert_eq!(verdict_on_space(600 << 20, None, 512 << 20).0, Verdict::Warn);
    }

    #[test]
    fn folders_are_counted_without_links() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink(top.path(), top.path().join("a/loop")).unwrap();
        assert_eq!(count_folders(top.path()), 3);
        assert_eq!(count_folders(&top.path().join("missing")), 0);
    }
}
