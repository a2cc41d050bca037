//! What the equalizer is called and what can be set.

use crate::shape::Shape;
use wavemill_effect::{Description, Param, Preset, Scale};

/// Bands.
pub(crate) const BAND_COUNT: usize = 8;

/// Parameter of the output's gain.
pub(crate) const OUTPUT_GAIN: u32 = 1;

/// A band's parameters are its number, from 1 on, times this, plus [`SHAPE`] and so on.
pub(crate) const BAND_STRIDE: u32 = 10;

/// What the band does.
pub(crate) const SHAPE: u32 = 0;
/// Its frequency in Hz.
pub(crate) const FREQUENCY: u32 = 1;
/// Its gain in dB.
pub(crate) const GAIN: u32 = 2;
/// Its quality factor.
pub(crate) const Q: u32 = 3;

/// Largest gain of a band or of the output either way, in dB: beyond it a recording is broken, not dull.
const GAIN_DB_MAX: f64 = 24.0;

/// Quality factor of a Butterworth filter: the steepest without a bump.
const Q_BUTTERWORTH: f64 = 0.71;

const OFF: f64 = Shape::Off as u32 as f64;
const HIGH_PASS: f64 = Shape::HighPass as u32 as f64;
const LOW_PASS: f64 = Shape::LowPass as u32 as f64;
const NOTCH: f64 = Shape::Notch as u32 as f64;
const TILT: f64 = Shape::Tilt as u32 as f64;

/// The four parameters of a band: its number, its shape, frequency and quality factor at first.
macro_rules! band {
    ($number:literal, $shape:expr, $frequency_hz:expr, $q:expr) => {
        [
            Param::choice(
                $number * BAND_STRIDE + SHAPE,
                concat!("band_", $number, "_type"),
                concat!("Band ", $number, " type"),
                Shape::LABELS,
                $shape as u32,
            )
            .summary("What the band does."),
            Param::new(
                $number * BAND_STRIDE + FREQUENCY,
                concat!("band_", $number, "_frequency_hz"),
                concat!("Band ", $number, " frequency"),
                (10.0, 40_000.0, $frequency_hz),
            )
            .unit("Hz")
            .scale(Scale::Logarithmic)
            .summary("Center of a peak, corner of the others; above 0.49 of the sample rate it counts as that."),
            Param::new(
                $number * BAND_STRIDE + GAIN,
                concat!("band_", $number, "_gain_db"),
                concat!("Band ", $number, " gain"),
                (-GAIN_DB_MAX, GAIN_DB_MAX, 0.0),
            )
            .unit("dB")
            .summary("How much peaks, shelves and tilts raise or lower; the others have no gain."),
            Param::new(
                $number * BAND_STRIDE + Q,
                concat!("band_", $number, "_q"),
                concat!("Band ", $number, " Q"),
                (0.1, 40.0, $q),
            )
            .scale(Scale::Logarithmic)
            .summary("Quality factor: larger is narrower; 0.71 is a Butterworth filter or the steepest shelf without a bump."),
        ]
    };
}

const BANDS: [[Param; 4]; BAND_COUNT] = [
    band!(1, Shape::LowShelf, 100.0, Q_BUTTERWORTH),
    band!(2, Shape::Peak, 200.0, 1.0),
    band!(3, Shape::Peak, 400.0, 1.0),
    band!(4, Shape::Peak, 800.0, 1.0),
    band!(5, Shape::Peak, 1600.0, 1.0),
    band!(6, Shape::Peak, 3200.0, 1.0),
    band!(7, Shape::Peak, 6400.0, 1.0),
    band!(8, Shape::HighShelf, 10_000.0, Q_BUTTERWORTH),
];

const PARAMS: [Param; 1 + 4 * BAND_COUNT] = {
    let mut params =
        [Param::new(OUTPUT_GAIN, "output_gain_db", "Output gain", (-GAIN_DB_MAX, GAIN_DB_MAX, 0.0))
            .unit("dB")
            .summary("Gain after all bands."); 1 + 4 * BAND_COUNT];
    let mut index = 0;
    while index < 4 * BAND_COUNT {
        params[index] = BANDS[index / 4][index % 4];
        index += 1;
    }
    params
};

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    Preset::new("flat", &[]),
    Preset::new("rumble-cut", &[
        ("band_1_type", HIGH_PASS), ("band_1_frequency_hz", 80.0),
    ]),
    Preset::new("voice-presence", &[
        ("band_1_type", HIGH_PASS), ("band_1_frequency_hz", 80.0),
        ("band_2_frequency_hz", 250.0), ("band_2_gain_db", -2.5), ("band_2_q", 1.2),
        ("band_6_frequency_hz", 3500.0), ("band_6_gain_db", 3.0), ("band_6_q", 0.9),
        ("band_8_frequency_hz", 11_000.0), ("band_8_gain_db", 2.0),
    ]),
    Preset::new("air", &[
        ("band_8_frequency_hz", 12_000.0), ("band_8_gain_db", 4.0), ("band_8_q", 0.6),
    ]),
    Preset::new("warmth", &[
        ("band_1_frequency_hz", 180.0), ("band_1_gain_db", 2.5),
        ("band_8_frequency_hz", 9000.0), ("band_8_gain_db", -1.5),
    ]),
    Preset::new("de-mud", &[
        ("band_2_frequency_hz", 300.0), ("band_2_gain_db", -4.0), ("band_2_q", 1.4),
    ]),
    Preset::new("brighter", &[
        ("band_4_type", TILT), ("band_4_frequency_hz", 1000.0), ("band_4_gain_db", 2.0), ("band_4_q", 0.4),
    ]),
    Preset::new("darker", &[
        ("band_4_type", TILT), ("band_4_frequency_hz", 1000.0), ("band_4_gain_db", -2.0), ("band_4_q", 0.4),
    ]),
    Preset::new("telephone", &[
        ("band_1_type", HIGH_PASS), ("band_1_frequency_hz", 300.0),
        ("band_2_type", HIGH_PASS), ("band_2_frequency_hz", 300.0), ("band_2_q", Q_BUTTERWORTH),
        ("band_5_frequency_hz", 1800.0), ("band_5_gain_db", 4.0), ("band_5_q", 0.8),
        ("band_7_type", LOW_PASS), ("band_7_frequency_hz", 3400.0), ("band_7_q", Q_BUTTERWORTH),
        ("band_8_type", LOW_PASS), ("band_8_frequency_hz", 3400.0),
    ]),
    Preset::new("mains-hum-50-hz", &[
        ("band_1_type", NOTCH), ("band_1_frequency_hz", 50.0), ("band_1_q", 20.0),
        ("band_2_type", NOTCH), ("band_2_frequency_hz", 100.0), ("band_2_q", 20.0),
        ("band_3_type", NOTCH), ("band_3_frequency_hz", 150.0), ("band_3_q", 20.0),
        ("band_4_type", NOTCH), ("band_4_frequency_hz", 200.0), ("band_4_q", 20.0),
        ("band_8_type", OFF),
    ]),
    Preset::new("mains-hum-60-hz", &[
        ("band_1_type", NOTCH), ("band_1_frequency_hz", 60.0), ("band_1_q", 20.0),
        ("band_2_type", NOTCH), ("band_2_frequency_hz", 120.0), ("band_2_q", 20.0),
        ("band_3_type", NOTCH), ("band_3_frequency_hz", 180.0), ("band_3_q", 20.0),
        ("band_4_type", NOTCH), ("band_4_frequency_hz", 240.0), ("band_4_q", 20.0),
        ("band_8_type", OFF),
    ]),
];

pub(crate) const DESCRIPTION: Description =
    Description::new("wavemill.parametric-eq", "Parametric EQ", "1.0.0")
        .channels(1, 64)
        .summary("Eight bands of filters: peaks, shelves, high and low passes, notches, band passes, tilts.")
        .manual(
            "Every band is a filter of second order; all run one after another in 64-bit arithmetic. With all gains at \
             0 dB and no pass or notch the output is the input, bit by bit. Filters are minimum-phase: no latency, no \
             pre-ringing, phase shifts around each band. Near half the sample rate the bilinear transform narrows \
             bands; frequencies above 0.49 of the sample rate count as that. A changed parameter is reached in about \
             20 ms in a straight line of the filter's coefficients. The tail is the time until the bands as they are when the \
             effect starts have decayed by 120 dB. All channels are treated alike. \
             Source: R. Bristow-Johnson, \"Cookbook formulae for audio equalizer biquad filter coefficients\", \
             W3C Audio Working Group note, 2021; shelves take Q.",
        )
        .params(&PARAMS)
        .presets(PRESETS)
        .license("MIT OR Apache-2.0");
