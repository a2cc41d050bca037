//! Modules that mean harm are contained, each with one line that says why.

use super::fixtures::{SHORT_TICKS, Source, escaped, failure_of, run, sandbox, short};
use crate::Settings;
use crate::budgets::Budgets;
use crate::sandbox::{Mode, Sandbox};
use crate::{LoadError, limits};
use std::fmt::Write as _;
use std::time::Duration;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};

const ENDLESS: &str = "(loop $again (br $again))";

#[test]
fn endless_loop_before_the_description_is_stopped() {
    let start = format!("(start $s) (func $s {ENDLESS})");
    let initialize = format!(r#"(func (export "_initialize") {ENDLESS})"#);
    let describe = format!(r#"(func (export "fx_describe") (result i32) {ENDLESS} (i32.const 0))"#);
    for (name, text, call) in [
        ("start", start, "instantiating it"),
        ("_initialize", initialize, "_initialize"),
        ("fx_describe", describe, "fx_describe"),
    ] {
        let error = Source::new().part(name, &text).load_error();
        let expected = format!("the module failed: {call} took too long and was stopped");
        assert_eq!(error, expected);
    }
}

#[test]
fn endless_loop_before_the_first_block_is_stopped() {
    let cases = [
        ("fx_set_param", "(param i32 f64)"),
        ("fx_create", "(param f64 i32 i32) (result i32)"),
        ("fx_in", "(param i32) (result i32)"),
        ("fx_out", "(param i32) (result i32)"),
        ("fx_latency", "(result i32)"),
        ("fx_tail", "(result i32)"),
    ];
    for (name, signature) in cases {
        let value = if signature.contains("result") { "(i32.const 0)" } else { "" };
        let text = format!("(func (export {name:?}) {signature} {ENDLESS} {value})");
        let error = Source::new().part(name, &text).create_error();
        assert_eq!(error, format!("effect `Test`: {name} took too long and was stopped"));
    }
}

#[test]
fn endless_loop_in_process_is_stopped() {
    let mut effect = Source::new().process(&format!("{ENDLESS} (i32.const 0)")).effect(2, 64);
    assert_eq!(
        failure_of(&mut effect, 2),
        "effect `Test`: fx_process took too long and was stopped, at frame 0"
    );
    // The instance is not called again.
    assert_eq!(effect.process(&mut Block::from_planes(&[[0.0; 8]; 2])), Status::Failed);
}

#[test]
fn endless_loop_in_reset_is_stopped() {
    let reset = format!(r#"(func (export "fx_reset") {ENDLESS})"#);
    let mut effect = Source::new().part("fx_reset", &reset).effect(2, 64);
    effect.reset();
    assert_eq!(
        failure_of(&mut effect, 2),
        "effect `Test`: fx_reset took too long and was stopped, at frame 0"
    );
}

#[test]
fn endless_loop_in_a_change_of_a_parameter_is_stopped() {
    // The first call, before creation, passes.
    let set = format!(
        r#"(global $calls (mut i32) (i32.const 0))
           (func (export "fx_set_param") (param i32 f64)
             (if (global.get $calls) (then {ENDLESS}))
             (global.set $calls (i32.const 1)))"#
    );
    let mut effect = Source::new().part("fx_set_param", &set).effect(2, 64);
    effect.set(7, 1.0);
    assert_eq!(
        failure_of(&mut effect, 2),
        "effect `Test`: fx_set_param took too long and was stopped, at frame 0"
    );
}

#[test]
fn endless_loop_in_the_error_text_is_stopped() {
    let error = format!(r#"(func (export "fx_error") (result i32) {ENDLESS} (i32.const 0))"#);
    let mut effect = Source::new().part("fx_error", &error).process("unreachable").effect(2, 64);
    assert_eq!(failure_of(&mut effect, 2), "effect `Test`: fx_process gave up, at frame 0");
}

#[test]
fn endless_recursion_uses_up_its_stack_only() {
    let deep = "(func $deep (param i32) (result i32)
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
    let source = Source::new().part("deep", deep).process("(call $deep (i32.const 0))");
    for mode in [Mode::File, Mode::Live, Mode::Metered] {
        let sandbox = Sandbox::with_budgets(mode, None, short()).unwrap();
        let module = sandbox.load(&source.wasm(), limits::MEMORY_MIB).unwrap();
        let settings = Settings::defaults(module.description());
        let spec = StreamSpec::new(48_000, 2);
        let mut effect = module.instantiate(&spec, &settings, 64).unwrap();
        assert_eq!(
            failure_of(&mut effect, 2),
            "effect `Test`: fx_process overflowed its stack; look for endless recursion, at frame \
            0",
            "{mode:?}"
        );
    }
}

#[test]
fn trap_in_mid_file_names_its_frame_and_what_the_module_said() {
    // The third call gives up.
    let source = Source::new()
        .part("calls", "(global $calls (mut i32) (i32.const 0))")
        .part("words", r#"(data (i32.const 8192) "out of\0apatience\00")"#)
        .part("fx_error", r#"(func (export "fx_error") (result i32) (i32.const 8192))"#)
        .process(
            "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
             (if (i32.eq (global.get $calls) (i32.const 3)) (then unreachable)) (i32.const 0)",
        );
    let mut effect = source.effect(2, 64);
    run(&mut effect, &[vec![0.0; 128], vec![0.0; 128]], &[64]);
    assert_eq!(
        failure_of(&mut effect, 2),
        "effect `Test`: fx_process gave up, at frame 128; it said: out of patience"
    );
    // A fresh start works: nothing of the failed instance is left.
    effect.reset();
    run(&mut effect, &[vec![0.0; 128], vec![0.0; 128]], &[64]);
}

#[test]
fn traps_have_words() {
    let cases = [
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "trapped: integer divide by zero"),
        ("(drop (i32.load (i32.const -4)))", "accessed memory out of bounds"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "trapped: invalid conversion to integer"),
    ];
    for mode in [Mode::File, Mode::Live] {
        let sandbox = Sandbox::with_budgets(mode, None, short()).unwrap();
        for (body, words) in cases {
            let wasm = Source::new().process(&format!("{body} (i32.const 0)")).wasm();
            let module = sandbox.load(&wasm, limits::MEMORY_MIB).unwrap();
            let settings = Settings::defaults(module.description());
            let spec = StreamSpec::new(48_000, 1);
            let mut effect = module.instantiate(&spec, &settings, 64).unwrap();
            let expected = format!("effect `Test`: fx_process {words}, at frame 0");
            assert_eq!(failure_of(&mut effect, 1), expected, "{mode:?}");
        }
    }
}

#[test]
fn absurd_output_is_named_with_its_frame_and_channel() {
    let cases = [
        ("nan", "a NaN"),
        ("inf", "an infinity"),
        ("-inf", "an infinity"),
        ("1e30", "1e30"),
        ("-1.5e6", "-1.5e6"),
    ];
    for (value, words) in cases {
        // Frame 5 of channel 1.
        let body = format!("(f32.store (i32.const 327700) (f32.const {value})) (i32.const 0)");
        let failure = failure_of(&mut Source::new().process(&body).effect(2, 64), 2);
        let start = format!("effect `Test`: fx_process wrote {words} to channel 1");
        assert!(failure.starts_with(&start) && failure.ends_with(", at frame 5"), "{failure}");
    }
}

#[test]
fn results_that_the_contract_does_not_know_are_errors() {
    let mut effect = Source::new().process("(i32.const 2)").effect(2, 64);
    assert!(failure_of(&mut effect, 2).contains("returned 2, which the contract does not allow"));
    let mut effect = Source::new().process("(i32.const -9)").effect(2, 64);
    assert!(failure_of(&mut effect, 2).contains("returned its own error -9"));
    for (code, words) in [(1, "returned 1"), (-2, "sample rate"), (-3, "channels"), (-99, "-99")] {
        let create = format!(
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32) (i32.const {code}))"#
        );
        let error = Source::new().part("fx_create", &create).create_error();
        assert!(error.starts_with("effect `Test`: fx_create ") && error.contains(words), "{error}");
    }
}

#[test]
fn addresses_out_of_bounds_are_refused() {
    for name in ["fx_in", "fx_out"] {
        for address in [-4, -1, 33 * 65_536, 33 * 65_536 - 252, i32::MIN] {
            let text =
                format!("(func (export {name:?}) (param i32) (result i32) (i32.const {address}))");
            let error = Source::new().part(name, &text).create_error();
            assert!(error.starts_with(&format!("effect `Test`: {name}(0) returned ")), "{error}");
        }
    }
    for address in [-1, 33 * 65_536, i32::MIN] {
        let text = format!(r#"(func (export "fx_describe") (result i32) (i32.const {address}))"#);
        let error = Source::new().part("fx_describe", &text).load_error();
        assert!(error.contains("which is outside its memory"), "{error}");
    }
}

#[test]
fn error_text_out_of_bounds_is_no_text() {
    for address in [-1, 33 * 65_536, 40_000] {
        let error = format!(r#"(func (export "fx_error") (result i32) (i32.const {address}))"#);
        let source = Source::new().part("fx_error", &error).process("(i32.const -1)");
        let failure = failure_of(&mut source.effect(2, 64), 2);
        assert_eq!(failure, "effect `Test`: fx_process returned the error -1, at frame 0");
    }
}

#[test]
fn description_that_is_no_text_is_refused() {
    // Memory full of `{`: unterminated; then only deep.
    let fill = |from: u32, count: u32| {
        Source::new().part(
            "fx_describe",
            &format!(
                r#"(func (export "fx_describe") (result i32)
                     (memory.fill (i32.const {from}) (i32.const 0x5b) (i32.const {count}))
                     (i32.const {from}))"#
            ),
        )
    };
    let error = fill(0, 33 * 65_536).load_error();
    assert!(error.ends_with("returned text that no zero byte ends within 65536 bytes"), "{error}");
    assert!(fill(33 * 65_536 - 9, 9).load_error().contains("no zero byte"));
    let error = fill(131_072, 60_000).load_error();
    assert!(error.starts_with("the description of the module is wrong: "), "{error}");
    for json in ["", "{", "[]", "nul", "\u{fffd}", r#"{"id":1}"#] {
        let error = Source::new().json(json).load_error();
        assert!(error.starts_with("the description of the module is wrong: "), "{json}: {error}");
    }
}

#[test]
fn memory_is_refused_beyond_the_cap() {
    // Grows page by page until it is refused, and says by its latency how many pages it has.
    let source = Source::new()
        .part(
            "fx_create",
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
                 (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                 (i32.const 0))"#,
        )
        .part("fx_latency", r#"(func (export "fx_latency") (result i32) (memory.size))"#);
    let sandbox = sandbox();
    for (mib, pages) in [(64, 1024), (3, 48)] {
        let module = sandbox.load(&source.wasm(), mib).unwrap();
        let settings = Settings::defaults(module.description());
        let effect = module.instantiate(&StreamSpec::new(48_000, 1), &settings, 64).unwrap();
        assert_eq!(effect.latency().0, pages);
        assert!(!effect.asked_for_memory());
    }
}

#[test]
fn memory_does_not_grow_while_audio_runs() {
    let grow = "(f32.store (i32.const 65536)
        (f32.convert_i32_s (memory.grow (i32.const 1)))) (i32.const 0)";
    let mut effect = Source::new().process(grow).effect(1, 64);
    assert_eq!(run(&mut effect, &[vec![0.0]], &[1]), [[-1.0]]);
    assert!(effect.asked_for_memory());
}

/// A module that takes some hundred milliseconds to compile.
fn slow() -> Vec<u8> {
    let mut functions = String::new();
    for index in 0..60 {
        let mut body = String::from("(local.get 0)");
        for step in 0..300 {
            body = format!("{body} (f64.const {step}) f64.mul (local.get 0) f64.add");
        }
        let _ = write!(functions, "(func $slow{index} (param f64) (result f64) {body})");
    }
    Source::new().part("slow", &functions).wasm()
}

#[test]
fn module_that_compiles_slowly_is_given_up() {
    let budgets = Budgets { compile: Duration::from_millis(1), ..short() };
    // A live sandbox waits for the thread when it ends.
    let sandbox = Sandbox::with_budgets(Mode::Live, None, budgets).unwrap();
    let error = sandbox.load(&slow(), limits::MEMORY_MIB).err().unwrap();
    assert_eq!(error, LoadError::SlowCompile { limit_s: 0.001 });
}

#[test]
fn modules_that_compile_slowly_do_not_pile_up() {
    let budgets = Budgets { compile: Duration::from_nanos(1), ..short() };
    let sandbox = Sandbox::with_budgets(Mode::Live, None, budgets).unwrap();
    let wasm = slow();
    let errors: Vec<_> =
        (0..5).map(|_| sandbox.load(&wasm, limits::MEMORY_MIB).err().unwrap()).collect();
    assert!(errors[..4].iter().all(|error| matches!(error, LoadError::SlowCompile { .. })));
    assert!(errors[4].to_string().contains("4 other compilations took too long"), "{}", errors[4]);
}

#[test]
fn abort_of_assembly_script_is_reported() {
    // UTF-16 with its byte length in front, as AssemblyScript lays strings out.
    let text = |at: u32, text: &str| {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let data = escaped(&[&length[..], &bytes].concat());
        format!(r#"(data (i32.const {}) "{data}")"#, at - 4)
    };
    let source = Source::new()
        .part("import", r#"(import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#)
        .part("message", &text(8192, "Index out of range"))
        .part("file", &text(9216, "delay.ts"))
        .process("(call $abort (i32.const 8192) (i32.const 9216) (i32.const 12) (i32.const 5)) (i32.const 0)");
    assert_eq!(
        failure_of(&mut source.effect(1, 64), 1),
        "effect `Test`: fx_process gave up, at frame 0; it said: Index out of range (delay.ts:12:5)"
    );
    let silent = source.process(
        "(call $abort (i32.const 0) (i32.const -2) (i32.const 1) (i32.const 1)) (i32.const 0)",
    );
    assert!(failure_of(&mut silent.effect(1, 64), 1).ends_with("said: abort without a message"));
}

#[test]
fn other_effects_go_on_while_one_is_stopped() {
    let module = Source::new().load().unwrap();
    let settings = Settings::defaults(module.description());
    let mut good = module.instantiate(&StreamSpec::new(48_000, 1), &settings, 64).unwrap();
    let sandbox = module.sandbox().clone();
    let wasm = Source::new().process(&format!("{ENDLESS} (i32.const 0)")).wasm();
    let bad = sandbox.load(&wasm, limits::MEMORY_MIB).unwrap();
    let mut bad = bad.instantiate(&StreamSpec::new(48_000, 1), &settings, 64).unwrap();
    let thread = std::thread::spawn(move || failure_of(&mut bad, 1));
    for _ in 0..100 {
        assert_eq!(run(&mut good, &[vec![1.0; 64]], &[64]), [[0.5; 64]]);
    }
    assert!(thread.join().unwrap().contains("took too long"));
    assert_eq!(run(&mut good, &[vec![1.0; 64]], &[64]), [[0.5; 64]]);
}

#[test]
fn file_that_takes_too_long_as_a_whole_is_stopped() {
    // A single call may take longer than the whole file here.
    const { assert!(SHORT_TICKS > 2) };
    let budgets = Budgets { file: Some(2), file_factor: 0, ..short() };
    let sandbox = Sandbox::with_budgets(Mode::File, None, budgets).unwrap();
    let busy = "(local $i i32)
        (loop $again (br_if $again (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000000))))
        (i32.const 0)";
    let module = sandbox.load(&Source::new().process(busy).wasm(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    let mut effect = module.instantiate(&StreamSpec::new(48_000, 1), &settings, 64).unwrap();
    let mut block = Block::from_planes(&[[0.0; 64]]);
    // 2 ticks are spent within 20 ms of calls, however busy the machine is.
    let is_stopped = (0..100_000).any(|_| effect.process(&mut block) == Status::Failed);
    assert!(is_stopped);
    let failure = effect.failure().unwrap();
    assert!(failure.contains("fx_process took too long for the whole file"), "{failure}");
}
