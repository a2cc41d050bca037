//! The K filter, and the energy of what passes it.
//!
//! A recursive filter is one long chain of dependent operations. Here a step of samples is cut into
//! [`LANES`] equal rows that are filtered beside each other, each from silence; what the state at the
//! step's beginning adds is known beforehand (the filter is linear) and is added to the energies
//! afterwards. So the arithmetic has one fixed order whatever the width of the machine's vectors.

use super::vectors::Vectors;
use crate::units::SampleRate;
use std::f64::consts::PI;

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

    /// One sample through both sections, in transposed direct form II.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn next(&self, state: &mut State, sample: f64) -> f64 {
        let shelved = self.b0 * sample + state[0];
        state[0] = self.b1 * sample - self.a1 * shelved + state[1];
        state[1] = self.b2 * sample - self.a2 * shelved;
        let weighted = shelved + state[2];
        state[2] = state[3] - (shelved + shelved) - self.c1 * weighted;
        state[3] = shelved - self.c2 * weighted;
        weighted
    }
}

/// What a state does to a row of `rows` samples, by itself.
#[derive(Clone, Debug)]
struct Response {
    /// Output of each state number at each sample.
    outputs: Vec<State>,
    /// Products of those outputs, summed over the row.
    energies: Matrix,
    /// The state after the row, `[of][from]`.
    transition: Matrix,
}

impl Response {
    fn new(sections: &Sections, frame_count: usize) -> Self {
        let mut outputs = vec![[0.0; ORDER]; frame_count];
        let mut transition = [[0.0; ORDER]; ORDER];
        for from in 0..ORDER {
            let mut state = [0.0; ORDER];
            state[from] = 1.0;
            for output in &mut outputs {
                output[from] = sections.next(&mut state, 0.0);
            }
            for (row, value) in transition.iter_mut().zip(state) {
                row[from] = value;
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

/// What the rows of a step come to when each begins in silence.
struct Rows {
    energy: [f64; LANES],
    /// Products of the output with what each state number would have added.
    cross: [[f64; LANES]; ORDER],
    state: [[f64; LANES]; ORDER],
}

/// Filters steps of one stream's channels.
#[derive(Clone, Debug)]
pub(super) struct KWeighting {
    sections: Sections,
    /// For each length of row that steps of this stream have: one, or two that differ by a frame.
    responses: Vec<Response>,
    states: Vec<State>,
    vectors: Vectors,
}

impl KWeighting {
    /// For steps of `frames_min` or one more frames.
    pub(super) fn new(rate: SampleRate, channel_count: usize, frames_min: usize) -> Self {
        let sections = Sections::of(rate);
        let mut lengths = vec![frames_min / LANES, (frames_min + 1) / LANES];
        lengths.dedup();
        Self {
            sections,
            responses: lengths.iter().map(|&length| Response::new(&sections, length)).collect(),
            states: vec![[0.0; ORDER]; channel_count],
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
    /// When the step has a length that [`Self::new`] was not told of: that is a bug of the caller.
    pub(super) fn energy(&mut self, channel: usize, step: &[f32]) -> f64 {
        let row_frames = step.len() / LANES;
        let response = self.responses.iter().find(|known| known.outputs.len() == row_frames);
        let response = response.expect("a step of the stream's length");
        let (rows, rest) = step.split_at(row_frames * LANES);
        let state = &mut self.states[channel];
        let alone = filter_rows(&self.sections, response, rows, self.vectors);
        let mut energy = 0.0;
        for lane in 0..LANES {
            energy += alone.continued(lane, state, response);
        }
        for &sample in rest {
            let weighted = self.sections.next(state, f64::from(sample));
            energy += weighted * weighted;
        }
        if state.iter().all(|number| number.abs() < SILENCE) {
            *state = [0.0; ORDER];
        }
        energy
    }
}

impl Rows {
    /// The energy of a row that begins in `state`, which becomes the state at its end.
    fn continued(&self, lane: usize, state: &mut State, response: &Response) -> f64 {
        let mut cross = 0.0;
        let mut own = 0.0;
        let mut next = [0.0; ORDER];
        for to in 0..ORDER {
            cross += state[to] * self.cross[to][lane];
            own += state[to] * product(&response.energies[to], state);
            next[to] = self.state[to][lane] + product(&response.transition[to], state);
        }
        *state = next;
        self.energy[lane] + 2.0 * cross + own
    }
}

/// Sum of products, from the first on.
fn product(row: &State, state: &State) -> f64 {
    row.iter().zip(state).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// Filters the rows with the machine's widest useful vectors; the result is the same with any.
fn filter_rows(sections: &Sections, response: &Response, rows: &[f32], vectors: Vectors) -> Rows {
    match vectors {
        Vectors::Plain => filter_groups::<4>(sections, response, rows),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has these vectors.
        Vectors::Wide => unsafe { filter_rows_avx2(sections, response, rows) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn filter_rows_avx2(sections: &Sections, response: &Response, rows: &[f32]) -> Rows {
    filter_groups::<8>(sections, response, rows)
}

/// Filters the rows in groups of `WIDTH`, as many as fit the registers.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn filter_groups<const WIDTH: usize>(
    sections: &Sections,
    response: &Response,
    rows: &[f32],
) -> Rows {
    let row_frames = response.outputs.len();
    let mut all =
        Rows { energy: [0.0; LANES], cross: [[0.0; LANES]; ORDER], state: [[0.0; LANES]; ORDER] };
    for first in (0..LANES).step_by(WIDTH) {
        let group = &rows[first * row_frames..(first + WIDTH) * row_frames];
        let (energy, cross, state) = filter_group::<WIDTH>(sections, &response.outputs, group);
        let lanes = first..first + WIDTH;
        all.energy[lanes.clone()].copy_from_slice(&energy);
        for number in 0..ORDER {
            all.cross[number][lanes.clone()].copy_from_slice(&cross[number]);
            all.state[number][lanes.clone()].copy_from_slice(&state[number]);
        }
    }
    all
}

/// Energies, cross products and states of `WIDTH` rows.
type Group<const WIDTH: usize> = ([f64; WIDTH], [[f64; WIDTH]; ORDER], [[f64; WIDTH]; ORDER]);

/// The kernel. Loops over lanes are what becomes vectors, so they stay loops over arrays of fixed
/// length; nothing is added across lanes.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn filter_group<const WIDTH: usize>(
    sections: &Sections,
    outputs: &[State],
    rows: &[f32],
) -> Group<WIDTH> {
    let row_frames = outputs.len();
    let rows: [&[f32]; WIDTH] =
        std::array::from_fn(|lane| &rows[lane * row_frames..(lane + 1) * row_frames]);
    let Sections { b0, b1, b2, a1, a2, c1, c2 } = *sections;
    let mut energy = [0.0; WIDTH];
    let mut cross = [[0.0; WIDTH]; ORDER];
    let mut s = [[0.0; WIDTH]; ORDER];
    for (frame, added) in outputs.iter().enumerate() {
        let mut x = [0.0; WIDTH];
        for lane in 0..WIDTH {
            x[lane] = f64::from(rows[lane][frame]);
        }
        let mut y = [0.0; WIDTH];
        for lane in 0..WIDTH {
            let shelved = b0 * x[lane] + s[0][lane];
            s[0][lane] = b1 * x[lane] - a1 * shelved + s[1][lane];
            s[1][lane] = b2 * x[lane] - a2 * shelved;
            y[lane] = shelved + s[2][lane];
            s[2][lane] = s[3][lane] - (shelved + shelved) - c1 * y[lane];
            s[3][lane] = shelved - c2 * y[lane];
        }
        for lane in 0..WIDTH {
            energy[lane] += y[lane] * y[lane];
        }
        for number in 0..ORDER {
            for lane in 0..WIDTH {
                cross[number][lane] += y[lane] * added[number];
            }
        }
    }
    (energy, cross, s)
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

    /// Energies by the plain recursion.
    fn plainly(rate: SampleRate, steps: &[&[f32]]) -> Vec<f64> {
        let sections = Sections::of(rate);
        let mut state = [0.0; ORDER];
        let mut energy_of = |step: &&[f32]| -> f64 {
            step.iter()
                .map(|&sample| sections.next(&mut state, f64::from(sample)))
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
        if Vectors::of_machine() == Vectors::Plain {
            println!("skipped: this machine has vectors of one width");
        }
        assert_eq!(bits(Vectors::Plain), bits(Vectors::of_machine()));
    }
}
