//! How long, from which seed on, and what of it.

use std::time::{Duration, Instant};
use wavemill_tests::signal::Random;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where all choices at random come from.
    pub(crate) seed: u64,
    /// Time of the long form; `None` for that of the gate.
    pub(crate) time: Option<Duration>,
    /// Words that the description of a case must contain.
    only: Option<String>,
}

impl Plan {
    /// What `cargo xtask torture` asks for, by environment; a fresh seed where none is given.
    pub(crate) fn read() -> Self {
        let read = |name: &str| std::env::var(name).ok();
        let number = |name: &str| read(name).and_then(|text| text.parse::<u64>().ok());
        let minutes = number("WAVEMILL_TORTURE_MINUTES");
        let seed = number("WAVEMILL_TORTURE_SEED").unwrap_or_else(fresh_seed);
        let only = read("WAVEMILL_TORTURE_ONLY");
        Self { seed, time: minutes.map(Duration::from_mins), only }
    }

    /// Whether a case of this description is asked for.
    pub(crate) fn takes(&self, case: &impl std::fmt::Display) -> bool {
        self.only.as_ref().is_none_or(|only| case.to_string().contains(only.as_str()))
    }

    /// When a share of the time, from now on, is over.
    pub(crate) fn until(&self, share: f64) -> Option<Instant> {
        self.time.map(|time| Instant::now() + time.mul_f64(share))
    }
}

/// Files of a soak, where `cargo xtask soak` asks for one.
pub(crate) fn soak_files() -> Option<usize> {
    std::env::var("WAVEMILL_SOAK_FILES").ok()?.parse().ok()
}

/// One that differs from run to run, and is short enough to be typed.
fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |time| u64::from(time.subsec_micros()))
}

/// Brings a list into an order that follows from the seed.
pub(crate) fn shuffle<T>(list: &mut [T], random: &mut Random) {
    for end in (1..list.len()).rev() {
        list.swap(end, random.index(end + 1));
    }
}
