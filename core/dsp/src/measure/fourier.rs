//! The magnitudes of windowed real frames, eight frames at once.
//!
//! A frame of [`FRAME`] real samples is transformed as half as many complex ones, even samples real
//! and odd ones imaginary, in steps of radix 4 by decimation in frequency: the first over the whole,
//! the others within quarters that stay in the nearest cache. Eight frames lie beside each other, so
//! every step is the same for all and needs no shuffling. `realfft` on `rustfft`, the usual choice,
//! takes 2.3 times as long for a frame with its widest vectors, and gives other bits with each kind
//! of vectors, since it fuses multiplications and additions where it can.
//!
//! In `f32` what rounding adds lies 140 dB below the strongest line: of music, spectral numbers differ
//! from those in `f64` by less than a ten-thousandth.
//!
//! Source: J. W. Cooley, J. W. Tukey 1965; the real transform from the half-length complex one: W. H.
//! Press et al., Numerical Recipes, 3rd edition, 12.3.2.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::lanes::Lanes;
use std::f64::consts::TAU;

/// Samples of a frame.
pub(crate) const FRAME: usize = 2048;

/// Samples between the beginnings of frames.
pub(crate) const HOP: usize = FRAME / 4;

/// Frequencies of a frame, from zero to half the sample rate.
pub(crate) const BINS: usize = FRAME / 2 + 1;

/// Complex numbers of the half-length transform: a power of four.
const HALF: usize = FRAME / 2;
const QUARTER: usize = HALF / 4;

/// The samples at one place of every hop: those of the first quarters of as many frames as there are
/// [lanes](super::lanes::LANES), and of three hops more, which are the last frame's.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Column(pub(crate) [f32; COLUMN]);

/// Hops in a column; those beyond `LANES + 3` only keep columns from straddling cache lines.
const COLUMN: usize = 16;

impl Column {
    pub(crate) const ZERO: Self = Self([0.0; COLUMN]);

    /// This place in quarter `quarter` of every frame.
    #[inline(always)]
    fn quarter(&self, quarter: usize) -> Lanes {
        Lanes(std::array::from_fn(|lane| self.0[quarter + lane]))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Complex {
    re: Lanes,
    im: Lanes,
}

impl Complex {
    #[inline(always)]
    fn times(self, (re, im): (f32, f32)) -> Self {
        Self { re: self.re * re - self.im * im, im: self.re * im + self.im * re }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    #[inline(always)]
    fn magnitude(self) -> Lanes {
        (self.re * self.re + self.im * self.im).map(f32::sqrt)
    }
}

/// Factors of one step of radix 4: the first three powers of a root of one.
type Twiddles = [(f32, f32); 3];

/// Transforms eight frames at a time.
#[derive(Clone, Debug)]
pub(crate) struct Fourier {
    /// Half of the periodic Hann window, `[place in hop][quarter]`. The halves are those of the last
    /// step.
    window: Vec<[f32; 4]>,
    /// Of the first step, then of each within the quarters.
    twiddles: Vec<Vec<Twiddles>>,
    /// Of the last step, which makes a real transform of the complex one.
    unweave: Vec<(f32, f32)>,
    /// Where each frequency of the complex transform lies.
    places: Vec<usize>,
    numbers: Vec<Complex>,
    magnitudes: Vec<Lanes>,
    is_wide: bool,
}

/// `e^(-2 pi i k / n)`.
fn root_of_one(k: usize, n: usize) -> (f32, f32) {
    let angle = TAU * (k % n) as f64 / n as f64;
    #[expect(clippy::cast_possible_truncation, reason = "the transform is of f32")]
    let root = (angle.cos() as f32, -angle.sin() as f32);
    root
}

impl Fourier {
    pub(crate) fn new(is_wide: bool) -> Self {
        let hann = |index: usize| 0.5 - 0.5 * (TAU * index as f64 / FRAME as f64).cos();
        #[expect(clippy::cast_possible_truncation, reason = "the transform is of f32")]
        let half = |value: f64| (0.5 * value) as f32;
        let lengths = std::iter::successors(Some(HALF), |length| Some(length / 4));
        let twiddles = |n: usize| -> Vec<Twiddles> {
            (0..n / 4).map(|j| [1, 2, 3].map(|power| root_of_one(power * j, n))).collect()
        };
        let place = |k: usize| {
            let mut rest = (k, 0);
            let mut length = HALF;
            while length > 1 {
                rest = (rest.0 / 4, rest.1 * 4 + rest.0 % 4);
                length /= 4;
            }
            rest.1
        };
        Self {
            window: (0..HOP)
                .map(|r| std::array::from_fn(|quarter| half(hann(quarter * HOP + r))))
                .collect(),
            twiddles: lengths.take_while(|&length| length > 1).map(twiddles).collect(),
            unweave: (0..HALF / 2).map(|k| root_of_one(k, FRAME)).collect(),
            places: (0..HALF).map(place).collect(),
            numbers: vec![Complex::default(); HALF],
            magnitudes: vec![Lanes::default(); BINS],
            is_wide,
        }
    }

    /// The magnitude of each frequency of the frames that `columns` hold, one column for every place
    /// in a hop. The result is the same with any width of vectors.
    pub(crate) fn magnitudes(&mut self, columns: &[Column]) -> &[Lanes] {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            unsafe { self.transform_avx2(columns) };
            return &self.magnitudes;
        }
        self.transform(columns);
        &self.magnitudes
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn transform_avx2(&mut self, columns: &[Column]) {
        self.transform(columns);
    }

    #[inline(always)]
    fn transform(&mut self, columns: &[Column]) {
        let (first, others) = self.twiddles.split_first().expect("there are several steps");
        weave(columns, &self.window, first, &mut self.numbers);
        for quarter in self.numbers.chunks_exact_mut(QUARTER) {
            let mut length = QUARTER;
            for twiddles in others {
                for part in quarter.chunks_exact_mut(length) {
                    step(part, twiddles);
                }
                length /= 4;
            }
        }
        unweave(&self.numbers, &self.places, &self.unweave, &mut self.magnitudes);
    }
}

/// A butterfly of radix 4, forward.
#[inline(always)]
fn butterfly(x: [Complex; 4]) -> [Complex; 4] {
    let (even, odd) = (x[0].plus(x[2]), x[1].plus(x[3]));
    let (a, b) = (x[0].minus(x[2]), x[1].minus(x[3]));
    [
        even.plus(odd),
        Complex { re: a.re + b.im, im: a.im - b.re },
        even.minus(odd),
        Complex { re: a.re - b.im, im: a.im + b.re },
    ]
}

/// The first step: windows the samples and joins quarters of the frames.
#[inline(always)]
fn weave(columns: &[Column], window: &[[f32; 4]], twiddles: &[Twiddles], numbers: &mut [Complex]) {
    let (y0, rest) = numbers.split_at_mut(QUARTER);
    let (y1, rest) = rest.split_at_mut(QUARTER);
    let (y2, y3) = rest.split_at_mut(QUARTER);
    let (y3, columns, window) = (&mut y3[..QUARTER], &columns[..HOP], &window[..HOP]);
    let twiddles = &twiddles[..QUARTER];
    for j in 0..QUARTER {
        let (even, odd) = (&columns[2 * j], &columns[2 * j + 1]);
        let (even_window, odd_window) = (&window[2 * j], &window[2 * j + 1]);
        let x = std::array::from_fn(|quarter| Complex {
            re: even.quarter(quarter) * even_window[quarter],
            im: odd.quarter(quarter) * odd_window[quarter],
        });
        let y = butterfly(x);
        y0[j] = y[0];
        y1[j] = y[1].times(twiddles[j][0]);
        y2[j] = y[2].times(twiddles[j][1]);
        y3[j] = y[3].times(twiddles[j][2]);
    }
}

/// A later step, of one part.
#[inline(always)]
fn step(part: &mut [Complex], twiddles: &[Twiddles]) {
    let quarter = twiddles.len();
    let (x0, rest) = part.split_at_mut(quarter);
    let (x1, rest) = rest.split_at_mut(quarter);
    let (x2, x3) = rest.split_at_mut(quarter);
    let x3 = &mut x3[..quarter];
    if quarter == 1 {
        let y = butterfly([x0[0], x1[0], x2[0], x3[0]]);
        (x0[0], x1[0], x2[0], x3[0]) = (y[0], y[1], y[2], y[3]);
        return;
    }
    for j in 0..quarter {
        let y = butterfly([x0[j], x1[j], x2[j], x3[j]]);
        x0[j] = y[0];
        x1[j] = y[1].times(twiddles[j][0]);
        x2[j] = y[2].times(twiddles[j][1]);
        x3[j] = y[3].times(twiddles[j][2]);
    }
}

/// The last step: from the complex transform the real one's magnitudes.
#[inline(always)]
fn unweave(numbers: &[Complex], places: &[usize], roots: &[(f32, f32)], magnitudes: &mut [Lanes]) {
    let magnitudes = &mut magnitudes[..BINS];
    let zero = numbers[0];
    magnitudes[0] = (zero.re + zero.im).map(|sum| (sum + sum).abs());
    magnitudes[HALF] = (zero.re - zero.im).map(|sum| (sum + sum).abs());
    let middle = numbers[places[HALF / 2]];
    magnitudes[HALF / 2] = middle.plus(middle).magnitude();
    for k in 1..HALF / 2 {
        let (a, b) = (numbers[places[k]], numbers[places[HALF - k]]);
        let even = Complex { re: a.re + b.re, im: a.im - b.im };
        let odd = Complex { re: a.im + b.im, im: b.re - a.re }.times(roots[k]);
        magnitudes[k] = even.plus(odd).magnitude();
        magnitudes[HALF - k] = even.minus(odd).magnitude();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::lanes::LANES;
    use wavemill_audio::Vectors;

    /// Noise on a strong low tone, and the columns made of it.
    fn frames() -> (Vec<f32>, Vec<Column>) {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5
        };
        let hops = LANES + 3;
        let samples: Vec<f32> =
            (0..hops * HOP).map(|n| 0.1 * noise() + (n as f32 * 0.02).sin()).collect();
        let mut columns = vec![Column::ZERO; HOP];
        for (n, &sample) in samples.iter().enumerate() {
            columns[n % HOP].0[n / HOP] = sample;
        }
        (samples, columns)
    }

    /// By the definition, in `f64`.
    fn plainly(frame: &[f32], bin: usize) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in frame.iter().enumerate() {
            let window = 0.5 - 0.5 * (TAU * n as f64 / FRAME as f64).cos();
            let angle = TAU * (n * bin % FRAME) as f64 / FRAME as f64;
            re += window * f64::from(sample) * angle.cos();
            im -= window * f64::from(sample) * angle.sin();
        }
        re.hypot(im)
    }

    #[test]
    fn magnitudes_equal_those_of_the_definition() {
        let (samples, columns) = frames();
        let mut fourier = Fourier::new(Vectors::of_machine().are_wide());
        let magnitudes = fourier.magnitudes(&columns);
        for lane in [0, LANES - 1] {
            let frame = &samples[lane * HOP..lane * HOP + FRAME];
            for bin in (0..BINS).filter(|bin| bin % 41 < 2 || bin.is_power_of_two()) {
                let expected = plainly(frame, bin);
                let error = (f64::from(magnitudes[bin].0[lane]) - expected).abs();
                // The strongest line has 500; f32 has 24 bits.
                assert!(error < 2e-4, "frame {lane}, bin {bin}: off by {error}");
            }
        }
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        if !Vectors::of_machine().are_wide() {
            println!("skipped: this machine has vectors of one width");
        }
        let (_, columns) = frames();
        let bits = |is_wide: bool| -> Vec<[u32; LANES]> {
            let mut fourier = Fourier::new(is_wide);
            fourier.magnitudes(&columns).iter().map(|lanes| lanes.0.map(f32::to_bits)).collect()
        };
        assert_eq!(bits(false), bits(Vectors::of_machine().are_wide()));
    }
}
