//! What a step promises of the peaks of its output.

use crate::model::Step;
use wavemill_core::descriptor::Peaks;
use wavemill_core::units::{Dbfs, Dbtp};

/// A peak, by how it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peak {
    /// A true peak.
    True(Dbtp),
    /// The highest sample.
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

/// The peak that a step itself does not exceed; `None` where it promises none.
pub(crate) fn of_step(step: &Step) -> Option<Peak> {
    match step.peaks() {
        Peaks::BoundsTruePeak(key) => Some(Peak::True(Dbtp(step.number(key)?))),
        Peaks::BoundsSamplePeak(key) => Some(Peak::Sample(Dbfs(step.number(key)?))),
        Peaks::Keeps | Peaks::Converts | Peaks::Raises => None,
    }
}
