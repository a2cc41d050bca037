//! What a job's worker is left with.

use super::plans::Plan;
use super::shared::Shared;
use std::path::{Path, PathBuf};
use wavemill_pipelines::effects::LOCK_FILE;
use wavemill_pipelines::execution::RunError;
use wavemill_pipelines::model::Step;
use wavemill_pipelines::publishing::{create_dirs, refusal};
use wavemill_platform::{Domain, Place, zones};
use wavemill_store::cache::Pieces;
use wavemill_store::cache::make_private;

/// The domain of a job: the time zones of the system, the modules of effects, their presets and compiled code to
/// read, the spool and what was measured of groups to write. The job's own files are not among them: the daemon hands them
/// over, open. Folders are made, because one that is not there cannot be allowed.
///
/// # Errors
/// When a folder cannot be made for a reason that may pass: a worker that was started without it would be
/// refused it for good.
pub(super) fn of_job(shared: &Shared, plan: &Plan) -> Result<Domain, RunError> {
    if !shared.workers.is_confined {
        return Ok(Domain::default());
    }
    let mut reads: Vec<_> = zones().map(|place| place.0).collect();
    let pipeline = &plan.pipeline;
    let scratch = vec![shared.spool.clone()];
    let mut trees = Vec::new();
    if pipeline.has_effects() {
        reads.push(plan.folder.join(LOCK_FILE));
        for effect in pipeline.steps.iter().filter_map(Step::effect) {
            let module = effect.is_file().then_some(effect.name.as_str());
            let files = module.into_iter().chain(effect.preset_file());
            reads.extend(files.map(|file| plan.folder.join(file)));
        }
        made(&shared.effect_cache, make_private(&shared.effect_cache))?;
        reads.push(shared.effect_cache.clone());
    }
    if pipeline.grouped_step().is_some() {
        trees.push(Pieces::of_state(&shared.state).folder().to_owned());
    }
    for folder in &scratch {
        made(folder, create_dirs(folder))?;
    }
    for folder in &trees {
        made(folder, make_private(folder))?;
    }
    Ok(Domain {
        reads: places(reads),
        scratch: places(scratch),
        trees: places(trees),
        parents: Vec::new(),
    })
}

/// What can never be made is reported by the run that needs it.
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
