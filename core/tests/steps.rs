//! What holds for every step, and one number worked out by hand for each.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;
#[path = "common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "three binaries use parts of it")]
mod drive;

use common::music;
use drive::Value::{Bool, Choice, Integer, Number};
use drive::{CASES, Planes, build, prepare, process, run};
use std::f64::consts::TAU;
use wavemill_core::audio::{Block, ChannelLayout, ChannelPosition, PcmFormat, Samples, StreamSpec};
use wavemill_core::descriptor::{BuildError, ParamDefault, ParamKind, ParamValue, Params};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::processor::{FindingValue, StepProcessor};
use wavemill_core::processors::STEPS;
use wavemill_core::units::Frames;

const FRAMES: usize = 30_000;

fn silence(channel_count: usize) -> Planes {
    vec![vec![0.0; FRAMES]; channel_count]
}

fn impulse(channel_count: usize) -> Planes {
    let mut planes = silence(channel_count);
    for plane in &mut planes {
        plane[1000] = 1.0;
    }
    planes
}

fn full_scale(channel_count: usize) -> Planes {
    let sample = |frame: usize| if (frame / 50).is_multiple_of(2) { 1.0 } else { -1.0 };
    vec![(0..FRAMES).map(sample).collect(); channel_count]
}

fn song(channel_count: usize) -> Planes {
    match music(PcmFormat::FLOAT, channel_count, FRAMES) {
        Samples::Float { planes } => planes,
        Samples::Int { .. } => panic!("floats were asked for"),
    }
}

fn bits(planes: &Planes) -> Vec<Vec<u32>> {
    planes.iter().map(|plane| plane.iter().map(|sample| sample.to_bits()).collect()).collect()
}

#[test]
fn every_step_has_a_case_here() {
    for step in STEPS {
        assert!(CASES.iter().any(|case| case.step == step.name), "{}", step.name);
    }
}

#[test]
fn steps_are_sorted_and_described() {
    assert!(STEPS.windows(2).all(|pair| pair[0].name < pair[1].name));
    for step in STEPS {
        assert!(step.summary.ends_with('.') && step.manual.ends_with('.'), "{}", step.name);
        for param in step.params {
            assert!(param.summary.ends_with('.'), "{} {}", step.name, param.key);
            assert!(!param.summary.contains("  "), "{} {}", step.name, param.key);
        }
        assert!(!step.manual.contains("  "), "{}", step.name);
    }
}

#[test]
fn defaults_of_every_step_are_in_range() {
    for step in STEPS {
        for param in step.params {
            match (param.kind, param.default) {
                (_, ParamDefault::Required { .. } | ParamDefault::Absent)
                | (ParamKind::Bool, ParamDefault::Bool(_)) => {}
                (ParamKind::Number { min, max, .. }, ParamDefault::Number(value)) => {
                    assert!(min <= value && value <= max, "{} {}", step.name, param.key);
                }
                (ParamKind::Integer { min, max, .. }, ParamDefault::Integer(value)) => {
                    assert!(min <= value && value <= max, "{} {}", step.name, param.key);
                }
                (ParamKind::Choice(choices), ParamDefault::Choice(word)) => {
                    assert!(choices.contains(&word), "{} {}", step.name, param.key);
                }
                _ => panic!("{} {}: default of another type", step.name, param.key),
            }
        }
    }
}

#[test]
fn every_step_gives_the_same_bits_for_every_block_size() {
    for case in CASES {
        for signal in [silence, impulse, full_scale, song] {
            let input = signal(case.channel_count);
            let whole = run(case, &input, FRAMES);
            assert!(
                !whole[0].is_empty() && whole.iter().flatten().all(|sample| sample.is_finite()),
                "{case:?}"
            );
            for block_frames in [1, 7, 64, 4096] {
                let cut = run(case, &input, block_frames);
                assert!(bits(&cut) == bits(&whole), "{case:?}, blocks of {block_frames}");
            }
        }
    }
}

#[test]
fn every_step_keeps_silence_silent() {
    for case in CASES {
        let output = run(case, &silence(case.channel_count), 4096);
        assert!(output.iter().flatten().all(|&sample| sample == 0.0), "{case:?}");
    }
}

#[test]
fn every_step_reset_equals_fresh() {
    for case in CASES {
        let input = song(case.channel_count);
        let mut step = case.build();
        prepare(&mut step, &input, 4096);
        let first = process(&mut step, &case.spec(), &input, 4096);
        step.reset();
        let second = process(&mut step, &case.spec(), &input, 4096);
        assert!(bits(&first) == bits(&second), "{case:?}");
    }
}

#[test]
fn every_step_delivers_exactly_the_length_it_announces() {
    for case in CASES {
        for signal in [silence, impulse, full_scale, song] {
            let input = signal(case.channel_count);
            let mut step = case.build();
            prepare(&mut step, &input, 4096);
            // As an executor does: silence after the end, until the latency is made up for.
            let fed = FRAMES + step.properties().latency.as_usize();
            let padded: Planes =
                input.iter().map(|plane| [&plane[..], &vec![0.0; fed - FRAMES]].concat()).collect();
            let capacity = step.max_output_frames(fed);
            let mut block = Block::with_capacity(case.channel_count, 8, capacity);
            block.copy_from(&Block::from_planes(&padded), 0, fed);
            let _ = step.process(&mut block);
            let announced = step.span(Frames(FRAMES as u64)).length + step.properties().latency;
            let delivered = Frames(block.frame_count() as u64);
            if step.properties().held_back == Frames::ZERO {
                assert_eq!(delivered, announced, "{case:?}");
            } else {
                // The rest comes with silence, as `drive::process` makes sure.
                assert!(delivered <= announced, "{case:?}");
            }
        }
    }
}

#[test]
fn every_step_accepts_a_block_without_frames() {
    for case in CASES {
        let mut step = case.build();
        prepare(&mut step, &song(case.channel_count), 4096);
        let mut block = Block::with_capacity(case.channel_count, 8, 16);
        let _ = step.process(&mut block);
        assert_eq!(block.frame_count(), 0, "{case:?}");
        assert_eq!(step.report().failure, None, "{case:?}");
    }
}

/// Output of a step over mono `samples`.
fn mono(step: &str, params: &[(&str, drive::Value)], samples: &[f32]) -> Vec<f32> {
    let spec = StreamSpec::new(44_100, 1);
    let mut step = build(step, params, &spec).unwrap();
    let input = vec![samples.to_vec()];
    prepare(&mut step, &input, 3);
    process(&mut step, &spec, &input, 3).remove(0)
}

#[test]
fn gain_of_20_db_multiplies_by_ten() {
    assert_eq!(mono("gain", &[("gain_db", Number(20.0))], &[0.25, -0.5]), [2.5, -5.0]);
}

#[test]
fn fade_in_over_four_frames_rises_by_quarters() {
    let four_frames_s = 4.0 / 44_100.0;
    let output = mono("fade", &[("in_s", Number(four_frames_s))], &[1.0; 6]);
    assert_eq!(output, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
    let output = mono("fade", &[("out_s", Number(four_frames_s))], &[1.0; 6]);
    assert_eq!(output, [1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
}

#[test]
fn fade_shapes_differ_in_the_middle() {
    let middle = |shape| {
        let params = [("in_s", Number(4.0 / 44_100.0)), ("shape", Choice(shape))];
        mono("fade", &params, &[1.0; 6])[2]
    };
    assert!((middle("cosine") - 0.5).abs() < 1e-7);
    assert!((middle("equal-power") - 0.5f32.sqrt()).abs() < 1e-7);
}

#[test]
fn fade_needs_the_length_only_for_its_end() {
    let spec = StreamSpec::new(44_100, 1);
    let need = |params: &[(&str, drive::Value)]| {
        build("fade", params, &spec).unwrap().properties().needs_length
    };
    assert!(!need(&[("in_s", Number(1.0))]));
    assert!(need(&[("out_s", Number(1.0))]));
    let mut step = build("fade", &[("out_s", Number(1.0))], &spec).unwrap();
    assert!(step.begin(None).is_err());
}

/// Amplitude ratio of a steady tone through a high-pass.
fn high_pass_response(cutoff_hz: f64, tone_hz: f64) -> f64 {
    let sample = |frame: usize| (TAU * tone_hz * frame as f64 / 44_100.0).sin() as f32;
    let input: Vec<f32> = (0..88_200).map(sample).collect();
    let output = mono("high-pass", &[("cutoff_hz", Number(cutoff_hz))], &input);
    let power = |plane: &[f32]| plane.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    (power(&output[44_100..]) / power(&input[44_100..])).sqrt()
}

#[test]
fn high_pass_is_3_db_down_at_its_cutoff() {
    assert!((high_pass_response(100.0, 100.0) - 0.5f64.sqrt()).abs() < 1e-4);
}

#[test]
fn high_pass_falls_by_12_db_per_octave_and_passes_what_is_above() {
    // Butterworth, far below the cutoff: (f/fc)^2.
    assert!((high_pass_response(1000.0, 50.0) / (0.05f64).powi(2) - 1.0).abs() < 0.02);
    assert!((high_pass_response(100.0, 5000.0) - 1.0).abs() < 1e-3);
}

#[test]
fn high_pass_at_the_nyquist_frequency_is_refused_with_what_would_work() {
    let spec = StreamSpec::new(8000, 1);
    let error = build("high-pass", &[("cutoff_hz", Number(4000.0))], &spec).err().unwrap();
    let expected = "step `high-pass` cannot run here: `cutoff_hz` is 4000 Hz; at a sample rate of \
                    8000 Hz, it must be at most 3920 Hz";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn trim_silence_keeps_from_the_first_to_the_last_sound() {
    let input = [0.0, 0.0005, 0.5, 0.0, 0.002, 0.0, 0.0];
    assert_eq!(mono("trim-silence", &[], &input), [0.5, 0.0, 0.002]);
}

#[test]
fn trim_silence_keeps_the_pad_and_short_silence() {
    let input = [0.0, 0.0, 0.0, 0.5, 0.0, 0.0];
    let pad = ("pad_s", Number(1.0 / 44_100.0));
    assert_eq!(mono("trim-silence", &[pad], &input), [0.0, 0.5, 0.0]);
    let min_length = ("min_length_s", Number(3.0 / 44_100.0));
    assert_eq!(mono("trim-silence", &[min_length], &input), [0.5, 0.0, 0.0]);
}

#[test]
fn trim_silence_of_silence_leaves_the_file_alone() {
    let spec = StreamSpec::new(44_100, 1);
    let mut step = build("trim-silence", &[], &spec).unwrap();
    let input = vec![vec![0.0; 100]];
    prepare(&mut step, &input, 7);
    assert_eq!(process(&mut step, &spec, &input, 7), input);
    assert_eq!(step.report().findings[0].key, "left_alone");
}

/// Output of `remix` for one frame of the given layout.
fn remix_frame(layout: ChannelLayout, frame: &[f32], params: &[(&str, drive::Value)]) -> Vec<f32> {
    let mut spec = StreamSpec::new(44_100, frame.len());
    spec.layout = layout;
    let mut step = build("remix", params, &spec).unwrap();
    let mut block = Block::with_capacity(frame.len(), 8, 1);
    block.set_frame_count(1);
    block.planes_mut().zip(frame).for_each(|(plane, &sample)| plane[0] = sample);
    let _ = step.process(&mut block);
    block.planes().map(|plane| plane[0]).collect()
}

#[test]
fn remix_of_5_1_to_stereo_follows_bs_775() {
    let frame = [0.1, 0.2, 0.4, 9.0, 0.04, 0.08];
    let output = remix_frame(ChannelLayout::usual(6), &frame, &[("channels", Integer(2))]);
    let root = 0.5f32.sqrt();
    let expected = [0.1 + root * (0.4 + 0.04), 0.2 + root * (0.4 + 0.08)];
    assert!((output[0] - expected[0]).abs() < 1e-6 && (output[1] - expected[1]).abs() < 1e-6);
    let mono = remix_frame(ChannelLayout::usual(6), &frame, &[("channels", Integer(1))]);
    assert!((mono[0] - f32::midpoint(expected[0], expected[1])).abs() < 1e-6);
}

#[test]
fn remix_of_stereo_to_mono_is_the_mean_and_of_mono_to_stereo_a_copy() {
    let stereo = ChannelLayout::usual(2);
    let one = [("channels", Integer(1))];
    assert_eq!(remix_frame(stereo.clone(), &[0.5, 0.25], &one), [0.375]);
    let left = [("channels", Integer(1)), ("from", Choice("left"))];
    assert_eq!(remix_frame(stereo.clone(), &[0.5, 0.25], &left), [0.5]);
    let right = [("channels", Integer(2)), ("from", Choice("right"))];
    assert_eq!(remix_frame(stereo, &[0.5, 0.25], &right), [0.25, 0.25]);
    let two = [("channels", Integer(2))];
    assert_eq!(remix_frame(ChannelLayout::usual(1), &[0.5], &two), [0.5, 0.5]);
}

#[test]
fn remix_that_has_no_meaning_is_unsuitable() {
    let refused = |layout: ChannelLayout, params: &[(&str, drive::Value)]| {
        let mut spec = StreamSpec::new(44_100, layout.channel_count());
        spec.layout = layout;
        matches!(build("remix", params, &spec), Err(BuildError::Unsuitable { .. }))
    };
    assert!(refused(ChannelLayout::usual(2), &[("channels", Integer(6))]));
    assert!(refused(ChannelLayout::usual(1), &[("channels", Integer(3))]));
    let unknown = ChannelLayout::new(vec![ChannelPosition::Unknown; 3]);
    assert!(refused(unknown.clone(), &[("channels", Integer(2))]));
    assert!(refused(unknown, &[("channels", Integer(1)), ("from", Choice("left"))]));
}

#[test]
fn remix_keeps_the_layout_of_as_many_channels() {
    let mut spec = StreamSpec::new(44_100, 4);
    spec.layout = ChannelLayout::from_mask(0x107, 4);
    let step = build("remix", &[("channels", Integer(4))], &spec).unwrap();
    assert_eq!(step.output_spec(&spec), spec);
}

#[test]
fn remix_without_room_fails_with_a_reason() {
    let mut step =
        build("remix", &[("channels", Integer(2))], &StreamSpec::new(44_100, 1)).unwrap();
    let mut block = Block::new(1, 1);
    block.set_frame_count(1);
    let _ = step.process(&mut block);
    assert_eq!(step.report().failure.as_deref(), Some("the block has no room for 2 channels"));
}

#[test]
fn limit_brings_what_is_above_the_ceiling_just_below_it() {
    // -6 dBTP is 0.501187, of which 0.997 are aimed at; the standard's filter
    // passes a constant 0.09 % louder: 0.499234.
    let output = mono("limit", &[("ceiling_dbtp", Number(-6.0))], &vec![0.75; 40_000]);
    assert!((output[20_000] - 0.499_234).abs() < 2e-5, "{}", output[20_000]);
    let input: Vec<f32> = (0..4000).map(|frame| (frame as f32 * 0.1).sin() * 0.5).collect();
    assert_eq!(mono("limit", &[("ceiling_dbtp", Number(-6.0))], &input), input);
}

#[test]
fn limit_reports_what_it_did() {
    let spec = StreamSpec::new(44_100, 1);
    let mut step = build("limit", &[("ceiling_dbtp", Number(-6.0))], &spec).unwrap();
    assert!(
        step.report().findings.iter().all(|finding| finding.value == FindingValue::Number(0.0))
    );
    let input = vec![[vec![0.1; 44_100], vec![1.0; 44_100]].concat()];
    prepare(&mut step, &input, 512);
    process(&mut step, &spec, &input, 512);
    // The edge rings by a tenth, which is more than the 6.01 dB of the plateau.
    let reduction = number(&step, "reduction_max_db");
    assert!(reduction > 6.0 && reduction < 7.5, "{reduction} dB");
    let time_s = number(&step, "time_above_1_db_s");
    assert!((time_s - 1.0).abs() < 0.02, "{time_s}");
    assert!(number(&step, "time_reduced_s") >= time_s);
}

#[test]
fn peak_normalize_puts_the_largest_sample_at_the_target() {
    // -6 dBFS is the amplitude 0.50119; the peak of 0.25 is at -12.0412 dBFS, the gain 6.041 dB.
    let output = mono("peak-normalize", &[("target_dbfs", Number(-6.0))], &[0.1, -0.25]);
    assert!((output[1] + 0.501_18).abs() < 2e-5, "{}", output[1]);
    assert!(output[1].abs() <= 10f32.powf(-6.0 / 20.0));
}

fn finding(step: &StepProcessor, key: &str) -> FindingValue {
    step.report().findings.into_iter().find(|finding| finding.key == key).unwrap().value
}

fn number(step: &StepProcessor, key: &str) -> f64 {
    match finding(step, key) {
        FindingValue::Number(value) => value,
        other => panic!("{key} is {other:?}"),
    }
}

/// The larger of both measures of the true peak.
fn true_peak(planes: &Planes, spec: &StreamSpec) -> f64 {
    let mut meter = LoudnessMeter::new(spec, MonoMode::Single);
    meter.push(&Block::from_planes(planes));
    let report = meter.finish();
    report.true_peak_dbtp.unwrap().0.max(report.true_peak_precise_dbtp.unwrap().0)
}

/// The step after its pass over ten seconds of music, and the loudness and true peak of its output.
fn normalize(params: &[(&str, drive::Value)], gain: f32) -> (StepProcessor, f64, f64) {
    let spec = StreamSpec::new(44_100, 2);
    let Samples::Float { mut planes } = music(PcmFormat::FLOAT, 2, 441_000) else {
        panic!("floats")
    };
    planes.iter_mut().flatten().for_each(|sample| *sample *= gain);
    let mut step = build("loudness", params, &spec).unwrap();
    prepare(&mut step, &planes, 4096);
    let output = process(&mut step, &spec, &planes, 4096);
    let mut meter = LoudnessMeter::new(&spec, MonoMode::Single);
    meter.push(&Block::from_planes(&output));
    let report = meter.finish();
    (step, report.integrated_lufs.unwrap().0, true_peak(&output, &spec))
}

#[test]
fn loudness_reaches_the_target_where_the_ceiling_allows() {
    let (step, loudness, true_peak) = normalize(&[("target_lufs", Number(-30.0))], 0.5);
    assert!((loudness + 30.0).abs() < 0.001, "{loudness}");
    assert!(true_peak < -1.0);
    assert_eq!(finding(&step, "ceiling_bound"), FindingValue::Bool(false));
    assert!((number(&step, "shortfall_lu")).abs() < 1e-9);
    assert!((number(&step, "expected_integrated_lufs") - loudness).abs() < 1e-4);
}

#[test]
fn loudness_below_a_binding_ceiling_reports_the_shortfall() {
    let (step, loudness, true_peak) = normalize(&[("target_lufs", Number(-6.0))], 0.1);
    assert!(true_peak <= -1.0 && true_peak > -1.003, "{true_peak}");
    assert_eq!(finding(&step, "ceiling_bound"), FindingValue::Bool(true));
    let shortfall = number(&step, "shortfall_lu");
    assert!(shortfall > 1.0);
    assert!((loudness + shortfall + 6.0).abs() < 0.002, "{loudness} + {shortfall}");
}

#[test]
fn ceiling_holds_after_dither_to_16_bits_even_when_it_is_low() {
    use wavemill_core::audio::convert;
    use wavemill_core::encode::{Dither, Quantizer};
    let spec = StreamSpec::new(44_100, 2);
    for ceiling_dbtp in [-1.0, -20.0, -40.0] {
        let params = [("target_lufs", Number(0.0)), ("ceiling_dbtp", Number(ceiling_dbtp))];
        let input = song(2);
        let mut step = build("loudness", &params, &spec).unwrap();
        prepare(&mut step, &input, 4096);
        let planes = process(&mut step, &spec, &input, 4096);
        let format = PcmFormat::int(16);
        let mut ints = Samples::empty(format, 2);
        Quantizer::new(PcmFormat::FLOAT, format, Dither::Tpdf, 2)
            .quantize(&Samples::Float { planes }, &mut ints);
        let mut block = Block::new(2, FRAMES);
        convert::to_block(&ints, &mut block);
        let planes: Planes = block.planes().map(<[f32]>::to_vec).collect();
        let true_peak = true_peak(&planes, &spec);
        assert!(true_peak <= ceiling_dbtp, "{true_peak}, ceiling {ceiling_dbtp}");
    }
}

#[test]
fn loudness_that_may_only_be_lowered_is_not_raised() {
    let params = [("target_lufs", Number(-10.0)), ("lower_only", Bool(true))];
    let (step, ..) = normalize(&params, 0.01);
    assert!(number(&step, "gain_db").abs() < 1e-12);
}

#[test]
fn loudness_of_silence_is_left_alone_and_said_so() {
    let spec = StreamSpec::new(44_100, 2);
    let mut step = build("loudness", &[("target_lufs", Number(-16.0))], &spec).unwrap();
    let input = vec![vec![0.0; 50_000]; 2];
    prepare(&mut step, &input, 4096);
    assert_eq!(process(&mut step, &spec, &input, 4096), input);
    assert_eq!(finding(&step, "measured_integrated_lufs"), FindingValue::None);
    assert!(matches!(finding(&step, "left_alone"), FindingValue::Text(_)));
}

#[test]
fn loudness_needs_a_target() {
    let error = build("loudness", &[], &StreamSpec::new(44_100, 2)).err().unwrap();
    assert_eq!(error, BuildError::Missing { step: "loudness", param: "target_lufs" });
}

#[test]
fn transparent_steps_return_every_sample_and_the_others_do_not_claim_to() {
    type Parameters = &'static [(&'static str, drive::Value)];
    let cases: &[(&str, Parameters, bool)] = &[
        ("gain", &[("gain_db", Number(0.0))], true),
        ("gain", &[("gain_db", Number(-0.0004))], true),
        ("gain", &[("gain_db", Number(0.001))], false),
        ("fade", &[], true),
        ("fade", &[("in_s", Number(0.1))], false),
        ("fade", &[("out_s", Number(0.1))], false),
        ("loudness", &[("target_lufs", Number(-16.0))], false),
        ("loudness", &[("target_lufs", Number(-16.0)), ("skip_within_lu", Number(20.0))], true),
        ("peak-normalize", &[("target_dbfs", Number(-20.0))], false),
        ("trim-silence", &[("threshold_dbfs", Number(-144.0))], true),
        ("high-pass", &[("cutoff_hz", Number(80.0))], false),
        ("remix", &[("channels", Integer(1))], false),
    ];
    let spec = StreamSpec::new(44_100, 2);
    let input: Planes =
        song(2).iter().map(|plane| plane.iter().map(|sample| sample * 0.5).collect()).collect();
    for &(name, params, is_transparent) in cases {
        let mut step = build(name, params, &spec).unwrap();
        prepare(&mut step, &input, 4096);
        assert_eq!(step.properties().is_transparent, is_transparent, "{name} {params:?}");
        let output = process(&mut step, &spec, &input, 4096);
        assert_eq!(bits(&output) == bits(&input), is_transparent, "{name} {params:?}");
    }
}

#[test]
fn every_word_of_every_choice_builds_its_step() {
    for step in STEPS {
        let choices = step.params.iter().filter_map(|param| match param.kind {
            ParamKind::Choice(words) => Some((param.key, words)),
            _ => None,
        });
        for (key, words) in choices {
            for word in words {
                let mut given = Params::default();
                for required in step.params {
                    if let ParamDefault::Required { example } = required.default {
                        let value = match required.kind {
                            ParamKind::Integer { .. } => {
                                ParamValue::Integer(example.parse().unwrap())
                            }
                            ParamKind::AudioFile => ParamValue::Choice(example.to_owned()),
                            _ => ParamValue::Number(example.parse().unwrap()),
                        };
                        given.set(required.key, value);
                    }
                }
                given.set(key, ParamValue::Choice((*word).to_owned()));
                let params = step.complete(&given).unwrap();
                let built = (step.build)(&params, &StreamSpec::new(44_100, 2));
                assert_eq!(built.err(), None, "{} {key} {word}", step.name);
            }
        }
    }
}

#[test]
fn silence_leaves_normalizing_steps_transparent() {
    let spec = StreamSpec::new(44_100, 2);
    let target: &[(&str, drive::Value)] = &[("target_lufs", Number(-16.0))];
    for (name, params) in [("loudness", target), ("peak-normalize", &[])] {
        let mut step = build(name, params, &spec).unwrap();
        prepare(&mut step, &silence(2), 4096);
        assert!(step.properties().is_transparent, "{name}");
    }
}

#[test]
fn loudness_of_a_file_too_short_for_it_still_keeps_the_ceiling() {
    let spec = StreamSpec::new(44_100, 1);
    // A fifth of a second: no block of 400 ms, a true peak of 0 dBTP.
    let tone = |frame: usize| (TAU * 997.0 * frame as f64 / 44_100.0).sin() as f32;
    let input: Planes = vec![(0..8_820).map(tone).collect()];
    let mut step = build("loudness", &[("target_lufs", Number(-16.0))], &spec).unwrap();
    prepare(&mut step, &input, 4096);
    assert!(!step.properties().is_transparent);
    let output = process(&mut step, &spec, &input, 4096);
    let true_peak = true_peak(&output, &spec);
    assert!(true_peak <= -1.0 && true_peak > -1.01, "{true_peak}");
    assert_eq!(finding(&step, "measured_integrated_lufs"), FindingValue::None);
    assert_eq!(finding(&step, "ceiling_bound"), FindingValue::Bool(true));
    assert!((number(&step, "gain_db") + 1.0).abs() < 0.1);
    assert!(step.report().findings.iter().all(|finding| finding.key != "left_alone"));
    let FindingValue::Text(reason) = finding(&step, "only_lowered_to_ceiling") else {
        panic!("text")
    };
    assert!(reason.contains("no loudness"), "{reason}");
}
