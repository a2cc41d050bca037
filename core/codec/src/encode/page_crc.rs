//! The checksum of Ogg pages.
//!
//! Source: RFC 3533, 6.

use crc::{Algorithm, Crc, Table};

/// CRC-32 with polynomial 0x04c11db7, from 0, not reflected.
const OGG: Algorithm<u32> = Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: false,
    refout: false,
    xorout: 0,
    check: 0x89a1_897f,
    residue: 0,
};

/// Sixteen bytes at a time.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&OGG);

/// The checksum of a page in parts.
pub(crate) fn crc(parts: &[&[u8]]) -> u32 {
    let mut digest = CRC.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The polynomial's division, bit by bit.
    fn by_bits(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
                if crc >> 31 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
            })
        })
    }

    #[test]
    fn checksum_is_that_of_the_division_however_it_is_cut() {
        assert_eq!(by_bits(b"123456789"), OGG.check);
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for cut in [0, 1, 15, 16, 17, 500] {
            let (first, last) = bytes.split_at(cut);
            assert_eq!(crc(&[first, last]), by_bits(&bytes), "{cut}");
        }
    }
}
