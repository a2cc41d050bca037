//! Tags in a common model, whatever container they were read from.

mod bext;
mod broadcast;
mod by_lofty;
mod cue;
mod field;
mod id3_frames;
mod ixml;
mod markers;
mod read;
mod replay_gain;
mod several;
mod text;
mod wav_cues;

pub use cue::{CUE_COUNT_MAX, Cue, CueEnd, Place, shift_cues};
pub(crate) use cue::{Chapter, chapters, spans};
pub use field::{Field, NoValue};
pub use ixml::Recording;
pub use read::{TagReading, read};
pub use replay_gain::{GainBasis, REFERENCE, ReplayGain};
pub use several::FieldValues;
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
pub(crate) use text::clean;

use serde::Serialize;
use wavemill_audio::units::{Dbtp, Lu, Lufs};

/// Descriptive tags of a file. Absent fields are `None`, never empty text.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are the usual names of tags")]
pub struct Tags {
    pub title: Option<String>,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub album_artist: Option<String>,
    pub composer: Option<String>,
    pub genre: Option<String>,
    /// As written: `2024` or `2024-05-01`.
    pub date: Option<String>,
    pub year: Option<u32>,
    pub track: Option<u32>,
    pub track_total: Option<u32>,
    pub disc: Option<u32>,
    pub disc_total: Option<u32>,
    pub bpm: Option<f64>,
    pub key: Option<String>,
    pub isrc: Option<String>,
    pub comment: Option<String>,
    pub copyright: Option<String>,
    pub lyrics: Option<String>,
    /// All values of the fields that have several; see [`Tags::values`].
    #[serde(skip_serializing_if = "FieldValues::is_empty")]
    pub values: FieldValues,
    /// Contents of a `bext` chunk.
    pub broadcast: Option<Broadcast>,
    /// Contents of an `iXML` chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recording>,
    /// Cue points, regions and chapters, in the order of time; at most [`CUE_COUNT_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cues: Vec<Cue>,
    /// Pictures; shown in JSON by size and kind only.
    pub pictures: Vec<Picture>,
    /// What players shall do about the level: written where it is asked for, never read, because
    /// processing makes it wrong.
    #[serde(skip)]
    pub replay_gain: Option<ReplayGain>,
}

impl Tags {
    /// The values of a field, in their order: several where several were read, one where one was, none where it
    /// is empty.
    pub fn values(&self, field: Field) -> Vec<String> {
        let text = field.get(self);
        match (self.values.of(field), text) {
            // A field that was set anew has forgotten what it had.
            (Some(values), Some(text)) if joined(values) == text => values.to_vec(),
            (_, text) => text.into_iter().collect(),
        }
    }

    /// Gives a field these values; the field itself has them joined. Fields that cannot have several get them
    /// joined only.
    pub fn set_values(&mut self, field: Field, values: Vec<String>) {
        // Text is a value of every field that can have several.
        let _ = field.set(self, &joined(&values));
        if field.has_several() && values.len() > 1 {
            self.values.keep(field, values);
        }
    }
}

/// Several values as one text.
fn joined(values: &[String]) -> String {
    values.join("; ")
}

/// Broadcast information of a WAVE file.
///
/// Source: EBU Tech 3285 v2, `bext` chunk.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Broadcast {
    /// What the sequence is.
    pub description: Option<String>,
    /// Who made the file.
    pub originator: Option<String>,
    /// The originator's reference.
    pub reference: Option<String>,
    /// `yyyy-mm-dd`.
    pub date: Option<String>,
    /// `hh:mm:ss`.
    pub time: Option<String>,
    /// First frame since midnight.
    pub time_reference: Option<u64>,
    /// How it came to be, a line a process, as EBU R 98 writes it.
    pub coding_history: Option<String>,
    /// How loud the samples are: written where it was measured, never read, because processing makes it
    /// wrong.
    #[serde(skip)]
    pub loudness: Option<BroadcastLoudness>,
}

/// Loudness of a Broadcast Wave file; `None` where there is none, as of silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BroadcastLoudness {
    /// Integrated loudness.
    pub integrated: Option<Lufs>,
    /// Loudness range.
    pub range: Option<Lu>,
    /// Largest true peak, by the standard's measure.
    pub true_peak: Option<Dbtp>,
    /// Maximum momentary loudness.
    pub momentary_max: Option<Lufs>,
    /// Maximum short-term loudness.
    pub short_term_max: Option<Lufs>,
}

/// An embedded picture.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Serialize)]
pub struct Picture {
    /// `front cover`, `back cover`, `other`...
    pub kind: &'static str,
    /// Media type, as `image/jpeg`.
    pub media_type: String,
    /// Description by the tagger.
    pub description: Option<String>,
    /// The picture's file.
    #[serde(serialize_with = "byte_count")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {}, {} bytes)", self.kind, self.media_type, self.bytes.len())
    }
}

#[expect(clippy::ptr_arg, reason = "serde passes a reference to the field")]
fn byte_count<S: serde::Serializer>(bytes: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(bytes.len() as u64)
}
