//! Work on many things beside each other.

use super::Context;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` with each number below `count`, on as many threads as workers are allowed; what it
/// returned, in the order of the numbers.
pub(super) fn each<T: Send>(
    count: usize,
    context: &Context,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let thread_count = context.settings.workers.unwrap_or_else(processors).min(count);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(count));
    let take = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let result = work(index);
            found.lock().push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..thread_count {
            scope.spawn(take);
        }
        take();
    });
    let mut found = found.into_inner();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, result)| result).collect()
}
