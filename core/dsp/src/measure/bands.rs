//! What each of five bands holds.

use super::band_filter::{BandFilter, BandSums};
use super::meter::{Meter, Needs, Setup};
use super::sides::{SideSums, Sides};
use super::spectrum::Shapes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use wavemill_audio::units::{Dbfs, Decibels, Hertz};
use wavemill_audio::{Block, StreamSpec};

/// Number of bands.
pub(crate) const BAND_COUNT: usize = 5;

/// A band.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BandRange {
    pub(crate) name: &'static str,
    pub(crate) low_hz: Hertz,
    pub(crate) high_hz: Hertz,
}

const fn band(name: &'static str, low_hz: f64, high_hz: f64) -> BandRange {
    BandRange { name, low_hz: Hertz(low_hz), high_hz: Hertz(high_hz) }
}

/// All bands, from low to high; each begins where the one before ends.
#[rustfmt::skip]
pub(crate) const BANDS: [BandRange; BAND_COUNT] = [
    band("low", 20.0, 200.0),
    band("low_mid", 200.0, 500.0),
    band("mid", 500.0, 2000.0),
    band("high_mid", 2000.0, 6000.0),
    band("high", 6000.0, 20_000.0),
];

/// A band of a whole file: what passes a high-pass at its lower and a low-pass at its upper edge,
/// both of Linkwitz and Riley's fourth order. A band that half the sample rate cuts ends there; one
/// that lies above has no values, as has silence.
///
/// Source: S. H. Linkwitz, "Active Crossover Networks for Noncoincident Drivers", JAES 24, 1976, made
/// digital by the bilinear transform with exact edges.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandReport {
    /// `low`, `low_mid`, `mid`, `high_mid` or `high`.
    pub name: Cow<'static, str>,
    /// Lower edge, where the filter has -6 dB.
    pub low_hz: Hertz,
    /// Upper edge, even where half the sample rate lies below.
    pub high_hz: Hertz,
    /// Mean square over all channels and frames.
    pub level_dbfs: Option<Dbfs>,
    /// Energy by that of all bands: the shares sum to 1.
    pub energy_share: Option<f64>,
    /// Largest absolute value of any channel minus the level.
    pub crest_factor_db: Option<Decibels>,
    /// As that of the whole signal.
    pub width: Option<f64>,
    /// As that of the whole signal.
    pub correlation: Option<f64>,
    /// Mean frequency, weighted by magnitude: of short-time spectra of the channels' mean within the
    /// edges, the mean over those that are not silent there.
    pub centroid_hz: Option<Hertz>,
    /// Frequency below which 85 % of the magnitude within the edges lies, in the same way; absent in results of
    /// versions that did not measure it.
    #[serde(default)]
    pub rolloff_hz: Option<Hertz>,
    /// Geometric by arithmetic mean of the power within the edges, in the same way.
    pub flatness: Option<f64>,
}

/// Measures bands block by block. Results do not depend on how the signal was cut into blocks, nor on
/// the machine's vectors. Real-time.
#[derive(Clone, Debug)]
pub(crate) struct BandsMeter {
    filter: BandFilter,
    channel_count: usize,
    has_sides: bool,
    /// Two channels each, the sides first.
    pairs: Vec<Pair>,
    frame_count: u64,
}

#[derive(Clone, Debug)]
struct Pair {
    first: usize,
    second: Option<usize>,
    sums: BandSums,
}

impl Meter for BandsMeter {
    type Report = Vec<BandReport>;

    const NEEDS: Needs = Needs::Shapes;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        let channel_count = spec.channel_count();
        let sides = Sides::of(&spec.layout);
        let pair = |first, second| Pair { first, second, sums: BandSums::default() };
        let mut pairs: Vec<Pair> =
            sides.iter().map(|sides| pair(sides.left, Some(sides.right))).collect();
        let is_other = |channel: &usize| {
            sides.is_none_or(|sides| *channel != sides.left && *channel != sides.right)
        };
        let others: Vec<usize> = (0..channel_count).filter(is_other).collect();
        pairs.extend(others.chunks(2).map(|both| pair(both[0], both.get(1).copied())));
        let filter = BandFilter::new(spec.sample_rate);
        Self { filter, channel_count, has_sides: sides.is_some(), pairs, frame_count: 0 }
    }

    fn push(&mut self, block: &Block) {
        for pair in &mut self.pairs {
            let second = pair.second.map(|channel| block.plane(channel));
            self.filter.push(&mut pair.sums, self.frame_count, block.plane(pair.first), second);
        }
        self.frame_count += block.frame_count() as u64;
    }

    fn finish(self, shapes: &Shapes) -> Vec<BandReport> {
        let energies: Vec<f64> = (0..BAND_COUNT).map(|band| self.energy(band)).collect();
        let total: f64 = energies.iter().sum();
        let sample_count = self.frame_count as f64 * self.channel_count as f64;
        let report = |band: usize| {
            let sides = self.sides(band);
            let level_dbfs = Dbfs::from_power(energies[band] / sample_count);
            let peak = Dbfs::from_amplitude(self.peak(band));
            let exists = self.filter.has(band);
            BandReport {
                name: BANDS[band].name.into(),
                low_hz: BANDS[band].low_hz,
                high_hz: BANDS[band].high_hz,
                level_dbfs,
                energy_share: (exists && total > 0.0).then(|| energies[band] / total),
                crest_factor_db: peak.zip(level_dbfs).map(|(peak, level)| peak - level),
                width: sides.and_then(|sums| sums.width()),
                correlation: sides.and_then(|sums| sums.correlation()),
                centroid_hz: shapes.bands[band].centroid_hz,
                rolloff_hz: shapes.bands[band].rolloff_hz,
                flatness: shapes.bands[band].flatness,
            }
        };
        (0..BAND_COUNT).map(report).collect()
    }
}

impl BandsMeter {
    /// Energy of each band so far; 0 where it lies above half the sample rate.
    pub(crate) fn energies(&self) -> [f64; BAND_COUNT] {
        std::array::from_fn(|band| self.energy(band))
    }

    fn energy(&self, band: usize) -> f64 {
        let of_pair = |pair: &Pair| {
            let sums = self.filter.products(&pair.sums, band);
            sums.left + sums.right
        };
        self.pairs.iter().map(of_pair).sum()
    }

    fn peak(&self, band: usize) -> f64 {
        self.pairs.iter().map(|pair| self.filter.peak(&pair.sums, band)).fold(0.0, f64::max)
    }

    fn sides(&self, band: usize) -> Option<SideSums> {
        let sides = self.pairs.first().filter(|_| self.has_sides)?;
        Some(self.filter.products(&sides.sums, band))
    }
}
