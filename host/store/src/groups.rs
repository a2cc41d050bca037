//! Files that get one gain together.

use super::contents::{Delivery, delivered};
use super::records::{FileKey, FileRecord, GroupMember, GroupRecord, JobRecord};
use super::requests::source_elsewhere;
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{Store, StoreError};
use crate::JobState;
use crate::cache::GroupMeasurements;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wavemill_pipelines::model::Grouping;

impl Store {
    /// The group of a job: the files that its folder holds when the first of them runs, of a submitted one those
    /// of its batch. All jobs of these files that have not ended get the same one, once and for all; a later job
    /// forms another.
    ///
    /// # Errors
    /// When the store fails.
    pub fn group_of(
        &self,
        job: &str,
        grouping: Grouping,
    ) -> Result<(String, GroupRecord), StoreError> {
        // Reading is free, a change is a commit. Files are looked at here too: a file system that hangs holds up
        // this job alone.
        if let Some(known) = group_that_is_known(&self.read()?, job)? {
            return Ok(known);
        }
        let found = self.job(job)?;
        let formed = Search { store: self, job: &found }.form(grouping)?;
        let new_id = self.next_id();
        self.write(move |tx| match group_that_is_known(tx, &found.id)? {
            Some(known) => Ok(known),
            None => tx.enter_group(&found.id, &formed, &new_id),
        })
    }

    /// Keeps what was measured of a group, unless it is known already; returns what holds.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_measured(
        &self,
        group: &str,
        measured: GroupMeasurements,
    ) -> Result<GroupMeasurements, StoreError> {
        let id = group.to_owned();
        self.write(move |tx| {
            let record = tx.known_group(&id)?;
            if let Some(known) = record.measured {
                return Ok(known);
            }
            let after = GroupRecord { measured: Some(measured.clone()), ..record };
            tx.put(tables::GROUPS, id.as_bytes(), &after)?;
            Ok(measured.clone())
        })
    }

    /// Leaves a file out of a group that is not measured yet.
    ///
    /// # Errors
    /// When the store fails.
    pub fn leave_out(&self, group: &str, member: usize, reason: &str) -> Result<(), StoreError> {
        let (id, reason) = (group.to_owned(), reason.to_owned());
        self.write(move |tx| {
            let mut record = tx.known_group(&id)?;
            if let Some(member) = record.members.get_mut(member) {
                member.left_out = Some(reason.clone());
            }
            tx.put(tables::GROUPS, id.as_bytes(), &record)
        })
    }
}

/// The group that a job has already, unless it is of another pipeline.
fn group_that_is_known(
    look: &impl ReadAccess,
    job: &str,
) -> Result<Option<(String, GroupRecord)>, StoreError> {
    let job: Option<JobRecord> = look.record(tables::JOBS, job.as_bytes())?;
    let Some((Some(group), plan)) = job.map(|job| (job.group, job.plan)) else { return Ok(None) };
    let record: Option<GroupRecord> = look.record(tables::GROUPS, group.as_bytes())?;
    Ok(record.filter(|record| record.plan == plan).map(|record| (group, record)))
}

impl Tx<'_> {
    /// Enters a job in the index of its group.
    pub(super) fn enter_group_of(&self, job: &JobRecord) -> Result<(), StoreError> {
        let Some(group) = &job.group else { return Ok(()) };
        self.put_bytes(tables::GROUP_JOBS, &group_job_key(group, &job.id), b"")
    }

    /// Takes a job out of its group, which is forgotten with the last one.
    pub(super) fn leave_group(&self, job: &JobRecord) -> Result<(), StoreError> {
        let Some(group) = &job.group else { return Ok(()) };
        self.remove(tables::GROUP_JOBS, &group_job_key(group, &job.id))?;
        if self.has_prefix(tables::GROUP_JOBS, &group_job_key(group, ""))? {
            return Ok(());
        }
        self.remove(tables::GROUPS, group.as_bytes())
    }

    /// Whether every job of a group has ended.
    pub(super) fn is_group_over(&self, group: &str) -> Result<bool, StoreError> {
        let prefix = group_job_key(group, "");
        let mut is_over = true;
        self.scan(tables::GROUP_JOBS, Scan::forward(&prefix), &mut |key, _| {
            let job: Option<JobRecord> = self.record(tables::JOBS, &key[prefix.len()..])?;
            is_over = job.is_none_or(|job| job.state.is_final());
            Ok(is_over)
        })?;
        Ok(is_over)
    }

    fn group(&self, id: &str) -> Result<Option<GroupRecord>, StoreError> {
        self.record(tables::GROUPS, id.as_bytes())
    }

    fn known_group(&self, id: &str) -> Result<GroupRecord, StoreError> {
        self.group(id)?.ok_or_else(|| StoreError::Missing { what: format!("group {id}") })
    }

    /// Keeps the group of a job. Other jobs get it if they have none and have not ended.
    fn enter_group(
        &self,
        job: &str,
        formed: &NewGroup,
        id: &str,
    ) -> Result<(String, GroupRecord), StoreError> {
        let takes = |job: &JobRecord| {
            self.change_job(job, &JobRecord { group: Some(id.to_owned()), ..job.clone() })
        };
        takes(&self.job(job)?)?;
        for other in &formed.others {
            let other: Option<JobRecord> = self.record(tables::JOBS, other.as_bytes())?;
            let is_free = |other: &JobRecord| other.group.is_none() && !other.state.is_final();
            other.filter(is_free).as_ref().map_or(Ok(()), takes)?;
        }
        self.put(tables::GROUPS, id.as_bytes(), &formed.record)?;
        Ok((id.to_owned(), formed.record.clone()))
    }
}

fn group_job_key(group: &str, job: &str) -> Vec<u8> {
    tables::key(&[group.as_bytes(), job.as_bytes()])
}

/// A group that no job has yet.
struct NewGroup {
    record: GroupRecord,
    /// Ids of the other jobs whose source is one of its files.
    others: Vec<String>,
}

/// Looks for the files that belong together with that of a job. Each look at the store is one of its own: one that is
/// held while a file system hangs would keep every page that changes meanwhile.
struct Search<'a> {
    store: &'a Store,
    job: &'a JobRecord,
}

impl Search<'_> {
    fn record<T: DeserializeOwned>(
        &self,
        table: tables::Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        self.store.read()?.record(table, key)
    }

    fn form(&self, grouping: Grouping) -> Result<NewGroup, StoreError> {
        let job = self.job;
        let others = match &job.batch {
            Some(batch) => self.submitted_with(batch, grouping)?,
            None => self.jobs_beside()?,
        };
        let mut members = match &job.batch {
            Some(_) => others.iter().map(|it| GroupMember::of(&it.input, &it.hash)).collect(),
            None if job.input == job.file.path() => self.in_folder(&others)?,
            None => self.moved_with(&others)?,
        };
        members.push(GroupMember::of(&job.input, &job.hash));
        members.sort_by(|a, b| a.path.cmp(&b.path));
        let paths: HashSet<&Path> = members.iter().map(|member| member.path.as_path()).collect();
        let theirs = others.iter().filter(|other| paths.contains(&*other.input));
        let others = theirs.map(|other| other.id.clone()).collect();
        let record = GroupRecord { plan: job.plan.clone(), members, measured: None };
        Ok(NewGroup { record, others })
    }

    /// The other files of the folder of a watched file, and those that were in one group with it before their jobs moved
    /// them out of there.
    fn in_folder(&self, others: &[JobRecord]) -> Result<Vec<GroupMember>, StoreError> {
        let mut members = Vec::new();
        // Also those whose job was forgotten.
        for (file, _) in self.files_beside()? {
            let hash = self.whole_file(&file)?;
            members.extend(hash.map(|hash| GroupMember::of(&file.path(), &hash)));
        }
        let there: HashSet<String> = members.iter().map(|member| member.hash.clone()).collect();
        for member in self.formerly_with(others)?.unwrap_or_default() {
            // One in a watched folder is where somebody put it.
            let is_moved = !self.is_watched(&member.path)?;
            if member.left_out.is_none() && is_moved && !there.contains(&member.hash) {
                members.push(member);
            }
        }
        Ok(members)
    }

    /// The files that were in one group with a file before they were moved; without a former group those that lie
    /// beside it now.
    fn moved_with(&self, others: &[JobRecord]) -> Result<Vec<GroupMember>, StoreError> {
        if let Some(members) = self.formerly_with(others)? {
            return Ok(members);
        }
        let mut members = Vec::new();
        for other in others {
            let beside = self.job.input.parent();
            let source = source_elsewhere(other).filter(|source| source.parent() == beside);
            let source = source.filter(|source| source.exists());
            members.extend(source.map(|source| GroupMember::of(source, &other.hash)));
        }
        Ok(members)
    }

    /// The other files of the group that a file had before, where they are now; those that are gone are left out.
    fn formerly_with(&self, others: &[JobRecord]) -> Result<Option<Vec<GroupMember>>, StoreError> {
        let Some(mut former) = self.former_group()? else { return Ok(None) };
        if let Some(own) = former.members.iter().position(|it| it.hash == self.job.hash) {
            former.members.remove(own);
        }
        for member in &mut former.members {
            let now = self.path_of(member, others)?;
            // Whatever kept it out of the former group may have passed.
            member.left_out = now.is_none().then(|| "no longer exists".to_owned());
            member.path = now.unwrap_or_else(|| member.path.clone());
        }
        Ok(Some(former.members))
    }

    /// The group of the last job of a file before this one that had one.
    fn former_group(&self) -> Result<Option<GroupRecord>, StoreError> {
        let mut former = self.job.retry_of.clone();
        while let Some(id) = former {
            let job: Option<JobRecord> = self.record(tables::JOBS, id.as_bytes())?;
            // Of another content, or of a batch, it was about other files.
            let is_of_this = |job: &JobRecord| job.hash == self.job.hash && !job.is_submitted();
            let Some(job) = job.filter(is_of_this) else { break };
            if let Some(group) = &job.group {
                return self.record(tables::GROUPS, group.as_bytes());
            }
            former = job.retry_of;
        }
        Ok(None)
    }

    /// Where the content of a file of a former group is now.
    fn path_of(
        &self,
        member: &GroupMember,
        others: &[JobRecord],
    ) -> Result<Option<PathBuf>, StoreError> {
        let pipeline = &self.job.file.pipeline;
        let delivered = delivered(&self.store.read()?, pipeline, &member.hash)?;
        let delivered: Option<JobRecord> = match delivered {
            Some(Delivery { job, .. }) => self.record(tables::JOBS, job.as_bytes())?,
            None => None,
        };
        let same = others.iter().filter(|other| other.hash == member.hash);
        for other in delivered.iter().chain(same) {
            if let Some(source) = source_elsewhere(other).filter(|source| source.exists()) {
                return Ok(Some(source.to_owned()));
            }
            if self.whole_file(&other.file)?.is_some_and(|hash| hash == member.hash) {
                return Ok(Some(other.file.path()));
            }
        }
        Ok(None)
    }

    /// The other jobs of a batch whose files belong to one of it. Files that were not read yet have no hash.
    fn submitted_with(
        &self,
        batch: &str,
        grouping: Grouping,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let job = self.job;
        let mut others = self.store.batch_jobs(batch)?;
        others.retain(|other| {
            other.id != job.id
                && other.state != JobState::Canceled
                && (grouping == Grouping::Batch || other.input.parent() == job.input.parent())
        });
        Ok(others)
    }

    /// Whether the watched folder of the job knows a file of this path.
    fn is_watched(&self, path: &Path) -> Result<bool, StoreError> {
        let Ok(relative) = path.strip_prefix(&self.job.file.root) else { return Ok(false) };
        let file = FileKey { relative: relative.to_owned(), ..self.job.file.clone() };
        Ok(self.store.read()?.bytes(tables::FILES, &file.key())?.is_some())
    }

    /// Content of a file that is known in a watched folder and whole.
    fn whole_file(&self, file: &FileKey) -> Result<Option<String>, StoreError> {
        let known: Option<FileRecord> = self.record(tables::FILES, &file.key())?;
        let known = known.filter(|known| known.incomplete.is_none() && known.hash.is_some());
        Ok(known.map(|known| known.hash_text()))
    }

    /// The latest jobs of [`Self::files_beside`], as far as they are remembered.
    fn jobs_beside(&self) -> Result<Vec<JobRecord>, StoreError> {
        let files = self.files_beside()?;
        let look = self.store.read()?;
        let jobs = files.iter().map(|(_, id)| look.record::<JobRecord>(tables::JOBS, id));
        Ok(jobs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The other files that ever were in the folder of a job's file, each with the id of its latest job. Our own outputs
    /// have none.
    fn files_beside(&self) -> Result<Vec<(FileKey, Vec<u8>)>, StoreError> {
        let job = self.job;
        let folder = job.file.reldir();
        let name_at = FileKey { relative: PathBuf::new(), ..job.file.clone() }.key();
        let mut found = Vec::new();
        self.store.read()?.scan(tables::LATEST, Scan::forward(&name_at), &mut |key, id| {
            let relative = Path::new(OsStr::from_bytes(&key[name_at.len()..]));
            if relative.parent() == Some(folder) && relative != job.file.relative {
                let file = FileKey { relative: relative.to_owned(), ..job.file.clone() };
                found.push((file, id.to_vec()));
            }
            Ok(true)
        })?;
        Ok(found)
    }
}

impl GroupMember {
    fn of(path: &Path, hash: &str) -> Self {
        Self { path: path.to_owned(), hash: hash.to_owned(), left_out: None }
    }
}
