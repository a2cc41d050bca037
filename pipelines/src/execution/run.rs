//! The run itself: what is known first, what is decided, pass after pass, what is reported.

use super::GroupCorrection;
use super::blueprint::{Blueprint, Ceiling, Pass, SourceFacts};
use super::chapters::Chapters;
use super::companions::read_logo;
use super::gates::{self, Subject};
use super::group::{ExportGroup, StoredSignal};
use super::outputs::{self, OutputDecisions};
use super::pass::{self, Feed, GroupFeed, PassResult, Work};
use super::promise;
use super::repeat::{PassOutputs, Repeat};
use super::report::{Output, ReportParts, ReportedChapters, Source};
use super::source::Input;
use super::spool::Spool;
use super::stage::Stage;
use super::writer::{Writer, WrittenFile};
use super::{
    Decision, Hooks, Job, Outcome, OutputKind, Places, PreparedOutput, Proposal, RunError,
};
use crate::ceiling::Peak;
use crate::error::refused;
use crate::model::Companions;
use crate::model::{Pipeline, RequireOn};
use crate::report::Verdict;
use crate::report::html::Logo;
use crate::template::Values;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wavemill_core::analysis::{Analysis, MeasureGroup};
use wavemill_core::decode::Repair;
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::loudness::MonoMode;
use wavemill_core::processor::WholeFile;
use wavemill_core::tags::{GainBasis, ReplayGain, Tags};
use wavemill_core::units::Frames;

/// A run between its passes.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    job: &'a Job,
    pub(super) places: &'a Places<'a>,
    hooks: &'a mut dyn Hooks,
    pub(super) input: Input,
    values: Values,
    /// Tags of the exports, but for what processing changes; the source's until names are decided.
    tags: Arc<Tags>,
    companions: Companions,
    /// For the page.
    pub(super) logo: Option<Logo>,
    pub(super) known: SourceFacts,
    /// Passes over the signal that are still to come, scans included; for the progress.
    pub(super) passes_left: usize,
    /// Whether exports may be made again: how often, nobody knows before.
    may_repeat: bool,
    /// Share of the work that is done.
    progress: f64,
    /// Whether nothing is written.
    pub(super) is_dry: bool,
    /// The exports that are only tried, where a group is corrected together; `None` for a real run.
    pub(super) trial: Option<Vec<usize>>,
    verdicts: Vec<Verdict>,
    pub(super) warnings: Vec<String>,
    /// Exports that were made again.
    pub(super) repeated: BTreeMap<usize, Repeat>,
}

/// Files that were written, by export.
pub(super) type Files = BTreeMap<usize, WrittenFile>;

/// What the passes of a run made.
#[derive(Default)]
pub(super) struct Results {
    decided: OutputDecisions,
    pub(super) files: Files,
    /// What each group stored.
    pub(super) stored: BTreeMap<usize, StoredSignal>,
    /// Those of the signal behind the last step; `None` where the pipeline does not write them.
    chapters: Option<Chapters>,
    /// Why the file missed a gate: then nothing but the report remains.
    pub(super) rejected: Option<String>,
}

pub(super) fn run(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    hooks: &mut dyn Hooks,
    is_dry: bool,
) -> Result<Outcome, RunError> {
    let _flush = FlushDenormals::on();
    let run = Run::open(pipeline, job, places, hooks)?;
    Run { is_dry, ..run }.execute()
}

/// What a run would do, as far as it is known before it writes.
pub(crate) struct Survey {
    pub(crate) input: Input,
    pub(crate) known: SourceFacts,
    /// `None` when a gate rejects the source before any step.
    pub(crate) blueprint: Option<Blueprint>,
    pub(crate) proposals: Vec<Proposal>,
    /// Why a gate rejects the source.
    pub(crate) rejected: Option<String>,
}

/// Looks at a source as a run does before it writes.
pub(crate) fn survey(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    hooks: &mut dyn Hooks,
) -> Result<Survey, RunError> {
    let _flush = FlushDenormals::on();
    let mut run = Run::open(pipeline, job, places, hooks)?;
    let (blueprint, rejected) = match run.survey()? {
        Ok(blueprint) => {
            // Names may hold measures that a run takes on its way.
            if run.needs_loudness() && run.known.loudness.is_none() {
                run.scan(true)?;
            }
            (Some(blueprint), run.check_input_loudness())
        }
        Err(line) => (None, Some(line)),
    };
    let proposals = run.proposals(&run.measured_values());
    Ok(Survey { input: run.input, known: run.known, blueprint, proposals, rejected })
}

/// A source without a frame is a mistake of whoever made it: nothing good would come out.
fn refuse_nothing(frames: Option<Frames>) -> Result<(), RunError> {
    if frames == Some(Frames(0)) {
        let reason = "holds no audio (0 frames)".to_owned();
        return Err(RunError::Input { reason, incomplete: false });
    }
    Ok(())
}

impl<'a> Run<'a> {
    pub(super) fn open(
        pipeline: &'a Pipeline,
        job: &'a Job,
        places: &'a Places<'a>,
        hooks: &'a mut dyn Hooks,
    ) -> Result<Self, RunError> {
        let values = pipeline.values(job)?;
        let input = Input::open(&job.input, pipeline.damaged, places.access.as_ref())?;
        refuse_nothing(input.info.frame_count)?;
        let values = values.with_tags(&input.tags);
        let companions = Companions::read(pipeline, job, places.access.as_ref())?;
        let logo = match &pipeline.page {
            Some(page) => read_logo(page, places.access.as_ref())?,
            None => None,
        };
        let known = SourceFacts {
            frames: input.info.frame_count,
            group: job.group.clone(),
            ..SourceFacts::default()
        };
        let tags = Arc::clone(&input.tags);
        Ok(Self {
            pipeline,
            job,
            places,
            hooks,
            input,
            values,
            tags,
            companions,
            logo,
            known,
            passes_left: 1,
            may_repeat: false,
            progress: 0.0,
            is_dry: false,
            trial: None,
            verdicts: Vec::new(),
            warnings: Vec::new(),
            repeated: BTreeMap::new(),
        })
    }

    /// Everything up to the first pass: the plan, or why a gate rejects the source.
    pub(super) fn survey(&mut self) -> Result<Result<Blueprint, String>, RunError> {
        self.scan_for_conditions()?;
        if let Some(line) = self.check_input_facts() {
            return Ok(Err(line));
        }
        self.measure_references()?;
        let blueprint = Blueprint::draw(self.pipeline, &self.input, &self.known)?;
        self.passes_left = blueprint.passes.len();
        self.may_repeat = blueprint.groups.iter().any(|group| group.is_raised)
            || self.pipeline.exports.iter().any(|export| !export.format.is_lossless());
        self.scan_for_passes(&blueprint)?;
        self.warnings.clone_from(&blueprint.warnings);
        Ok(Ok(blueprint))
    }

    fn execute(mut self) -> Result<Outcome, RunError> {
        match self.survey()? {
            Ok(mut blueprint) => {
                let mut results = self.run_passes(&mut blueprint)?;
                if results.rejected.is_none() {
                    results.rejected = self.check_outputs(&blueprint, &results);
                }
                self.finish(Some(&blueprint), results)
            }
            Err(line) => {
                let results = self.rejected(line)?;
                self.finish(None, results)
            }
        }
    }

    /// Runs all passes; ends early where a gate on the input rejects the file, or nothing is to be written.
    pub(super) fn run_passes(&mut self, blueprint: &mut Blueprint) -> Result<Results, RunError> {
        if !self.names_need_measures() {
            let proposals = self.proposals(&self.values);
            self.hooks.foresee(&proposals)?;
        }
        let mut decided = None;
        let mut files = Files::new();
        let mut stored: BTreeMap<usize, StoredSignal> = BTreeMap::new();
        let mut length = self.known.frames;
        let mut spool = None;
        for index in 0..blueprint.passes.len() {
            let pass = blueprint.passes[index].clone();
            let lengths = begin(blueprint, &pass, length, &mut self.warnings)?;
            self.note_observed(blueprint, index);
            let feeds = (0..blueprint.groups.len()).any(|group| blueprint.pass_of(group) == index);
            if feeds && decided.is_none() {
                if let Some(line) = self.check_input_loudness() {
                    return self.rejected(line);
                }
                let all = self.decide()?;
                if all.is_nothing() {
                    return Ok(Results { decided: all, files, stored, ..Results::default() });
                }
                decided = Some(all);
            }
            if let Some(decided) = &mut decided {
                self.leave_out(index, blueprint, decided);
            }
            let groups = match &decided {
                Some(decided) => self.groups(blueprint, index, decided, &lengths),
                None => Vec::new(),
            };
            let measures = if index == 0 && self.wants_loudness() {
                self.unmeasured(blueprint.source_observer().is_some())
            } else {
                Vec::new()
            };
            let done = self.pass(&pass, &mut blueprint.stages, groups, measures, spool.as_mut())?;
            files.extend(done.written);
            for (group, kept) in done.stored {
                check_mix(blueprint, group, &kept)?;
                stored.insert(group, kept);
            }
            if let Some(decided) = &decided {
                let made = PassOutputs { pass: index, decided, lengths: &lengths, stored: &stored };
                self.correct(blueprint, &made, &mut files, spool.as_mut())?;
            }
            length = Some(done.output_frames);
            spool = done.spool;
            self.rehearse(&pass, blueprint, spool.as_mut())?;
        }
        let decided = if let Some(decided) = decided {
            decided
        } else {
            if let Some(line) = self.check_input_loudness() {
                return self.rejected(line);
            }
            self.decide()?
        };
        let chapters = self.chapters(blueprint, length.unwrap_or_default());
        Ok(Results { decided, files, stored, chapters, rejected: None })
    }

    /// Shows the step that observed a pass the same signal as often as it asks for it.
    pub(super) fn rehearse(
        &mut self,
        pass: &Pass,
        blueprint: &mut Blueprint,
        mut spool: Option<&mut Spool>,
    ) -> Result<(), RunError> {
        let Some(observer) = pass.observer else { return Ok(()) };
        let again = Pass {
            decodes: spool.is_none(),
            stages: observer..observer,
            observer: Some(observer),
            spools: false,
        };
        let observes_again =
            |stage: &mut Stage| stage.processor.observer().is_some_and(WholeFile::observes_again);
        while observes_again(&mut blueprint.stages[observer]) {
            self.passes_left += 1;
            let spool = spool.as_deref_mut();
            self.pass(&again, &mut blueprint.stages, Vec::new(), Vec::new(), spool)?;
        }
        Ok(())
    }

    /// Takes the source's loudness from the step that measured it in the pass before.
    pub(super) fn note_observed(&mut self, blueprint: &Blueprint, pass: usize) {
        if pass == 1
            && self.known.loudness.is_none()
            && let Some(stage) = blueprint.source_observer()
        {
            self.known.loudness =
                stage.processor.whole_file().and_then(WholeFile::observed_loudness).cloned();
        }
    }

    /// Runs one pass and notes what it found out about the source.
    pub(super) fn pass(
        &mut self,
        pass: &Pass,
        stages: &mut [Stage],
        groups: Vec<GroupFeed>,
        measures: Vec<MeasureGroup>,
        from: Option<&mut Spool>,
    ) -> Result<PassResult, RunError> {
        let start = self.progress;
        let left = self.passes_left.max(1) + usize::from(self.may_repeat);
        let total = self.known.frames.filter(|frames| frames.0 > 0);
        let (hooks, progress) = (&mut *self.hooks, &mut self.progress);
        let mut progress = |frames: Frames| {
            let share = total.map_or(0.0, |total| (frames.0 as f64 / total.0 as f64).min(1.0));
            *progress = start + share * (1.0 - start) / left as f64;
            hooks.progress(*progress);
        };
        let decodes = pass.decodes || from.is_none();
        let spec = stages
            .get(pass.stages.start)
            .map_or_else(|| self.input.info.spec.clone(), |stage| stage.input.clone());
        let feed = match from {
            Some(spool) if !decodes => Feed::Spool(spool.reader()?, spec),
            _ => Feed::Source(&mut self.input),
        };
        let work = Work {
            pass,
            stages,
            groups,
            measures: self.pipeline.analysis(measures, MonoMode::Single),
            spool: pass.spools.then(|| Spool::new(self.places.spool)),
            cancel: self.places.cancel,
            progress: &mut progress,
        };
        let mut done = match pass::run(feed, work) {
            // A file that is written to looks damaged: what is wrong with it is that it changes.
            Err(error @ RunError::Input { .. }) => {
                self.input.check_unchanged()?;
                return Err(error);
            }
            other => other?,
        };
        if decodes {
            self.note_length(done.input_frames)?;
        }
        if let Some(loudness) = done.measured.loudness.take() {
            self.known.loudness = Some(loudness);
        }
        if done.measured != Analysis::default() {
            self.known.measures = Some(std::mem::take(&mut done.measured));
        }
        self.passes_left = self.passes_left.saturating_sub(1);
        Ok(done)
    }

    /// Notes how long the source really is; a header must not have promised anything else.
    fn note_length(&mut self, found: Frames) -> Result<(), RunError> {
        match self.known.frames {
            Some(known) if known != found => {
                self.input.check_unchanged()?;
                let reason = format!("should hold {} frames, but holds {}", known.0, found.0);
                Err(RunError::Input { reason, incomplete: found < known })
            }
            _ => {
                self.known.frames = Some(found);
                refuse_nothing(Some(found))
            }
        }
    }

    /// Holds what was stored against the gates. Lossless files were decoded and found equal to what
    /// their group measured, so its measures are theirs; lossy ones were measured themselves.
    fn check_outputs(&mut self, blueprint: &Blueprint, results: &Results) -> Option<String> {
        let Results { decided, files, stored, .. } = results;
        let mut verdicts = Vec::new();
        for export in decided.written() {
            let group = blueprint.group_of[export];
            let Some(stored) = self.stored(export, group, stored) else { continue };
            let decoded = files.get(&export).and_then(|written| written.decoded.as_ref());
            let measured = decoded.unwrap_or(&stored.measured);
            let format = self.pipeline.exports[export].format.name;
            let name = format!("export {} ({format})", export + 1);
            let subject = Subject {
                name: &name,
                spec: &blueprint.groups[group].output,
                frames: Some(stored.frames),
                loudness: measured.loudness.as_ref(),
                level: measured.level.as_ref(),
            };
            verdicts.extend(gates::check_facts(self.pipeline, RequireOn::Output, subject));
            verdicts.extend(gates::check_measures(self.pipeline, RequireOn::Output, subject));
        }
        self.judge(verdicts)
    }

    /// Keeps verdicts for the report; returns the line of the first miss.
    pub(super) fn judge(&mut self, verdicts: Vec<Verdict>) -> Option<String> {
        let line = verdicts.iter().find(|verdict| verdict.is_miss()).map(Verdict::line);
        self.verdicts.extend(verdicts);
        line
    }

    fn decide(&mut self) -> Result<OutputDecisions, RunError> {
        self.edit_tags();
        let proposals = self.proposals(&self.measured_values());
        outputs::decide(self.hooks, &proposals)
    }

    fn proposals(&self, values: &Values) -> Vec<Proposal> {
        let has_chapters = self.pipeline.tags.leaves_cues(&self.input.tags, &self.companions);
        outputs::propose(self.pipeline, values, self.places, has_chapters)
    }

    /// Says of the exports what the pipeline wants said; measures are known.
    fn edit_tags(&mut self) {
        if !self.pipeline.tags.is_empty() {
            let (tags, warnings) = self.pipeline.tags.apply(
                &self.input.tags,
                &self.companions,
                &self.measured_values(),
            );
            self.tags = Arc::new(tags);
            self.warnings.extend(warnings);
        }
    }

    /// Asks for the names of the reports only.
    fn decide_reports(&mut self) -> Result<OutputDecisions, RunError> {
        let mut proposals = self.proposals(&self.measured_values());
        proposals.retain(|it| matches!(it.kind, OutputKind::Page | OutputKind::Report));
        if proposals.is_empty() {
            return Ok(OutputDecisions::default());
        }
        outputs::decide(self.hooks, &proposals)
    }

    fn measured_values(&self) -> Values {
        let loudness = self.known.loudness.clone().unwrap_or_default();
        self.values.clone().with_measures(loudness.integrated_lufs, loudness.true_peak_dbtp)
    }

    /// The groups that a pass feeds, with the writers of exports that are to be written.
    fn groups(
        &self,
        blueprint: &mut Blueprint,
        pass: usize,
        decided: &OutputDecisions,
        lengths: &BTreeMap<usize, Frames>,
    ) -> Vec<GroupFeed> {
        let mut feeds = Vec::new();
        for index in 0..blueprint.groups.len() {
            if blueprint.pass_of(index) != pass {
                continue;
            }
            // What the group corrects is made by repeats.
            let is_made = |export: &usize| {
                blueprint.group_of[*export] == index && self.shared_correction(*export).is_none()
            };
            let exports: Vec<usize> = decided.written().filter(is_made).collect();
            if exports.is_empty() {
                continue;
            }
            let writer =
                |&export: &usize| Some((export, self.writer(blueprint, export, decided, lengths)?));
            let writers = exports.iter().filter_map(writer).collect();
            let tap = blueprint.groups[index].tap;
            let group = self.group(blueprint, index);
            feeds.push(GroupFeed { index, tap, group, writers });
        }
        feeds
    }

    /// How the samples of a group come about; its conversions are taken.
    pub(super) fn group(&self, blueprint: &mut Blueprint, index: usize) -> ExportGroup {
        let needs_loudness = self.is_dry
            || self.pipeline.is_reported()
            || gates::need_loudness(self.pipeline, RequireOn::Output);
        let needs_level = gates::need_level(self.pipeline, RequireOn::Output);
        let others: &[MeasureGroup] =
            if self.pipeline.is_reported() { &self.pipeline.measures } else { &[] };
        let exports = self.pipeline.exports.iter().zip(&blueprint.group_of);
        let exports = exports.filter(|(_, group)| **group == index).map(|(export, _)| export);
        let is_tagged = exports.clone().any(|export| export.replay_gain);
        // What a lossy format did is known only beside what it was given.
        let is_compared = exports.clone().any(|export| !export.format.is_lossless());
        let from = blueprint.taken_format(index, &self.input);
        let plan = &mut blueprint.groups[index];
        let is_watched =
            plan.is_raised && plan.ceiling.is_some_and(|it| matches!(it.peak, Peak::True(_)));
        let wants_loudness =
            needs_loudness || is_watched || is_compared || is_tagged || self.trial.is_some();
        let measures = wants_loudness
            .then_some(MeasureGroup::Loudness)
            .into_iter()
            .chain(needs_level.then_some(MeasureGroup::Level))
            .chain(others.iter().copied());
        ExportGroup {
            input: plan.input.clone(),
            conversions: std::mem::take(&mut plan.conversions),
            output: plan.output.clone(),
            from,
            to: plan.to,
            dither: plan.dither,
            measures: self.pipeline.analysis(measures.collect(), plan.mono),
        }
    }

    /// The writer of an export that is to be written.
    pub(super) fn writer(
        &self,
        blueprint: &Blueprint,
        export: usize,
        decided: &OutputDecisions,
        lengths: &BTreeMap<usize, Frames>,
    ) -> Option<Writer> {
        let Decision::Write { temporary, .. } = &decided.exports[export] else { return None };
        if self.is_dry {
            return None;
        }
        let group = blueprint.group_of[export];
        let plan = &blueprint.groups[group];
        let frames = match plan.tap {
            None => self.known.frames,
            Some(stage) => lengths.get(&stage).copied(),
        };
        let frames = frames.map(|frames| plan.output_length(frames));
        let needs_level = gates::need_level(self.pipeline, RequireOn::Output);
        let level = needs_level.then_some(MeasureGroup::Level);
        let measures = [MeasureGroup::Loudness].into_iter().chain(level);
        let wanted = &self.pipeline.exports[export];
        let mut settings = blueprint.settings(wanted, group, frames, &self.tags);
        if let Some(album) = self.group_correction(export).and_then(GroupCorrection::album) {
            settings.tags = with_album(&settings.tags, album);
        }
        Some(Writer {
            format: wanted.format,
            settings,
            temporary: temporary.clone(),
            access: Arc::clone(&self.places.access),
            modified: self.input.modified().filter(|_| wanted.keep_mtime),
            measures: self.pipeline.analysis(measures.collect(), plan.mono),
        })
    }

    /// What the file's group found of an export, and its correction.
    pub(super) fn group_correction(&self, export: usize) -> Option<&GroupCorrection> {
        let group_correction = self.known.group.as_ref()?.exports.get(export)?;
        group_correction.heard.is_some().then_some(group_correction)
    }

    /// What was stored for an export: the last time, where it was made again.
    pub(super) fn stored<'s>(
        &'s self,
        export: usize,
        group: usize,
        stored: &'s BTreeMap<usize, StoredSignal>,
    ) -> Option<&'s StoredSignal> {
        self.repeated.get(&export).map(|repeated| &repeated.stored).or_else(|| stored.get(&group))
    }

    /// What is left of a run whose source misses a gate.
    fn rejected(&mut self, line: String) -> Result<Results, RunError> {
        let decided = self.decide_reports()?;
        Ok(Results { decided, rejected: Some(line), ..Results::default() })
    }

    /// The chapters behind the last step, which delivered so many frames; `None` where nobody asks for them.
    fn chapters(&self, blueprint: &Blueprint, frames: Frames) -> Option<Chapters> {
        self.pipeline.chapters.as_ref()?;
        let (cues, rate) = blueprint.cues_behind_all(&self.tags.cues, frames);
        Some(Chapters::new(cues, rate))
    }

    fn finish(
        mut self,
        blueprint: Option<&Blueprint>,
        results: Results,
    ) -> Result<Outcome, RunError> {
        let Results { decided, mut files, mut stored, mut chapters, rejected } = results;
        if rejected.is_some() {
            chapters = None;
            files.clear();
            stored.clear();
            self.repeated.clear();
        }
        let page_to = decided.page.clone().filter(|_| !self.is_dry);
        let signals = page_to.map(|_| self.signals(blueprint, &files)).transpose()?;
        self.input.check_unchanged()?;
        if self.places.cancel.load(Ordering::Relaxed) {
            return Err(RunError::Canceled);
        }
        let repairs = self.input.repairs();
        self.warnings.extend(repairs.iter().map(Repair::line));
        let outputs = decided
            .exports
            .iter()
            .enumerate()
            .map(|(export, decision)| Output {
                decision,
                stored: blueprint.and_then(|it| self.stored(export, it.group_of[export], &stored)),
                written: files.get(&export),
                repeated: self.repeated.get(&export),
            })
            .collect();
        let access = &self.places.access;
        let chapters_to = decided.chapters.as_ref().filter(|_| !self.is_dry);
        let listed = match &chapters {
            Some(chapters) => outputs::write_chapters(chapters_to, chapters, self.job, access)?,
            None => None,
        };
        let report = ReportParts {
            pipeline: self.pipeline,
            job: self.job,
            source: Source {
                input: &self.input,
                repairs: &repairs,
                frames: self.known.frames,
                loudness: self.known.loudness.as_ref(),
                measures: self.known.measures.as_ref(),
            },
            blueprint,
            outputs,
            chapters: chapters.as_ref().map(|chapters| ReportedChapters {
                count: chapters.count(),
                decision: decided.chapters.as_ref(),
                written: listed.as_ref().map(|(file, _)| file),
            }),
            verdicts: &self.verdicts,
            rejected: rejected.as_deref(),
            warnings: &self.warnings,
        }
        .report();
        let page_to = decided.page.as_ref();
        let page = signals.map(|signals| {
            let page = self.page(signals, &report);
            outputs::write_page(page_to, &page, access)
        });
        let report_to = decided.report.as_ref().filter(|_| !self.is_dry);
        let report_file = outputs::write_report(report_to, &report, self.job, access)?;
        let mut prepared = prepared_exports(files, &decided);
        for (file, temporary) in
            listed.into_iter().chain(page.transpose()?.flatten()).chain(report_file)
        {
            prepared.push(file);
            temporary.keep();
        }
        self.hooks.progress(1.0);
        Ok(Outcome { rejected, outputs: prepared, report })
    }
}

/// The exports that were written; they stay from here on.
fn prepared_exports(files: Files, decided: &OutputDecisions) -> Vec<PreparedOutput> {
    let mut prepared = Vec::new();
    for (export, written) in files {
        let Decision::Write { temporary, path } = &decided.exports[export] else { continue };
        prepared.push(PreparedOutput {
            kind: OutputKind::Export,
            temporary: temporary.clone(),
            path: path.clone(),
            size_bytes: written.size_bytes,
            blake3: written.blake3.clone(),
        });
        written.temporary.keep();
    }
    prepared
}

/// The tags with the album's loudness, where they say any.
fn with_album(tags: &Arc<Tags>, album: GainBasis) -> Arc<Tags> {
    let Some(gain) = tags.replay_gain else { return Arc::clone(tags) };
    let replay_gain = Some(ReplayGain { album: Some(album), ..gain });
    Arc::new(Tags { replay_gain, ..Tags::clone(tags) })
}

/// Refuses a group whose channels were mixed after a ceiling and exceed it now.
fn check_mix(blueprint: &Blueprint, index: usize, stored: &StoredSignal) -> Result<(), RunError> {
    let group = &blueprint.groups[index];
    let Some(Ceiling { step, peak: ceiling, .. }) = group.ceiling.filter(|_| group.is_mixed())
    else {
        return Ok(());
    };
    let peak = promise::stored_peak(stored, ceiling).unwrap_or(f64::NEG_INFINITY);
    let (unit, ceiling) = (ceiling.unit(), ceiling.value());
    if peak <= ceiling + promise::TOLERANCE_DB {
        return Ok(());
    }
    let export = blueprint.group_of.iter().position(|of| *of == index).unwrap_or_default() + 1;
    Err(refused(format!(
        "export {export}: mixing its channels raises the peak to {peak:.2} {unit}, above the \
        ceiling of {ceiling:.2} {unit}; put a `remix` step before `{step}`"
    )))
}

/// Begins the stages of a pass in order; returns the frames each will deliver.
pub(super) fn begin(
    blueprint: &mut Blueprint,
    pass: &Pass,
    length: Option<Frames>,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<usize, Frames>, RunError> {
    let mut length = length;
    let mut lengths = BTreeMap::new();
    for index in pass.stages.clone() {
        let stage = &mut blueprint.stages[index];
        length = stage.begin(length)?;
        lengths.extend(length.map(|length| (index, length)));
        if stage.has_infinite_tail() {
            let seconds = wavemill_core::limits::INFINITE_TAIL_MAX;
            warnings.push(format!(
                "step `{}` has an infinite tail, which is cut after {seconds:.0}",
                stage.label
            ));
        }
    }
    Ok(lengths)
}
