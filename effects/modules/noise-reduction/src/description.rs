//! What the noise reduction is called and what can be set.

use wavemill_effect::{Description, Param, Preset};

/// Parameter numbers; never given to another parameter.
pub const REDUCTION_DB: u32 = 0;
#[allow(missing_docs, reason = "as the first one: the keys below say what they are")]
mod ids {
    pub const SENSITIVITY_DB: u32 = 1;
    pub const LEARN: u32 = 2;
    pub const LISTEN: u32 = 3;
}
pub use ids::*;

#[rustfmt::skip]
const PARAMS: &[Param] = &[
    Param::new(REDUCTION_DB, "reduction_db", "Reduction", (0.0, 30.0, 12.0)).unit("dB")
        .summary("How much quieter noise gets at most; beyond about 15 dB what is left begins to sound artificial."),
    Param::new(SENSITIVITY_DB, "sensitivity_db", "Sensitivity", (-6.0, 12.0, 0.0)).unit("dB")
        .summary("Raises the noise that was found: more is taken away, from the voice as well."),
    Param::choice(LEARN, "learn", "Learn", &["off", "on"], 1)
        .summary("Whether it goes on learning the noise; off keeps what it knows, after the first 0.6 s."),
    Param::choice(LISTEN, "listen", "Listen", &["off", "on"], 0)
        .summary("Lets you hear what is taken away; there should be no words in it."),
];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("gentle", &[("reduction_db", 6.0)]),
    Preset::new("voice", &[("reduction_db", 12.0)]),
    Preset::new("podcast", &[("reduction_db", 10.0), ("sensitivity_db", 1.0)]),
    Preset::new("strong", &[("reduction_db", 20.0), ("sensitivity_db", 3.0)]),
    Preset::new("tape-hiss", &[("reduction_db", 9.0), ("sensitivity_db", -1.0)]),
];

const MANUAL: &str = "\
Takes the signal apart into overlapping pieces of 32 to 64 ms (2,048 frames at 44.1 and 48 kHz, never more than 8,192; a quarter apart), learns the noise in each bin from its quietest moments of the \
last 1.5 s (Martin, Noise Power Spectral Density Estimation Based on Optimal Smoothing and Minimum Statistics, IEEE Transactions on Speech and Audio Processing 9(5), 2001), and \
turns each bin down by a Wiener filter with a decision-directed signal-to-noise ratio (Ephraim & Malah, Speech Enhancement Using a Minimum Mean-Square Error Short-Time Spectral \
Amplitude Estimator, IEEE Transactions on Acoustics, Speech, and Signal Processing 32(6), 1984), never by more than the reduction. Measured with white noise at -50 dBFS under synthetic \
syllables at -20 dBFS: 11 dB less noise in the pauses, the syllables' overtones changed by less than 0.05 dB. Latency is one piece. Every channel is treated on its own.

Limits. It reduces what is steady: hiss, fans, hum, distant traffic; not clicks, music, other voices or reverberation. A tone that sounds for longer than 1.5 s is noise to it, so it is for \
speech, not for music. It takes the first half second to begin (nothing is reduced in the first 0.1 s, all from 0.6 s on), and of a voice that begins without a pause the \
first syllable loses 1 to 2 dB, more when it holds a vowel for half a second. Noise that gets louder is followed after 1.5 to 3 s, noise that gets quieter at once. Beyond about 15 dB, or with a high sensitivity, \
what is left of the noise warbles (musical noise) and faint consonants go; 6 to 12 dB is nearly always enough.";

/// The description, for the contract.
pub(crate) const fn describe() -> Description {
    Description::new("wavemill.noise-reduction", "Noise reduction", "1.0.0")
        .summary("Turns down steady noise under a voice, learning the noise while it runs.")
        .manual(MANUAL)
        .params(PARAMS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0")
}
