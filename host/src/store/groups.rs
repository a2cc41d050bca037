//! Files that get one gain together.

use super::records::{FileKey, FileRecord, GroupMember, GroupRecord, JobRecord};
use super::requests::source_elsewhere;
use super::tables::{self, Look, Scan, Tx};
use super::{Store, StoreError, batches};
use crate::groups::Group;
use crate::jobs::JobState;
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
        let (id, new_id) = (job.to_owned(), self.next_id());
        self.write(move |tx| {
            let job = tx.job(&id)?;
            if let Some(group) = &job.group
                && let Some(record) = tx.group(group)?.filter(|record| record.plan == job.plan)
            {
                return Ok((group.clone(), record));
            }
            tx.form_group(&job, grouping, &new_id)
        })
    }

    /// Keeps what was measured of a group, unless it is known already; returns what holds.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_measured(&self, group: &str, measured: Group) -> Result<Group, StoreError> {
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

impl Tx<'_> {
    fn group(&self, id: &str) -> Result<Option<GroupRecord>, StoreError> {
        self.record(tables::GROUPS, id.as_bytes())
    }

    fn known_group(&self, id: &str) -> Result<GroupRecord, StoreError> {
        self.group(id)?.ok_or_else(|| StoreError::Missing { what: format!("group {id}") })
    }

    fn form_group(
        &self,
        job: &JobRecord,
        grouping: Grouping,
        id: &str,
    ) -> Result<(String, GroupRecord), StoreError> {
        let candidates = match &job.batch {
            Some(batch) => self.submitted_with(job, batch, grouping)?,
            None if job.input == job.file.path() => self.in_folder(job)?,
            None => self.moved_with(job)?,
        };
        let mut members = Vec::new();
        for (other, member) in candidates {
            members.push(member);
            let is_free = other.group.is_none() && !other.state.is_final();
            if is_free || other.id == job.id {
                let after = JobRecord { group: Some(id.to_owned()), ..other.clone() };
                self.change_job(&other, &after)?;
            }
        }
        let record = GroupRecord { plan: job.plan.clone(), members, measured: None };
        self.put(tables::GROUPS, id.as_bytes(), &record)?;
        Ok((id.to_owned(), record))
    }

    /// The files of the folder of a watched file, with their latest jobs.
    fn in_folder(&self, job: &JobRecord) -> Result<Vec<(JobRecord, GroupMember)>, StoreError> {
        let mut found = Vec::new();
        for other in self.jobs_beside(&job.file)? {
            let member = match self.whole_file(&other.file)? {
                _ if other.file == job.file => GroupMember::of(&job.input, &job.hash),
                Some(hash) => GroupMember::of(&other.file.path(), &hash),
                None => continue,
            };
            found.push((other, member));
        }
        Ok(found)
    }

    /// The files that were in one group with a file before they were moved; without a former group those that lie
    /// beside it now.
    fn moved_with(&self, job: &JobRecord) -> Result<Vec<(JobRecord, GroupMember)>, StoreError> {
        let former: Option<JobRecord> = match &job.retry_of {
            Some(id) => self.record(tables::JOBS, id.as_bytes())?,
            None => None,
        };
        let former = match former.and_then(|former| former.group) {
            Some(id) => self.group(&id)?,
            None => None,
        };
        let mut found = Vec::new();
        for other in self.jobs_beside(&job.file)? {
            let path = match source_elsewhere(&other) {
                Some(path) => path.to_owned(),
                None if self.whole_file(&other.file)?.is_some() => other.file.path(),
                None => continue,
            };
            let was_with = |former: &GroupRecord| {
                let is_it = |member: &&GroupMember| member.hash == other.hash;
                former.members.iter().find(is_it).map(|member| member.left_out.clone())
            };
            let left_out = match &former {
                _ if other.file == job.file => Some(None),
                Some(former) => was_with(former),
                None => (path.parent() == job.input.parent()).then_some(None),
            };
            if let Some(left_out) = left_out.filter(|_| path.exists()) {
                let member = GroupMember { left_out, ..GroupMember::of(&path, &other.hash) };
                found.push((other, member));
            }
        }
        Ok(found)
    }

    /// The files of a batch that belong to a submitted one. Those that were not read yet have no hash.
    fn submitted_with(
        &self,
        job: &JobRecord,
        batch: &str,
        grouping: Grouping,
    ) -> Result<Vec<(JobRecord, GroupMember)>, StoreError> {
        let mut found = Vec::new();
        for other in batches::jobs_of(self, batch)? {
            let is_beside = other.input.parent() == job.input.parent();
            if other.state != JobState::Canceled && (grouping == Grouping::Batch || is_beside) {
                let member = GroupMember::of(&other.input, &other.hash);
                found.push((other, member));
            }
        }
        Ok(found)
    }

    /// Content of a file that is known in a watched folder and whole.
    fn whole_file(&self, file: &FileKey) -> Result<Option<String>, StoreError> {
        let known: Option<FileRecord> = self.record(tables::FILES, &file.key())?;
        let known = known.filter(|known| known.incomplete.is_none() && known.hash.is_some());
        Ok(known.map(|known| known.hash_text()))
    }

    /// The latest jobs of the files that ever were in the folder of a file. Our own outputs have none.
    fn jobs_beside(&self, file: &FileKey) -> Result<Vec<JobRecord>, StoreError> {
        let folder = file.reldir();
        let name_at = FileKey { relative: PathBuf::new(), ..file.clone() }.key();
        let mut ids = Vec::new();
        self.scan(tables::LATEST, Scan::forward(&name_at), &mut |key, id| {
            let relative = Path::new(OsStr::from_bytes(&key[name_at.len()..]));
            if relative.parent() == Some(folder) {
                ids.push(id.to_vec());
            }
            Ok(true)
        })?;
        let jobs = ids.iter().map(|id| self.record::<JobRecord>(tables::JOBS, id));
        Ok(jobs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

impl GroupMember {
    fn of(path: &Path, hash: &str) -> Self {
        Self { path: path.to_owned(), hash: hash.to_owned(), left_out: None }
    }
}
