//! The curve that brings one spectrum towards another, within its bounds.

use super::grid::{OnGrid, POINTS, frequency};

/// Below this nothing changes: loudspeakers for music end here, and so does what a transform resolves.
const LOW_HZ: f64 = 25.0;

/// A band of the source so far below its strongest one holds noise, which is not raised.
const SOURCE_EMPTY_DB: f64 = -60.0;

/// A band of the reference so far below its strongest one holds nothing to go by: a lossy encoder cut it off, or
/// a filter. Music at 16 kHz lies 40 to 65 dB below its bass in bands of a sixth of an octave; what such an
/// encoder leaves lies below -90 dB.
const REFERENCE_EMPTY_DB: f64 = -75.0;

/// Points below the last one of the reference that its edge may reach into.
const EDGE_POINTS: usize = 2;

/// Where distances between spectra are counted, Hz.
const COMPARED_HZ: (f64, f64) = (40.0, 16_000.0);

/// Centers of the octaves that reports name, Hz.
pub(crate) const OCTAVES: [(&str, f64); 10] = [
    ("eq_31_hz_db", 31.25),
    ("eq_63_hz_db", 62.5),
    ("eq_125_hz_db", 125.0),
    ("eq_250_hz_db", 250.0),
    ("eq_500_hz_db", 500.0),
    ("eq_1000_hz_db", 1000.0),
    ("eq_2000_hz_db", 2000.0),
    ("eq_4000_hz_db", 4000.0),
    ("eq_8000_hz_db", 8000.0),
    ("eq_16000_hz_db", 16_000.0),
];

/// What may be done at a point, and what is wanted there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PointTarget {
    /// Change of the band's level, dB, within the bounds.
    pub(super) change_db: f64,
    /// The largest boost, dB: none in an empty band.
    pub(super) boost_db_max: f64,
}

/// What is wanted at each point; `None` where nothing may change.
///
/// The distance of both spectra has their median distance taken off, so that loudness is left to gain, then a
/// share `amount` of it is clamped to `max_db`.
pub(super) fn wanted(
    source: &OnGrid<Option<f64>>,
    reference: &OnGrid<Option<f64>>,
    amount: f64,
    max_db: f64,
) -> OnGrid<Option<PointTarget>> {
    let source_min = strongest(source) + SOURCE_EMPTY_DB;
    let distances = comparable(source, reference);
    let full = |point: usize| source[point].is_some_and(|level| level >= source_min);
    let offset = median((0..POINTS).filter(|&point| full(point)).filter_map(|p| distances[p]));
    std::array::from_fn(|point| {
        let boost_db_max = if full(point) { max_db } else { 0.0 };
        let change_db = amount * (distances[point]? - offset);
        Some(PointTarget { change_db: change_db.clamp(-max_db, boost_db_max), boost_db_max })
    })
}

/// Reference minus source where both have something to compare.
fn comparable(
    source: &OnGrid<Option<f64>>,
    reference: &OnGrid<Option<f64>>,
) -> OnGrid<Option<f64>> {
    let least = strongest(reference) + REFERENCE_EMPTY_DB;
    let has_sound = |point: usize| reference[point].is_some_and(|level| level >= least);
    let edge = (0..POINTS).rev().find(|&point| has_sound(point)).unwrap_or(0);
    std::array::from_fn(|point| {
        let is_within = frequency(point) >= LOW_HZ && point + EDGE_POINTS <= edge;
        if !is_within || !has_sound(point) {
            return None;
        }
        Some(reference[point]? - source[point]?)
    })
}

/// Root mean square of the distance of two spectra without their median distance, dB; `None` where they have
/// nothing in common.
pub(super) fn distance(
    source: &OnGrid<Option<f64>>,
    reference: &OnGrid<Option<f64>>,
) -> Option<f64> {
    let distances = comparable(source, reference);
    let is_compared = |&point: &usize| (COMPARED_HZ.0..=COMPARED_HZ.1).contains(&frequency(point));
    let distances: Vec<f64> =
        (0..POINTS).filter(is_compared).filter_map(|point| distances[point]).collect();
    let offset = median(distances.iter().copied());
    let sum: f64 = distances.iter().map(|distance| (distance - offset).powi(2)).sum();
    (!distances.is_empty()).then(|| (sum / distances.len() as f64).sqrt())
}

fn strongest(levels: &OnGrid<Option<f64>>) -> f64 {
    levels.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The middle value, or the mean of the two in the middle; zero of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Mean of a curve over an octave around `center_hz`.
pub(super) fn octave_mean(curve: &OnGrid<f64>, center_hz: f64) -> f64 {
    let half = std::f64::consts::SQRT_2;
    let inside = (0..POINTS)
        .filter(|&point| (center_hz / half..center_hz * half).contains(&frequency(point)));
    let (sum, count) = inside.fold((0.0, 0), |(sum, count), p| (sum + curve[p], count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pink noise falls by 3.01 dB an octave in density, and not at all in bands of equal ratios; white noise
    /// rises there by 3.01 dB an octave.
    fn white() -> OnGrid<Option<f64>> {
        std::array::from_fn(|point| Some(3.0103 * (frequency(point) / 1000.0).log2()))
    }

    const PINK: OnGrid<Option<f64>> = [Some(0.0); POINTS];

    #[test]
    fn curve_from_white_to_pink_falls_by_3_db_an_octave_within_its_bounds() {
        let wanted = wanted(&white(), &PINK, 1.0, 6.0);
        // 25 Hz to 18 kHz has its middle at 670 Hz, where the curve crosses zero.
        let at = |hertz: f64| -> f64 {
            let point = (0..POINTS).find(|&point| frequency(point) >= hertz * 0.99).unwrap();
            wanted[point].unwrap().change_db
        };
        assert!((at(500.0) - at(1000.0) - 3.0103).abs() < 1e-6);
        assert!((at(1000.0) - at(2000.0) - 3.0103).abs() < 1e-6);
        assert!(at(670.0).abs() < 0.3, "{}", at(670.0));
        assert_eq!((at(31.5), at(16_000.0)), (6.0, -6.0));
        assert_eq!(wanted[0], None);
    }

    #[test]
    fn half_the_amount_is_half_the_curve() {
        let whole = wanted(&white(), &PINK, 1.0, 24.0);
        let half = wanted(&white(), &PINK, 0.5, 24.0);
        for (whole, half) in whole.iter().flatten().zip(half.iter().flatten()) {
            assert!((whole.change_db - 2.0 * half.change_db).abs() < 1e-9);
        }
    }

    #[test]
    fn empty_band_of_the_source_is_not_raised() {
        let mut source = PINK;
        source[100] = Some(-61.0);
        source[101] = Some(-59.0);
        let wanted = wanted(&source, &PINK, 1.0, 6.0);
        assert_eq!(wanted[100].map(|it| it.change_db), Some(0.0));
        assert_eq!(wanted[101].map(|it| it.change_db), Some(6.0));
    }

    #[test]
    fn nothing_changes_where_a_lossy_reference_ends() {
        let mut reference = PINK;
        for (point, level) in reference.iter_mut().enumerate() {
            if frequency(point) > 16_000.0 {
                *level = Some(-95.0);
            }
        }
        let wanted = wanted(&white(), &reference, 1.0, 6.0);
        for point in (0..POINTS).filter(|&point| frequency(point) > 15_000.0) {
            assert_eq!(wanted[point], None, "{}", frequency(point));
        }
        assert!(wanted[107].is_some());
    }

    #[test]
    fn distance_of_white_from_pink_is_that_of_a_line() {
        // Points of a line with a slope of 0.2509 dB from 40 Hz to 16 kHz, 104 of them: the standard deviation is
        // 0.2509 * sqrt((104^2 - 1) / 12) = 7.53 dB.
        assert!((distance(&white(), &PINK).unwrap() - 7.53).abs() < 0.1);
        assert_eq!(distance(&PINK, &[None; POINTS]), None);
    }

    #[test]
    fn silence_wants_nothing() {
        assert_eq!(wanted(&[None; POINTS], &PINK, 1.0, 6.0), [None; POINTS]);
        assert_eq!(wanted(&PINK, &[None; POINTS], 1.0, 6.0), [None; POINTS]);
    }
}
