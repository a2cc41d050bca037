//! What a band does, and the coefficients that do it.

use crate::biquad::Coefficients;
use wavemill_effect::math;

/// Highest frequency of a band as a share of the sample rate: just below the Nyquist frequency,
/// where the bilinear transform puts infinity and the formulae divide by zero.
pub(crate) const FREQUENCY_SHARE_MAX: f64 = 0.49;

/// What a band does; the discriminant is the parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Off,
    /// Raises or lowers around the frequency.
    Peak,
    /// Raises or lowers what lies below the frequency; half the decibels at it.
    LowShelf,
    /// Raises or lowers what lies above the frequency; half the decibels at it.
    HighShelf,
    /// Removes what lies below, 12 dB an octave.
    HighPass,
    /// Removes what lies above, 12 dB an octave.
    LowPass,
    /// Removes the frequency itself.
    Notch,
    /// Leaves only what lies around the frequency, 0 dB at it.
    BandPass,
    /// Raises what lies above and lowers what lies below by the same decibels.
    Tilt,
}

impl Shape {
    /// Their words, in the order of their values.
    pub(crate) const LABELS: &'static [&'static str] = &[
        "off",
        "peak",
        "low-shelf",
        "high-shelf",
        "high-pass",
        "low-pass",
        "notch",
        "band-pass",
        "tilt",
    ];

    /// The shape with this value, rounded; [`Shape::Off`] for all others.
    pub(crate) fn of_value(value: f64) -> Self {
        const SHAPES: [Shape; 8] = [
            Shape::Peak,
            Shape::LowShelf,
            Shape::HighShelf,
            Shape::HighPass,
            Shape::LowPass,
            Shape::Notch,
            Shape::BandPass,
            Shape::Tilt,
        ];
        let is_it = |index: &usize| {
            let at = (*index + 1) as f64;
            value > at - 0.5 && value <= at + 0.5
        };
        (0..SHAPES.len()).find(is_it).map_or(Self::Off, |index| SHAPES[index])
    }

    /// Coefficients for a frequency in Hz, a gain in dB and a quality factor at a sample rate in Hz.
    ///
    /// Frequencies above [`FREQUENCY_SHARE_MAX`] of the rate count as that one. A gain of 0 dB gives
    /// exactly [`Coefficients::IDENTITY`] where the shape has a gain.
    ///
    /// Source: Bristow-Johnson's cookbook, "analog prototypes" with `alpha = sin(w0) / (2 Q)`.
    pub(crate) fn coefficients(
        self,
        frequency_hz: f64,
        gain_db: f64,
        q: f64,
        rate_hz: f64,
    ) -> Coefficients {
        let highest_hz = FREQUENCY_SHARE_MAX * rate_hz;
        let frequency_hz = if frequency_hz > highest_hz { highest_hz } else { frequency_hz };
        let w0 = core::f64::consts::TAU * frequency_hz / rate_hz;
        let (cos, alpha) = (math::cos(w0), math::sin(w0) / (2.0 * q));
        let plain = |b0: f64, b1: f64, b2: f64| {
            Coefficients::normalized([b0, b1, b2], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
        };
        let is_flat = gain_db == 0.0;
        match self {
            Self::Off => Coefficients::IDENTITY,
            Self::Peak | Self::LowShelf | Self::HighShelf | Self::Tilt if is_flat => {
                Coefficients::IDENTITY
            }
            Self::Peak => {
                let a = math::db_to_amplitude(0.5 * gain_db);
                Coefficients::normalized(
                    [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
                    [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
                )
            }
            Self::LowShelf => shelf(-1.0, cos, alpha, gain_db),
            Self::HighShelf => shelf(1.0, cos, alpha, gain_db),
            Self::HighPass => plain(0.5 * (1.0 + cos), -(1.0 + cos), 0.5 * (1.0 + cos)),
            Self::LowPass => plain(0.5 * (1.0 - cos), 1.0 - cos, 0.5 * (1.0 - cos)),
            Self::Notch => plain(1.0, -2.0 * cos, 1.0),
            Self::BandPass => plain(alpha, 0.0, -alpha),
            Self::Tilt => {
                // A high shelf of twice the decibels, lowered by half of them.
                shelf(1.0, cos, alpha, 2.0 * gain_db).scaled(math::db_to_amplitude(-gain_db))
            }
        }
    }
}

/// A shelf of `gain_db`: a low one with `side` -1, a high one with 1. Both formulae of the cookbook
/// are the same but for the signs of the cosine.
fn shelf(side: f64, cos: f64, alpha: f64, gain_db: f64) -> Coefficients {
    let a = math::db_to_amplitude(0.5 * gain_db);
    let slope = 2.0 * math::sqrt(a) * alpha;
    let c = side * cos;
    let (sum, difference) = (a + 1.0, a - 1.0);
    Coefficients::normalized(
        [
            a * (sum + difference * c + slope),
            -2.0 * side * a * (difference + sum * c),
            a * (sum + difference * c - slope),
        ],
        [
            sum - difference * c + slope,
            2.0 * side * (difference - sum * c),
            sum - difference * c - slope,
        ],
    )
}
