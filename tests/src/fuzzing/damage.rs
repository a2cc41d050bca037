//! Damage to files: anywhere, and where containers keep names and lengths.

use crate::lab::repository;
use crate::signal::Random;

/// Longest file that is made; damage may repeat what is there.
const BYTES_MAX: usize = 256 * 1024;

/// What inputs are made from.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Name and bytes of each.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Corpus {
    /// The committed files: all fixtures, those for fuzzing among them.
    pub fn committed() -> Self {
        let mut files = Vec::new();
        for folder in ["tests/fixtures", "tests/fixtures/fuzz"] {
            for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                if path.is_file() && name != "README.md" {
                    files.push((name, std::fs::read(&path).expect("a file")));
                }
            }
        }
        // The order of a folder is another one on every machine.
        files.sort();
        Self { files }
    }

    /// One of them.
    pub fn choice(&self, random: &mut Random) -> &(String, Vec<u8>) {
        random.choice(&self.files)
    }
}

/// A file of the corpus, damaged in one to four places, or as it is; with its name.
pub fn damaged<'a>(corpus: &'a Corpus, random: &mut Random) -> (&'a str, Vec<u8>) {
    let (name, bytes) = corpus.choice(random);
    let mut bytes = bytes.clone();
    if random.below(32) > 0 {
        for _ in 0..=random.below(4).min(random.below(4)) {
            damage(&mut bytes, corpus, random);
        }
        // A sum or a length that is right again lets a reader go on to what is wrong.
        if random.below(4) > 0 {
            repair_ogg(&mut bytes);
        }
        if random.below(2) > 0 {
            repair_form(&mut bytes);
        }
    }
    bytes.truncate(BYTES_MAX);
    (name, bytes)
}

fn damage(bytes: &mut Vec<u8>, corpus: &Corpus, random: &mut Random) {
    if bytes.len() < 16 {
        bytes.extend_from_slice(&[0; 16]);
    }
    let at = place(bytes.len(), random);
    match random.below(16) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.byte(),
        2 => bytes[at] = *random.choice(&[0, 1, 0x7f, 0x80, 0xfe, 0xff]),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end(at, 1 + random.index(64), bytes))),
        5 => {
            // The same once more, or many times.
            let copy = bytes[at..end(at, 1 + random.index(256), bytes)].to_vec();
            let count = if random.below(8) == 0 { 1 + random.index(200) } else { 1 };
            bytes.splice(at..at, copy.repeat(count));
        }
        6 => {
            let other = &corpus.choice(random).1;
            let start = random.index(other.len());
            let piece = other[start..end(start, 1 + random.index(512), other)].to_vec();
            let stop = if random.below(2) == 0 { at } else { end(at, piece.len(), bytes) };
            bytes.splice(at..stop, piece);
        }
        7 => {
            let stop = end(at, 1 + random.index(64), bytes);
            let value = *random.choice(&[0, 0xff, 0x20]);
            bytes[at..stop].fill(value);
        }
        8 => {
            // Another file behind.
            let other = &corpus.choice(random).1;
            bytes.extend_from_slice(other);
        }
        9..12 => lie(bytes, at, random),
        _ => lie_of_a_name(bytes, corpus, random),
    }
}

/// A place: anywhere, near the start or near the end.
fn place(length: usize, random: &mut Random) -> usize {
    let near = length.min(300);
    match random.below(4) {
        0 => length - near + random.index(near),
        1 | 2 => random.index(near),
        _ => random.index(length),
    }
}

fn end(at: usize, count: usize, bytes: &[u8]) -> usize {
    (at + count).min(bytes.len())
}

/// Puts a number that means much.
fn lie(bytes: &mut [u8], at: usize, random: &mut Random) {
    let length = bytes.len() as u64;
    let width = *random.choice(&[1, 2, 3, 4, 4, 4, 8]);
    let field = at..end(at, width, bytes);
    let is_big = random.below(2) == 0;
    let old = bytes[field.clone()].iter().rev().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    let old = if is_big { old.swap_bytes() >> (64 - 8 * field.len()) } else { old };
    let few = random.below(9).wrapping_sub(4);
    let value = match random.below(10) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => u64::MAX >> 1 >> (64 - 8 * width),
        4 => 1u64 << (8 * width - 1),
        5 => length.wrapping_add(few),
        6 => (length - at as u64).wrapping_add(few),
        7 => 1u64 << random.below(64),
        8 => random.bits(),
        _ => old.wrapping_add(few),
    };
    let value = if is_big { (value << (64 - 8 * field.len())).swap_bytes() } else { value };
    for (byte, new) in bytes[field].iter_mut().zip(value.to_le_bytes()) {
        *byte = new;
    }
}

/// Lies before or after a name of four letters, where containers keep lengths, or changes the name.
fn lie_of_a_name(bytes: &mut [u8], corpus: &Corpus, random: &mut Random) {
    let names = names(bytes);
    if names.is_empty() {
        return lie(bytes, place(bytes.len(), random), random);
    }
    let at = *random.choice(&names);
    match random.below(8) {
        0 => {
            let other = &corpus.choice(random).1;
            if let [first, ..] = self::names(other)[..] {
                let from = *random.choice(&self::names(other)).max(&first);
                bytes[at..at + 4].copy_from_slice(&other[from..from + 4]);
            }
        }
        1..3 => lie(bytes, at.saturating_sub(4), random),
        3..6 => lie(bytes, (at + 4).min(bytes.len() - 1), random),
        _ => lie(bytes, (at + 4 + random.index(24)).min(bytes.len() - 1), random),
    }
}

/// Where four letters, digits or blanks stand.
fn names(bytes: &[u8]) -> Vec<usize> {
    let is_name = |four: &[u8]| {
        four[0].is_ascii_alphabetic()
            && four.iter().all(|b| b.is_ascii_alphanumeric() || *b == b' ')
    };
    let all = bytes.windows(4).enumerate().filter(|(_, four)| is_name(four));
    all.map(|(at, _)| at).collect()
}

/// Makes the length of a RIFF or IFF file right.
fn repair_form(bytes: &mut [u8]) {
    let length = u32::try_from(bytes.len().saturating_sub(8)).unwrap_or(u32::MAX);
    match bytes.first_chunk::<8>() {
        Some([b'R', b'I', b'F', b'F', ..]) => bytes[4..8].copy_from_slice(&length.to_le_bytes()),
        Some([b'F', b'O', b'R', b'M', ..]) => bytes[4..8].copy_from_slice(&length.to_be_bytes()),
        _ => {}
    }
}

/// Makes the sums of Ogg pages right.
///
/// Source: RFC 3533, 6.
fn repair_ogg(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 27).filter(|head| head.starts_with(b"OggS")) {
        let table = at + 27..at + 27 + usize::from(head[26]);
        let Some(segments) = bytes.get(table.clone()) else { return };
        let stop = table.end + segments.iter().map(|&count| usize::from(count)).sum::<usize>();
        let Some(page) = bytes.get_mut(at..stop) else { return };
        page[22..26].fill(0);
        let sum = page.iter().fold(0u32, |mut sum, &byte| {
            sum ^= u32::from(byte) << 24;
            for _ in 0..8 {
                sum = sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            }
            sum
        });
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at = stop;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_makes_the_same_file_and_another_one_another() {
        let corpus = Corpus::committed();
        let make = |seed| damaged(&corpus, &mut Random::new(seed)).1;
        assert_eq!(make(7), make(7));
        let many: Vec<_> = (0..50).map(make).collect();
        assert!(many.windows(2).filter(|pair| pair[0] != pair[1]).count() > 45);
    }

    #[test]
    fn ogg_whose_sums_were_broken_is_repaired() {
        let corpus = Corpus::committed();
        let (_, whole) = corpus.files.iter().find(|(name, _)| name == "tone.ogg").unwrap();
        let mut broken = whole.clone();
        broken[22] ^= 1;
        repair_ogg(&mut broken);
        assert!(broken == *whole);
    }
}
