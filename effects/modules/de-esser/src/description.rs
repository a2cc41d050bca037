//! What the de-esser is called and what can be set.

use wavemill_effect::{Description, Meter, Param, Preset, Scale};

/// Parameter numbers; never given to another parameter.
pub const FREQUENCY_HZ: u32 = 0;
#[allow(missing_docs, reason = "as the first one: the keys below say what they are")]
mod ids {
    pub const THRESHOLD_DB: u32 = 1;
    pub const MAX_REDUCTION_DB: u32 = 2;
    pub const BANDS: u32 = 3;
    pub const ATTACK_MS: u32 = 4;
    pub const RELEASE_MS: u32 = 5;
    pub const LISTEN: u32 = 6;
}
pub use ids::*;

#[rustfmt::skip]
const PARAMS: &[Param] = &[
    Param::new(FREQUENCY_HZ, "frequency_hz", "Frequency", (2_000.0, 12_000.0, 5_500.0)).unit("Hz").scale(Scale::Logarithmic)
        .summary("Sibilance is what is above; about 4 to 6 kHz for low voices, 6 to 8 kHz for high ones."),
    Param::new(THRESHOLD_DB, "threshold_db", "Threshold", (-40.0, 0.0, -14.0)).unit("dB")
        .summary("How loud sibilance may be compared with the voice without it; three quarters of what is above is taken away."),
    Param::new(MAX_REDUCTION_DB, "max_reduction_db", "Greatest reduction", (0.0, 24.0, 8.0)).unit("dB")
        .summary("It never takes away more than this; too much makes a lisp."),
    Param::choice(BANDS, "bands", "Bands", &["split", "wide"], 0)
        .summary("Whether only what is above the frequency is turned down, or everything while a sibilant sounds."),
    Param::new(ATTACK_MS, "attack_ms", "Attack", (0.1, 20.0, 1.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of a new reduction, in decibels, is reached."),
    Param::new(RELEASE_MS, "release_ms", "Release", (5.0, 500.0, 50.0)).unit("ms").scale(Scale::Logarithmic)
        .summary("Time after which 63 % of the reduction, in decibels, is gone."),
    Param::choice(LISTEN, "listen", "Listen", &["off", "on"], 0)
        .summary("Lets you hear only the band that is watched, to find the frequency."),
];

const METERS: &[Meter] = &[Meter::new("reduction_db", "Reduction", (-24.0, 0.0))
    .unit("dB")
    .summary("How far sibilance is turned down.")];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("low-voice", &[("frequency_hz", 4_800.0), ("threshold_db", -14.0), ("max_reduction_db", 7.0)]),
    Preset::new("high-voice", &[("frequency_hz", 6_500.0), ("threshold_db", -14.0), ("max_reduction_db", 8.0)]),
    Preset::new("podcast", &[("frequency_hz", 5_000.0), ("threshold_db", -16.0), ("max_reduction_db", 6.0), ("release_ms", 60.0)]),
    Preset::new("gentle", &[("threshold_db", -11.0), ("max_reduction_db", 4.0), ("attack_ms", 2.0), ("release_ms", 80.0)]),
    Preset::new("strong", &[("threshold_db", -20.0), ("max_reduction_db", 14.0), ("attack_ms", 0.5), ("release_ms", 40.0)]),
    Preset::new("whole-voice", &[("bands", 1.0), ("threshold_db", -12.0), ("max_reduction_db", 6.0)]),
];

const MANUAL: &str = "\
Compares the power above the frequency (average over 1.5 ms) with that of the voice, which is what lies more than an octave below it (the larger of an average over \
10 ms and one that rises within 200 ms and falls within 1 s; all channels together): it works the same for quiet and for loud voices. A lone s before the first word has nothing \
to be compared with and gets the greatest reduction. Below about -60 dBFS it does nothing.

With split bands the signal goes through a fourth-order crossover (Linkwitz, Active Crossover Networks for Noncoincident Drivers, Journal of the Audio Engineering Society \
24(1), 1976): every frequency keeps its level, but phases turn around the crossover, also while nothing is reduced. With wide band the signal is untouched to the bit while \
nothing is reduced. The reduction follows with attack and release in decibels (Giannoulis, Massberg & Reiss, Digital Dynamic Range Compressor Design, 2012). No latency.

It is made for single voices. Cymbals and hi-hats are sibilance to it: use it on the voice's track, not on a mix.";

/// The description, for the contract.
pub(crate) const fn describe() -> Description {
    Description::new("wavemill.de-esser", "De-esser", "1.2.0")
        .summary("Turns down sharp sibilants of a voice, compared with the level of the voice.")
        .manual(MANUAL)
        .params(PARAMS)
        .meters(METERS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0")
}
