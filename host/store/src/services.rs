//! What clients of the HTTP services keep here: uploads, batches that were not started yet, regions.

use super::tables::{self, ReadAccess, Scan, Table};
use super::{Store, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use wavemill_pipelines::path_text;

/// A record with an id that clients know it by.
pub trait ServiceRecord: Serialize + DeserializeOwned + Send + 'static {
    /// What it is, such as `upload`.
    const NAME: &'static str;
    /// Where it lies; who may name a table is in this package alone.
    #[doc(hidden)]
    const TABLE: ServiceTable;
}

/// The table of a kind of records.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "tables have none")]
pub struct ServiceTable(Table);

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// What its sender calls it.
    pub name: String,
    /// Where it lies.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// When it was accepted, milliseconds since 1970.
    pub added_ms: u64,
}

/// A batch as it was created; its jobs are made when it is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Files, as they were named.
    pub input_files: Vec<String>,
    /// How to export them.
    pub settings: Value,
    /// Where to, as it was named.
    pub output_directory: String,
    /// When it was created, milliseconds since 1970.
    pub added_ms: u64,
    /// The batch, once it was started.
    pub batch: Option<String>,
}

/// An analysis for mastering; its measures are a report beside the upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnalysisRecord {
    /// The upload; none where only its results were imported.
    pub file_id: Option<String>,
    /// What its sender calls it.
    pub name: String,
    /// The genre that was asked for.
    pub genre: Option<String>,
    /// How much is advised.
    pub level: String,
    /// When it was begun, milliseconds since 1970.
    pub added_ms: u64,
    /// Why it failed.
    pub reason: Option<String>,
    /// Results that were imported, as they are answered.
    pub document: Option<Value>,
}

/// A part of a file at a time of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionRecord {
    /// The track.
    pub track_id: String,
    /// The upload whose audio it plays; none is silence.
    pub file_id: Option<String>,
    /// Start on the track, s.
    pub start_time: f64,
    /// Length, s; none is the whole file.
    pub duration: Option<f64>,
    /// What its maker calls it.
    pub name: Option<String>,
    /// Gain as a factor.
    pub gain: f64,
    /// When it was made, milliseconds since 1970.
    pub added_ms: u64,
}

impl ServiceRecord for UploadRecord {
    const NAME: &'static str = "upload";
    const TABLE: ServiceTable = ServiceTable(tables::UPLOADS);
}

impl ServiceRecord for OrderRecord {
    const NAME: &'static str = "batch";
    const TABLE: ServiceTable = ServiceTable(tables::SERVICE_BATCHES);
}

impl ServiceRecord for AnalysisRecord {
    const NAME: &'static str = "analysis";
    const TABLE: ServiceTable = ServiceTable(tables::ANALYSES);
}

impl ServiceRecord for RegionRecord {
    const NAME: &'static str = "region";
    const TABLE: ServiceTable = ServiceTable(tables::REGIONS);
}

impl Store {
    /// Keeps a record under an id, in place of what was there.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put_service<R: ServiceRecord>(&self, id: &str, record: R) -> Result<(), StoreError> {
        let id = id.as_bytes().to_vec();
        self.write(move |tx| tx.put(R::TABLE.0, &id, &record))
    }

    /// The record with an id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn service<R: ServiceRecord>(&self, id: &str) -> Result<Option<R>, StoreError> {
        self.read()?.record(R::TABLE.0, id.as_bytes())
    }

    /// Forgets a record; returns what it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove_service<R: ServiceRecord>(&self, id: &str) -> Result<Option<R>, StoreError> {
        let id = id.as_bytes().to_vec();
        self.write(move |tx| {
            let record = tx.record(R::TABLE.0, &id)?;
            tx.remove(R::TABLE.0, &id)?;
            Ok(record)
        })
    }

    /// Visits the records of a kind by id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn visit_service<R: ServiceRecord>(
        &self,
        visit: &mut dyn FnMut(&str, R),
    ) -> Result<(), StoreError> {
        self.read()?.scan(R::TABLE.0, Scan::forward(&[]), &mut |key, bytes| {
            visit(&String::from_utf8_lossy(key), tables::decode(bytes)?);
            Ok(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_kind_are_none_of_another() {
        let store = Store::in_memory().unwrap();
        let upload = UploadRecord { name: "a.wav".into(), path: "/up/x/a.wav".into(), added_ms: 7 };
        store.put_service("x", upload.clone()).unwrap();
        assert_eq!(store.service::<UploadRecord>("x").unwrap(), Some(upload.clone()));
        assert_eq!(store.service::<RegionRecord>("x").unwrap(), None);
        let mut seen = Vec::new();
        store.visit_service(&mut |id, it: UploadRecord| seen.push((id.to_owned(), it))).unwrap();
        assert_eq!(seen, [("x".to_owned(), upload.clone())]);
        assert_eq!(store.remove_service("x").unwrap(), Some(upload));
        assert_eq!(store.service::<UploadRecord>("x").unwrap(), None);
    }
}
