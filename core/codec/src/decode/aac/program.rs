//! Channels that no number stands for: the program config element.

use crate::decode::bits::Bits;

/// The element that describes a program.
const PROGRAM_CONFIG: u32 = 5;

/// Fields of the element before the flags of its mixes: instance, profile, rate, then how many elements there
/// are in front, at the sides, at the back, for low frequencies, of data and of couplings.
const FIELDS: [usize; 9] = [4, 2, 4, 4, 4, 4, 2, 3, 4];

/// Bits of the fields that follow the flags, where these are set: two mixes and a matrix.
const MIXES: [usize; 3] = [4, 4, 3];

/// Bits for each of the elements counted in [`FIELDS`] from the fourth on.
const ELEMENTS: [usize; 6] = [5, 5, 5, 4, 4, 5];

/// Writes the program config element that a packet begins with behind `head`, which ends at a byte and is
/// what stands before it in an `AudioSpecificConfig`.
///
/// Source: ISO/IEC 14496-3:2019, 4.4.1.1 (`program_config_element`), whose comment begins at a byte of what it
/// stands in; it is left out here.
pub(super) fn copied(head: [u8; 2], packet: &[u8]) -> Option<Vec<u8>> {
    let mut bits = Bits::new(packet);
    if bits.read(3)? != PROGRAM_CONFIG {
        return None;
    }
    let mut copy = Copy { written: head.to_vec(), free: 0 };
    let mut fields = [0; FIELDS.len()];
    for (field, count) in fields.iter_mut().zip(FIELDS) {
        *field = copy.field(&mut bits, count)?;
    }
    for count in MIXES {
        if copy.field(&mut bits, 1)? == 1 {
            copy.field(&mut bits, count)?;
        }
    }
    for (count, width) in fields[3..].iter().zip(ELEMENTS) {
        for _ in 0..*count {
            copy.field(&mut bits, width)?;
        }
    }
    // At the next byte the length of the comment.
    copy.written.push(0);
    Some(copy.written)
}

/// What was written, and how many bits of its last byte are free.
struct Copy {
    written: Vec<u8>,
    free: usize,
}

impl Copy {
    fn field(&mut self, bits: &mut Bits<'_>, count: usize) -> Option<u32> {
        let value = bits.read(count)?;
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.written.push(0);
                self.free = 8;
            }
            self.free -= 1;
            let last = self.written.last_mut().expect("has just been written");
            *last |= u8::from(value >> bit & 1 == 1) << self.free;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_copied_without_its_comment() {
        // Element 5; instance 0, profile 1, rate 3; one pair in front, none elsewhere; no mixes; the pair 1, 0.
        // 101 0000 01 0011 0001 0000 0000 00 000 0000 0 0 0 10000, then to a byte, then a comment.
        let packet =
            [0b1010_0000, 0b1001_1000, 0b1000_0000, 0, 0b0000_0100, 0, 3, b'a', b'b', b'c'];
        let copy = copied([0x11, 0x80], &packet).unwrap();
        assert_eq!(copy, [0x11, 0x80, 0b0000_0100, 0b1100_0100, 0, 0, 0b0010_0000, 0]);
    }

    #[test]
    fn other_elements_and_cut_ones_are_none() {
        assert_eq!(copied([0, 0], &[]), None);
        assert_eq!(copied([0, 0], &[0b0010_0000; 20]), None);
        assert_eq!(copied([0, 0], &[0b1011_1111; 9]), None);
    }
}
