//! The jobs of files that get one gain together.

use super::Context;
use super::paths::absolute;
use super::progress::Bars;
use crate::report::{counted, shown};
use std::fs;
use std::path::{Path, PathBuf};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{Job, Places, RunError};
use wavemill_pipelines::model::Grouping;
use wavemill_pipelines::publishing::hash_file;
use wavemill_store::cache::{Candidate, GroupMeasurements, Pieces};
use wavemill_store::{Clock, JobIds};

/// The bar of a group.
const GROUP: &str = "group";

/// The job of a file, or why it cannot have one.
pub(super) fn job_of(path: &Path, ids: &JobIds) -> Result<Job, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    Ok(Job {
        id: ids.next(),
        attempt: 1,
        input: absolute(path).map_err(|error| error.to_string())?,
        name: PathBuf::new(),
        reldir: PathBuf::new(),
        created: Clock::now_zoned(),
        hash: hash_file(path).map_err(unreadable)?,
        group: None,
    })
}

/// The jobs of all files, each with its group, or why a file has none; empty where the pipeline treats
/// every file by itself, or when it was canceled.
pub(super) fn grouped_jobs(
    context: &Context,
    pipeline: &Pipeline,
    files: &[PathBuf],
    places: &Places<'_>,
    ids: &JobIds,
) -> Vec<Result<Job, String>> {
    let Some((_, grouping)) = pipeline.grouped_step() else { return Vec::new() };
    let pieces = Pieces::of_state(&context.settings.state);
    let mut jobs: Vec<_> = files.iter().map(|file| job_of(file, ids)).collect();
    for members in groups_of(grouping, files) {
        let count = members.len();
        if context.report.shows_progress() {
            let files = counted(count, "file");
            context.report.note(&format!("measuring {files} for one gain"));
        }
        let mut bars = Bars::new(context);
        bars.begin(GROUP, "");
        let mut progress = |file: usize, share: f64| {
            let name = files[members[file]].file_name().map(Path::new).map(shown);
            bars.rename(GROUP, &format!("{} of {count}: {}", file + 1, name.unwrap_or_default()));
            bars.set(GROUP, share);
        };
        let candidate = |&index: &usize| {
            let job = &jobs[index];
            Candidate { name: shown(&files[index]), job: Box::new(|| job.clone()) }
        };
        let candidates: Vec<_> = members.iter().map(candidate).collect();
        let measured =
            GroupMeasurements::measure(&pieces, pipeline, &candidates, places, &mut progress);
        drop(candidates);
        bars.end(GROUP);
        match measured {
            Ok(group) => {
                for &index in &members {
                    if let Ok(job) = &mut jobs[index] {
                        job.group = Some(group.of_file(&job.hash));
                    }
                }
            }
            Err(RunError::Canceled) => return Vec::new(),
            Err(error) => {
                for &index in &members {
                    jobs[index] = Err(format!("its group could not be measured: {error}"));
                }
            }
        }
    }
    jobs
}

/// Which files belong together, by their places in the list.
fn groups_of(grouping: Grouping, files: &[PathBuf]) -> Vec<Vec<usize>> {
    let folder = |file: &PathBuf| {
        let file = absolute(file).unwrap_or_else(|_| file.clone());
        file.parent().map(Path::to_path_buf)
    };
    let mut groups: Vec<(Option<PathBuf>, Vec<usize>)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let key = if grouping == Grouping::Folder { folder(file) } else { None };
        match groups.iter_mut().find(|(of, _)| *of == key) {
            Some((_, members)) => members.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_takes_files_of_one_folder_together_and_batch_all() {
        let files = ["a/1.wav", "b/1.wav", "./a/2.wav"].map(PathBuf::from);
        assert_eq!(groups_of(Grouping::Folder, &files), [vec![0, 2], vec![1]]);
        assert_eq!(groups_of(Grouping::Batch, &files), [vec![0, 1, 2]]);
        assert!(groups_of(Grouping::Batch, &[]).is_empty());
    }
}
