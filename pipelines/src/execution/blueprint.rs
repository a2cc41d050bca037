//! What a run will do, with everything built that can be built before the first sample.

use super::format;
use super::references::References;
use super::source::{Input, duration};
use super::stage::Stage;
use super::when::{Facts, skip_reason};
use super::{JobGroup, RunError};
use crate::ceiling::Peak;
use crate::error::refused;
use crate::model::{After, Export, Pipeline, Step};
use std::ops::Range;
use std::sync::Arc;
use wavemill_core::analysis::Analysis;
use wavemill_core::audio::{PcmFormat, SampleFormat, StreamSpec};
use wavemill_core::descriptor::{ParamValue, Params};
use wavemill_core::encode::{Dither, EncodeSettings, FormatDescriptor};
use wavemill_core::loudness::{GroupLoudness, LoudnessReport, MonoMode};
use wavemill_core::processor::{StepProcessor, WholeFile};
use wavemill_core::processors;
use wavemill_core::tags::{self, Broadcast, Cue, GainBasis, Recording, ReplayGain, Tags};
use wavemill_core::units::{Decibels, Frames, SampleRate};

/// What a scan of the source found, or its header promised.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceFacts {
    /// Frames of the source.
    pub(crate) frames: Option<Frames>,
    /// Its loudness, if measured.
    pub(crate) loudness: Option<LoudnessReport>,
    /// The other groups that the report holds, if measured.
    pub(crate) measures: Option<Analysis>,
    /// The files that it gets one gain with.
    pub(crate) group: Option<JobGroup>,
    /// The recordings that its steps go by.
    pub(crate) references: References,
}

impl SourceFacts {
    /// What conditions of steps look at.
    pub(super) fn facts<'i>(&self, input: &'i Input) -> Facts<'i> {
        Facts {
            duration: duration(&input.info, self.frames),
            channel_count: input.info.spec.channel_count(),
            tags: &input.tags,
            integrated: self.loudness.as_ref().and_then(|report| report.integrated_lufs),
        }
    }
}

/// What a run will do.
pub(crate) struct Blueprint {
    /// The steps that run, in order.
    pub(crate) stages: Vec<Stage>,
    /// For each step of the pipeline the index of its stage, or why it does not run.
    pub(crate) steps: Vec<Result<usize, String>>,
    pub(crate) passes: Vec<Pass>,
    pub(crate) groups: Vec<ExportGroupPlan>,
    /// For each export its group.
    pub(crate) group_of: Vec<usize>,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
    /// Rate of the source.
    source_rate: SampleRate,
}

/// One way of the signal from a feed to its takers.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    /// Whether the source is decoded; else the spool of the pass before is read.
    pub(crate) decodes: bool,
    /// The stages that run.
    pub(crate) stages: Range<usize>,
    /// The stage that observes their output, for the next pass.
    pub(crate) observer: Option<usize>,
    /// Whether their output is spooled for the next pass.
    pub(crate) spools: bool,
}

/// What a step promises of the peaks of its output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ceiling {
    /// The step's name.
    pub(super) step: &'static str,
    /// Its stage.
    pub(super) stage: usize,
    /// The peak that is not exceeded.
    pub(super) peak: Peak,
    /// Whether it aims at a loudness, too.
    pub(super) is_aimed: bool,
}

/// Exports that store the same samples.
pub(crate) struct ExportGroupPlan {
    /// The stage after which the signal is taken; `None` is the decoder.
    pub(crate) tap: Option<usize>,
    pub(crate) input: StreamSpec,
    pub(crate) output: StreamSpec,
    /// What the export itself changes: its channels, then its rate.
    pub(crate) conversions: Vec<Stage>,
    /// Format of the source's file.
    pub(crate) source: PcmFormat,
    /// Format of the samples that come.
    pub(crate) from: PcmFormat,
    pub(crate) to: PcmFormat,
    pub(crate) dither: Dither,
    /// How the last loudness step counts a mono file.
    pub(crate) mono: MonoMode,
    /// What the peaks should not exceed.
    pub(super) ceiling: Option<Ceiling>,
    /// Whether channels were mixed or the rate was converted since the step that promises the ceiling.
    pub(crate) is_raised: bool,
    /// What was asked for where it differs from the signal.
    channels: Option<usize>,
    rate: Option<u32>,
}

impl ExportGroupPlan {
    /// Whether every sample of the source is kept.
    pub(crate) fn is_exact(&self) -> bool {
        self.tap.is_none() && self.conversions.is_empty() && self.source.fits(self.to)
    }

    /// Whether channels are mixed for it, rather than in a step.
    pub(crate) fn is_mixed(&self) -> bool {
        self.channels.is_some()
    }

    /// The stages that convert for it, anew, and one that turns the result down by so much: for another export
    /// of what was taken already.
    pub(crate) fn convert_again(&mut self, lower: Decibels) -> Result<(), RunError> {
        let mut stages = conversions(&self.input, self.channels, self.rate).map_err(refused)?;
        if lower > Decibels::ZERO {
            let key = ("gain", "gain_db", ParamValue::Number(-lower.0));
            let processor = build(key, &self.output).map_err(refused)?;
            stages.push(Stage::new("gain".to_owned(), processor, self.output.clone()));
        }
        self.conversions = stages;
        Ok(())
    }

    /// Frames that it stores of `frames` that come.
    pub(crate) fn output_length(&self, frames: Frames) -> Frames {
        let convert = |frames, stage: &Stage| stage.processor.span(frames).length;
        self.conversions.iter().fold(frames, convert)
    }
}

impl Blueprint {
    /// Draws it for a source. What conditions need must be known.
    pub(crate) fn draw(
        pipeline: &Pipeline,
        input: &Input,
        known: &SourceFacts,
    ) -> Result<Self, RunError> {
        let group = known.group.as_ref();
        let (stages, steps) = build_stages(pipeline, input, known)?;
        let passes = cut_into_passes(&stages, input.info.lossless);
        let mut blueprint = Self {
            stages,
            steps,
            passes,
            groups: Vec::new(),
            group_of: Vec::new(),
            warnings: input.warnings.iter().cloned().chain(left_out(group)).collect(),
            source_rate: input.info.spec.sample_rate,
        };
        for (index, export) in pipeline.exports.iter().enumerate() {
            blueprint.add_export(pipeline, index, export, input)?;
        }
        Ok(blueprint)
    }

    /// Whether the first pass must know the source's length.
    pub(crate) fn needs_length(&self) -> bool {
        let first = self.passes.first().map_or(0..0, |pass| pass.stages.clone());
        self.stages[first].iter().any(|stage| stage.processor.properties().needs_length)
    }

    /// The step that measures the loudness of the source itself, if one does before anything runs.
    pub(crate) fn source_observer(&self) -> Option<&Stage> {
        let first = self.passes.first().filter(|pass| pass.stages.is_empty())?;
        let stage = &self.stages[first.observer?];
        stage.processor.whole_file()?.observed_loudness().map(|_| stage)
    }

    /// The pass that feeds a group: decoded samples come with the last pass that decodes.
    pub(crate) fn pass_of(&self, group: usize) -> usize {
        match self.groups[group].tap {
            None => self.passes.iter().rposition(|pass| pass.decodes).unwrap_or_default(),
            Some(stage) => {
                self.passes.iter().position(|pass| pass.stages.contains(&stage)).unwrap_or_default()
            }
        }
    }

    /// The settings of an export's writer; `tags` are as if nothing were processed.
    pub(crate) fn settings(
        &self,
        export: &Export,
        group: usize,
        frame_count: Option<Frames>,
        tags: &Arc<Tags>,
    ) -> EncodeSettings {
        let group = &self.groups[group];
        let placed = self.with_cues_placed(group, tags, frame_count);
        EncodeSettings {
            spec: group.output.clone(),
            format: group.to,
            frame_count,
            compression_level: export.compression_level,
            quality: export.quality,
            tags: self.tags(group, &placed, export.replay_gain),
        }
    }

    /// Format of the samples a group takes: the source's own where no step changes a sample, so that
    /// its integers come out as they went in. Valid once the steps up to its tap have begun.
    pub(crate) fn taken_format(&self, group: usize, input: &Input) -> PcmFormat {
        let group = &self.groups[group];
        // Floats hold 24 bits exactly.
        let is_kept = input.info.lossless
            && group.source.sample_format == SampleFormat::Int
            && group.source.bit_depth <= 24
            && self
                .up_to(group.tap)
                .iter()
                .all(|stage| stage.processor.properties().is_transparent);
        if is_kept { group.source } else { group.from }
    }

    /// The tags of an export. The time of its first frame moves with the frames that steps cut off or
    /// add before it, and is left out where it is not known how many they are.
    fn tags(&self, group: &ExportGroupPlan, tags: &Arc<Tags>, replay_gain: bool) -> Arc<Tags> {
        let tags = self.tags_of_source(group, tags);
        if !replay_gain {
            return tags;
        }
        let album = self.album(group).and_then(|album| {
            Some(GainBasis { loudness: album.integrated_lufs?, true_peak: album.true_peak_dbtp? })
        });
        Arc::new(Tags {
            replay_gain: Some(ReplayGain { track: None, album }),
            ..Tags::clone(&tags)
        })
    }

    /// Loudness of all files that belong together, where an export stores it. Valid once the steps up to the
    /// export's tap have begun.
    fn album(&self, group: &ExportGroupPlan) -> Option<GroupLoudness> {
        self.grouping_step(group)?.group_behind()
    }

    /// The step that treats files together, where an export stores what it makes of them: behind it nothing
    /// changes a sample but a conversion of the rate. Valid once the steps up to the export's tap have begun.
    pub(crate) fn grouping_step(&self, group: &ExportGroupPlan) -> Option<&dyn WholeFile> {
        let stages = self.up_to(group.tap);
        let at = stages.iter().position(is_grouping)?;
        let is_kept = |stage: &Stage| stage.processor.properties().is_transparent;
        let is_known = !group.is_mixed() && stages[at + 1..].iter().all(is_kept);
        stages[at].processor.whole_file().filter(|_| is_known)
    }

    /// Whether a step before an export treats files together. Valid as [`Self::grouping_step`].
    pub(crate) fn is_grouped(&self, group: &ExportGroupPlan) -> bool {
        self.up_to(group.tap).iter().any(is_grouping)
    }

    fn tags_of_source(&self, group: &ExportGroupPlan, tags: &Arc<Tags>) -> Arc<Tags> {
        let behind = |time: Option<u64>| {
            let mut stages = self.up_to(group.tap).iter().chain(&group.conversions);
            stages.try_fold(time?, |time, stage| stage.time_behind(time))
        };
        let broadcast = tags.broadcast.as_ref().and_then(|broadcast| {
            let time_reference = behind(broadcast.time_reference);
            let is_same = time_reference == broadcast.time_reference;
            (!is_same).then(|| Broadcast { time_reference, ..broadcast.clone() })
        });
        let recording = tags.recording.as_ref().and_then(|recording| {
            let time_reference = behind(recording.time_reference);
            let is_same = time_reference == recording.time_reference;
            (!is_same).then(|| Recording { time_reference, ..recording.clone() })
        });
        if broadcast.is_none() && recording.is_none() {
            return Arc::clone(tags);
        }
        let mut moved = Tags::clone(tags);
        moved.broadcast = broadcast.or(moved.broadcast);
        moved.recording = recording.or(moved.recording);
        Arc::new(moved)
    }

    /// The tags with their cue points and chapters where the steps moved them to. What was cut off is left out,
    /// as are all of them where it is not known what became of them.
    fn with_cues_placed(
        &self,
        group: &ExportGroupPlan,
        tags: &Arc<Tags>,
        frame_count: Option<Frames>,
    ) -> Arc<Tags> {
        if tags.cues.is_empty() {
            return Arc::clone(tags);
        }
        let stages = self.up_to(group.tap).iter().chain(&group.conversions);
        let cues = self.moved(&tags.cues, &stages, frame_count.unwrap_or_default());
        Arc::new(Tags { cues, ..Tags::clone(tags) })
    }

    /// Cues of the source behind the last step, which delivered `frame_count` frames, and the rate there. Valid
    /// once all steps have begun.
    pub(crate) fn cues_behind_all(
        &self,
        cues: &[Cue],
        frame_count: Frames,
    ) -> (Vec<Cue>, SampleRate) {
        let rate = self.stages.last().map_or(self.source_rate, |last| last.output.sample_rate);
        (self.moved(cues, &self.stages.iter(), frame_count), rate)
    }

    fn moved<'s>(
        &self,
        cues: &[Cue],
        stages: &(impl Iterator<Item = &'s Stage> + Clone),
        frame_count: Frames,
    ) -> Vec<Cue> {
        let place_of =
            |frame: u64| stages.clone().try_fold(frame, |frame, stage| stage.place_of(frame));
        tags::shift_cues(cues, self.source_rate, frame_count.0, place_of)
    }

    fn up_to(&self, tap: Option<usize>) -> &[Stage] {
        &self.stages[..tap.map_or(0, |stage| stage + 1)]
    }

    /// The steps that run up to a tap with their stages, the last one first.
    pub(super) fn steps_before<'p>(
        &self,
        pipeline: &'p Pipeline,
        tap: Option<usize>,
    ) -> impl Iterator<Item = (usize, &'p Step)> {
        let steps = pipeline.steps.iter().zip(&self.steps).rev();
        steps.filter_map(move |(step, stage)| {
            let stage = *stage.as_ref().ok()?;
            tap.is_some_and(|tap| stage <= tap).then_some((stage, step))
        })
    }

    fn mono(&self, pipeline: &Pipeline, tap: Option<usize>) -> MonoMode {
        let mut steps = self.steps_before(pipeline, tap);
        let step = steps.find(|(_, step)| step.aims_at_loudness());
        match step.and_then(|(_, step)| step.choice("mono")) {
            Some("dual") => MonoMode::Dual,
            _ => MonoMode::Single,
        }
    }

    fn add_export(
        &mut self,
        pipeline: &Pipeline,
        index: usize,
        export: &Export,
        input: &Input,
    ) -> Result<(), RunError> {
        let name = format!("export {} ({})", index + 1, export.format.name);
        let tap = self.tap(export.after);
        let spec = tap.map_or(&input.info.spec, |stage| &self.stages[stage].output).clone();
        let channels = export.channels.filter(|count| *count != spec.channel_count());
        let rate = export.sample_rate_hz.filter(|rate| *rate != spec.sample_rate.0);
        let is_converted = channels.is_some() || rate.is_some();
        let to = format::resolve(export, &input.info, tap.is_some() || is_converted);
        let is_exact = tap.is_none() && !is_converted && input.info.format.fits(to);
        let loses_bits = to.sample_format == SampleFormat::Int && !is_exact;
        let stored_rate = rate.map_or(spec.sample_rate, SampleRate);
        let dither = format::dither(export.dither, stored_rate, loses_bits)
            .map_err(|reason| refused(format!("{name}: {reason}")))?;
        let existing = self.groups.iter().position(|group| {
            group.tap == tap
                && group.channels == channels
                && group.rate == rate
                && group.to == to
                && group.dither == dither
        });
        let group = if let Some(group) = existing {
            group
        } else {
            let conversions = conversions(&spec, channels, rate)
                .map_err(|reason| refused(format!("{name}: {reason}")))?;
            let from = if tap.is_none() { decoded(input) } else { PcmFormat::FLOAT };
            let output = conversions.last().map_or(&spec, |last| &last.output).clone();
            let plan = ExportGroupPlan {
                tap,
                input: spec,
                output,
                conversions,
                source: input.info.format,
                from,
                to,
                dither,
                mono: self.mono(pipeline, tap),
                ceiling: self.ceiling(pipeline, tap),
                is_raised: is_converted || self.is_resampled_last(pipeline, tap),
                channels,
                rate,
            };
            self.groups.push(plan);
            self.groups.len() - 1
        };
        self.group_of.push(group);
        export.format.check(&self.settings(export, group, None, &input.tags)).map_err(|error| {
            let hint = rate_hint(export.format, self.groups[group].output.sample_rate);
            refused(format!("{name}: {error}{hint}"))
        })?;
        let is_reduced = tap.is_none()
            && export.format.is_lossless()
            && export.bit_depth.is_none()
            && !self.groups[group].is_exact();
        if is_reduced && input.info.lossless && !is_converted {
            let format = export.format.name;
            let from = self.groups[group].source;
            self.warnings.push(format!("{format} cannot store {from}: it stores {to} samples"));
        }
        Ok(())
    }

    /// The last stage that runs up to a place in the pipeline.
    fn tap(&self, after: After) -> Option<usize> {
        let end = match after {
            After::Decode => 0,
            After::Step(step) => step + 1,
            After::Last => self.steps.len(),
        };
        self.steps[..end].iter().rev().find_map(|step| step.as_ref().ok().copied())
    }
}

/// Whether a stage that has begun treats files together.
fn is_grouping(stage: &Stage) -> bool {
    let step = stage.processor.whole_file();
    step.is_some_and(|step| step.group_behind().is_some() || step.group_goal().is_some())
}

/// What to write where a format does not have the rate of the signal.
fn rate_hint(format: &FormatDescriptor, rate: SampleRate) -> String {
    match format.rate_near(rate) {
        Some(stored) if !format.stores_rate(rate) => {
            format!("; `sample_rate_hz = {stored}` converts it")
        }
        _ => String::new(),
    }
}

/// The format of the samples a decoder hands out.
fn decoded(input: &Input) -> PcmFormat {
    match input.info.format.sample_format {
        SampleFormat::Int => input.info.format,
        SampleFormat::Float => PcmFormat::FLOAT,
    }
}

/// What makes the channels and the rate of an export. Channels come first: there are mostly fewer then.
fn conversions(
    spec: &StreamSpec,
    channels: Option<usize>,
    rate: Option<u32>,
) -> Result<Vec<Stage>, String> {
    let integer = |value| ParamValue::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let channels = channels.map(|count| ("remix", "channels", integer(count as i128)));
    let rate = rate.map(|rate| ("resample", "sample_rate_hz", integer(i128::from(rate))));
    let mut stages: Vec<Stage> = Vec::new();
    for key in channels.into_iter().chain(rate) {
        let input = stages.last().map_or(spec, |stage| &stage.output).clone();
        let label = key.0.to_owned();
        let processor = build(key, &input)?;
        stages.push(Stage::new(label, processor, input));
    }
    Ok(stages)
}

/// A built-in step, by its name, with one of its keys given.
fn build(
    (name, key, value): (&str, &str, ParamValue),
    spec: &StreamSpec,
) -> Result<StepProcessor, String> {
    let step = processors::step(name).expect("a built-in step");
    let mut given = Params::default();
    given.set(key, value);
    let params = step
        .complete(&given)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    (step.build)(&params, spec).map_err(|error| error.to_string())
}

/// What the gain of a group does not go by, a line each.
fn left_out(group: Option<&JobGroup>) -> impl Iterator<Item = String> {
    let left_out = group.into_iter().flat_map(|group| &group.left_out);
    left_out.map(|file| format!("left out of the group: {}: {}", file.name, file.reason))
}

/// The stages, and for each step its stage or why it does not run.
type Stages = (Vec<Stage>, Vec<Result<usize, String>>);

fn build_stages(
    pipeline: &Pipeline,
    input: &Input,
    known: &SourceFacts,
) -> Result<Stages, RunError> {
    let (source, facts) = (&input.info.spec, known.facts(input));
    let mut stages: Vec<Stage> = Vec::new();
    let mut steps = Vec::new();
    for step in &pipeline.steps {
        if let Some(reason) = skip_reason(&step.when, facts) {
            steps.push(Err(reason));
            continue;
        }
        let spec = stages.last().map_or(source, |stage| &stage.output).clone();
        let label = step.id.clone().unwrap_or_else(|| step.name().to_owned());
        let mut processor =
            step.build(&spec).map_err(|error| refused(format!("step `{label}`: {error}")))?;
        if let Some(processor) = processor.whole_file_mut() {
            if let Some(reference) = step.reference().and_then(|path| known.references.get(path)) {
                processor.set_reference(reference);
            }
            if let Some(group) = &known.group {
                processor.join_group(&group.loudness, group.piece.as_ref());
            }
        }
        steps.push(Ok(stages.len()));
        stages.push(Stage::new(label, processor, spec));
    }
    Ok((stages, steps))
}

/// Cuts the chain where a step must see every sample before its first.
fn cut_into_passes(stages: &[Stage], is_lossless: bool) -> Vec<Pass> {
    let observers = stages
        .iter()
        .enumerate()
        .filter(|(_, stage)| stage.processor.whole_file().is_some_and(WholeFile::needs_samples))
        .map(|(index, _)| index);
    let mut passes = Vec::new();
    let mut start = 0;
    let mut decodes = true;
    for observer in observers {
        // Decoding a lossless file again is cheaper than writing and reading its floats.
        let decodes_again = is_lossless && observer == 0;
        passes.push(Pass {
            decodes,
            stages: start..observer,
            observer: Some(observer),
            spools: !decodes_again,
        });
        start = observer;
        decodes = decodes_again;
    }
    passes.push(Pass { decodes, stages: start..stages.len(), observer: None, spools: false });
    passes
}
