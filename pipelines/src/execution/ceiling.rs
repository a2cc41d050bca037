//! Which ceiling a pipeline promises at a place of its chain.

use super::blueprint::{Blueprint, Ceiling};
use crate::ceiling::of_step;
use crate::model::Pipeline;
use wavemill_core::descriptor::Peaks;
use wavemill_core::processor::CeilingChange;
use wavemill_core::units::Decibels;

impl Blueprint {
    /// The ceiling meant for a tap: that of the last step which has one, if only steps follow that raise
    /// nothing, or little.
    pub(super) fn ceiling(&self, pipeline: &Pipeline, tap: Option<usize>) -> Option<Ceiling> {
        for (stage, step) in self.steps_before(pipeline, tap) {
            if let (Some(peak), Some(name)) = (of_step(step), step.built_in_name()) {
                return Some(Ceiling {
                    step: name,
                    stage,
                    peak,
                    is_aimed: step.aims_at_loudness() || step.reference().is_some(),
                });
            }
            if !matches!(step.peaks(), Peaks::Keeps | Peaks::Converts) {
                return None;
            }
        }
        None
    }

    /// The stage that limits an export to its ceiling, and can do so to a lower one within the export's pass.
    /// Valid once the stages of that have begun.
    pub(super) fn limiter_of(&mut self, export: usize) -> Option<usize> {
        let group = self.group_of[export];
        let stage = self.groups[group].ceiling?.stage;
        let pass = self.pass_of(group);
        let is_limiting = self.passes[pass].stages.contains(&stage) && {
            let step = self.stages[stage].processor.whole_file_mut();
            step.is_some_and(|step| {
                step.lower_ceiling(Decibels::ZERO, Decibels::ZERO) != CeilingChange::Nothing
            })
        };
        is_limiting.then_some(stage)
    }

    /// Whether an export can be made louder: the step that limits it makes it loud, too. Valid as
    /// [`Self::limiter_of`].
    pub(super) fn is_made_loud(&mut self, export: usize) -> bool {
        let ceiling = self.groups[self.group_of[export]].ceiling;
        ceiling.is_some_and(|ceiling| ceiling.is_aimed) && self.limiter_of(export).is_some()
    }

    /// Whether the rate is converted by a step after the last ceiling.
    pub(super) fn is_resampled_last(&self, pipeline: &Pipeline, tap: Option<usize>) -> bool {
        let is_converting = |step: &crate::model::Step| step.peaks() == Peaks::Converts;
        let mut steps = self.steps_before(pipeline, tap);
        steps
            .find(|(_, step)| is_converting(step) || of_step(step).is_some())
            .is_some_and(|(_, step)| is_converting(step))
    }
}
