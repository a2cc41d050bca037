//! How long the lines are and how much each absorbs.

use crate::ROW;
use crate::network::LINES;
use wavemill_effect::math;

/// Shortest line of the smallest room in milliseconds, and how many times longer that of the largest is.
const SHORTEST_MS: f64 = 10.0;
const ROOM_RANGE: f64 = 4.0;

/// How many times longer the longest line is than the shortest.
const LINE_RANGE: f64 = 4.0;

/// Where the damping is defined, in Hz and as a share of the sample rate if that is lower.
pub(crate) const DAMPING_HZ: f64 = 8000.0;
const DAMPING_SHARE_MAX: f64 = 0.4;

/// How much shorter the decay at [`DAMPING_HZ`] gets at most.
const DAMPING_MAX: f64 = 0.95;

/// What a line multiplies by and its one-pole's coefficient: `y[n] = a x[n] + p y[n-1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Absorption {
    pub(crate) a: f32,
    pub(crate) p: f32,
}

/// Lengths of the lines in frames: primes that grow evenly in their logarithm, so that no echoes of two lines
/// fall together for long; each at least a row.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a rate within the contract"
)]
pub(crate) fn lengths(room_size: f64, rate_hz: f64) -> [usize; LINES] {
    let shortest = SHORTEST_MS * 1e-3 * rate_hz * math::pow(ROOM_RANGE, room_size);
    let mut last = ROW;
    core::array::from_fn(|line| {
        let stretch = math::pow(LINE_RANGE, line as f64 / (LINES - 1) as f64);
        last = prime_from(((shortest * stretch) as usize).max(last + 1));
        last
    })
}

/// The smallest prime that is not below `from`.
pub(crate) fn prime_from(from: usize) -> usize {
    let is_prime = |number: &usize| {
        let mut divisor = 2;
        while divisor * divisor <= *number {
            if number.is_multiple_of(divisor) {
                return false;
            }
            divisor += 1;
        }
        true
    };
    // Between a number and its double lies a prime (Bertrand).
    let from = from.max(2);
    (from..2 * from).find(is_prime).unwrap_or(from)
}

/// The absorption of a line of `length` frames: 60 dB in `decay_s` at low frequencies, in a part of that
/// at [`DAMPING_HZ`].
///
/// Source: Jot and Chaigne 1991, eq. (5): a line's gain in dB is -60 times its length over the decay time, at every
/// frequency. The pole is the solution of the quadratic equation that the one-pole's magnitude gives there.
#[expect(clippy::cast_possible_truncation, reason = "coefficients of samples")]
pub(crate) fn absorption(length: usize, decay_s: f64, damping: f64, rate_hz: f64) -> Absorption {
    let passes_s = length as f64 / rate_hz;
    let gain = |decay_s: f64| math::db_to_amplitude(-60.0 * passes_s / decay_s);
    let low = gain(decay_s);
    if damping == 0.0 {
        return Absorption { a: low as f32, p: 0.0 };
    }
    let high = gain(decay_s * (1.0 - DAMPING_MAX * damping)) / low;
    let highest_hz = DAMPING_SHARE_MAX * rate_hz;
    let at_hz = if DAMPING_HZ < highest_hz { DAMPING_HZ } else { highest_hz };
    let cos = math::cos(core::f64::consts::TAU * at_hz / rate_hz);
    // (1 - p)^2 = high^2 (1 - 2 p cos + p^2).
    let power = high * high;
    let (outer, middle) = (1.0 - power, 1.0 - power * cos);
    let p = (middle - math::sqrt(middle * middle - outer * outer)) / outer;
    let p = if outer > 1e-12 { p } else { 0.0 };
    Absorption { a: (low * (1.0 - p)) as f32, p: p as f32 }
}

#[cfg(test)]
mod tests {
    use super::{absorption, lengths, prime_from};

    #[test]
    fn primes_are_primes() {
        assert_eq!([0, 2, 8, 90, 97, 1000].map(prime_from), [2, 2, 11, 97, 97, 1009]);
    }

    #[test]
    fn lengths_differ_and_hold_a_row_at_every_rate() {
        for rate_hz in [1000.0, 8000.0, 48_000.0, 655_350.0] {
            for room_size in [0.0, 0.3, 1.0] {
                let lengths = lengths(room_size, rate_hz);
                assert!(lengths[0] > crate::ROW);
                assert!(lengths.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }

    #[test]
    fn line_of_a_tenth_of_the_decay_loses_6_db() {
        let line = absorption(4800, 1.0, 0.0, 48_000.0);
        assert!((20.0 * f64::from(line.a).ln() / 10_f64.ln() + 6.0).abs() < 1e-5);
        assert!(line.p == 0.0);
    }

    #[test]
    fn damping_sets_the_loss_at_8_khz_and_leaves_low_frequencies() {
        let line = absorption(2400, 2.0, 0.5, 48_000.0);
        let (a, p) = (f64::from(line.a), f64::from(line.p));
        let loss_db = |hz: f64| {
            let w = std::f64::consts::TAU * hz / 48_000.0;
            20.0 * (a / (1.0 - 2.0 * p * w.cos() + p * p).sqrt()).ln() / 10_f64.ln()
        };
        assert!((loss_db(0.0) + 1.5).abs() < 1e-4);
        // The decay at 8 kHz is 0.525 of the other.
        assert!((loss_db(8000.0) + 1.5 / 0.525).abs() < 1e-4);
    }
}
