//! A live effect never fails.

use super::fixtures::{SHORT_TICKS, Source};
use crate::budgets::Budgets;
use crate::live::{LiveEffect, LiveKeeper, live};
use crate::sandbox::{Mode, Sandbox};
use crate::{Settings, limits};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};

const RATE_HZ: u32 = 48_000;

/// Frames of [`limits::LIVE_FADE_TIME`].
const FADE: usize = 480;

/// Halves; traps on a block that begins with 0.75, loops for ever on 0.875, writes a NaN on 0.625.
fn fragile() -> Source {
    let on = |value: &str, then: &str| {
        format!("(if (f32.eq (f32.load (i32.const 65536)) (f32.const {value})) (then {then}))")
    };
    let body = [
        on("0.75", "unreachable"),
        on("0.875", "(loop $again (br $again))"),
        "(call $scale (local.get $frames) (global.get $gain))".into(),
        on("0.3125", "(f32.store (i32.const 65540) (f32.const nan))"),
        "(i32.const 0)".into(),
    ];
    Source::new()
        .part("fx_reset", r#"(func (export "fx_reset"))"#)
        .part("words", r#"(data (i32.const 8192) "ouch\00")"#)
        .part("fx_error", r#"(func (export "fx_error") (result i32) (i32.const 8192))"#)
        .process(&body.join("\n"))
}

/// A live sandbox with time enough for honest calls on a busy machine.
fn sandbox() -> Sandbox {
    let budgets = Budgets { call: SHORT_TICKS, ..Budgets::of(Mode::Live) };
    Sandbox::with_budgets(Mode::Live, None, budgets).unwrap()
}

fn start(source: &Source) -> (LiveEffect, LiveKeeper) {
    let module = sandbox().load(&source.wasm(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    live(&module, &StreamSpec::new(RATE_HZ, 1), &settings, 64).unwrap()
}

/// Processes blocks of 64 frames that hold this value; the output.
fn feed(effect: &mut LiveEffect, value: f32, frames: usize) -> Vec<f32> {
    let mut output = Vec::new();
    while output.len() < frames {
        let count = 64.min(frames - output.len());
        let mut block = Block::from_planes(&[vec![value; count]]);
        assert_ne!(effect.process(&mut block), Status::Failed);
        output.extend_from_slice(block.plane(0));
    }
    output
}

/// The largest step from sample to sample.
fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn working_effect_plays_alone() {
    let (mut effect, mut keeper) = start(&fragile());
    assert_eq!(feed(&mut effect, 1.0, 200), [0.5; 200]);
    assert_eq!((effect.strike_count(), effect.is_bypassed()), (0, false));
    assert_eq!(keeper.tend(), None);
}

#[test]
fn broken_effect_gives_way_within_10_ms_without_a_click() {
    for bad in [0.75, 0.875, 0.625] {
        let (mut effect, _keeper) = start(&fragile());
        let mut output = feed(&mut effect, 1.0, 64);
        output.extend(feed(&mut effect, bad, 64));
        output.extend(feed(&mut effect, 1.0, 1000));
        assert!(output.iter().all(|sample| sample.is_finite()), "{bad}");
        assert_eq!(output[64 + FADE..], [1.0; 1000 + 64 - FADE], "{bad}");
        assert!(effect.is_bypassed());
        assert_eq!(effect.strike_count(), 1);
        // Where the input stands still, each step is that of the fade, from 0.5 to 1.0.
        let (before, after) = output.split_at(128);
        assert!(largest_step(after) < 1.1 * 0.5 / FADE as f32, "{bad}");
        assert!((before[64] - 0.5).abs() < 2.0 / FADE as f32, "{bad}: {}", before[64]);
    }
}

#[test]
fn fresh_instance_is_faded_in() {
    let (mut effect, mut keeper) = start(&fragile());
    feed(&mut effect, 0.75, 64);
    feed(&mut effect, 1.0, 1000);
    let incident = keeper.tend().unwrap();
    assert_eq!(incident.reason, "effect `Test`: fx_process gave up, at frame 0; it said: ouch");
    assert_eq!((incident.strike_count, incident.is_final), (1, false));
    assert_eq!(keeper.tend(), None);
    let output = feed(&mut effect, 1.0, 1000);
    assert!(largest_step(&output) < 1.1 * 0.5 / FADE as f32);
    assert_eq!(output[FADE..], [0.5; 1000 - FADE]);
    assert!(!effect.is_bypassed());
}

#[test]
fn third_strike_is_final() {
    let (mut effect, mut keeper) = start(&fragile());
    for strike in 1..=limits::LIVE_STRIKES_MAX {
        feed(&mut effect, 0.75, 64);
        feed(&mut effect, 1.0, 1000);
        let incident = keeper.tend().unwrap();
        assert_eq!((incident.strike_count, incident.is_final), (strike, strike == 3));
        assert_eq!(effect.strike_count(), strike);
        feed(&mut effect, 1.0, 1000);
    }
    assert_eq!(keeper.tend(), None);
    assert_eq!(feed(&mut effect, 1.0, 1000), [1.0; 1000]);
    assert!(effect.is_bypassed());
}

#[test]
fn fresh_instance_has_the_parameters_of_now() {
    let (mut effect, mut keeper) = start(&fragile());
    assert!(effect.set(7, 2.0));
    feed(&mut effect, 0.75, 64);
    feed(&mut effect, 1.0, 1000);
    // While it is bypassed, a change is kept for later.
    assert!(effect.set(7, 3.0));
    keeper.tend().unwrap();
    feed(&mut effect, 1.0, 1000);
    assert_eq!(feed(&mut effect, 1.0, 10), [3.0; 10]);
}

#[test]
fn dry_signal_is_late_by_the_latency() {
    let latency = r#"(func (export "fx_latency") (result i32) (i32.const 100))"#;
    let (mut effect, mut keeper) = start(&fragile().part("latency", latency));
    assert_eq!(effect.latency().0, 100);
    feed(&mut effect, 0.75, 64);
    feed(&mut effect, 0.0, 1000);
    let output = feed(&mut effect, 1.0, 200);
    assert_eq!(output[..100], [0.0; 100]);
    assert_eq!(output[100..], [1.0; 100]);
    // The output of a new instance is not used before its latency has passed.
    keeper.tend().unwrap();
    let output = feed(&mut effect, 1.0, 1000);
    assert_eq!(output[..100], [1.0; 100]);
    assert!(output[101] < 1.0);
    assert_eq!(output[100 + FADE..], [0.5; 900 - FADE]);
}

#[test]
fn reset_of_a_module_without_reset_brings_a_fresh_instance_and_no_strike() {
    let (mut effect, mut keeper) = start(&fragile().without("fx_reset"));
    feed(&mut effect, 1.0, 64);
    effect.reset();
    feed(&mut effect, 1.0, 1000);
    assert!(effect.is_bypassed());
    assert_eq!(keeper.tend(), None);
    feed(&mut effect, 1.0, 1000);
    assert_eq!(feed(&mut effect, 1.0, 10), [0.5; 10]);
    assert_eq!(effect.strike_count(), 0);
}

#[test]
fn effect_is_late_only_once() {
    // An endless loop costs its budget in one block; the blocks after it cost next to nothing.
    let (mut effect, _keeper) = start(&fragile());
    feed(&mut effect, 0.875, 64);
    assert!(effect.strike_count() == 1);
    assert_eq!(feed(&mut effect, 0.875, 1000)[FADE..], [0.875; 520]);
}

#[test]
fn fresh_instance_has_seen_silence_only_and_forgotten_it() {
    let counting = Source::new()
        .part("count", "(global $count (mut f32) (f32.const 0))")
        .part("fx_reset", r#"(func (export "fx_reset") (global.set $count (f32.const 0)))"#)
        .process(
            "(global.set $count (f32.add (global.get $count) (f32.const 1)))
             (f32.store (i32.const 65536) (global.get $count)) (i32.const 0)",
        );
    let (mut effect, _keeper) = start(&counting);
    assert_eq!(feed(&mut effect, 0.0, 1), [1.0]);
}

#[test]
fn module_that_fails_on_silence_is_refused_at_the_start() {
    let source = fragile().process("unreachable");
    let module = sandbox().load(&source.wasm(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    let error = live(&module, &StreamSpec::new(RATE_HZ, 1), &settings, 64).err().unwrap();
    assert!(error.to_string().contains("fx_process gave up"), "{error}");
}

#[test]
fn input_that_is_no_number_is_silence_and_no_strike() {
    let (mut effect, _keeper) = start(&fragile());
    for bad in [f32::NAN, f32::INFINITY] {
        assert_eq!(feed(&mut effect, bad, 64), [0.0; 64]);
    }
    assert_eq!(feed(&mut effect, 1.0, 8), [0.5; 8]);
    assert_eq!(effect.strike_count(), 0);
}

#[test]
fn value_that_cannot_change_is_not_kept_for_a_fresh_instance() {
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,8],"params":[
        {"id":7,"key":"gain","min":0,"max":4,"default":0.5}]}"#;
    let (mut effect, mut keeper) = start(&fragile().json(json));
    feed(&mut effect, 0.75, 64);
    feed(&mut effect, 1.0, 1000);
    assert!(!effect.set(7, 2.0));
    keeper.tend().unwrap();
    feed(&mut effect, 1.0, 1000);
    assert_eq!(feed(&mut effect, 1.0, 8), [0.5; 8]);
}
