//! What survives in the state folder: files, jobs, outputs and plans in one redb file, results that were computed
//! before in files of their own, and what becomes of sources.
//!
//! One process owns the redb file. Every change is a two-phase commit: measured, it costs 7 ms instead of
//! 3.5, and survives a crash during recovery from a crash. Changes asked for at the same time share a
//! commit ([`Store::write`]).

mod batches;
pub mod cache;
mod catalog;
mod claims;
mod clock;
mod commit;
mod contents;
mod files;
mod groups;
mod history;
mod job_id;
mod job_state;
mod jobs;
mod notices;
mod queries;
mod queue;
mod records;
mod references;
mod requests;
mod services;
pub mod source;
mod tables;
#[cfg(test)]
mod tests;
mod upgrade;
mod waits;

pub use batches::{CreatedBatch, PauseState, Submission};
pub use catalog::{CacheStats, CatalogRecord};
pub use clock::{Clock, rfc3339};
pub use files::{IntakeContext, IntakeResult};
pub use history::{History, PruneCounts};
pub use job_id::{JobIds, is_job_id, made_ms};
pub use job_state::JobState;
pub use notices::{HookBacklog, HookRecord, NoticeRecord, Occasion};
pub use queries::JobQuery;
pub use queue::{Blame, Capacity, Claim, End, EndReason, JobQueue, Lease, NextTry, Publication};
pub(crate) use records::FileRecord;
pub use records::{
    BatchRecord, ClockRecord, CurrentPlan, Ending, FileKey, GroupMember, GroupRecord, JobRecord,
    LedgerRecord, OutputFacts, OutputProgress, OutputRecord, PlanRecord, SourceRecord, tag_texts,
};
pub use references::{ReferenceIndex, ReferenceRecord};
pub use services::{
    AnalysisRecord, OrderRecord, RegionRecord, ServiceRecord, ServiceTable, UploadRecord,
};
pub(crate) use tables::Tx;
pub use wavemill_pipelines::path_text;

use commit::Committer;
use parking_lot::Mutex;
use redb::{Database, DatabaseError, ReadableDatabase};
use references::KnownReferences;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tables::{ALL, META, ReadAccess, Scan};
use thiserror::Error;

/// The store's file in the state folder.
const STORE_FILE: &str = "store.redb";

/// Holds the process id of the store's owner, for the message that another one has it.
const PID_FILE: &str = "wavemill.pid";

/// Memory for cached pages. The index of 200,000 files is 67 MB (measured); more would only compete
/// with the audio files for the page cache.
const CACHE_BYTES: usize = 64 << 20;

/// Size from which the store's file is looked at for free space.
const COMPACT_FROM_BYTES: u64 = 64 << 20;

/// File size, in multiples of what is stored, above which the file is compacted.
const COMPACT_FACTOR: u64 = 4;

/// Version of the tables. A store with a larger one is refused.
const SCHEMA_VERSION: u32 = 3;

/// Where [`SCHEMA_VERSION`] is kept.
const SCHEMA_KEY: &[u8] = b"schema_version";

/// The store. Clones of an `Arc` share it between threads.
pub struct Store {
    database: Arc<Database>,
    committer: Committer,
    ids: JobIds,
    pid_file: PathBuf,
    /// Most misses of the cache that were reported.
    misses: AtomicU64,
    /// Where in the catalog, by time, the next look for files that are gone begins.
    files_looked_at: Mutex<Vec<u8>>,
    references: KnownReferences,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("pid_file", &self.pid_file).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of a state folder, both made if missing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        wavemill_pipelines::publishing::create_dirs(state_dir)
            .map_err(|error| StoreError::io(state_dir, &error))?;
        let pid_file = state_dir.join(PID_FILE);
        let path = state_dir.join(STORE_FILE);
        let failed = |error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::Busy { pid: read_pid(&pid_file) },
            other => StoreError::of(other.into(), |reason| format!("{}: {reason}", path.display())),
        };
        if !path.exists() {
            create_empty(state_dir, &path, failed)?;
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let mut database = builder.open(&path).map_err(failed)?;
        compact(&mut database, &path)?;
        upgrade::keep_copy(&database, &path)?;
        write_pid(&pid_file).map_err(|error| StoreError::io(&pid_file, &error))?;
        Self::with_database(database, pid_file)
    }

    /// An empty store that nothing survives of.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        let backend = redb::backends::InMemoryBackend::new();
        let database = Database::builder()
            .create_with_backend(backend)
            .map_err(|error| StoreError::of(error.into(), |reason| reason))?;
        Self::with_database(database, PathBuf::new())
    }

    /// The file of a state folder's store, whether it is there or not.
    pub fn file_in(state_dir: &Path) -> PathBuf {
        state_dir.join(STORE_FILE)
    }

    fn with_database(database: Database, pid_file: PathBuf) -> Result<Self, StoreError> {
        let database = Arc::new(database);
        check_schema(&database)?;
        let last = last_job_id(&database)?;
        let committer = Committer::start(Arc::clone(&database))?;
        Ok(Self {
            database,
            committer,
            ids: JobIds::after(last.as_deref()),
            pid_file,
            misses: AtomicU64::new(0),
            files_looked_at: Mutex::default(),
            references: KnownReferences::default(),
        })
    }

    /// Applies `change` and returns when it is on disk. Changes of other threads that wait at the same
    /// time go into the same commit; if one of those fails, `change` is applied once more, so it must
    /// have no effect but on the transaction.
    ///
    /// # Errors
    /// Those of `change`, which then leaves no trace, or of the disk.
    pub(crate) fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.committer.write(change)
    }

    /// Bytes of the file that hold something. Counting reads every page.
    ///
    /// # Errors
    /// When the store fails.
    pub fn used_bytes(&self) -> Result<u64, StoreError> {
        used_bytes(&self.database)
    }

    /// Makes ids of new jobs.
    pub(crate) fn next_id(&self) -> String {
        self.ids.next()
    }

    /// Whether a change failed because there was no room for it. The database refuses everything since.
    pub fn ran_full(&self) -> bool {
        self.committer.ran_full()
    }

    fn read(&self) -> Result<redb::ReadTransaction, StoreError> {
        Ok(self.database.begin_read()?)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Only tidiness: the lock on the store itself is what keeps others out.
        let _ = fs::remove_file(&self.pid_file);
    }
}

/// Makes an empty store under another name first: a store whose creation was cut short can never be
/// opened.
fn create_empty(
    state_dir: &Path,
    path: &Path,
    failed: impl Fn(DatabaseError) -> StoreError,
) -> Result<(), StoreError> {
    let unfinished = state_dir.join(format!(".{STORE_FILE}.{}.new", std::process::id()));
    // One of a process of the same number that was killed here.
    let _ = fs::remove_file(&unfinished);
    drop(Database::create(&unfinished).map_err(failed)?);
    let finish = || {
        fs::File::open(&unfinished)?.sync_all()?;
        match wavemill_pipelines::publishing::rename_noreplace(&unfinished, path) {
            // Another process was faster; its store is as good.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                fs::remove_file(&unfinished)?;
            }
            other => other?,
        }
        wavemill_pipelines::publishing::sync_dir(state_dir)
    };
    finish().map_err(|error| StoreError::io(path, &error))
}

/// Gives space back to the disk when most of a large file is free.
fn compact(database: &mut Database, path: &Path) -> Result<(), StoreError> {
    let file_bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if file_bytes < COMPACT_FROM_BYTES {
        return Ok(());
    }
    let used_bytes = used_bytes(database)?;
    if file_bytes / COMPACT_FACTOR > used_bytes {
        tracing::info!(path = %path.display(), file_bytes, used_bytes, "Store compacted.");
        database.compact()?;
    }
    Ok(())
}

fn used_bytes(database: &Database) -> Result<u64, StoreError> {
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    Ok(stats.stored_bytes() + stats.metadata_bytes())
}

fn read_pid(pid_file: &Path) -> String {
    match fs::read_to_string(pid_file) {
        Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn write_pid(pid_file: &Path) -> io::Result<()> {
    fs::File::create(pid_file)?.write_all(format!("{}\n", std::process::id()).as_bytes())
}

fn check_schema(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    let tx = Tx(&transaction);
    for table in ALL {
        transaction.open_table(table)?;
    }
    match tx.record::<u32>(META, SCHEMA_KEY)? {
        None => tx.put(META, SCHEMA_KEY, &SCHEMA_VERSION)?,
        Some(version) if version > SCHEMA_VERSION => {
            return Err(StoreError::Newer { found: version, known: SCHEMA_VERSION });
        }
        Some(version) => upgrade::from(&tx, version)?,
    }
    transaction.commit()?;
    Ok(())
}

fn last_job_id(database: &Database) -> Result<Option<String>, StoreError> {
    let look = database.begin_read()?;
    let mut last = None;
    look.scan(tables::JOBS, Scan::backward(&[]), &mut |key, _| {
        last = String::from_utf8(key.to_vec()).ok();
        Ok(false)
    })?;
    let forgotten = history::forgotten(&look)?.map(|forgotten| forgotten.job);
    Ok(last.max(forgotten))
}

/// Why the store could not do what was asked.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it.
    #[error("another wavemill uses this state folder (pid {pid})")]
    Busy {
        /// Its process id, or `unknown`.
        pid: String,
    },
    /// It was written by a later version of the program.
    #[error(
        "the store has schema {found}, but this version reads only up to {known}; use a newer \
        Wavemill"
    )]
    Newer {
        /// Its schema.
        found: u32,
        /// The latest schema this program knows.
        known: u32,
    },
    /// The caller does not hold the job (any longer), or the job is not in a state that allows it.
    #[error("job {job} cannot be {wanted}: {reason}")]
    Lease {
        /// The job.
        job: String,
        /// What was to happen.
        wanted: &'static str,
        /// What stands against it.
        reason: String,
    },
    /// It was canceled, so it may not go on.
    #[error("job {job} was canceled")]
    Canceled {
        /// The job.
        job: String,
    },
    /// There is no such job, file or plan.
    #[error("{what} is not known")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// There is no such job, but jobs were forgotten.
    #[error(
        "job {part} is not known; finished jobs up to {until} were forgotten, as `history` and `history_jobs` in the \
         configuration file say"
    )]
    Forgotten {
        /// What was given.
        part: String,
        /// When the latest of them was made, RFC 3339.
        until: String,
    },
    /// Part of an id fits several jobs.
    #[error("`{part}` matches several jobs; give more of the id")]
    Ambiguous {
        /// What was given.
        part: String,
    },
    /// A record cannot be read or written.
    #[error("a record of the store is unreadable: {reason}")]
    Record {
        /// One line.
        reason: String,
    },
    /// There is no room for it; the database must be opened again when there is.
    #[error("{reason}")]
    Full {
        /// One line.
        reason: String,
    },
    /// The database failed; it must be opened again.
    #[error("the database failed: {reason}")]
    Database {
        /// One line.
        reason: String,
    },
    /// A file beside the database failed.
    #[error("{reason}")]
    Io {
        /// One line that names the path.
        reason: String,
    },
}

impl StoreError {
    fn io(path: &Path, error: &io::Error) -> Self {
        let reason = format!("{}: {error}", path.display());
        if is_full(error) { Self::Full { reason } } else { Self::Io { reason } }
    }

    /// What the database says, as `describe` words it.
    fn of(error: redb::Error, describe: impl FnOnce(String) -> String) -> Self {
        match error {
            redb::Error::Io(error) if is_full(&error) => {
                Self::Full { reason: describe(error.to_string()) }
            }
            other => Self::Database { reason: describe(other.to_string()) },
        }
    }
}

/// Whether an error says that there is no room, or none for this user.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::of(error.into(), |reason| reason)
            }
        })*
    };
}

from_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::CompactionError
);
