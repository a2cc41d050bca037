//! The checksum of Ogg pages.
//!
//! Source: RFC 3533, 6.

/// For each byte what it makes of the checksum.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    let mut start: u32 = 0;
    while byte < 256 {
        let mut crc = start;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
        start = start.wrapping_add(1 << 24);
    }
    table
};

/// The checksum of a page: CRC-32 with polynomial 0x04c11db7, from 0, not reflected.
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |crc: u32, byte| crc << 8 ^ CRC_TABLE[(crc >> 24) as usize ^ usize::from(*byte)])
}
