//! What users ask for: repeating jobs and processing known files again.

use super::records::{CurrentPlan, FileKey, FileRecord, JobRecord, SourceRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{JobQuery, Store, StoreError};
use crate::JobState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::identity;

impl Store {
    /// Makes new jobs that repeat finished ones with what their pipelines say now, all in one change. A job that waits
    /// for another attempt runs at once instead. One that cannot be repeated keeps no other from it: in its place stands
    /// why, [`StoreError::Lease`].
    ///
    /// # Errors
    /// When the store fails, or does not know one of the jobs; then nothing is repeated.
    pub fn retry_jobs(
        &self,
        ids: &[String],
    ) -> Result<Vec<Result<JobRecord, StoreError>>, StoreError> {
        let mut work = Vec::new();
        for id in ids {
            let job = self.job(id)?;
            let gone = MissingSources::of([Some(&job), self.latest_job(&job.file)?.as_ref()]);
            work.push((job.id, self.next_id(), gone));
        }
        if work.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            let mut busy = BusyMoved::default();
            let mut results = Vec::new();
            for (id, new_id, gone) in &work {
                results.push(match tx.retry(id, new_id, gone, &mut busy) {
                    Err(refused @ StoreError::Lease { .. }) => Err(refused),
                    made => Ok(made?),
                });
            }
            Ok(results)
        })
    }

    /// Repeats one job as [`Store::retry_jobs`] does.
    ///
    /// # Errors
    /// As [`Store::retry_jobs`], or when it cannot be repeated.
    pub fn retry_job(&self, id: &str) -> Result<JobRecord, StoreError> {
        self.retry_jobs(&[id.to_owned()])?.remove(0)
    }

    /// Ids of the failed and rejected jobs that no later job of the same file has replaced, oldest
    /// first.
    pub fn failed_jobs(&self, pipeline: Option<&str>) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        for state in [JobState::Failed, JobState::Rejected] {
            let query = JobQuery {
                state: Some(state),
                pipeline: pipeline.map(str::to_owned),
                ..JobQuery::default()
            };
            for job in self.jobs(&query)? {
                if self.latest_job(&job.file)?.is_some_and(|latest| latest.id == job.id) {
                    ids.push(job.id);
                }
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// The files that can be processed again: those in watched folders, and those whose last job moved
    /// them out of one or was submitted, as long as they are there. With `paths` only those which are, or
    /// were found, under one of these names; with `pipeline` only its own. Beside them the names that no
    /// file has.
    ///
    /// # Errors
    /// When the store fails.
    pub fn files_to_reprocess(
        &self,
        pipeline: Option<&str>,
        paths: &[PathBuf],
    ) -> Result<(Vec<FileKey>, Vec<PathBuf>), StoreError> {
        // Submitted files are known without links.
        let plain = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let names: Vec<_> = paths.iter().map(|path| [path.clone(), plain(path)]).collect();
        let wanted: HashSet<&Path> = names.iter().flatten().map(PathBuf::as_path).collect();
        let is_wanted = |path: &Path| paths.is_empty() || wanted.contains(path);
        let (mut found, mut known) = (HashSet::new(), HashSet::new());
        self.read()?.scan(tables::FILES, Scan::forward(&files_of(pipeline)), &mut |key, _| {
            if let Some(file) = FileKey::from_key(key)
                && is_wanted(&file.path())
            {
                known.insert(file.path());
                found.insert(file);
            }
            Ok(true)
        })?;
        let is_known =
            |known: &HashSet<_>, names: &[PathBuf]| names.iter().any(|it| known.contains(it));
        if paths.is_empty() || !names.iter().all(|names| is_known(&known, names)) {
            let elsewhere = jobs_with_source_elsewhere(&self.read()?, pipeline)?;
            // Nobody waits for the disk with the store open: a file system may hang.
            for (job, source) in elsewhere.into_iter().filter(|(job, at)| is_there(job, at)) {
                let path = job.file.path();
                if (is_wanted(&path) || is_wanted(&source)) && found.insert(job.file) {
                    known.extend([path, source]);
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_cached_key(FileKey::key);
        let missing = names.into_iter().filter(|names| !is_known(&known, names));
        Ok((found, missing.map(|[path, _]| path).collect()))
    }

    /// Makes new jobs for files, leaving out those whose job has not ended.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reprocess_files(&self, files: Vec<FileKey>) -> Result<Vec<JobRecord>, StoreError> {
        let mut work = Vec::new();
        for file in files {
            let gone = MissingSources::of([self.latest_job(&file)?.as_ref(), None]);
            work.push((file, self.next_id(), gone));
        }
        self.write(move |tx| {
            let (mut jobs, mut busy) = (Vec::new(), BusyMoved::default());
            for (file, id, gone) in &work {
                match tx.reprocess(file, id, gone, &mut busy) {
                    Err(StoreError::Lease { .. }) => {}
                    made => jobs.extend(made?),
                }
            }
            Ok(jobs)
        })
    }
}

/// Where sources of jobs were moved to and are not any more. Looked at before the change, which every other one waits
/// for: a file system may hang.
struct MissingSources(Vec<PathBuf>);

impl MissingSources {
    fn of(jobs: [Option<&JobRecord>; 2]) -> Self {
        let moved = jobs.into_iter().flatten().filter_map(moved_source);
        Self(moved.filter(|path| !path.exists()).map(Path::to_path_buf).collect())
    }
}

/// Moved files that jobs which have not ended read, with the id of one: the latest job of such a file may be that of a
/// newer one of its name. There may be many jobs, so they are read once, by the first that needs it.
#[derive(Default)]
struct BusyMoved(Option<HashMap<(FileKey, PathBuf), String>>);

impl BusyMoved {
    /// Enters a job that is about to be made, unless its moved file has one already, which is returned.
    fn enter(&mut self, tx: &Tx<'_>, job: &JobRecord) -> Result<Option<String>, StoreError> {
        if job.input == job.file.path() {
            return Ok(None);
        }
        let busy = match &mut self.0 {
            Some(busy) => busy,
            none => none.insert(busy_moved(tx)?),
        };
        let reads = (job.file.clone(), job.input.clone());
        let other = busy.get(&reads).cloned();
        busy.entry(reads).or_insert_with(|| job.id.clone());
        Ok(other)
    }
}

fn busy_moved(tx: &Tx<'_>) -> Result<HashMap<(FileKey, PathBuf), String>, StoreError> {
    let mut busy = HashMap::new();
    for state in JobState::ALL.into_iter().filter(|state| !state.is_final()) {
        tx.scan(tables::STATES, Scan::forward(&[state.code()]), &mut |key, _| {
            let job: Option<JobRecord> = tx.record(tables::JOBS, &key[1..])?;
            let moved = job.filter(|job| job.input != job.file.path());
            busy.extend(moved.map(|job| ((job.file, job.input), job.id)));
            Ok(true)
        })?;
    }
    Ok(busy)
}

impl Tx<'_> {
    fn retry(
        &self,
        id: &str,
        new_id: &str,
        gone: &MissingSources,
        busy: &mut BusyMoved,
    ) -> Result<JobRecord, StoreError> {
        let job = self.job(id)?;
        if job.state == JobState::Retry {
            let now = JobRecord { state: JobState::Ready, run_at_ms: 0, ..job.clone() };
            self.change_job(&job, &now)?;
            return Ok(now);
        }
        if !job.state.is_final() {
            let reason = format!("it is {}", job.state);
            return Err(StoreError::Lease { job: job.id, wanted: "repeated", reason });
        }
        if let Some(latest) = self.latest_job(&job.file)?.filter(|it| !it.state.is_final()) {
            return Err(under_way(&job, &latest));
        }
        self.repeat(&job, new_id, gone, busy)
    }

    fn repeat(
        &self,
        job: &JobRecord,
        id: &str,
        gone: &MissingSources,
        busy: &mut BusyMoved,
    ) -> Result<JobRecord, StoreError> {
        let known: Option<FileRecord> = self.record(tables::FILES, &job.file.key())?;
        let former = FileRecord {
            identity: job.identity,
            hash: job.hash.parse().ok(),
            incomplete: None,
            is_found_again: false,
        };
        // One that no longer exists was maybe moved by a later job.
        let later = self.latest_job(&job.file)?;
        let later = later.filter(|later| known.is_none() && later.hash == job.hash);
        let moved = [Some(job), later.as_ref()].into_iter().flatten().filter_map(moved_source);
        let mut moved = moved.filter(|path| gone.0.iter().all(|gone| gone != path));
        let moved_to = moved.next().map(Path::to_path_buf);
        // A moved source is the old content, whatever has its old name now.
        let known = known.filter(|_| moved_to.is_none()).unwrap_or(former);
        let plan = self.plan_for(job)?;
        let mut again = JobRecord::new(id.to_owned(), job.file.clone(), &known, &plan);
        again.input = moved_to.unwrap_or(again.input);
        again.retry_of = Some(job.id.clone());
        if job.is_submitted() {
            again.batch.clone_from(&job.batch);
            again.keeps_plan = job.keeps_plan;
            again.is_by_name = job.is_by_name;
            // Whatever it is by now: nobody watches it.
            again.hash.clear();
        }
        if let Some(other) = busy.enter(self, &again)? {
            return Err(under_way(job, &self.job(&other)?));
        }
        if job.is_submitted() {
            self.leave_batch(job)?;
        }
        self.insert_job(&again)?;
        Ok(again)
    }

    fn reprocess(
        &self,
        file: &FileKey,
        id: &str,
        gone: &MissingSources,
        busy: &mut BusyMoved,
    ) -> Result<Option<JobRecord>, StoreError> {
        let latest = self.latest_job(file)?;
        if latest.as_ref().is_some_and(|latest| !latest.state.is_final()) {
            return Ok(None);
        }
        let Some(known) = self.record::<FileRecord>(tables::FILES, &file.key())? else {
            let latest = latest.filter(|latest| source_elsewhere(latest).is_some());
            let Some(latest) = latest else { return Ok(None) };
            // What is processed again is by what its pipeline says today. One that was submitted as a text has no today.
            let has_today = !latest.is_submitted() || latest.is_by_name;
            let today = self.record::<CurrentPlan>(tables::CURRENT, file.pipeline.as_bytes())?;
            let today = today.filter(|_| has_today);
            let plan = today.map_or_else(|| latest.plan.clone(), |today| today.plan);
            return Ok(Some(self.repeat(&JobRecord { plan, ..latest }, id, gone, busy)?));
        };
        let plan = match (&latest, self.record(tables::CURRENT, file.pipeline.as_bytes())?) {
            (_, Some(plan)) => plan,
            (Some(latest), None) => self.plan_for(latest)?,
            (None, None) => return Ok(None),
        };
        let mut job = JobRecord::new(id.to_owned(), file.clone(), &known, &plan);
        job.retry_of = latest.map(|latest| latest.id);
        self.insert_job(&job)?;
        Ok(Some(job))
    }

    fn plan_for(&self, job: &JobRecord) -> Result<CurrentPlan, StoreError> {
        let current = if job.keeps_plan {
            None
        } else {
            self.record(tables::CURRENT, job.file.pipeline.as_bytes())?
        };
        Ok(current.unwrap_or_else(|| CurrentPlan {
            plan: job.plan.clone(),
            output_root: job.output_root.clone(),
            priority: job.priority,
        }))
    }
}

fn under_way(job: &JobRecord, other: &JobRecord) -> StoreError {
    let how = match other.state {
        JobState::Retry => "waits for another attempt".to_owned(),
        state => format!("is {state}"),
    };
    StoreError::Lease {
        job: job.id.clone(),
        wanted: "repeated",
        reason: format!("job {} of the same file {how}", other.id),
    }
}

/// Where the source of a finished job is, if it was moved.
fn moved_source(job: &JobRecord) -> Option<&Path> {
    match &job.source {
        SourceRecord::Moved { to } => Some(to),
        _ if job.input != job.file.path() => Some(&job.input),
        _ => None,
    }
}

/// Keys of the files of a pipeline, or of all, begin so.
fn files_of(pipeline: Option<&str>) -> Vec<u8> {
    pipeline.map_or_else(Vec::new, |name| tables::key(&[name.as_bytes(), b""]))
}

/// The last jobs of files that no watched folder reports, each with where its source should be. Of several that were
/// moved to the same place the one that ended last has its source there.
fn jobs_with_source_elsewhere(
    look: &impl ReadAccess,
    pipeline: Option<&str>,
) -> Result<Vec<(JobRecord, PathBuf)>, StoreError> {
    let mut found: BTreeMap<_, JobRecord> = BTreeMap::new();
    look.scan(tables::LATEST, Scan::forward(&files_of(pipeline)), &mut |_, id| {
        let Some(job) = look.record::<JobRecord>(tables::JOBS, id)? else { return Ok(true) };
        if let Some(source) = source_elsewhere(&job).map(Path::to_path_buf)
            && look.bytes(tables::FILES, &job.file.key())?.is_none()
        {
            let place = (source, job.file.pipeline.clone());
            let ended = |job: &JobRecord| job.finished_ms.unwrap_or(u64::MAX);
            if found.get(&place).is_none_or(|other| ended(other) <= ended(&job)) {
                found.insert(place, job);
            }
        }
        Ok(true)
    })?;
    Ok(found.into_iter().map(|((source, _), job)| (job, source)).collect())
}

/// Whether a source is there, and, unless it was submitted and may be edited where it is, as large as it was.
fn is_there(job: &JobRecord, source: &Path) -> bool {
    let found = identity(source).ok().flatten();
    found.is_some_and(|found| job.is_submitted() || found.size_bytes == job.identity.size_bytes)
}

/// Where the source of a finished job is, if no watched folder reports it.
pub(super) fn source_elsewhere(job: &JobRecord) -> Option<&Path> {
    // One that was canceled before it was ever processed is left alone, not one whose repeat was canceled.
    let is_wanted =
        job.is_submitted() && (job.state != JobState::Canceled || job.retry_of.is_some());
    let submitted = || Some(job.input.as_path()).filter(|_| is_wanted);
    moved_source(job).or_else(submitted)
}
