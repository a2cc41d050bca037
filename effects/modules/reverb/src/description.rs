//! What the reverberator is called and what can be set.

use wavemill_effect::{Description, Param, Preset, Scale};

pub(crate) const ROOM_SIZE: u32 = 1;
pub(crate) const DECAY: u32 = 2;
pub(crate) const DAMPING: u32 = 3;
pub(crate) const PRE_DELAY: u32 = 4;
pub(crate) const LOW_CUT: u32 = 5;
pub(crate) const MODULATION: u32 = 6;
pub(crate) const WIDTH: u32 = 7;
pub(crate) const WET: u32 = 8;
pub(crate) const DRY: u32 = 9;

const PARAMS: &[Param] = &[
    Param::new(ROOM_SIZE, "room_size", "Room size", (0.0, 1.0, 0.5))
        .restart()
        .summary("How far apart echoes are: from a small booth to a cathedral."),
    Param::new(DECAY, "decay_s", "Decay", (0.2, 20.0, 1.6))
        .unit("s")
        .scale(Scale::Logarithmic)
        .summary("Time in which the reverberation falls by 60 dB (T60)."),
    Param::new(DAMPING, "damping", "Damping", (0.0, 1.0, 0.5))
        .summary("How much sooner high frequencies are gone: 0 not at all, 0.5 at 8 kHz in about half the time."),
    Param::new(PRE_DELAY, "pre_delay_ms", "Pre-delay", (0.0, 250.0, 10.0))
        .unit("ms")
        .restart()
        .summary("Time between the sound and its reverberation."),
    Param::new(LOW_CUT, "low_cut_hz", "Low cut", (10.0, 1000.0, 80.0))
        .unit("Hz")
        .scale(Scale::Logarithmic)
        .summary("Below it the reverberation gets thinner, by 6 dB an octave."),
    Param::new(MODULATION, "modulation", "Modulation", (0.0, 1.0, 0.6))
        .summary("How fast the paths of the echoes change, against metallic ringing; it does not detune."),
    Param::new(WIDTH, "width", "Width", (0.0, 1.0, 1.0))
        .summary("Stereo: from the same reverberation on both sides to two of their own."),
    Param::new(WET, "wet", "Wet", (0.0, 1.0, 0.25))
        .summary("Factor of the reverberation; at 1 it is as loud as the sound itself."),
    Param::new(DRY, "dry", "Dry", (0.0, 1.0, 1.0))
        .summary("Factor of the sound itself."),
];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("ambience", &[
        ("room_size", 0.15), ("decay_s", 0.4), ("damping", 0.4), ("pre_delay_ms", 0.0), ("low_cut_hz", 150.0), ("wet", 0.2),
    ]),
    Preset::new("room", &[
        ("room_size", 0.25), ("decay_s", 0.6), ("damping", 0.55), ("pre_delay_ms", 3.0), ("low_cut_hz", 120.0), ("wet", 0.25),
    ]),
    Preset::new("studio", &[
        ("room_size", 0.4), ("decay_s", 0.9), ("damping", 0.5), ("pre_delay_ms", 8.0), ("low_cut_hz", 120.0), ("wet", 0.22),
    ]),
    Preset::new("plate", &[
        ("room_size", 0.3), ("decay_s", 1.8), ("damping", 0.15), ("pre_delay_ms", 0.0), ("low_cut_hz", 200.0),
        ("modulation", 0.8), ("wet", 0.25),
    ]),
    Preset::new("vocal", &[
        ("room_size", 0.45), ("decay_s", 1.4), ("damping", 0.35), ("pre_delay_ms", 35.0), ("low_cut_hz", 250.0), ("wet", 0.18),
    ]),
    Preset::new("hall", &[
        ("room_size", 0.75), ("decay_s", 2.4), ("damping", 0.5), ("pre_delay_ms", 22.0), ("low_cut_hz", 60.0), ("wet", 0.28),
    ]),
    Preset::new("large-hall", &[
        ("room_size", 0.9), ("decay_s", 3.6), ("damping", 0.55), ("pre_delay_ms", 35.0), ("low_cut_hz", 50.0), ("wet", 0.3),
    ]),
    Preset::new("cathedral", &[
        ("room_size", 1.0), ("decay_s", 7.0), ("damping", 0.65), ("pre_delay_ms", 45.0), ("low_cut_hz", 40.0), ("wet", 0.35),
    ]),
    Preset::new("wash", &[
        ("room_size", 1.0), ("decay_s", 12.0), ("damping", 0.3), ("pre_delay_ms", 60.0), ("low_cut_hz", 150.0),
        ("modulation", 1.0), ("wet", 0.6), ("dry", 0.8),
    ]),
];

pub(crate) const DESCRIPTION: Description =
    Description::new("wavemill.reverb", "Reverb", "1.0.0")
        .channels(1, 8)
        .lengthen()
        .summary("A room, from ambience to cathedral: a network of sixteen delay lines.")
        .manual(
            "Low cut, pre-delay, four all-pass diffusers for each channel, then sixteen delay lines of prime lengths whose \
             feedback is an orthogonal matrix that slowly turns, so resonances do not stand and nothing is detuned. Each line absorbs so that the \
             decay time holds at every frequency; damping shortens it at 8 kHz. The reverberation is scaled to the energy of its \
             input without damping, whatever the room and decay, so wet and dry are comparable. A factor of 0 for wet gives the input back, \
             bit by bit. Mono gives mono. With two channels a sound on one side is heard from both, unlike on each; width 0 makes both sides \
             the same. With three to eight channels each has a reverberation of its own, fed by all, an LFE channel too. The tail lasts until \
             -120 dB: twice the decay and the delays. Small rooms with long decays ring, as metal does. Room size \
             and pre-delay are set before the audio starts. Sources: M. R. Schroeder, \"Natural sounding artificial \
             reverberation\", J. Audio Eng. Soc., 1962; J.-M. Jot and A. Chaigne, \"Digital delay networks for designing \
             artificial reverberators\", 90th AES Convention, 1991; J. Dattorro, \"Effect design, part 1\", J. Audio Eng. Soc., \
             1997; S. J. Schlecht and E. A. P. Habets, \"Time-varying feedback matrices in feedback delay networks and their \
             application in artificial reverberation\", J. Acoust. Soc. Am., 2015.",
        )
        .params(PARAMS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0");
