//! Writing bits, most significant first, and the two checksums of a FLAC frame.

/// Most bits one [`BitWriter::put`] takes: 7 may be pending in the 64-bit accumulator.
pub(super) const PUT_BITS_MAX: u32 = 56;

/// Collects bits into bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Pending bits at the top.
    accumulator: u64,
    pending: u32,
}

impl BitWriter {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.accumulator = 0;
        self.pending = 0;
    }

    /// Room for at least `bits` further bits without another allocation.
    pub(super) fn reserve_bits(&mut self, bits: u64) {
        self.bytes.reserve(usize::try_from(bits / 8).expect("a frame fits memory") + 16);
    }

    /// Appends the low `count` bits of `value`, whose other bits are zero.
    #[inline]
    pub(super) fn put(&mut self, value: u64, count: u32) {
        debug_assert!(count <= PUT_BITS_MAX && (count == 64 || value >> count == 0));
        if count == 0 {
            return;
        }
        self.accumulator |= value << (64 - self.pending - count);
        self.pending += count;
        let whole = (self.pending / 8) as usize;
        // All eight bytes are written and the unfinished ones taken back: no branch on the count.
        let length = self.bytes.len();
        self.bytes.extend_from_slice(&self.accumulator.to_be_bytes());
        self.bytes.truncate(length + whole);
        self.accumulator = if whole == 8 { 0 } else { self.accumulator << (8 * whole) };
        self.pending %= 8;
    }

    /// Appends a signed number in two's complement.
    pub(super) fn put_signed(&mut self, value: i32, count: u32) {
        #[expect(clippy::cast_sign_loss, reason = "two's complement is meant")]
        let bits = i64::from(value) as u64 & ((1 << count) - 1);
        self.put(bits, count);
    }

    /// Appends `count` zeros.
    pub(super) fn put_zeros(&mut self, mut count: u32) {
        while count > 0 {
            let part = count.min(PUT_BITS_MAX);
            self.put(0, part);
            count -= part;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put_zeros((8 - self.pending) % 8);
    }

    /// The whole bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// CRC-8 of a frame header, polynomial 0x07. Source: RFC 9639, 9.1.8.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

/// Tables for eight bytes at a time; the first is the usual one.
static CRC16_TABLES: [[u16; 256]; 8] = crc16_tables();

const fn crc16_tables() -> [[u16; 256]; 8] {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "byte < 256")]
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = before << 8 ^ tables[0][(before >> 8) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-16 of a whole frame, polynomial 0x8005. Source: RFC 9639, 9.3.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let [high, low] = crc.to_be_bytes();
        crc = CRC16_TABLES[7][usize::from(chunk[0] ^ high)]
            ^ CRC16_TABLES[6][usize::from(chunk[1] ^ low)]
            ^ CRC16_TABLES[5][usize::from(chunk[2])]
            ^ CRC16_TABLES[4][usize::from(chunk[3])]
            ^ CRC16_TABLES[3][usize::from(chunk[4])]
            ^ CRC16_TABLES[2][usize::from(chunk[5])]
            ^ CRC16_TABLES[1][usize::from(chunk[6])]
            ^ CRC16_TABLES[0][usize::from(chunk[7])];
    }
    for &byte in chunks.remainder() {
        crc = crc << 8 ^ CRC16_TABLES[0][usize::from((crc >> 8) as u8 ^ byte)];
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_the_usual_test_string() {
        // The catalogue's check values for CRC-8/SMBUS and CRC-16/UMTS of "123456789".
        assert_eq!(crc8(b"123456789"), 0xf4);
        assert_eq!(crc16(b"123456789"), 0xfee8);
    }

    #[test]
    fn bits_are_written_most_significant_first() {
        let mut writer = BitWriter::default();
        writer.put(0b101, 3);
        writer.put_signed(-1, 5);
        writer.put(0x00ff_ffff_ffff_ffff, 56);
        writer.put(1, 1);
        writer.align();
        assert_eq!(writer.bytes(), [0b1011_1111, 255, 255, 255, 255, 255, 255, 255, 0x80]);
    }
}
