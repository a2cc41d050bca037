//! One band: its settings, and the filter they ask for.

use crate::biquad::Coefficients;
use crate::glide::Glide;
use crate::shape::Shape;

/// What a band is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What it does.
    pub shape: Shape,
    /// Where, in Hz.
    pub frequency_hz: f64,
    /// How much, in dB; shapes without a gain ignore it.
    pub gain_db: f64,
    /// Quality factor: the larger, the narrower.
    pub q: f64,
}

impl Settings {
    /// The filter at a sample rate in Hz.
    pub(crate) fn coefficients(&self, rate_hz: f64) -> Coefficients {
        self.shape.coefficients(self.frequency_hz, self.gain_db, self.q, rate_hz)
    }
}

/// A band at work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band {
    pub(crate) settings: Settings,
    pub(crate) glide: Glide,
    /// Whether the settings changed since the glide's target was computed.
    pub(crate) is_stale: bool,
    /// What its states are to be multiplied by to be those of a chain with all its scales.
    pub(crate) unit: f64,
}

impl Band {
    /// Resting at its settings.
    pub(crate) fn new(settings: Settings, rate_hz: f64) -> Self {
        Self {
            settings,
            glide: Glide::at(settings.coefficients(rate_hz)),
            is_stale: false,
            unit: 1.0,
        }
    }

    /// Whether it returns its input once its state is zero.
    pub(crate) fn is_identity(&self) -> bool {
        !self.glide.is_moving() && self.glide.now == Coefficients::IDENTITY
    }
}
