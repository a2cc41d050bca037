//! Files that get one gain together.

use super::records::{FileKey, FileRecord, GroupMember, GroupRecord, JobRecord};
use super::tables::{self, Look, Scan, Tx};
use super::{Store, StoreError};
use crate::groups::Group;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

impl Store {
    /// The group of a job: the files that its folder holds when the first of them runs. All jobs of that
    /// folder that have not ended get the same one, once and for all; a later job forms another.
    ///
    /// # Errors
    /// When the store fails.
    pub fn group_of(&self, job: &str) -> Result<(String, GroupRecord), StoreError> {
        let (id, new_id) = (job.to_owned(), self.next_id());
        self.write(move |tx| {
            let job = tx.job(&id)?;
            if let Some(group) = &job.group
                && let Some(record) = tx.group(group)?.filter(|record| record.plan == job.plan)
            {
                return Ok((group.clone(), record));
            }
            tx.form_group(&job, &new_id)
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

    fn form_group(&self, job: &JobRecord, id: &str) -> Result<(String, GroupRecord), StoreError> {
        let mut members = Vec::new();
        for (relative, latest) in self.jobs_beside(&job.file)? {
            let key = FileKey { relative, ..job.file.clone() };
            let known: Option<FileRecord> = self.record(tables::FILES, &key.key())?;
            let known = known.filter(|known| known.incomplete.is_none() && known.hash.is_some());
            if key == job.file {
                let (path, hash) = (job.input.clone(), job.hash.clone());
                members.push(GroupMember { path, hash, left_out: None });
            } else if let Some(known) = known {
                let hash = known.hash_text();
                members.push(GroupMember { path: key.path(), hash, left_out: None });
            }
            let Some(other) = self.record::<JobRecord>(tables::JOBS, latest.as_bytes())? else {
                continue;
            };
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

    /// The files in the folder of a file that ever had a job, and their latest one. Our own outputs have
    /// none.
    fn jobs_beside(&self, file: &FileKey) -> Result<Vec<(PathBuf, String)>, StoreError> {
        let folder = file.reldir();
        let name_at = FileKey { relative: PathBuf::new(), ..file.clone() }.key();
        let mut found = Vec::new();
        self.scan(tables::LATEST, Scan::forward(&name_at), &mut |key, id| {
            let relative = Path::new(OsStr::from_bytes(&key[name_at.len()..]));
            if relative.parent() == Some(folder) {
                found.push((relative.to_owned(), String::from_utf8_lossy(id).into_owned()));
            }
            Ok(true)
        })?;
        Ok(found)
    }
}
