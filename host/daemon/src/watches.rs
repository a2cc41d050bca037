//! The watched folders of a daemon: what they report, and whether they have come to rest.

use super::event::{DaemonEvent, StartedWatch};
use super::plans::Plan;
use super::settings::DaemonError;
use super::shared::Shared;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_api::types::{RefusedView, WatchState, WatchView};
use wavemill_core::decode::Damaged;
use wavemill_pipelines::model::{SourceAction, Watch};
use wavemill_pipelines::publishing::create_dirs;
use wavemill_platform::{Mark, mark};
use wavemill_store::{Clock, rfc3339};
use wavemill_store::{CurrentPlan, IntakeContext, IntakeResult, StoreError};
use wavemill_watch::{Change, ChangeSender, WatchHandle, WatchSpec, WatchStart, share_files};

/// A watched folder.
#[derive(Debug)]
pub(super) struct ActiveWatch {
    context: Arc<IntakeContext>,
    spec: WatchSpec,
    /// Whether its files are moved or deleted in the end.
    is_emptied: bool,
    handle: Option<WatchHandle>,
    /// Lets other daemons know; `None` where one of them was first.
    mark: Option<Arc<Mark>>,
    is_at_rest: bool,
    is_offline: bool,
}

impl ActiveWatch {
    /// The watches of a pipeline.
    pub(super) fn of_plan(
        plan: &Plan,
        root: &Path,
        output_root: &Path,
    ) -> Result<Vec<Self>, DaemonError> {
        plan.pipeline
            .watches
            .iter()
            .map(|watch| Self::new(plan, watch, root, output_root))
            .collect()
    }

    fn new(
        plan: &Plan,
        watch: &Watch,
        root: &Path,
        output_root: &Path,
    ) -> Result<Self, DaemonError> {
        let pipeline = &plan.pipeline;
        let folder = normalize(&root.join(&watch.path));
        let spec = WatchSpec {
            pipeline: pipeline.name.clone(),
            excluded: excluded(plan, &folder, root, output_root)?,
            root: folder.clone(),
            include: watch.include.clone(),
            ignore: watch.ignore.clone(),
            mode: watch.mode,
            rescan: watch.rescan,
            stable_for: watch.stable_for,
            marker: watch.marker.clone(),
            takes_incomplete: pipeline.damaged == Damaged::Repair,
        };
        let context = IntakeContext {
            pipeline: pipeline.name.clone(),
            root: folder,
            plan: CurrentPlan {
                plan: pipeline.hash.clone(),
                output_root: output_root.to_path_buf(),
                priority: pipeline.priority,
            },
            duplicates: watch.duplicates,
        };
        let context = Arc::new(context);
        let is_emptied = !pipeline.source.keeps_all();
        Ok(Self {
            context,
            spec,
            is_emptied,
            handle: None,
            mark: None,
            is_at_rest: false,
            is_offline: false,
        })
    }

    /// Starts to watch, with what the store knows.
    pub(super) fn start(
        &mut self,
        shared: &Shared,
        index: usize,
        changes: ChangeSender,
    ) -> Result<(), DaemonError> {
        let root = &self.spec.root;
        let fail = |reason: String| DaemonError::Start { reason };
        let fail_io =
            |error: std::io::Error| fail(format!("watched folder {}: {error}", root.display()));
        let mut start = WatchStart::new(self.spec.clone()).map_err(fail_io)?;
        shared
            .store
            .visit_known_files(&self.spec.pipeline, root, &mut |file| start.remember(&file))
            .map_err(|error| fail(error.to_string()))?;
        // A folder that had files is away now, as one on a share: an empty one in its place would
        // count all of them as deleted. The watcher waits for it.
        if start.remembers_nothing()
            && let Err(error) = create_dirs(root)
        {
            tracing::warn!(path = %root.display(), %error, "Watched folder cannot be created.");
        }
        self.mark = mark(root, &self.spec.pipeline);
        if self.mark.is_none() {
            tracing::warn!(
                path = %root.display(),
                pipeline = %self.spec.pipeline,
                "Another daemon with another state folder watches this folder with a pipeline of \
                this name, so files are processed twice. Stop one of them, or start both with the \
                same --state."
            );
            shared.live.update_watch(index, |view| view.is_contended = true);
        }
        self.handle = Some(start.spawn(index, changes).map_err(fail_io)?);
        Ok(())
    }

    /// Whether two watches take the same files, and one takes them away: the other fails where it was slower.
    fn contends_with(&self, other: &Self) -> bool {
        (self.is_emptied || other.is_emptied) && share_files(&self.spec, &other.spec)
    }

    /// What is shown of it.
    pub(super) fn view(&self) -> WatchView {
        WatchView {
            pipeline: self.spec.pipeline.clone(),
            path: self.spec.root.display().to_string(),
            is_emptied: self.is_emptied,
            is_contended: false,
            state: WatchState::Starting,
            reason: None,
            files: 0,
            last_scan: None,
            incomplete: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// What is reported of it at the start.
    pub(super) fn started(&self) -> StartedWatch {
        StartedWatch { pipeline: self.spec.pipeline.clone(), path: self.spec.root.clone() }
    }

    /// Whether it watches the same folder in the same way, so that it can go on as the other.
    pub(super) fn watches_as(&self, other: &Self) -> bool {
        self.spec == other.spec
    }

    /// Goes on in place `index`; new jobs are made as `other` says.
    pub(super) fn go_on_as(&mut self, other: Self, shared: &Shared, index: usize) {
        self.context = other.context;
        self.is_emptied = other.is_emptied;
        shared.live.update_watch(index, |view| view.is_emptied = other.is_emptied);
    }

    /// Its pipeline.
    pub(super) fn pipeline(&self) -> &str {
        &self.spec.pipeline
    }

    /// Whether nothing in it is about to become a job.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_at_rest || self.is_offline
    }

    /// Records changes, makes jobs of them and reports what happened.
    pub(super) fn take(
        &mut self,
        shared: &Shared,
        index: usize,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        for change in &changes {
            self.note(shared, index, change);
        }
        let incomplete: Vec<_> =
            changes.iter().filter_map(|change| self.incomplete(change)).collect();
        for taken in shared.store.intake(&self.context, changes)? {
            match taken {
                IntakeResult::Queued(job) => {
                    tracing::debug!(job = %job.id, input = %job.input.display(), "Job waits.");
                }
                IntakeResult::Skipped(job) => shared.emit_skipped(&job),
                IntakeResult::Canceled(job) => shared.emit_canceled(&job),
            }
        }
        // Hooks are woken by it, so it comes after the jobs they are about.
        for event in incomplete {
            shared.emit(event);
        }
        Ok(())
    }

    fn incomplete(&self, change: &Change) -> Option<DaemonEvent> {
        let Change::Incomplete { relative, reason } = change else { return None };
        let (pipeline, path) = (self.spec.pipeline.clone(), self.spec.root.join(relative));
        Some(DaemonEvent::FileIncomplete { pipeline, path, reason: reason.clone() })
    }

    fn note(&mut self, shared: &Shared, index: usize, change: &Change) {
        let pipeline = self.spec.pipeline.clone();
        let root = self.spec.root.clone();
        match change {
            Change::Settled(file) | Change::Touched(file) => {
                drop(self.forget(shared, index, &file.relative));
            }
            Change::Vanished { relative } => drop(self.forget(shared, index, relative)),
            Change::Incomplete { relative, reason } => {
                let shown = self.forget(shared, index, relative).display().to_string();
                let reason = reason.clone();
                shared.live.update_watch(index, |view| {
                    view.incomplete.insert(shown, reason.clone());
                });
            }
            Change::Refused { relative, refusal, reason } => {
                let path = self.forget(shared, index, relative);
                let (shown, refusal, reason) =
                    (path.display().to_string(), *refusal, reason.clone());
                shared.live.update_watch(index, |view| {
                    view.refused.insert(shown, RefusedView { refusal, reason: reason.clone() });
                });
                shared.emit(DaemonEvent::FileRefused { pipeline, path, refusal, reason });
            }
            Change::RootOffline { reason } => {
                self.is_offline = true;
                shared.live.update_watch(index, |view| {
                    view.state = WatchState::Offline;
                    view.reason = Some(reason.clone());
                });
                let reason = reason.clone();
                shared.emit(DaemonEvent::RootOffline { pipeline, path: root, reason });
            }
            Change::RootOnline => {
                self.is_offline = false;
                // What lies in it now is not known before its walk has ended.
                self.is_at_rest = false;
                shared.live.update_watch(index, |view| {
                    view.state = WatchState::Online;
                    view.reason = None;
                });
                shared.emit(DaemonEvent::RootOnline { pipeline, path: root });
            }
            Change::ScanDone { files, settling, .. } => {
                self.is_at_rest &= *settling == 0;
                let files = *files as u64;
                shared.live.update_watch(index, |view| {
                    view.state = WatchState::Online;
                    view.files = files;
                    view.last_scan = Some(rfc3339(Clock::now_ms()));
                });
                shared.emit(DaemonEvent::ScanDone { pipeline, path: root, files });
            }
            Change::Idle { files } => {
                self.is_at_rest = true;
                let files = *files as u64;
                shared.live.update_watch(index, |view| view.files = files);
            }
            Change::Busy => self.is_at_rest = false,
        }
    }

    /// Forgets what was reported of a file or folder; returns its path.
    fn forget(&self, shared: &Shared, index: usize, relative: &Path) -> PathBuf {
        let path = self.spec.root.join(relative);
        let shown = path.display().to_string();
        shared.live.update_watch(index, |view| {
            view.incomplete.remove(&shown);
            view.refused.remove(&shown);
        });
        path
    }
}

/// Warns of watches that take files away from each other.
pub(super) fn warn_of_contention<'a>(watches: impl IntoIterator<Item = &'a ActiveWatch>) {
    let watches: Vec<_> = watches.into_iter().collect();
    for (index, first) in watches.iter().enumerate() {
        for second in watches[index + 1..].iter().filter(|second| first.contends_with(second)) {
            tracing::warn!(
                first = %first.spec.pipeline,
                second = %second.spec.pipeline,
                path = %first.spec.root.display(),
                "Two watched folders contain the same files, and one of the pipelines moves or \
                deletes them."
            );
        }
    }
}

/// Folders below a watched one that are never taken: this pipeline's own outputs, and the folders it
/// moves sources to.
fn excluded(
    plan: &Plan,
    folder: &Path,
    root: &Path,
    output_root: &Path,
) -> Result<Vec<PathBuf>, DaemonError> {
    let pipeline = &plan.pipeline;
    let outputs = pipeline.output_paths().map(|path| output_root.join(path.fixed_folder()));
    let moves = [&pipeline.source.on_success, &pipeline.source.on_failure];
    let moves = moves.into_iter().filter_map(|action| match action {
        SourceAction::Move(template) => Some(root.join(template.fixed_part_of_folder())),
        _ => None,
    });
    let mut excluded = Vec::new();
    for path in outputs.chain(moves).map(|path| normalize(&path)) {
        if path == folder {
            let reason = format!(
                "pipeline `{}` would write files into {}, which it watches; choose another folder",
                pipeline.name,
                folder.display()
            );
            return Err(DaemonError::Conflict { reason });
        }
        if path.starts_with(folder) {
            excluded.push(path);
        }
    }
    Ok(excluded)
}

/// Without `.` and `..`, so that paths can be compared. Links are not followed: the folder may not
/// exist yet.
fn normalize(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}
