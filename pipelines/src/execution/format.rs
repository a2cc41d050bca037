//! How an export's samples are stored.

use crate::model::{Dither, Export};
use wavemill_core::audio::{PcmFormat, SampleFormat};
use wavemill_core::decode::StreamInfo;
use wavemill_core::encode::{self, NoiseShape};
use wavemill_core::units::SampleRate;

/// Bits where the source has none of its own: more than any lossy codec resolves.
const LOSSY_SOURCE_BITS: u16 = 24;

/// Fewest bits of a processed signal: the dither of 8 bits is audible.
const PROCESSED_BITS_MIN: u16 = 16;

/// The source's own sample format, as far as an export can keep it.
fn source_format(info: &StreamInfo) -> PcmFormat {
    match (info.lossless, info.format.sample_format) {
        (false, SampleFormat::Float) => PcmFormat::int(LOSSY_SOURCE_BITS),
        // 64-bit floats are decoded to 32 bits.
        (true, SampleFormat::Float) => PcmFormat::FLOAT,
        (_, SampleFormat::Int) => info.format,
    }
}

/// The stored format: what was asked for, else the source's, else the nearest the format has. What
/// steps or a remix made of a source gets no fewer than [`PROCESSED_BITS_MIN`] bits by itself.
pub(super) fn resolve(export: &Export, info: &StreamInfo, is_processed: bool) -> PcmFormat {
    let mut source = source_format(info);
    if is_processed && source.sample_format == SampleFormat::Int {
        source.bit_depth = source.bit_depth.max(PROCESSED_BITS_MIN);
    }
    let wanted = match (export.sample_format, export.bit_depth) {
        (Some(sample_format), Some(bit_depth)) => PcmFormat { sample_format, bit_depth },
        (Some(SampleFormat::Float), None) => PcmFormat::FLOAT,
        (Some(SampleFormat::Int), None) if source.sample_format == SampleFormat::Float => {
            PcmFormat::int(LOSSY_SOURCE_BITS)
        }
        (None, Some(32)) if source == PcmFormat::FLOAT => source,
        (None, Some(bit_depth)) => PcmFormat::int(bit_depth),
        (_, None) => source,
    };
    nearest(wanted, export.format.formats)
}

/// What is added to samples of this rate where bits are lost.
///
/// # Errors
/// What would be right, where the noise was to be shaped and the rate has no curve. Plain dither in its
/// place would be another file than the one asked for.
pub(super) fn dither(
    wanted: Option<Dither>,
    rate: SampleRate,
    loses_bits: bool,
) -> Result<encode::Dither, String> {
    match wanted.unwrap_or_default() {
        _ if !loses_bits => Ok(encode::Dither::None),
        Dither::None => Ok(encode::Dither::None),
        Dither::Tpdf => Ok(encode::Dither::Tpdf),
        Dither::Shaped => NoiseShape::at(rate).map(encode::Dither::Shaped).ok_or_else(|| {
            let rates: Vec<String> = NoiseShape::rates().map(|rate| rate.to_string()).collect();
            let rates = rates.join(", ");
            format!("`dither = \"shaped\"` is for {rates}, this is {rate}; use \"tpdf\"")
        }),
    }
}

/// `wanted` itself, else the smallest format that holds all of it, else the largest integers.
fn nearest(wanted: PcmFormat, formats: &[PcmFormat]) -> PcmFormat {
    let rank =
        |format: &PcmFormat| (format.sample_format != wanted.sample_format, format.bit_depth);
    let holding = formats.iter().filter(|format| wanted.fits(**format)).min_by_key(|f| rank(f));
    let largest = || {
        let is_float = |format: &PcmFormat| format.sample_format == SampleFormat::Float;
        // Floats hold no more bits than this, so more would only be larger.
        let is_usual = |format: &&PcmFormat| format.bit_depth <= LOSSY_SOURCE_BITS;
        let usual = formats.iter().filter(is_usual).max_by_key(|format| format.bit_depth);
        usual.or(formats.iter().max_by_key(|format| (!is_float(format), format.bit_depth)))
    };
    formats
        .iter()
        .find(|format| **format == wanted)
        .or(holding)
        .or_else(largest)
        .copied()
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::encode;

    fn near(wanted: PcmFormat, format: &str) -> PcmFormat {
        nearest(wanted, encode::format(format).unwrap().formats)
    }

    #[test]
    fn dither_is_shaped_at_rates_with_a_curve_and_needed_only_where_bits_are_lost() {
        let at = |hz, loses_bits| dither(Some(Dither::Shaped), SampleRate(hz), loses_bits);
        let shape = NoiseShape::at(SampleRate(44_100)).unwrap();
        assert_eq!(at(44_100, true), Ok(encode::Dither::Shaped(shape)));
        assert_eq!(
            at(32_000, true).unwrap_err(),
            "`dither = \"shaped\"` is for 44100 Hz, 48000 Hz, 88200 Hz, 96000 Hz, 176400 Hz, 192000 Hz, this is \
             32000 Hz; use \"tpdf\""
        );
        assert_eq!(at(32_000, false), Ok(encode::Dither::None));
        assert_eq!(dither(None, SampleRate(96_000), true), Ok(encode::Dither::Tpdf));
    }

    #[test]
    fn formats_keep_the_source_or_come_as_near_as_they_can() {
        assert_eq!(near(PcmFormat::int(16), "wav"), PcmFormat::int(16));
        assert_eq!(near(PcmFormat::int(8), "wav"), PcmFormat::int(16));
        assert_eq!(near(PcmFormat::int(20), "flac"), PcmFormat::int(24));
        assert_eq!(near(PcmFormat::FLOAT, "wav"), PcmFormat::FLOAT);
        assert_eq!(near(PcmFormat::FLOAT, "flac"), PcmFormat::int(24));
        let largest = encode::format("flac").unwrap().formats.last();
        assert_eq!(Some(&near(PcmFormat::int(32), "flac")), largest);
    }
}
