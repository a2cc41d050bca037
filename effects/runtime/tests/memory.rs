//! What live sandboxes take of the process and give back: a binary of its own with one test, because it reads what the
//! system says about the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::units::SampleRate;
use wavemill_runtime::{Allowance, Effect, Mode, Module, Sandbox, Settings, bundled, limits};

const FRAMES: usize = 64;

/// Bytes that are allocated and not freed.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` holds for the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from the system's allocator with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Of the process.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    addresses_mib: f64,
    allocated_bytes: usize,
    thread_count: u64,
    mapping_count: usize,
    /// Page faults that needed no disk.
    faults: u64,
}

impl Footprint {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let number = |key: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        Self {
            addresses_mib: number("VmSize:") as f64 / 1024.0,
            allocated_bytes: ALLOCATED.load(Ordering::Relaxed),
            thread_count: number("Threads:"),
            mapping_count: std::fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
            faults: after_name.split_whitespace().nth(7).unwrap().parse().unwrap(),
        }
    }
}

fn module(sandbox: &Sandbox, name: &str) -> Module {
    sandbox.load(bundled(name).unwrap().bytes, limits::MEMORY_MIB).unwrap()
}

fn instance(module: &Module) -> Effect {
    let settings = Settings::defaults(module.description());
    let spec = StreamSpec::new(48_000, 2);
    let mut effect = module.instantiate(&spec, &settings, FRAMES).unwrap();
    effect.warm_up().unwrap();
    effect
}

fn play(effect: &mut Effect, blocks: usize) {
    let source = Block::from_planes(&[[0.25; FRAMES], [-0.5; FRAMES]]);
    let mut block = Block::new(2, FRAMES);
    for _ in 0..blocks {
        block.copy_from(&source, 0, FRAMES);
        let mut allowance = Allowance::offline(FRAMES, SampleRate(48_000));
        let _ = effect.advance(&mut block, 0, FRAMES, &mut allowance).unwrap();
    }
}

#[test]
fn live_sandboxes_take_little_and_give_it_back() {
    instances_reserve_what_they_may_have();
    sandboxes_leave_nothing_behind();
}

fn instances_reserve_what_they_may_have() {
    const COUNT: usize = 32;
    let sandbox = Sandbox::new(Mode::Live, None).unwrap();
    let module = module(&sandbox, "reverb");
    let mut first = instance(&module);
    let before = Footprint::now();
    let effects: Vec<Effect> = (0..COUNT).map(|_| instance(&module)).collect();
    let after = Footprint::now();
    let each = |value: f64| value / COUNT as f64;
    let addresses_mib = each(after.addresses_mib - before.addresses_mib);
    assert!(addresses_mib < f64::from(limits::MEMORY_MIB) + 1.0, "{addresses_mib}");
    drop(effects);
    // A second of audio touches all of a reverb's lines; the pages are there already.
    play(&mut first, 1);
    let before = Footprint::now();
    play(&mut first, 1_000);
    let after = Footprint::now();
    assert!(after.faults - before.faults < 20, "{}", after.faults - before.faults);
}

/// A sandbox's life in a plugin: made, used, gone.
fn life() {
    let sandbox = Sandbox::new(Mode::Live, None).unwrap();
    for name in ["stereo-width", "delay"] {
        let module = module(&sandbox, name);
        play(&mut instance(&module), 3);
    }
}

fn lives(count: usize) {
    for _ in 0..count {
        life();
    }
}

/// As several plugins do, one after the other and at once.
fn sandboxes_leave_nothing_behind() {
    let together = || {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| lives(5));
            }
        });
    };
    lives(10);
    together();
    let before = Footprint::now();
    lives(50);
    together();
    // A thread that was joined may be counted for a moment longer.
    let deadline = Instant::now() + Duration::from_secs(10);
    while Footprint::now().thread_count > before.thread_count && Instant::now() < deadline {
        thread::yield_now();
    }
    let after = Footprint::now();
    assert!(after.thread_count <= before.thread_count, "{before:?} {after:?}");
    assert!(after.allocated_bytes < before.allocated_bytes + 1_000, "{before:?} {after:?}");
    // The allocator keeps an arena of 64 MiB of addresses for a thread that was.
    assert!(after.addresses_mib < before.addresses_mib + 300.0, "{before:?} {after:?}");
    assert!(after.mapping_count < before.mapping_count + 20, "{before:?} {after:?}");
}
