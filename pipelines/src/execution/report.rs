//! The report of a run: JSON whose bytes depend on the job only, never on when or where it ran.

use super::Correction;
use super::again::Repeat;
use super::blueprint::Blueprint;
use super::facts::{self, FileFacts};
use super::gates::Verdict;
use super::group::StoredSignal;
use super::source::{Input, duration};
use super::writer::WrittenFile;
use super::{Decision, Job, Prepared};
use crate::model::{Pipeline, Step, Task};
use serde_json::{Map, Value, json};
use wavemill_core::analysis::{Analysis, Group};
use wavemill_core::audio::StreamSpec;
use wavemill_core::decode::Repair;
use wavemill_core::encode::{Lossy, LossyQuality};
use wavemill_core::loudness::{LoudnessReport, MonoMode};
use wavemill_core::processor::Finding;
use wavemill_core::tags::{Leveled, ReplayGain};
use wavemill_core::units::Frames;

/// Version of the report's shape; additions keep it, everything else raises it.
const VERSION: u32 = 1;

/// What is known of the source.
pub(super) struct Source<'a> {
    pub(super) input: &'a Input,
    pub(super) repairs: &'a [Repair],
    pub(super) frames: Option<Frames>,
    pub(super) loudness: Option<&'a LoudnessReport>,
    /// The other groups that the report holds.
    pub(super) measures: Option<&'a Analysis>,
}

/// What became of an export.
pub(super) struct Output<'a> {
    pub(super) decision: &'a Decision,
    /// `None` when nothing came to be stored.
    pub(super) stored: Option<&'a StoredSignal>,
    /// `None` when it was not written.
    pub(super) written: Option<&'a WrittenFile>,
    /// `None` where the first attempt kept its ceiling.
    pub(super) repeated: Option<&'a Repeat>,
}

/// What became of the chapters.
pub(super) struct ReportedChapters<'a> {
    pub(super) count: usize,
    /// `None` where it was known from the start that there would be none.
    pub(super) decision: Option<&'a Decision>,
    /// `None` when they were not written.
    pub(super) written: Option<&'a Prepared>,
}

impl ReportedChapters<'_> {
    fn to_json(&self) -> Value {
        match self.decision {
            Some(Decision::Skip { reason }) => json!({ "skipped": reason }),
            Some(Decision::Write { path, .. }) if self.count > 0 => json!({
                "path": path.to_string_lossy(),
                "count": self.count,
                "size_bytes": self.written.map(|file| file.size_bytes),
                "blake3": self.written.map(|file| &file.blake3),
            }),
            _ => json!({ "count": 0 }),
        }
    }
}

/// All that a report tells.
pub(super) struct ReportParts<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) job: &'a Job,
    pub(super) source: Source<'a>,
    /// `None` when the run ended before its steps were known.
    pub(super) blueprint: Option<&'a Blueprint>,
    pub(super) outputs: Vec<Output<'a>>,
    /// `None` where the pipeline does not write them, and where nothing is written.
    pub(super) chapters: Option<ReportedChapters<'a>>,
    pub(super) verdicts: &'a [Verdict],
    pub(super) rejected: Option<&'a str>,
    pub(super) warnings: &'a [String],
}

impl ReportParts<'_> {
    pub(super) fn to_json(&self) -> Value {
        let Source { input, repairs, frames, loudness, measures } = &self.source;
        let info = &input.info;
        let (length, hash) = (duration(info, *frames), self.job.hash.clone());
        let file = FileFacts::new(input.path(), info, input.size_bytes(), length, hash);
        let mut report = json!({
            "version": VERSION,
            "pipeline": { "name": self.pipeline.name, "hash": self.pipeline.hash },
            "job": { "id": self.job.id, "created": self.job.created },
            "rejected": self.rejected,
            "input": facts::measures(&file),
            "tags": facts::measures(&*input.tags),
            "loudness": loudness.map(facts::measures),
            "steps": self.steps(),
            "outputs": self.outputs(),
            "gates": self.verdicts.iter().map(facts::measures).collect::<Vec<_>>(),
            "warnings": self.warnings,
        });
        if let Some(chapters) = &self.chapters {
            report["chapters"] = chapters.to_json();
        }
        if !repairs.is_empty() {
            report["input"]["repairs"] = facts::measures(repairs);
        }
        if let Some(measures) = measures {
            report = with_groups(report, "steps", measures);
        }
        report
    }

    fn steps(&self) -> Vec<Value> {
        let Some(blueprint) = self.blueprint else { return Vec::new() };
        let steps = self.pipeline.steps.iter().zip(&blueprint.steps);
        steps
            .map(|(step, state)| {
                let mut entry = facts_of_step(step);
                if let Some(id) = &step.id {
                    entry.insert("id".to_owned(), json!(id));
                }
                match state {
                    Err(reason) => entry.insert("skipped".to_owned(), json!(reason)),
                    Ok(stage) => {
                        let processor = &blueprint.stages[*stage].processor;
                        if step.is_effect() {
                            let latency = processor.latency().0;
                            entry.insert("latency_frames".to_owned(), json!(latency));
                        }
                        entry.insert("findings".to_owned(), findings(&processor.findings()))
                    }
                };
                Value::Object(entry)
            })
            .collect()
    }

    fn outputs(&self) -> Vec<Value> {
        let exports = self.pipeline.exports.iter().enumerate().zip(&self.outputs);
        exports
            .map(|((index, export), output)| match (output.decision, output.stored) {
                (Decision::Skip { reason }, _) => {
                    json!({ "format": export.format.name, "skipped": reason })
                }
                (Decision::Write { .. }, None) => {
                    json!({ "format": export.format.name, "skipped": "the file was rejected" })
                }
                (Decision::Write { path, .. }, Some(stored)) => {
                    let group = self.blueprint.and_then(|blueprint| {
                        blueprint.groups.get(*blueprint.group_of.get(index)?)
                    });
                    let to = group.map(|group| group.to);
                    let mut entry = json!({
                        "path": path.to_string_lossy(),
                        "format": export.format.name,
                        "bit_depth": to.map(|to| to.bit_depth),
                        "sample_format": to.map(|to| to.sample_format),
                        "dither": stored.dither.name(),
                        "frames": stored.frames.0,
                        "size_bytes": output.written.map(|written| written.size_bytes),
                        "blake3": output.written.map(|written| &written.blake3),
                        "clipped_samples": stored.clipped_samples,
                        "loudness": stored.loudness().map(facts::measures),
                        "tags": output.written.map(|written| facts::measures(&*written.tags)),
                    });
                    if let Some(lossy) = &export.format.lossy {
                        let spec = group.map(|group| &group.output);
                        let decoded = output.written.and_then(|it| it.decoded.as_ref());
                        let decoded = decoded.and_then(|decoded| decoded.loudness.as_ref());
                        add_lossy(&mut entry, export.quality, lossy, spec, decoded);
                    }
                    if let Some(repeated) = output.repeated {
                        add_repeat(&mut entry, repeated);
                    }
                    if let Some(gain) = output.written.and_then(|it| it.replay_gain) {
                        entry["replay_gain"] = replay_gain_entry(gain);
                    }
                    entry = with_groups(entry, "", &stored.measured);
                    if group.is_some_and(|group| {
                        group.output.channel_count() == 1 && group.mono == MonoMode::Dual
                    }) {
                        entry["mono"] = json!("dual");
                    }
                    entry
                }
            })
            .collect()
    }
}

/// What the tags say; `null` where a file has no loudness, or no album.
fn replay_gain_entry(gain: ReplayGain) -> Value {
    json!({
        "track_gain_db": gain.track.map(|track| track.gain().0),
        "track_peak": gain.track.map(Leveled::peak),
        "album_gain_db": gain.album.map(|album| album.gain().0),
        "album_peak": gain.album.map(Leveled::peak),
    })
}

/// What lossy files have in place of bits, and what they sound like once they are decoded.
fn add_lossy(
    entry: &mut Value,
    asked: Option<LossyQuality>,
    lossy: &Lossy,
    spec: Option<&StreamSpec>,
    decoded: Option<&LoudnessReport>,
) {
    for key in ["bit_depth", "sample_format"] {
        entry[key] = Value::Null;
    }
    match spec.and_then(|spec| (lossy.resolve)(spec, asked).ok()) {
        Some(LossyQuality::Vbr(quality)) => entry["vbr_quality"] = json!(quality),
        quality => {
            if let Some((kbps, mode)) = quality.and_then(LossyQuality::bit_rate) {
                entry["bit_rate_kbps"] = json!(kbps);
                entry["bit_rate_mode"] = json!(mode.name());
            }
        }
    }
    if let Some(decoded) = decoded {
        entry["decoded_integrated_lufs"] = json!(decoded.integrated_lufs);
        // The measure that ceilings are held to.
        entry["decoded_true_peak_dbtp"] = json!(decoded.larger_true_peak());
    }
    *entry = facts::tidy(entry.take());
}

/// How often an export was made, what was changed, and whether its ceiling holds now.
fn add_repeat(entry: &mut Value, repeated: &Repeat) {
    let Correction { lower, louder } = repeated.correction;
    entry["attempts"] = json!(repeated.attempts);
    if repeated.is_limited {
        entry["ceiling_lowered_db"] = json!(lower.0);
        entry["target_raised_lu"] = json!(louder.0);
    } else {
        entry["gain_db"] = json!(-lower.0);
    }
    if let Some((ceiling, is_kept)) = repeated.ceiling {
        entry[format!("ceiling_{}", ceiling.unit().to_lowercase())] = json!(ceiling.value());
        entry["ceiling_kept"] = json!(is_kept);
    }
}

/// `entry` with the groups of measures beside loudness before the key `before`, or at its end.
fn with_groups(entry: Value, before: &str, measured: &Analysis) -> Value {
    let (Value::Object(entry), Value::Object(groups)) = (entry, facts::measures(measured)) else {
        unreachable!("both are written as objects");
    };
    let groups = groups.into_iter().filter(|(name, _)| name != Group::Loudness.name());
    let mut groups: Vec<(String, Value)> = groups.collect();
    let mut members = Map::new();
    for (key, value) in entry {
        if key == before {
            members.extend(groups.drain(..));
        }
        members.insert(key, value);
    }
    members.extend(groups);
    Value::Object(members)
}

/// What a step is, whether or not it ran.
pub(crate) fn facts_of_step(step: &Step) -> Map<String, Value> {
    let mut entry = Map::new();
    match &step.task {
        Task::BuiltIn { descriptor, .. } => {
            entry.insert("use".to_owned(), json!(descriptor.name));
        }
        #[cfg(feature = "effects")]
        Task::Effect(effect) => {
            entry.insert("effect".to_owned(), json!(effect.name));
            entry.insert("module".to_owned(), effect.module_json());
            if let Some(preset) = &effect.preset {
                entry.insert("preset".to_owned(), json!(preset));
            }
            entry.insert("keep_length".to_owned(), json!(effect.keep_length));
            entry.insert("params".to_owned(), effect.params_json());
        }
    }
    entry
}

fn findings(found: &[Finding]) -> Value {
    let members = found
        .iter()
        .map(|finding| (finding.key.to_owned(), facts::measures(&finding.value)))
        .collect();
    facts::tidy(Value::Object(members))
}
