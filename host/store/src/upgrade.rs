//! From the tables of an earlier version to those of this one.
//!
//! A step changes what is there, in the transaction that writes the new version: whoever is killed here has the old
//! store. Before, the file is copied beside itself, for those who want to go back. Tables that are merely new need no
//! step, and fields that are new have a default.

use super::records::BatchRecord;
use super::tables::{self, Look, META, Tx};
use super::{SCHEMA_KEY, SCHEMA_VERSION, StoreError};
use redb::{Database, ReadableDatabase};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::sync_dir;

/// Brings the store from a version to the next one.
type Step = fn(&Tx<'_>) -> Result<(), StoreError>;

/// The step at index 0 starts from version 1.
const STEPS: [Step; (SCHEMA_VERSION - 1) as usize] = [index_open_batches];

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
