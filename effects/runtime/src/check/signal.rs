//! What modules are fed: synthesized, the same on every machine.

/// Samples, `[channel][frame]`.
pub(super) type Planes = Vec<Vec<f32>>;

/// Peak of [`noise`]: -6 dBFS, loud enough for everything that reacts to level.
pub(super) const NOISE_PEAK: f32 = 0.5;

/// White noise within +-[`NOISE_PEAK`], another in every channel.
pub(super) fn noise(channel_count: usize, frame_count: usize, seed: u64) -> Planes {
    let channel = |channel: usize| {
        let mut random = Random::new(seed.wrapping_mul(64).wrapping_add(channel as u64));
        (0..frame_count).map(|_| random.bipolar() * NOISE_PEAK).collect()
    };
    (0..channel_count).map(channel).collect()
}

/// [`noise`] that pauses: what a noise gate lets pass and a noise reduction does not take for noise.
pub(super) fn bursts(channel_count: usize, frame_count: usize, period: usize, seed: u64) -> Planes {
    let mut planes = noise(channel_count, frame_count, seed);
    for plane in &mut planes {
        for (index, sample) in plane.iter_mut().enumerate() {
            if index % period >= period / 4 {
                *sample *= 0.001;
            }
        }
    }
    planes
}

/// The same samples in every channel.
pub(super) fn each(
    channel_count: usize,
    frame_count: usize,
    sample: impl Fn(usize) -> f32,
) -> Planes {
    vec![(0..frame_count).map(sample).collect(); channel_count]
}

/// Zeros.
pub(super) fn silence(channel_count: usize, frame_count: usize) -> Planes {
    vec![vec![0.0; frame_count]; channel_count]
}

/// One signal after the other.
pub(super) fn joined(parts: &[&Planes]) -> Planes {
    let count = parts.first().map_or(0, |part| part.len());
    let channel =
        |channel: usize| parts.iter().flat_map(|part| part[channel].iter().copied()).collect();
    (0..count).map(channel).collect()
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (`SplitMix64`), 2014.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `count`, which is not 0.
    #[cfg(test)]
    #[expect(clippy::cast_possible_truncation, reason = "below `count`, which is a `usize`")]
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// Any byte.
    #[cfg(test)]
    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// One of some things, of which there is at least one.
    #[cfg(test)]
    pub(crate) fn choice<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// At least -1, below 1; a multiple of 2^-23, so that products stay exact for long.
    #[expect(clippy::cast_possible_truncation, reason = "24 bits fit a float")]
    fn bipolar(&mut self) -> f32 {
        (((self.next() >> 40) as f64 - 8_388_608.0) / 8_388_608.0) as f32
    }
}
