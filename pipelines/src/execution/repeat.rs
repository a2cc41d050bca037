//! An export that was made again, and the pass that made it.

use super::Correction;
use super::group::StoredSignal;
use super::outputs::OutputDecisions;
use crate::ceiling::Peak;
use std::collections::BTreeMap;
use wavemill_core::units::Frames;

/// A pass, and what it made its exports of.
pub(super) struct PassOutputs<'a> {
    /// Which of the passes.
    pub(super) pass: usize,
    pub(super) decided: &'a OutputDecisions,
    /// Frames that each stage delivers.
    pub(super) lengths: &'a BTreeMap<usize, Frames>,
    /// What each group stored.
    pub(super) stored: &'a BTreeMap<usize, StoredSignal>,
}

/// An export that was made again.
pub(super) struct Repeat {
    /// How often it was made in all.
    pub(super) attempts: usize,
    /// What was changed the last time.
    pub(super) correction: Correction,
    /// Whether a step limits it, and to the lower ceiling; else it was turned down.
    pub(super) is_limited: bool,
    /// Whether the step that makes it loud gives no more.
    pub(super) is_bound: bool,
    /// What was stored the last time.
    pub(super) stored: StoredSignal,
    /// The ceiling, in its unit, and whether it holds now; `None` where none was promised.
    pub(super) ceiling: Option<(Peak, bool)>,
}

impl Repeat {
    /// Whether it was turned down.
    pub(super) fn is_lowered(&self) -> bool {
        !self.is_limited && self.correction.lower.0 > 0.0
    }
}
