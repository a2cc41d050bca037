//! Which ceiling a pipeline promises at a place of its chain.

use super::blueprint::Blueprint;
use crate::model::{Pipeline, Step};
use wavemill_core::processor::Lowered;
use wavemill_core::units::{Dbfs, Dbtp, Decibels};

/// Steps that raise no peak, or hardly, so that a ceiling before them is still meant behind them.
/// `resample` raises some; whether it did is looked at.
const KEEPING: [&str; 7] = ["fade", "trim-silence", "range", "pad", "invert", "swap", "resample"];

/// What a step promises of the peaks of its output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ceiling {
    /// The step.
    pub(crate) step: &'static str,
    /// Its stage.
    pub(crate) stage: usize,
    /// The peak that is not exceeded.
    pub(crate) peak: Peak,
}

/// A peak, by how it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peak {
    /// `ceiling_dbtp` of `loudness` and `limit`.
    True(Dbtp),
    /// `target_dbfs` of `peak-normalize`.
    Sample(Dbfs),
}

impl Peak {
    /// As a number of its unit.
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::True(peak) => peak.0,
            Self::Sample(peak) => peak.0,
        }
    }

    /// Its unit.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::True(_) => "dBTP",
            Self::Sample(_) => "dBFS",
        }
    }
}

/// The peak that a step itself keeps, in either mode of `loudness`, and its name.
pub(crate) fn of_step(step: &Step) -> Option<(&'static str, Peak)> {
    let true_peak = || step.number("ceiling_dbtp").map(Dbtp).map(Peak::True);
    match step.name() {
        "loudness" => Some(("loudness", true_peak()?)),
        "limit" => Some(("limit", true_peak()?)),
        "peak-normalize" => {
            Some(("peak-normalize", Peak::Sample(Dbfs(step.number("target_dbfs")?))))
        }
        _ => None,
    }
}

impl Blueprint {
    /// The ceiling meant for a tap: that of the last step which has one, if only steps follow that raise
    /// nothing, or little.
    pub(super) fn ceiling(&self, pipeline: &Pipeline, tap: Option<usize>) -> Option<Ceiling> {
        for (stage, step) in self.steps_before(pipeline, tap) {
            if let Some((step, peak)) = of_step(step) {
                return Some(Ceiling { step, stage, peak });
            }
            if !KEEPING.iter().any(|name| step.is(name)) {
                return None;
            }
        }
        None
    }

    /// The stage that limits an export to its ceiling, and can do so to a lower one within the export's pass.
    /// Valid once the stages of that have begun.
    pub(crate) fn limiter_of(&mut self, export: usize) -> Option<usize> {
        let group = self.group_of[export];
        let stage = self.groups[group].ceiling?.stage;
        let pass = self.pass_of(group);
        let is_limiting = self.passes[pass].stages.contains(&stage) && {
            let processor = &mut self.stages[stage].processor;
            processor.lower_ceiling(Decibels::ZERO, Decibels::ZERO) != Lowered::Nothing
        };
        is_limiting.then_some(stage)
    }

    /// Whether an export can be made louder: the step that limits it makes it loud, too. Valid as
    /// [`Self::limiter_of`].
    pub(crate) fn is_made_loud(&mut self, export: usize) -> bool {
        let ceiling = self.groups[self.group_of[export]].ceiling;
        ceiling.is_some_and(|ceiling| ceiling.step == "loudness")
            && self.limiter_of(export).is_some()
    }

    /// Whether the rate is converted by a step after the last ceiling.
    pub(super) fn is_resampled_last(&self, pipeline: &Pipeline, tap: Option<usize>) -> bool {
        let mut steps = self.steps_before(pipeline, tap);
        steps
            .find(|(_, step)| step.is("resample") || of_step(step).is_some())
            .is_some_and(|(_, step)| step.is("resample"))
    }
}
