//! The K filter, and the energy of what passes it.
//!
//! A recursive filter is one long chain of dependent operations. Here a step of samples is cut into
//! [`LANES`] equal rows that are filtered beside each other, each from silence; what the state at the
//! step's beginning adds is known beforehand (the filter is linear) and is added to the energies
//! afterwards. So the arithmetic has one fixed order whatever the width of the machine's vectors.

use std::f64::consts::PI;
use wavemill_audio::Vectors;
use wavemill_audio::units::SampleRate;

/// Rows filtered beside each other.
const LANES: usize = 8;

/// Numbers of state of both filter sections.
const ORDER: usize = 4;

/// A state that is smaller is none: else it would decay through denormal numbers, which some machines
/// compute a hundred times slower. 600 dB below full scale; its energy is far below all others.
const SILENCE: f64 = 1e-30;

type State = [f64; ORDER];
type Matrix = [[f64; ORDER]; ORDER];

/// Both sections of the filter for a sample rate, each normalized to a0 = 1.
///
/// The second section's numerator is 1, -2, 1.
#[derive(Clone, Copy, Debug)]
struct Sections {
    b0: f64,
    b1: f64,
    b2: f64,
    a1: f64,
    a2: f64,
    c1: f64,
    c2: f64,
}

/// The sections as recursions of their states, transposed direct form II with each section's output
/// replaced by what it is made of: so a state waits for one product and one sum of itself, not three.
#[derive(Clone, Copy, Debug)]
struct Recursion {
    b0: f64,
    /// What a sample adds to the shelf's states.
    in1: f64,
    in2: f64,
    a1: f64,
    a2: f64,
    /// What the shelf's output takes from the high pass's first state.
    in3: f64,
    c1: f64,
    c2: f64,
}

/// A section's analog prototype: it gives the standard's coefficients at 48 kHz, and by the bilinear
/// transform those of other rates.
///
/// Source: ITU-R BS.1770-5, Annex 1, tables 1 and 2, solved for frequency, gain and Q.
const SHELF_HZ: f64 = 1681.974450955533;
const SHELF_GAIN_DB: f64 = 3.999843853973347;
const SHELF_Q: f64 = 0.7071752369554196;
/// Exponent of the band gain in the shelf's numerator, from the same solution.
const SHELF_BAND_EXPONENT: f64 = 0.4996667741545416;
/// At rates too low for the shelf (below 4 kHz, where the standard says nothing) it stays this share of
/// the rate, just below half, where the transform would turn over.
const SHELF_HZ_MAX_OF_RATE: f64 = 0.45;
const HIGH_PASS_HZ: f64 = 38.13547087602444;
const HIGH_PASS_Q: f64 = 0.5003270373238773;

impl Sections {
    fn of(rate: SampleRate) -> Self {
        let rate_hz = f64::from(rate.0);
        let k = (PI * SHELF_HZ.min(SHELF_HZ_MAX_OF_RATE * rate_hz) / rate_hz).tan();
        let high = 10f64.powf(SHELF_GAIN_DB / 20.0);
        let band = high.powf(SHELF_BAND_EXPONENT);
        let a0 = 1.0 + k / SHELF_Q + k * k;
        let l = (PI * HIGH_PASS_HZ / rate_hz).tan();
        let c0 = 1.0 + l / HIGH_PASS_Q + l * l;
        Self {
            b0: (high + band * k / SHELF_Q + k * k) / a0,
            b1: 2.0 * (k * k - high) / a0,
            b2: (high - band * k / SHELF_Q + k * k) / a0,
            a1: 2.0 * (k * k - 1.0) / a0,
            a2: (1.0 - k / SHELF_Q + k * k) / a0,
            c1: 2.0 * (l * l - 1.0) / c0,
            c2: (1.0 - l / HIGH_PASS_Q + l * l) / c0,
        }
    }

    fn recursion(&self) -> Recursion {
        let Self { b0, b1, b2, a1, a2, c1, c2 } = *self;
        Recursion { b0, in1: b1 - a1 * b0, in2: b2 - a2 * b0, a1, a2, in3: 2.0 + c1, c1, c2 }
    }
}

impl Recursion {
    /// One sample through both sections.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn next(&self, state: &mut State, sample: f64) -> f64 {
        let [s0, s1, s2, s3] = *state;
        let shelved = self.b0 * sample + s0;
        let weighted = shelved + s2;
        *state = [
            (self.in1 * sample + s1) - self.a1 * s0,
            self.in2 * sample - self.a2 * s0,
            (s3 - self.in3 * shelved) - self.c1 * s2,
            shelved - self.c2 * weighted,
        ];
        weighted
    }
}

/// What a state does to a row of samples, by itself.
#[derive(Clone, Debug)]
struct Response {
    /// Output of each state number at each sample.
    outputs: Vec<State>,
    /// Products of those outputs, summed over the row.
    energies: Matrix,
    /// The state after the row, `[from][to]`.
    transition: Matrix,
}

impl Response {
    fn new(recursion: &Recursion, frame_count: usize) -> Self {
        let mut outputs = vec![[0.0; ORDER]; frame_count];
        let mut transition = [[0.0; ORDER]; ORDER];
        for (from, after) in transition.iter_mut().enumerate() {
            after[from] = 1.0;
            for output in &mut outputs {
                output[from] = recursion.next(after, 0.0);
            }
        }
        let mut energies = [[0.0; ORDER]; ORDER];
        for output in &outputs {
            for (row, a) in energies.iter_mut().zip(output) {
                for (energy, b) in row.iter_mut().zip(output) {
                    *energy += a * b;
                }
            }
        }
        Self { outputs, energies, transition }
    }
}

/// Filters steps of one stream's channels.
#[derive(Clone, Debug)]
pub(super) struct KWeighting {
    recursion: Recursion,
    /// For each length of row that steps of this stream have: one, or two that differ by a frame.
    responses: Vec<Response>,
    states: Vec<State>,
    /// Outputs of one kernel that the other one takes.
    outputs: Box<Chunk>,
    vectors: Vectors,
}

impl KWeighting {
    /// For steps of `frames_min` or one more frames.
    pub(super) fn new(rate: SampleRate, channel_count: usize, frames_min: usize) -> Self {
        let recursion = Sections::of(rate).recursion();
        let mut lengths = vec![frames_min / LANES, (frames_min + 1) / LANES];
        lengths.dedup();
        Self {
            recursion,
            responses: lengths.iter().map(|&length| Response::new(&recursion, length)).collect(),
            states: vec![[0.0; ORDER]; channel_count],
            outputs: Box::new([[0.0; LANES]; CHUNK]),
            vectors: Vectors::of_machine(),
        }
    }

    /// Forgets what came before.
    pub(super) fn clear(&mut self) {
        self.states.fill([0.0; ORDER]);
    }

    /// The energy of a channel's next step: its weighted samples squared, summed.
    ///
    /// # Panics
    /// When the step has a length that [`Self::new`] was not given: that is a bug of the caller.
    pub(super) fn energy(&mut self, channel: usize, step: &[f32]) -> f64 {
        let row_frames = step.len() / LANES;
        let response = self.responses.iter().find(|known| known.outputs.len() == row_frames);
        let response = response.expect("a step of the stream's length");
        let state = &mut self.states[channel];
        let filter = Filter { recursion: &self.recursion, response };
        let energy = match self.vectors {
            Vectors::Plain => filter.energy(step, state, &mut self.outputs),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Wide => unsafe { filter.energy_avx2(step, state, &mut self.outputs) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Widest => unsafe { filter.energy_avx512(step, state, &mut self.outputs) },
        };
        if state.iter().all(|number| number.abs() < SILENCE) {
            *state = [0.0; ORDER];
        }
        energy
    }
}

/// The filter for one length of row.
#[derive(Clone, Copy)]
struct Filter<'a> {
    recursion: &'a Recursion,
    response: &'a Response,
}

impl Filter<'_> {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn energy_avx2(self, step: &[f32], state: &mut State, outputs: &mut Chunk) -> f64 {
        self.energy(step, state, outputs)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn energy_avx512(self, step: &[f32], state: &mut State, outputs: &mut Chunk) -> f64 {
        self.energy(step, state, outputs)
    }

    /// The energy of a step that begins in `state`, which becomes the state at its end.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn energy(self, step: &[f32], state: &mut State, outputs: &mut Chunk) -> f64 {
        let Self { recursion, response } = self;
        let (rows, rest) = step.split_at(response.outputs.len() * LANES);
        let alone = filter_rows(recursion, &response.outputs, rows, outputs);
        let mut energy = 0.0;
        for lane in 0..LANES {
            energy += alone.continued(lane, state, response);
        }
        for &sample in rest {
            let weighted = recursion.next(state, f64::from(sample));
            energy += weighted * weighted;
        }
        energy
    }
}

/// What rows come to when each begins in silence.
struct Rows {
    energy: [f64; LANES],
    /// Products of the output with what each state number would have added.
    cross: [[f64; LANES]; ORDER],
    state: [[f64; LANES]; ORDER],
}

impl Rows {
    /// The energy of a row that begins in `state`, which becomes the state at its end.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn continued(&self, lane: usize, state: &mut State, response: &Response) -> f64 {
        let mut cross = 0.0;
        let mut next: State = std::array::from_fn(|to| self.state[to][lane]);
        let mut own = [0.0; ORDER];
        for (from, &number) in state.iter().enumerate() {
            cross += number * self.cross[from][lane];
            for to in 0..ORDER {
                next[to] += response.transition[from][to] * number;
                own[to] += response.energies[from][to] * number;
            }
        }
        let own = (own[0] * state[0] + own[1] * state[1]) + (own[2] * state[2] + own[3] * state[3]);
        *state = next;
        self.energy[lane] + (2.0 * cross + own)
    }
}

/// Frames whose outputs are kept between both kernels: they stay in the first-level cache.
const CHUNK: usize = 64;

type Chunk = [[f64; LANES]; CHUNK];

/// Two kernels in turn, because the numbers of both do not fit the registers of most machines. Loops
/// over lanes are what becomes vectors, so they stay loops over arrays of fixed length; nothing is
/// added across lanes.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn filter_rows(
    recursion: &Recursion,
    responses: &[State],
    rows: &[f32],
    outputs: &mut Chunk,
) -> Rows {
    let row_frames = responses.len();
    let mut all =
        Rows { energy: [0.0; LANES], cross: [[0.0; LANES]; ORDER], state: [[0.0; LANES]; ORDER] };
    for first in (0..row_frames).step_by(CHUNK) {
        let count = CHUNK.min(row_frames - first);
        let chunk: [&[f32]; LANES] =
            std::array::from_fn(|lane| &rows[lane * row_frames + first..][..count]);
        let outputs = &mut outputs[..count];
        filter_chunk(recursion, &chunk, &mut all.state, outputs);
        add_products(outputs, &responses[first..first + count], &mut all);
    }
    all
}

/// Filters a chunk of rows.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn filter_chunk(
    recursion: &Recursion,
    rows: &[&[f32]; LANES],
    state: &mut [[f64; LANES]; ORDER],
    outputs: &mut [[f64; LANES]],
) {
    let Recursion { b0, in1, in2, a1, a2, in3, c1, c2 } = *recursion;
    let rows = rows.map(|row| &row[..outputs.len()]);
    let [mut s0, mut s1, mut s2, mut s3] = *state;
    for (frame, output) in outputs.iter_mut().enumerate() {
        let mut x = [0.0; LANES];
        for lane in 0..LANES {
            x[lane] = f64::from(rows[lane][frame]);
        }
        for lane in 0..LANES {
            let shelved = b0 * x[lane] + s0[lane];
            let weighted = shelved + s2[lane];
            s2[lane] = (s3[lane] - in3 * shelved) - c1 * s2[lane];
            s3[lane] = shelved - c2 * weighted;
            let before = s0[lane];
            s0[lane] = (in1 * x[lane] + s1[lane]) - a1 * before;
            s1[lane] = in2 * x[lane] - a2 * before;
            output[lane] = weighted;
        }
    }
    *state = [s0, s1, s2, s3];
}

/// Adds energies and products with the responses to each state number.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn add_products(outputs: &[[f64; LANES]], responses: &[State], all: &mut Rows) {
    let mut energy = all.energy;
    let mut cross = all.cross;
    for (output, response) in outputs.iter().zip(responses) {
        for lane in 0..LANES {
            energy[lane] += output[lane] * output[lane];
        }
        for number in 0..ORDER {
            for lane in 0..LANES {
                cross[number][lane] += output[lane] * response[number];
            }
        }
    }
    (all.energy, all.cross) = (energy, cross);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise on a constant and a slow sine: what a K filter removes must not disturb what it keeps.
    fn signal(count: usize) -> Vec<f32> {
        let mut state = 1u32;
        let noise = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(*state >> 16).unwrap()) / 65_536.0 - 0.5
        };
        (0..count)
            .map(|frame| 0.2 * noise(&mut state) + 0.3 * (frame as f32 * 0.0123).sin() + 0.1)
            .collect()
    }

    /// Energies by the plain recursion, in direct form I.
    fn plainly(rate: SampleRate, steps: &[&[f32]]) -> Vec<f64> {
        let Sections { b0, b1, b2, a1, a2, c1, c2 } = Sections::of(rate);
        let (mut x, mut v, mut y) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let mut next = |sample: f64| {
            x = [sample, x[0], x[1]];
            v = [b0 * x[0] + b1 * x[1] + b2 * x[2] - a1 * v[0] - a2 * v[1], v[0], v[1]];
            y = [v[0] - 2.0 * v[1] + v[2] - c1 * y[0] - c2 * y[1], y[0], y[1]];
            y[0]
        };
        let mut energy_of = |step: &&[f32]| -> f64 {
            step.iter()
                .map(|&sample| next(f64::from(sample)))
                .map(|weighted| weighted * weighted)
                .sum()
        };
        steps.iter().map(&mut energy_of).collect()
    }

    #[test]
    fn coefficients_at_48_khz_are_those_of_the_standard() {
        // ITU-R BS.1770-5, Annex 1, tables 1 and 2.
        let sections = Sections::of(SampleRate(48_000));
        let pairs = [
            (sections.b0, 1.53512485958697),
            (sections.b1, -2.69169618940638),
            (sections.b2, 1.19839281085285),
            (sections.a1, -1.69065929318241),
            (sections.a2, 0.73248077421585),
            (sections.c1, -1.99004745483398),
            (sections.c2, 0.99007225036621),
        ];
        for (own, printed) in pairs {
            assert!((own - printed).abs() < 1e-13, "{own} {printed}");
        }
    }

    #[test]
    fn rows_beside_each_other_equal_the_plain_recursion() {
        for rate in [1_000, 8_000, 22_050, 44_100, 48_000, 96_000, 192_000, 655_350] {
            let rate = SampleRate(rate);
            let frames = usize::try_from(rate.0 / 100).unwrap();
            let signal = signal(60 * (frames + 1));
            let mut steps = Vec::new();
            let mut rest = &signal[..];
            for index in 0..60 {
                let (step, after) = rest.split_at(frames + index % 2);
                steps.push(step);
                rest = after;
            }
            let mut filter = KWeighting::new(rate, 1, frames);
            for (step, expected) in steps.iter().zip(plainly(rate, &steps)) {
                let energy = filter.energy(0, step);
                assert!((energy / expected - 1.0).abs() < 1e-9, "{rate:?} {energy} {expected}");
            }
        }
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        let signal = signal(48_000);
        let bits = |vectors: Vectors| -> Vec<u64> {
            let mut filter = KWeighting::new(SampleRate(48_000), 1, 480);
            filter.vectors = vectors;
            signal.chunks(480).map(|step| filter.energy(0, step).to_bits()).collect()
        };
        for vectors in Vectors::available() {
            assert_eq!(bits(Vectors::Plain), bits(vectors), "{vectors:?}");
        }
    }
}
