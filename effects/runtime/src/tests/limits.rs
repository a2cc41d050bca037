//! Every cap on modules is hit, at its edge where it has one. Those of descriptions are tested with
//! them, those of live effects in `live`, the largest amplitude in `planes`.

use super::fixtures::{Source, failure_of, half, run, sandbox};
use crate::budgets::Budgets;
use crate::sandbox::{Mode, Sandbox};
use crate::{CreateError, LoadError, Module, Settings, limits};
use wavemill_core::audio::StreamSpec;
use wavemill_core::processor::Tail;
use wavemill_core::units::Frames;

#[test]
fn public_sandbox_has_the_budgets_of_the_limits() {
    for mode in [Mode::File, Mode::Live, Mode::Metered] {
        assert_eq!(Sandbox::new(mode, None).unwrap().budgets(), Budgets::of(mode), "{mode:?}");
    }
}

/// The half-gain module with a custom section that makes it this long.
fn padded(length: usize) -> Vec<u8> {
    let mut wasm = half();
    // Id 0, then its length as five bytes of LEB128, then a name of no characters.
    let rest = u32::try_from(length - wasm.len() - 6).unwrap();
    wasm.push(0);
    for shift in [0, 7, 14, 21, 28] {
        let more = if shift < 28 { 0x80 } else { 0 };
        wasm.push(u8::try_from(rest >> shift & 0x7f).unwrap() | more);
    }
    wasm.resize(length, 0);
    wasm
}

#[test]
fn module_of_16_mib_loads_and_one_byte_more_does_not() {
    let max = limits::MODULE_BYTES_MAX;
    assert_eq!(max, 16_777_216);
    assert!(sandbox().load(&padded(max), limits::MEMORY_MIB).is_ok());
    let error = sandbox().load(&padded(max + 1), limits::MEMORY_MIB).err().unwrap();
    assert_eq!(error, LoadError::TooLarge { bytes: max + 1, max });
}

#[test]
fn first_memory_beyond_the_cap_is_refused() {
    let pages = |pages: u32| {
        let memory = format!(r#"(memory (export "memory") {pages})"#);
        Source::new().part("memory", &memory)
    };
    assert!(pages(limits::MEMORY_MIB * 16).load().is_ok());
    let error = pages(limits::MEMORY_MIB * 16 + 1).load_error();
    assert_eq!(error, "the module needs 65 MiB of memory; it may have 64 (`max_memory_mib`)");
}

#[test]
fn live_memory_is_what_its_sandbox_reserves() {
    let load = |memory_mib: u32, pages: u32| {
        let sandbox = Sandbox::with_memory(Mode::Live, None, memory_mib).unwrap();
        let memory = format!(r#"(memory (export "memory") {pages})"#);
        // The latency is what growing by a page returned.
        let create = r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
            (global.set $grown (memory.grow (i32.const 1))) (i32.const 0))"#;
        let latency = r#"(func (export "fx_latency") (result i32) (global.get $grown))"#;
        let source = Source::new()
            .part("memory", &memory)
            .part("grown", "(global $grown (mut i32) (i32.const 0))")
            .part("fx_create", create)
            .part("latency", latency);
        let module = sandbox.load(&source.wasm(), memory_mib).unwrap();
        instantiate(&module, 64).map(|effect| effect.latency())
    };
    assert_eq!(load(limits::MEMORY_MIB, 1_023), Ok(Frames(1_023)));
    // Growing beyond failed: -1 is an absurd latency.
    assert!(load(limits::MEMORY_MIB, 1_024).is_err());
    assert_eq!(load(limits::MEMORY_MIB + 1, 1_024), Ok(Frames(1_024)));
    let sandbox = Sandbox::new(Mode::Live, None).unwrap();
    let error = sandbox.load(&half(), limits::MEMORY_MIB + 1).err().unwrap();
    assert_eq!(error.to_string(), "an effect may have 1 to 64 MiB of memory, not 65");
}

/// What these calls return in `fx_create`, then in `fx_process`, of a module that declares 33 to 48 pages.
fn growth(mode: Mode, memory_mib: u32, calls: &[&str]) -> Vec<f32> {
    let all = |at: usize| -> String {
        let store = |(index, call): (usize, &&str)| {
            format!("(f32.store (i32.const {}) (f32.convert_i32_s ({call})))", at + 4 * index)
        };
        calls.iter().enumerate().map(store).collect()
    };
    let (first, second) = (65_536, 65_536 + 4 * calls.len());
    let create = r#"(func (export "fx_create") (param f64 i32 i32) (result i32)"#;
    let source = Source::new()
        .part("memory", r#"(memory (export "memory") 33 48)"#)
        // Samples before it is called; a host writes its input there, so they are kept aside.
        .part("fx_create", &format!("{create} {} (i32.const 0))", all(1_024)))
        .process(&format!(
            "(memory.copy (i32.const {first}) (i32.const 1024) (i32.const {})) {} (i32.const 0)",
            second - first,
            all(second)
        ));
    let sandbox = Sandbox::new(mode, None).unwrap();
    let mut effect = instantiate(&sandbox.load(&source.wasm(), memory_mib).unwrap(), 64).unwrap();
    run(&mut effect, &[vec![0.0; 2 * calls.len()]], &[64]).concat()
}

#[test]
fn memory_grows_live_as_in_files() {
    let calls = ["memory.size", "memory.grow (i32.const 0)", "memory.grow (i32.const 7)"];
    let refused = ["memory.grow (i32.const 9)", "memory.grow (i32.const -1)", "memory.size"];
    let calls = [calls, refused].concat();
    for mode in [Mode::File, Mode::Live] {
        let wide = growth(mode, limits::MEMORY_MIB, &calls);
        let before = [33.0, 33.0, 33.0, -1.0, -1.0, 40.0];
        // Once it was created nothing grows.
        assert_eq!(wide, [before, [40.0, 40.0, -1.0, -1.0, -1.0, 40.0]].concat(), "{mode:?}");
        // Three MiB are the 48 pages; two and a bit are not offered.
        let narrow = growth(mode, 3, &["memory.grow (i32.const 15)", "memory.grow (i32.const 1)"]);
        assert_eq!(narrow, [33.0, -1.0, -1.0, -1.0], "{mode:?}");
    }
}

#[test]
fn table_beyond_the_limit_is_refused() {
    let table =
        |elements: usize| Source::new().part("table", &format!("(table {elements} funcref)"));
    assert!(table(limits::TABLE_ELEMENTS_MAX).load().is_ok());
    let error = table(limits::TABLE_ELEMENTS_MAX + 1).load_error();
    assert_eq!(error, "the module's table has 10001 elements; at most 10000 are allowed");
    let error = Source::new().part("table", "(table 1 funcref) (table 1 funcref)").load_error();
    assert_eq!(error, "the module has 2 tables; one is allowed");
}

#[test]
fn table_does_not_grow_beyond_the_limit() {
    // The latency is what growing by one element returned.
    let grow = |elements: usize| {
        let create = r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
            (global.set $grown (table.grow (ref.null func) (i32.const 1))) (i32.const 0))"#;
        let latency = r#"(func (export "fx_latency") (result i32) (i32.eq (global.get $grown) (i32.const -1)))"#;
        let source = Source::new()
            .part("table", &format!("(table {elements} funcref)"))
            .part("grown", "(global $grown (mut i32) (i32.const 0))")
            .part("fx_create", create)
            .part("latency", latency);
        source.effect(1, 64).latency()
    };
    assert_eq!(grow(limits::TABLE_ELEMENTS_MAX - 1), Frames(0));
    assert_eq!(grow(limits::TABLE_ELEMENTS_MAX), Frames(1));
}

#[test]
fn stack_ends_after_256_kib() {
    // A frame takes at least 16 bytes, the return address and the frame pointer.
    const { assert!(20_000 * 16 > limits::STACK_BYTES_MAX && limits::STACK_BYTES_MAX == 262_144) };
    let deep = "(func $deep (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))
          (else (i32.const 0))))";
    let recursing = |depth: u32| {
        let body = format!("(call $deep (i32.const {depth}))");
        Source::new().part("deep", deep).process(&body).effect(1, 64)
    };
    run(&mut recursing(1_000), &[vec![0.0; 8]], &[8]);
    assert!(failure_of(&mut recursing(20_000), 1).contains("overflowed its stack"));
}

fn instantiate(module: &Module, max_frames: usize) -> Result<crate::Effect, CreateError> {
    let settings = Settings::defaults(module.description());
    module.instantiate(&StreamSpec::new(48_000, 1), &settings, max_frames)
}

#[test]
fn call_has_at_most_65536_frames() {
    // The latency is the `max_frames` of `fx_create`.
    let source = Source::new()
        .part("most", "(global $most (mut i32) (i32.const 0))")
        .part(
            "fx_create",
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
                 (global.set $channels (local.get 1)) (global.set $most (local.get 2)) (i32.const 0))"#,
        )
        .part("latency", r#"(func (export "fx_latency") (result i32) (global.get $most))"#)
        .process(
            "(if (i32.gt_u (local.get $frames) (global.get $most)) (then unreachable))
             (call $scale (local.get $frames) (f32.const 0.5)) (i32.const 0)",
        );
    let module = source.load().unwrap();
    for (asked, given) in [(0, 1), (64, 64), (65_536, 65_536), (1_000_000, 65_536)] {
        let mut effect = instantiate(&module, asked).unwrap();
        assert_eq!(effect.latency(), Frames(given));
        let output = run(&mut effect, &[vec![1.0; 70_000]], &[70_000]);
        assert_eq!(output, [vec![0.5; 70_000]], "{asked}");
    }
}

/// A module whose latency or tail is a number of frames.
fn saying(name: &str, frames: u32) -> Module {
    let text = format!("(func (export {name:?}) (result i32) (i32.const {frames}))");
    Source::new().part(name, &text).load().unwrap()
}

#[test]
fn latency_of_more_than_10_s_is_refused() {
    assert!(instantiate(&saying("fx_latency", 480_000), 64).is_ok());
    let error = instantiate(&saying("fx_latency", 480_001), 64).err().unwrap().to_string();
    assert_eq!(error, "effect `Test` has a latency of 10.0 s; at most 10 s are allowed");
}

#[test]
fn tail_of_more_than_10_min_is_infinite() {
    let tail = |frames| instantiate(&saying("fx_tail", frames), 64).unwrap().tail();
    assert_eq!(tail(28_800_000), Tail::Frames(Frames(28_800_000)));
    assert_eq!(tail(28_800_001), Tail::Infinite);
}

#[test]
fn error_text_of_more_than_1024_bytes_is_not_read() {
    let saying = |length: usize| {
        let words = format!(r#"(data (i32.const 8192) "{}\00")"#, "x".repeat(length));
        let error = r#"(func (export "fx_error") (result i32) (i32.const 8192))"#;
        let source = Source::new().part("words", &words).part("fx_error", error);
        failure_of(&mut source.process("(i32.const -1)").effect(1, 64), 1)
    };
    assert!(saying(limits::ERROR_BYTES_MAX).ends_with(&"x".repeat(1024)));
    assert!(!saying(limits::ERROR_BYTES_MAX + 1).contains("it said"));
}

#[test]
fn log_keeps_64_lines_of_256_bytes() {
    let source = Source::new()
        .part("import", r#"(import "fx" "log" (func $log (param i32 i32 i32)))"#)
        .part("words", &format!(r#"(data (i32.const 8192) "{}")"#, "x".repeat(300)))
        .part(
            "fx_create",
            r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
                 (loop $more
                   (call $log (i32.const 2) (i32.const 8192) (i32.const 300))
                   (br_if $more (i32.lt_u
                     (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 100))))
                 (i32.const 0))"#,
        );
    let log = source.effect(1, 64).log();
    assert_eq!(log.len(), limits::LOG_LINES_MAX);
    assert_eq!(log[63], "x".repeat(limits::LOG_LINE_BYTES_MAX));
}
