//! Reads configuration and pipelines again while `watch` runs.

use super::pipeline_files::{self, PipelineFile};
use super::{CliError, Context, Settings};
use crate::report::{self, one_line};
use crossbeam_channel::{Receiver, Sender, after, select};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use wavemill_daemon::{PipelineSource, Reload};

/// Time between two looks at the files. A change counts once two looks in a row saw the same.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Watches the files that `watch` was started with.
pub(super) struct Reloader<'a> {
    /// What `watch` was started with.
    pub(super) context: &'a Context,
    /// Pipeline files and folders as typed.
    pub(super) arguments: &'a [PathBuf],
    /// Where it goes.
    pub(super) to: Sender<Result<Reload, String>>,
}

/// How files look: their names, sizes and times.
type Looks = Vec<(PathBuf, Option<(u64, SystemTime)>)>;

impl Reloader<'_> {
    /// Reads again when something changed or when `asked`, until `ended` is closed.
    pub(super) fn serve(&self, asked: &Receiver<()>, ended: &Receiver<()>) {
        let mut known = self.look();
        let mut seen = known.clone();
        let mut log = self.context.settings.log.clone();
        loop {
            let is_asked = select! {
                recv(ended) -> _ => return,
                recv(asked) -> _ => true,
                recv(after(LOOK_INTERVAL)) -> _ => false,
            };
            let now = self.look();
            let is_new = now != known && now == seen;
            seen.clone_from(&now);
            if is_asked || is_new {
                known = now;
                let _ = self.to.send(self.read(&mut log).map_err(|error| error.to_string()));
            }
        }
    }

    fn look(&self) -> Looks {
        let mut paths = pipeline_files::find(self.arguments).unwrap_or_default();
        paths.extend(self.context.config_file());
        let look = |path: PathBuf| {
            let metadata = fs::metadata(&path).ok();
            let looks = metadata.and_then(|found| Some((found.len(), found.modified().ok()?)));
            (path, looks)
        };
        paths.into_iter().map(look).collect()
    }

    /// Reads everything; mistakes are shown where they are.
    fn read(&self, log: &mut String) -> Result<Reload, CliError> {
        let context = self.context.again()?;
        let files = pipeline_files::load_all(self.arguments, &context)?;
        let settings = context.settings;
        for name in later(&self.context.settings, &settings) {
            let line = format!("`{name}` in the configuration file takes effect at the next start");
            self.context.report.warning(&line);
        }
        if settings.log != *log {
            report::set_log_level(&settings.log)
                .map_err(|reason| CliError::BadConfig { reason })?;
            log.clone_from(&settings.log);
        }
        Ok(Reload {
            pipelines: sources(&files),
            defaults: settings.defaults,
            free_bytes_min: settings.free_bytes_min,
            hooks: settings.hooks,
        })
    }
}

/// Pipelines as the daemon takes them.
pub(super) fn sources(files: &[PipelineFile]) -> Vec<PipelineSource> {
    let source =
        |file: &PipelineFile| PipelineSource { path: file.path.clone(), text: file.text.clone() };
    files.iter().map(source).collect()
}

/// Keys that differ and that a running daemon cannot change.
fn later(now: &Settings, next: &Settings) -> Vec<&'static str> {
    let differs = [
        ("state", now.state != next.state),
        ("root", now.root != next.root),
        ("output_dir", now.output_dir != next.output_dir),
        ("workers", now.workers != next.workers),
        ("confine", now.confine != next.confine),
        ("log_file", now.log_file != next.log_file),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// What is said of new pipelines; nothing where none is new, changed or gone.
pub(super) fn summary(begun: &[String], changed: &[String], ended: &[String]) -> String {
    let part = |names: &[String], what: &str| {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", one_line(name))).collect();
        (!names.is_empty()).then(|| format!("{} {what}", names.join(", ")))
    };
    let parts = [
        part(begun, "begins"),
        part(changed, "changed; running jobs finish with the old version"),
        part(ended, "is no longer watched"),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return "reloaded; no pipeline changed".to_owned();
    }
    format!("reloaded: {}", parts.join("; "))
}
