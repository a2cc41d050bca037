//! No call on the audio thread allocates: a binary of its own, because it counts allocations.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};
use wavemill_core::units::{Frames, SampleRate};
use wavemill_runtime::bundled::MODULES;
use wavemill_runtime::{Allowance, Effect, Mode, Module, Sandbox, Settings, limits};

thread_local! {
    /// Allocations, reallocations and frees of this thread.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Bytes this thread allocated.
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting per thread.
struct Counting;

fn count(bytes: usize) {
    // At the end of a thread the counters may be gone already; nothing is measured there.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    let _ = BYTES.try_with(|all| all.set(all.get() + bytes));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches only a
// `Cell` of the thread, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise about `layout` holds for the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0);
        // SAFETY: `pointer` came from the system's allocator with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: `pointer` came from the system's allocator with this `layout`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls of the allocator while `work` runs.
fn calls_of(work: impl FnOnce()) -> u64 {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

/// Multiplies the first `frames` samples of one or two planes by a parameter; asks for memory in every
/// call, which must be refused without a cost, and logs, which must be ignored.
const GAIN: &str = r#"(module
  (import "fx" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "{\"id\":\"gain\",\"name\":\"Gain\",\"version\":\"1.0.0\",\"channels\":[1,2],\"params\":[{\"id\":0,\"key\":\"gain\",\"min\":0,\"max\":4,\"default\":0.5,\"flags\":[\"automatable\"]}]}\00")
  (global $gain (mut f32) (f32.const 1))
  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))
  (func (export "fx_create") (param f64 i32 i32) (result i32) (i32.const 0))
  (func $plane (export "fx_in") (export "fx_out") (param i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 14))))
  (func (export "fx_set_param") (param i32 f64) (global.set $gain (f32.demote_f64 (local.get 1))))
  (func (export "fx_reset"))
  (func (export "fx_process") (param $frames i32) (result i32)
    (local $at i32)
    (call $log (i32.const 0) (i32.const 16) (i32.const 20))
    (drop (memory.grow (i32.const 1)))
    (loop $samples
      (f32.store (i32.add (i32.const 65536) (local.get $at))
        (f32.mul (f32.load (i32.add (i32.const 65536) (local.get $at))) (global.get $gain)))
      (f32.store (i32.add (i32.const 81920) (local.get $at))
        (f32.mul (f32.load (i32.add (i32.const 81920) (local.get $at))) (global.get $gain)))
      (br_if $samples (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 4)))
        (i32.shl (local.get $frames) (i32.const 2)))))
    (i32.const 0)))"#;

const FRAMES: usize = 64;

const BLOCKS: u64 = 10_000;

fn module(mode: Mode) -> Module {
    let sandbox = Sandbox::new(mode, None).unwrap();
    sandbox.load(&wat::parse_str(GAIN).unwrap(), limits::MEMORY_MIB).unwrap()
}

fn effect(mode: Mode) -> Effect {
    let module = module(mode);
    let settings = Settings::defaults(module.description());
    module.instantiate(&StreamSpec::new(48_000, 2), &settings, FRAMES).unwrap()
}

/// Processes all blocks, with changes now and then; the number of blocks that were not halved.
fn drive(effect: &mut dyn Processor, source: &Block, block: &mut Block) -> usize {
    let mut wrong = 0;
    for _ in 0..BLOCKS {
        block.copy_from(source, 0, FRAMES);
        let status = effect.process(block);
        wrong += usize::from(status != Status::Continue || block.plane(1)[60..] != [0.25; 4]);
    }
    wrong
}

#[test]
fn allocations_are_counted() {
    assert!(calls_of(|| drop(std::hint::black_box(vec![1u8; 100]))) >= 2);
}

/// Drives it, sets a parameter, resets it and drives it again: calls of the allocator and blocks that
/// came out wrong.
fn calls_and_errors<E: Processor>(mut effect: E, set: fn(&mut E) -> bool) -> (u64, usize) {
    let source = Block::from_planes(&[[0.25; FRAMES], [0.5; FRAMES]]);
    let mut block = Block::new(2, FRAMES);
    let mut wrong = 0;
    let calls = calls_of(|| {
        wrong += drive(&mut effect, &source, &mut block);
        wrong += usize::from(!set(&mut effect));
        effect.reset();
        wrong += drive(&mut effect, &source, &mut block);
    });
    (calls, wrong)
}

/// The first attempt in which the machine was not too busy. A thread that has to wait in the middle of
/// a live call exceeds its deadline, and a trap allocates.
fn patiently(attempt: impl Fn() -> (u64, usize)) -> (u64, usize) {
    const ATTEMPTS: usize = 20;
    let mut outcome = attempt();
    for _ in 1..ATTEMPTS {
        if outcome == (0, 0) {
            break;
        }
        outcome = attempt();
    }
    outcome
}

#[test]
fn calls_of_an_effect_do_not_allocate() {
    for mode in [Mode::File, Mode::Live, Mode::Metered] {
        let outcome = patiently(|| {
            let mut effect = effect(mode);
            for index in 0..BLOCKS {
                // In the middle of a block; the value is the one it has.
                effect.schedule(Frames(index * FRAMES as u64 + 17), 0, 0.5).unwrap();
            }
            calls_and_errors(effect, |effect| effect.set(0, 0.5))
        });
        assert_eq!(outcome, (0, 0), "{mode:?}");
    }
}

#[test]
fn memory_and_log_are_refused_without_an_allocation() {
    let mut effect = effect(Mode::File);
    let mut block = Block::from_planes(&[[0.25; FRAMES], [0.5; FRAMES]]);
    assert_eq!(calls_of(|| assert_eq!(effect.process(&mut block), Status::Continue)), 0);
    assert!(effect.asked_for_memory() && effect.log().is_empty());
}

#[test]
fn calls_of_bundled_effects_do_not_allocate() {
    const BLOCKS: usize = 200;
    let source = Block::from_planes(&[[0.25; FRAMES], [-0.5; FRAMES]]);
    let mut block = Block::new(2, FRAMES);
    let sandbox = Sandbox::new(Mode::File, None).unwrap();
    for bundled in MODULES {
        let module = sandbox.load(bundled.bytes, limits::MEMORY_MIB).unwrap();
        let settings = Settings::defaults(module.description());
        let spec = StreamSpec::new(48_000, 2);
        let mut effect = module.instantiate(&spec, &settings, FRAMES).unwrap();
        let automatable = module.description().params.iter().find(|param| param.is_automatable);
        let mut failed = 0;
        let calls = calls_of(|| {
            for index in 0..BLOCKS {
                if let Some(param) = automatable.filter(|_| index % 8 == 0) {
                    effect.set(param.id, if index % 16 == 0 { param.min } else { param.max });
                }
                block.copy_from(&source, 0, FRAMES);
                failed += usize::from(effect.process(&mut block) == Status::Failed);
            }
            effect.reset();
        });
        assert_eq!((calls, failed), (0, 0), "{}: {:?}", bundled.name, effect.failure());
    }
}

/// Ways to break, and whether the engine raises a trap.
const BREAKS: &[(&str, bool)] = &[
    ("(f32.store (i32.const 65536) (f32.const nan))", false),
    ("(f32.store (i32.const 65536) (f32.const 1e7))", false),
    ("(return (i32.const -1))", false),
    ("unreachable", true),
    ("(drop (i32.load (i32.const 0x7fffffff)))", true),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", true),
    ("(loop $again (br $again))", true),
    ("(call $again (local.get $frames))", true),
    ("(call $abort (i32.const 4096) (i32.const 4096) (i32.const 1) (i32.const 1))", true),
];

/// Calls of the allocator and allocated bytes in a live call that breaks so.
fn cost_of_breaking(body: &str) -> (u64, usize) {
    let memory = r#"(memory (export "memory") 2)"#;
    let again = "(func $again (param i32) (call $again (local.get 0)))";
    let abort = r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))"#;
    let text = GAIN
        .replace("(module", abort)
        .replace(memory, &format!("{memory} {again}"))
        .replace("(drop (memory.grow (i32.const 1)))", body);
    let sandbox = Sandbox::new(Mode::Live, None).unwrap();
    let module = sandbox.load(&wat::parse_str(text).unwrap(), limits::MEMORY_MIB).unwrap();
    let settings = Settings::defaults(module.description());
    let mut effect = module.instantiate(&StreamSpec::new(48_000, 2), &settings, FRAMES).unwrap();
    let mut block = Block::from_planes(&[[0.25; FRAMES], [0.5; FRAMES]]);
    let before = BYTES.get();
    let calls = calls_of(|| {
        let mut allowance = Allowance::real_time(FRAMES, SampleRate(48_000));
        assert!(effect.advance(&mut block, 0, FRAMES, &mut allowance).is_err(), "{body}");
    });
    (calls, BYTES.get() - before)
}

#[test]
fn only_a_trap_allocates_and_little() {
    for (body, traps) in BREAKS {
        let (calls, bytes) = cost_of_breaking(body);
        // The engine's error and its reason, and freeing both.
        assert_eq!(calls, if *traps { 4 } else { 0 }, "{body}");
        assert!(bytes < 200, "{body}: {bytes} bytes");
    }
}
