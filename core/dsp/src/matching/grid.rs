//! The frequencies at which spectra are compared: the same for all sample rates.

/// Points an octave: twice as many as there are bands beside each other, so that none is skipped.
const PER_OCTAVE: f64 = 12.0;

/// The point at 1000 Hz.
const KILOHERTZ: usize = 68;

/// Points, from 19.7 Hz to 20.2 kHz.
pub(super) const POINTS: usize = 121;

/// Half the width of the band around a point, in octaves: a sixth of an octave in all.
const HALF_BAND: f64 = 1.0 / 12.0;

/// A value at each point.
pub(super) type OnGrid<T> = [T; POINTS];

/// Frequency of a point, Hz.
pub(super) fn frequency(point: usize) -> f64 {
    1000.0 * ((point as f64 - KILOHERTZ as f64) / PER_OCTAVE).exp2()
}

/// Edges of the band around a point, Hz.
pub(super) fn band(point: usize) -> (f64, f64) {
    (frequency(point) * (-HALF_BAND).exp2(), frequency(point) * HALF_BAND.exp2())
}

/// The value at a frequency of a curve that is given at the points and zero beyond them, by straight lines
/// over the logarithm of frequency.
pub(super) fn interpolate(curve: &OnGrid<f64>, hertz: f64) -> f64 {
    let place = (hertz.max(1.0) / 1000.0).log2() * PER_OCTAVE + KILOHERTZ as f64;
    if place < 0.0 {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    let below = place as usize;
    let value = |point: usize| curve.get(point).copied().unwrap_or(0.0);
    let share = place - below as f64;
    value(below) * (1.0 - share) + value(below + 1) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_span_hearing_and_meet_the_kilohertz() {
        assert!((frequency(KILOHERTZ) - 1000.0).abs() < 1e-9);
        assert!((frequency(KILOHERTZ + 12) - 2000.0).abs() < 1e-9);
        assert!(frequency(0) < 20.0 && frequency(POINTS - 1) > 20_000.0);
    }

    #[test]
    fn curve_between_points_is_a_straight_line_over_the_logarithm() {
        let mut curve = [0.0; POINTS];
        curve[KILOHERTZ] = 6.0;
        assert!((interpolate(&curve, 1000.0) - 6.0).abs() < 1e-9);
        assert!((interpolate(&curve, 1000.0 * (1.0f64 / 24.0).exp2()) - 3.0).abs() < 1e-9);
        assert_eq!((interpolate(&curve, 5.0), interpolate(&curve, 90_000.0)), (0.0, 0.0));
    }
}
