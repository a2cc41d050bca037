//! One frame: header, one subframe a channel, checksum.
//!
//! Source: RFC 9639, 9.

use super::Effort;
use super::bits::{BitWriter, crc8, crc16};
use super::subframe::{Scratch, Subframe};

/// Most bits of samples whose difference is stored. That of samples of 32 bits has 33, which not every reader
/// computes right.
const SIDE_BITS_MAX: u32 = 24;

/// What a frame's header says beside its number and length.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameShape {
    pub(super) sample_rate_hz: u32,
    pub(super) bit_depth: u16,
}

/// How two channels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stereo {
    LeftRight,
    LeftSide,
    SideRight,
    MidSide,
}

/// Makes frames; keeps what is reused between them.
#[derive(Debug)]
pub(super) struct FrameMaker {
    shape: FrameShape,
    effort: Effort,
    windows: Vec<Vec<f64>>,
    scratch: Scratch,
    writer: BitWriter,
}

impl FrameMaker {
    pub(super) fn new(shape: FrameShape, effort: Effort) -> Self {
        Self {
            shape,
            effort,
            windows: Vec::new(),
            scratch: Scratch::default(),
            writer: BitWriter::default(),
        }
    }

    /// The bytes of frame `number` with these planes, at most 65,535 frames long.
    pub(super) fn make(&mut self, number: u64, planes: &[&[i32]]) -> &[u8] {
        let length = planes[0].len();
        if self.windows.first().is_none_or(|window| window.len() != length) {
            self.windows =
                self.effort.tapers.iter().map(|&taper| super::lpc::tukey(length, taper)).collect();
        }
        let (assignment, subframes) = self.subframes(planes);
        self.writer.clear();
        self.write_header(number, length, assignment);
        for subframe in &subframes {
            subframe.write(&mut self.writer);
        }
        self.writer.align();
        let checksum = crc16(self.writer.bytes());
        self.writer.put(u64::from(checksum), 16);
        self.writer.bytes()
    }

    /// The channel assignment's code and the subframes.
    fn subframes(&mut self, planes: &[&[i32]]) -> (u64, Vec<Subframe>) {
        let bits = u32::from(self.shape.bit_depth);
        let [left, right] = planes else {
            let subframes = planes.iter().map(|plane| self.choose(plane.to_vec(), bits)).collect();
            return (planes.len() as u64 - 1, subframes);
        };
        if !self.effort.stereo || bits > SIDE_BITS_MAX {
            return (1, vec![self.choose(left.to_vec(), bits), self.choose(right.to_vec(), bits)]);
        }
        let side: Vec<i32> = left.iter().zip(*right).map(|(left, right)| left - right).collect();
        let mid: Vec<i32> =
            left.iter().zip(*right).map(|(left, right)| (left + right) >> 1).collect();
        match cheapest_stereo(left, right, &mid, &side) {
            Stereo::LeftRight => {
                (1, vec![self.choose(left.to_vec(), bits), self.choose(right.to_vec(), bits)])
            }
            Stereo::LeftSide => {
                (8, vec![self.choose(left.to_vec(), bits), self.choose(side, bits + 1)])
            }
            Stereo::SideRight => {
                (9, vec![self.choose(side, bits + 1), self.choose(right.to_vec(), bits)])
            }
            Stereo::MidSide => (10, vec![self.choose(mid, bits), self.choose(side, bits + 1)]),
        }
    }

    fn choose(&mut self, samples: Vec<i32>, sample_bits: u32) -> Subframe {
        Subframe::choose(samples, sample_bits, &self.effort, &self.windows, &mut self.scratch)
    }

    fn write_header(&mut self, number: u64, length: usize, assignment: u64) {
        let writer = &mut self.writer;
        // Sync code, a reserved zero, and "all blocks but the last have one length".
        writer.put(0b1111_1111_1111_1000, 16);
        // The length follows as 16 bits.
        writer.put(0b0111, 4);
        let rate = rate_code(self.shape.sample_rate_hz);
        writer.put(rate.code, 4);
        writer.put(assignment, 4);
        writer.put(depth_code(self.shape.bit_depth), 3);
        writer.put(0, 1);
        put_coded_number(writer, number);
        writer.put(length as u64 - 1, 16);
        writer.put(rate.extra, rate.extra_bits);
        let checksum = crc8(writer.bytes());
        writer.put(u64::from(checksum), 8);
    }
}

/// Compares the second differences of the four candidates, which predict the coded sizes well.
fn cheapest_stereo(left: &[i32], right: &[i32], mid: &[i32], side: &[i32]) -> Stereo {
    let [left, right, mid, side] = [left, right, mid, side].map(|plane| {
        plane
            .windows(3)
            .map(|w| u64::from((w[2] - 2 * w[1] + w[0]).unsigned_abs()))
            .sum::<u64>()
            .max(1) as f64
    });
    // A residual's bits grow with the logarithm of its mean, so sizes add where sums multiply.
    [
        (Stereo::LeftRight, left * right),
        (Stereo::LeftSide, left * side),
        (Stereo::SideRight, side * right),
        (Stereo::MidSide, mid * side),
    ]
    .into_iter()
    .min_by(|a, b| a.1.total_cmp(&b.1))
    .map_or(Stereo::LeftRight, |(stereo, _)| stereo)
}

struct RateCode {
    code: u64,
    extra: u64,
    extra_bits: u32,
}

/// RFC 9639, 9.1.2 and 9.1.7.
fn rate_code(hz: u32) -> RateCode {
    const TABLE: [u32; 11] =
        [88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000];
    let plain = |code: u64| RateCode { code, extra: 0, extra_bits: 0 };
    if let Some(index) = TABLE.iter().position(|&rate| rate == hz) {
        return plain(index as u64 + 1);
    }
    if hz.is_multiple_of(1000) && hz / 1000 < 256 {
        return RateCode { code: 0b1100, extra: u64::from(hz / 1000), extra_bits: 8 };
    }
    if hz < 65536 {
        return RateCode { code: 0b1101, extra: u64::from(hz), extra_bits: 16 };
    }
    if hz.is_multiple_of(10) && hz / 10 < 65536 {
        return RateCode { code: 0b1110, extra: u64::from(hz / 10), extra_bits: 16 };
    }
    // "See STREAMINFO".
    plain(0)
}

/// RFC 9639, 9.1.4; depths without a code are found in STREAMINFO.
fn depth_code(bit_depth: u16) -> u64 {
    match bit_depth {
        8 => 0b001,
        12 => 0b010,
        16 => 0b100,
        20 => 0b101,
        24 => 0b110,
        32 => 0b111,
        _ => 0,
    }
}

/// UTF-8 extended to 36 bits. Source: RFC 9639, 9.1.5.
fn put_coded_number(writer: &mut BitWriter, number: u64) {
    if number < 0x80 {
        writer.put(number, 8);
        return;
    }
    let significant = 64 - number.leading_zeros();
    // n continuation bytes carry 6 bits each, the first byte 6 - n more (none for n = 6).
    let continuations = (1..=6).find(|&n| significant <= 6 * n + 6 - n).unwrap_or(6);
    let marker = (0xff00u64 >> (continuations + 1)) & 0xff;
    writer.put(marker | number >> (6 * continuations), 8);
    for index in (0..continuations).rev() {
        writer.put(0x80 | (number >> (6 * index) & 0x3f), 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coded_numbers_are_utf_8() {
        for number in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff] {
            let mut writer = BitWriter::default();
            put_coded_number(&mut writer, number);
            if let Some(character) = char::from_u32(u32::try_from(number).unwrap()) {
                let mut buffer = [0; 4];
                assert_eq!(writer.bytes(), character.encode_utf8(&mut buffer).as_bytes());
            }
        }
        let mut writer = BitWriter::default();
        put_coded_number(&mut writer, (1 << 36) - 1);
        assert_eq!(writer.bytes(), [0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]);
    }
}
