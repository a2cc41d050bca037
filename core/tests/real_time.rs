//! No step allocates while it processes: a binary of its own, because it counts allocations.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

#[path = "common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "three binaries use parts of it")]
mod drive;

use drive::{CASES, prepare};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{ChannelPeaks, LoudnessMeter, MonoMode};
use wavemill_core::measure::{Ballistics, LevelIndicator};
use wavemill_core::units::{SampleRate, Seconds};

thread_local! {
    /// Allocations, reallocations and frees of this thread.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting per thread.
struct Counting;

fn count() {
    // At the end of a thread the counter may be gone already; nothing is measured there.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches only a
// `Cell` of the thread, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` holds for the system's allocator too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: `pointer` came from the system's allocator with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
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

#[test]
fn allocations_are_counted() {
    assert!(calls_of(|| drop(std::hint::black_box(vec![1u8; 100]))) >= 2);
}

#[test]
fn no_step_allocates_while_it_processes_or_resets() {
    const FRAMES: usize = 4096;
    for case in CASES {
        let plane: Vec<f32> = (0..FRAMES).map(|i| if i % 100 < 50 { 0.5 } else { -0.5 }).collect();
        let input = vec![plane; case.channel_count];
        let mut step = case.build();
        prepare(&mut step, &input, FRAMES);
        let source = Block::from_planes(&input);
        let mut block = Block::with_capacity(case.channel_count, 8, step.max_output_frames(FRAMES));
        let calls = calls_of(|| {
            for _ in 0..3 {
                block.copy_from(&source, 0, FRAMES);
                let _ = step.process(&mut block);
            }
            step.reset();
        });
        assert_eq!(calls, 0, "{case:?}");
    }
}

#[test]
fn loudness_meter_that_keeps_a_part_never_allocates() {
    let plane: Vec<f32> = (0..480).map(|i| if i % 20 < 10 { 0.5 } else { -0.4 }).collect();
    let block = Block::from_planes(&[plane.clone(), plane]);
    let mut meter = LoudnessMeter::new(&StreamSpec::new(48_000, 2), MonoMode::Single);
    meter.keep_at_most(Seconds(10.0));
    let mut integrated = None;
    let calls = calls_of(|| {
        for _ in 0..60 * 100 {
            meter.push(&block);
            integrated = meter.reading().integrated_lufs;
        }
    });
    assert_eq!(calls, 0);
    let (reading, report) = (integrated.unwrap(), meter.finish().integrated_lufs.unwrap());
    assert!((reading - report).0.abs() < 1e-9, "{reading} and {report}");
}

/// The plugin makes indicators on the audio thread, too, when another scale is chosen.
#[test]
fn level_indicators_and_channel_peaks_never_allocate() {
    let plane: Vec<f32> = (0..480).map(|i| if i % 20 < 10 { 0.5 } else { -0.4 }).collect();
    let block = Block::from_planes(&[plane.clone(), plane.clone()]);
    let mut peaks = ChannelPeaks::new(&StreamSpec::new(48_000, 2));
    let mut levels = 0;
    let calls = calls_of(|| {
        for ballistics in [
            Ballistics::PpmTypeOne,
            Ballistics::PpmTypeTwo,
            Ballistics::Vu,
            Ballistics::Rms,
            Ballistics::SamplePeak,
        ] {
            let mut indicator = LevelIndicator::new(ballistics, SampleRate(48_000));
            for _ in 0..100 {
                indicator.push(&plane);
                peaks.push(&block);
                levels += usize::from(indicator.take_level().is_some());
            }
            indicator.reset();
            peaks.reset();
        }
    });
    assert_eq!((calls, levels), (0, 500));
}

#[test]
fn loudness_meter_does_not_allocate_within_its_reserve() {
    let frame_count = 64;
    let plane: Vec<f32> = (0..frame_count).map(|i| if i % 20 < 10 { 0.5 } else { -0.4 }).collect();
    let block = Block::from_planes(&[plane.clone(), plane]);
    let mut meter =
        LoudnessMeter::new(&StreamSpec::new(48_000, 2), MonoMode::Single).with_history();
    meter.reserve(Seconds(20.0));
    let mut integrated = None;
    let calls = calls_of(|| {
        for _ in 0..20 * 48_000 / frame_count {
            meter.push(&block);
            integrated = meter.reading().integrated_lufs;
        }
    });
    assert_eq!(calls, 0);
    assert!(integrated.is_some());
}
