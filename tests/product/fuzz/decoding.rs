//! Decodes a file and checks what every file must keep, sound or damaged.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use wavemill_core::audio::Samples;
use wavemill_core::decode::{self, Damaged, Decoder, Repair, RepairKind};
use wavemill_core::limits;
use wavemill_tests::fuzzing::{Manner, Seen, Watched, one_line};
use wavemill_tests::signal::Random;

/// Frames after which no further one is read: what compresses well claims hours in a kilobyte.
const FRAMES_MAX: u64 = 2_000_000;

/// What came out of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) info: decode::StreamInfo,
    pub(crate) frames: u64,
    /// Of every sample.
    pub(crate) sum: u64,
    /// Whether [`FRAMES_MAX`] ended it.
    is_cut: bool,
    /// Kind and count of each: the places of those that are near each other depend on the blocks.
    pub(crate) repairs: Vec<(RepairKind, u64)>,
}

/// Decodes a file in blocks of random lengths. A refusal is one line, as users see it.
pub(crate) fn decode_all(
    bytes: &Arc<[u8]>,
    damaged: Damaged,
    manner: Manner,
    blocks: &mut Random,
) -> (Result<Decoded, String>, Arc<Seen>) {
    let source = Watched::new(Arc::clone(bytes), manner);
    let seen = source.seen();
    let result = decode::open_as(Box::new(source), None, damaged).and_then(|mut decoder| {
        let first = drain(decoder.as_mut(), blocks)?;
        // Once more, now and then: from the start on the same comes out.
        if blocks.below(4) == 0 {
            decoder.rewind()?;
            let second = drain(decoder.as_mut(), blocks)?;
            assert_eq!(first, second, "the second time something else is decoded");
        }
        Ok(first)
    });
    let result = result.map_err(|error| error.to_string());
    if let Err(reason) = &result {
        one_line(reason);
    }
    (result, seen)
}

fn drain(decoder: &mut dyn Decoder, blocks: &mut Random) -> Result<Decoded, decode::DecodeError> {
    let info = decoder.info().clone();
    let channels = info.spec.channel_count();
    assert!((1..=limits::CHANNEL_COUNT_MAX).contains(&channels), "{info:?}");
    let rates = limits::SAMPLE_RATE_HZ_MIN..=limits::SAMPLE_RATE_HZ_MAX;
    assert!(rates.contains(&info.spec.sample_rate.0), "{info:?}");
    info.warnings.iter().for_each(|warning| one_line(warning));
    let mut samples = Samples::empty(info.format, channels);
    let (mut frames, mut sum) = (0, 0);
    let size = *blocks.choice(&[1, 7, 64, 4096, 4096, 4096, 65_536]);
    loop {
        // Single frames of long files take long.
        let asked = if frames < 4096 { size } else { size.max(4096) };
        let count = decoder.read(&mut samples, asked)?;
        assert!(count <= asked && samples.frame_count() == count, "{count} of {asked} frames");
        assert_eq!((samples.format(), samples.channel_count()), (info.format, channels));
        if count == 0 {
            break;
        }
        sum = hash(&samples, frames, sum);
        frames += count as u64;
        if frames > FRAMES_MAX {
            return Ok(Decoded { info, frames: 0, sum: 0, is_cut: true, repairs: Vec::new() });
        }
    }
    if let Some(promised) = info.frame_count {
        assert_eq!(promised.0, frames, "the promised length is exact");
    }
    let repairs = decoder.repairs();
    let checked = |repair: &Repair| {
        one_line(&repair.line());
        (repair.kind, repair.count)
    };
    let repairs = repairs.iter().map(checked).collect();
    Ok(Decoded { info, frames, sum, is_cut: false, repairs })
}

/// The sum of samples that were never in a file.
pub(crate) fn sum_of(samples: &Samples) -> u64 {
    hash(samples, 0, 0)
}

/// A sum that does not depend on how the frames were cut into blocks.
fn hash(samples: &Samples, start: u64, mut sum: u64) -> u64 {
    let mut add = |channel: usize, frame: usize, bits: u64| {
        let mut hasher = DefaultHasher::new();
        (channel, start + frame as u64, bits).hash(&mut hasher);
        sum = sum.wrapping_add(hasher.finish());
    };
    match samples {
        Samples::Int { bit_depth, planes } => {
            let full = 1i64 << (bit_depth - 1);
            for (channel, plane) in planes.iter().enumerate() {
                for (frame, &sample) in plane.iter().enumerate() {
                    let sample = i64::from(sample);
                    assert!((-full..full).contains(&sample), "{sample} in {bit_depth} bits");
                    add(channel, frame, sample.cast_unsigned());
                }
            }
        }
        Samples::Float { planes } => {
            for (channel, plane) in planes.iter().enumerate() {
                for (frame, sample) in plane.iter().enumerate() {
                    assert!(sample.is_finite(), "a sample is {sample}");
                    add(channel, frame, sample.to_bits().into());
                }
            }
        }
    }
    sum
}
