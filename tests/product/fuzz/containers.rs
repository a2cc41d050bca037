//! Damaged files of every container: each is decoded in full, or refused in one line, or repaired.
//!
//! Whether refused or repaired: no panic, bounded memory and reading, the same samples in all blocks and by
//! short reads, and never what an error of the disk left over.

use crate::decoding::{Decoded, decode_all};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::decode::{self, Completeness, Damaged, RepairKind};
use wavemill_core::tags;
use wavemill_tests::fuzzing::{Corpus, Manner, Watched, damaged, one_line, peak_of, run};
use wavemill_tests::signal::Random;

/// Files of the test in the gate.
const COUNT: u64 = 2_000;

/// Most bytes held while a file of a few kilobytes is read, whatever it claims. Lofty and Symphonia
/// reserve up to 16 MiB for one picture before they find that it is not there.
const HELD_BYTES_MAX: usize = 48 << 20;

/// How often all of a file may be read, at most: headers, completeness and samples are looked for by
/// themselves.
const READ_TIMES_MAX: u64 = 40;

/// The same where damage is repaired: behind every hole the next whole packet is looked for.
const READ_TIMES_OF_REPAIRS_MAX: u64 = 400;

/// Bytes that may be read of a file however short it is.
const READ_BYTES_MIN: u64 = 1 << 20;

/// How far behind the end a reader may look for a header: there is nothing to read.
const OUTSIDE_BYTES_MAX: u64 = 16;

/// Tries the damaged file of a seed, and says how far it came.
fn attempt(corpus: &Corpus, seed: u64) -> &'static str {
    let mut random = Random::new(seed);
    let (_, bytes) = damaged(corpus, &mut random);
    try_bytes(&bytes.into(), &mut random)
}

/// Holds every promise against a file.
fn try_bytes(bytes: &Arc<[u8]>, random: &mut Random) -> &'static str {
    let decoded = decodes_as_promised(bytes, Damaged::Refuse, random);
    let repaired = decodes_as_promised(bytes, Damaged::Repair, random);
    is_judged(bytes);
    match (&decoded, &repaired) {
        // Pauses are reported of sound files too.
        (Ok(sound), _) if sound.repairs.iter().any(|(kind, _)| *kind != RepairKind::Pause) => {
            panic!("nothing may be repaired: {sound:?}")
        }
        // Bytes that a reader passes over, as those behind the sound, are looked at where damage is repaired.
        (Ok(sound), Ok(repaired)) if sound.sum != repaired.sum => return "decoded otherwise",
        (Ok(_), Err(_)) => return "decoded unless repaired",
        (Err(_), Ok(_)) => return "repaired",
        _ => {}
    }
    match decoded {
        Ok(decoded) if decoded.frames > 0 => "decoded",
        Ok(_) => "empty or endless",
        Err(reason) if reason.contains("cut short") => "cut short",
        Err(reason) if reason.contains("not supported") => "not supported",
        Err(reason) if reason.starts_with("is not an audio file") => "unknown",
        Err(_) => "damaged",
    }
}

/// What is decoded: the same in all blocks, however the file is read, within bounds.
fn decodes_as_promised(
    bytes: &Arc<[u8]>,
    damaged: Damaged,
    random: &mut Random,
) -> Result<Decoded, String> {
    let ((decoded, seen), held) =
        peak_of(|| decode_all(bytes, damaged, Manner::default(), &mut Random::new(random.bits())));
    assert!(held <= HELD_BYTES_MAX, "{held} bytes were held to decode it");
    let times = match damaged {
        Damaged::Refuse => READ_TIMES_MAX,
        Damaged::Repair => READ_TIMES_OF_REPAIRS_MAX,
    };
    let read_max = READ_BYTES_MIN + times * bytes.len() as u64;
    assert!(seen.bytes() <= read_max, "{} bytes were read of {}", seen.bytes(), bytes.len());
    assert!(seen.calls() <= read_max, "it was read {} times", seen.calls());
    let farthest = seen.farthest();
    let end = bytes.len() as u64 + OUTSIDE_BYTES_MAX;
    assert!(farthest <= end, "it was read at {farthest} of {}", bytes.len());
    let manner = Manner { short: Some(Random::new(random.bits())), ..Manner::default() };
    let (again, _) = decode_all(bytes, damaged, manner, &mut Random::new(random.bits()));
    assert_eq!(decoded, again, "short reads and other blocks change what is decoded");
    // An error of the disk must not pass for the end of a file, nor for damage.
    let manner = Manner { fails_at: Some(random.below(seen.calls() + 1)), ..Manner::default() };
    let (broken, _) = decode_all(bytes, damaged, manner, &mut Random::new(random.bits()));
    if let Ok(broken) = broken {
        assert_eq!(decoded.as_ref(), Ok(&broken), "a failing disk changes what is decoded");
    }
    decoded
}

/// Whether it is complete and what its tags are can be said of any file.
fn is_judged(bytes: &Arc<[u8]>) {
    let open = || Watched::new(Arc::clone(bytes), Manner::default());
    let (complete, held) = peak_of(|| decode::completeness(&mut open()));
    assert!(held <= HELD_BYTES_MAX, "{held} bytes were held to see whether it is complete");
    match complete {
        Ok(Completeness::Incomplete { promised, actual }) => {
            one_line(&format!("{promised}, {actual}"));
        }
        Ok(_) => {}
        Err(error) => one_line(&error.to_string()),
    }
    let (reading, held) = peak_of(|| tags::read(&mut open(), None));
    assert!(held <= HELD_BYTES_MAX, "{held} bytes were held to read its tags");
    match reading {
        Ok(reading) => reading.warnings.iter().for_each(|warning| one_line(warning)),
        Err(error) => one_line(&error.to_string()),
    }
}

#[test]
fn damaged_files_are_decoded_in_full_or_refused_in_one_line() {
    let counts = run("containers", COUNT, || {
        let corpus = Corpus::committed();
        move |seed| attempt(&corpus, seed)
    });
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for came in ["decoded", "repaired", "damaged", "not supported", "unknown"] {
            let share = counts.get(came).copied().unwrap_or(0) * 100 / total;
            assert!(share >= 1, "only {share} % of {total} files came to `{came}`: {counts:?}");
        }
    }
}

#[test]
fn files_of_the_corpus_keep_every_promise_undamaged() {
    let corpus = Corpus::committed();
    for (name, bytes) in &corpus.files {
        let bytes: Arc<[u8]> = bytes.clone().into();
        let came = try_bytes(&bytes, &mut Random::new(1));
        let decode =
            |damaged| decode_all(&bytes, damaged, Manner::default(), &mut Random::new(1)).0;
        if let (Ok(sound), Ok(repaired)) = (decode(Damaged::Refuse), decode(Damaged::Repair)) {
            assert_eq!((sound.frames, sound.sum), (repaired.frames, repaired.sum), "{name}");
            assert!(repaired.repairs.is_empty(), "{name} is sound: {:?}", repaired.repairs);
        }
        let complete = decode::completeness(&mut Cursor::new(&bytes)).unwrap();
        let is_waited_for = matches!(complete, Completeness::Incomplete { .. });
        let is_sound = ["decoded", "not supported", "unknown"].contains(&came);
        assert!(!is_waited_for && is_sound, "{name}: {came}");
    }
}
