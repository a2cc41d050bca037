//! The bands that reports show.

use crate::units::Hertz;

/// Number of bands.
pub(super) const BAND_COUNT: usize = 5;

/// A band.
#[derive(Clone, Copy, Debug)]
pub(super) struct BandRange {
    pub(super) low_hz: Hertz,
    pub(super) high_hz: Hertz,
}

/// All bands, from low to high; each begins where the one before ends.
pub(super) const BANDS: [BandRange; BAND_COUNT] = [
    BandRange { low_hz: Hertz(20.0), high_hz: Hertz(200.0) },
    BandRange { low_hz: Hertz(200.0), high_hz: Hertz(500.0) },
    BandRange { low_hz: Hertz(500.0), high_hz: Hertz(2000.0) },
    BandRange { low_hz: Hertz(2000.0), high_hz: Hertz(6000.0) },
    BandRange { low_hz: Hertz(6000.0), high_hz: Hertz(20_000.0) },
];
