//! From the tables of an earlier version to those of this one.
//!
//! A step changes what is there, in the transaction that writes the new version: whoever is killed here has the old
//! store. Before, the file is copied beside itself, for those who want to go back. Tables that are merely new need no
//! step, and fields that are new have a default.

use super::records::{BatchRecord, GroupRecord, JobRecord};
use super::tables::{self, META, ReadAccess, Scan, Tx};
use super::{SCHEMA_KEY, SCHEMA_VERSION, StoreError};
use redb::{Database, ReadableDatabase};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::sync_dir;

/// Brings the store from a version to the next one.
type Step = fn(&Tx<'_>) -> Result<(), StoreError>;

/// The step at index 0 starts from version 1.
const STEPS: [Step; (SCHEMA_VERSION - 1) as usize] = [index_open_batches, index_what_is_forgotten];

/// Brings a store of `version` to this program's.
pub(super) fn from(tx: &Tx<'_>, version: u32) -> Result<(), StoreError> {
    let done = version.saturating_sub(1) as usize;
    for step in STEPS.iter().skip(done) {
        step(tx)?;
    }
    if done < STEPS.len() {
        tx.put(META, SCHEMA_KEY, &SCHEMA_VERSION)?;
        tracing::warn!(from = version, to = SCHEMA_VERSION, "Store was upgraded.");
    }
    Ok(())
}

/// Copies a store that is about to be upgraded, if that was not done yet.
pub(super) fn keep_copy(database: &Database, path: &Path) -> Result<(), StoreError> {
    let version = database.begin_read()?.record::<u32>(META, SCHEMA_KEY)?;
    let Some(version) = version.filter(|version| *version < SCHEMA_VERSION) else { return Ok(()) };
    let copy = copy_of(path, version);
    if copy.exists() {
        return Ok(());
    }
    let unfinished = copy.with_extension("new");
    let finish = || {
        fs::copy(path, &unfinished)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &copy)?;
        sync_dir(copy.parent().unwrap_or(Path::new(".")))
    };
    finish().map_err(|error| StoreError::io(&copy, &error))
}

/// Where a store of an earlier version is kept: `store.redb.v1`.
pub(super) fn copy_of(path: &Path, version: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".v{version}"));
    name.into()
}

/// Version 1 looked at every batch to find those that are not over.
fn index_open_batches(tx: &Tx<'_>) -> Result<(), StoreError> {
    for (id, batch) in tx.records::<BatchRecord>(tables::BATCHES, &[])? {
        if batch.open > 0 {
            tx.put_bytes(tables::BATCHES_OPEN, &id, b"")?;
        }
    }
    Ok(())
}

/// Version 2 forgot no job. It looked at every job to find one by the end of its id, and at a job to know the file of a
/// content; nothing counted the jobs of a plan, or listed those of a group.
fn index_what_is_forgotten(tx: &Tx<'_>) -> Result<(), StoreError> {
    let mut contents = Vec::new();
    tx.scan(tables::CONTENTS, Scan::forward(&[]), &mut |key, id| {
        contents.push((key.to_vec(), id.to_vec()));
        Ok(true)
    })?;
    for (key, id) in contents {
        tx.remove(tables::CONTENTS, &key)?;
        tx.record::<JobRecord>(tables::JOBS, &id)?.map_or(Ok(()), |job| tx.enter_content(&job))?;
    }
    tx.scan(tables::JOBS, Scan::forward(&[]), &mut |_, bytes| {
        tx.index_job(&tables::decode(bytes)?)?;
        Ok(true)
    })?;
    for (_, batch) in tx.records::<BatchRecord>(tables::BATCHES, &[])? {
        tx.add(tables::PLAN_USES, batch.plan.as_bytes(), 1)?;
    }
    for (group, _) in tx.records::<GroupRecord>(tables::GROUPS, &[])? {
        // Its jobs were given another one.
        if !tx.has_prefix(tables::GROUP_JOBS, &tables::key(&[&group, b""]))? {
            tx.remove(tables::GROUPS, &group)?;
        }
    }
    Ok(())
}
