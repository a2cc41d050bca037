//! The tables, their keys, and how records become bytes.
//!
//! Keys are byte strings whose parts are joined with a zero byte, which neither paths nor names can
//! hold; numbers in keys are big-endian, so that keys sort as their numbers do.

use super::StoreError;
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A table from byte strings to byte strings.
pub(super) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// `pipeline 0 root 0 relative` -> [`super::records::FileRecord`]: what is known of the watched files.
pub(super) const FILES: Table = TableDefinition::new("files");
/// `pipeline 0 root 0 relative` -> id of the latest job of that file. Outlives the file or the job, not both.
pub(super) const LATEST: Table = TableDefinition::new("latest");
/// `pipeline 0 hash` -> `id 0 root 0 relative`: a job that delivered this content, and its file.
pub(super) const CONTENTS: Table = TableDefinition::new("contents");
/// `id` -> [`super::JobRecord`].
pub(super) const JOBS: Table = TableDefinition::new("jobs");
/// `id backwards` -> nothing: jobs by the ends of their ids.
pub(super) const ID_ENDS: Table = TableDefinition::new("id-ends");
/// `state id` -> nothing: the jobs of a state.
pub(super) const STATES: Table = TableDefinition::new("states");
/// `state` -> number of jobs, as 8 bytes.
pub(super) const COUNTS: Table = TableDefinition::new("counts");
/// `priority run_at id` -> pipeline: jobs that may run, in the order they shall.
pub(super) const READY: Table = TableDefinition::new("ready");
/// `id 0 attempt` -> [`super::records::AttemptRecord`].
pub(super) const ATTEMPTS: Table = TableDefinition::new("attempts");
/// `id 0 index` -> [`super::OutputRecord`].
pub(super) const OUTPUTS: Table = TableDefinition::new("outputs");
/// final path -> [`super::LedgerRecord`]: the files we made.
pub(super) const LEDGER: Table = TableDefinition::new("ledger");
/// hash of a pipeline -> [`super::PlanRecord`].
pub(super) const PLANS: Table = TableDefinition::new("plans");
/// hash of a pipeline -> number of jobs and batches that have it, as 8 bytes.
pub(super) const PLAN_USES: Table = TableDefinition::new("plan-uses");
/// pipeline -> [`super::CurrentPlan`]: what new jobs of a pipeline run with.
pub(super) const CURRENT: Table = TableDefinition::new("current");
/// `id` -> [`super::GroupRecord`]: files that get one gain together.
pub(super) const GROUPS: Table = TableDefinition::new("groups");
/// `group 0 job` -> nothing: the jobs of a group.
pub(super) const GROUP_JOBS: Table = TableDefinition::new("group-jobs");
/// `id` -> nothing: jobs whose source still has to be kept, moved or deleted.
pub(super) const SOURCES: Table = TableDefinition::new("sources");
/// `id` -> [`super::BatchRecord`]: jobs that were submitted together.
pub(super) const BATCHES: Table = TableDefinition::new("batches");
/// `batch 0 job` -> nothing: the jobs of a batch, a repeated one in the place of the one it repeats.
pub(super) const BATCH_JOBS: Table = TableDefinition::new("batch-jobs");
/// `id` -> nothing: batches that are not over.
pub(super) const BATCHES_OPEN: Table = TableDefinition::new("batches-open");
/// `id` -> nothing: batches that are over and were not reported yet.
pub(super) const BATCHES_OVER: Table = TableDefinition::new("batches-over");
/// `pipeline` -> milliseconds since 1970: pipelines whose jobs are not handed out since; empty is all.
pub(super) const PAUSED: Table = TableDefinition::new("paused");
/// path -> [`super::CatalogRecord`]: files that were made or adopted.
pub(super) const CATALOG: Table = TableDefinition::new("catalog");
/// `made path` -> nothing: the catalog by time.
pub(super) const CATALOG_DATES: Table = TableDefinition::new("catalog-dates");
/// `job 0 path` -> nothing: the catalog by job.
pub(super) const CATALOG_JOBS: Table = TableDefinition::new("catalog-jobs");
/// path -> [`super::SourceRecord`]: what was ordered about a file and may not be done yet.
pub(super) const ORDERS: Table = TableDefinition::new("orders");
/// `name` -> [`super::HookRecord`]: who is notified of the ends of jobs and batches.
pub(super) const HOOKS: Table = TableDefinition::new("hooks");
/// `hook 0 id` -> [`super::NoticeRecord`]: what a hook was not notified of yet.
pub(super) const NOTICES: Table = TableDefinition::new("notices");
/// `name` -> [`super::notices::Backlog`]: how much a hook was not notified of yet, so that nobody has to
/// read it all.
pub(super) const BACKLOGS: Table = TableDefinition::new("backlogs");
/// name -> [`super::ReferenceRecord`]: tracks that others are compared with.
pub(super) const REFERENCES: Table = TableDefinition::new("references");
/// name -> version of the features (4 bytes, little-endian), the features, the genre as it is compared.
pub(super) const REFERENCE_FEATURES: Table = TableDefinition::new("reference-features");
/// `id` -> [`super::UploadRecord`]: files that were uploaded.
pub(super) const UPLOADS: Table = TableDefinition::new("uploads");
/// `id` -> [`super::OrderRecord`]: batches of the HTTP services as they were created.
pub(super) const SERVICE_BATCHES: Table = TableDefinition::new("service-batches");
/// `id` -> [`super::AnalysisRecord`]: analyses for mastering.
pub(super) const ANALYSES: Table = TableDefinition::new("analyses");
/// `id` -> [`super::RegionRecord`]: parts of files on tracks.
pub(super) const REGIONS: Table = TableDefinition::new("regions");
/// Facts about the store itself.
pub(super) const META: Table = TableDefinition::new("meta");

/// Gets an entry's key and value; false ends the visits.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool, StoreError> + 'a;

/// Every table, made when a store is created.
#[rustfmt::skip]
pub(super) const ALL: [Table; 36] = [
    FILES, LATEST, CONTENTS, JOBS, ID_ENDS, STATES, COUNTS, READY, ATTEMPTS, OUTPUTS, LEDGER, PLANS,
    PLAN_USES, CURRENT, GROUPS, GROUP_JOBS, SOURCES, BATCHES, BATCH_JOBS, BATCHES_OPEN, BATCHES_OVER,
    PAUSED, CATALOG, CATALOG_DATES, CATALOG_JOBS, ORDERS, HOOKS, NOTICES, BACKLOGS,
    REFERENCES, REFERENCE_FEATURES, UPLOADS, SERVICE_BATCHES, ANALYSES, REGIONS, META,
];

/// First byte of every record: the version of its shape.
const RECORD_VERSION: u8 = 1;

/// A record as bytes.
pub(super) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![RECORD_VERSION];
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::Record { reason: error.to_string() })?;
    Ok(bytes)
}

#[cfg(test)]
thread_local! {
    /// Records that this thread has decoded.
    pub(super) static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A record from its bytes.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    #[cfg(test)]
    DECODED.set(DECODED.get() + 1);
    match bytes.split_first() {
        Some((&RECORD_VERSION, json)) => serde_json::from_slice(json)
            .map_err(|error| StoreError::Record { reason: error.to_string() }),
        Some((version, _)) => Err(StoreError::Record {
            reason: format!("version {version} of a record; this program reads {RECORD_VERSION}"),
        }),
        None => Err(StoreError::Record { reason: "an empty record".to_owned() }),
    }
}

/// Joins the parts of a key.
pub(super) fn key(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}

/// Looking into the store: the same in a reading and in a writing transaction.
pub(super) trait ReadAccess {
    /// The bytes at a key.
    fn bytes(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `visit` with the entries whose keys start with `prefix` and are not below `from`, in
    /// order (or the other way round), until it returns false.
    fn scan(&self, table: Table, range: Scan<'_>, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// Whether a key starts with `prefix`.
    fn has_prefix(&self, table: Table, prefix: &[u8]) -> Result<bool, StoreError> {
        let mut found = false;
        self.scan(table, Scan::forward(prefix), &mut |_, _| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }

    /// The record at a key.
    fn record<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>, StoreError>
    where
        Self: Sized,
    {
        self.bytes(table, key)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Every record whose key starts with `prefix`, in order.
    fn records<T: DeserializeOwned>(
        &self,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError>
    where
        Self: Sized,
    {
        let mut found = Vec::new();
        self.scan(table, Scan::forward(prefix), &mut |key, bytes| {
            found.push((key.to_vec(), decode(bytes)?));
            Ok(true)
        })?;
        Ok(found)
    }
}

/// Which entries to visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    /// Start of the keys.
    pub(super) prefix: &'a [u8],
    /// First key; the prefix itself if empty.
    pub(super) from: &'a [u8],
    /// Last first.
    pub(super) backward: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn forward(prefix: &'a [u8]) -> Self {
        Self { prefix, from: &[], backward: false }
    }

    pub(super) fn backward(prefix: &'a [u8]) -> Self {
        Self { prefix, from: &[], backward: true }
    }

    fn over<R: ReadableTable<&'static [u8], &'static [u8]>>(
        self,
        table: &R,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let from = if self.from.is_empty() { self.prefix } else { self.from };
        let end = end_of_prefix(self.prefix);
        let mut range = match &end {
            Some(end) => table.range(from..end.as_slice())?,
            None => table.range(from..)?,
        };
        while let Some(entry) = if self.backward { range.next_back() } else { range.next() } {
            let (key, value) = entry?;
            if !visit(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }
}

/// The smallest key above all that start with `prefix`; `None` when there is none.
fn end_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

impl ReadAccess for ReadTransaction {
    fn bytes(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.open_table(table) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_vec())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn scan(&self, table: Table, range: Scan<'_>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        match self.open_table(table) {
            Ok(table) => range.over(&table, visit),
            Err(TableError::TableDoesNotExist(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A writing transaction.
pub(crate) struct Tx<'a>(pub(super) &'a WriteTransaction);

impl ReadAccess for Tx<'_> {
    fn bytes(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.0.open_table(table)?;
        let value = table.get(key)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn scan(&self, table: Table, range: Scan<'_>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        range.over(&self.0.open_table(table)?, visit)
    }
}

impl Tx<'_> {
    pub(super) fn put<T: Serialize>(
        &self,
        table: Table,
        key: &[u8],
        record: &T,
    ) -> Result<(), StoreError> {
        self.put_bytes(table, key, &encode(record)?)
    }

    pub(super) fn put_bytes(
        &self,
        table: Table,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.0.open_table(table)?.insert(key, bytes)?;
        Ok(())
    }

    pub(super) fn remove(&self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.0.open_table(table)?.remove(key)?;
        Ok(())
    }

    /// Removes every entry whose key starts with `prefix`.
    pub(super) fn remove_prefix(&self, table: Table, prefix: &[u8]) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        self.scan(table, Scan::forward(prefix), &mut |key, _| {
            keys.push(key.to_vec());
            Ok(true)
        })?;
        keys.iter().try_for_each(|key| self.remove(table, key))
    }

    /// Changes the number at a key; without one it is 0.
    pub(super) fn add(&self, table: Table, key: &[u8], change: i64) -> Result<(), StoreError> {
        let count = self.record::<u64>(table, key)?.unwrap_or(0);
        match count.saturating_add_signed(change) {
            0 => self.remove(table, key),
            count => self.put(table, key, &count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_prefix_is_above_all_keys_with_it() {
        assert_eq!(end_of_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(end_of_prefix(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(end_of_prefix(&[255]), None);
        assert_eq!(end_of_prefix(b""), None);
    }

    #[test]
    fn record_of_another_version_is_refused() {
        let mut bytes = encode(&7u32).unwrap();
        assert_eq!(decode::<u32>(&bytes).unwrap(), 7);
        bytes[0] = 9;
        assert!(decode::<u32>(&bytes).unwrap_err().to_string().contains("version 9"));
    }
}
