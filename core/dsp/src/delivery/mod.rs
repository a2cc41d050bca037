//! Delivery targets: what a broadcaster, a platform or a house asks of finished audio, and how a file
//! stands to it. Which targets there are is data of whoever calls; where the numbers come from stands in
//! each ([`Source`]).

mod playback;
mod verdict;

pub use playback::{Playback, PlaybackGain};
pub use verdict::{JudgedFile, Judgment, Outcome, Verdict, judge};

use serde::Serialize;
use wavemill_audio::units::{Dbtp, Lu, Lufs};

/// What is asked of a file. Limits that are `None` are not asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Target {
    /// What one types: lower case, digits and hyphens.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its purpose, in a few words.
    pub purpose: String,
    /// Target integrated loudness.
    pub integrated_lufs: Option<Lufs>,
    /// How far a file may be off, either way. `None`: nobody rejects a file for its loudness, so the
    /// difference is reported and not judged.
    pub tolerance_lu: Option<Lu>,
    /// Whether the loudness asked for is that of the dialogue alone, which is not measured: the file is
    /// neither passed nor failed, and the report says so.
    #[serde(rename = "dialogue_gated")]
    pub is_dialogue_gated: bool,
    /// Maximum short-term loudness.
    pub short_term_max_lufs: Option<Lufs>,
    /// Maximum momentary loudness.
    pub momentary_max_lufs: Option<Lufs>,
    /// Maximum loudness range.
    pub loudness_range_max_lu: Option<Lu>,
    /// Maximum true peak.
    pub true_peak_max_dbtp: Option<Dbtp>,
    /// Largest true peak of a file that is louder than the loudness to aim at: it loses more in lossy
    /// coding. `None` where the same limit holds.
    pub true_peak_max_if_louder_dbtp: Option<Dbtp>,
    /// Channel counts asked for; empty means any.
    pub channels: Vec<usize>,
    /// What is done to the level when the file is played; `None` where it is played as it is.
    pub playback: Option<Playback>,
    /// Where all this stands.
    pub source: Source,
    /// Notes.
    pub note: Option<String>,
}

/// Where the numbers of a target come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// Document, edition, clause; or the page's title.
    pub document: String,
    /// Its address.
    pub url: Option<String>,
    /// When it was looked up, as `2026-11-21`.
    pub checked: String,
    /// Whether the numbers were from the publisher; else they are what others report.
    #[serde(rename = "confirmed")]
    pub is_confirmed: bool,
}
