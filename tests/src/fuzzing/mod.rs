//! Inputs made at random from a seed and tried one after another: what the fuzzers of this crate share.
//!
//! As a test a fuzzer tries a fixed number of inputs. `cargo xtask fuzz NAME --seconds 600` tries on for
//! as long; a failure names a seed, and `--seed` with it makes the same input again.
//!
//! Seeds of damage are the fixtures: a new container needs a small file of it in `tests/fixtures/fuzz/`.
//! Fuzzing guided by coverage was rejected: it wants a nightly compiler, and what it finds is no test that
//! anybody can run again from a number.

mod damage;
mod memory;
mod watched;

pub use damage::{Corpus, damaged};
pub use memory::{Counting, peak_of};
pub use watched::{Manner, Seen, Watched};

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No input of a few kilobytes takes this long on a machine that does other things beside: what does
/// has found a hang.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Name of the thread that tries inputs: its panics are counted, not printed.
const RUNNER: &str = "fuzz";

/// Panics of the runner so far, by the place in the code, with their texts; those that were caught are
/// no failures.
static PANICS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// How long, and from which seed on.
struct Plan {
    first: u64,
    count: u64,
    time: Option<Duration>,
}

impl Plan {
    /// The test's, or what `cargo xtask fuzz` asks for.
    fn read(count: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let time = number("WAVEMILL_FUZZ_SECONDS").map(Duration::from_secs);
        let seed = number("WAVEMILL_FUZZ_SEED");
        let count = match (time, seed) {
            (Some(_), _) => u64::MAX,
            (None, Some(_)) => 1,
            (None, None) => count,
        };
        Self { first: seed.unwrap_or(1), count, time }
    }
}

/// Tries inputs, by default `count`, and returns how many came how far.
///
/// `make` runs on the thread that tries them; what it returns tries the input of a seed. Panics when one
/// of them does, or takes too long.
pub fn run<Try: FnMut(u64) -> &'static str>(
    name: &'static str,
    count: u64,
    make: impl FnOnce() -> Try + Send + 'static,
) -> BTreeMap<&'static str, u64> {
    let plan = Plan::read(count);
    note_panics();
    let (sender, receiver) = channel();
    let body = move || {
        // An abort says nothing; the seed it came with stands here.
        let diary = plan.time.map(|_| std::env::temp_dir().join(format!("fuzz-{name}.seed")));
        let diary = diary.and_then(|path| File::create(path).ok());
        let (mut attempt, started) = (make(), Instant::now());
        for seed in plan.first..plan.first.saturating_add(plan.count) {
            if plan.time.is_some_and(|time| started.elapsed() > time) {
                break;
            }
            if let Some(diary) = &diary {
                let _ = diary.write_all_at(format!("{seed:20}\n").as_bytes(), 0);
            }
            let _ = sender.send((seed, None));
            let came = attempt(seed);
            let _ = sender.send((seed, Some(came)));
        }
    };
    let runner = std::thread::Builder::new().name(RUNNER.to_owned()).spawn(body);
    let runner = runner.expect("a thread can be started");
    let mut counts = BTreeMap::new();
    let (mut last, mut slowest) = (0, (Duration::ZERO, 0));
    let mut begun = Instant::now();
    loop {
        match receiver.recv_timeout(WAIT_MAX) {
            Ok((seed, None)) => (last, begun) = (seed, Instant::now()),
            Ok((seed, Some(came))) => {
                *counts.entry(came).or_default() += 1;
                slowest = slowest.max((begun.elapsed(), seed));
            }
            Err(RecvTimeoutError::Timeout) => panic!("seed {last} takes more than {WAIT_MAX:?}"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if runner.join().is_err() {
        let reason = LAST_PANIC.lock();
        panic!("{name}: seed {last} failed: {reason}");
    }
    print_counts(name, &counts, slowest);
    counts
}

/// Counts the panics of the runner instead of printing them: readers of others panic, and are caught.
fn note_panics() {
    let before = take_hook();
    set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if std::thread::current().name() != Some(RUNNER) {
            return before(info);
        }
        let text = info.payload_as_str().unwrap_or("no text");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // The crate and its file say enough; where a machine keeps it is its own affair.
        let below =
            |(_, below): (&str, &str)| below.split_once('/').map(|(_, file)| file.to_owned());
        let place = place.split_once("/src/index.").and_then(below).unwrap_or(place);
        *LAST_PANIC.lock() = format!("{place}: {text}");
        let mut panics = PANICS.lock();
        *panics.entry(place).or_default() += 1;
    }));
}

#[expect(clippy::print_stdout, reason = "what a fuzzer is run for")]
fn print_counts(name: &str, counts: &BTreeMap<&'static str, u64>, slowest: (Duration, u64)) {
    let total: u64 = counts.values().sum();
    let mut text = format!("{name}: {total} inputs: {counts:?}");
    let _ = write!(text, "; slowest: seed {} in {:?}", slowest.1, slowest.0);
    let panics = PANICS.lock();
    for (place, count) in panics.iter() {
        let _ = write!(text, "\n{name}: {count} panics were caught of {place}");
    }
    println!("{text}");
}

/// Fails unless a text is fit to be shown to a user: one line.
pub fn one_line(text: &str) {
    let is_right = !text.is_empty() && text.len() < 2_000 && !text.contains(char::is_control);
    assert!(is_right, "not one line: {text:?}");
}
