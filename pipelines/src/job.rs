//! A file to process, with all that its bytes and names depend on.

use crate::path_text;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use wavemill_core::loudness::{GroupLoudness, Piece};
use wavemill_core::tags::GainBasis;
use wavemill_core::units::Decibels;

/// One file to process, with all that names and dates depend on. Frozen when the job is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Identifies the job; also seeds nothing: bytes do not depend on it.
    pub id: String,
    /// 1 for the first attempt; part of temporary names.
    pub attempt: u32,
    /// The source.
    #[serde(with = "path_text")]
    pub input: PathBuf,
    /// Name it was found by, where it was moved since; empty is that of `input`.
    #[serde(default, with = "path_text")]
    pub name: PathBuf,
    /// Folder of the source below its watched root; empty for `run`.
    #[serde(with = "path_text")]
    pub reldir: PathBuf,
    /// When the job was made, RFC 3339 with offset and zone: the value of `{date}`.
    pub created: String,
    /// BLAKE3 of the source, 64 hex digits.
    pub hash: String,
    /// The files that get one gain with it; `None` treats it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<JobGroup>,
}

/// The files that a file gets one gain with, itself included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobGroup {
    /// What was measured of all of them.
    pub loudness: GroupLoudness,
    /// What was measured of this file; `None` lets the run measure it once more.
    pub piece: Option<Piece>,
    /// Files that belong to it and could not be measured.
    pub left_out: Vec<OmittedFile>,
    /// Their common correction of each export of the pipeline; empty where nothing can differ.
    #[serde(default)]
    pub exports: Vec<GroupCorrection>,
}

impl JobGroup {
    /// The same group with other corrections.
    #[must_use]
    pub(crate) fn with_exports(self, exports: &[GroupCorrection]) -> Self {
        Self { exports: exports.to_vec(), ..self }
    }
}

/// A file that a group is without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedFile {
    /// Its name, as people know it.
    pub name: String,
    /// One line.
    pub reason: String,
}

/// What a group found of an export, and what it changes about it in every file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupCorrection {
    /// What is changed.
    pub correction: Correction,
    /// How often the export was tried.
    pub attempts: usize,
    /// All files of the group as decoded; `None` where nothing was tried, since nothing can differ.
    pub heard: Option<GroupLoudness>,
    /// Loudness that is missing all the same; `None` where nothing asks for any.
    pub missing_lu: Option<f64>,
}

impl GroupCorrection {
    /// What the tags say of the album.
    pub(crate) fn album(&self) -> Option<GainBasis> {
        let decoded = self.heard?;
        Some(GainBasis { loudness: decoded.integrated_lufs?, true_peak: decoded.true_peak_dbtp? })
    }
}

/// What is changed about an export, compared with what its steps were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// How much lower the ceiling is; where no step limits to a ceiling, how much less gain it gets. Not
    /// negative.
    pub lower: Decibels,
    /// How much louder than its target it is made.
    pub louder: Decibels,
}

impl Correction {
    /// Everything as asked for.
    pub(crate) const NONE: Self = Self { lower: Decibels::ZERO, louder: Decibels::ZERO };
}

impl Default for Correction {
    fn default() -> Self {
        Self::NONE
    }
}
