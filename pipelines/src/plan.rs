//! What a pipeline would do with a file: shown by `wavemill plan`, done by [`crate::execution`].

use crate::execution::blueprint::{Blueprint, Pass};
use crate::execution::member::OnlyProgress;
use crate::execution::report::facts_of_step;
use crate::execution::run::{Survey, survey};
use crate::execution::source::duration;
use crate::execution::stage::Stage;
use crate::execution::{Job, OutputKind, Places, Proposal, RunError};
use crate::model::Pipeline;
use crate::report::StepFacts;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use wavemill_core::audio::{PcmFormat, SampleFormat};
use wavemill_core::decode::Repair;
use wavemill_core::encode::{BitRateMode, LossyQuality};
use wavemill_core::limits::INFINITE_TAIL_MAX;
use wavemill_core::processor::Tail;
use wavemill_core::units::{Frames, SampleRate};

/// What a pipeline would do with a file.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The source.
    pub input: PlannedInput,
    /// Why a gate would reject it.
    pub rejected: Option<String>,
    /// The pipeline's steps; empty when the source is rejected before.
    pub steps: Vec<PlannedStep>,
    /// The passes over the signal, after scans that conditions, gates and names may need.
    pub passes: Vec<PlannedPass>,
    /// The audio files.
    pub exports: Vec<PlannedExport>,
    /// The chapters of the exports, where there are any.
    pub chapters: Option<PathBuf>,
    /// The report for people.
    pub page: Option<PathBuf>,
    /// The report.
    pub report: Option<PathBuf>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The source, as its header describes it.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedInput {
    /// Where it is.
    pub path: PathBuf,
    /// Container.
    pub format: &'static str,
    /// Codec.
    pub codec: &'static str,
    /// `None` where only decoding shows it.
    pub duration_s: Option<f64>,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: usize,
}

/// A step of the pipeline.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// Its name, or the name or path of its effect.
    #[serde(skip)]
    pub name: String,
    /// What it is, as in reports.
    #[serde(flatten)]
    pub what: StepFacts,
    /// Its id.
    pub id: Option<String>,
    /// Why it does not run; `None` when it does.
    pub skipped: Option<String>,
    /// How an effect that runs delays and ends.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub timing: Option<PlannedTiming>,
}

/// How an effect delays and ends; both are compensated or rendered.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedTiming {
    /// Frames by which its output lags behind.
    pub latency_frames: u64,
    /// Frames it sounds on; `None` when it never ends and is cut.
    pub tail_frames: Option<u64>,
    /// Frames a second, for people.
    #[serde(skip)]
    pub sample_rate: SampleRate,
}

/// One way through the signal.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedPass {
    /// `source` or `spool`.
    pub reads: &'static str,
    /// The steps that run, by id or name.
    pub steps: Vec<String>,
    /// The step that sees the whole signal before its own pass.
    pub observed_by: Option<String>,
    /// Bytes kept for the next pass, where that is known; 0 when nothing is.
    pub spool_bytes: Option<u64>,
    /// The exports that it writes, counted from 1.
    pub exports: Vec<usize>,
}

/// An audio file.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedExport {
    /// The name it is proposed.
    pub path: PathBuf,
    /// Its format.
    pub format: &'static str,
    /// Bits of a sample; `None` in lossy formats.
    pub bit_depth: Option<u16>,
    /// Integers or floats; `None` in lossy formats.
    pub sample_format: Option<SampleFormat>,
    /// Bit rate of a lossy format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate_kbps: Option<u16>,
    /// How it is meant: `constant` or `average`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate_mode: Option<&'static str>,
    /// Quality of variable bit rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vbr_quality: Option<u8>,
    /// Number of channels.
    pub channels: usize,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// The step whose output it is; `None` is the decoded source.
    pub after: Option<String>,
    /// Whether every sample of the source is kept.
    pub exact: bool,
    /// Noise added before bits are dropped: `none`, `tpdf` or `shaped`.
    pub dither: &'static str,
}

/// What a pipeline would do with a file. Reads the file where conditions, gates or names depend on
/// its loudness; writes nothing.
///
/// # Errors
/// As a run would fail before it writes.
pub fn plan(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    progress: &mut dyn FnMut(f64),
) -> Result<Plan, RunError> {
    let surveyed = survey(pipeline, job, places, &mut OnlyProgress(progress))?;
    let blueprint = surveyed.blueprint.as_ref();
    let path_of =
        |kind| surveyed.proposals.iter().filter(move |proposal: &&Proposal| proposal.kind == kind);
    let exports = match blueprint {
        Some(blueprint) => path_of(OutputKind::Export)
            .enumerate()
            .map(|(index, proposal)| export(pipeline, blueprint, index, proposal))
            .collect(),
        None => Vec::new(),
    };
    Ok(Plan {
        pipeline: pipeline.name.clone(),
        input: input(&surveyed),
        rejected: surveyed.rejected.clone(),
        steps: blueprint.map_or_else(Vec::new, |blueprint| steps(pipeline, blueprint)),
        passes: blueprint.map_or_else(Vec::new, |blueprint| passes(blueprint, &surveyed)),
        exports,
        chapters: path_of(OutputKind::Chapters).map(|proposal| proposal.path.clone()).next(),
        page: path_of(OutputKind::Page).map(|proposal| proposal.path.clone()).next(),
        report: path_of(OutputKind::Report).map(|proposal| proposal.path.clone()).next(),
        warnings: blueprint
            .map_or_else(Vec::new, |blueprint| blueprint.warnings.clone())
            .into_iter()
            .chain(surveyed.input.repairs().iter().map(Repair::line))
            .collect(),
    })
}

fn input(surveyed: &Survey) -> PlannedInput {
    let info = &surveyed.input.info;
    PlannedInput {
        path: surveyed.input.path().to_owned(),
        format: info.container,
        codec: info.codec,
        duration_s: duration(info, surveyed.known.frames).map(|seconds| seconds.0),
        sample_rate_hz: info.spec.sample_rate.0,
        channels: info.spec.channel_count(),
    }
}

fn steps(pipeline: &Pipeline, blueprint: &Blueprint) -> Vec<PlannedStep> {
    let states = pipeline.steps.iter().zip(&blueprint.steps);
    states
        .map(|(step, state)| PlannedStep {
            name: step.name().to_owned(),
            what: facts_of_step(step),
            id: step.id.clone(),
            skipped: state.as_ref().err().cloned(),
            timing: state
                .as_ref()
                .ok()
                .filter(|_| step.is_effect())
                .map(|stage| timing(&blueprint.stages[*stage])),
        })
        .collect()
}

fn timing(stage: &Stage) -> PlannedTiming {
    PlannedTiming {
        latency_frames: stage.processor.properties().latency.0,
        tail_frames: match stage.processor.properties().tail {
            Tail::Frames(frames) => Some(frames.0),
            Tail::Infinite => None,
        },
        sample_rate: stage.output.sample_rate,
    }
}

fn passes(blueprint: &Blueprint, surveyed: &Survey) -> Vec<PlannedPass> {
    let label = |stage: usize| blueprint.stages[stage].label.clone();
    let pass = |(index, pass): (usize, &Pass)| PlannedPass {
        reads: if pass.decodes { "source" } else { "spool" },
        steps: pass.stages.clone().map(label).collect(),
        observed_by: pass.observer.map(label),
        spool_bytes: spool_bytes(blueprint, pass, surveyed.known.frames),
        exports: (0..blueprint.group_of.len())
            .filter(|export| blueprint.pass_of(blueprint.group_of[*export]) == index)
            .map(|export| export + 1)
            .collect(),
    };
    blueprint.passes.iter().enumerate().map(pass).collect()
}

/// At most: steps that shorten the signal have not begun yet.
fn spool_bytes(blueprint: &Blueprint, pass: &Pass, frames: Option<Frames>) -> Option<u64> {
    if !pass.spools {
        return Some(0);
    }
    let spooled = &blueprint.stages[pass.observer?].input;
    let frames = blueprint.stages[..pass.observer?]
        .iter()
        .try_fold(frames?, |frames, stage| Some(stage.processor.span(frames).length))?;
    Some(frames.0 * spooled.channel_count() as u64 * size_of::<f32>() as u64)
}

fn export(
    pipeline: &Pipeline,
    blueprint: &Blueprint,
    index: usize,
    proposal: &Proposal,
) -> PlannedExport {
    let group = &blueprint.groups[blueprint.group_of[index]];
    let wanted = &pipeline.exports[index];
    let lossy = wanted.format.lossy.as_ref();
    let stored = lossy.is_none().then_some(group.to);
    let quality = lossy.and_then(|lossy| (lossy.resolve)(&group.output, wanted.quality).ok());
    let bit_rate = quality.and_then(LossyQuality::bit_rate);
    PlannedExport {
        path: proposal.path.clone(),
        format: wanted.format.name,
        bit_depth: stored.map(|to| to.bit_depth),
        sample_format: stored.map(|to| to.sample_format),
        bit_rate_kbps: bit_rate.map(|(kbps, _)| kbps),
        bit_rate_mode: bit_rate.map(|(_, mode)| mode.name()),
        vbr_quality: match quality {
            Some(LossyQuality::Vbr(quality)) => Some(quality),
            _ => None,
        },
        channels: group.output.channel_count(),
        sample_rate_hz: group.output.sample_rate.0,
        after: group.tap.map(|stage| blueprint.stages[stage].label.clone()),
        exact: lossy.is_none() && group.is_exact(),
        dither: group.dither.name(),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = &self.input;
        write!(f, "{}: {} ({}", self.pipeline, input.path.display(), input.format)?;
        write!(f, ", {} Hz, {} channels", input.sample_rate_hz, input.channels)?;
        match input.duration_s {
            Some(duration_s) => writeln!(f, ", {duration_s:.3} s)")?,
            None => writeln!(f, ")")?,
        }
        if let Some(line) = &self.rejected {
            writeln!(f, "rejected: {line}")?;
        }
        for step in &self.steps {
            if let Some(reason) = &step.skipped {
                writeln!(f, "step {} does not run: {reason}", step.name)?;
            }
            if let Some(timing) = &step.timing {
                writeln!(f, "effect {}{}: {timing}", step.name, module(&step.what))?;
            }
        }
        for (index, pass) in self.passes.iter().enumerate() {
            writeln!(f, "pass {}: {pass}", index + 1)?;
        }
        for (index, export) in self.exports.iter().enumerate() {
            writeln!(f, "export {}: {export}", index + 1)?;
        }
        if let Some(chapters) = &self.chapters {
            writeln!(f, "chapters: {}", chapters.display())?;
        }
        if let Some(page) = &self.page {
            writeln!(f, "page: {}", page.display())?;
        }
        if let Some(report) = &self.report {
            writeln!(f, "report: {}", report.display())?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

/// ` (Reverb 1.0.0)`, if it is known which module it is.
fn module(what: &StepFacts) -> String {
    what.module.as_ref().map_or_else(String::new, |it| format!(" ({} {})", it.name, it.version))
}

impl fmt::Display for PlannedTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |frames: u64| Frames(frames).duration(self.sample_rate);
        write!(f, "latency {} ({} frames)", shown(self.latency_frames), self.latency_frames)?;
        match self.tail_frames {
            Some(frames) => write!(f, ", tail {} ({frames} frames)", shown(frames)),
            None => write!(f, ", never ends: cut after {INFINITE_TAIL_MAX:.0}"),
        }
    }
}

impl fmt::Display for PlannedPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reads)?;
        for step in &self.steps {
            write!(f, " -> {step}")?;
        }
        if let Some(observer) = &self.observed_by {
            write!(f, " -> measured by {observer}")?;
        }
        match self.spool_bytes {
            Some(0) => {}
            Some(bytes) => write!(f, ", spooled ({:.1} MB)", bytes as f64 / 1e6)?,
            None => write!(f, ", spooled")?,
        }
        if !self.exports.is_empty() {
            let exports: Vec<String> = self.exports.iter().map(usize::to_string).collect();
            write!(f, " -> export {}", exports.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for PlannedExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.path.display(), self.format)?;
        if let (Some(sample_format), Some(bit_depth)) = (self.sample_format, self.bit_depth) {
            write!(f, ", {}", PcmFormat { sample_format, bit_depth })?;
        }
        let mode =
            BitRateMode::ALL.into_iter().find(|mode| self.bit_rate_mode == Some(mode.name()));
        let bit_rate = self.bit_rate_kbps.zip(mode).map(|(kbps, mode)| mode.of(kbps));
        if let Some(quality) = bit_rate.or(self.vbr_quality.map(LossyQuality::Vbr)) {
            write!(f, ", {quality}")?;
        }
        write!(f, ", {} Hz, {} channels", self.sample_rate_hz, self.channels)?;
        match (self.exact, self.dither) {
            (true, _) => f.write_str(", every sample kept)"),
            (false, "none") => f.write_str(")"),
            (false, "shaped") => f.write_str(", shaped dither)"),
            (false, _) => f.write_str(", dithered)"),
        }
    }
}
