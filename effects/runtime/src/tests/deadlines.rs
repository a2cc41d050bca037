//! Live calls share the time of a callback.

use super::fixtures::Source;
use crate::deadline;
use crate::effect::Effect;
use crate::sandbox::{Mode, Sandbox};
use crate::{Allowance, Settings, limits};
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::Status;
use wavemill_core::units::SampleRate;

const FRAMES: usize = 64;

const RATE: SampleRate = SampleRate(48_000);

const LOOPING: &str = "(loop $again (br $again)) (i32.const 0)";

/// A live effect with this body of `fx_process`.
fn effect(body: &str) -> Effect {
    instance(&Source::new().process(body))
}

fn instance(source: &Source) -> Effect {
    let sandbox = Sandbox::new(Mode::Live, None).unwrap();
    let module = sandbox.load(&source.wasm(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    module.instantiate(&StreamSpec::new(RATE.0, 1), &settings, FRAMES).unwrap()
}

/// The least time that a callback works in which this many looping modules are called.
fn time_of_callback(looping: usize) -> Duration {
    let attempt = || {
        let mut chain: Vec<Effect> = (0..looping).map(|_| effect(LOOPING)).collect();
        let mut block = Block::new(1, FRAMES);
        block.set_frame_count(FRAMES);
        // The clock runs already, as it does in a stream of callbacks.
        let mut honest = effect("(i32.const 0)");
        let start = Instant::now();
        while start.elapsed() < 2 * limits::REST {
            let mut allowance = Allowance::offline(FRAMES, RATE);
            assert!(honest.advance(&mut block, 0, FRAMES, &mut allowance).is_ok());
        }
        let begin = deadline::worked().unwrap();
        let mut allowance = Allowance::real_time(FRAMES, RATE);
        for effect in &mut chain {
            let broken = effect.advance(&mut block, 0, FRAMES, &mut allowance).unwrap_err();
            assert!(broken.is_late(), "{broken:?}");
        }
        deadline::worked().unwrap().saturating_sub(begin)
    };
    (0..8).map(|_| attempt()).min().unwrap()
}

#[test]
fn looping_module_takes_about_a_block_and_others_two_ticks_each() {
    // 64 frames last 1.33 ms: three ticks of 0.5 ms, and the one under way.
    let one = time_of_callback(1);
    assert!(one > Duration::from_micros(1_300) && one < Duration::from_millis(4), "{one:?}");
    let four = time_of_callback(4);
    assert!(four < Duration::from_millis(10), "{four:?}");
}

#[test]
fn late_effect_is_explained_and_not_called_again() {
    let mut effect = effect(LOOPING);
    let mut block = Block::new(1, FRAMES);
    block.set_frame_count(FRAMES);
    let mut allowance = Allowance::real_time(FRAMES, RATE);
    let broken = effect.advance(&mut block, 0, FRAMES, &mut allowance).unwrap_err();
    let again = effect.advance(&mut block, 0, FRAMES, &mut Allowance::offline(FRAMES, RATE));
    assert_eq!(again, Err(broken));
    assert!(!effect.reset_if_real_time());
    let reason = effect.explain(broken).to_string();
    assert_eq!(reason, "effect `Test`: fx_process took too long and was stopped, at frame 0");
}

#[test]
fn parameter_that_takes_too_long_breaks_the_effect() {
    let looping = r#"(func (export "fx_set_param") (param i32 f64)
        (if (f64.eq (local.get 1) (f64.const 2)) (then (loop $again (br $again)))))"#;
    let mut effect = instance(&Source::new().part("fx_set_param", looping));
    assert!(effect.set_within(7, 1.0, &mut Allowance::offline(FRAMES, RATE)));
    assert!(effect.warm_up().is_ok());
    assert!(effect.set_within(7, 2.0, &mut Allowance::real_time(FRAMES, RATE)));
    assert!(effect.warm_up().is_err_and(|broken| broken.is_late()));
}

#[test]
fn offline_call_has_the_time_of_files() {
    // Some 30 ms: far more than a block lasts, far less than a file's call may take.
    let slow = "(local $left i32) (local.set $left (i32.const 30000000))
        (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (i32.const 0)";
    let mut effect = effect(slow);
    let mut block = Block::new(1, FRAMES);
    block.set_frame_count(FRAMES);
    for _ in 0..3 {
        let mut allowance = Allowance::offline(FRAMES, RATE);
        let result = effect.advance(&mut block, 0, FRAMES, &mut allowance);
        assert_eq!(result, Ok(Status::Continue));
    }
}
