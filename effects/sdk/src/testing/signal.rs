//! Signals for tests, `[channel][frame]`.

/// Zeros.
pub fn silence(channels: usize, frames: usize) -> Vec<Vec<f32>> {
    vec![vec![0.0; frames]; channels]
}

/// 1.0 at the first frame, zeros after.
pub fn impulse(channels: usize, frames: usize) -> Vec<Vec<f32>> {
    let mut signal = silence(channels, frames);
    for plane in &mut signal {
        if let Some(first) = plane.first_mut() {
            *first = 1.0;
        }
    }
    signal
}

/// White noise, evenly distributed within +-`amplitude`; each channel its own, always the same.
///
/// Source: the `SplitMix64` generator; G. L. Steele, D. Lea, C. H. Flood, "Fast splittable
/// pseudorandom number generators", 2014.
#[expect(clippy::cast_possible_truncation, reason = "a sample")]
pub fn noise(channels: usize, frames: usize, amplitude: f32) -> Vec<Vec<f32>> {
    let mut state = 0_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((mixed ^ (mixed >> 31)) >> 40) as f64 / f64::from(1 << 23);
        (unit - 1.0) as f32 * amplitude
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}

/// A sine of `frequency_hz`, the same on all channels.
#[expect(clippy::cast_possible_truncation, reason = "a sample")]
pub fn sine(
    channels: usize,
    frames: usize,
    sample_rate_hz: f64,
    frequency_hz: f64,
    amplitude: f32,
) -> Vec<Vec<f32>> {
    let step = core::f64::consts::TAU * frequency_hz / sample_rate_hz;
    let plane = (0..frames).map(|at| crate::math::sin(step * at as f64) as f32 * amplitude);
    vec![plane.collect(); channels]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_fills_its_range_and_differs_between_channels() {
        let noise = noise(2, 10_000, 0.5);
        for plane in &noise {
            let (low, high) = plane.iter().fold((0.0_f32, 0.0_f32), |(low, high), sample| {
                (low.min(*sample), high.max(*sample))
            });
            assert!((-0.5..-0.499).contains(&low) && (0.499..0.5).contains(&high));
            let mean: f32 = plane.iter().sum::<f32>() / 10_000.0;
            assert!(mean.abs() < 0.01, "{mean}");
        }
        assert_ne!(noise[0], noise[1]);
    }

    #[test]
    fn sine_of_a_quarter_of_the_rate_alternates() {
        let plane = &sine(1, 4, 48_000.0, 12_000.0, 0.5)[0];
        for (sample, expected) in plane.iter().zip([0.0, 0.5, 0.0, -0.5]) {
            assert!((sample - expected).abs() < 1e-7);
        }
    }
}
