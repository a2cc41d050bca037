//! Exports that exceed a ceiling are made again, with less gain.
//!
//! A ceiling holds where a step keeps it. What an export adds behind it, a lossy format or another rate,
//! raises peaks; so they are looked at as they will be heard, and the pass is run again for those that
//! exceed what was promised.

use super::RunError;
use super::group::{Group, Stored};
use super::outputs::Decided;
use super::pass::FedGroup;
use super::promise::{self, Excess, Heard};
use super::run::{Files, Run};
use super::spool::Spool;
use super::stage::Stage;
use crate::plan::blueprint::{Blueprint, Pass};
use crate::plan::ceiling::Peak;
use std::collections::BTreeMap;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::{Decibels, Frames};

/// Most times that an export is made again. What one attempt leaves above the ceiling is tenths of a dB at
/// most, since a lossy format does nearly the same to a signal that is a little softer.
const REPEATS_MAX: u32 = 3;

/// How far below the ceiling the first repeat aims, the second by twice as much, and so on.
const MARGIN_DB: f64 = 0.1;

/// What a pass made its exports of.
pub(super) struct Made<'a> {
    pub(super) decided: &'a Decided,
    /// Frames that each stage delivers.
    pub(super) lengths: &'a BTreeMap<usize, Frames>,
    /// What each group stored.
    pub(super) stored: &'a BTreeMap<usize, Stored>,
}

/// An export that was made again.
pub(super) struct Repeated {
    /// How often.
    pub(super) times: u32,
    /// What all repeats took away together; negative.
    pub(super) gain: Decibels,
    /// What was stored the last time.
    pub(super) stored: Stored,
    /// The ceiling, in its unit.
    pub(super) ceiling: Peak,
    /// Whether it holds now.
    pub(super) is_kept: bool,
}

/// The gain of the next attempt, the one with this number.
fn softer(excess: Excess, before: Decibels, attempt: u32) -> Decibels {
    Decibels(before.0 - excess.above_db() - MARGIN_DB * f64::from(attempt)).rounded_down()
}

impl Run<'_> {
    /// Makes the exports that a pass wrote again while they exceed what was promised.
    pub(super) fn make_again(
        &mut self,
        index: usize,
        blueprint: &mut Blueprint,
        made: &Made<'_>,
        files: &mut Files,
        mut spool: Option<&mut Spool>,
    ) -> Result<(), RunError> {
        for attempt in 1..=REPEATS_MAX {
            let above = self.above(index, blueprint, files, made.stored);
            if above.is_empty() {
                break;
            }
            let mut gains = BTreeMap::new();
            for (export, excess) in above {
                let before = self.repeated.get(&export).map_or(Decibels::ZERO, |it| it.gain);
                gains.insert(export, (softer(excess, before, attempt), excess.ceiling));
                // Its name is free again when the file is gone.
                files.remove(&export);
            }
            let groups = self.groups_again(blueprint, &gains, made)?;
            let pass = blueprint.passes[index].clone();
            blueprint.stages[pass.stages.clone()].iter_mut().for_each(Stage::rewind);
            let again = Pass { observer: None, spools: false, ..pass };
            self.pass_count += 1;
            let spool = spool.as_deref_mut();
            let done = self.pass(&again, &mut blueprint.stages, groups, Vec::new(), spool)?;
            files.extend(done.written);
            for (export, stored) in done.stored {
                let (gain, ceiling) = gains[&export];
                let repeated = Repeated { times: attempt, gain, stored, ceiling, is_kept: true };
                self.repeated.insert(export, repeated);
            }
        }
        self.tell_of_repeats(index, blueprint, files, made.stored);
        self.tell_of_overs(index, blueprint, files, made.stored);
        Ok(())
    }

    /// The exports of a pass that exceed a ceiling.
    fn above(
        &self,
        index: usize,
        blueprint: &Blueprint,
        files: &Files,
        stored: &BTreeMap<usize, Stored>,
    ) -> Vec<(usize, Excess)> {
        let mut above = Vec::new();
        for (&export, written) in files {
            let group = blueprint.group_of[export];
            if blueprint.pass_of(group) != index {
                continue;
            }
            let Some(first) = stored.get(&group) else { continue };
            let last = self.repeated.get(&export).map_or(first, |repeated| &repeated.stored);
            let is_lossy = written.decoded.is_some();
            let plan = &blueprint.groups[group];
            // What was fed the first time says whether the pipeline itself kept a gate.
            let promises = promise::of_export(self.pipeline, plan, is_lossy, first.loudness());
            let excess = Heard::new(written, last).excess(&promises);
            above.extend(excess.map(|excess| (export, excess)));
        }
        above
    }

    /// A group for each export that is made again; they are known by the export.
    fn groups_again(
        &self,
        blueprint: &mut Blueprint,
        gains: &BTreeMap<usize, (Decibels, Peak)>,
        made: &Made<'_>,
    ) -> Result<Vec<FedGroup>, RunError> {
        let mut fed = Vec::new();
        for (&export, &(gain, _)) in gains {
            let group = blueprint.group_of[export];
            blueprint.groups[group].convert_again(gain)?;
            let mut writers = self.writers(blueprint, group, made.decided, made.lengths);
            writers.retain(|(of, _)| *of == export);
            for (_, writer) in &mut writers {
                writer.forget_album();
            }
            let tap = blueprint.groups[group].tap;
            let group: Group = self.group(blueprint, group);
            fed.push(FedGroup { index: export, tap, group, writers });
        }
        Ok(fed)
    }

    /// Says which exports became softer, and which exceed their ceiling all the same.
    fn tell_of_repeats(
        &mut self,
        index: usize,
        blueprint: &Blueprint,
        files: &Files,
        stored: &BTreeMap<usize, Stored>,
    ) {
        let above: BTreeMap<usize, Excess> =
            self.above(index, blueprint, files, stored).into_iter().collect();
        for (&export, written) in files {
            if blueprint.pass_of(blueprint.group_of[export]) != index {
                continue;
            }
            let Some(repeated) = self.repeated.get_mut(&export) else { continue };
            let name = promise::name(self.pipeline, export);
            let how = if written.decoded.is_some() { "decoded" } else { "converted" };
            let (unit, ceiling) = (repeated.ceiling.unit(), repeated.ceiling.value());
            let softer = -repeated.gain.0;
            self.warnings.push(match above.get(&export) {
                Some(excess) => {
                    repeated.is_kept = false;
                    format!(
                        "{name}: {how}, it reaches {:.2} {unit}, above the ceiling of {ceiling:.2} {unit}, \
                         though made {} times again and {softer:.2} dB softer",
                        excess.heard, repeated.times
                    )
                }
                None => format!(
                    "{name}: made {softer:.2} dB softer, so that {how} it keeps the ceiling of \
                     {ceiling:.2} {unit}"
                ),
            });
        }
    }

    /// Says which lossy exports will clip because what was encoded was above full scale already. That is
    /// how the signal was wanted, so it is not turned down.
    fn tell_of_overs(
        &mut self,
        index: usize,
        blueprint: &Blueprint,
        files: &Files,
        stored: &BTreeMap<usize, Stored>,
    ) {
        for (&export, written) in files {
            let group = blueprint.group_of[export];
            let plan = &blueprint.groups[group];
            if blueprint.pass_of(group) != index || !promise::is_free(self.pipeline, plan) {
                continue;
            }
            let peak = |report: Option<&LoudnessReport>| report?.larger_true_peak();
            let decoded = written.decoded.as_ref().and_then(|it| peak(it.loudness.as_ref()));
            let encoded = self.stored(export, group, stored).and_then(|it| peak(it.loudness()));
            let (Some(decoded), Some(encoded)) = (decoded, encoded) else { continue };
            if decoded > promise::FULL_SCALE && encoded > promise::FULL_SCALE {
                self.warnings.push(format!(
                    "{}: decoded, it reaches {:.2} dBTP; what was encoded reached {:.2} dBTP, so it was \
                     not made softer",
                    promise::name(self.pipeline, export), decoded.0, encoded.0
                ));
            }
        }
    }
}
