//! What the gate is called and what can be set.

use crate::latch::RANGE_SILENT_DB;
use effect_common::side_chain::{HIGH_PASS_OFF_HZ, LOW_PASS_OFF_HZ};
use wavemill_effect::{Description, Meter, Param, Preset, Scale};

/// Parameter numbers; never given to another parameter.
pub const THRESHOLD_DB: u32 = 0;
#[allow(missing_docs, reason = "as the first one: the keys below say what they are")]
mod ids {
    pub const HYSTERESIS_DB: u32 = 1;
    pub const ATTACK_MS: u32 = 2;
    pub const HOLD_MS: u32 = 3;
    pub const RELEASE_MS: u32 = 4;
    pub const RANGE_DB: u32 = 5;
    pub const HIGH_PASS_HZ: u32 = 6;
    pub const LOW_PASS_HZ: u32 = 7;
    pub const LOOKAHEAD_MS: u32 = 8;
}
pub use ids::*;

#[rustfmt::skip]
const PARAMS: &[Param] = &[
    Param::new(THRESHOLD_DB, "threshold_db", "Threshold", (-80.0, 0.0, -45.0)).unit("dBFS")
        .summary("Peak level from which on it opens."),
    Param::new(HYSTERESIS_DB, "hysteresis_db", "Hysteresis", (0.0, 24.0, 6.0)).unit("dB")
        .summary("How far below the threshold the level may fall before an open gate closes; keeps it from chattering."),
    Param::new(ATTACK_MS, "attack_ms", "Attack", (0.02, 100.0, 1.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of the way to open is gone, in amplitude."),
    Param::new(HOLD_MS, "hold_ms", "Hold", (0.0, 2_000.0, 80.0)).unit("ms")
        .summary("How long it stays entirely open after the last loud sample; at least one period of the lowest tone."),
    Param::new(RELEASE_MS, "release_ms", "Release", (2.0, 3_000.0, 100.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of the way to closed is gone, in amplitude: 8.7 dB each time."),
    Param::new(RANGE_DB, "range_db", "Range", (0.0, RANGE_SILENT_DB, 40.0)).unit("dB")
        .summary("How much quieter a closed gate is; 0 does nothing, 100 is silence."),
    Param::new(HIGH_PASS_HZ, "sidechain_high_pass_hz", "Side-chain high-pass", (HIGH_PASS_OFF_HZ, 4_000.0, HIGH_PASS_OFF_HZ))
        .unit("Hz").scale(Scale::Logarithmic)
        .summary("Frequencies below, 12 dB an octave, do not open it; 20 Hz is off."),
    Param::new(LOW_PASS_HZ, "sidechain_low_pass_hz", "Side-chain low-pass", (100.0, LOW_PASS_OFF_HZ, LOW_PASS_OFF_HZ))
        .unit("Hz").scale(Scale::Logarithmic)
        .summary("Frequencies above, 12 dB an octave, do not open it; 20 kHz is off."),
    Param::new(LOOKAHEAD_MS, "lookahead_ms", "Look-ahead", (0.0, 20.0, 0.0)).unit("ms").restart()
        .summary("Delays the audio, not the detector, so that it is open before the first sound; this is its latency."),
];

const METERS: &[Meter] = &[Meter::new("reduction_db", "Reduction", (-100.0, 0.0))
    .unit("dB")
    .summary("How far the gate turns the signal down; -100 is silence.")];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("voice", &[
        ("threshold_db", -42.0), ("attack_ms", 1.0), ("hold_ms", 150.0), ("release_ms", 150.0), ("range_db", 20.0),
        ("sidechain_high_pass_hz", 100.0), ("lookahead_ms", 3.0),
    ]),
    Preset::new("podcast", &[
        ("threshold_db", -45.0), ("hysteresis_db", 8.0), ("attack_ms", 2.0), ("hold_ms", 250.0), ("release_ms", 250.0),
        ("range_db", 12.0), ("sidechain_high_pass_hz", 120.0), ("lookahead_ms", 5.0),
    ]),
    Preset::new("kick", &[
        ("threshold_db", -24.0), ("attack_ms", 0.05), ("hold_ms", 60.0), ("release_ms", 60.0), ("range_db", 60.0),
        ("sidechain_low_pass_hz", 200.0), ("lookahead_ms", 2.0),
    ]),
    Preset::new("snare", &[
        ("threshold_db", -24.0), ("attack_ms", 0.05), ("hold_ms", 80.0), ("release_ms", 90.0), ("range_db", 40.0),
        ("sidechain_high_pass_hz", 250.0), ("lookahead_ms", 1.0),
    ]),
    Preset::new("guitar-amp", &[
        ("threshold_db", -52.0), ("hysteresis_db", 10.0), ("attack_ms", 0.5), ("hold_ms", 100.0), ("release_ms", 200.0), ("range_db", 60.0),
    ]),
    Preset::new("silence-between", &[
        ("threshold_db", -55.0), ("attack_ms", 1.0), ("hold_ms", 300.0), ("release_ms", 150.0), ("range_db", 100.0), ("lookahead_ms", 5.0),
    ]),
];

const MANUAL: &str = "\
Opens when a sample of any channel reaches the threshold, stays open as long as samples reach threshold minus hysteresis, holds, then closes. \
All channels open and close together, so that the image stays. The gain moves by a one-pole low-pass in amplitude (hysteresis, hold, attack and release after Zoelzer, \
DAFX: Digital Audio Effects, 2nd edition, 2011, chapter 4). An open gate passes the signal to the bit, 18 attack times after it opened.

The detector is the bare sample, without smoothing: a tone stays below any threshold around its zero crossings, so the hold time must bridge them (10 ms for 50 Hz). \
A gate cannot tell noise from quiet speech: noise under the voice stays, and a hiss that comes and goes with the words is more annoying than a steady \
one; for voices use a small range (10 to 20 dB) and long times, or the effect noise-reduction. Latency is exactly the look-ahead.";

/// The description, for the contract.
pub(crate) const fn describe() -> Description {
    Description::new("wavemill.gate", "Gate", "1.1.0")
        .summary("Turns down what is quieter than a threshold, with hysteresis, hold, range, side-chain filters and look-ahead.")
        .manual(MANUAL)
        .params(PARAMS)
        .meters(METERS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0")
}
