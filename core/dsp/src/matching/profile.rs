//! The recording that a source becomes inside the ranges of a genre.

use super::grid::{self, OnGrid, POINTS};
use super::long_term::LongTermSpectrum;
use super::reference::Recording;
use crate::advice::{Band, Profile, Range};
use crate::measure::BANDS;
use wavemill_audio::units::{Decibels, Lufs};

/// How often gains of bands are corrected by what they bring: a band takes part of its neighbors' gain, and all
/// change the sum that levels are relative to.
const ROUNDS: usize = 30;

/// Gains of the bands, dB.
type Gains = [f64; Band::ALL.len()];

/// The source with bands, width and loudness at the nearer end of the profile's ranges where they are outside.
pub(super) fn within(
    profile: &Profile,
    source: &LongTermSpectrum,
    loudness: Option<Lufs>,
) -> Recording {
    let levels = source.levels(None, 1.0);
    let mut gains = [0.0; Band::ALL.len()];
    for _ in 0..ROUNDS {
        let found = band_levels(&raised(&levels, &gains));
        for ((gain, band), found) in gains.iter_mut().zip(&profile.bands).zip(found) {
            *gain -= found.and_then(|level| outside(band.level_db, level)).unwrap_or(0.0);
        }
    }
    let range = profile.integrated_lufs.map(|lufs| lufs.0);
    let nearest = |value: f64| value - range.difference(value).unwrap_or(0.0);
    Recording {
        levels: raised(&levels, &gains),
        // Without loudness there is nothing to bring there.
        loudness: loudness.map_or(Lufs(range.max.unwrap_or(0.0)), |it| Lufs(nearest(it.0))),
        side_to_mid: source.side_to_mid(None).map(|level| side_to_mid(profile.width, level)),
    }
}

fn outside(range: Range<Decibels>, level: f64) -> Option<f64> {
    range.map(|end| end.0).difference(level)
}

/// Levels with the gains of the bands: full at the middle of each, by straight lines over the logarithm of
/// frequency between.
fn raised(levels: &OnGrid<Option<f64>>, gains: &Gains) -> OnGrid<Option<f64>> {
    std::array::from_fn(|point| {
        levels[point].map(|level| level + gain_at(gains, grid::frequency(point)))
    })
}

fn gain_at(gains: &Gains, hertz: f64) -> f64 {
    let middle = |band: usize| (BANDS[band].low_hz.0 * BANDS[band].high_hz.0).sqrt().ln();
    let place = hertz.ln();
    let above = (0..gains.len()).find(|&band| middle(band) >= place);
    match above {
        Some(0) => gains[0],
        None => gains[gains.len() - 1],
        Some(band) => {
            let (low, high) = (middle(band - 1), middle(band));
            let share = (place - low) / (high - low);
            gains[band - 1] * (1.0 - share) + gains[band] * share
        }
    }
}

/// Level of each band by the sum of all, dB; `None` where it is silent.
fn band_levels(levels: &OnGrid<Option<f64>>) -> [Option<f64>; Band::ALL.len()] {
    let power = |band: usize| -> f64 {
        let edges = BANDS[band].low_hz.0..BANDS[band].high_hz.0;
        let inside = (0..POINTS).filter(|&point| edges.contains(&grid::frequency(point)));
        inside.filter_map(|point| levels[point]).map(|level| 10f64.powf(level / 10.0)).sum()
    };
    let powers: [f64; Band::ALL.len()] = std::array::from_fn(power);
    let all: f64 = powers.iter().sum();
    powers.map(|power| Decibels::from_power(power / all).map(|level| level.0))
}

/// Level of side over mid that has a width in the range; the level itself where that has. Width is the root mean
/// square of side by that of side and mid together.
fn side_to_mid(range: Range<f64>, level: Decibels) -> Decibels {
    let side = level.to_amplitude();
    let width = side / (1.0 + side);
    let Some(difference) = range.difference(width) else { return level };
    let wanted = width - difference;
    Decibels::from_amplitude(wanted / (1.0 - wanted)).unwrap_or(level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::BandRanges;
    use crate::matching::LongTermMeter;
    use wavemill_audio::{Block, StreamSpec};

    /// White noise, the side half as strong as mid.
    fn noise() -> LongTermSpectrum {
        let mut state = 7u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f32::from(i16::from_ne_bytes(
                (state >> 48 & 0xffff).to_le_bytes()[..2].try_into().unwrap(),
            )) / 65_536.0
        };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for _ in 0..96_000 {
            let (mid, side) = (random(), random() * 0.5);
            left.push(mid + side);
            right.push(mid - side);
        }
        let mut meter = LongTermMeter::new(&StreamSpec::new(48_000, 2));
        meter.push(&Block::from_planes(&[left, right]));
        meter.finish()
    }

    fn profile(ranges: [(f64, f64); 5]) -> Profile {
        let bands = ranges.map(|(min, max)| BandRanges {
            level_db: Range::new(Decibels(min), Decibels(max)),
            ..BandRanges::default()
        });
        Profile { bands, ..Profile::default() }
    }

    #[test]
    fn source_inside_of_the_ranges_stays_as_it_is() {
        let source = noise();
        let wide = Profile {
            integrated_lufs: Range::new(Lufs(-20.0), Lufs(-8.0)),
            width: Range::new(0.1, 0.9),
            ..profile([(-60.0, 0.0); 5])
        };
        let found = within(&wide, &source, Some(Lufs(-12.0)));
        assert_eq!(found.levels, source.levels(None, 1.0));
        assert_eq!((found.loudness, found.side_to_mid), (Lufs(-12.0), source.side_to_mid(None)));
    }

    #[test]
    fn bands_width_and_loudness_outside_come_to_the_nearer_end() {
        // White noise has most in the highest band; music has most in the lowest.
        let music = Profile {
            integrated_lufs: Range::new(Lufs(-9.0), Lufs(-7.0)),
            width: Range::new(0.1, 0.2),
            ..profile([(-2.0, -1.0), (-9.0, -7.0), (-10.0, -8.0), (-15.0, -12.0), (-22.0, -18.0)])
        };
        let found = within(&music, &noise(), Some(Lufs(-14.0)));
        for (level, band) in band_levels(&found.levels).into_iter().zip(&music.bands) {
            let outside = outside(band.level_db, level.unwrap()).unwrap_or(0.0);
            assert!(outside.abs() < 0.3, "{level:?} {band:?}");
        }
        assert_eq!(found.loudness, Lufs(-9.0));
        // A width of 0.2 is a quarter of mid.
        assert!((found.side_to_mid.unwrap().0 + 12.04).abs() < 0.01);
    }
}
