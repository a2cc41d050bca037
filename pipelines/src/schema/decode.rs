//! `[decode]`: how sources are read.

use crate::model::{Pipeline, SourceAction};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use std::ops::Range;
use wavemill_core::decode::Damaged;

/// The key of what becomes of damage.
const DAMAGED: &str = "damaged";

pub(super) const KEYS: &[Key] = &[Key::optional(
    DAMAGED,
    Kind::Word(&Damaged::NAMES),
    "refuse (default): a damaged source fails; repair: missing audio becomes silence and is \
    reported.",
)];

pub(super) fn read(values: &Values<'_>) -> Damaged {
    let written = values.word(DAMAGED);
    written.and_then(|written| Damaged::of_name(written.get_ref())).unwrap_or_default()
}

/// Warns of a damaged source that would be gone after its repair.
pub(super) fn check(sink: &mut Sink<'_>, pipeline: &Pipeline, on_success: Option<Range<usize>>) {
    let is_gone = matches!(pipeline.source.on_success, SourceAction::Delete);
    if let Some(span) = on_success.filter(|_| is_gone && pipeline.damaged == Damaged::Repair) {
        sink.warning("deletes-damaged", span, "damaged sources would be repaired and then deleted")
            .help("keep or move sources: another repair would need them");
    }
}
