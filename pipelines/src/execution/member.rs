//! Files that get one gain together: what each of them contributes, and what is passed to a run of it.

use super::blueprint::Blueprint;
use super::report::facts_of_step;
use super::run::{Run, begin};
use super::{Decision, Hooks, Job, Places, Proposal, RunError};
use crate::model::Pipeline;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::loudness::Piece;
use wavemill_core::processor::WholeFile;

/// What a file contributes to its group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Member {
    /// Its loudness where the pipeline treats the group.
    Piece(Piece),
    /// Nothing, and why: one line.
    LeftOut(String),
}

/// Measures a file at the place of the step that treats groups: gates on the input, conditions and all
/// steps before it are those of a run. Writes nothing but spools.
///
/// # Errors
/// See [`RunError`]; a file that is at fault is an error here, and may be left out of its group.
pub fn measure(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    progress: &mut dyn FnMut(f64),
) -> Result<Member, RunError> {
    let _flush = FlushDenormals::on();
    Run::open(pipeline, job, places, &mut OnlyProgress(progress))?.measure()
}

/// What a measure depends on besides the content of the file, as text.
pub fn identity(pipeline: &Pipeline) -> String {
    // The hash is of all that was typed; modules are read from their files.
    let modules = pipeline.steps.iter().filter(|step| step.is_effect());
    let modules: Vec<_> = modules.map(facts_of_step).collect();
    // Nothing where there are no references, so that what was kept stays valid.
    let stamps = pipeline.reference_stamps();
    let stamps = if stamps.is_empty() { String::new() } else { format!("\0{stamps:?}") };
    format!("{}\0{}{stamps}", pipeline.hash, json!(modules))
}

/// What decides nothing.
pub(crate) struct OnlyProgress<'a>(pub(crate) &'a mut dyn FnMut(f64));

impl Hooks for OnlyProgress<'_> {
    fn decide(&mut self, _proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        Err(RunError::Canceled)
    }

    fn progress(&mut self, share: f64) {
        (self.0)(share);
    }
}

impl Run<'_> {
    fn measure(mut self) -> Result<Member, RunError> {
        let Some((step, _)) = self.pipeline.grouped_step() else {
            return Ok(Member::LeftOut("its pipeline has no step with `group`".to_owned()));
        };
        let mut blueprint = match self.survey()? {
            Ok(blueprint) => blueprint,
            Err(line) => return Ok(Member::LeftOut(line)),
        };
        let stage = match &blueprint.steps[step] {
            Ok(stage) => *stage,
            Err(reason) => {
                let name = self.pipeline.steps[step].name();
                return Ok(Member::LeftOut(format!("step `{name}` does not run: {reason}")));
            }
        };
        self.observe(&mut blueprint, stage)?;
        // What was learned in the first pass is asked for in the second.
        self.note_observed(&blueprint, 1);
        if let Some(line) = self.check_input_loudness() {
            return Ok(Member::LeftOut(line));
        }
        self.input.check_unchanged()?;
        let piece =
            blueprint.stages[stage].processor.whole_file().and_then(WholeFile::piece).cloned();
        Ok(Member::Piece(piece.unwrap_or_default()))
    }

    /// Runs the passes up to the one that a step observes.
    fn observe(&mut self, blueprint: &mut Blueprint, observer: usize) -> Result<(), RunError> {
        let passes = blueprint.passes.iter().position(|pass| pass.observer == Some(observer));
        let last = passes.unwrap_or_default();
        self.passes_left -= blueprint.passes.len() - last - 1;
        let mut length = self.known.frames;
        let mut spool = None;
        for index in 0..=last {
            let mut pass = blueprint.passes[index].clone();
            pass.spools &= index < last;
            let mut warnings = std::mem::take(&mut self.warnings);
            begin(blueprint, &pass, length, &mut warnings)?;
            self.warnings = warnings;
            let measures = if index == 0 && self.needs_loudness() {
                self.unmeasured(blueprint.source_observer().is_some())
            } else {
                Vec::new()
            };
            let stages = &mut blueprint.stages;
            let done = self.pass(&pass, stages, Vec::new(), measures, spool.as_mut())?;
            length = Some(done.output_frames);
            spool = done.spool;
            if index < last {
                self.rehearse(&pass, blueprint, spool.as_mut())?;
            }
        }
        // Ends what it observed; whether it would see it again matters to a run only.
        if let Some(observer) = blueprint.stages[observer].processor.observer() {
            observer.observes_again();
        }
        Ok(())
    }
}
