//! Samples and tags made at random, written and read again: the same frames, the same tags, the same
//! bytes however the samples were cut into blocks.

use crate::decoding::{decode_all, sum_of};
use crate::making::{has_place, samples, settings, tags, write};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::decode::{self, Completeness, Damaged};
use wavemill_core::encode::{self, EncodeSettings, FormatDescriptor};
use wavemill_core::tags::{self as reading, Field, Tags};
use wavemill_tests::fuzzing::{Manner, one_line, run};
use wavemill_tests::signal::Random;

/// Files of the test in the gate.
const COUNT: u64 = 400;

fn attempt(seed: u64) -> &'static str {
    let mut random = Random::new(seed);
    let format = *random.choice(encode::FORMATS);
    let most = *random.choice(&[1, 10, 3_000, 3_000, 20_000]);
    let frames = random.index(most + 1);
    let tags = tags(&mut random);
    let settings = settings(format, frames, tags, &mut random);
    let fits = format.check(&settings);
    let samples = samples(settings.format, settings.spec.channel_count(), frames, &mut random);
    let bytes = match write(format, &settings, &samples, &mut Random::new(random.bits())) {
        Ok(bytes) => bytes,
        Err(error) => {
            one_line(&error.to_string());
            let reason = fits.expect_err("what fits is written").to_string();
            assert_eq!(reason, error.to_string(), "it is refused for another reason than before");
            return "refused";
        }
    };
    assert!(fits.is_ok(), "{} writes what it says it cannot: {fits:?}", format.name);
    let again = write(format, &settings, &samples, &mut Random::new(random.bits())).unwrap();
    assert!(bytes == again, "other blocks give other bytes of {}", format.name);
    decodes_again(format, &settings, &bytes, frames, sum_of(&samples), &mut random);
    has_its_tags(format, &settings.tags, &bytes);
    has_its_tags_again(format, &settings, &bytes);
    format.name
}

/// All frames come back, and all samples where the format keeps them.
fn decodes_again(
    format: &FormatDescriptor,
    settings: &EncodeSettings,
    bytes: &[u8],
    frames: usize,
    sum: u64,
    random: &mut Random,
) {
    let name = format.name;
    let complete = decode::completeness(&mut Cursor::new(bytes)).unwrap();
    assert!(!matches!(complete, Completeness::Incomplete { .. }), "{name}: {complete:?}");
    let (decoded, _) = decode_all(&Arc::from(bytes), Damaged::Refuse, Manner::default(), random);
    let decoded = decoded.unwrap_or_else(|reason| panic!("{name} of {frames} frames {reason}"));
    assert_eq!(decoded.info.spec.channel_count(), settings.spec.channel_count(), "{name}");
    let rate_hz = format.lossy.as_ref().and_then(|lossy| lossy.decoded_rate_hz);
    let rate_hz = rate_hz.unwrap_or(settings.spec.sample_rate.0);
    assert_eq!(decoded.info.spec.sample_rate.0, rate_hz, "{name}");
    let expected = frames as u64 * u64::from(rate_hz) / u64::from(settings.spec.sample_rate.0);
    assert_eq!(decoded.frames, expected, "{name} of {:?}, {:?}", settings.spec, settings.quality);
    if format.is_lossless() {
        assert_eq!(decoded.info.format, settings.format, "{name}");
        assert_eq!(decoded.info.spec, settings.spec, "{name}");
        assert_eq!(decoded.sum, sum, "{name}: other samples come back");
    }
}

/// All texts and numbers come back, and pictures.
fn has_its_tags(format: &FormatDescriptor, tags: &Tags, bytes: &[u8]) {
    let found = reading::read(&mut Cursor::new(bytes), None).unwrap();
    assert_eq!(found.warnings, [""; 0], "{}", format.name);
    for (name, field) in Field::ALL {
        // A total stands behind its number.
        let is_written = match field {
            Field::TrackTotal => tags.track.is_some(),
            Field::DiscTotal => tags.disc.is_some(),
            // A description stands for it, where there is none.
            Field::Comment => tags.comment.is_some() || tags.broadcast.is_none(),
            _ => true,
        };
        if is_written && has_place(format, tags, field) {
            assert_eq!(field.get(&found.tags), field.get(tags), "{name} in {}", format.name);
        }
    }
    let mut expected = tags.pictures.clone();
    if format.name == "aac" {
        // MPEG-4 has covers, without saying more of them.
        for (index, picture) in expected.iter_mut().enumerate() {
            picture.kind = if index == 0 { "front cover" } else { "other" };
            picture.description = None;
        }
    }
    assert_eq!(found.tags.pictures, expected, "{}", format.name);
}

/// What is written once more stays as it was.
fn has_its_tags_again(format: &FormatDescriptor, settings: &EncodeSettings, bytes: &[u8]) {
    if settings.tags.replay_gain.is_none() {
        return;
    }
    let mut file = Cursor::new(bytes.to_vec());
    (format.retag)(&mut file, settings).unwrap();
    assert!(file.into_inner() == bytes, "{}: the same tags are other bytes", format.name);
}

#[test]
fn random_files_are_written_and_come_back() {
    let counts = run("encoders", COUNT, || attempt);
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for format in encode::FORMATS {
            let count = counts.get(format.name).copied().unwrap_or(0);
            assert!(count * 100 >= total * 2, "{} of {total} are {}", count, format.name);
        }
    }
}
