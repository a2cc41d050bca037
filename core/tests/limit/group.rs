//! `loudness` over files that belong together.

use super::drive::Value::{self, Bool, Choice, Number};
use super::drive::{Planes, build, prepare, process};
use super::oracle::overshoot_db;
use super::signals::{dense, samples, times};
use ebur128::{EbuR128, Mode};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{GroupLoudness, LoudnessMeter, MonoMode, Piece};
use wavemill_core::processor::{FindingValue, StepProcessor};

const RATE_HZ: u32 = 44_100;

/// Three pieces of different lengths and levels; the quietest lies below the relative gate of all.
fn album() -> Vec<Planes> {
    [(9, 0.9), (12, 0.3), (4, 0.03)]
        .into_iter()
        .zip(1..)
        .map(|((seconds, amplitude), seed)| {
            let frames = seconds * RATE_HZ as usize;
            let plane = |seed| samples(&times(dense(frames, RATE_HZ.into(), seed), |_| amplitude));
            vec![plane(seed), plane(seed + 10)]
        })
        .collect()
}

fn spec() -> StreamSpec {
    StreamSpec::new(RATE_HZ, 2)
}

fn piece(planes: &Planes) -> Piece {
    let mut meter = LoudnessMeter::new(&spec(), MonoMode::Single);
    meter.push(&Block::from_planes(planes));
    meter.finish_as_piece().1
}

fn group_of(pieces: &[Planes]) -> GroupLoudness {
    GroupLoudness::of(&pieces.iter().map(piece).collect::<Vec<_>>())
}

fn number(step: &StepProcessor, key: &str) -> f64 {
    let found = step.report().findings.into_iter().find(|finding| finding.key == key);
    let Some(FindingValue::Number(number)) = found.map(|found| found.value) else {
        panic!("no number {key}: {:?}", step.report().findings)
    };
    number
}

fn is_bound(step: &StepProcessor) -> bool {
    let found = step.report().findings.into_iter().find(|finding| finding.key == "ceiling_bound");
    found.is_some_and(|found| found.value == FindingValue::Bool(true))
}

/// What the step makes of every piece of a group, whether or not the pieces were measured before.
fn master(
    pieces: &[Planes],
    params: &[(&str, Value)],
    is_known: bool,
) -> Vec<(Planes, StepProcessor)> {
    let group = group_of(pieces);
    let all = [&[("group", Choice("folder"))], params].concat();
    let master = |planes: &Planes| {
        let mut step = build("loudness", &all, &spec()).unwrap();
        let known = piece(planes);
        step.whole_file_mut().unwrap().join_group(&group, is_known.then_some(&known));
        prepare(&mut step, planes, 4096);
        (process(&mut step, &spec(), planes, 4096), step)
    };
    pieces.iter().map(master).collect()
}

#[test]
fn loudness_of_a_group_is_that_of_another_meter_over_all_its_pieces() {
    let pieces = album();
    let meters: Vec<EbuR128> = pieces
        .iter()
        .map(|planes| {
            let mut meter = EbuR128::new(2, RATE_HZ, Mode::I).unwrap();
            let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
            meter.add_frames_planar_f32(&planes).unwrap();
            meter
        })
        .collect();
    let oracle = EbuR128::loudness_global_multiple(meters.iter()).unwrap();
    let group = group_of(&pieces);
    let found = group.integrated_lufs.unwrap().0;
    assert!((found - oracle).abs() < 1e-6, "{found} {oracle}");
    // The mean of the pieces' own loudness is far from it.
    let own: f64 = pieces.iter().map(|it| piece(it).integrated_lufs.unwrap().0).sum();
    assert!((own / 3.0 - oracle).abs() > 3.0, "{own} {oracle}");
}

#[test]
fn pieces_of_a_group_get_one_gain_that_brings_all_of_them_to_the_target() {
    let pieces = album();
    for is_known in [false, true] {
        let done = master(&pieces, &[("target_lufs", Number(-30.0))], is_known);
        let gains: Vec<f64> = done.iter().map(|(_, step)| number(step, "gain_db")).collect();
        assert!(gains.iter().all(|gain| (gain - gains[0]).abs() < 1e-12), "{gains:?}");
        let outputs: Vec<Planes> = done.into_iter().map(|(planes, _)| planes).collect();
        let loudness = group_of(&outputs).integrated_lufs.unwrap().0;
        assert!((loudness + 30.0).abs() < 0.001, "{loudness}");
    }
}

#[test]
fn loudest_peak_of_a_group_lowers_the_gain_of_all() {
    let done = master(&album(), &[("target_lufs", Number(-6.0))], true);
    let peak = group_of(&album()).true_peak_dbtp.unwrap().0;
    for (_, step) in &done {
        assert!(is_bound(step));
        assert!((number(step, "gain_db") + 1.0 + peak).abs() < 0.003);
        assert!(number(step, "shortfall_lu") > 1.0);
    }
}

#[test]
fn piece_that_was_measured_needs_no_pass_of_its_own_unless_it_is_limited() {
    let pieces = album();
    let group = group_of(&pieces);
    let need = |planes: &Planes, mode| {
        let params =
            [("group", Choice("batch")), ("target_lufs", Number(-12.0)), ("mode", Choice(mode))];
        let mut step = build("loudness", &params, &spec()).unwrap();
        assert!(step.observer().is_some());
        step.whole_file_mut().unwrap().join_group(&group, Some(&piece(planes)));
        step.observer().is_some()
    };
    assert!(!need(&pieces[0], "lower"));
    assert!(need(&pieces[0], "limit"));
    assert!(!need(&pieces[2], "limit"));
}

#[test]
fn limited_group_keeps_one_gain_and_the_ceiling() {
    let pieces = album();
    let group = group_of(&pieces).integrated_lufs.unwrap().0;
    let peak = group_of(&pieces).true_peak_dbtp.unwrap().0;
    // 3 dB more than the largest peak allows.
    let target = group - 1.0 - peak + 3.0;
    let params = [("target_lufs", Number(target)), ("mode", Choice("limit"))];
    for is_known in [false, true] {
        for (index, (output, step)) in master(&pieces, &params, is_known).iter().enumerate() {
            let gain = number(step, "gain_db");
            assert!((gain - (target - group)).abs() < 0.001, "{gain} {target} {group}");
            assert!(!is_bound(step));
            assert!(overshoot_db(output, -1.0) <= 0.05);
            let expected = number(step, "expected_integrated_lufs");
            let found = piece(output).integrated_lufs.unwrap().0;
            assert!((found - expected).abs() < 0.001, "{index}: {found} {expected}");
        }
    }
}

#[test]
fn limited_group_is_not_crushed_beyond_the_largest_reduction() {
    let pieces = album();
    let peak = group_of(&pieces).true_peak_dbtp.unwrap().0;
    let params = [
        ("target_lufs", Number(0.0)),
        ("mode", Choice("limit")),
        ("max_reduction_db", Number(2.0)),
    ];
    for (_, step) in master(&pieces, &params, true) {
        assert!((number(&step, "gain_db") - (-1.0 - peak + 2.0)).abs() < 0.06);
        assert!(is_bound(&step));
        assert!(number(&step, "shortfall_lu") > 1.0);
    }
    let (_, loudest) = master(&pieces, &params, true).swap_remove(0);
    assert!(number(&loudest, "reduction_max_db") <= 2.0);
}

#[test]
fn group_near_the_target_or_softer_keeps_its_loudness_when_asked() {
    let pieces = album();
    let group = group_of(&pieces).integrated_lufs.unwrap().0;
    // The quietest piece is far from the target; the group is not.
    let ceiling = ("ceiling_dbtp", Number(0.0));
    let near = [ceiling, ("target_lufs", Number(group - 0.4)), ("skip_within_lu", Number(0.5))];
    let soft = [ceiling, ("target_lufs", Number(group + 2.0)), ("lower_only", Bool(true))];
    for params in [near, soft] {
        for (_, step) in master(&pieces, &params, true) {
            assert!(number(&step, "gain_db").abs() < 1e-12, "{params:?}");
        }
    }
    let far = [ceiling, ("target_lufs", Number(group - 0.6)), near[2]];
    let (_, step) = master(&pieces, &far, true).swap_remove(2);
    assert!((number(&step, "gain_db") + 0.6).abs() < 0.001);
}

#[test]
fn step_without_a_group_treats_the_file_by_itself() {
    let pieces = album();
    let params = [("target_lufs", Number(-30.0))];
    let mut step = build("loudness", &params, &spec()).unwrap();
    step.whole_file_mut().unwrap().join_group(&group_of(&pieces), Some(&piece(&pieces[1])));
    prepare(&mut step, &pieces[1], 4096);
    assert!(step.whole_file().unwrap().piece().is_none());
    let own = piece(&pieces[1]).integrated_lufs.unwrap().0;
    assert!((number(&step, "gain_db") - (-30.0 - own)).abs() < 0.001);
}
