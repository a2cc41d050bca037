//! Filtering and change of the rate in one: transform, multiply, transform back at another size.

use super::filter::LowPass;
use super::plan::Shape;
use super::sample::{Real, Sample, convert};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a cache line: vectors that cross lines made the transforms a tenth slower.
const LINE_BYTES: usize = 64;

/// Overlap and save over any number of channels, two in each transform.
pub(super) struct Transformer<T: Real> {
    shape: Shape,
    forward: Arc<dyn Fft<T>>,
    backward: Arc<dyn Fft<T>>,
    /// Response of the filter at the bins 0, 1, 2 and so on; it is real and the same for negative
    /// frequencies. Includes the scale of the transforms.
    response: Vec<T>,
    spectrum: Aligned<T>,
    scratch: Aligned<T>,
    pairs: Vec<Pair<T>>,
    /// Frames in the pairs' inputs.
    filled: usize,
    /// Silence before the signal's first frame.
    lead: usize,
    /// Frames of the pairs' outputs that are ready, as indices.
    ready: Range<usize>,
}

/// Two channels: one is the real part, the other the imaginary part.
struct Pair<T> {
    input: Aligned<T>,
    output: Aligned<T>,
    /// Which of the two had any sound in this piece.
    has_sound: [bool; 2],
    /// Whether there is a second channel.
    has_second: bool,
}

impl<T: Real> Transformer<T> {
    /// `lead` frames of silence come before the signal, a multiple of the reduced ratio.
    pub(super) fn new(shape: Shape, filter: &LowPass, channel_count: usize, lead: usize) -> Self {
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(shape.input_size);
        let backward = planner.plan_fft_inverse(shape.output_size);
        let scratch_size =
            forward.get_immutable_scratch_len().max(backward.get_inplace_scratch_len());
        let pair = |first: usize| Pair {
            input: Aligned::new(shape.input_size),
            output: Aligned::new(shape.output_size),
            has_sound: [false; 2],
            has_second: first + 1 < channel_count,
        };
        Self {
            shape,
            forward,
            backward,
            response: response(&shape, filter),
            spectrum: Aligned::new(shape.input_size),
            scratch: Aligned::new(scratch_size),
            pairs: (0..channel_count).step_by(2).map(pair).collect(),
            filled: shape.input_guard + lead,
            lead,
            ready: 0..0,
        }
    }

    pub(super) fn input_size(&self) -> usize {
        self.shape.input_size
    }

    pub(super) fn output_step(&self) -> usize {
        self.shape.output_step
    }

    pub(super) fn available(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn room(&self) -> usize {
        self.shape.input_size - self.filled
    }

    /// Takes a plane of each channel.
    pub(super) fn push<'a, S: Sample>(&mut self, mut planes: impl Iterator<Item = &'a [S]>) {
        let mut count = 0;
        for pair in &mut self.pairs {
            let Some(first) = planes.next() else { break };
            let second = if pair.has_second { planes.next() } else { None };
            count = first.len();
            let input = &mut pair.input.values_mut()[self.filled..self.filled + count];
            if let Some(second) = second {
                for ((value, &re), &im) in input.iter_mut().zip(first).zip(second) {
                    *value = Complex::new(convert(re), convert(im));
                }
            } else {
                for (value, &re) in input.iter_mut().zip(first) {
                    *value = Complex::new(convert(re), T::zero());
                }
            }
        }
        self.advance(count);
    }

    pub(super) fn push_silence(&mut self, frames: usize) {
        for pair in &mut self.pairs {
            pair.input.values_mut()[self.filled..self.filled + frames].fill(zero());
        }
        self.advance(frames);
    }

    fn advance(&mut self, frames: usize) {
        self.filled += frames;
        if self.filled < self.shape.input_size {
            return;
        }
        for index in 0..self.pairs.len() {
            self.transform(index);
        }
        let kept = self.shape.input_step..self.shape.input_size;
        for pair in &mut self.pairs {
            pair.input.values_mut().copy_within(kept.clone(), 0);
        }
        self.filled = kept.len();
        self.ready = self.shape.output_guard..self.shape.output_guard + self.shape.output_step;
    }

    fn transform(&mut self, index: usize) {
        let pair = &mut self.pairs[index];
        pair.has_sound = has_sound(pair.input.values());
        if pair.has_sound == [false; 2] {
            return;
        }
        let spectrum = self.spectrum.values_mut();
        let scratch = self.scratch.values_mut();
        self.forward.process_immutable_with_scratch(pair.input.values(), spectrum, scratch);
        let output = pair.output.values_mut();
        // Positive frequencies with zero, then the negative ones, which stand at the end.
        let positive = self.response.len();
        let negative = positive - 1;
        let (low, high) = (&spectrum[..positive], &spectrum[spectrum.len() - negative..]);
        let high_start = output.len() - negative;
        for ((value, &bin), &factor) in output.iter_mut().zip(low).zip(&self.response) {
            *value = bin.scale(factor);
        }
        output[positive..high_start].fill(zero());
        let factors = self.response[1..].iter().rev();
        for ((value, &bin), &factor) in output[high_start..].iter_mut().zip(high).zip(factors) {
            *value = bin.scale(factor);
        }
        self.backward.process_with_scratch(output, scratch);
    }

    /// Fills a plane of each channel.
    pub(super) fn pull<'a, S: Sample>(&mut self, mut planes: impl Iterator<Item = &'a mut [S]>) {
        let mut count = 0;
        for pair in &self.pairs {
            let Some(first) = planes.next() else { break };
            count = first.len();
            let output = &pair.output.values()[self.ready.clone()][..count];
            write(first, output, pair.has_sound[0], |value| value.re);
            if let Some(second) = if pair.has_second { planes.next() } else { None } {
                write(second, output, pair.has_sound[1], |value| value.im);
            }
        }
        self.ready.start += count;
    }

    pub(super) fn reset(&mut self) {
        for pair in &mut self.pairs {
            pair.input.values_mut().fill(zero());
        }
        self.filled = self.shape.input_guard + self.lead;
        self.ready = 0..0;
    }
}

fn zero<T: Real>() -> Complex<T> {
    Complex::new(T::zero(), T::zero())
}

/// A channel that had no sound is written as zeros: the other one's rounding is not its own.
fn write<T: Real, S: Sample>(
    plane: &mut [S],
    output: &[Complex<T>],
    has_sound: bool,
    part: impl Fn(&Complex<T>) -> T,
) {
    if has_sound {
        for (sample, value) in plane.iter_mut().zip(output) {
            *sample = convert(part(value));
        }
    } else {
        plane.fill(S::default());
    }
}

/// Whether the real and the imaginary parts hold anything but zeros.
fn has_sound<T: Real>(input: &[Complex<T>]) -> [bool; 2] {
    let (mut first, mut second) = (false, false);
    for value in input {
        first |= value.re != T::zero();
        second |= value.im != T::zero();
    }
    [first, second]
}

/// The response of the filter around index 0 at the bins that both sizes have.
fn response<T: Real>(shape: &Shape, filter: &LowPass) -> Vec<T> {
    let size = shape.input_size;
    let reach = filter.reach();
    let kernel = filter.kernel(reach);
    let mut taps = vec![Complex::new(0.0, 0.0); size];
    taps[0].re = kernel.at(0.0);
    let mut time = 1;
    while time as f64 <= reach {
        taps[time].re = kernel.at(time as f64);
        taps[size - time].re = taps[time].re;
        time += 1;
    }
    FftPlanner::new().plan_fft_forward(size).process(&mut taps);
    // The sum of the taps is the gain of a constant; it becomes exactly one.
    let scale = 1.0 / (taps[0].re * size as f64);
    let bins = size.min(shape.output_size).div_ceil(2);
    taps[..bins].iter().map(|bin| convert(bin.re * scale)).collect()
}

/// Numbers that begin at a cache line.
struct Aligned<T> {
    memory: Vec<Complex<T>>,
    start: usize,
    size: usize,
}

impl<T: Real> Aligned<T> {
    fn new(size: usize) -> Self {
        let spare = LINE_BYTES / size_of::<Complex<T>>();
        let memory = vec![zero(); size + spare];
        let start = memory.as_ptr().align_offset(LINE_BYTES).min(spare);
        Self { memory, start, size }
    }

    fn values(&self) -> &[Complex<T>] {
        &self.memory[self.start..self.start + self.size]
    }

    fn values_mut(&mut self) -> &mut [Complex<T>] {
        &mut self.memory[self.start..self.start + self.size]
    }
}
