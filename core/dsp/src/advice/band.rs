//! The bands that are advised on, and how an equalizer reaches them.

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
        match self {
            Self::Low => "low",
            Self::LowMid => "low_mid",
            Self::Mid => "mid",
            Self::HighMid => "high_mid",
            Self::High => "high",
        }
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
    use crate::analysis::{self, MeasureGroup, Options};
    use wavemill_audio::{PcmFormat, StreamSpec};

    #[test]
    fn bands_and_their_filters_are_those_of_the_report() {
        let options = Options { groups: vec![MeasureGroup::Bands], ..Options::default() };
        let spec = StreamSpec::new(48_000, 1);
        let plane = vec![0.0; 4800];
        let report = analysis::analyze(&[&plane], &spec, PcmFormat::FLOAT, &options).unwrap();
        let bands = report.bands.unwrap();
        assert_eq!(bands.len(), Band::ALL.len());
        for (band, report) in Band::ALL.into_iter().zip(&bands) {
            let filter = band.filter();
            assert_eq!(band.name(), report.name);
            assert!(filter.frequency > report.low_hz && filter.frequency < report.high_hz);
            if filter.shape == FilterShape::Peak {
                let ratio = report.high_hz.0 / report.low_hz.0;
                assert!((filter.frequency.0 / (report.low_hz.0 * ratio.sqrt()) - 1.0).abs() < 0.01);
                assert!((filter.q / (ratio.sqrt() / (ratio - 1.0)) - 1.0).abs() < 0.01);
            }
        }
    }
}
