//! What an effect does with samples.

use super::fixtures::{Source, failure_of, half, run, sandbox, short};
use crate::sandbox::{Mode, Sandbox};
use crate::{CreateError, Description, Settings, SettingsError, limits};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status, Tail};
use wavemill_core::units::Frames;

/// Two planes without any symmetry.
fn noise(channel_count: usize, frames: usize) -> Vec<Vec<f32>> {
    let sample = |index: usize| ((index * 7919) % 2003) as f32 / 1001.5 - 1.0;
    (0..channel_count).map(|c| (0..frames).map(|i| sample(i + 501 * c)).collect()).collect()
}

#[test]
fn worked_example_of_the_contract_halves_these_frames() {
    let module = sandbox().load(&half(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    let spec = StreamSpec::new(48_000, 2);
    let mut effect = module.instantiate(&spec, &settings, 4096).unwrap();
    let mut block = Block::from_planes(&[[1.0, 0.5], [-1.0, 0.25]]);
    assert_eq!(effect.process(&mut block), Status::Continue);
    assert_eq!(block.plane(0), [0.5, 0.25]);
    assert_eq!(block.plane(1), [-0.5, 0.125]);
    assert_eq!((effect.latency(), effect.tail()), (Frames::ZERO, Tail::Frames(Frames::ZERO)));
}

#[test]
fn worked_example_of_the_contract_describes_itself() {
    let module = sandbox().load(&half(), limits::MEMORY_MIB).unwrap();
    let Description { id, channels, params, .. } = module.description();
    assert_eq!((id.as_str(), *channels, params.len()), ("half", (1, 8), 0));
    assert_eq!((module.size_bytes(), module.sha256().len()), (half().len(), 64));
}

#[test]
fn hash_of_a_module_is_that_of_its_bytes() {
    use sha2::{Digest as _, Sha256};
    let module = sandbox().load(&half(), limits::MEMORY_MIB).unwrap();
    assert_eq!(module.sha256(), format!("{:x}", Sha256::digest(half())));
}

#[test]
fn output_does_not_depend_on_the_blocks() {
    let input = noise(2, 5000);
    let whole = run(&mut Source::new().effect(2, 5000), &input, &[5000]);
    assert_eq!(whole[1][3..4], [input[1][3] * 0.5]);
    for sizes in [&[1, 7, 64][..], &[333], &[4096, 1]] {
        assert_eq!(run(&mut Source::new().effect(2, 64), &input, sizes), whole, "{sizes:?}");
    }
}

#[test]
fn mono_module_gets_an_instance_a_channel() {
    // Adds up what it was given: shared state would mix the channels.
    let source = Source::new().channels(1, 1).process(
        "(global.set $sum (f32.add (global.get $sum) (f32.load (i32.const 65536))))
         (f32.store (i32.const 65536) (global.get $sum)) (i32.const 0)",
    );
    let source = source.part("sum", "(global $sum (mut f32) (f32.const 0))");
    let mut effect = source.effect(3, 1);
    let output = run(&mut effect, &[vec![1.0; 3], vec![2.0; 3], vec![4.0; 3]], &[2]);
    assert_eq!(output, [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [4.0, 8.0, 12.0]]);
}

#[test]
fn scheduled_change_holds_from_its_frame_on_whatever_the_blocks() {
    for sizes in [&[10][..], &[1], &[3], &[4, 2]] {
        let mut effect = Source::new().effect(1, 64);
        effect.schedule(Frames(7), 7, 2.0).unwrap();
        effect.schedule(Frames(4), 7, 1.0).unwrap();
        let output = run(&mut effect, &[vec![1.0; 10]], sizes);
        let expected = [0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0];
        assert_eq!(output[0], expected, "{sizes:?}");
    }
}

#[test]
fn scheduled_change_is_checked() {
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,8],"params":[
        {"id":0,"key":"size","min":0,"max":4,"default":1,"flags":["restart"]},
        {"id":1,"key":"gain","min":0,"max":4,"default":1,"flags":["automatable"]},
        {"id":2,"key":"shape","min":0,"max":4,"default":1}]}"#;
    let mut effect = Source::new().json(json).effect(1, 64);
    let mut error = |id, value| effect.schedule(Frames(0), id, value).unwrap_err();
    assert!(matches!(error(0, 1.0), SettingsError::NotAutomatable { .. }));
    assert!(matches!(error(2, 1.0), SettingsError::NotAutomatable { .. }));
    assert!(matches!(error(1, 4.5), SettingsError::Param(_)));
    assert!(matches!(error(3, 1.0), SettingsError::UnknownParam { .. }));
    assert_eq!([0, 1, 2, 3].map(|id| effect.set(id, 1.0)), [false, true, false, false]);
}

#[test]
fn value_set_is_brought_into_its_range_and_stays() {
    let mut effect = Source::new().part("fx_reset", r#"(func (export "fx_reset"))"#).effect(1, 64);
    assert!(effect.set(7, 99.0));
    assert_eq!(run(&mut effect, &[vec![0.25]], &[1]), [[1.0]]);
    effect.reset();
    assert_eq!(run(&mut effect, &[vec![0.25]], &[1]), [[1.0]]);
    assert!(!effect.set(7, f64::NAN) || run(&mut effect, &[vec![0.25]], &[1])[0][0].is_finite());
}

#[test]
fn reset_begins_the_stream_and_its_changes_anew() {
    let with_reset = Source::new().part("fx_reset", r#"(func (export "fx_reset"))"#);
    for source in [Source::new(), with_reset] {
        let mut effect = source.effect(1, 64);
        effect.schedule(Frames(2), 7, 2.0).unwrap();
        for _ in 0..3 {
            let output = run(&mut effect, &[vec![1.0; 4]], &[3]);
            assert_eq!(output, [[0.5, 0.5, 2.0, 2.0]]);
            effect.reset();
        }
    }
}

/// Adds one to a global for every call and writes it out.
fn counter() -> Source {
    Source::new().part("count", "(global $count (mut f32) (f32.const 0))").process(
        "(global.set $count (f32.add (global.get $count) (f32.const 1)))
             (f32.store (i32.const 65536) (global.get $count)) (i32.const 0)",
    )
}

#[test]
fn module_without_reset_gets_a_fresh_instance() {
    let mut effect = counter().effect(1, 1);
    assert_eq!(run(&mut effect, &[vec![0.0; 3]], &[1]), [[1.0, 2.0, 3.0]]);
    effect.reset();
    assert_eq!(run(&mut effect, &[vec![0.0; 3]], &[1]), [[1.0, 2.0, 3.0]]);
}

#[test]
fn module_with_reset_keeps_its_instance() {
    let reset = r#"(func (export "fx_reset") (global.set $count (f32.const 10)))"#;
    let mut effect = counter().part("fx_reset", reset).effect(1, 1);
    assert_eq!(run(&mut effect, &[vec![0.0; 2]], &[1]), [[1.0, 2.0]]);
    effect.reset();
    assert_eq!(run(&mut effect, &[vec![0.0; 2]], &[1]), [[11.0, 12.0]]);
}

#[test]
fn two_effects_of_one_module_share_nothing() {
    let module = counter().load().unwrap();
    let settings = Settings::defaults(module.description());
    let spec = StreamSpec::new(48_000, 1);
    let mut first = module.instantiate(&spec, &settings, 1).unwrap();
    let mut second = module.instantiate(&spec, &settings, 1).unwrap();
    assert_eq!(run(&mut first, &[vec![0.0; 2]], &[1]), [[1.0, 2.0]]);
    assert_eq!(run(&mut second, &[vec![0.0; 2]], &[1]), [[1.0, 2.0]]);
}

#[test]
fn effect_moves_between_threads() {
    let mut effect = counter().effect(1, 1);
    run(&mut effect, &[vec![0.0]], &[1]);
    let thread = std::thread::spawn(move || run(&mut effect, &[vec![0.0; 2]], &[1]));
    assert_eq!(thread.join().unwrap(), [[2.0, 3.0]]);
}

#[test]
fn silence_is_reported_when_every_instance_says_so() {
    let mut effect = Source::new().channels(1, 1).process("(i32.const 1)").effect(2, 64);
    let mut block = Block::from_planes(&[[0.0; 8]; 2]);
    assert_eq!(effect.process(&mut block), Status::Silent);
    // Silent only after an input of zero: a second instance with another input says 0.
    let is_silent = "(i32.eqz (i32.load (i32.const 65536)))";
    let mut effect = Source::new().channels(1, 1).process(is_silent).effect(2, 64);
    let mut block = Block::from_planes(&[[0.0; 8], [1.0; 8]]);
    assert_eq!(effect.process(&mut block), Status::Continue);
}

#[test]
fn empty_block_is_no_call() {
    let mut effect = Source::new().process("unreachable").effect(2, 64);
    assert_eq!(effect.process(&mut Block::new(2, 64)), Status::Continue);
}

#[test]
fn block_of_other_channels_is_refused() {
    let mut effect = Source::new().effect(2, 64);
    assert_eq!(effect.process(&mut Block::from_planes(&[[0.0; 8]])), Status::Failed);
    assert!(effect.failure().unwrap().contains("another number of channels"));
}

#[test]
fn denormals_are_zero_inside_calls() {
    // 1e-38 * 0.1 is denormal.
    let mut effect = Source::new().effect(1, 64);
    assert!(effect.set(7, 0.1));
    let output = run(&mut effect, &[vec![1.2e-38]], &[1]);
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert_eq!(output, [[0.0]]);
    }
}

#[test]
fn latency_and_tail_are_what_the_module_says() {
    let source = Source::new()
        .part("latency", r#"(func (export "fx_latency") (result i32) (i32.const 480))"#)
        .part("tail", r#"(func (export "fx_tail") (result i32) (i32.const 96000))"#);
    let effect = source.effect(2, 64);
    assert_eq!((effect.latency(), effect.tail()), (Frames(480), Tail::Frames(Frames(96_000))));
    let endless = source.part("tail", r#"(func (export "fx_tail") (result i32) (i32.const -1))"#);
    assert_eq!(endless.effect(2, 64).tail(), Tail::Infinite);
}

#[test]
fn every_parameter_is_set_in_order_before_creation() {
    // Writes what it is passed, in order, where the first plane is read from.
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,1],"params":[
        {"id":9,"key":"b","min":0,"max":9,"default":3},{"id":4,"key":"a","min":0,"max":9,"default":5}]}"#;
    let source = Source::new()
        .json(json)
        .part("next", "(global $next (mut i32) (i32.const 65536))")
        .part(
            "fx_set_param",
            r#"(func $put (export "fx_set_param") (param i32 f64)
                 (f32.store (global.get $next)
                   (f32.add (f32.convert_i32_u (local.get 0)) (f32.demote_f64 (f64.div (local.get 1) (f64.const 10)))))
                 (global.set $next (i32.add (global.get $next) (i32.const 4))))"#,
        )
        .part(
            "fx_create",
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
                 (call $put (i32.const 1) (f64.const 0)) (i32.const 0))"#,
        )
        .part("fx_in", r#"(func (export "fx_in") (param i32) (result i32) (i32.const 131072))"#)
        .process("(i32.const 0)");
    let output = run(&mut source.effect(1, 3), &[vec![0.0; 3]], &[3]);
    assert_eq!(output, [[9.3, 4.5, 1.0]]);
}

#[test]
fn stream_that_does_not_suit_is_refused_with_what_would_be_right() {
    let module = Source::new().channels(2, 2).load().unwrap();
    let error = module.suits(&StreamSpec::new(48_000, 1)).unwrap_err();
    assert_eq!(error.to_string(), "effect `Test` takes 2 channels, not 1");
    let json =
        r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,1],"sample_rates":[44100,48000]}"#;
    let module = Source::new().json(json).load().unwrap();
    let error = module.suits(&StreamSpec::new(96_000, 1)).unwrap_err();
    assert_eq!(error.to_string(), "effect `T` takes sample rates of 44100, 48000 Hz, not 96000 Hz");
    assert!(module.suits(&StreamSpec::new(44_100, 64)).is_ok());
    let error = module.suits(&StreamSpec::new(44_100, 65)).unwrap_err();
    assert!(matches!(error, CreateError::ChannelCount { max: 64, .. }));
}

#[test]
fn lines_logged_before_the_first_block_are_kept() {
    let source = Source::new()
        .part("import", r#"(import "fx" "log" (func $log (param i32 i32 i32)))"#)
        .part("words", r#"(data (i32.const 8192) "ready\0d\0anow")"#)
        .part(
            "fx_create",
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
                 (global.set $channels (local.get 1))
                 (call $log (i32.const 1) (i32.const 8192) (i32.const 10))
                 (call $log (i32.const 1) (i32.const -8) (i32.const 10)) (i32.const 0))"#,
        )
        .process("(call $log (i32.const 0) (i32.const 8192) (i32.const 5)) (i32.const 0)");
    let mut effect = source.effect(1, 64);
    run(&mut effect, &[vec![0.0; 64]], &[8]);
    assert_eq!(effect.log(), ["warning: ready  now"]);
}

#[test]
fn findings_name_the_effect_and_its_hash() {
    let effect = Source::new().effect(1, 64);
    let findings = serde_json::to_value(effect.report().findings).unwrap();
    assert_eq!(findings[0]["value"], "test 1.0.0");
    assert_eq!(findings[1]["value"], effect.module().sha256());
}

#[test]
fn fuel_is_counted_where_asked_and_always_the_same() {
    let fuel = |mode| {
        let sandbox = Sandbox::with_budgets(mode, None, short()).unwrap();
        let module = sandbox.load(&half(), limits::MEMORY_MIB).unwrap();
        let settings = Settings::defaults(module.description());
        let mut effect = module.instantiate(&StreamSpec::new(48_000, 2), &settings, 64).unwrap();
        let before = effect.fuel_used();
        run(&mut effect, &noise(2, 64), &[64]);
        effect.fuel_used().zip(before).map(|(after, before)| after - before)
    };
    assert_eq!(fuel(Mode::File), None);
    let used = fuel(Mode::Metered).unwrap();
    // 128 samples, some ten instructions each.
    assert!((640..2560).contains(&used), "{used}");
    assert_eq!(fuel(Mode::Metered), Some(used));
}

/// A module with two meters of -24 to 0, the first of which shows this.
fn metered(reading: &str) -> Source {
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,1],"meters":[
        {"key":"reduction_db","unit":"dB","min":-24,"max":0},
        {"key":"other","name":"Other","min":0,"max":1}]}"#;
    let meter = format!(
        r#"(func (export "fx_meter") (param i32) (result f32)
            (if (result f32) (local.get 0) (then (f32.const 0.5)) (else {reading})))"#
    );
    Source::new().json(json).part("fx_meter", &meter)
}

#[test]
fn meters_are_read_within_their_ranges() {
    let mut effect = metered("(f32.const -6)").effect(2, 64);
    let meters = &effect.module().description().meters;
    assert_eq!((meters[0].name.as_str(), meters[1].name.as_str()), ("reduction_db", "Other"));
    assert_eq!([0, 1, 2].map(|index| effect.meter(index)), [Some(-6.0), Some(0.5), None]);
    assert_eq!(metered("(f32.const -100)").effect(2, 64).meter(0), Some(-24.0));
    assert_eq!(metered("(f32.const nan)").effect(2, 64).meter(0), None);
    assert_eq!(metered("(f32.const -inf)").effect(2, 64).meter(0), None);
    assert_eq!(Source::new().effect(2, 64).meter(0), None);
}

#[test]
fn meter_that_traps_breaks_the_effect() {
    let mut effect = metered("(loop $again (br $again)) (f32.const 0)").effect(1, 64);
    assert_eq!((effect.meter(0), effect.meter(1)), (None, None));
    let words = failure_of(&mut effect, 1);
    assert!(words.starts_with("effect `T`: fx_meter took too long"), "{words}");
}
