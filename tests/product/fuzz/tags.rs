//! Damaged tags: what is sound of them is read, kept within the limits, and can be written.

use crate::making::{has_place, samples, tags as random_tags, write};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::StreamSpec;
use wavemill_core::encode::{self, EncodeSettings, FormatDescriptor};
use wavemill_core::limits;
use wavemill_core::tags::{self, CUE_COUNT_MAX, Field, Tags};
use wavemill_tests::fuzzing::{Corpus, Manner, Watched, damaged, one_line, peak_of, run};
use wavemill_tests::signal::Random;

/// Files of the test in the gate.
const COUNT: u64 = 2_000;

/// Files of each format that are written with random tags, to be damaged.
const WRITTEN_EACH: u64 = 6;

/// Most bytes held while tags are read, beside four times the file.
const HELD_BYTES_MAX: usize = 24 << 20;

/// Most lines that a file's tags are worth.
const WARNINGS_MAX: usize = 64;

/// The committed files, and some of each format that we write, with all that tags can be.
fn corpus() -> Corpus {
    let mut corpus = Corpus::committed();
    for format in encode::FORMATS {
        for seed in 0..WRITTEN_EACH {
            let tags = small_tags(&mut Random::new(seed));
            corpus.files.push((format!("{}-{seed}", format.name), file(format, tags)));
        }
    }
    corpus
}

/// Large pictures and texts would only make damage miss what is around them.
fn small_tags(random: &mut Random) -> Tags {
    loop {
        let tags = random_tags(random);
        let pictures = tags.pictures.iter().map(|picture| picture.bytes.len());
        let texts =
            Field::ALL.iter().filter_map(|(_, field)| field.get(&tags)).map(|text| text.len());
        if tags != Tags::default() && pictures.chain(texts).sum::<usize>() < 6_000 {
            return tags;
        }
    }
}

/// A short file with these tags.
fn file(format: &FormatDescriptor, tags: Tags) -> Vec<u8> {
    let settings = EncodeSettings {
        spec: StreamSpec::new(48_000, 1),
        format: format.formats[0],
        frame_count: None,
        compression_level: None,
        quality: None,
        tags: Arc::new(tags),
    };
    let samples = samples(settings.format, 1, 300, &mut Random::new(2));
    write(format, &settings, &samples, &mut Random::new(1)).unwrap()
}

fn attempt(corpus: &Corpus, seed: u64) -> &'static str {
    let mut random = Random::new(seed);
    let (_, bytes) = damaged(corpus, &mut random);
    let bytes: Arc<[u8]> = bytes.into();
    let manner = |short| Manner { short, ..Manner::default() };
    let open = |short| Watched::new(Arc::clone(&bytes), manner(short));
    let (reading, held) = peak_of(|| tags::read(&mut open(None), None));
    let most = HELD_BYTES_MAX + 4 * bytes.len();
    assert!(held <= most, "{held} bytes were held to read the tags of {}", bytes.len());
    let again = tags::read(&mut open(Some(Random::new(seed))), None);
    let reading = match (reading, again) {
        (Ok(first), Ok(second)) if first == second => first,
        (Err(first), Err(second)) if first.to_string() == second.to_string() => {
            one_line(&first.to_string());
            return "refused";
        }
        (first, second) => panic!("short reads make {second:?} of {first:?}"),
    };
    reading.warnings.iter().for_each(|warning| one_line(warning));
    assert!(reading.warnings.len() <= WARNINGS_MAX, "{} warnings", reading.warnings.len());
    is_within_limits(&reading.tags);
    let format = *random.choice(encode::FORMATS);
    comes_back(format, &reading.tags);
    match (reading.warnings.is_empty(), reading.tags == Tags::default()) {
        (true, false) => "read",
        (true, true) => "none",
        (false, false) => "read in part",
        (false, true) => "unreadable",
    }
}

fn is_within_limits(tags: &Tags) {
    let broadcast =
        tags.broadcast.iter().flat_map(|it| [&it.description, &it.originator, &it.reference]);
    let descriptions = tags.pictures.iter().map(|picture| &picture.description);
    let labels = tags.cues.iter().map(|cue| &cue.label);
    let others = broadcast.chain(descriptions).chain(labels).flatten().cloned();
    let texts = Field::ALL.iter().filter_map(|(_, field)| field.get(tags)).chain(others);
    for text in texts {
        assert!(!text.trim().is_empty() && text.len() <= limits::TAG_TEXT_BYTES_MAX, "{text:?}");
        let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        assert!(!text.contains(is_odd), "{text:?}");
    }
    assert!(tags.cues.len() <= CUE_COUNT_MAX && tags.pictures.len() <= limits::PICTURE_COUNT_MAX);
    let bytes: usize = tags.pictures.iter().map(|picture| picture.bytes.len()).sum();
    assert!(bytes <= limits::PICTURES_BYTES_MAX, "{bytes} bytes of pictures");
}

/// Written and read twice: what the first file kept, the second one keeps as it is.
fn comes_back(format: &FormatDescriptor, found: &Tags) {
    let read = |tags: &Tags| {
        let bytes = file(format, tags.clone());
        let reading = tags::read(&mut Cursor::new(bytes), None).unwrap();
        assert_eq!(reading.warnings, [""; 0], "of {} written by us", format.name);
        let mut tags = reading.tags;
        // Each time a line is added.
        if let Some(broadcast) = &mut tags.broadcast {
            broadcast.coding_history = None;
        }
        tags
    };
    let first = read(found);
    assert_eq!(first, read(&first), "{} changes its own tags", format.name);
    for (name, field) in Field::ALL {
        // ID3 has forms for dates and names for genres, and a total stands behind its number.
        let is_bent = [
            Field::Date,
            Field::Year,
            Field::Genre,
            Field::TrackTotal,
            Field::DiscTotal,
            Field::Comment,
        ];
        if !is_bent.contains(&field) && has_place(format, found, field) {
            assert_eq!(field.get(&first), field.get(found), "{name} in {}", format.name);
        }
    }
}

#[test]
fn damaged_tags_are_read_within_the_limits_and_can_be_written() {
    let counts = run("tags", COUNT, || {
        let corpus = corpus();
        move |seed| attempt(&corpus, seed)
    });
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for came in ["read", "none", "unreadable", "refused"] {
            let share = counts.get(came).copied().unwrap_or(0) * 100 / total;
            assert!(share >= 1, "only {share} % of {total} files came to `{came}`: {counts:?}");
        }
    }
}
