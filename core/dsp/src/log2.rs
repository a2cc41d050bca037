//! A logarithm that has the same bits on every machine.

/// The base-2 logarithm of a normal positive number, within 2e-7 of it and of one. The system's has
/// other bits where the machine fuses products and sums.
///
/// By the series of the inverse hyperbolic tangent of (m - 1) / (m + 1), with m around 1.
pub(crate) fn log2(value: f32) -> f32 {
    const ROOT_OF_HALF: i32 = 0x3f35_04f3;
    const MANTISSA_BITS: u32 = 23;
    const FACTOR: f32 = 2.0 * std::f32::consts::LOG2_E;
    let bits = value.to_bits().cast_signed();
    let exponent = (bits - ROOT_OF_HALF) >> MANTISSA_BITS;
    let mantissa = f32::from_bits((bits - (exponent << MANTISSA_BITS)).cast_unsigned());
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = 1.0 + square * (1.0 / 3.0 + square * (0.2 + square / 7.0));
    exponent as f32 + FACTOR * t * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_is_that_of_f64() {
        for step in 0..60_000u16 {
            let value = 1e-12 * 1.001f32.powi(i32::from(step));
            if !value.is_finite() {
                break;
            }
            let expected = f64::from(value).log2();
            let error = (f64::from(log2(value)) - expected).abs();
            assert!(error <= 2e-7 * expected.abs().max(1.0), "of {value}: off by {error}");
        }
    }
}
