//! Exports that exceed a ceiling are made again, with less gain.
//!
//! A ceiling holds where a step keeps it. What an export adds behind it, a lossy format or another rate,
//! raises peaks; so they are looked at as they will be heard, and the pass is run again for those that
//! exceed what was promised.

use super::RunError;
use super::group::{Group, Stored};
use super::outputs::Decided;
use super::pass::FedGroup;
use super::run::{Files, Run};
use super::spool::Spool;
use super::stage::Stage;
use super::writer::Written;
use crate::model::{Pipeline, Require, RequireOn};
use crate::plan::blueprint::{Blueprint, GroupPlan, Pass};
use crate::plan::ceiling::Peak;
use std::collections::BTreeMap;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::{Dbtp, Decibels, Frames};

/// Most times that an export is made again. What one attempt leaves above the ceiling is tenths of a dB at
/// most, since a lossy format does nearly the same to a signal that is a little softer.
const REPEATS_MAX: u32 = 3;

/// How far below the ceiling the first repeat aims, the second by twice as much, and so on.
const MARGIN_DB: f64 = 0.1;

/// How far a peak may lie above the ceiling of a step: what `limit` promises of itself, and rounding and
/// dither add.
pub(super) const TOLERANCE_DB: f64 = 0.05;

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

/// A peak that an export must not exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Promise {
    peak: Peak,
    tolerance_db: f64,
}

/// What is above a ceiling, and by how much.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Excess {
    ceiling: Peak,
    heard: f64,
}

impl Excess {
    /// The gain of the next attempt, the one with this number.
    fn gain(self, before: Decibels, attempt: u32) -> Decibels {
        let above = self.heard - self.ceiling.value();
        Decibels(before.0 - above - MARGIN_DB * f64::from(attempt)).rounded_down()
    }
}

/// The peaks of an export as they will be heard: of what a lossy one decodes to, else of what was stored.
struct Heard<'a> {
    report: Option<&'a LoudnessReport>,
    /// Of converted channels before full scale cut them.
    converted_db: Option<f64>,
}

impl<'a> Heard<'a> {
    fn new(written: &'a Written, stored: &'a Stored) -> Self {
        let converted_db = stored.converted_peak.map(|peak| peak.0);
        match &written.decoded {
            Some(decoded) => Self { report: decoded.loudness.as_ref(), converted_db: None },
            None => Self { report: stored.loudness(), converted_db },
        }
    }

    /// The largest reading of a kind of peak; `None` for silence.
    fn peak(&self, kind: Peak) -> Option<f64> {
        let readings = match (kind, self.report) {
            (Peak::True(_), Some(report)) => {
                let precise = report.true_peak_precise_dbtp.map(|peak| peak.0);
                [report.true_peak_dbtp.map(|peak| peak.0), precise]
            }
            (Peak::Sample(_), Some(report)) => [report.sample_peak_dbfs.map(|peak| peak.0), None],
            (_, None) => [None; 2],
        };
        match (kind, self.converted_db) {
            // What dither added to it later is no matter of a gain.
            (Peak::Sample(_), Some(converted)) => Some(converted),
            (_, converted) => readings.into_iter().chain([converted]).flatten().reduce(f64::max),
        }
    }

    /// What exceeds its ceiling most.
    fn excess(&self, promises: &[Promise]) -> Option<Excess> {
        let above = |excess: &Excess| excess.heard - excess.ceiling.value();
        promises
            .iter()
            .filter_map(|promise| {
                let excess = Excess { ceiling: promise.peak, heard: self.peak(promise.peak)? };
                (above(&excess) > promise.tolerance_db).then_some(excess)
            })
            .max_by(|a, b| above(a).total_cmp(&above(b)))
    }
}

/// The largest peak of what a group stored, of a kind; `None` for silence.
pub(super) fn stored_peak(stored: &Stored, kind: Peak) -> Option<f64> {
    let converted_db = stored.converted_peak.map(|peak| peak.0);
    Heard { report: stored.loudness(), converted_db }.peak(kind)
}

/// What is promised of an export of a group: the ceiling of the last step, where a lossy format or a
/// conversion came after it, and that of gates, which it must not miss for what was added behind it.
fn promises(
    pipeline: &Pipeline,
    group: &GroupPlan,
    is_lossy: bool,
    fed: Option<&LoudnessReport>,
) -> Vec<Promise> {
    let is_raised = is_lossy || (group.is_raised && !group.is_mixed());
    if !is_raised {
        return Vec::new();
    }
    let step =
        group.ceiling.map(|ceiling| Promise { peak: ceiling.peak, tolerance_db: TOLERANCE_DB });
    let loudness = fed.and_then(|fed| fed.integrated_lufs);
    let fed = Heard { report: fed, converted_db: None };
    let of_gate = |require: &Require| {
        let target = require.target.as_ref().and_then(|target| target.true_peak_max(loudness));
        let maxima =
            [require.true_peak_dbtp.and_then(|bounds| bounds.max), target.map(|max| max.0)];
        maxima.into_iter().flatten().reduce(f64::min)
    };
    let gates = pipeline.requires.iter().filter(|require| require.on == RequireOn::Output);
    let gates = gates
        .filter_map(of_gate)
        .map(|max| Promise { peak: Peak::True(Dbtp(max)), tolerance_db: 0.0 });
    // A signal that misses a gate by itself is for the gate to reject, not for us to turn down unasked.
    let is_ours = |gate: &Promise| {
        step.is_some() || fed.peak(gate.peak).is_none_or(|peak| peak <= gate.peak.value())
    };
    step.into_iter().chain(gates.filter(is_ours)).collect()
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
                gains.insert(export, (excess.gain(before, attempt), excess.ceiling));
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
            let promises = promises(self.pipeline, plan, is_lossy, first.loudness());
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
            let name =
                format!("export {} ({})", export + 1, self.pipeline.exports[export].format.name);
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
}
