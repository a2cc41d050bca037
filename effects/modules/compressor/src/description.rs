//! What the compressor is called and what can be set.

use effect_common::side_chain::{HIGH_PASS_OFF_HZ, LOW_PASS_OFF_HZ};
use wavemill_effect::{Description, Meter, Param, Preset, Scale};

/// Parameter numbers; never given to another parameter.
pub const THRESHOLD_DB: u32 = 0;
#[allow(missing_docs, reason = "as the first one: the keys below say what they are")]
mod ids {
    pub const RATIO: u32 = 1;
    pub const KNEE_DB: u32 = 2;
    pub const ATTACK_MS: u32 = 3;
    pub const RELEASE_MS: u32 = 4;
    pub const MAKEUP_DB: u32 = 5;
    pub const MIX: u32 = 6;
    pub const HIGH_PASS_HZ: u32 = 7;
    pub const LOW_PASS_HZ: u32 = 8;
    pub const DETECTOR: u32 = 9;
    pub const LINK: u32 = 10;
    pub const LOOKAHEAD_MS: u32 = 11;
    pub const AUTO_RELEASE: u32 = 12;
}
pub use ids::*;

#[rustfmt::skip]
const PARAMS: &[Param] = &[
    Param::new(THRESHOLD_DB, "threshold_db", "Threshold", (-60.0, 0.0, -18.0)).unit("dBFS")
        .summary("Level from which on it compresses."),
    Param::new(RATIO, "ratio", "Ratio", (1.0, 100.0, 3.0)).scale(Scale::Logarithmic)
        .summary("Decibels above the threshold that become one decibel; 1 does nothing, 100 is as good as a limit."),
    Param::new(KNEE_DB, "knee_db", "Knee", (0.0, 24.0, 6.0)).unit("dB")
        .summary("Width of the bend around the threshold; 0 is a corner."),
    Param::new(ATTACK_MS, "attack_ms", "Attack", (0.05, 250.0, 10.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of a new reduction, in decibels, is reached."),
    Param::new(RELEASE_MS, "release_ms", "Release", (5.0, 3_000.0, 120.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of the reduction, in decibels, is gone."),
    Param::new(MAKEUP_DB, "makeup_db", "Make-up gain", (-12.0, 36.0, 0.0)).unit("dB")
        .summary("Gain after the compression."),
    Param::new(MIX, "mix", "Mix", (0.0, 1.0, 1.0))
        .summary("Part of the compressed signal; below 1 the untouched signal is added (parallel compression)."),
    Param::new(HIGH_PASS_HZ, "sidechain_high_pass_hz", "Side-chain high-pass", (HIGH_PASS_OFF_HZ, 2_000.0, HIGH_PASS_OFF_HZ))
        .unit("Hz").scale(Scale::Logarithmic)
        .summary("Frequencies below, 12 dB an octave, do not make it compress; 20 Hz is off."),
    Param::new(LOW_PASS_HZ, "sidechain_low_pass_hz", "Side-chain low-pass", (200.0, LOW_PASS_OFF_HZ, LOW_PASS_OFF_HZ))
        .unit("Hz").scale(Scale::Logarithmic)
        .summary("Frequencies above, 12 dB an octave, do not make it compress; 20 kHz is off."),
    Param::choice(DETECTOR, "detector", "Detector", &["peak", "rms"], 0)
        .summary("Whether single peaks or the mean square over about 10 ms is compared with the threshold; a sine's is 3 dB lower."),
    Param::new(LINK, "link", "Channel link", (0.0, 1.0, 1.0))
        .summary("1: all channels get the reduction of the loudest, so that the image stays; 0: each its own."),
    Param::new(LOOKAHEAD_MS, "lookahead_ms", "Look-ahead", (0.0, 20.0, 0.0)).unit("ms").restart()
        .summary("Delays the audio, not the detector, so that an attack is over when the peak arrives; this is its latency."),
    Param::choice(AUTO_RELEASE, "auto_release", "Automatic release", &["off", "on"], 0)
        .summary("After a short peak it recovers as set, after sustained reduction up to 8 times slower."),
];

const METERS: &[Meter] = &[Meter::new("reduction_db", "Reduction", (-36.0, 0.0))
    .unit("dB")
    .summary("Gain reduction of the channel that is reduced most, before makeup and mix.")];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("voice", &[
        ("threshold_db", -22.0), ("ratio", 3.0), ("knee_db", 8.0), ("attack_ms", 5.0), ("release_ms", 120.0),
        ("makeup_db", 4.0), ("sidechain_high_pass_hz", 90.0), ("detector", 1.0),
    ]),
    Preset::new("podcast", &[
        ("threshold_db", -26.0), ("ratio", 4.0), ("knee_db", 10.0), ("attack_ms", 3.0), ("release_ms", 150.0),
        ("makeup_db", 7.0), ("sidechain_high_pass_hz", 100.0), ("detector", 1.0), ("lookahead_ms", 3.0), ("auto_release", 1.0),
    ]),
    Preset::new("bus-glue", &[
        ("threshold_db", -16.0), ("ratio", 2.0), ("knee_db", 8.0), ("attack_ms", 30.0), ("release_ms", 120.0),
        ("makeup_db", 1.5), ("sidechain_high_pass_hz", 60.0), ("detector", 1.0), ("auto_release", 1.0),
    ]),
    Preset::new("drums", &[
        ("threshold_db", -14.0), ("ratio", 4.0), ("knee_db", 3.0), ("attack_ms", 20.0), ("release_ms", 80.0), ("makeup_db", 3.0),
    ]),
    Preset::new("parallel-drums", &[
        ("threshold_db", -34.0), ("ratio", 10.0), ("knee_db", 3.0), ("attack_ms", 0.5), ("release_ms", 60.0),
        ("makeup_db", 12.0), ("mix", 0.35),
    ]),
    Preset::new("bass", &[
        ("threshold_db", -20.0), ("ratio", 4.0), ("knee_db", 6.0), ("attack_ms", 15.0), ("release_ms", 180.0),
        ("makeup_db", 4.0), ("detector", 1.0),
    ]),
    Preset::new("limiter-ish", &[
        ("threshold_db", -3.0), ("ratio", 100.0), ("knee_db", 0.0), ("attack_ms", 0.5), ("release_ms", 80.0), ("lookahead_ms", 3.0),
    ]),
];

const MANUAL: &str = "\
A feed-forward compressor that works in decibels throughout: detector, static curve with a parabolic knee, then attack and release on the \
reduction (the smooth branching detector of Giannoulis, Massberg & Reiss, Digital Dynamic Range Compressor Design, Journal of the Audio \
Engineering Society 60(6), 2012). Attack and release are time constants: after one of them 63 % of the way in decibels is gone, after three 95 %.

Peaks are those of samples. They hold on for 10 ms, or half the release where that is shorter, so that a tone from 50 Hz up has one level; that time is part of the \
release. With a release shorter than a period of the lowest tone the gain follows the wave and distorts it: use rms or a longer release. Without look-ahead the first wave of an attack passes; it is no limiter even with ratio 100 (3 ms of look-ahead and an \
attack of 0.5 ms keep overshoots within about 0.1 dB of the curve; for a ceiling that holds use the step `limit`). The release begins earlier by the look-ahead as well. \
Latency is exactly the look-ahead; the mixed-in untouched signal is delayed with it.

Parameters glide to new values within 20 ms. The side-chain filters are heard by the detector only.";

/// The description, for the contract.
pub(crate) const fn describe() -> Description {
    Description::new("wavemill.compressor", "Compressor", "1.2.0")
        .summary("Reduces the dynamic range above a threshold, with soft knee, side-chain filters, look-ahead and linked channels.")
        .manual(MANUAL)
        .params(PARAMS)
        .meters(METERS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0")
}
