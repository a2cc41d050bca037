//! Headers that lie: no panic, no allocation beyond a bound, no endless loop.

use crate::support::{decode_bytes, samples_of_every_format};
use proptest::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Cursor;
use std::sync::LazyLock;
use wavemill_core::{decode, tags};

/// Most bytes held while a file of a few kilobytes is read, whatever it claims. Lofty and Symphonia
/// reserve up to 16 MiB for one picture before they find that it is not there.
const HELD_BYTES_MAX: isize = 48 * 1024 * 1024;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts the bytes this thread holds.
struct Counting;

fn count(change: isize) {
    // A thread that is ending has no counters any more.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

fn signed(size: usize) -> isize {
    isize::try_from(size).expect("a layout's size fits isize")
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()));
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `call` and returns the most bytes it held at once.
fn peak_of(call: impl FnOnce()) -> isize {
    let start = HELD.get();
    PEAK.set(start);
    call();
    PEAK.get() - start
}

static FILES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(samples_of_every_format);

fn read_everything(bytes: &[u8]) -> isize {
    peak_of(|| {
        let _ = decode_bytes(bytes);
        let _ = decode::completeness(&mut Cursor::new(bytes));
        let _ = tags::read(&mut Cursor::new(bytes), None);
    })
}

/// Values that headers lie with.
fn lie() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![0xff; 4]),
        Just(vec![0; 4]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(vec![0xff, 0xff, 0xff, 0x7f]),
        Just(vec![0x80, 0, 0, 0]),
        prop::collection::vec(any::<u8>(), 1..5),
    ]
}

fn check(file: usize, lies: &[(usize, Vec<u8>)], keep: f64, head_bytes: usize) {
    let (name, bytes) = &FILES[file % FILES.len()];
    let mut bytes = bytes.clone();
    for (offset, lie) in lies {
        let offset = offset % bytes.len().min(head_bytes);
        let end = (offset + lie.len()).min(bytes.len());
        bytes[offset..end].copy_from_slice(&lie[..end - offset]);
    }
    bytes.truncate((bytes.len() as f64 * keep).ceil() as usize);
    let peak = read_everything(&bytes);
    assert!(peak <= HELD_BYTES_MAX, "{name}: held {peak} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(600),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn lying_headers_neither_panic_nor_reserve_much(
        file in any::<usize>(),
        lies in prop::collection::vec((any::<usize>(), lie()), 1..4),
        keep in prop_oneof![3 => Just(1.0), 1 => 0.01..1.0],
    ) {
        check(file, &lies, keep, 120);
    }

    #[test]
    fn broken_bodies_neither_panic_nor_reserve_much(
        file in any::<usize>(),
        lies in prop::collection::vec((any::<usize>(), lie()), 1..8),
    ) {
        check(file, &lies, 1.0, usize::MAX);
    }
}
