//! The report of a run: what was done to a file, and what came out.
//!
//! Its JSON depends on the job only, never on when or where it ran.

mod advice;
mod facts;
pub mod html;
mod verdict;

pub use advice::AdviceText;
pub use facts::{FileFacts, measures};
pub use verdict::Verdict;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use wavemill_core::analysis::Analysis;
use wavemill_core::audio::SampleFormat;
use wavemill_core::decode::Repair;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::processor::{Finding, FindingValue};

/// Version of the report's shape; additions keep it, everything else raises it.
pub(crate) const VERSION: u32 = 1;

/// Smallest shortfall worth a line: half of what is shown as 0.1 LU.
const SHORTFALL_LU_MIN: f64 = 0.05;

/// Why a file without a limiter gets less than its target.
const CEILING_BINDS: &str = "the ceiling allows no more gain";

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// The pipeline that ran.
    pub pipeline: PipelineId,
    /// The job.
    pub job: JobId,
    /// Why a gate rejected the file; `None` where none did.
    pub rejected: Option<String>,
    /// The source.
    pub input: InputEntry,
    /// Tags of the source, as `wavemill tags` has them.
    pub tags: Value,
    /// Loudness of the source; `None` where it was not measured.
    pub loudness: Option<LoudnessReport>,
    /// The other groups of measures that were asked for, of the source.
    #[serde(flatten)]
    pub measures: Analysis,
    /// The steps, in the pipeline's order.
    pub steps: Vec<StepEntry>,
    /// The exports, in the pipeline's order.
    pub outputs: Vec<OutputEntry>,
    /// What gates asked for, and what they found.
    pub gates: Vec<Verdict>,
    /// What a person should look at, a line each.
    pub warnings: Vec<String>,
    /// The chapter file; `None` where the pipeline does not write one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chapters: Option<ChaptersEntry>,
}

/// Which pipeline ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineId {
    /// Its name.
    pub name: String,
    /// BLAKE3 of all that its outputs depend on, 64 hex digits.
    pub hash: String,
}

/// Which job it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobId {
    /// Its ID.
    pub id: String,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// A run's source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputEntry {
    /// What the file is.
    #[serde(flatten)]
    pub file: FileFacts,
    /// What was repaired of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
}

/// A step of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepEntry {
    /// What it is.
    #[serde(flatten)]
    pub what: StepFacts,
    /// Its name in the pipeline, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Frames by which an effect's output lags behind its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_frames: Option<u64>,
    /// What it found and did; `None` where it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
}

/// What a step is, whether or not it ran: built in, or an effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepFacts {
    /// Name of a built-in step.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Name of an effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The effect's module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<ModuleFacts>,
    /// The effect's preset, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Whether the effect's tail is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_length: Option<bool>,
    /// Every parameter of the effect as a pipeline would write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
}

/// Which module an effect is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFacts {
    /// Its ID.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
}

/// An export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutputEntry {
    /// It was left out.
    Skipped {
        /// Its format.
        format: String,
        /// Why.
        skipped: String,
    },
    /// It was written, or would be.
    Written(Box<WrittenEntry>),
}

/// An export that was written, or would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WrittenEntry {
    /// Where it is.
    pub path: String,
    /// Its format.
    pub format: String,
    /// Bits of a stored sample; `None` for lossy formats, which store none.
    pub bit_depth: Option<u16>,
    /// Integers or floats; `None` for lossy formats.
    pub sample_format: Option<SampleFormat>,
    /// Its sample rate.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: usize,
    /// Name of the dither.
    pub dither: String,
    /// Frames stored.
    pub frames: u64,
    /// Size; `None` where nothing was written.
    pub size_bytes: Option<u64>,
    /// BLAKE3 of the file, 64 hex digits; `None` where nothing was written.
    pub blake3: Option<String>,
    /// Samples that exceeded full scale.
    pub clipped_samples: u64,
    /// Loudness of what was stored, before encoding; `None` where it was not measured.
    pub loudness: Option<LoudnessReport>,
    /// Tags of the file; `None` where nothing was written.
    pub tags: Option<Value>,
    /// Quality of a variable bit rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vbr_quality: Option<u8>,
    /// Bit rate of a lossy file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_rate_kbps: Option<u16>,
    /// How the bit rate is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_rate_mode: Option<String>,
    /// Loudness of a lossy file as decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_integrated_lufs: Option<f64>,
    /// True peak of a lossy file as decoded: the measure that ceilings are held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_true_peak_dbtp: Option<f64>,
    /// How often it was made, where the first time did not keep its ceiling or loudness.
    #[serde(flatten)]
    pub repeated: RepeatEntry,
    /// What its tags say of its level, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_gain: Option<ReplayGainEntry>,
    /// The other groups of measures that were asked for.
    #[serde(flatten)]
    pub measures: Analysis,
    /// `dual` where a mono file's loudness counts as that of two channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mono: Option<String>,
}

/// How often an export was made, what was changed, and whether its ceiling holds; all `None` where once was enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RepeatEntry {
    /// How often it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<usize>,
    /// By how much the limiter's ceiling was lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_lowered_db: Option<f64>,
    /// By how much more loudness was aimed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_raised_lu: Option<f64>,
    /// Gain before encoding, where nothing limits to a lower ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_db: Option<f64>,
    /// The true-peak ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_dbtp: Option<f64>,
    /// The sample-peak ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_dbfs: Option<f64>,
    /// Whether the file keeps the ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_kept: Option<bool>,
}

/// What tags say of a file's level; `None` where a file has no loudness, or no album.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayGainEntry {
    /// Gain of the track.
    pub track_gain_db: Option<f64>,
    /// Amplitude of the track's peak.
    pub track_peak: Option<f64>,
    /// Gain of the album.
    pub album_gain_db: Option<f64>,
    /// Amplitude of the album's peak.
    pub album_peak: Option<f64>,
}

/// The chapter file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChaptersEntry {
    /// Why it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Number of chapters; without any there is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// BLAKE3 of the file, 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// What a step found and did: an object in JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings(pub Vec<Finding>);

impl Report {
    /// As JSON: levels rounded to thousandths, times to microseconds.
    pub fn to_json(&self) -> Value {
        measures(self)
    }

    /// Names of the built-in steps that ran, with what they found.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &Findings)> {
        let steps = self.steps.iter();
        steps.filter_map(|step| Some((step.what.step.as_deref()?, step.findings.as_ref()?)))
    }

    /// What a person should know beyond the numbers, a line each: a shortfall, a step that did nothing, a warning.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (step, found) in self.findings() {
            let shortfall = found.number("shortfall_lu").unwrap_or(0.0);
            if shortfall >= SHORTFALL_LU_MIN {
                let reason = found.text("refused").unwrap_or(CEILING_BINDS);
                notes.push(format!("{shortfall:.1} LU short of the target: {reason}"));
            }
            if let Some(reason) = found.text("left_alone") {
                notes.push(format!("{step} did not change the audio ({reason})"));
            }
            if let Some(reason) = found.text("only_lowered_to_ceiling") {
                notes.push(format!("{step} only lowered the audio to the ceiling ({reason})"));
            }
        }
        notes.extend(self.outputs.iter().filter_map(|output| match output {
            OutputEntry::Skipped { format, skipped } => {
                Some(format!("{format} left out: {skipped}"))
            }
            OutputEntry::Written(_) => None,
        }));
        let skipped = self.chapters.as_ref().and_then(|chapters| chapters.skipped.as_ref());
        notes.extend(skipped.map(|reason| format!("chapters left out: {reason}")));
        notes.extend(self.warnings.iter().cloned());
        notes
    }

    /// The exports that were written, or would be.
    pub fn written(&self) -> impl Iterator<Item = &WrittenEntry> {
        self.outputs.iter().filter_map(|output| match output {
            OutputEntry::Written(written) => Some(written.as_ref()),
            OutputEntry::Skipped { .. } => None,
        })
    }
}

impl Findings {
    /// A number, where there is one.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            FindingValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether something holds, where that was found.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            FindingValue::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A text, where there is one.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            FindingValue::Text(text) => Some(text),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&FindingValue> {
        self.0.iter().find(|finding| finding.key == key).map(|finding| &finding.value)
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.0.len()))?;
        for finding in &self.0 {
            members.serialize_entry(&finding.key, &finding.value)?;
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Findings;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of findings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Findings, M::Error> {
                let mut findings = Vec::new();
                while let Some((key, value)) = members.next_entry::<String, FindingValue>()? {
                    findings.push(Finding { key: Cow::Owned(key), value });
                }
                Ok(Findings(findings))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, findings: Vec<Finding>) -> StepEntry {
        let what = StepFacts { step: Some(name.to_owned()), ..StepFacts::default() };
        StepEntry { what, findings: Some(Findings(findings)), ..StepEntry::default() }
    }

    fn example() -> Report {
        Report {
            steps: vec![
                step("loudness", vec![Finding::number("shortfall_lu", 1.24)]),
                step(
                    "loudness",
                    vec![
                        Finding::number("shortfall_lu", 0.5),
                        Finding::text("refused", "another decibel brings less than 0.1 LU"),
                    ],
                ),
                step("peak-normalize", vec![Finding::text("left_alone", "silent")]),
                StepEntry { skipped: Some("not its channels".to_owned()), ..StepEntry::default() },
                step(
                    "loudness",
                    vec![
                        Finding::text("only_lowered_to_ceiling", "no loudness"),
                        Finding::number("gain_db", -1.0),
                        Finding::number("shortfall_lu", None),
                    ],
                ),
            ],
            outputs: vec![OutputEntry::Skipped {
                format: "flac".to_owned(),
                skipped: "/o/a.flac already exists".to_owned(),
            }],
            chapters: Some(ChaptersEntry {
                skipped: Some("/o/a.json already exists".to_owned()),
                ..ChaptersEntry::default()
            }),
            warnings: vec!["a tag was cut".to_owned()],
            ..Report::default()
        }
    }

    #[test]
    fn report_without_anything_has_no_notes() {
        assert!(Report::default().notes().is_empty());
    }

    #[test]
    fn shortfall_and_steps_that_did_nothing_are_noted() {
        assert_eq!(
            example().notes(),
            [
                "1.2 LU short of the target: the ceiling allows no more gain",
                "0.5 LU short of the target: another decibel brings less than 0.1 LU",
                "peak-normalize did not change the audio (silent)",
                "loudness only lowered the audio to the ceiling (no loudness)",
                "flac left out: /o/a.flac already exists",
                "chapters left out: /o/a.json already exists",
                "a tag was cut",
            ]
        );
    }

    #[test]
    fn report_comes_back_from_its_json() {
        let mut report = example();
        let written =
            WrittenEntry { frames: 7, mono: Some("dual".to_owned()), ..WrittenEntry::default() };
        report.outputs.push(OutputEntry::Written(Box::new(written)));
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}
