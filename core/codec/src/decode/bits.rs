//! Bits of headers, highest first.

/// Reads numbers bit by bit.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `count` bits, up to 32; `None` when there are not as many.
    pub(super) fn read(&mut self, count: usize) -> Option<u32> {
        debug_assert!(count <= 32);
        if self.left() < count {
            return None;
        }
        let value = (self.position..self.position + count)
            .fold(0, |value, bit| value << 1 | u32::from(self.bytes[bit / 8] >> (7 - bit % 8) & 1));
        self.position += count;
        Some(value)
    }

    /// The next bit.
    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }

    /// Passes over `count` bits.
    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        if self.left() < count {
            return None;
        }
        self.position += count;
        Some(())
    }

    /// Bits that were not read.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_highest_first_and_not_beyond_the_end() {
        let mut bits = Bits::new(&[0b1010_0110, 0xff]);
        assert_eq!(bits.read(3), Some(0b101));
        assert_eq!(bits.flag(), Some(false));
        assert_eq!(bits.read(6), Some(0b01_1011));
        assert_eq!(bits.skip(7), None);
        assert_eq!((bits.read(6), bits.left(), bits.read(1)), (Some(0b11_1111), 0, None));
    }
}
