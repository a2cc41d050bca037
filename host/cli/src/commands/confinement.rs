//! What commands give up before they decode files of others in the process of their user.

use super::how::RunOptions;
use super::paths::absolute;
use super::{CliError, Context};
use crate::analysis::{Cache, STREAM_NAME};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::Job;
use wavemill_pipelines::publishing::create_dirs;
use wavemill_platform::{Domain, Place, Purpose, confine, zones};
use wavemill_store::Clock;
use wavemill_store::cache::Pieces;

/// Leaves this process with a domain, where the system has the means and nobody turned it off.
///
/// # Errors
/// When the disk fails.
fn enter(context: &Context, domain: &Domain) -> Result<(), CliError> {
    if !context.settings.confine {
        return Ok(());
    }
    let confinement =
        confine(domain, Purpose::Command).map_err(|error| CliError::failed(error.to_string()))?;
    tracing::debug!(%confinement, "Process confined.");
    Ok(())
}

/// Before files are measured: they are read, results of before are kept in `cache`, what comes as a stream waits in
/// `spool`, and files may be written to `outputs`.
///
/// # Errors
/// As [`enter`].
pub(super) fn before_analysis<'p>(
    context: &Context,
    files: impl Iterator<Item = &'p Path>,
    cache: Option<&Cache>,
    spool: Option<&Path>,
    outputs: &[&Path],
) -> Result<(), CliError> {
    let trees = spool.into_iter().chain(cache.map(Cache::folder));
    let domain = Domain {
        reads: places(files),
        trees: made(trees.map(Path::to_path_buf)),
        scratch: outputs.iter().map(|output| folder_of(output)).collect(),
        ..Domain::default()
    };
    enter(context, &domain)
}

/// Before files are mixed to `output`.
///
/// # Errors
/// As [`enter`].
pub(super) fn before_mixing(
    context: &Context,
    files: &[&Path],
    output: &Path,
) -> Result<(), CliError> {
    let (reads, scratch) = (places(files.iter().copied()), vec![folder_of(output)]);
    enter(context, &Domain { reads, scratch, ..Domain::default() })
}

/// Before a picture or data are made of a file, and written to `output`; without one nothing is written.
///
/// # Errors
/// As [`enter`].
pub(super) fn before_rendering(
    context: &Context,
    file: &Path,
    output: Option<&Path>,
) -> Result<(), CliError> {
    let reads = places(std::iter::once(file));
    let scratch = output.map(folder_of).into_iter().collect();
    enter(context, &Domain { reads, scratch, ..Domain::default() })
}

/// Where an output goes.
fn folder_of(output: &Path) -> Place {
    let parent = output.parent().filter(|parent| *parent != Path::new(""));
    Place(parent.unwrap_or(Path::new(".")).to_owned())
}

/// What distinguishes a folder from another that gets its name.
type Inode = (u64, u64);

/// The folders that a run was given to write, made if they were missing: what is not there cannot be allowed.
/// Dropping this removes those that stayed empty.
#[derive(Debug, Default)]
pub(super) struct OutputFolders {
    /// Those that were missing, the outermost first, each as it was made.
    made: Vec<(PathBuf, Inode)>,
    all: Vec<PathBuf>,
}

impl OutputFolders {
    /// Those of a pipeline.
    fn of(pipeline: &Pipeline, output_root: &Path) -> Self {
        let mut folders = Self::default();
        pipeline.output_folders(output_root).into_iter().for_each(|folder| folders.add(folder));
        folders
    }

    fn add(&mut self, folder: PathBuf) {
        let missing: Vec<_> =
            folder.ancestors().take_while(|above| fs::symlink_metadata(above).is_err()).collect();
        let missing: Vec<_> = missing.into_iter().rev().map(Path::to_path_buf).collect();
        // What cannot be made is reported by the run that needs it.
        let _ = create_dirs(&folder);
        let made = missing.into_iter().filter_map(|folder| inode(&folder).map(|it| (folder, it)));
        self.made.extend(made);
        // A file in its place must not become one that may be written.
        if folder.is_dir() {
            self.all.push(folder);
        }
    }

    /// Where those are that may be removed.
    fn parents(&self) -> impl Iterator<Item = &Path> {
        self.made.iter().filter_map(|(folder, _)| folder.parent())
    }
}

impl Drop for OutputFolders {
    fn drop(&mut self) {
        for (folder, made) in self.made.iter().rev() {
            if inode(folder) == Some(*made) {
                // Fails for those that something was written to.
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

fn inode(path: &Path) -> Option<Inode> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Before a pipeline is run over files, or what would come out is measured: `files` are read, and only below the
/// fixed folders of its outputs, in the spool and in caches something is written.
///
/// # Errors
/// As [`enter`].
pub(super) fn before_run(
    context: &Context,
    pipeline: &Pipeline,
    files: &[PathBuf],
    output_root: &Path,
    (spool, how): (&Path, &RunOptions),
) -> Result<OutputFolders, CliError> {
    if !context.settings.confine {
        return Ok(OutputFolders::default());
    }
    let outputs = if how.is_dry {
        OutputFolders::default()
    } else {
        OutputFolders::of(pipeline, output_root)
    };
    let mut trees = vec![spool.to_owned()];
    if pipeline.grouped_step().is_some() {
        trees.push(Pieces::of_state(&context.settings.state).folder().to_owned());
    }
    trees.extend(how.memory.iter().map(|outputs| outputs.folder().to_owned()));
    let mut trees = made(trees.into_iter());
    trees.extend(places(outputs.all.iter().map(PathBuf::as_path)));
    let mut reads = places(files.iter().map(PathBuf::as_path));
    reads.extend(places(companions(pipeline, files).iter().map(PathBuf::as_path)));
    reads.extend(zones());
    if how.is_dry {
        // What has the names of outputs is compared with what is remembered of it.
        let outputs = pipeline.output_folders(output_root);
        reads.extend(outputs.into_iter().filter(|folder| folder.is_dir()).map(Place));
    }
    let domain = Domain { reads, trees, parents: places(outputs.parents()), ..Domain::default() };
    enter(context, &domain)?;
    Ok(outputs)
}

/// The files besides `files` that a pipeline reads for them; for standard input those of a file of that name.
fn companions(pipeline: &Pipeline, files: &[PathBuf]) -> Vec<PathBuf> {
    let stream = [PathBuf::from(STREAM_NAME)];
    let files = if files.is_empty() { &stream[..] } else { files };
    let job = |file: &PathBuf| Job {
        id: String::new(),
        attempt: 1,
        input: absolute(file).unwrap_or_else(|_| file.clone()),
        name: PathBuf::new(),
        reldir: PathBuf::new(),
        created: Clock::now_zoned(),
        hash: String::new(),
        group: None,
    };
    files.iter().flat_map(|file| pipeline.companion_paths(&job(file))).collect()
}

fn places<'p>(paths: impl Iterator<Item = &'p Path>) -> Vec<Place> {
    paths.map(|path| Place(path.to_owned())).collect()
}

/// Private folders of the state, made: where that fails, whoever needs them says so.
fn made(folders: impl Iterator<Item = PathBuf>) -> Vec<Place> {
    folders
        .map(|folder| {
            let _ = wavemill_store::cache::make_private(&folder);
            Place(folder)
        })
        .collect()
}
