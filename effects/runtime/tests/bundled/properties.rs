//! What holds for every module that was not written in Rust.

use crate::bench::{FRAMES_MAX, Signal, effect, module, noise, peak, run, set, settings};
use std::collections::BTreeMap;
use wavemill_core::audio::StreamSpec;
use wavemill_core::processor::Processor;
use wavemill_runtime::{Effect, Param, Settings};

/// Modules with every parameter away from its default, and how many channels they get.
type Case = (&'static str, usize, &'static [(&'static str, f64)]);

const CASES: &[Case] = &[
    ("delay", 1, &[]),
    (
        "delay",
        3,
        &[
            ("time_ms", 3.0),
            ("feedback", 0.8),
            ("ping_pong", 1.0),
            ("damping_hz", 3_000.0),
            ("low_cut_hz", 20.0),
            ("mix", 0.7),
        ],
    ),
    ("stereo-width", 2, &[]),
    (
        "stereo-width",
        2,
        &[
            ("width", 1.7),
            ("mid_db", -3.0),
            ("side_db", 2.0),
            ("mono_below_hz", 150.0),
            ("balance", -0.4),
        ],
    ),
];

/// Another value of a parameter.
fn other(param: &Param, value: f64) -> f64 {
    let moved = value + (param.max - param.min) / 3.0;
    let moved = if moved > param.max { param.min } else { moved };
    if param.labels.is_empty() { moved } else { moved.round() }
}

/// Sets every parameter to another value.
fn change_all(effect: &mut Effect, values: &Settings) {
    for param in effect.module().description().params.clone() {
        let value = other(&param, values.get(&param.key).unwrap());
        set(effect, &param.key, value);
    }
}

fn assert_same_bits(a: &[Vec<f32>], b: &[Vec<f32>], what: &str) {
    for (channel, (a, b)) in a.iter().zip(b).enumerate() {
        let differs = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits();
        let frame = a.iter().zip(b).position(differs);
        assert_eq!(frame, None, "{what}: first difference in channel {channel}");
    }
}

#[test]
fn output_does_not_depend_on_blocks_also_when_parameters_change() {
    for (name, channels, values) in CASES {
        let module = module(name);
        let (before, after) = (noise(*channels, 4_321, 0.5), noise(*channels, 5_003, 0.7));
        let outputs: Vec<Signal> = [4_096, 1, 7, 64, 333, 1_024]
            .into_iter()
            .map(|block_frames| {
                let mut effect = effect(&module, 44_100, *channels, values);
                let mut output = run(&mut effect, &before, block_frames).signal;
                change_all(&mut effect, &settings(&module, values));
                let rest = run(&mut effect, &after, block_frames).signal;
                output.iter_mut().zip(rest).for_each(|(plane, rest)| plane.extend(rest));
                output
            })
            .collect();
        for other in &outputs[1..] {
            assert_same_bits(&outputs[0], other, name);
        }
    }
}

#[test]
fn reset_equals_a_fresh_instance_also_after_changes() {
    for (name, channels, values) in CASES {
        let module = module(name);
        let mut used = effect(&module, 44_100, *channels, values);
        run(&mut used, &noise(*channels, 30_000, 0.9), 1_000);
        change_all(&mut used, &settings(&module, values));
        run(&mut used, &noise(*channels, 77, 0.9), 1_000);
        used.reset();
        let changed: Vec<(String, f64)> = module
            .description()
            .params
            .iter()
            .map(|param| {
                let value = settings(&module, values).get(&param.key).unwrap();
                (param.key.clone(), other(param, value))
            })
            .collect();
        let changed: Vec<(&str, f64)> =
            changed.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let mut fresh = effect(&module, 44_100, *channels, &changed);
        let input = noise(*channels, 20_000, 0.5);
        let (of_used, of_fresh) =
            (run(&mut used, &input, 500).signal, run(&mut fresh, &input, 500).signal);
        assert_same_bits(&of_fresh, &of_used, name);
    }
}

#[test]
fn output_is_bounded_for_any_input_at_the_ends_of_every_parameter() {
    for (name, channels, values) in CASES {
        let module = module(name);
        for param in &module.description().params {
            for value in [param.min, param.max] {
                let mut values = values.to_vec();
                values.retain(|(key, _)| *key != param.key);
                values.push((&param.key, value));
                for rate_hz in [8_000, 192_000] {
                    let mut effect = effect(&module, rate_hz, *channels, &values);
                    for input in [
                        noise(*channels, 20_000, 1.0),
                        vec![vec![1.0; 20_000]; *channels],
                        vec![vec![1e-40; 5_000]; *channels],
                        noise(*channels, 5_000, 16.0),
                    ] {
                        let output = run(&mut effect, &input, FRAMES_MAX).signal;
                        let peak = peak(&output);
                        assert!(peak < 1_000.0, "{name}, `{}` = {value}: {peak}", param.key);
                    }
                }
            }
        }
    }
}

#[test]
fn presets_can_be_run() {
    for name in ["delay", "stereo-width"] {
        let module = module(name);
        assert!(module.description().presets.len() >= 6);
        for preset in &module.description().presets {
            let settings =
                Settings::of(module.description(), Some(&preset.name), &BTreeMap::new()).unwrap();
            let spec = StreamSpec::new(48_000, 2);
            let mut effect = module.instantiate(&spec, &settings, FRAMES_MAX).unwrap();
            run(&mut effect, &noise(2, 10_000, 0.5), 777);
        }
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for name in ["delay", "stereo-width"] {
        for param in &module(name).description().params {
            assert!(param.summary.ends_with('.'), "{name}: {}", param.key);
        }
    }
}
