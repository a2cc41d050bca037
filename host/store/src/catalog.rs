//! The catalog: files that were made or adopted, and orders about them.

use super::records::{ClockRecord, OutputFacts, SourceRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{Store, StoreError};
use redb::ReadableDatabase;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use wavemill_pipelines::publishing::FileIdentity;

/// Where looks at the clock are noted.
const CLOCK_KEY: &[u8] = b"clock";

/// How the memory for pages of the store was used since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Pages that were there.
    pub hits: u64,
    /// Pages that had to be read.
    pub misses: u64,
    /// Pages that made room for others, the least recently used first.
    pub evictions: u64,
    /// Memory that it takes, bytes.
    pub used_bytes: u64,
}

/// A file of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogRecord {
    /// The job that made it; of an adopted file, the one its name says.
    pub job: Option<String>,
    /// The pipeline that made it; none of an adopted file.
    pub pipeline: Option<String>,
    /// When it was published; of an adopted file when it was last changed, or the day that its folders say.
    /// Milliseconds since 1970.
    pub made_ms: u64,
    /// What it looked like then.
    pub identity: FileIdentity,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
    /// What is known of its sound.
    pub facts: OutputFacts,
}

/// Gets path and record; false ends the visits.
pub(crate) type VisitFile<'a> = dyn FnMut(&Path, CatalogRecord) -> Result<bool, StoreError> + 'a;

impl Store {
    /// A file of the catalog.
    ///
    /// # Errors
    /// When the store fails.
    pub fn cataloged(&self, path: &Path) -> Result<Option<CatalogRecord>, StoreError> {
        self.read()?.record(tables::CATALOG, path.as_os_str().as_bytes())
    }

    /// Visits the files that were made from `since_ms` on and before `until_ms`, the newest first.
    pub fn visit_catalog(
        &self,
        since_ms: u64,
        until_ms: u64,
        visit: &mut VisitFile<'_>,
    ) -> Result<(), StoreError> {
        let look = self.read()?;
        look.scan(tables::CATALOG_DATES, Scan::backward(&[]), &mut |key, _| {
            let Some((made_ms, path)) = split_date(key) else { return Ok(true) };
            if made_ms >= until_ms {
                return Ok(true);
            }
            if made_ms < since_ms {
                return Ok(false);
            }
            let record = look.record(tables::CATALOG, path)?;
            record.map_or(Ok(true), |record| visit(Path::new(OsStr::from_bytes(path)), record))
        })
    }

    /// How often the cache of the store had what was asked for, since it was opened.
    pub fn cache_stats(&self) -> CacheStats {
        let stats = self.database.cache_stats();
        // A read that is under way counts as a miss until it hits; a counter never goes back.
        let misses = stats.read_misses();
        let before = self.misses.fetch_max(misses, Ordering::Relaxed);
        CacheStats {
            hits: stats.read_hits(),
            misses: misses.max(before),
            evictions: stats.evictions(),
            used_bytes: stats.used_bytes() as u64,
        }
    }

    /// When the clock was looked at last.
    ///
    /// # Errors
    /// When the store fails.
    pub fn clock(&self) -> Result<Option<ClockRecord>, StoreError> {
        self.read()?.record(tables::META, CLOCK_KEY)
    }

    /// Notes a look at the clock.
    ///
    /// # Errors
    /// When the store fails.
    pub fn set_clock(&self, clock: ClockRecord) -> Result<(), StoreError> {
        self.write(move |tx| tx.put(tables::META, CLOCK_KEY, &clock))
    }

    /// The cataloged files of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub fn cataloged_of_job(&self, job: &str) -> Result<Vec<(PathBuf, CatalogRecord)>, StoreError> {
        let look = self.read()?;
        let prefix = tables::key(&[job.as_bytes(), b""]);
        let mut found = Vec::new();
        look.scan(tables::CATALOG_JOBS, Scan::forward(&prefix), &mut |key, _| {
            let path = &key[prefix.len()..];
            let record: Option<CatalogRecord> = look.record(tables::CATALOG, path)?;
            found.extend(record.map(|record| (OsStr::from_bytes(path).into(), record)));
            Ok(true)
        })?;
        Ok(found)
    }

    /// Enters files that others made; those that are cataloged already stay as they are, but what is not known of
    /// them is taken over if they have not changed. Returns how many are new, and of how many more is known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn adopt(&self, files: Vec<(PathBuf, CatalogRecord)>) -> Result<(u64, u64), StoreError> {
        self.write(move |tx| {
            let (mut new, mut completed) = (0, 0);
            for (path, record) in &files {
                let key = path.as_os_str().as_bytes();
                let Some(before) = tx.record::<CatalogRecord>(tables::CATALOG, key)? else {
                    tx.catalog(path, record)?;
                    new += 1;
                    continue;
                };
                let facts = before.facts.clone().or(&record.facts);
                if before.identity == record.identity && facts != before.facts {
                    tx.put(tables::CATALOG, key, &CatalogRecord { facts, ..before })?;
                    completed += 1;
                }
            }
            Ok((new, completed))
        })
    }

    /// Enters a copy of a cataloged file.
    ///
    /// # Errors
    /// When the store fails.
    pub fn catalog_copy(&self, to: &Path, record: CatalogRecord) -> Result<(), StoreError> {
        let to = to.to_path_buf();
        self.write(move |tx| tx.catalog(&to, &record))
    }

    /// Puts an order about a file on disk, before the file is touched.
    ///
    /// # Errors
    /// When the file is not cataloged, or the store fails.
    pub fn order(&self, path: &Path, order: SourceRecord) -> Result<CatalogRecord, StoreError> {
        let path = path.to_path_buf();
        self.write(move |tx| {
            let key = path.as_os_str().as_bytes();
            let record = tx.record(tables::CATALOG, key)?.ok_or_else(|| StoreError::Missing {
                what: format!("{} was neither made nor adopted by Wavemill, so it", path.display()),
            })?;
            tx.put(tables::ORDERS, key, &order)?;
            Ok(record)
        })
    }

    /// Orders that were not carried out to the end.
    ///
    /// # Errors
    /// When the store fails.
    pub fn orders(&self) -> Result<Vec<(PathBuf, SourceRecord)>, StoreError> {
        let orders = self.read()?.records(tables::ORDERS, &[])?;
        Ok(orders.into_iter().map(|(key, order)| (OsStr::from_bytes(&key).into(), order)).collect())
    }

    /// Records what became of a file that an order was about.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle_order(&self, path: &Path, done: SourceRecord) -> Result<(), StoreError> {
        let path = path.to_path_buf();
        self.write(move |tx| {
            let key = path.as_os_str().as_bytes();
            tx.remove(tables::ORDERS, key)?;
            let Some(record) = tx.record::<CatalogRecord>(tables::CATALOG, key)? else {
                return Ok(());
            };
            match &done {
                SourceRecord::Moved { to } => {
                    tx.forget_cataloged(&path, &record)?;
                    tx.remove(tables::LEDGER, key)?;
                    tx.catalog(to, &record)
                }
                SourceRecord::Deleted => {
                    tx.forget_cataloged(&path, &record)?;
                    tx.remove(tables::LEDGER, key)
                }
                _ => Ok(()),
            }
        })
    }
}

impl Tx<'_> {
    /// Enters a file in place of what was known under its name.
    pub(super) fn catalog(&self, path: &Path, record: &CatalogRecord) -> Result<(), StoreError> {
        let key = path.as_os_str().as_bytes();
        if let Some(before) = self.record::<CatalogRecord>(tables::CATALOG, key)? {
            self.forget_cataloged(path, &before)?;
        }
        self.put(tables::CATALOG, key, record)?;
        self.put_bytes(tables::CATALOG_DATES, &date_key(record.made_ms, key), b"")?;
        if let Some(job) = &record.job {
            self.put_bytes(tables::CATALOG_JOBS, &tables::key(&[job.as_bytes(), key]), b"")?;
        }
        Ok(())
    }

    pub(super) fn forget_cataloged(
        &self,
        path: &Path,
        record: &CatalogRecord,
    ) -> Result<(), StoreError> {
        let key = path.as_os_str().as_bytes();
        self.remove(tables::CATALOG, key)?;
        self.remove(tables::CATALOG_DATES, &date_key(record.made_ms, key))?;
        if let Some(job) = &record.job {
            self.remove(tables::CATALOG_JOBS, &tables::key(&[job.as_bytes(), key]))?;
        }
        Ok(())
    }
}

fn date_key(made_ms: u64, path: &[u8]) -> Vec<u8> {
    [&made_ms.to_be_bytes()[..], path].concat()
}

/// Time and path of a key of [`tables::CATALOG_DATES`].
pub(super) fn split_date(key: &[u8]) -> Option<(u64, &[u8])> {
    let (made_ms, path) = key.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*made_ms), path))
}
