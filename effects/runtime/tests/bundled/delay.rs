//! The delay, by numbers worked out by hand.

use crate::bench::{
    Output, RATE_HZ, db, effect, impulse, module, noise, peak, power, render, run, set, sine,
    spikes, tail_frames,
};
use wavemill_core::processor::Status;
use wavemill_core::units::Frames;

/// Echoes only, 4,800 frames apart, each half the one before, unfiltered.
const PLAIN: &[(&str, f64)] = &[
    ("time_ms", 100.0),
    ("feedback", 0.5),
    ("damping_hz", 20_000.0),
    ("low_cut_hz", 20.0),
    ("mix", 1.0),
];

fn with(values: &[(&'static str, f64)]) -> Vec<(&'static str, f64)> {
    let mut all = PLAIN.to_vec();
    all.retain(|(key, _)| values.iter().all(|(other, _)| other != key));
    all.extend(values);
    all
}

#[test]
fn echoes_of_an_impulse_come_on_time_each_half_the_one_before() {
    let output = render(&module("delay"), PLAIN, &impulse(2, 20_000));
    let echoes = [(4_800, 1.0), (9_600, 0.5), (14_400, 0.25), (19_200, 0.125)];
    assert_eq!(spikes(&output[0]), echoes);
    assert_eq!(spikes(&output[1]), []);
}

#[test]
fn times_of_many_lengths_are_met_to_the_frame() {
    let module = module("delay");
    for (time_ms, frames) in [(1.0, 48), (1.01, 48), (10.42, 500), (2_000.0, 96_000)] {
        let values = with(&[("time_ms", time_ms), ("feedback", 0.0)]);
        let output = render(&module, &values, &impulse(1, 100_000));
        assert_eq!(spikes(&output[0]), [(frames, 1.0)]);
    }
}

#[test]
fn mix_shares_the_amplitude_between_input_and_echoes() {
    let output = render(&module("delay"), &with(&[("mix", 0.25)]), &impulse(1, 10_000));
    assert_eq!(spikes(&output[0]), [(0, 0.75), (4_800, 0.25), (9_600, 0.125)]);
}

#[test]
fn ping_pong_goes_left_right_left_with_half_of_one_side() {
    let values = with(&[("ping_pong", 1.0)]);
    let module = module("delay");
    let output = render(&module, &values, &impulse(3, 20_000));
    assert_eq!(spikes(&output[0]), [(4_800, 0.5), (14_400, 0.125)]);
    assert_eq!(spikes(&output[1]), [(9_600, 0.25), (19_200, 0.0625)]);
    let of_one_channel = render(&module, &values, &impulse(1, 10_000));
    assert_eq!(spikes(&of_one_channel[0]), [(4_800, 1.0), (9_600, 0.5)]);
}

#[test]
fn channels_beyond_the_second_echo_in_place_in_ping_pong() {
    let mut input = impulse(3, 10_000);
    input.swap(0, 2);
    let output = render(&module("delay"), &with(&[("ping_pong", 1.0)]), &input);
    assert_eq!(spikes(&output[2]), [(4_800, 1.0), (9_600, 0.5)]);
    assert!(spikes(&output[0]).is_empty() && spikes(&output[1]).is_empty());
}

/// Level of the second echo of a tone relative to the first, in dB, without the feedback's 6.02.
fn loss_of_a_round_db(frequency_hz: f64, values: &[(&'static str, f64)]) -> f64 {
    // 0.1 s of tone every second: echoes after 1 s and 2 s.
    let mut input = vec![sine(150_000, frequency_hz, 0.5)];
    input[0][4_800..].fill(0.0);
    let mut values = with(values);
    values.retain(|(key, _)| *key != "time_ms");
    values.push(("time_ms", 1_000.0));
    let output = render(&module("delay"), &values, &input);
    let middle = 1_200..3_600;
    let first = power(&output[0][48_000 + middle.start..48_000 + middle.end]);
    let second = power(&output[0][96_000 + middle.start..96_000 + middle.end]);
    db(second / first) + 6.0206
}

#[test]
fn every_round_loses_3_db_at_the_corners_and_nothing_without_filters() {
    let damping = loss_of_a_round_db(2_000.0, &[("damping_hz", 2_000.0)]);
    assert!((damping + 3.01).abs() < 0.05, "{damping} dB");
    let low_cut = loss_of_a_round_db(500.0, &[("low_cut_hz", 500.0)]);
    assert!((low_cut + 3.01).abs() < 0.05, "{low_cut} dB");
    assert!(loss_of_a_round_db(2_000.0, &[]).abs() < 0.01);
    // One pole: |H|^2 = 1 / (1 + (f / fc)^2) is 12.3 dB down two octaves above.
    let far = loss_of_a_round_db(4_000.0, &[("damping_hz", 1_000.0)]);
    assert!((far + 12.3).abs() < 0.3, "{far} dB");
}

/// Largest step from one sample to the next.
fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn parameters_changed_in_a_tone_make_no_click() {
    let module = module("delay");
    // A tone of 200 Hz at 0.5 has steps of at most 0.0131; with feedback its echoes reach 1.0.
    let tone = vec![sine(96_000, 200.0, 0.5); 2];
    for (key, value) in [
        ("time_ms", 41.7),
        ("feedback", 0.0),
        ("ping_pong", 1.0),
        ("damping_hz", 300.0),
        ("low_cut_hz", 1_000.0),
        ("mix", 0.0),
    ] {
        let mut effect = effect(&module, RATE_HZ, 2, PLAIN);
        run(&mut effect, &tone, 1_000);
        set(&mut effect, key, value);
        // 96,000 frames are 400 periods, so the tone goes on.
        let output = run(&mut effect, &tone, 1_000).signal;
        let step = largest_step(&output[0]).max(largest_step(&output[1]));
        assert!(step < 0.04, "`{key}` makes a step of {step}");
    }
}

#[test]
fn new_time_holds_once_it_has_been_faded_in() {
    let module = module("delay");
    let values = with(&[("feedback", 0.0)]);
    let mut effect = effect(&module, RATE_HZ, 1, &values);
    run(&mut effect, &noise(1, 1_000, 0.5), 100);
    set(&mut effect, "time_ms", 50.0);
    run(&mut effect, &noise(1, 3_000, 0.0), 100);
    run(&mut effect, &noise(1, 3_000, 0.0), 100);
    let output = run(&mut effect, &impulse(1, 10_000), 100).signal;
    assert_eq!(spikes(&output[0]), [(2_400, 1.0)]);
}

#[test]
fn tail_ends_below_minus_120_dbfs_after_input_that_lasted() {
    let module = module("delay");
    for values in [
        PLAIN.to_vec(),
        with(&[("feedback", 0.0)]),
        with(&[("time_ms", 20.0), ("feedback", 0.9)]),
        with(&[("time_ms", 7.0), ("feedback", 0.9), ("damping_hz", 500.0), ("low_cut_hz", 40.0)]),
    ] {
        let mut effect = effect(&module, RATE_HZ, 2, &values);
        // 250 Hz and multiples of 4 ms would add up; noise and full scale do what files do at worst.
        run(&mut effect, &vec![vec![1.0; 48_000]; 2], 1_000);
        run(&mut effect, &noise(2, 48_000, 1.0), 1_000);
        let tail = tail_frames(&effect);
        run(&mut effect, &noise(2, tail, 0.0), 1_000);
        let after = run(&mut effect, &noise(2, 48_000, 0.0), 1_000).signal;
        assert!(peak(&after) <= 1e-6, "{values:?}: {} after {tail} frames", peak(&after));
    }
}

#[test]
fn tail_is_one_echo_without_feedback_and_below_the_hosts_limit_at_most() {
    let module = module("delay");
    let tail = |values: &[(&str, f64)]| tail_frames(&effect(&module, RATE_HZ, 1, values));
    assert_eq!(tail(&with(&[("feedback", 0.0)])), 4_800);
    // 1 / (1 - 0.5) * 0.5^21 is the first below 1e-6.
    assert_eq!(tail(PLAIN), 4_800 * 22);
    let longest = [("time_ms", 2_000.0), ("feedback", 0.9)];
    assert!((300..320).contains(&(tail(&longest) / 48_000)));
    assert_eq!(effect(&module, RATE_HZ, 1, PLAIN).latency(), Frames::ZERO);
}

#[test]
fn loop_that_has_rung_out_is_silent_and_says_so() {
    let mut effect = effect(&module("delay"), RATE_HZ, 2, PLAIN);
    assert_eq!(run(&mut effect, &noise(2, 100, 0.0), 100).status, Status::Silent);
    let sounding = run(&mut effect, &noise(2, 20_000, 0.5), 1_000).status;
    assert_eq!(sounding, Status::Continue);
    // 30 halvings to -180 dBFS, then the longest time without anything.
    let Output { signal: rest, status } =
        run(&mut effect, &noise(2, 32 * 4_800 + 96_000, 0.0), 1_000);
    assert_eq!(status, Status::Silent);
    let end = rest[0].len() - 4_800;
    assert_eq!(spikes(&rest[0][end..]), []);
}

#[test]
fn many_channels_at_a_high_rate_fit_or_are_refused() {
    let module = module("delay");
    effect(&module, 192_000, 8, &[]);
    effect(&module, 48_000, 64, &[]);
    let spec = wavemill_core::audio::StreamSpec::new(192_000, 64);
    let settings = wavemill_runtime::Settings::defaults(module.description());
    let refused = module.instantiate(&spec, &settings, 4_096);
    assert!(refused.is_err_and(|error| error.to_string().contains("memory")));
}
