//! Whether jobs of a pipeline may begin now.

use super::plans::Plan;
use super::shared::Shared;
use jiff::Zoned;
use std::path::Path;
use wavemill_store::{PauseState, StoreError};

/// What holds at one look at the queue.
pub(super) struct Admission<'s> {
    shared: &'s Shared,
    paused: PauseState,
    now: Zoned,
}

impl<'s> Admission<'s> {
    pub(super) fn look(shared: &'s Shared) -> Result<Self, StoreError> {
        Ok(Self { shared, paused: shared.store.paused()?, now: Zoned::now() })
    }

    /// Why jobs of a pipeline may not begin; one line.
    pub(super) fn hold(&self, plan: &Plan) -> Option<String> {
        let pipeline = &plan.pipeline;
        if self.paused.all {
            return Some("all pipelines are paused".to_owned());
        }
        if self.paused.holds(&pipeline.name) {
            return Some(format!("pipeline `{}` is paused", pipeline.name));
        }
        if !pipeline.may_begin_at(&self.now) {
            let until = pipeline.begins_after(&self.now).map(|begin| {
                let is_here = begin.offset() == self.now.offset();
                begin.strftime(if is_here { " until %a %H:%M" } else { " until %a %H:%M %Z" })
            });
            let until = until.map(|until| until.to_string()).unwrap_or_default();
            return Some(format!("outside the hours of pipeline `{}`{until}", pipeline.name));
        }
        None
    }

    /// Why there is no room for what jobs of a pipeline write; one line.
    pub(super) fn shortage(&self, plan: &Plan, output_root: &Path) -> Option<String> {
        let mut folders = plan.pipeline.output_folders(output_root);
        folders.push(self.shared.spool.clone());
        self.shared.space.shortage(&folders)
    }
}
