//! Signals with known properties, the same on every machine and in every run.

use std::f64::consts::TAU;

/// Planar samples, full scale at 1.0.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// One channel's samples each, all of one length.
    pub planes: Vec<Vec<f32>>,
}

impl Signal {
    /// Frames.
    pub fn frame_count(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Channels.
    pub fn channel_count(&self) -> usize {
        self.planes.len()
    }

    /// The signal with every sample multiplied.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        for sample in self.planes.iter_mut().flatten() {
            *sample *= factor;
        }
        self
    }

    /// Each channel computed by a function of its index.
    fn from_channels(
        sample_rate_hz: u32,
        channel_count: usize,
        channel: impl FnMut(usize) -> Vec<f64>,
    ) -> Self {
        let planes = (0..channel_count).map(channel);
        Self { sample_rate_hz, planes: planes.map(|plane| narrow(&plane)).collect() }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
fn narrow(plane: &[f64]) -> Vec<f32> {
    plane.iter().map(|sample| *sample as f32).collect()
}

/// A small generator of random numbers: `SplitMix64`, whose whole state is its seed.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014, figure 17.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly distributed in -1..1.
    pub fn bipolar(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A place in something of `length`.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }

    /// One of them.
    pub fn choice<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// Eight random bits.
    pub fn byte(&mut self) -> u8 {
        self.bits().to_le_bytes()[7]
    }
}

/// A steady sine in every channel.
pub fn sine(rate_hz: u32, channels: usize, frames: usize, hz: f64, amplitude: f64) -> Signal {
    let step = TAU * hz / f64::from(rate_hz);
    Signal::from_channels(rate_hz, channels, |_| {
        (0..frames).map(|n| amplitude * (step * n as f64).sin()).collect()
    })
}

/// Noise with equal energy per octave, independent in each channel; peaks near `amplitude`.
pub fn pink(rate_hz: u32, channels: usize, frames: usize, amplitude: f64, seed: u64) -> Signal {
    Signal::from_channels(rate_hz, channels, |channel| {
        let mut noise = Pink::new(seed.wrapping_add(channel as u64));
        (0..frames).map(|_| amplitude * noise.next_sample()).collect()
    })
}

/// Like a voice: a harmonic buzz through two resonances in syllables, with breaths of silence between
/// phrases. Mostly soft, with a high crest.
pub fn speech(rate_hz: u32, channels: usize, frames: usize, amplitude: f64, seed: u64) -> Signal {
    let rate = f64::from(rate_hz);
    let mut random = Random::new(seed);
    let mut formants = [Resonance::new(rate, 600.0), Resonance::new(rate, 1700.0)];
    let (mut phase, mut pitch_hz, mut loud) = (0.0f64, 120.0, 0.0);
    let mut plane = Vec::with_capacity(frames);
    for n in 0..frames {
        let t = n as f64 / rate;
        if n.is_multiple_of(rate_hz as usize / 5) {
            pitch_hz = 120.0 + 30.0 * random.bipolar();
            // Every ninth syllable or so is a breath.
            loud = if random.below(9) == 0 { 0.0 } else { 0.6 + 0.4 * random.bipolar() };
        }
        phase += pitch_hz / rate;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase -= phase.floor();
        let excitation = pulse + 0.02 * random.bipolar();
        let voice: f64 = formants.iter_mut().map(|formant| formant.next(excitation)).sum();
        let syllable = (TAU * 2.5 * t).sin().abs();
        plane.push(voice * syllable * loud);
    }
    normalize(&mut plane, amplitude);
    Signal::from_channels(rate_hz, channels, |_| plane.clone())
}

/// Like a dense mix: chords, a beat and noise, driven into saturation; loud, with a low crest.
pub fn music(rate_hz: u32, channels: usize, frames: usize, amplitude: f64, seed: u64) -> Signal {
    const CHORDS_HZ: [[f64; 3]; 4] = [
        [220.0, 277.2, 329.6],
        [196.0, 246.9, 293.7],
        [174.6, 220.0, 261.6],
        [164.8, 207.7, 246.9],
    ];
    let rate = f64::from(rate_hz);
    Signal::from_channels(rate_hz, channels, |channel| {
        let mut noise = Pink::new(seed.wrapping_add(channel as u64));
        let detune = 1.0 + 0.002 * channel as f64;
        let mut plane: Vec<f64> = (0..frames)
            .map(|n| {
                let t = n as f64 / rate;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "t >= 0"
                )]
                let chord = CHORDS_HZ[(t / 2.0) as usize % CHORDS_HZ.len()];
                let tones: f64 = chord.iter().map(|hz| (TAU * hz * detune * t).sin()).sum();
                let beat = (-12.0 * (t * 2.0).fract()).exp();
                let kick = beat * (TAU * 55.0 * t).sin();
                (0.5 * tones + 1.2 * kick + (0.2 + beat) * noise.next_sample()).tanh()
            })
            .collect();
        normalize(&mut plane, amplitude);
        plane
    })
}

/// Single samples of `amplitude`, one every `period` frames, in silence.
pub fn impulses(
    rate_hz: u32,
    channels: usize,
    frames: usize,
    amplitude: f64,
    period: usize,
) -> Signal {
    Signal::from_channels(rate_hz, channels, |_| {
        let at = |n: usize| if n.is_multiple_of(period) { amplitude } else { 0.0 };
        (0..frames).map(at).collect()
    })
}

fn normalize(plane: &mut [f64], amplitude: f64) {
    let peak = plane.iter().fold(0.0f64, |peak, sample| peak.max(sample.abs()));
    if peak > 0.0 {
        for sample in plane {
            *sample *= amplitude / peak;
        }
    }
}

/// White noise through a sum of first-order low-passes.
///
/// Source: P. Kellet's filter, in R. Bristow-Johnson, "DSP generation of pink noise", 1999.
struct Pink {
    random: Random,
    state: [f64; 3],
}

impl Pink {
    fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), state: [0.0; 3] }
    }

    fn next_sample(&mut self) -> f64 {
        let white = self.random.bipolar();
        let [a, b, c] = &mut self.state;
        *a = 0.99765 * *a + white * 0.0990460;
        *b = 0.96300 * *b + white * 0.2965164;
        *c = 0.57000 * *c + white * 1.0526913;
        // The sum stays below 8 with this white noise; a quarter keeps usual peaks near 1.
        (*a + *b + *c + white * 0.1848) / 4.0
    }
}

/// A two-pole resonance of 100 Hz width.
struct Resonance {
    feedback: [f64; 2],
    state: [f64; 2],
}

impl Resonance {
    fn new(rate: f64, hz: f64) -> Self {
        let radius = (-std::f64::consts::PI * 100.0 / rate).exp();
        let feedback = [2.0 * radius * (TAU * hz / rate).cos(), -radius * radius];
        Self { feedback, state: [0.0; 2] }
    }

    fn next(&mut self, input: f64) -> f64 {
        let [a, b] = self.feedback;
        let output = input + a * self.state[0] + b * self.state[1];
        self.state = [output, self.state[0]];
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_repeat_with_their_seed() {
        assert_eq!(pink(48_000, 2, 100, 0.5, 7), pink(48_000, 2, 100, 0.5, 7));
        assert_ne!(pink(48_000, 2, 100, 0.5, 7), pink(48_000, 2, 100, 0.5, 8));
        assert_eq!(music(44_100, 2, 100, 0.5, 7), music(44_100, 2, 100, 0.5, 7));
    }

    #[test]
    fn channels_of_noise_differ() {
        let noise = pink(48_000, 2, 100, 0.5, 7);
        assert_ne!(noise.planes[0], noise.planes[1]);
    }

    #[test]
    fn speech_has_a_higher_crest_than_music() {
        let crest = |signal: &Signal| {
            let plane = &signal.planes[0];
            let square: f32 = plane.iter().map(|s| s * s).sum::<f32>() / plane.len() as f32;
            plane.iter().fold(0.0f32, |peak, s| peak.max(s.abs())) / square.sqrt()
        };
        let voice = speech(48_000, 1, 480_000, 0.5, 1);
        let mix = music(48_000, 1, 480_000, 0.5, 1);
        assert!(crest(&voice) > 2.0 * crest(&mix), "{} {}", crest(&voice), crest(&mix));
    }
}
