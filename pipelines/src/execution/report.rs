//! Fills in the report of a run.

use super::Correction;
use super::blueprint::Blueprint;
use super::group::StoredSignal;
use super::repeat::Repeat;
use super::source::{Input, duration};
use super::writer::WrittenFile;
use super::{Decision, Job, PreparedOutput};
use crate::ceiling::Peak;
use crate::model::{Export, Pipeline, Step, Task};
use crate::report::{
    self, ChaptersEntry, FileFacts, Findings, InputEntry, JobId, OutputEntry, PipelineId,
    RepeatEntry, ReplayGainEntry, Report, StepEntry, StepFacts, Verdict, WrittenEntry, measures,
};
use std::path::Path;
use wavemill_core::analysis::Analysis;
use wavemill_core::decode::Repair;
use wavemill_core::encode::LossyQuality;
use wavemill_core::loudness::{LoudnessReport, MonoMode};
use wavemill_core::tags::{GainBasis, ReplayGain};
use wavemill_core::units::Frames;

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
    pub(super) written: Option<&'a PreparedOutput>,
}

impl ReportedChapters<'_> {
    fn entry(&self) -> ChaptersEntry {
        match self.decision {
            Some(Decision::Skip { reason }) => {
                ChaptersEntry { skipped: Some(reason.clone()), ..ChaptersEntry::default() }
            }
            Some(Decision::Write { path, .. }) if self.count > 0 => ChaptersEntry {
                skipped: None,
                path: Some(path.to_string_lossy().into_owned()),
                count: Some(self.count),
                size_bytes: self.written.map(|file| file.size_bytes),
                blake3: self.written.map(|file| file.blake3.clone()),
            },
            _ => ChaptersEntry { count: Some(0), ..ChaptersEntry::default() },
        }
    }
}

/// What a report is made of.
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
    pub(super) fn report(&self) -> Report {
        let Source { input, repairs, frames, loudness, measures: groups } = self.source;
        let info = &input.info;
        let (length, hash) = (duration(info, frames), self.job.hash.clone());
        Report {
            version: report::VERSION,
            pipeline: PipelineId {
                name: self.pipeline.name.clone(),
                hash: self.pipeline.hash.clone(),
            },
            job: JobId { id: self.job.id.clone(), created: self.job.created.clone() },
            rejected: self.rejected.map(str::to_owned),
            input: InputEntry {
                file: FileFacts::new(input.path(), info, input.size_bytes(), length, hash),
                repairs: repairs.to_vec(),
            },
            tags: measures(&*input.tags),
            loudness: loudness.cloned(),
            measures: groups.map(others).unwrap_or_default(),
            steps: self.steps(),
            outputs: self.outputs(),
            gates: self.verdicts.to_vec(),
            warnings: self.warnings.to_vec(),
            chapters: self.chapters.as_ref().map(ReportedChapters::entry),
        }
    }

    fn steps(&self) -> Vec<StepEntry> {
        let Some(blueprint) = self.blueprint else { return Vec::new() };
        let steps = self.pipeline.steps.iter().zip(&blueprint.steps);
        let entry = |(step, state): (&Step, &Result<usize, String>)| {
            let entry = StepEntry {
                what: facts_of_step(step),
                id: step.id.clone(),
                ..StepEntry::default()
            };
            match state {
                Err(reason) => StepEntry { skipped: Some(reason.clone()), ..entry },
                Ok(stage) => {
                    let processor = &blueprint.stages[*stage].processor;
                    let latency = || processor.properties().latency.0;
                    StepEntry {
                        latency_frames: step.is_effect().then(latency),
                        findings: Some(Findings(processor.report().findings)),
                        ..entry
                    }
                }
            }
        };
        steps.map(entry).collect()
    }

    fn outputs(&self) -> Vec<OutputEntry> {
        let exports = self.pipeline.exports.iter().enumerate().zip(&self.outputs);
        let entry = |((index, export), output): ((usize, &Export), &Output<'_>)| {
            let skipped = |reason: &str| OutputEntry::Skipped {
                format: export.format.name.to_owned(),
                skipped: reason.to_owned(),
            };
            match (output.decision, output.stored) {
                (Decision::Skip { reason }, _) => skipped(reason),
                (Decision::Write { .. }, None) => skipped("the file was rejected"),
                (Decision::Write { path, .. }, Some(stored)) => OutputEntry::Written(Box::new(
                    self.written(index, export, output, path, stored),
                )),
            }
        };
        exports.map(entry).collect()
    }

    fn written(
        &self,
        index: usize,
        export: &Export,
        output: &Output<'_>,
        path: &Path,
        stored: &StoredSignal,
    ) -> WrittenEntry {
        let group = self
            .blueprint
            .and_then(|blueprint| blueprint.groups.get(*blueprint.group_of.get(index)?));
        let output_spec = group.map_or(&self.source.input.info.spec, |group| &group.output);
        // Lossy formats store no samples.
        let to = group.map(|group| group.to).filter(|_| export.format.lossy.is_none());
        let is_dual = group
            .is_some_and(|group| group.output.channel_count() == 1 && group.mono == MonoMode::Dual);
        let entry = WrittenEntry {
            path: path.to_string_lossy().into_owned(),
            format: export.format.name.to_owned(),
            bit_depth: to.map(|to| to.bit_depth),
            sample_format: to.map(|to| to.sample_format),
            sample_rate_hz: output_spec.sample_rate.0,
            channels: output_spec.channel_count(),
            dither: stored.dither.name().to_owned(),
            frames: stored.frames.0,
            size_bytes: output.written.map(|written| written.size_bytes),
            blake3: output.written.map(|written| written.blake3.clone()),
            clipped_samples: stored.clipped_samples,
            loudness: stored.loudness().cloned(),
            tags: output.written.map(|written| measures(&*written.tags)),
            repeated: output.repeated.map(repeat_entry).unwrap_or_default(),
            replay_gain: output.written.and_then(|it| it.replay_gain).map(replay_gain_entry),
            measures: others(&stored.measured),
            mono: is_dual.then(|| "dual".to_owned()),
            ..WrittenEntry::default()
        };
        match &export.format.lossy {
            Some(lossy) => {
                let spec = group.map(|group| &group.output);
                let decoded = output.written.and_then(|it| it.decoded.as_ref());
                let decoded = decoded.and_then(|decoded| decoded.loudness.as_ref());
                with_quality(
                    entry,
                    spec.and_then(|it| (lossy.resolve)(it, export.quality).ok()),
                    decoded,
                )
            }
            None => entry,
        }
    }
}

/// What the tags say; nothing where a file has no loudness, or no album.
fn replay_gain_entry(gain: ReplayGain) -> ReplayGainEntry {
    ReplayGainEntry {
        track_gain_db: gain.track.map(|track| track.gain().0),
        track_peak: gain.track.map(GainBasis::peak),
        album_gain_db: gain.album.map(|album| album.gain().0),
        album_peak: gain.album.map(GainBasis::peak),
    }
}

/// What lossy files have in place of bits, and what they sound like once they are decoded.
fn with_quality(
    entry: WrittenEntry,
    quality: Option<LossyQuality>,
    decoded: Option<&LoudnessReport>,
) -> WrittenEntry {
    let bit_rate = quality.and_then(LossyQuality::bit_rate);
    WrittenEntry {
        vbr_quality: match quality {
            Some(LossyQuality::Vbr(quality)) => Some(quality),
            _ => None,
        },
        bit_rate_kbps: bit_rate.map(|(kbps, _)| kbps),
        bit_rate_mode: bit_rate.map(|(_, mode)| mode.name().to_owned()),
        decoded_integrated_lufs: decoded.and_then(|it| it.integrated_lufs).map(|lufs| lufs.0),
        // The measure that ceilings are held to.
        decoded_true_peak_dbtp: decoded
            .and_then(LoudnessReport::larger_true_peak)
            .map(|peak| peak.0),
        ..entry
    }
}

/// How often an export was made, what was changed, and whether its ceiling holds now.
fn repeat_entry(repeated: &Repeat) -> RepeatEntry {
    let Correction { lower, louder } = repeated.correction;
    let ceiling = |is_it: fn(&Peak) -> bool| {
        repeated.ceiling.filter(|(peak, _)| is_it(peak)).map(|(peak, _)| peak.value())
    };
    RepeatEntry {
        attempts: Some(repeated.attempts),
        ceiling_lowered_db: repeated.is_limited.then_some(lower.0),
        target_raised_lu: (repeated.is_limited || louder.0 != 0.0).then_some(louder.0),
        gain_db: (!repeated.is_limited).then_some(-lower.0),
        ceiling_dbtp: ceiling(|peak| matches!(peak, Peak::True(_))),
        ceiling_dbfs: ceiling(|peak| !matches!(peak, Peak::True(_))),
        ceiling_kept: repeated.ceiling.map(|(_, is_kept)| is_kept),
    }
}

/// The groups beside loudness.
fn others(measured: &Analysis) -> Analysis {
    Analysis { loudness: None, ..measured.clone() }
}

/// What a step is, whether or not it ran.
pub(crate) fn facts_of_step(step: &Step) -> StepFacts {
    match &step.task {
        Task::BuiltIn { descriptor, .. } => {
            StepFacts { step: Some(descriptor.name.to_owned()), ..StepFacts::default() }
        }
        #[cfg(feature = "effects")]
        Task::Effect(effect) => StepFacts {
            step: None,
            effect: Some(effect.name.clone()),
            module: Some(effect.module_facts()),
            preset: effect.preset.clone(),
            keep_length: Some(effect.keep_length),
            params: Some(effect.params_json()),
        },
    }
}
