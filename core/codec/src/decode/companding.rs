//! Samples of 8 bits on a logarithmic scale: mu-law and A-law.
//!
//! Source: ITU-T G.711 (1988), tables 1 and 2. Values are those of the tables, shifted up to 16 bits.

/// Which of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Mu,
    A,
}

/// Bits of what is decoded.
pub(super) const BIT_DEPTH: u16 = 16;

/// Added to a magnitude before mu-law finds its segment: 33 at 14 bits.
const MU_BIAS: i32 = 33 << 2;

impl Law {
    /// The codec's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mu => "mulaw",
            Self::A => "alaw",
        }
    }

    /// The value of every byte.
    pub(super) fn table(self) -> &'static [i32; 256] {
        match self {
            Self::Mu => &MU,
            Self::A => &A,
        }
    }
}

static MU: [i32; 256] = table(Law::Mu);
static A: [i32; 256] = table(Law::A);

const fn table(law: Law) -> [i32; 256] {
    let mut values = [0; 256];
    let mut byte = 0u8;
    loop {
        values[byte as usize] = match law {
            Law::Mu => mu(byte),
            Law::A => a(byte),
        };
        if byte == u8::MAX {
            return values;
        }
        byte += 1;
    }
}

/// All bits are inverted: sign, segment, step.
const fn mu(byte: u8) -> i32 {
    let code = !byte;
    let (segment, step) = (code >> 4 & 7, (code & 15) as i32);
    let magnitude = (((step << 3) + MU_BIAS) << segment) - MU_BIAS;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// Even bits are inverted; the first two segments have the same step.
const fn a(byte: u8) -> i32 {
    let code = byte ^ 0x55;
    let (segment, step) = (code >> 4 & 7, (code & 15) as i32);
    // The middle of the interval.
    let within = (step << 4) + 8;
    let magnitude = if segment == 0 { within } else { (within + 0x100) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_recommendation() {
        // Table 2a: decoder outputs 8031, 99, 1, 0 of 14 bits. Table 1a: 4032, 66, 1 of 13 bits.
        let mu = Law::Mu.table();
        assert_eq!([0x80, 0xdf, 0xfe, 0xff].map(|byte: usize| mu[byte]), [32124, 396, 8, 0]);
        assert_eq!([0x00, 0x7f].map(|byte: usize| mu[byte]), [-32124, 0]);
        let a = Law::A.table();
        assert_eq!([0xaa, 0xf5, 0xd5].map(|byte: usize| a[byte]), [32256, 528, 8]);
        assert_eq!([0x2a, 0x55].map(|byte: usize| a[byte]), [-32256, -8]);
    }

    #[test]
    fn values_of_a_law_rise_with_the_code() {
        for law in [Law::Mu, Law::A] {
            let mut values = law.table().to_vec();
            values.sort_unstable();
            // Mu-law has two zeros, A-law none.
            values.dedup();
            assert_eq!(values.len(), if law == Law::Mu { 255 } else { 256 });
            assert!(values.iter().zip(values.iter().rev()).all(|(low, high)| *low == -*high));
        }
    }
}
