//! Linear prediction: from samples to quantized coefficients and an exact integer residual.
//!
//! Everything runs in `f64` lanes that the compiler maps to whatever vectors the machine has; sums
//! keep a fixed order, so every machine computes the same coefficients. The residual is exact: with
//! samples of at most 32 bits, coefficients of at most 15 and 32 terms, no sum needs more than 52 of the 53
//! bits.

use std::f64::consts::PI;
#[cfg(target_arch = "x86_64")]
use wavemill_audio::Vectors;

/// Highest order used: the limit of the streamable subset up to 48 kHz (RFC 9639, 7).
pub(super) const ORDER_MAX: usize = 12;

/// Zeros in front of every signal, so that lagged reads stay inside it.
pub(super) const PADDING: usize = 16;

/// Independent partial sums; a fixed number, so that results do not depend on the machine.
const LANES: usize = 8;

/// Bits of a quantized coefficient, sign included. 15 is the most the format has.
const COEFFICIENT_BITS: u32 = 15;

/// Largest shift the format has: its five bits are signed, and negative ones are forbidden.
const SHIFT_MAX: i32 = 15;

/// A quantized predictor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Predictor {
    /// Weights of the last sample, the one before, ...
    pub(super) coefficients: Vec<i32>,
    /// The sum is divided by two to this power, rounding down.
    pub(super) shift: u32,
}

impl Predictor {
    /// Bits the predictor takes in a subframe beside its warm-up samples.
    pub(super) fn header_bits(&self) -> u64 {
        4 + 5 + self.coefficients.len() as u64 * u64::from(COEFFICIENT_BITS)
    }

    /// Bits of each coefficient.
    pub(super) const fn coefficient_bits() -> u32 {
        COEFFICIENT_BITS
    }
}

/// A tapered cosine (Tukey) window of `length` points, of which the share `taper` is tapered.
///
/// Source: F. J. Harris, "On the Use of Windows", Proc. IEEE 66 (1978), eq. (38).
pub(super) fn tukey(length: usize, taper: f64) -> Vec<f64> {
    let edge = taper * length as f64 / 2.0;
    (0..length)
        .map(|index| {
            let from_end = (index as f64 + 0.5).min(length as f64 - index as f64 - 0.5);
            if from_end >= edge { 1.0 } else { 0.5 - 0.5 * (PI * from_end / edge).cos() }
        })
        .collect()
}

/// Autocorrelation of the windowed signal at lags 0 to `order_max`; the others are 0.
///
/// `padded` has [`PADDING`] zeros in front.
pub(super) fn autocorrelation(padded: &[f64], order_max: usize) -> [f64; ORDER_MAX + 1] {
    #[cfg(target_arch = "x86_64")]
    if Vectors::of_machine().are_wide() {
        // SAFETY: the feature was detected.
        return unsafe { autocorrelation_avx2(padded, order_max) };
    }
    autocorrelation_lanes(padded, order_max)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn autocorrelation_avx2(padded: &[f64], order_max: usize) -> [f64; ORDER_MAX + 1] {
    autocorrelation_lanes(padded, order_max)
}

#[inline(always)]
fn autocorrelation_lanes(padded: &[f64], order_max: usize) -> [f64; ORDER_MAX + 1] {
    /// Lags at a time: few, so that all partial sums stay in registers.
    const GROUP: usize = 4;
    let mut result = [0.0; ORDER_MAX + 1];
    for first_lag in (0..=order_max).step_by(GROUP) {
        let mut sums = [[0.0f64; LANES]; GROUP];
        let mut at = PADDING;
        while at + LANES <= padded.len() {
            let now: &[f64; LANES] = padded[at..at + LANES].try_into().expect("LANES long");
            for (offset, sums) in sums.iter_mut().enumerate() {
                let lagged = at - (first_lag + offset).min(PADDING);
                let before: &[f64; LANES] =
                    padded[lagged..lagged + LANES].try_into().expect("LANES long");
                for lane in 0..LANES {
                    sums[lane] += now[lane] * before[lane];
                }
            }
            at += LANES;
        }
        for (offset, sums) in sums.iter().enumerate() {
            let lag = first_lag + offset;
            if lag <= order_max {
                let rest: f64 = (at..padded.len()).map(|i| padded[i] * padded[i - lag]).sum();
                result[lag] = sums.iter().sum::<f64>() + rest;
            }
        }
    }
    result
}

/// Coefficients and squared errors of every order up to `order_max`, by Levinson and Durbin.
///
/// Source: J. Makhoul, "Linear Prediction: A Tutorial Review", Proc. IEEE 63 (1975), eq. (38).
pub(super) fn levinson_durbin(
    autocorrelation: &[f64; ORDER_MAX + 1],
    order_max: usize,
) -> Vec<(Vec<f64>, f64)> {
    let mut error = autocorrelation[0];
    let mut coefficients = [0.0; ORDER_MAX];
    let mut orders = Vec::with_capacity(order_max);
    for order in 0..order_max {
        if error <= 0.0 {
            break;
        }
        let predicted: f64 =
            (0..order).map(|index| coefficients[index] * autocorrelation[order - index]).sum();
        let reflection = (autocorrelation[order + 1] - predicted) / error;
        let before = coefficients;
        coefficients[order] = reflection;
        for index in 0..order {
            coefficients[index] = before[index] - reflection * before[order - 1 - index];
        }
        error *= 1.0 - reflection * reflection;
        orders.push((coefficients[..=order].to_vec(), error));
    }
    orders
}

/// Quantizes coefficients, carrying each rounding error to the next; `None` when they are too large
/// for the format.
pub(super) fn quantize(coefficients: &[f64]) -> Option<Predictor> {
    let largest = coefficients.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 is small")]
    let exponent = largest.log2().floor() as i32 + 1;
    let shift = (COEFFICIENT_BITS.cast_signed() - 1 - exponent).min(SHIFT_MAX);
    let shift = u32::try_from(shift).ok()?;
    let limit = f64::from((1 << (COEFFICIENT_BITS - 1)) - 1);
    let mut carried = 0.0;
    let coefficients = coefficients
        .iter()
        .map(|coefficient| {
            let wanted = coefficient * f64::from(1u32 << shift) + carried;
            let rounded = wanted.round().clamp(-limit - 1.0, limit);
            carried = wanted - rounded;
            #[expect(clippy::cast_possible_truncation, reason = "clamped to 15 bits")]
            let integer = rounded as i32;
            integer
        })
        .collect();
    Some(Predictor { coefficients, shift })
}

/// The residual of `padded` (integers as floats, [`PADDING`] zeros in front) from frame
/// `coefficients.len()` on, or `None` when a value does not fit 31 bits.
pub(super) fn residual(padded: &[f64], predictor: &Predictor, out: &mut Vec<i32>) -> Option<()> {
    #[cfg(target_arch = "x86_64")]
    if Vectors::of_machine().are_wide() {
        // SAFETY: the feature was detected.
        return unsafe { residual_avx2(padded, predictor, out) };
    }
    residual_lanes(padded, predictor, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn residual_avx2(padded: &[f64], predictor: &Predictor, out: &mut Vec<i32>) -> Option<()> {
    residual_lanes(padded, predictor, out)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled once for each instruction set")]
fn residual_lanes(padded: &[f64], predictor: &Predictor, out: &mut Vec<i32>) -> Option<()> {
    let order = predictor.coefficients.len();
    let mut weights = [0.0; ORDER_MAX];
    for (weight, &coefficient) in weights.iter_mut().zip(&predictor.coefficients) {
        *weight = f64::from(coefficient);
    }
    let scale = 1.0 / f64::from(1u32 << predictor.shift);
    out.clear();
    out.reserve(padded.len());
    let mut largest = [0.0f64; LANES];
    let mut at = PADDING + order;
    while at + LANES <= padded.len() {
        let mut sums = [0.0f64; LANES];
        for (index, weight) in weights[..order].iter().enumerate() {
            let before: &[f64; LANES] =
                padded[at - 1 - index..at - 1 - index + LANES].try_into().expect("LANES long");
            for lane in 0..LANES {
                sums[lane] += weight * before[lane];
            }
        }
        let now: &[f64; LANES] = padded[at..at + LANES].try_into().expect("LANES long");
        let mut values = [0i32; LANES];
        for lane in 0..LANES {
            let value = now[lane] - (sums[lane] * scale).floor();
            largest[lane] = largest[lane].max(value.abs());
            // SAFETY: `largest` is checked below before any value is used; until then a value
            // beyond i32 would be undefined, so it is clamped first.
            values[lane] = unsafe { value.clamp(-2147483648.0, 2147483647.0).to_int_unchecked() };
        }
        out.extend_from_slice(&values);
        at += LANES;
    }
    for at in at..padded.len() {
        let sum: f64 = (0..order).map(|index| weights[index] * padded[at - 1 - index]).sum();
        let value = padded[at] - (sum * scale).floor();
        largest[0] = largest[0].max(value.abs());
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates; checked below")]
        out.push(value as i32);
    }
    largest.iter().all(|&value| value < 1_073_741_824.0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(samples: &[i32]) -> Vec<f64> {
        let mut padded = vec![0.0; PADDING];
        padded.extend(samples.iter().map(|&sample| f64::from(sample)));
        padded
    }

    #[test]
    fn autocorrelation_equals_the_plain_sum() {
        let signal: Vec<i32> = (0..1003i32).map(|i| (i * 7919) % 2001 - 1000).collect();
        let result = autocorrelation(&padded(&signal), ORDER_MAX);
        for (lag, result) in result.iter().enumerate() {
            let plain: f64 = (lag..signal.len())
                .map(|i| f64::from(signal[i]) * f64::from(signal[i - lag]))
                .sum();
            assert!((result - plain).abs() <= 1e-6 * plain.abs().max(1.0), "lag {lag}");
        }
    }

    #[test]
    fn residual_equals_integer_arithmetic_at_25_bits() {
        let predictor = Predictor { coefficients: vec![16383, -16384, 16383, -9, 77], shift: 13 };
        let signal: Vec<i32> = (0..1001i64)
            .map(|i| i32::try_from((i * 104729 * 6151) % (1 << 25)).unwrap() - (1 << 24))
            .collect();
        let mut out = Vec::new();
        residual(&padded(&signal), &predictor, &mut out).unwrap();
        for (index, &value) in out.iter().enumerate() {
            let at = index + 5;
            let sum: i64 = (0..5)
                .map(|j| i64::from(predictor.coefficients[j]) * i64::from(signal[at - 1 - j]))
                .sum();
            assert_eq!(i64::from(value), i64::from(signal[at]) - (sum >> 13));
        }
    }

    #[test]
    fn first_order_recursion_is_found() {
        let mut signal = vec![0.0; PADDING];
        let mut state = 0.0;
        for index in 0..4096 {
            state = 0.9 * state + f64::from((index * 7919) % 997) - 498.0;
            signal.push(state);
        }
        let orders = levinson_durbin(&autocorrelation(&signal, 2), 2);
        assert!((orders[0].0[0] - 0.9).abs() < 0.05, "{}", orders[0].0[0]);
        assert_eq!(quantize(&[0.9]).unwrap(), Predictor { coefficients: vec![14746], shift: 14 });
    }
}
