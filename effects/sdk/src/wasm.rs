//! What only a module has: memory, a panic handler, and the state behind its exports.
//!
//! A module is one instance on one thread at a time; calls never overlap. That is the contract's
//! promise, and what every `SAFETY` here stands on.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::fmt::Write;
use core::panic::PanicInfo;

use crate::Effect;
use crate::instance::Instance;

/// Bytes of the longest text of `fx_error`, with its end.
const ERROR_BYTES: usize = 1_024;

/// Bytes of a page of wasm memory.
const PAGE_BYTES: usize = 65_536;

/// A value that belongs to the module.
#[derive(Debug)]
pub struct Global<T>(UnsafeCell<T>);

// SAFETY: see the module's documentation.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    /// A global value.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value.
    ///
    /// # Safety
    /// No other reference to it may live.
    #[expect(clippy::mut_from_ref, reason = "that is what the cell is for")]
    pub unsafe fn get(&self) -> &mut T {
        // SAFETY: promised by the caller.
        unsafe { &mut *self.0.get() }
    }
}

/// The text of `fx_error`; a zero byte ends it.
struct ErrorText {
    bytes: [u8; ERROR_BYTES],
    length: usize,
}

static ERROR: Global<ErrorText> = Global::new(ErrorText { bytes: [0; ERROR_BYTES], length: 0 });

impl ErrorText {
    fn clear(&mut self) {
        self.length = 0;
        self.bytes[0] = 0;
    }
}

impl Write for ErrorText {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for character in text.chars() {
            // One byte is kept for the end.
            if self.length + character.len_utf8() >= ERROR_BYTES {
                break;
            }
            self.length += character.encode_utf8(&mut self.bytes[self.length..]).len();
        }
        self.bytes[self.length] = 0;
        Ok(())
    }
}

/// Address of the reason for the last error.
pub fn error() -> *const u8 {
    // SAFETY: the reference ends here.
    unsafe { ERROR.get() }.bytes.as_ptr()
}

/// The number of a result; the reason goes to `fx_error`.
#[inline]
pub fn result(result: Result<i32, (i32, &'static str)>) -> i32 {
    match result {
        Ok(code) => code,
        Err((code, reason)) => {
            // SAFETY: the reference ends here.
            let error = unsafe { ERROR.get() };
            error.clear();
            let _ = error.write_str(reason);
            code
        }
    }
}

/// `fx_create`: all memory of the last stream is given back first.
pub fn create<E: Effect, const PARAMS: usize>(
    instance: &mut Instance<E, PARAMS>,
    sample_rate: f64,
    channels: u32,
    max_frames: u32,
) -> i32 {
    instance.clear();
    // SAFETY: the instance has nothing allocated any more, and nothing else allocates.
    unsafe { HEAP.0.get().next = 0 };
    result(instance.create(sample_rate, channels as usize, max_frames as usize))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: what was running does not go on.
    let error = unsafe { ERROR.get() };
    error.clear();
    let _ = write!(error, "panic: {}", info.message());
    if let Some(place) = info.location() {
        let _ = write!(error, " ({}:{})", place.file(), place.line());
    }
    core::arch::wasm32::unreachable()
}

/// Memory is handed out upwards and given back as a whole by `fx_create`; only the newest piece can
/// be freed or grow before.
#[derive(Debug)]
struct Heap {
    /// Address of the next piece; 0 means that none was handed out.
    next: usize,
    /// Everything from this address on was never handed out, so it is zero.
    untouched: usize,
}

struct Allocator(Global<Heap>);

#[global_allocator]
static HEAP: Allocator = Allocator(Global::new(Heap { next: 0, untouched: 0 }));

unsafe extern "C" {
    /// Where the linker's data ends.
    static __heap_base: u8;
}

impl Heap {
    /// A piece of memory and where it ends, or null.
    fn allocate(&mut self, layout: Layout) -> *mut u8 {
        if self.next == 0 {
            self.next = (&raw const __heap_base).addr();
        }
        let start = self.next.next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if has_memory(end) => {
                self.next = end;
                core::ptr::with_exposed_provenance_mut(start)
            }
            _ => core::ptr::null_mut(),
        }
    }

    /// Whether a piece of memory is the newest one.
    fn is_newest(&self, piece: *mut u8, layout: Layout) -> bool {
        piece.addr() + layout.size() == self.next
    }
}

/// Whether memory reaches up to `end`, after growing if need be.
fn has_memory(end: usize) -> bool {
    let pages = core::arch::wasm32::memory_size::<0>();
    let needed = end.div_ceil(PAGE_BYTES);
    needed <= pages || core::arch::wasm32::memory_grow::<0>(needed - pages) != usize::MAX
}

// SAFETY: pieces are disjoint and aligned, since addresses only grow until everything was given
// back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the reference ends with the call, which does not allocate.
        let heap = unsafe { self.0.get() };
        let piece = heap.allocate(layout);
        heap.untouched = heap.untouched.max(heap.next);
        piece
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        let piece = heap.allocate(layout);
        if !piece.is_null() {
            let used = heap.untouched.saturating_sub(piece.addr()).min(layout.size());
            // SAFETY: the piece is at least that long.
            unsafe { piece.write_bytes(0, used) };
            heap.untouched = heap.untouched.max(heap.next);
        }
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        if heap.is_newest(piece, layout) {
            heap.next = piece.addr();
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the reference ends before the next one begins.
        let heap = unsafe { self.0.get() };
        if heap.is_newest(piece, layout) {
            let end = piece.addr() + size;
            if !has_memory(end) {
                return core::ptr::null_mut();
            }
            heap.next = end;
            heap.untouched = heap.untouched.max(end);
            return piece;
        }
        if size <= layout.size() {
            return piece;
        }
        // SAFETY: the caller promises a layout; only its size changes, to one that it promises too.
        let grown = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the layout's size is not zero.
        let moved = unsafe { self.alloc(grown) };
        if !moved.is_null() {
            // SAFETY: the new piece is longer, and apart from the old one.
            unsafe { moved.copy_from_nonoverlapping(piece, layout.size()) };
        }
        moved
    }
}
