//! Which ceiling a pipeline promises at a place of its chain.

use super::blueprint::Blueprint;
use crate::model::{Pipeline, Step};
use wavemill_core::units::{Dbfs, Dbtp};

/// Steps that raise no peak, or hardly, so that a ceiling before them is still meant behind them.
/// `resample` raises some; whether it did is looked at.
const KEEPING: [&str; 7] = ["fade", "trim-silence", "range", "pad", "invert", "swap", "resample"];

/// What a step promises of the peaks of its output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ceiling {
    /// The step.
    pub(crate) step: &'static str,
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

/// The ceiling that a step itself keeps, in either mode of `loudness`.
pub(crate) fn of_step(step: &Step) -> Option<Ceiling> {
    let true_peak = |step: &Step| step.number("ceiling_dbtp").map(Dbtp).map(Peak::True);
    let (name, peak) = match step.name() {
        "loudness" => ("loudness", true_peak(step)),
        "limit" => ("limit", true_peak(step)),
        "peak-normalize" => {
            ("peak-normalize", step.number("target_dbfs").map(Dbfs).map(Peak::Sample))
        }
        _ => return None,
    };
    peak.map(|peak| Ceiling { step: name, peak })
}

impl Blueprint {
    /// The ceiling meant for a tap: that of the last step which has one, if only steps follow that raise
    /// nothing, or little.
    pub(super) fn ceiling(&self, pipeline: &Pipeline, tap: Option<usize>) -> Option<Ceiling> {
        for step in self.steps_before(pipeline, tap) {
            if let Some(ceiling) = of_step(step) {
                return Some(ceiling);
            }
            if !KEEPING.iter().any(|name| step.is(name)) {
                return None;
            }
        }
        None
    }

    /// Whether the rate is converted by a step after the last ceiling.
    pub(super) fn is_resampled_last(&self, pipeline: &Pipeline, tap: Option<usize>) -> bool {
        let mut steps = self.steps_before(pipeline, tap);
        steps
            .find(|step| step.is("resample") || of_step(step).is_some())
            .is_some_and(|step| step.is("resample"))
    }
}
