//! `loudness` with `mode = "limit"`: static gain first, limiting only where the ceiling would break.

use super::drive::Value::{self, Choice, Number};
use super::drive::{Planes, build, prepare, process};
use super::oracle::overshoot_db;
use super::signals::{burst, dense, samples, sine, times};
use std::sync::LazyLock;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use wavemill_core::processor::{CeilingChange, FindingValue, StepProcessor};
use wavemill_core::units::Decibels;

const RATE_HZ: u32 = 44_100;

/// What the step promises of the loudness.
const LOUDNESS_LU: f64 = 0.1;

/// Ten seconds with peaks at full scale, not the same on both sides.
static MUSIC: LazyLock<Planes> = LazyLock::new(|| {
    let plane = |seed| samples(&dense(10 * RATE_HZ as usize, RATE_HZ.into(), seed));
    vec![plane(1), plane(2)]
});

fn measure(planes: &Planes) -> LoudnessReport {
    let mut meter = LoudnessMeter::new(&StreamSpec::new(RATE_HZ, planes.len()), MonoMode::Single);
    meter.push(&Block::from_planes(planes));
    meter.finish()
}

/// What the step makes of a signal.
fn master(input: &Planes, params: &[(&str, Value)]) -> (Planes, StepProcessor) {
    let spec = StreamSpec::new(RATE_HZ, input.len());
    let all = [&[("mode", Choice("limit"))], params].concat();
    let mut step = build("loudness", &all, &spec).unwrap();
    prepare(&mut step, input, 4096);
    let output = process(&mut step, &spec, input, 4096);
    (output, step)
}

fn finding(step: &StepProcessor, key: &str) -> Option<FindingValue> {
    step.report().findings.into_iter().find(|finding| finding.key == key).map(|found| found.value)
}

fn number(step: &StepProcessor, key: &str) -> f64 {
    match finding(step, key) {
        Some(FindingValue::Number(value)) => value,
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn dense_music_reaches_its_target_below_the_ceiling() {
    let before = measure(&MUSIC).integrated_lufs.unwrap().0;
    println!("{before:.2} LUFS");
    for above_lu in [-0.8, 0.0, 1.0] {
        let target = before + above_lu;
        let (output, step) = master(&MUSIC, &[("target_lufs", Number(target))]);
        let after = measure(&output);
        let loudness = after.integrated_lufs.unwrap().0;
        println!(
            "{above_lu:+} LU: {:+.3} LU off, gain {:.2} dB, reduction {:.2} dB, {} rehearsals",
            loudness - target,
            number(&step, "gain_db"),
            number(&step, "reduction_max_db"),
            number(&step, "rehearsals"),
        );
        assert!((loudness - target).abs() < LOUDNESS_LU, "{loudness}, asked for {target}");
        assert!((loudness - number(&step, "expected_integrated_lufs")).abs() < 1e-6);
        assert!(overshoot_db(&output, -1.0) < 0.05);
        assert!(after.true_peak_dbtp.unwrap().0 <= -1.0);
        assert!(after.true_peak_precise_dbtp.unwrap().0 <= -1.0);
        assert!(number(&step, "reduction_max_db") <= 6.0);
        assert!(number(&step, "rehearsals") <= 4.0);
        assert_eq!(finding(&step, "refused"), None);
    }
}

#[test]
fn target_that_would_crush_is_refused_and_the_rest_reported() {
    let target = measure(&MUSIC).integrated_lufs.unwrap().0 + 9.0;
    let params = [("target_lufs", Number(target)), ("max_reduction_db", Number(3.0))];
    let (output, step) = master(&MUSIC, &params);
    let loudness = measure(&output).integrated_lufs.unwrap().0;
    let reduction = number(&step, "reduction_max_db");
    assert!(reduction <= 3.001 && reduction > 2.9, "{reduction}");
    let shortfall = number(&step, "shortfall_lu");
    assert!(shortfall > 3.0 && (loudness + shortfall - target).abs() < 1e-6, "{shortfall}");
    assert_eq!(finding(&step, "ceiling_bound"), Some(FindingValue::Bool(true)));
    let Some(FindingValue::Text(reason)) = finding(&step, "refused") else { panic!("a reason") };
    assert!(reason.contains("max_reduction_db"));
}

/// What an export asks for whose lossy format raised the peaks, and took loudness too.
#[test]
fn lowered_ceiling_is_held_at_the_loudness_and_can_be_undone() {
    let before = measure(&MUSIC).integrated_lufs.unwrap().0;
    let spec = StreamSpec::new(RATE_HZ, MUSIC.len());
    // The last is one that nothing limits at the original ceiling.
    for above_lu in [0.0, 1.0, -1.6] {
        let target = before + above_lu;
        let (output, mut step) = master(&MUSIC, &[("target_lufs", Number(target))]);
        for (by_db, louder_lu) in [(0.3, 0.0), (0.8, 0.0), (0.5, 0.3), (0.0, 0.2)] {
            let lowered =
                step.whole_file_mut().unwrap().lower_ceiling(Decibels(by_db), Decibels(louder_lu));
            assert_eq!(lowered, CeilingChange::Done);
            step.reset();
            let again = process(&mut step, &spec, &MUSIC, 4096);
            let off = measure(&again).integrated_lufs.unwrap().0 - target - louder_lu;
            assert!(off.abs() < LOUDNESS_LU, "{above_lu:+} LU, {by_db} dB lower: {off:+.3} LU off");
            assert!(overshoot_db(&again, -1.0 - by_db) < 0.05);
        }
        assert_eq!(
            step.whole_file_mut().unwrap().lower_ceiling(Decibels::ZERO, Decibels::ZERO),
            CeilingChange::Done
        );
        step.reset();
        assert!(process(&mut step, &spec, &MUSIC, 4096) == output);
    }
}

#[test]
fn gain_before_a_lowered_ceiling_stays_within_the_largest_reduction() {
    let spec = StreamSpec::new(RATE_HZ, MUSIC.len());
    let target = measure(&MUSIC).integrated_lufs.unwrap().0 + 1.0;
    let with = [("target_lufs", Number(target)), ("max_reduction_db", Number(2.0))];
    let (_, mut step) = master(&MUSIC, &with);
    assert_eq!(
        step.whole_file_mut().unwrap().lower_ceiling(Decibels(1.0), Decibels(3.0)),
        CeilingChange::Bound
    );
    step.reset();
    let again = process(&mut step, &spec, &MUSIC, 4096);
    // As if the ceiling had been that one from the beginning.
    let (softer, _) = master(&MUSIC, &[with[0], with[1], ("ceiling_dbtp", Number(-2.0))]);
    let loudness = |planes| measure(planes).integrated_lufs.unwrap().0;
    assert!((loudness(&again) - loudness(&softer)).abs() < 0.02);
    let mut lower = build("loudness", &[("target_lufs", Number(target))], &spec).unwrap();
    prepare(&mut lower, &MUSIC, 4096);
    assert_eq!(
        lower.whole_file_mut().unwrap().lower_ceiling(Decibels(1.0), Decibels::ZERO),
        CeilingChange::Nothing
    );
}

#[test]
fn music_that_needs_no_limiting_gets_a_gain_and_nothing_else() {
    let before = measure(&MUSIC);
    let target = before.integrated_lufs.unwrap().0 - 4.0;
    let (output, step) = master(&MUSIC, &[("target_lufs", Number(target))]);
    let spec = StreamSpec::new(RATE_HZ, 2);
    let mut lower = build("loudness", &[("target_lufs", Number(target))], &spec).unwrap();
    prepare(&mut lower, &MUSIC, 4096);
    assert_eq!(output, process(&mut lower, &spec, &MUSIC, 4096));
    let range = |report: &LoudnessReport| report.loudness_range_lu.unwrap().0;
    assert!((range(&measure(&output)) - range(&before)).abs() < 1e-6);
    assert_eq!(finding(&step, "rehearsals"), None);
}

/// Louder by much in one place, as a snare in a soft song: the range between soft and loud stays.
#[test]
fn one_peak_is_turned_down_and_the_rest_keeps_its_dynamics() {
    let swell = times(sine(441_000, 0.01, 0.0), |frame| 0.05 + 0.1 * (frame as f64 / 441_000.0));
    let peak = burst(300_000, 300_040, 8);
    let input = vec![samples(&times(swell, |frame| 1.0 + 5.0 * peak(frame)))];
    let before = measure(&input);
    let target = before.integrated_lufs.unwrap().0 + 4.0;
    let (output, step) = master(&input, &[("target_lufs", Number(target))]);
    let after = measure(&output);
    assert!((after.integrated_lufs.unwrap().0 - target).abs() < LOUDNESS_LU);
    let range = |report: &LoudnessReport| report.loudness_range_lu.unwrap().0;
    assert!((range(&after) - range(&before)).abs() < 0.05);
    assert!(number(&step, "reduced_share") < 0.1);
    assert!(overshoot_db(&output, -1.0) < 0.05);
}

#[test]
fn file_that_keeps_its_loudness_is_limited_where_it_exceeds_the_ceiling() {
    let params = [("target_lufs", Number(0.0)), ("lower_only", Value::Bool(true))];
    let (output, step) = master(&MUSIC, &params);
    assert!(number(&step, "gain_db").abs() < 1e-9);
    // Its samples reach full scale, what lies between them a little more.
    let reduction = number(&step, "reduction_max_db");
    assert!(reduction > 1.0 && reduction < 2.0, "{reduction}");
    assert!((number(&step, "rehearsals") - 1.0).abs() < 1e-9);
    assert!(overshoot_db(&output, -1.0) < 0.05);
}

#[test]
fn file_too_short_for_a_loudness_is_limited_too() {
    let tone = times(sine(8_820, 0.02, 0.3), burst(0, 8_820, 400));
    let (output, step) = master(&vec![samples(&tone)], &[("target_lufs", Number(-16.0))]);
    assert!(finding(&step, "only_limited_to_ceiling").is_some());
    assert!(overshoot_db(&output, -1.0) < 0.05);
    let silence = vec![vec![0.0; 44_100]];
    let (output, step) = master(&silence, &[("target_lufs", Number(-16.0))]);
    assert_eq!(output, silence);
    assert!(finding(&step, "left_alone").is_some());
}
