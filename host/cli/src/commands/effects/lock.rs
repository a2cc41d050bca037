//! `wavemill effects lock`: pins the modules that pipelines use.

use super::super::pipeline_files::{self, PipelineFile};
use super::super::{CliError, Context, Exit, Run};
use crate::report::{JSON_VERSION, counted, one_line, shown};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wavemill_pipelines::effects::{EffectStep, LOCK_FILE, Lock, Pin};
use wavemill_platform::replace_file;
use wavemill_store::cache::folder_of;

/// Pin the modules that pipelines use: writes their SHA-256 to `effects.lock`; other modules are refused
#[derive(Debug, clap::Args)]
pub(super) struct LockOf {
    /// Pipeline files or folders
    #[arg(required = true, value_name = "PIPELINE|DIR")]
    pipelines: Vec<PathBuf>,
}

/// What became of a lock file.
struct LockUpdate {
    path: PathBuf,
    lock: Lock,
    /// Effects that were not pinned before, or otherwise.
    changed: Vec<String>,
}

impl Run for LockOf {
    const NAME: &'static str = "lock";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        // The point is to write what the lock files do not say yet.
        let effects = context.effects.unlocked();
        let files = pipeline_files::load_all_with(&self.pipelines, context, &effects)?;
        let pins = pins_by_folder(&files)?;
        let written: Vec<_> = pins
            .into_iter()
            .map(|(folder, pins)| update(&folder, pins))
            .collect::<Result<_, _>>()?;
        if context.is_json() {
            let locks: Vec<_> = written.iter().map(object).collect();
            context.document(&json!({ "version": JSON_VERSION, "locks": locks }))?;
        } else if written.is_empty() {
            context.report.note("these pipelines use no effects; nothing to pin");
        } else {
            context.lines(written.iter().flat_map(lines))?;
        }
        Ok(Exit::Done)
    }
}

/// What each folder's pipelines use.
fn pins_by_folder(
    files: &[PipelineFile],
) -> Result<BTreeMap<PathBuf, BTreeMap<String, Pin>>, CliError> {
    let mut folders: BTreeMap<PathBuf, BTreeMap<String, Pin>> = BTreeMap::new();
    for file in files {
        let folder = folder_of(&file.path).map_err(|error| CliError::path(&file.path, error))?;
        for step in file.pipeline.iter().flat_map(|pipeline| &pipeline.steps) {
            let Some(effect) = step.effect() else { continue };
            folders.entry(folder.clone()).or_default().insert(effect.name.clone(), pin(effect));
        }
    }
    Ok(folders)
}

fn pin(effect: &EffectStep) -> Pin {
    let description = effect.module.description();
    Pin {
        sha256: effect.module.sha256().to_owned(),
        id: description.id.clone(),
        version: description.version.clone(),
    }
}

/// Writes a folder's lock file. Effects that only other pipelines of the folder use keep their pins.
fn update(folder: &Path, pins: BTreeMap<String, Pin>) -> Result<LockUpdate, CliError> {
    let path = folder.join(LOCK_FILE);
    let failed = |error: &dyn std::fmt::Display| {
        CliError::failed(format!("{}: {error}; delete the file to create it again", shown(folder)))
    };
    let found = Lock::read(folder).map_err(|error| failed(&error))?;
    let mut lock = found.clone().unwrap_or_default();
    let is_changed = |(name, pin): &(&String, &Pin)| lock.effects.get(*name) != Some(*pin);
    let changed: Vec<_> = pins.iter().filter(is_changed).map(|(name, _)| name.clone()).collect();
    lock.effects.extend(pins);
    if found.is_none() || !changed.is_empty() {
        replace_file(&path, lock.to_text().as_bytes())
            .map_err(|error| CliError::path(&path, error))?;
    }
    Ok(LockUpdate { path, lock, changed })
}

fn lines(written: &LockUpdate) -> Vec<String> {
    let count = counted(written.lock.effects.len(), "effect");
    let head = if written.changed.is_empty() {
        format!("{}: {count}, no changes", shown(&written.path))
    } else {
        format!("{}: {count}", shown(&written.path))
    };
    let changed = written.changed.iter().map(|name| {
        let pin = &written.lock.effects[name];
        format!("  {}  {} {}  sha256 {}", one_line(name), pin.id, pin.version, pin.sha256)
    });
    std::iter::once(head).chain(changed).collect()
}

fn object(written: &LockUpdate) -> Value {
    json!({
        "path": written.path.to_string_lossy(),
        "effects": written.lock.effects,
        "changed": written.changed,
    })
}
