//! What the saturator is called and what can be set.

use wavemill_effect::{Description, Param, Preset};

/// Parameter numbers; never given to another parameter.
pub const DRIVE_DB: u32 = 0;
#[allow(missing_docs, reason = "as the first one: the keys below say what they are")]
mod ids {
    pub const CURVE: u32 = 1;
    pub const BIAS: u32 = 2;
    pub const MIX: u32 = 3;
    pub const OUTPUT_DB: u32 = 4;
    pub const OVERSAMPLING: u32 = 5;
}
pub use ids::*;

#[rustfmt::skip]
const PARAMS: &[Param] = &[
    Param::new(DRIVE_DB, "drive_db", "Drive", (0.0, 36.0, 9.0)).unit("dB")
        .summary("How much louder quiet passages get, while full scale stays full scale; 0 bends nothing."),
    Param::choice(CURVE, "curve", "Curve", &["tanh", "soft", "tube"], 0).restart()
        .summary("tanh: odd harmonics that fall off fast; soft: a longer bend; tube: the second harmonic first."),
    Param::new(BIAS, "bias", "Bias", (-1.0, 1.0, 0.0))
        .summary("Moves the signal up or down on the curve, in full scales: even harmonics; the constant it makes is removed."),
    Param::new(MIX, "mix", "Mix", (0.0, 1.0, 1.0))
        .summary("Part of the saturated signal; below 1 the untouched signal is added, delayed as much."),
    Param::new(OUTPUT_DB, "output_db", "Output", (-24.0, 24.0, 0.0)).unit("dB")
        .summary("Gain after everything."),
    Param::choice(OVERSAMPLING, "oversampling", "Oversampling", &["1x", "2x", "4x", "8x"], 2).restart()
        .summary("Multiple of the sample rate at which it bends: more makes less aliasing, and a latency of 0, 63, 70 or 72 frames."),
];

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("tape-warmth", &[("drive_db", 6.0), ("curve", 0.0), ("output_db", -2.0)]),
    Preset::new("tube-voice", &[("drive_db", 8.0), ("curve", 2.0), ("mix", 0.6), ("output_db", -3.0)]),
    Preset::new("bus-glue", &[("drive_db", 3.0), ("curve", 1.0), ("output_db", -1.0)]),
    Preset::new("bass-harmonics", &[("drive_db", 12.0), ("curve", 0.0), ("bias", 0.2), ("mix", 0.4), ("output_db", -4.0)]),
    Preset::new("drum-crunch", &[("drive_db", 18.0), ("curve", 1.0), ("mix", 0.5), ("oversampling", 3.0), ("output_db", -5.0)]),
    Preset::new("fuzz", &[("drive_db", 36.0), ("curve", 0.0), ("bias", 0.1), ("oversampling", 3.0), ("output_db", -9.0)]),
];

const MANUAL: &str = "\
Three smooth curves on an oversampled signal (on curves and aliasing: Zoelzer, DAFX: Digital Audio Effects, 2nd edition, 2011, chapter 4.3). Drive is the gain of quiet \
passages; whatever it is, a full-scale peak stays one, so the sound gets denser and louder, not clipped. The tube curve is a shape, not a model of a circuit.

The rate is doubled up to three times by linear-phase half-band filters (Mintzer, On half-band, third-band, and Nth-band FIR filters and their design, IEEE \
Transactions on Acoustics, Speech, and Signal Processing 30(5), 1982) with a stop band of 97 dB. They are flat up to 0.449 of the sample rate (21.5 kHz at 48 kHz) and cost a latency \
of 63 (2x), 70 (4x) or 72 frames (8x); the untouched signal of the mix is delayed as much. Strongest alias of a full-scale sine of 5 kHz below 0.449 of the rate, \
relative to it, at 44.1 kHz, which is the worse rate: 4x with 12 dB of drive -113 dB (tanh), -92 dB (soft), -79 dB (tube); with 18 dB -65, -58 and -56 dB; 8x with \
18 dB -114, -98 and -90 dB, with 24 dB -72, -64 and -64 dB. At 36 dB even 8x leaves -40 dB: then the curve is nearly a clipper. 1x aliases audibly; it is for low latency.

With no drive the signal only passes the filters: within 0.001 dB, and to the bit with a mix of 0 and no output gain. The constant that bias and the tube's curve make is removed by a \
low-pass at 5 Hz of what was added; a constant of the input stays.";

/// The description, for the contract.
pub(crate) const fn describe() -> Description {
    Description::new("wavemill.saturator", "Saturator", "1.0.0")
        .summary("Bends the waveform on a smooth curve, oversampled, for warmth up to fuzz.")
        .manual(MANUAL)
        .params(PARAMS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0")
}
