//! What the store remembers.

use super::path_text;
use crate::JobState;
use crate::cache::GroupMeasurements;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wavemill_pipelines::execution::OutputKind;
use wavemill_pipelines::model::{Defaults, OnConflict};
use wavemill_pipelines::publishing::{FileIdentity, NameClaim};

/// Names a watched file: with the hash of its content this is what work is identified by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileKey {
    /// The pipeline that takes it.
    pub pipeline: String,
    /// The watched folder.
    #[serde(with = "path_text")]
    pub root: PathBuf,
    /// Path below it.
    #[serde(with = "path_text")]
    pub relative: PathBuf,
}

impl FileKey {
    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.relative)
    }

    /// Its folder below the watched one.
    pub fn reldir(&self) -> &Path {
        self.relative.parent().unwrap_or(Path::new(""))
    }
}

/// A known file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// Size, time and inode when it was hashed.
    pub identity: FileIdentity,
    /// Hash of its content; `None` while it is incomplete.
    #[serde(with = "hash_text")]
    pub hash: Option<blake3::Hash>,
    /// Why it is incomplete.
    pub incomplete: Option<String>,
    /// Whether it was found once more with this content since a job was made of it.
    #[serde(default)]
    pub is_found_again: bool,
}

impl FileRecord {
    /// Its hash as jobs and the ledger have it: 64 hex digits, or nothing.
    pub(crate) fn hash_text(&self) -> String {
        self.hash.map(|hash| hash.to_string()).unwrap_or_default()
    }
}

/// For `#[serde(with = "hash_text")]`: 64 hex digits, or an empty text where there is no hash.
mod hash_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::borrow::Cow;

    #[expect(clippy::ref_option, reason = "serde passes the field as it is")]
    pub(super) fn serialize<S: Serializer>(
        hash: &Option<blake3::Hash>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match hash {
            Some(hash) => serializer.serialize_str(&hash.to_hex()),
            None => serializer.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<blake3::Hash>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let hash = || blake3::Hash::from_hex(text.as_ref()).map_err(de::Error::custom);
        (!text.is_empty()).then(hash).transpose()
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts of their own, as stores hold them")]
pub struct JobRecord {
    /// Its id.
    pub id: String,
    /// The file it is for, as found.
    pub file: FileKey,
    /// Where the source is now: as found, or where a failed attempt moved it.
    #[serde(with = "path_text")]
    pub input: PathBuf,
    /// Content of the source.
    pub hash: String,
    /// Size, time and inode of the source when it was hashed.
    pub identity: FileIdentity,
    /// Hash of the pipeline it runs with; fixed by the first attempt.
    pub plan: String,
    /// Base of relative output paths; fixed by the first attempt.
    #[serde(with = "path_text")]
    pub output_root: PathBuf,
    /// Higher runs earlier.
    pub priority: i32,
    /// When it was made, RFC 3339 with offset and zone: the value of `{date}`.
    pub created: String,
    /// Where it is in its life.
    pub state: JobState,
    /// Earliest start, milliseconds since 1970; 0 is at once.
    pub run_at_ms: u64,
    /// Attempts begun; never repeats, so that temporary names do not.
    pub attempt: u32,
    /// Attempts that failed for a reason that may pass.
    pub tries: u32,
    /// Attempts that ended with the worker's death, its time or its memory.
    pub crashes: u32,
    /// Attempts that ended with the daemon's death, or with a worker that was killed from outside.
    pub deaths: u32,
    /// Start of the daemon that runs it; only its holder may change a held job.
    pub boot_id: Option<String>,
    /// When the last attempt began, milliseconds since 1970.
    pub started_ms: Option<u64>,
    /// When it reached a final state, milliseconds since 1970.
    pub finished_ms: Option<u64>,
    /// One line about the last thing that went wrong.
    pub reason: Option<String>,
    /// How it will end once its outputs are published.
    pub ending: Ending,
    /// What to do with the source afterward.
    pub source: SourceRecord,
    /// The job it repeats.
    pub retry_of: Option<String>,
    /// The batch it belongs to.
    pub batch: Option<String>,
    /// The group whose gain it gets; chosen when the first of its files runs.
    #[serde(default)]
    pub group: Option<String>,
    /// Someone canceled it while it ran.
    #[serde(default)]
    pub is_cancel_asked: bool,
    /// It runs with the pipeline and the output folder it was submitted with.
    #[serde(default)]
    pub keeps_plan: bool,
    /// It was submitted with the name of a pipeline; reprocessing takes what that says then.
    #[serde(default)]
    pub is_by_name: bool,
    /// Whether it is skipped when another file with its content was delivered before its turn comes.
    #[serde(default)]
    pub skips_duplicates: bool,
    /// Length of its source, s; known once a worker has read it.
    #[serde(default)]
    pub audio_s: Option<f64>,
}

/// Jobs that were submitted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Its id.
    pub id: String,
    /// What its maker calls it.
    pub name: Option<String>,
    /// The pipeline of its jobs.
    pub pipeline: String,
    /// Hash of that pipeline.
    pub plan: String,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
    /// Its jobs that have not ended.
    pub open: u64,
    /// When the last of them ended, milliseconds since 1970.
    pub finished_ms: Option<u64>,
}

/// Files of one folder that get one gain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Hash of the pipeline that they are measured with.
    pub plan: String,
    /// Its files, by name.
    pub members: Vec<GroupMember>,
    /// What was measured; nothing is delivered before it is known.
    pub measured: Option<GroupMeasurements>,
}

/// A file of a group, as it was when the group was formed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Where it was found.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// BLAKE3 of its content, 64 hex digits; empty of a submitted file that was not read yet.
    pub hash: String,
    /// Why it is not measured: a worker died of it.
    pub left_out: Option<String>,
}

/// How a prepared job ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// As done.
    #[default]
    Done,
    /// As skipped: every export was left out.
    Skipped {
        /// One line.
        reason: String,
    },
    /// As rejected.
    Rejected {
        /// One line.
        reason: String,
    },
}

/// What becomes of a source, decided before it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRecord {
    /// It stays where it is.
    #[default]
    Kept,
    /// It is being moved.
    Moving {
        /// The new name; free when it was chosen.
        #[serde(with = "path_text")]
        to: PathBuf,
        /// Text for `<name>.reason.txt` beside it.
        reason: Option<String>,
        /// Whether `to` lies in a trash folder, which keeps a note of where the file was.
        is_trash: bool,
    },
    /// It was moved.
    Moved {
        /// Where it is.
        #[serde(with = "path_text")]
        to: PathBuf,
    },
    /// It is being deleted.
    Deleting,
    /// It was deleted.
    Deleted,
    /// It was left in place although it should not have been.
    Left {
        /// One line.
        reason: String,
    },
}

impl SourceRecord {
    /// Whether something is still to be done.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Moving { .. } | Self::Deleting)
    }
}

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttemptRecord {
    /// Start of the daemon that ran it.
    pub boot_id: String,
    /// When it began, milliseconds since 1970.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// A file that a job makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Attempt that makes it.
    pub attempt: u32,
    /// Export, chapters, page or report.
    pub kind: OutputKind,
    /// Its temporary name; empty when it is left out.
    #[serde(with = "path_text")]
    pub temporary: PathBuf,
    /// Its final name.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// What to do if that name is taken by then.
    pub on_conflict: OnConflict,
    /// How it takes its name.
    pub takes: NameClaim,
    /// How far it is.
    pub progress: OutputProgress,
    /// What is known of its sound.
    #[serde(default)]
    pub facts: OutputFacts,
}

/// What is known of a file's sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputFacts {
    /// Its length, s.
    pub duration_s: Option<f64>,
    /// Its loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Its true peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Its tags that are texts or numbers, by the names of the report.
    pub tags: BTreeMap<String, String>,
}

impl OutputFacts {
    /// These, and of others what is missing.
    #[must_use]
    pub(super) fn or(self, others: &Self) -> Self {
        let tags = if self.tags.is_empty() { others.tags.clone() } else { self.tags };
        Self {
            duration_s: self.duration_s.or(others.duration_s),
            integrated_lufs: self.integrated_lufs.or(others.integrated_lufs),
            true_peak_dbtp: self.true_peak_dbtp.or(others.true_peak_dbtp),
            tags,
        }
    }
}

/// Characters of a tag that the catalog keeps: what one searches for.
const TAG_CHARS_MAX: usize = 200;

/// Of tags as reports have them those that are texts or numbers, as texts.
pub fn tag_texts(tags: &Value) -> BTreeMap<String, String> {
    let text = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.chars().take(TAG_CHARS_MAX).collect(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((name.clone(), text))
    };
    tags.as_object().into_iter().flatten().filter_map(text).collect()
}

/// How far an output is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputProgress {
    /// It may be half written.
    Planned,
    /// It is complete under its temporary name.
    Prepared {
        /// Its size.
        size_bytes: u64,
        /// BLAKE3 of its bytes.
        blake3: String,
    },
    /// It is complete under its final name.
    Published {
        /// Its size.
        size_bytes: u64,
        /// BLAKE3 of its bytes.
        blake3: String,
    },
    /// It is left out.
    Skipped {
        /// One line.
        reason: String,
    },
}

/// A file we made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// The job that made it.
    pub job: String,
    /// The file it was made from.
    pub file: FileKey,
    /// Size, time and inode right after it was published.
    pub identity: FileIdentity,
    /// BLAKE3 of its bytes.
    pub blake3: String,
}

/// When the clock was looked at before files are deleted for their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRecord {
    /// The last time, milliseconds since 1970.
    pub seen_ms: u64,
    /// Until then it is not believed, milliseconds since 1970.
    pub doubted_until_ms: u64,
}

/// A pipeline as it was when jobs began with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Its name.
    pub name: String,
    /// Its TOML.
    pub text: String,
    /// The defaults it was read with.
    pub defaults: Defaults,
    /// Folder that its effects are relative to; empty in records that know of no effects.
    #[serde(with = "path_text", default)]
    pub folder: PathBuf,
}

/// What new jobs of a pipeline run with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentPlan {
    /// Hash of the pipeline.
    pub plan: String,
    /// Base of relative output paths.
    #[serde(with = "path_text")]
    pub output_root: PathBuf,
    /// Its priority.
    pub priority: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_kept_before_there_were_effects_has_no_folder() {
        let kept = r#"{"name":"a","text":"","defaults":{"target_lufs":null,"normalize":true}}"#;
        let plan: PlanRecord = serde_json::from_str(kept).unwrap();
        assert_eq!(plan.folder, PathBuf::new());
    }
}
