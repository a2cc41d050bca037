//! Names of jobs: sortable by time, unique across restarts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Characters of a job id.
const ID_LENGTH: usize = 13;

/// Crockford's base 32 in lower case: no i, l, o, u, so ids survive being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Bits below the milliseconds: room for a burst of a million jobs within one millisecond, and random
/// at the start of each, so that two stores writing into one folder do not collide.
const BELOW_MS_BITS: u32 = 20;

/// Makes job ids, each larger than all before.
#[derive(Debug)]
pub struct JobIds {
    last: AtomicU64,
}

impl JobIds {
    /// Ids larger than `last`, which is the largest that already exists.
    pub fn after(last: Option<&str>) -> Self {
        Self { last: AtomicU64::new(last.and_then(decode).unwrap_or(0)) }
    }

    /// The next id.
    pub fn next(&self) -> String {
        let fresh = fresh();
        let bumped = |last: u64| fresh.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(bumped(last)))
            .unwrap_or_default();
        encode(bumped(last))
    }
}

/// Whether `text` has the form of a job id.
pub fn is_job_id(text: &str) -> bool {
    decode(text).is_some()
}

/// When an id was made, milliseconds since 1970.
pub fn made_ms(id: &str) -> Option<u64> {
    decode(id).map(|value| value >> BELOW_MS_BITS)
}

/// A number from the clock and chance. 44 bits of milliseconds last until the year 2527.
fn fresh() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX >> BELOW_MS_BITS);
    (ms << BELOW_MS_BITS) | (wavemill_platform::random_u64() >> (64 - BELOW_MS_BITS))
}

fn encode(value: u64) -> String {
    (0..ID_LENGTH)
        .rev()
        .map(|digit| char::from(ALPHABET[((value >> (5 * digit)) & 31) as usize]))
        .collect()
}

fn decode(text: &str) -> Option<u64> {
    if text.len() != ID_LENGTH {
        return None;
    }
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
        value.checked_mul(32)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_in_a_burst_are_distinct_and_sorted() {
        let ids = JobIds::after(None);
        let burst: Vec<_> = (0..10_000).map(|_| ids.next()).collect();
        assert!(burst.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(burst.iter().all(|id| is_job_id(id)));
        let age_ms = crate::Clock::now_ms().abs_diff(made_ms(&burst[0]).unwrap());
        assert!(age_ms < 600_000, "{age_ms}");
    }

    #[test]
    fn ids_after_a_later_one_stay_larger() {
        let future = encode(u64::MAX >> 4);
        let ids = JobIds::after(Some(&future));
        assert!(ids.next() > future);
    }

    #[test]
    fn id_decodes_to_what_was_encoded() {
        for value in [0, 1, 31, 32, u64::MAX >> 1, u64::MAX] {
            assert_eq!(decode(&encode(value)), Some(value));
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in ["", "0", "ooooooooooooo", "0123456789abcdef", "zzzzzzzzzzzzz"] {
            assert!(!is_job_id(text), "{text}");
        }
    }
}
