//! What files that get one gain together have to change about their exports.
//!
//! A correction of one file alone would make it quieter or louder than the others. So every file of a group is
//! tried before the first is written: its exports are made in files without names, and looked at as
//! decoded. What the worst of them needs holds for all. What an export adds above its ceiling is taken away behind
//! the limiter: a lower ceiling would take more from loud files than from soft ones.

use super::access::FileAccess;
use super::blueprint::Blueprint;
use super::correction::{self, Attempt};
use super::member::OnlyProgress;
use super::outputs::OutputDecisions;
use super::run::Run;
use super::spool::SpoolAccess;
use super::{Correction, Decision, GroupCorrection, Hooks, Job, Places, Proposal, RunError};
use crate::model::Pipeline;
use std::path::PathBuf;
use std::sync::Arc;
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::loudness::{GroupLoudness, Piece};
use wavemill_core::processor::WholeFile;
use wavemill_core::units::Lufs;

/// Most times that each file of a group is tried.
pub const ROUNDS_MAX: usize = correction::REPEATS_MAX + 1;

/// An export of one file, as it came out.
struct Trial {
    attempt: Attempt,
    /// Whether a correction can make it louder.
    is_aimed: bool,
    /// The loudness that the whole group is to have, where the export stores what the step makes of it.
    goal: Option<Lufs>,
    stored: Piece,
    heard: Piece,
}

/// The trials of an export.
#[derive(Default)]
struct Trials {
    goal: Option<Lufs>,
    attempts: Vec<Attempt>,
    heard: Vec<GroupLoudness>,
}

impl Trials {
    /// Takes what came out of all files.
    fn push(&mut self, files: &[Trial]) {
        let Some(first) = files.first() else { return };
        let stored = GroupLoudness::of(files.iter().map(|file| &file.stored)).integrated_lufs;
        if self.attempts.is_empty() && first.is_aimed {
            self.goal = first.goal.or(stored);
        }
        let correction = first.attempt.correction;
        // What the limiter made, before it was turned down: only that can be made louder alike.
        let limited = stored.map(|lufs| lufs + correction.lower);
        self.attempts.push(Attempt {
            correction,
            above_db: files.iter().filter_map(|file| file.attempt.above_db).reduce(f64::max),
            missing_lu: self.goal.zip(limited).map(|(goal, lufs)| (goal - lufs).0),
            is_bound: files.iter().any(|file| file.attempt.is_bound),
        });
        self.heard.push(GroupLoudness::of(files.iter().map(|file| &file.heard)));
    }

    fn next(&self) -> Option<Correction> {
        correction::next(&self.attempts)
    }

    fn group_correction(&self) -> GroupCorrection {
        let best = correction::best(&self.attempts);
        let attempt = self.attempts.get(best).copied().unwrap_or_default();
        let heard = self.heard.get(best).copied();
        let lufs = heard.and_then(|heard| heard.integrated_lufs);
        GroupCorrection {
            correction: attempt.correction,
            attempts: self.attempts.len(),
            heard,
            missing_lu: self.goal.zip(lufs).map(|(goal, lufs)| (goal - lufs).0),
        }
    }
}

/// Whether the exports of a group can differ from what its one gain makes of the files.
pub fn needs_group_correction(pipeline: &Pipeline) -> bool {
    let is_limited = pipeline
        .grouped_step()
        .is_some_and(|(step, _)| pipeline.steps[step].choice("mode") == Some("limit"));
    let mut exports = pipeline.exports.iter();
    is_limited
        || exports.any(|export| !export.format.is_lossless() || export.sample_rate_hz.is_some())
}

/// Tries the exports of files that get one gain together until they keep their ceilings and the group has its
/// loudness. The jobs know their group. A correction for each export of the pipeline; a file that is at fault
/// has no say. Writes nothing but spools. `progress` is given the file, and the share of all trials.
///
/// # Errors
/// When it was canceled, or the machine is at fault.
pub fn correct_group(
    pipeline: &Pipeline,
    jobs: &[Job],
    places: &Places<'_>,
    progress: &mut dyn FnMut(usize, f64),
) -> Result<Vec<GroupCorrection>, RunError> {
    let mut exports: Vec<Trials> = pipeline.exports.iter().map(|_| Trials::default()).collect();
    let mut due: Vec<usize> = (0..exports.len()).collect();
    let mut corrections = vec![GroupCorrection::default(); exports.len()];
    // Nobody knows how many rounds there will be: each is half of what is left.
    let mut round_share = 0.5;
    while !due.is_empty() {
        let mut found: Vec<Vec<Trial>> = exports.iter().map(|_| Vec::new()).collect();
        for (file, job) in jobs.iter().enumerate() {
            let mut share = |share: f64| {
                let done = (file as f64 + share) / jobs.len() as f64;
                progress(file, 1.0 - 2.0 * round_share + round_share * done);
            };
            share(0.0);
            let group = job.group.clone().map(|group| group.with_exports(&corrections));
            let job = Job { group, ..job.clone() };
            match try_exports(pipeline, &job, places, &due, &mut share) {
                Ok(trials) => trials.into_iter().for_each(|(export, it)| found[export].push(it)),
                Err(error @ (RunError::Canceled | RunError::Transient { .. })) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        round_share /= 2.0;
        for (trials, found) in exports.iter_mut().zip(&found) {
            trials.push(found);
        }
        due.retain(|&export| {
            let next = exports[export].next();
            corrections[export].correction = next.unwrap_or_default();
            next.is_some()
        });
    }
    Ok(exports.iter().map(Trials::group_correction).collect())
}

/// Makes these exports of a file, where its group is corrected together, and looks at them.
fn try_exports(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    exports: &[usize],
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<(usize, Trial)>, RunError> {
    let _flush = FlushDenormals::on();
    let access: Arc<dyn FileAccess> =
        Arc::new(SpoolAccess::new(places.spool, Arc::clone(&places.access)));
    let places = Places { access, ..places.clone() };
    let mut hooks = TrialHooks(OnlyProgress(progress));
    let mut run = Run::open(pipeline, job, &places, &mut hooks)?;
    run.trial = Some(exports.to_vec());
    run.look()
}

/// Gives every output a name that nobody sees.
struct TrialHooks<'a>(OnlyProgress<'a>);

impl Hooks for TrialHooks<'_> {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        let name = |index: usize| PathBuf::from(format!("export-{index}"));
        let write = |(index, proposal): (usize, &Proposal)| Decision::Write {
            temporary: name(index),
            path: proposal.path.clone(),
        };
        Ok(proposals.iter().enumerate().map(write).collect())
    }

    fn progress(&mut self, share: f64) {
        self.0.progress(share);
    }
}

impl Run<'_> {
    fn look(mut self) -> Result<Vec<(usize, Trial)>, RunError> {
        let Ok(mut blueprint) = self.survey()? else { return Ok(Vec::new()) };
        let results = self.run_passes(&mut blueprint)?;
        self.input.check_unchanged()?;
        let mut trials = Vec::new();
        for (&export, written) in &results.files {
            let group = blueprint.group_of[export];
            let Some(stored) = self.stored(export, group, &results.stored) else { continue };
            let (stored, decoded) = (stored.piece.clone(), written.decoded_piece.clone());
            let attempt = self.attempt(export, &mut blueprint, &results.files, &results.stored);
            let plan = &blueprint.groups[group];
            let goal = blueprint.grouping_step(plan).and_then(WholeFile::group_goal);
            let is_aimed = blueprint.is_made_loud(export);
            let heard = decoded.unwrap_or_else(|| stored.clone());
            trials.push((export, Trial { attempt, is_aimed, goal, stored, heard }));
        }
        Ok(trials)
    }

    /// Leaves out of a trial what is not tried, or cannot differ from what the gain of the group makes of it.
    pub(super) fn leave_out(
        &self,
        pass: usize,
        blueprint: &Blueprint,
        decided: &mut OutputDecisions,
    ) {
        let Some(tried) = &self.trial else { return };
        for (export, decision) in decided.exports.iter_mut().enumerate() {
            let group = blueprint.group_of[export];
            if blueprint.pass_of(group) != pass {
                continue;
            }
            let plan = &blueprint.groups[group];
            let is_lossy = !self.pipeline.exports[export].format.is_lossless();
            let is_changed = is_lossy || (plan.is_raised && !plan.is_mixed());
            let step = blueprint.grouping_step(plan);
            let is_limited = step
                .is_some_and(|step| step.group_goal().is_some() && step.group_behind().is_none());
            let is_open = (is_changed && blueprint.is_grouped(plan)) || is_limited;
            if !is_open || !tried.contains(&export) {
                *decision = Decision::Skip { reason: "not tried".to_owned() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::units::{Dbtp, Decibels};

    fn trial(lower: f64, above_db: f64, lufs: f64) -> Trial {
        let correction = Correction { lower: Decibels(lower), louder: Decibels::ZERO };
        let mut heard = Piece::default();
        heard.integrated_lufs = Some(Lufs(lufs));
        heard.true_peak_dbtp = Some(Dbtp(above_db - 1.0));
        let attempt = Attempt { correction, above_db: Some(above_db), ..Attempt::default() };
        Trial { attempt, is_aimed: false, goal: None, stored: heard.clone(), heard }
    }

    #[test]
    fn worst_file_decides_for_all() {
        let mut trials = Trials::default();
        trials.push(&[trial(0.0, -0.3, -14.0), trial(0.0, 0.8, -9.0), trial(0.0, 0.2, -11.0)]);
        assert_eq!(trials.next().map(|it| it.lower), Some(Decibels(0.9)));
        trials.push(&[trial(0.9, -1.1, -14.9), trial(0.9, -0.05, -9.9)]);
        assert_eq!(trials.next(), None);
        let group_correction = trials.group_correction();
        assert_eq!(
            (group_correction.correction.lower, group_correction.attempts),
            (Decibels(0.9), 2)
        );
        let decoded = group_correction.heard.unwrap();
        assert_eq!((decoded.piece_count, decoded.true_peak_dbtp), (2, Some(Dbtp(-1.05))));
    }

    #[test]
    fn nothing_tried_is_nothing_corrected() {
        let mut trials = Trials::default();
        trials.push(&[]);
        assert_eq!((trials.next(), trials.group_correction()), (None, GroupCorrection::default()));
    }
}
