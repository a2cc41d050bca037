//! `loudness`: one gain that brings the whole file to a loudness, below a true-peak ceiling.

mod aim;
mod rehearsal;
mod search;

use super::gain::Gain;
use super::{limit, mono};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::limit::{Limited, LimiterSettings, Linking};
use crate::loudness::{GroupLoudness, LoudnessMeter, LoudnessReport, MonoMode, Piece};
use crate::processor::{
    CeilingChange, Finding, ProcessError, Processor, Properties, Status, StepProcessor, StepReport,
    WholeFile,
};
use aim::{Aim, Mode};
use rehearsal::{GainThenLimiter, Rehearsal};
use search::{Bound, Outcome, Search};
use wavemill_audio::units::{Dbtp, Decibels, Frames, Lu, Lufs, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// Largest reduction that may be asked for: more is no mastering but another sound.
pub(super) const REDUCTION_DB_MAX: f64 = 20.0;

/// What the limiter may add to the reduction that a gain asks for, for its own safety.
const LIMITER_MARGIN_DB: f64 = 0.05;

/// Why a file gets less than its target.
const NEEDS_MORE_REDUCTION: &str = "the target needs more reduction than `max_reduction_db` allows";
const IS_SATURATED: &str = "another decibel of gain would add less than 0.1 LU";
const NOT_FOUND: &str = "no gain that reaches the target was found";

/// Why a file has no loudness.
const NO_LOUDNESS: &str = "no loudness: silent, shorter than 400 ms or below -70 LUFS";

/// `loudness{target_lufs, ceiling_dbtp, mode, max_reduction_db, character, release_ms, mono, group, skip_within_lu,
/// lower_only}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "loudness",
    summary: "Normalizes the whole file to a target loudness with one gain, below a true-peak \
        ceiling.",
    manual: "Loudness is measured by ITU-R BS.1770-5 and EBU R 128. The gain is constant, so the \
        dynamics do not change. If peaks would exceed the ceiling, the file gets less gain, and \
        the report states the shortfall in LU. With `mode = \"limit\"`, the file gets the full \
        gain, and peaks above the ceiling are limited as by the step `limit`, by at most \
        `max_reduction_db`. Because limiting makes the file quieter, Wavemill tries gains until \
        the loudness is within 0.1 LU of the target; if that would take more reduction, the file \
        stays quieter and the report states the shortfall in LU. If another decibel of gain would \
        add less than 0.1 LU, the search stops and the report says so. A file whose peaks allow \
        the gain is not limited. The true peak is the larger of two measures: the standard's 4x \
        oversampling (2x from 96 kHz) and a 16x one; the ceiling leaves room for 16-bit dither. \
        Gains are rounded to 0.001 dB, or down where the ceiling limits them. A file without \
        loudness (silent, shorter than 400 ms or below -70 LUFS) is left alone, or lowered to the \
        ceiling if it exceeds it, and the report says so. With `group`, the files of one folder \
        (`folder`) or one `wavemill run` (`batch`) get the same gain, so the differences between \
        them remain. Loudness is then gated over the blocks of all files, and their largest true \
        peak stays below the ceiling. With `mode = \"limit\"`, each file is limited where it \
        exceeds the ceiling, no gains are tried, and the report of each file states the loudness \
        that its limiting cost.",
    params: &[
        ParamDescriptor {
            key: "target_lufs",
            summary: "Target integrated loudness.",
            kind: ParamKind::Number { unit: "LUFS", min: -70.0, max: 0.0 },
            default: ParamDefault::Required { example: "-16.0" },
        },
        ParamDescriptor {
            key: "ceiling_dbtp",
            summary: "Maximum true peak.",
            kind: ParamKind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
            default: ParamDefault::Number(-1.0),
        },
        ParamDescriptor {
            key: "mode",
            summary: "What to do when peaks would exceed the ceiling: apply less gain (`lower`), \
                or limit the peaks (`limit`).",
            kind: ParamKind::Choice(&["lower", "limit"]),
            default: ParamDefault::Choice("lower"),
        },
        ParamDescriptor {
            key: "max_reduction_db",
            summary: "With `limit`: maximum gain reduction of a peak. A file that would need more \
                gets less gain.",
            kind: ParamKind::Number { unit: "dB", min: 0.0, max: REDUCTION_DB_MAX },
            default: ParamDefault::Number(6.0),
        },
        limit::CHARACTER,
        limit::RELEASE,
        mono::PARAM,
        ParamDescriptor {
            key: "group",
            summary: "Files that share one gain: all files of a `folder`, or of a `batch` (one \
                `wavemill run`).",
            kind: ParamKind::Choice(&["folder", "batch"]),
            default: ParamDefault::Absent,
        },
        ParamDescriptor {
            key: "skip_within_lu",
            summary: "A file or group this close to the target keeps its loudness.",
            kind: ParamKind::Number { unit: "LU", min: 0.0, max: 20.0 },
            default: ParamDefault::Absent,
        },
        ParamDescriptor {
            key: "lower_only",
            summary: "Never raise a file or group that is quieter than the target.",
            kind: ParamKind::Bool,
            default: ParamDefault::Bool(false),
        },
    ],
    peaks: Peaks::BoundsTruePeak("ceiling_dbtp"),
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let mono = mono::mode(params)?;
    let limit = Mode::Limit(Decibels(params.number("max_reduction_db")?));
    let aim = Aim {
        target: Lufs(params.number("target_lufs")?),
        ceiling: Dbtp(params.number("ceiling_dbtp")?),
        mode: params.choice("mode", &[("lower", Mode::Lower), ("limit", limit)])?,
        skip_within: params.optional_number("skip_within_lu").map(Lu),
        lower_only: params.bool("lower_only")?,
    };
    Ok(StepProcessor::of_whole_file(Loudness {
        limiter: limit::settings(params, aim.ceiling, Linking::Linked)?,
        aim,
        spec: spec.clone(),
        mono,
        observing: Observation::Source(Box::new(LoudnessMeter::new(spec, mono))),
        scope: params.optional_choice("group").map(str::to_owned),
        group: None,
        is_known: false,
        measured: LoudnessReport::default(),
        piece: Piece::default(),
        expected: None,
        rehearsals: 0,
        decision: None,
        lowered: None,
        duration: Seconds(0.0),
    }))
}

/// What the blocks that come now are for.
#[derive(Debug)]
enum Observation {
    /// They are measured as they are.
    Source(Box<LoudnessMeter>),
    /// A gain is tried.
    Rehearsal(Search, Box<Rehearsal>),
    /// Enough was tried.
    Searched(Search),
    /// Nothing more is needed.
    Over,
}

/// What a report says of the files that belong together.
pub(super) fn findings_of_group(scope: &str, group: &GroupLoudness) -> [Finding; 4] {
    [
        Finding::text("group", scope),
        Finding::number("group_files", group.piece_count as f64),
        Finding::number("group_integrated_lufs", group.integrated_lufs.map(|lufs| lufs.0)),
        Finding::number("group_true_peak_dbtp", group.true_peak_dbtp.map(|peak| peak.0)),
    ]
}

/// What is done.
#[derive(Clone, Debug)]
struct Decision {
    gain: Decibels,
    /// Whether the target asked for more than the ceiling allows.
    is_ceiling_bound: bool,
    /// Why a limiter does not reach the target.
    bound: Option<Bound>,
    /// By how much the result is quieter than it was to become; nothing where it had no loudness.
    shortfall: Lu,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Gain(Gain),
    Limit(Box<GainThenLimiter>),
}

/// Brings the whole file to a loudness.
#[derive(Debug)]
struct Loudness {
    limiter: LimiterSettings,
    aim: Aim,
    spec: StreamSpec,
    mono: MonoMode,
    observing: Observation,
    /// Which files belong together; `None` where each is treated by itself.
    scope: Option<String>,
    group: Option<GroupLoudness>,
    /// Whether the file was measured before.
    is_known: bool,
    measured: LoudnessReport,
    /// The file, as part of a group.
    piece: Piece,
    /// Of the best rehearsal, or estimated from it.
    expected: Option<Outcome>,
    rehearsals: u32,
    /// `None` before `begin`, or when the file is left alone.
    decision: Option<Decision>,
    /// Works in place of what was decided, where a lower ceiling was asked for.
    lowered: Option<Box<GainThenLimiter>>,
    /// Of the file; known after `begin`.
    duration: Seconds,
}

impl Loudness {
    fn gain(&self) -> Decibels {
        self.decision.as_ref().map_or(Decibels::ZERO, |decision| decision.gain)
    }

    /// Loudness and true peak that the gain follows from: the group's, or the file's own.
    fn reference(&self) -> (Option<Lufs>, Option<Dbtp>) {
        match &self.group {
            Some(group) => (group.integrated_lufs, group.true_peak_dbtp),
            None => (self.piece.integrated_lufs, self.piece.true_peak_dbtp),
        }
    }

    /// The gain that the target asks for, and the largest one that may be given without a rehearsal.
    fn wanted_and_allowed(&self) -> (Decibels, Option<Decibels>) {
        let (loudness, peak) = self.reference();
        let wanted = loudness.map_or(Decibels::ZERO, |loudness| self.aim.wanted(loudness));
        let allowed = peak.and_then(|peak| self.aim.allowed(peak));
        match (self.aim.mode, &self.group) {
            (Mode::Limit(reduction), Some(_)) if self.aim.limiter_ceiling().is_some() => {
                let reduction = Decibels((reduction.0 - LIMITER_MARGIN_DB).max(0.0));
                (wanted, allowed.map(|allowed| (allowed + reduction).rounded_down()))
            }
            _ => (wanted, allowed),
        }
    }

    /// The gain without a search, and whether the target asks for more.
    fn plain_gain(&self) -> (Decibels, bool) {
        let (wanted, allowed) = self.wanted_and_allowed();
        let gain = allowed.filter(|&allowed| allowed < wanted).unwrap_or(wanted);
        (gain, gain < wanted)
    }

    /// What must be tried before the gain is known: nothing where the peaks allow it.
    fn search(&self) -> Option<Search> {
        let Mode::Limit(reduction_max) = self.aim.mode else { return None };
        let allowed = self.aim.allowed(self.piece.true_peak_dbtp?)?;
        self.aim.limiter_ceiling()?;
        if self.group.is_some() {
            let (gain, _) = self.plain_gain();
            return (gain > allowed).then(|| Search::fixed(gain));
        }
        let (wanted, _) = self.wanted_and_allowed();
        if wanted <= allowed {
            return None;
        }
        Some(match self.piece.integrated_lufs {
            Some(loudness) if !self.aim.keeps(loudness) => {
                let true_peak = self.piece.true_peak_dbtp.map(|peak| peak + allowed);
                let loudness = Some(loudness + allowed);
                let plain = Outcome { gain: allowed, loudness, true_peak };
                Search::new(self.aim.target, plain, reduction_max)
            }
            _ => Search::of_one(wanted, allowed, reduction_max),
        })
    }

    /// Goes on with a search, or ends it.
    fn rehearse(&mut self, search: Search) {
        self.observing = match search.next().and_then(|gain| self.stage(gain)) {
            Some(stage) => {
                let rehearsal = Rehearsal::new(&self.spec, self.mono, stage);
                Observation::Rehearsal(search, Box::new(rehearsal))
            }
            None => Observation::Searched(search),
        };
    }

    fn stage(&self, gain: Decibels) -> Option<GainThenLimiter> {
        let settings = LimiterSettings { ceiling: self.aim.limiter_ceiling()?, ..self.limiter };
        Some(GainThenLimiter::new(&self.spec, gain, &settings))
    }

    /// What is done without a limiter.
    fn decide(&self) -> Option<Decision> {
        let (wanted, allowed) = self.wanted_and_allowed();
        if self.reference().0.is_none() {
            // It has nothing to bring anywhere, but it must not exceed the ceiling.
            let gain = allowed.filter(|&gain| gain < Decibels::ZERO)?;
            let work = Work::Gain(Gain::new(gain));
            let shortfall = Lu(0.0);
            return Some(Decision { gain, is_ceiling_bound: true, bound: None, shortfall, work });
        }
        let (gain, is_ceiling_bound) = self.plain_gain();
        let shortfall = (wanted - gain).into();
        let work = Work::Gain(Gain::new(gain));
        Some(Decision { gain, is_ceiling_bound, bound: None, shortfall, work })
    }

    /// What is done with a limiter, as rehearsed.
    fn decide_limited(&self, search: &Search) -> Option<Decision> {
        let gain = search.best();
        let work = Work::Limit(Box::new(self.stage(gain)?));
        if self.group.is_some() {
            let (wanted, _) = self.wanted_and_allowed();
            let shortfall = (wanted - gain).into();
            let is_ceiling_bound = gain < wanted;
            let bound = is_ceiling_bound.then_some(Bound::Reduction);
            return Some(Decision { gain, is_ceiling_bound, bound, shortfall, work });
        }
        let expected = search.outcome().and_then(|outcome| outcome.loudness);
        let shortfall = self.piece.integrated_lufs.zip(expected).map(|(before, after)| {
            let wanted = if self.aim.keeps(before) { before } else { self.aim.target };
            wanted - after
        });
        let shortfall = Lu(shortfall.map_or(0.0, |shortfall| shortfall.0.max(0.0)));
        let bound = search.bound();
        let is_ceiling_bound = bound == Some(Bound::Reduction);
        Some(Decision { gain, is_ceiling_bound, bound, shortfall, work })
    }

    /// The gain before a limiter whose ceiling is lower by `by`, for a loudness `louder` than asked for, and
    /// whether that loudness is out of reach.
    fn gain_below(&self, by: Decibels, louder: Decibels) -> Option<(Decibels, bool)> {
        let Mode::Limit(reduction) = self.aim.mode else { return None };
        let gain = self.decision.as_ref()?.gain;
        let (reference, peak) = self.reference();
        let keeps = reference.is_none_or(|loudness| self.aim.keeps(loudness));
        // It keeps the loudness that it has, whatever is asked for.
        let keeps_all = keeps && louder > Decibels::ZERO;
        let louder = if keeps { Decibels::ZERO } else { louder };
        if self.group.is_some() {
            let reduction = Decibels((reduction.0 - LIMITER_MARGIN_DB).max(0.0));
            let most = (self.aim.allowed(peak?)? + reduction - by).rounded_down();
            let more = Decibels((louder + by).0 / search::FIRST_SLOPE - by.0);
            let wanted = (gain + more).rounded();
            return Some(if wanted > most { (most, true) } else { (wanted, keeps_all) });
        }
        if let Observation::Rehearsal(search, _) | Observation::Searched(search) = &self.observing {
            let search = search.lowered(by, louder);
            let is_bound = search.bound().is_some_and(|it| it != Bound::Rehearsals);
            return Some((search.best(), is_bound || keeps_all));
        }
        // Nothing was limited so far, and it is not limited by much now: a decibel brings a decibel.
        let wanted = (gain + louder).rounded();
        let allowed = peak.and_then(|peak| self.aim.allowed(peak));
        let most = allowed.map(|allowed| (allowed + reduction - by).rounded_down());
        Some(most.filter(|&most| wanted > most).map_or((wanted, keeps_all), |most| (most, true)))
    }

    /// Loudness and true peak afterwards.
    fn outcome(&self, decision: &Decision) -> (Option<Lufs>, Option<Dbtp>) {
        if let Some(expected) = &self.expected {
            return (expected.loudness, expected.true_peak);
        }
        let gain = decision.gain;
        let loudness = self.piece.integrated_lufs.map(|lufs| lufs + gain);
        (loudness, self.piece.true_peak_dbtp.map(|peak| peak + gain))
    }

    fn findings_of_limiter(&self, limited: &Limited, bound: Option<Bound>) -> Vec<Finding> {
        let mut findings = vec![Finding::number("rehearsals", f64::from(self.rehearsals))];
        if let Mode::Limit(reduction_max) = self.aim.mode {
            findings.push(Finding::number("max_reduction_db", reduction_max.0));
        }
        findings.extend(limit::findings(limited));
        let share = limited.time_reduced.0 / self.duration.0;
        let share = (self.duration.0 > 0.0).then(|| (share.min(1.0) * 1000.0).round() / 1000.0);
        findings.push(Finding::number("reduced_share", share));
        findings.extend(bound.map(|bound| {
            let reason = match bound {
                Bound::Reduction => NEEDS_MORE_REDUCTION,
                Bound::Saturation => IS_SATURATED,
                Bound::Rehearsals => NOT_FOUND,
            };
            Finding::text("refused", reason)
        }));
        findings
    }
}

impl Processor for Loudness {
    fn process(&mut self, block: &mut Block) -> Status {
        if let Some(lowered) = &mut self.lowered {
            lowered.process(block);
            return Status::Continue;
        }
        match &mut self.decision {
            Some(Decision { work: Work::Gain(gain), .. }) => gain.process(block),
            Some(Decision { work: Work::Limit(stage), .. }) => {
                stage.process(block);
                Status::Continue
            }
            None => Status::Continue,
        }
    }

    fn reset(&mut self) {
        if let Some(lowered) = &mut self.lowered {
            return lowered.reset();
        }
        if let Some(Decision { work: Work::Limit(stage), .. }) = &mut self.decision {
            stage.reset();
        }
    }

    fn properties(&self) -> Properties {
        let work = self.decision.as_ref().map(|decision| &decision.work);
        let (latency, is_transparent) = match (&self.lowered, work) {
            (Some(lowered), _) => (lowered.latency(), false),
            (None, Some(Work::Limit(stage))) => (stage.latency(), false),
            (None, Some(Work::Gain(gain))) => (Frames::ZERO, gain.properties().is_transparent),
            (None, None) => (Frames::ZERO, true),
        };
        Properties { latency, is_transparent, ..Properties::default() }
    }

    fn begin(&mut self, length: Option<Frames>) -> Result<(), ProcessError> {
        if matches!(self.observing, Observation::Source(_) | Observation::Rehearsal(..)) {
            // Nobody asked whether the signal must come again.
            self.observes_again();
        }
        self.duration = length.map_or(Seconds(0.0), |it| it.duration(self.spec.sample_rate));
        (self.decision, self.expected) = match &self.observing {
            Observation::Rehearsal(search, _) | Observation::Searched(search) => {
                (self.decide_limited(search), search.outcome())
            }
            _ => (self.decide(), None),
        };
        Ok(())
    }

    fn report(&self) -> StepReport {
        let Piece { integrated_lufs: loudness, true_peak_dbtp: peak, .. } = self.piece;
        let mode = if self.aim.mode == Mode::Lower { "lower" } else { "limit" };
        let mut findings = vec![
            Finding::text("mode", mode),
            Finding::number("measured_integrated_lufs", loudness.map(|lufs| lufs.0)),
            Finding::number("measured_true_peak_dbtp", peak.map(|peak| peak.0)),
        ];
        if let Some((group, scope)) = self.group.as_ref().zip(self.scope.as_ref()) {
            findings.extend(findings_of_group(scope, group));
        }
        let (reference, _) = self.reference();
        if reference.is_none() {
            let done = match self.decision.as_ref().map(|decision| &decision.work) {
                Some(Work::Gain(_)) => "only_lowered_to_ceiling",
                Some(Work::Limit(_)) => "only_limited_to_ceiling",
                None => "left_alone",
            };
            findings.push(Finding::text(done, NO_LOUDNESS));
        }
        let Some(decision) = &self.decision else { return findings.into() };
        let (expected_loudness, expected_peak) = self.outcome(decision);
        findings.extend([
            Finding::number("gain_db", decision.gain.0),
            Finding::flag("ceiling_bound", decision.is_ceiling_bound),
            Finding::number("shortfall_lu", reference.map(|_| decision.shortfall.0)),
            Finding::number("expected_integrated_lufs", expected_loudness.map(|lufs| lufs.0)),
            Finding::number("expected_true_peak_dbtp", expected_peak.map(|peak| peak.0)),
        ]);
        if let Work::Limit(stage) = &decision.work {
            let limited = stage.limited();
            findings.extend(self.findings_of_limiter(&limited, decision.bound));
        }
        findings.into()
    }
}

impl WholeFile for Loudness {
    fn needs_samples(&self) -> bool {
        !matches!(self.observing, Observation::Over)
    }

    fn observe(&mut self, block: &Block) {
        match &mut self.observing {
            Observation::Source(meter) => meter.push(block),
            Observation::Rehearsal(_, rehearsal) => rehearsal.push(block),
            Observation::Searched(_) | Observation::Over => {}
        }
    }

    fn observes_again(&mut self) -> bool {
        match std::mem::replace(&mut self.observing, Observation::Over) {
            Observation::Source(meter) => {
                (self.measured, self.piece) = meter.finish_as_piece();
                if let Some(search) = self.search() {
                    self.rehearse(search);
                }
            }
            Observation::Rehearsal(mut search, rehearsal) => {
                let (report, limited) = rehearsal.finish();
                self.rehearsals += 1;
                let reduction = Decibels(limited.reduction_max_db);
                search.learn(report.integrated_lufs, report.larger_true_peak(), reduction);
                self.rehearse(search);
            }
            searched => self.observing = searched,
        }
        matches!(self.observing, Observation::Rehearsal(..))
    }

    fn observed_loudness(&self) -> Option<&LoudnessReport> {
        let is_usual = self.mono == MonoMode::Single || self.spec.channel_count() != 1;
        (is_usual && !self.is_known).then_some(&self.measured)
    }

    fn piece(&self) -> Option<&Piece> {
        self.scope.as_ref().map(|_| &self.piece)
    }

    fn group_goal(&self) -> Option<Lufs> {
        Some(self.group?.integrated_lufs? + self.gain())
    }

    fn group_behind(&self) -> Option<GroupLoudness> {
        let group = self.group?;
        let gain = self.gain();
        // A limiter changes the loudness of those files whose peaks exceed the ceiling.
        let allowed = group.true_peak_dbtp.and_then(|peak| self.aim.allowed(peak));
        let is_limited = self.aim.mode != Mode::Lower && allowed.is_some_and(|it| gain > it);
        (!is_limited).then(|| group.amplified(gain))
    }

    fn join_group(&mut self, group: &GroupLoudness, piece: Option<&Piece>) {
        if self.scope.is_none() {
            return;
        }
        self.group = Some(*group);
        if let Some(piece) = piece {
            self.piece = piece.alone();
            self.is_known = true;
            self.observing = Observation::Over;
            if let Some(search) = self.search() {
                self.rehearse(search);
            }
        }
    }

    fn lower_ceiling(&mut self, by: Decibels, louder: Decibels) -> CeilingChange {
        let Some((gain, is_bound)) = self.gain_below(by, louder) else {
            return CeilingChange::Nothing;
        };
        let Some(ceiling) = self.aim.limiter_ceiling() else { return CeilingChange::Nothing };
        if by == Decibels::ZERO && louder == Decibels::ZERO {
            self.lowered = None;
            return CeilingChange::Done;
        }
        let settings = LimiterSettings { ceiling: ceiling + -by, ..self.limiter };
        self.lowered = Some(Box::new(GainThenLimiter::new(&self.spec, gain, &settings)));
        if is_bound { CeilingChange::Bound } else { CeilingChange::Done }
    }
}
