//! A running hash of samples: whether a file decodes to what it was fed.

use wavemill_core::audio::Samples;

/// An odd factor without structure, so that every sample's bits reach the high ones: the multiplier
/// of P. L'Ecuyer, "Tables of linear congruential generators", Math. Comp. 68(225), 1999, for 2^64.
const FACTOR: u64 = 2_862_933_555_777_941_757;

/// Frames and a hash of each channel. It finds every single changed sample for certain and other
/// damage with a chance of 2^-64 of missing it; it is no defense against malice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Frames so far.
    pub(super) frames: u64,
    channels: Vec<u64>,
}

impl Fingerprint {
    /// Takes in further samples.
    pub(super) fn push(&mut self, samples: &Samples) {
        self.channels.resize(samples.channel_count(), 0);
        self.frames += samples.frame_count() as u64;
        match samples {
            Samples::Int { planes, .. } => {
                for (sum, plane) in self.channels.iter_mut().zip(planes) {
                    *sum = plane
                        .iter()
                        .fold(*sum, |sum, &sample| step(sum, u64::from(sample.cast_unsigned())));
                }
            }
            Samples::Float { planes } => {
                for (sum, plane) in self.channels.iter_mut().zip(planes) {
                    *sum = plane
                        .iter()
                        .fold(*sum, |sum, &sample| step(sum, u64::from(sample.to_bits())));
                }
            }
        }
    }
}

fn step(sum: u64, sample: u64) -> u64 {
    sum.wrapping_mul(FACTOR).wrapping_add(sample + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(planes: Vec<Vec<i32>>) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        fingerprint.push(&Samples::Int { bit_depth: 16, planes });
        fingerprint
    }

    #[test]
    fn blocks_do_not_matter_but_order_length_and_values_do() {
        let mut split = of(vec![vec![1, 2]]);
        split.push(&Samples::Int { bit_depth: 16, planes: vec![vec![3]] });
        let whole = of(vec![vec![1, 2, 3]]);
        assert_eq!(split, whole);
        for other in [vec![1, 3, 2], vec![1, 2], vec![1, 2, 3, 0], vec![1, 2, 4], vec![1, 2, -3]] {
            assert_ne!(of(vec![other]), whole);
        }
    }
}
