//! The bands that are advised on, and how an equalizer reaches them.

use crate::measure::BANDS;
use serde::Serialize;
use wavemill_audio::units::Hertz;

/// A band of the report, from low to high.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 20 to 200 Hz.
    Low,
    /// 200 to 500 Hz.
    LowMid,
    /// 500 to 2000 Hz.
    Mid,
    /// 2000 to 6000 Hz.
    HighMid,
    /// 6000 to 20000 Hz.
    High,
}

/// The shape of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterShape {
    /// A shelf below its corner.
    LowShelf,
    /// A bell.
    Peak,
    /// A shelf above its corner.
    HighShelf,
}

/// The filter that changes a band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// Its shape.
    pub shape: FilterShape,
    /// Center of a bell, corner of a shelf.
    pub frequency: Hertz,
    /// Quality factor.
    pub q: f64,
}

/// Q of a shelf without a bump: that of a Butterworth filter.
const SHELF_Q: f64 = 0.71;

impl Band {
    /// All of them, from low to high.
    pub const ALL: [Self; 5] = [Self::Low, Self::LowMid, Self::Mid, Self::HighMid, Self::High];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        BANDS[self as usize].name
    }

    /// Its lower and its upper edge, where its filters have -6 dB.
    pub const fn edges(self) -> [Hertz; 2] {
        let range = BANDS[self as usize];
        [range.low_hz, range.high_hz]
    }

    /// The filter that changes it. Bells lie at the geometric mean of the band's edges and have its
    /// width: Q = 2^(N/2) / (2^N - 1) for N octaves. Shelves have their corner inside the band, where
    /// they reach half of their gain.
    ///
    /// Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients",
    /// W3C Audio Working Group note, 2021.
    pub const fn filter(self) -> Filter {
        let (shape, hertz, q) = match self {
            Self::Low => (FilterShape::LowShelf, 150.0, SHELF_Q),
            Self::LowMid => (FilterShape::Peak, 316.0, 1.05),
            Self::Mid => (FilterShape::Peak, 1000.0, 0.67),
            Self::HighMid => (FilterShape::Peak, 3460.0, 0.87),
            Self::High => (FilterShape::HighShelf, 7500.0, SHELF_Q),
        };
        Filter { shape, frequency: Hertz(hertz), q }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_lie_in_their_bands_and_bells_have_their_width() {
        for band in Band::ALL {
            let (filter, [low_hz, high_hz]) = (band.filter(), band.edges());
            assert!(filter.frequency > low_hz && filter.frequency < high_hz);
            if filter.shape == FilterShape::Peak {
                let ratio = high_hz.0 / low_hz.0;
                assert!((filter.frequency.0 / (low_hz.0 * ratio.sqrt()) - 1.0).abs() < 0.01);
                assert!((filter.q / (ratio.sqrt() / (ratio - 1.0)) - 1.0).abs() < 0.01);
            }
        }
    }

    #[test]
    fn names_are_those_that_are_written() {
        for band in Band::ALL {
            assert_eq!(serde_json::to_value(band).unwrap(), band.name());
        }
    }
}
