//! Exports that a lossy format or a conversion changed are made again, with a correction.
//!
//! A ceiling holds where a step keeps it, and a loudness where a step makes it. What an export adds behind
//! them raises peaks and takes loudness; so both are looked at as decoded, and the pass is run again
//! for the exports that differ from what was asked for. Files that get one gain together get one correction
//! together as well: see [`group_correction`](super::group_correction).

use super::Correction;
use super::RunError;
use super::blueprint::{Blueprint, Pass};
use super::correction::{self, Attempt};
use super::group::{ExportGroup, StoredSignal};
use super::pass::GroupFeed;
use super::promise::{self, ExportPeaks, Height};
use super::repeat::{PassOutputs, Repeat};
use super::run::{Files, Run};
use super::spool::Spool;
use super::stage::Stage;
use std::collections::BTreeMap;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::processor::CeilingChange;
use wavemill_core::units::Decibels;

/// Loudness that is missed by more is worth a line.
const MISSING_LU: f64 = 0.1;

/// Why a limiter gives no more.
const MORE: &str = "more would need more reduction than `max_reduction_db` allows";

/// Exports that a repeat of a pass makes together.
struct Batch {
    /// The stage that limits, and what of the corrections it does; each export is turned down by the rest.
    limiter: Option<(usize, Correction)>,
    exports: Vec<(usize, Correction)>,
}

impl Batch {
    /// Which exports can be made in one pass: those that are only turned down, and those of one ceiling. Those of
    /// a group are turned down behind its limiter, so that its files stay as loud beside each other.
    fn all(
        blueprint: &mut Blueprint,
        due: &[(usize, Correction)],
        is_grouped: impl Fn(usize) -> bool,
    ) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for &(export, correction) in due {
            let lower = if is_grouped(export) { Decibels::ZERO } else { correction.lower };
            let limiting = Correction { lower, ..correction };
            let limiter = blueprint.limiter_of(export).map(|stage| (stage, limiting));
            match batches.iter_mut().find(|batch| batch.limiter == limiter) {
                Some(batch) => batch.exports.push((export, correction)),
                None => batches.push(Self { limiter, exports: vec![(export, correction)] }),
            }
        }
        batches
    }

    /// By how much an export is turned down behind the step that limits it.
    fn gain_lowered(&self, correction: Correction) -> Decibels {
        correction.lower - self.limiter.map_or(Decibels::ZERO, |(_, by)| by.lower)
    }
}

impl Run<'_> {
    /// Makes the exports that a pass wrote again, until they keep what was promised and have their loudness, or
    /// as their group is corrected.
    pub(super) fn correct(
        &mut self,
        blueprint: &mut Blueprint,
        made: &PassOutputs<'_>,
        files: &mut Files,
        mut spool: Option<&mut Spool>,
    ) -> Result<(), RunError> {
        let corrections = self.group_corrections(blueprint, made);
        self.repeat(blueprint, &corrections, made, files, spool.as_deref_mut())?;
        let mut tried: BTreeMap<usize, Vec<Attempt>> = BTreeMap::new();
        for &export in files.keys() {
            let is_here = blueprint.pass_of(blueprint.group_of[export]) == made.pass;
            if is_here && self.trial.is_none() && self.group_correction(export).is_none() {
                let attempt = self.attempt(export, blueprint, files, made.stored);
                tried.insert(export, vec![attempt]);
            }
        }
        loop {
            let due =
                |(export, tried): (&usize, &Vec<_>)| Some((*export, correction::next(tried)?));
            let due: Vec<_> = tried.iter().filter_map(due).collect();
            if due.is_empty() {
                break;
            }
            self.repeat(blueprint, &due, made, files, spool.as_deref_mut())?;
            for (export, _) in due {
                let attempt = self.attempt(export, blueprint, files, made.stored);
                tried.entry(export).or_default().push(attempt);
            }
        }
        let best = |(export, tried): (&usize, &Vec<Attempt>)| {
            let best = correction::best(tried);
            (best + 1 != tried.len()).then(|| (*export, tried[best].correction))
        };
        let best: Vec<_> = tried.iter().filter_map(best).collect();
        self.repeat(blueprint, &best, made, files, spool)?;
        self.note_corrections(blueprint, made, files);
        self.note_overs(blueprint, made, files);
        Ok(())
    }

    /// The correction by its group of the exports of a pass.
    fn group_corrections(
        &self,
        blueprint: &Blueprint,
        made: &PassOutputs<'_>,
    ) -> Vec<(usize, Correction)> {
        let exports = made.decided.written();
        let exports =
            exports.filter(|export| blueprint.pass_of(blueprint.group_of[*export]) == made.pass);
        exports.filter_map(|export| Some((export, self.shared_correction(export)?))).collect()
    }

    /// The correction by its group of an export.
    pub(super) fn shared_correction(&self, export: usize) -> Option<Correction> {
        let correction = self.known.group.as_ref()?.exports.get(export)?.correction;
        (correction != Correction::NONE).then_some(correction)
    }

    /// How an export came out, compared with what was promised and with what was first encoded.
    pub(super) fn attempt(
        &self,
        export: usize,
        blueprint: &mut Blueprint,
        files: &Files,
        stored: &BTreeMap<usize, StoredSignal>,
    ) -> Attempt {
        let is_aimed = blueprint.is_made_loud(export);
        let group = blueprint.group_of[export];
        let repeated = self.repeated.get(&export);
        let decoded = files.get(&export).and_then(|written| written.decoded.as_ref());
        let decoded = decoded.and_then(|decoded| decoded.loudness.as_ref()?.integrated_lufs);
        let first = stored.get(&group).or_else(|| self.stored(export, group, stored));
        let goal = first.and_then(|first| first.loudness()?.integrated_lufs);
        let missing = goal.zip(decoded).map(|(goal, decoded)| (goal - decoded).0);
        Attempt {
            correction: repeated.map_or(Correction::NONE, |repeated| repeated.correction),
            above_db: self.height(export, blueprint, files, stored).map(Height::above_db),
            missing_lu: missing.filter(|_| is_aimed),
            is_bound: repeated.is_some_and(|repeated| repeated.is_bound),
        }
    }

    /// The peak of an export beside its ceiling; `None` where none is promised.
    fn height(
        &self,
        export: usize,
        blueprint: &Blueprint,
        files: &Files,
        stored: &BTreeMap<usize, StoredSignal>,
    ) -> Option<Height> {
        let group = blueprint.group_of[export];
        let written = files.get(&export)?;
        let last = self.stored(export, group, stored)?;
        // What was fed the first time says whether the pipeline itself kept a gate.
        let first = stored.get(&group).unwrap_or(last).loudness();
        let is_lossy = written.decoded.is_some();
        let plan = &blueprint.groups[group];
        let promises = promise::of_export(self.pipeline, plan, is_lossy, first);
        ExportPeaks::new(written, last).height(&promises)
    }

    /// Makes exports of a pass again, each with its correction.
    fn repeat(
        &mut self,
        blueprint: &mut Blueprint,
        due: &[(usize, Correction)],
        made: &PassOutputs<'_>,
        files: &mut Files,
        mut spool: Option<&mut Spool>,
    ) -> Result<(), RunError> {
        let is_grouped = |export| self.shared_correction(export).is_some();
        let batches = Batch::all(blueprint, due, is_grouped);
        self.passes_left += batches.len();
        for batch in batches {
            let lower = |blueprint: &mut Blueprint, stage: usize, by: Correction| {
                let step = blueprint.stages[stage].processor.whole_file_mut();
                step.map_or(CeilingChange::Nothing, |step| step.lower_ceiling(by.lower, by.louder))
            };
            let lowered = batch.limiter.map(|(stage, by)| lower(blueprint, stage, by));
            let groups = self.groups_again(blueprint, &batch, made, files)?;
            let pass = blueprint.passes[made.pass].clone();
            blueprint.stages[pass.stages.clone()].iter_mut().for_each(Stage::rewind);
            let again = Pass { observer: None, spools: false, ..pass };
            let done =
                self.pass(&again, &mut blueprint.stages, groups, Vec::new(), spool.as_deref_mut())?;
            if let Some((stage, _)) = batch.limiter {
                lower(blueprint, stage, Correction::NONE);
            }
            files.extend(done.written);
            for (export, stored) in done.stored {
                let correction = batch.exports.iter().find(|(of, _)| *of == export);
                let correction = correction.map_or(Correction::NONE, |(_, correction)| *correction);
                let attempts = self.repeated.get(&export).map_or(1, |before| before.attempts);
                let repeated = Repeat {
                    attempts: attempts + 1,
                    correction,
                    is_limited: lowered.is_some() && batch.gain_lowered(correction).0 <= 0.0,
                    is_bound: lowered == Some(CeilingChange::Bound),
                    stored,
                    ceiling: None,
                };
                self.repeated.insert(export, repeated);
            }
        }
        Ok(())
    }

    /// A group for each export that is made again; they are known by the export.
    fn groups_again(
        &self,
        blueprint: &mut Blueprint,
        batch: &Batch,
        made: &PassOutputs<'_>,
        files: &mut Files,
    ) -> Result<Vec<GroupFeed>, RunError> {
        let mut feeds = Vec::new();
        for &(export, correction) in &batch.exports {
            // Its name is free again when the file is gone.
            files.remove(&export);
            let group = blueprint.group_of[export];
            blueprint.groups[group].convert_again(batch.gain_lowered(correction))?;
            let writer = self.writer(blueprint, export, made.decided, made.lengths);
            let tap = blueprint.groups[group].tap;
            let group: ExportGroup = self.group(blueprint, group);
            let writers = writer.map(|writer| (export, writer)).into_iter().collect();
            feeds.push(GroupFeed { index: export, tap, group, writers });
        }
        Ok(feeds)
    }

    /// Notes which exports keep their ceiling now, and says which became quieter, exceed it or lack loudness all
    /// the same.
    fn note_corrections(
        &mut self,
        blueprint: &mut Blueprint,
        made: &PassOutputs<'_>,
        files: &Files,
    ) {
        for (&export, written) in files {
            if blueprint.pass_of(blueprint.group_of[export]) != made.pass {
                continue;
            }
            let attempt = self.attempt(export, blueprint, files, made.stored);
            let height = self.height(export, blueprint, files, made.stored);
            let how = if written.decoded.is_some() { "decoded" } else { "converted" };
            let is_lowered = self.repeated.get(&export).is_some_and(Repeat::is_lowered);
            let missing = match self.group_correction(export) {
                Some(group_correction) if is_lowered => {
                    group_correction.missing_lu.map(|missing| {
                        ("its group is", missing, "all its files are turned down alike")
                    })
                }
                Some(group_correction) => {
                    group_correction.missing_lu.map(|it| ("its group is", it, MORE))
                }
                None => attempt.missing_lu.map(|it| ("decoded, it is", it, MORE)),
            };
            let Some(repeated) = self.repeated.get_mut(&export) else { continue };
            let is_kept = attempt.excess_db() <= 0.0;
            repeated.ceiling = height.map(|height| (height.ceiling, is_kept));
            let name = promise::name(self.pipeline, export);
            let ceiling = height.and_then(|height| ceiling_line(repeated, height, is_kept, how));
            let missing = missing.filter(|(_, missing, _)| *missing > MISSING_LU);
            let missing =
                missing.map(|(what, lu, why)| format!("{what} {lu:.2} LU below the target; {why}"));
            let lines = ceiling.into_iter().chain(missing);
            self.warnings.extend(lines.map(|line| format!("{name}: {line}")));
        }
    }

    /// Says which lossy exports will clip because what was encoded was above full scale already. That is
    /// how the signal was wanted, so it is not turned down.
    fn note_overs(&mut self, blueprint: &Blueprint, made: &PassOutputs<'_>, files: &Files) {
        for (&export, written) in files {
            let group = blueprint.group_of[export];
            let plan = &blueprint.groups[group];
            if blueprint.pass_of(group) != made.pass || !promise::is_free(self.pipeline, plan) {
                continue;
            }
            let peak = |report: Option<&LoudnessReport>| report?.larger_true_peak();
            let decoded = written.decoded.as_ref().and_then(|it| peak(it.loudness.as_ref()));
            let encoded =
                self.stored(export, group, made.stored).and_then(|it| peak(it.loudness()));
            let (Some(decoded), Some(encoded)) = (decoded, encoded) else { continue };
            if decoded > promise::FULL_SCALE && encoded > promise::FULL_SCALE {
                self.warnings.push(format!(
                    "{}: decoded, it reaches {:.2} dBTP; its input already reached {:.2} dBTP, so \
                    its gain was not reduced",
                    promise::name(self.pipeline, export),
                    decoded.0,
                    encoded.0
                ));
            }
        }
    }
}

/// What a ceiling took from an export, or how it is missed; `None` where it holds and cost no gain.
fn ceiling_line(repeated: &Repeat, height: Height, is_kept: bool, how: &str) -> Option<String> {
    let (unit, ceiling) = (height.ceiling.unit(), height.ceiling.value());
    if !is_kept {
        return Some(format!(
            "{how}, it reaches {:.2} {unit}, above the ceiling of {ceiling:.2} {unit}, after {} \
            attempts",
            height.heard, repeated.attempts
        ));
    }
    let lower = repeated.correction.lower.0;
    repeated.is_lowered().then(|| {
        format!(
            "gain reduced by {lower:.2} dB, so that, {how}, it stays below the ceiling of \
            {ceiling:.2} {unit}"
        )
    })
}
