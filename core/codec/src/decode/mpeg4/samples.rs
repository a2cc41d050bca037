//! Samples that are not compressed, as sample descriptions state them.
//!
//! Source: Apple, "`QuickTime` File Format" (2001), "Sound Media", and "Sound Sample Description (Version
//! 2)", whose flags are those of Core Audio; ISO/IEC 23003-5:2020 (`ipcm`, `fpcm`, `pcmC`).

use crate::decode::DecodeError;
use crate::decode::chunks::{u16_be, u32_be, u64_be};
use crate::decode::pcm::Coding;
use wavemill_audio::{PcmFormat, SampleFormat};

/// Kinds of sample descriptions.
const KINDS: [&[u8; 4]; 11] = [
    b"sowt", b"twos", b"lpcm", b"in24", b"in32", b"fl32", b"fl64", b"ipcm", b"fpcm", b"raw ",
    b"NONE",
];

/// Flags of `lpcm`.
const IS_FLOAT: u32 = 1;
const IS_BIG_ENDIAN: u32 = 2;
const IS_SIGNED: u32 = 4;

/// Whether a sample description is one of samples that are not compressed.
pub(super) fn is_pcm(kind: [u8; 4]) -> bool {
    KINDS.contains(&&kind)
}

/// How samples are stored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SampleStorage {
    bits: u16,
    /// Of `lpcm`.
    flags: u32,
    /// Whether the order of bytes is the little one, where that is stated.
    is_little: Option<bool>,
}

/// The rate, and what the description's fields say of samples.
pub(super) fn read(entry: &[u8], version: u16) -> (u32, SampleStorage) {
    if version == 2 {
        let rate = f64::from_bits(u64_be(entry, 32).unwrap_or(0));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of floats ends at the largest and smallest numbers, and NaN becomes 0"
        )]
        let rate = rate.round() as u32;
        let bits = u32_be(entry, 48).and_then(|bits| u16::try_from(bits).ok()).unwrap_or(0);
        return (
            rate,
            SampleStorage { bits, flags: u32_be(entry, 52).unwrap_or(0), is_little: None },
        );
    }
    // 16 bits of whole Hz, 16 of fractions.
    let rate = u32_be(entry, 24).unwrap_or(0) >> 16;
    (rate, SampleStorage { bits: u16_be(entry, 18).unwrap_or(0), flags: 0, is_little: None })
}

impl SampleStorage {
    /// Takes an atom that says which byte comes first.
    pub(super) fn take_order(&mut self, data: &[u8]) {
        self.is_little = u16_be(data, 0).map(|order| order == 1);
    }

    /// Takes the fields of `pcmC`: flags, bits of a sample.
    pub(super) fn take_iso(&mut self, fields: &[u8]) {
        if let &[flags, bits, ..] = fields {
            self.is_little = Some(flags & 1 == 1);
            self.bits = bits.into();
        }
    }

    /// How the samples of a kind are stored.
    ///
    /// # Errors
    /// When there are none of that depth.
    pub(super) fn coding(self, kind: [u8; 4]) -> Result<Coding, DecodeError> {
        let is_little = self.is_little.unwrap_or(false);
        let (sample_format, bits, is_little, is_unsigned) = match &kind {
            b"sowt" => (SampleFormat::Int, self.bits, true, false),
            b"in24" => (SampleFormat::Int, 24, is_little, false),
            b"in32" => (SampleFormat::Int, 32, is_little, false),
            b"fl32" => (SampleFormat::Float, 32, is_little, false),
            b"fl64" => (SampleFormat::Float, 64, is_little, false),
            b"fpcm" => (SampleFormat::Float, self.bits, is_little, false),
            b"raw " => (SampleFormat::Int, self.bits, false, true),
            b"lpcm" => {
                let is_float = self.flags & IS_FLOAT != 0;
                let format = if is_float { SampleFormat::Float } else { SampleFormat::Int };
                let is_unsigned = !is_float && self.flags & IS_SIGNED == 0;
                (format, self.bits, self.flags & IS_BIG_ENDIAN == 0, is_unsigned)
            }
            _ => (SampleFormat::Int, self.bits, is_little, false),
        };
        let is_known = match sample_format {
            SampleFormat::Int => matches!(bits, 8 | 16 | 24 | 32) && (!is_unsigned || bits == 8),
            SampleFormat::Float => matches!(bits, 32 | 64),
        };
        if !is_known {
            let kind = kind.escape_ascii();
            return Err(DecodeError::unsupported(format!("{bits}-bit PCM (`{kind}`) in MPEG-4")));
        }
        Ok(Coding {
            format: PcmFormat { sample_format, bit_depth: bits },
            container_bytes: usize::from(bits / 8),
            big_endian: !is_little,
            is_unsigned,
            law: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(kind: [u8; 4], stored: SampleStorage) -> (SampleFormat, u16, bool, bool) {
        let coding = stored.coding(kind).unwrap();
        (
            coding.format.sample_format,
            coding.format.bit_depth,
            coding.big_endian,
            coding.is_unsigned,
        )
    }

    #[test]
    fn kinds_say_depth_and_order() {
        use SampleFormat::{Float, Int};
        let stored = SampleStorage { bits: 16, ..SampleStorage::default() };
        assert_eq!(coding(*b"sowt", stored), (Int, 16, false, false));
        assert_eq!(coding(*b"twos", stored), (Int, 16, true, false));
        assert_eq!(coding(*b"in24", stored), (Int, 24, true, false));
        let little = SampleStorage { is_little: Some(true), ..stored };
        assert_eq!(coding(*b"in24", little), (Int, 24, false, false));
        assert_eq!(coding(*b"fl32", little), (Float, 32, false, false));
        assert_eq!(coding(*b"raw ", SampleStorage { bits: 8, ..stored }), (Int, 8, true, true));
        let flags = |flags| SampleStorage { bits: 32, flags, is_little: None };
        assert_eq!(coding(*b"lpcm", flags(IS_FLOAT)), (Float, 32, false, false));
        assert_eq!(coding(*b"lpcm", flags(IS_SIGNED | IS_BIG_ENDIAN)), (Int, 32, true, false));
        let mut iso = SampleStorage::default();
        iso.take_iso(&[1, 24]);
        assert_eq!(coding(*b"ipcm", iso), (Int, 24, false, false));
    }

    #[test]
    fn depths_that_are_none_are_named() {
        let error =
            SampleStorage { bits: 20, ..SampleStorage::default() }.coding(*b"twos").unwrap_err();
        assert_eq!(error.to_string(), "uses 20-bit PCM (`twos`) in MPEG-4, which is not supported");
    }
}
