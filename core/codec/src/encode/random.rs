//! Random numbers for dither: small, seeded, the same on every machine.

/// The generator xoshiro256++.
///
/// Source: D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators", 2019.
#[derive(Clone, Debug)]
pub(super) struct Xoshiro256 {
    state: [u64; 4],
}

impl Xoshiro256 {
    /// A generator whose state is filled by `SplitMix64`, as its authors advise.
    pub(super) fn new(seed: u64) -> Self {
        let mut counter = seed;
        Self { state: std::array::from_fn(|_| split_mix(&mut counter)) }
    }

    /// The next 64 random bits.
    #[inline]
    pub(super) fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// The difference of two independent uniform numbers: triangular in `(-1, 1)`, variance 1/6.
    #[inline]
    pub(super) fn next_triangular(&mut self) -> f64 {
        /// 2^-32: from 32 random bits to `[0, 1)`.
        const UNIT: f64 = 1.0 / 4_294_967_296.0;
        let bits = self.next_u64();
        let difference = (bits >> 32).cast_signed() - (bits & 0xffff_ffff).cast_signed();
        difference as f64 * UNIT
    }
}

/// One step of `SplitMix64`.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
fn split_mix(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_of_seed_zero_gives_the_published_numbers() {
        // The sequence for seed 0 that the reference implementation prints.
        let mut counter = 0;
        assert_eq!(split_mix(&mut counter), 0xe220_a839_7b1d_cdaf);
        assert_eq!(split_mix(&mut counter), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn triangular_numbers_have_mean_zero_and_variance_one_sixth() {
        let mut random = Xoshiro256::new(1);
        let count = 1_000_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..count {
            let value = random.next_triangular();
            assert!(value > -1.0 && value < 1.0);
            sum += value;
            squares += value * value;
        }
        let count = f64::from(count);
        assert!((sum / count).abs() < 0.002, "{}", sum / count);
        assert!((squares / count * 6.0 - 1.0).abs() < 0.01, "{}", squares / count);
    }
}
