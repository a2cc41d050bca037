//! By how many frames one signal lags behind another.

use std::f64::consts::TAU;

/// Where two signals are most alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Frames by which the output lags.
    pub(super) lag: usize,
    /// 1 for a copy of the input, 0 for something unrelated; polarity does not count.
    pub(super) coefficient: f64,
}

/// The lag at which `output` is most like `input`; `None` where either is silent.
///
/// The coefficient is that of the whole signals, so it is 1 only for a delayed, scaled copy.
pub(super) fn likeness(input: &[f32], output: &[f32]) -> Option<Likeness> {
    let norm = (energy(input) * energy(output)).sqrt();
    if norm <= 0.0 {
        return None;
    }
    let correlation = correlation(input, output);
    let strongest = correlation
        .iter()
        .take(output.len())
        .enumerate()
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
    strongest.map(|(lag, value)| Likeness { lag, coefficient: value.abs() / norm })
}

fn energy(signal: &[f32]) -> f64 {
    signal.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum()
}

/// The sum over `t` of `input[t] * output[t + lag]`, for every lag from 0 on.
fn correlation(input: &[f32], output: &[f32]) -> Vec<f64> {
    let size = (input.len() + output.len()).next_power_of_two();
    // Two real signals in one transform: the input as real, the output as imaginary part.
    let part = |signal: &[f32], index: usize| signal.get(index).copied().map_or(0.0, f64::from);
    let mut values: Vec<Complex> = (0..size)
        .map(|index| Complex { re: part(input, index), im: part(output, index) })
        .collect();
    transform(&mut values);
    let mut product: Vec<Complex> = Vec::with_capacity(size);
    for index in 0..size {
        let (a, b) = (values[index], values[(size - index) % size].conjugate());
        let input = Complex { re: 0.5 * (a.re + b.re), im: 0.5 * (a.im + b.im) };
        let output = Complex { re: 0.5 * (a.im - b.im), im: 0.5 * (b.re - a.re) };
        // Conjugated, so that the same forward transform is the inverse of it.
        product.push(input.conjugate().times(output).conjugate());
    }
    transform(&mut product);
    product.iter().map(|value| value.re / size as f64).collect()
}

#[derive(Clone, Copy, Debug)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// Discrete Fourier transform in place, radix 2. Cooley and Tukey, "An Algorithm for the Machine
/// Calculation of Complex Fourier Series", 1965.
fn transform(values: &mut [Complex]) {
    let size = values.len();
    for index in 0..size {
        let reversed = index.reverse_bits() >> (usize::BITS - size.trailing_zeros());
        if size > 1 && index < reversed {
            values.swap(index, reversed);
        }
    }
    let mut half = 1;
    while half < size {
        let turns: Vec<Complex> = (0..half)
            .map(|index| {
                let (sin, cos) = (-TAU / 2.0 * index as f64 / half as f64).sin_cos();
                Complex { re: cos, im: sin }
            })
            .collect();
        for pair in values.chunks_exact_mut(2 * half) {
            let (even, odd) = pair.split_at_mut(half);
            for ((even, odd), turn) in even.iter_mut().zip(odd).zip(&turns) {
                let (a, b) = (*even, odd.times(*turn));
                *even = Complex { re: a.re + b.re, im: a.im + b.im };
                *odd = Complex { re: a.re - b.re, im: a.im - b.im };
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::signal;

    #[test]
    fn correlation_is_the_sum_of_products() {
        let (input, output) = ([1.0, 2.0, -3.0, 0.5, 0.25], [0.5, -1.0, 4.0, 2.0, 1.0, 7.0]);
        let by_transform = correlation(&input, &output);
        for (lag, value) in by_transform.iter().enumerate().take(output.len()) {
            let by_hand: f32 =
                (0..input.len()).filter_map(|t| Some(input[t] * output.get(t + lag)?)).sum();
            assert!((value - f64::from(by_hand)).abs() < 1e-12, "{lag}");
        }
    }

    #[test]
    fn delayed_copy_has_its_lag_and_a_coefficient_of_one() {
        let input = &signal::noise(1, 5_000, 1)[0];
        let mut output = vec![0.0; 123];
        output.extend(input.iter().map(|sample| sample * -0.25));
        let found = likeness(input, &output).unwrap();
        assert_eq!(found.lag, 123);
        assert!((found.coefficient - 1.0).abs() < 1e-9);
    }

    #[test]
    fn unrelated_noise_is_hardly_alike() {
        let (a, b) = (signal::noise(1, 20_000, 1), signal::noise(1, 20_000, 2));
        assert!(likeness(&a[0], &b[0]).unwrap().coefficient < 0.05);
    }

    #[test]
    fn silence_is_like_nothing() {
        assert_eq!(likeness(&[0.5; 100], &[0.0; 100]), None);
        assert_eq!(likeness(&[], &[]), None);
    }
}
