//! What a job's worker is left with.

use super::plans::Plan;
use super::shared::Shared;
use crate::groups::Pieces;
use crate::platform::{Domain, Place};
use crate::store::JobRecord;
use std::fs;
use std::path::{Path, PathBuf};
use wavemill_pipelines::effects::LOCK_FILE;
use wavemill_pipelines::execution::RunError;
use wavemill_pipelines::model::Step;
use wavemill_pipelines::publishing::{create_dirs, refusal};

/// Where systems keep time zones, which dates in names need. The first is what a variable may name.
const ZONES: [&str; 5] = [
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
    "/etc/localtime",
];

/// The domain of a job: its watched folder, or its file where that lies elsewhere, to read; the fixed
/// folders of its outputs, the spool and the caches to write. It is the same for all files of a watched
/// folder, so that a worker can do one after the other. Folders to write are made, because one that is
/// not there cannot be allowed.
///
/// # Errors
/// When a folder cannot be made for a reason that may pass: a worker that was started without it would be
/// refused it for good.
pub(super) fn of_job(shared: &Shared, job: &JobRecord, plan: &Plan) -> Result<Domain, RunError> {
    if !shared.workers.is_confined {
        return Ok(Domain::default());
    }
    let watched = shared.live.folder_of(&job.file.pipeline, &job.input);
    let mut reads = vec![watched.unwrap_or_else(|| job.input.clone())];
    reads.extend(std::env::var_os("TZDIR").map(PathBuf::from));
    reads.extend(ZONES.map(PathBuf::from));
    let pipeline = &plan.pipeline;
    let exports = pipeline.exports.iter().map(|export| &export.path);
    let mut outputs: Vec<_> = exports
        .chain(&pipeline.report)
        .map(|path| job.output_root.join(path.fixed_folder()))
        .collect();
    outputs.push(shared.spool.clone());
    let mut caches = Vec::new();
    if pipeline.has_effects() {
        let effects = pipeline.steps.iter().filter_map(Step::effect);
        let files = effects.filter(|effect| effect.is_file());
        reads.push(plan.folder.join(LOCK_FILE));
        reads.extend(files.map(|effect| plan.folder.join(&effect.name)));
        caches.push(shared.effect_cache.clone());
    }
    if pipeline.grouped_step().is_some() {
        // The other files of the group lie beside it.
        reads.push(job.file.path().parent().unwrap_or(&job.file.root).to_owned());
        caches.push(Pieces::of_state(&shared.state).folder().to_owned());
    }
    for folder in &outputs {
        made(folder, create_dirs(folder))?;
    }
    for folder in &caches {
        made(folder, make_private(folder))?;
    }
    Ok(Domain { reads: places(reads), outputs: places(outputs), caches: places(caches) })
}

/// What can never be made is told by the run that needs it.
fn made(folder: &Path, result: std::io::Result<()>) -> Result<(), RunError> {
    match result.map_err(|error| refusal(folder, &error)) {
        Err(error @ RunError::Transient { .. }) => Err(error),
        _ => Ok(()),
    }
}

fn places(mut paths: Vec<PathBuf>) -> Vec<Place> {
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().map(Place).collect()
}

/// Caches are for this user alone.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
