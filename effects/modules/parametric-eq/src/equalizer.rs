//! The effect: bands in a row over pairs of channels.

use crate::band::{Band, Settings};
use crate::biquad::{Coefficients, Pair, State, run, run_gliding};
use crate::description::{
    BAND_COUNT, BAND_STRIDE, DESCRIPTION, FREQUENCY, GAIN, OUTPUT_GAIN, Q, SHAPE,
};
use crate::shape::Shape;
use alloc::vec;
use alloc::vec::Vec;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, Tail, math};

/// Changes begin and end, and spent bands are taken out, only at multiples of this many frames from the start of
/// the stream: the output cannot depend on how the stream is cut. 1.3 ms at 48 kHz.
const QUANTUM_FRAMES: usize = 64;

/// How long a parameter takes to its new value, in seconds, rounded up to whole quanta: too fast to follow and too slow to click.
const GLIDE_S: f64 = 0.02;

/// How often spent states are looked for, in quanta.
const CLEANING_QUANTA: usize = 16;

/// The first quantum begins with a look.
const FIRST_QUANTUM: usize = CLEANING_QUANTA - 1;

/// States below this, -400 dBFS, count as zero.
const SPENT: f64 = 1e-20;

/// Largest input sample, as in the contract for output; anything else, NaN too, counts as silence
/// so that it cannot live on in the states.
const INPUT_MAX: f32 = 1e6;

/// Where a decaying signal counts as gone.
const GONE_DB: f64 = 120.0;

/// By how much each further band can lengthen the tail, as a share of the slowest band's.
const STRETCH_PER_BAND: f64 = 0.2;

/// Bands in one row: their states fit the processor's registers, and enough of them overlap.
const ROW: usize = 4;

/// What all bands remember of two channels.
type PairState = [State; BAND_COUNT];

/// An equalizer of eight bands.
#[derive(Debug)]
pub struct ParametricEq {
    rate_hz: f64,
    channels: usize,
    bands: [Band; BAND_COUNT],
    gain: Gain,
    states: Vec<PairState>,
    /// Bands that do something, in order.
    busy: Vec<usize>,
    /// Frames since the start of the stream, within a quantum.
    phase: usize,
    /// Quanta since the start, within [`CLEANING_QUANTA`].
    quantum: usize,
    /// Whether settings changed since the last quantum began, and whether a band glides.
    is_stale: bool,
    is_gliding: bool,
    glide_frames: usize,
}

/// The output's gain on its way.
#[derive(Clone, Copy, Debug)]
struct Gain {
    now: f64,
    slope: f64,
    target: f64,
    left: usize,
    wanted: f64,
}

impl Gain {
    fn at(target: f64) -> Self {
        Self { now: target, slope: 0.0, target, left: 0, wanted: target }
    }

    #[expect(clippy::float_cmp, reason = "a change is any change")]
    fn turn(&mut self, frames: usize) {
        if self.wanted != self.target {
            self.slope = (self.wanted - self.now) / frames as f64;
            self.target = self.wanted;
            self.left = frames;
        }
    }

    fn advance(&mut self, frames: usize) {
        self.left = self.left.saturating_sub(frames);
        if self.left == 0 {
            *self = Self { wanted: self.wanted, ..Self::at(self.target) };
        } else {
            // One by one, as the samples saw it: the sum must not depend on how the stream is cut.
            for _ in 0..frames {
                self.now += self.slope;
            }
        }
    }
}

impl Effect for ParametricEq {
    const DESCRIPTION: Description = DESCRIPTION;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "20 ms of a rate within the contract"
    )]
    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let rate_hz = setup.sample_rate;
        let band = |index: usize| {
            let param = |field| setup.param((index as u32 + 1) * BAND_STRIDE + field);
            let settings = Settings {
                shape: Shape::of_value(param(SHAPE)),
                frequency_hz: param(FREQUENCY),
                gain_db: param(GAIN),
                q: param(Q),
            };
            Band::new(settings, rate_hz)
        };
        let quanta = (GLIDE_S * rate_hz) as usize / QUANTUM_FRAMES + 1;
        Ok(Self {
            rate_hz,
            channels: setup.channels,
            bands: core::array::from_fn(band),
            gain: Gain::at(math::db_to_amplitude(setup.param(OUTPUT_GAIN))),
            states: vec![[[[0.0; 2]; 2]; BAND_COUNT]; setup.channels.div_ceil(2)],
            busy: Vec::with_capacity(BAND_COUNT),
            phase: 0,
            quantum: FIRST_QUANTUM,
            is_stale: false,
            is_gliding: false,
            glide_frames: quanta * QUANTUM_FRAMES,
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        if id == OUTPUT_GAIN {
            self.gain.wanted = math::db_to_amplitude(value);
            return;
        }
        let (number, field) = (id / BAND_STRIDE, id % BAND_STRIDE);
        let Some(band) = self.bands.get_mut((number as usize).wrapping_sub(1)) else { return };
        match field {
            SHAPE => band.settings.shape = Shape::of_value(value),
            FREQUENCY => band.settings.frequency_hz = value,
            GAIN => band.settings.gain_db = value,
            Q => band.settings.q = value,
            _ => {}
        }
        band.is_stale = true;
        self.is_stale = true;
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let mut at = 0;
        while at < block.frames() {
            if self.phase == 0 {
                self.begin_quantum();
            }
            let count = (QUANTUM_FRAMES - self.phase).min(block.frames() - at);
            self.run_quantum(block, at, count);
            self.phase = (self.phase + count) % QUANTUM_FRAMES;
            at += count;
        }
        let mut states = self.states.iter().flatten().flatten().flatten();
        if states.all(|value| *value == 0.0) { Flow::Silent } else { Flow::Continue }
    }

    fn reset(&mut self) {
        for band in &mut self.bands {
            *band = Band::new(band.settings, self.rate_hz);
        }
        self.gain = Gain::at(self.gain.wanted);
        self.states.fill([[[0.0; 2]; 2]; BAND_COUNT]);
        self.phase = 0;
        self.quantum = FIRST_QUANTUM;
        self.is_stale = false;
        self.is_gliding = false;
    }

    /// The slowest pole's decay. `m` sections with the same pole decay as `n^(m - 1) r^n`: eight of them take
    /// 2.1 times as long for 120 dB as one, and a little more after a sine beside their resonance.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates for what no band decays to"
    )]
    fn tail(&self) -> Tail {
        let filters =
            || self.bands.iter().map(|band| band.glide.now).filter(|c| c.pole_radius() > 0.0);
        let louder = |db: f64| if db > 0.0 { db } else { 0.0 };
        let loudest_db: f64 = filters().map(|c| louder(c.resonance_db())).sum::<f64>()
            + louder(math::amplitude_to_db(self.gain.now));
        let slowest = filters().map(|c| c.pole_radius()).fold(0.0, f64::max);
        if slowest == 0.0 {
            return Tail::Frames(0);
        }
        let stretch = 1.0 + STRETCH_PER_BAND * (filters().count() as f64 - 1.0);
        let frames = stretch * (GONE_DB + loudest_db) / -math::amplitude_to_db(slowest);
        Tail::Frames(frames as u32 + 1)
    }
}

impl ParametricEq {
    /// Lets changes begin, and finds out which bands have something to do.
    fn begin_quantum(&mut self) {
        self.gain.turn(self.glide_frames);
        self.quantum = (self.quantum + 1) % CLEANING_QUANTA;
        if self.quantum == 0 {
            for value in self.states.as_flattened_mut().as_flattened_mut().as_flattened_mut() {
                *value = if value.abs() < SPENT { 0.0 } else { *value };
            }
        } else if !self.is_stale && !self.is_gliding {
            return;
        }
        self.is_stale = false;
        self.is_gliding = false;
        self.busy.clear();
        for (index, band) in self.bands.iter_mut().enumerate() {
            if band.is_stale {
                band.is_stale = false;
                band.glide.turn_to(band.settings.coefficients(self.rate_hz), self.glide_frames);
            }
            self.is_gliding |= band.glide.is_moving();
            let is_ringing = self
                .states
                .iter()
                .any(|states| states[index].as_flattened().iter().any(|value| *value != 0.0));
            if is_ringing || !band.is_identity() {
                self.busy.push(index);
            }
        }
    }

    fn run_quantum(&mut self, block: &mut Block<'_>, at: usize, count: usize) {
        let mut frames = [[0.0; 2]; QUANTUM_FRAMES];
        let frames = &mut frames[..count];
        let mut glided = [Coefficients::IDENTITY; BAND_COUNT];
        for pair in 0..self.states.len() {
            // A last channel without another one is its own.
            let (left, right) = (2 * pair, (2 * pair + 1).min(self.channels - 1));
            load(&block.plane(left)[at..at + count], &block.plane(right)[at..at + count], frames);
            self.run_pair(pair, frames, &mut glided);
            store(frames, 0, &self.gain, &mut block.plane_mut(left)[at..at + count]);
            store(frames, 1, &self.gain, &mut block.plane_mut(right)[at..at + count]);
        }
        if self.is_gliding {
            for (band, now) in self.bands.iter_mut().zip(glided) {
                band.glide.advance(count, now);
            }
        }
        self.gain.advance(count);
    }

    /// Runs all busy bands over two channels; says where the coefficients of gliding ones have come.
    fn run_pair(
        &mut self,
        pair: usize,
        frames: &mut [Pair],
        glided: &mut [Coefficients; BAND_COUNT],
    ) {
        let states = &mut self.states[pair];
        let mut rest = self.busy.as_slice();
        while let Some(&first) = rest.first() {
            let glide = &self.bands[first].glide;
            if glide.is_moving() {
                glided[first] = run_gliding(frames, glide.now, glide.slope, &mut states[first]);
                rest = &rest[1..];
                continue;
            }
            let still =
                rest.iter().take_while(|band| !self.bands[**band].glide.is_moving()).count();
            let (row, later) = rest.split_at(still.min(ROW));
            match row.len() {
                4 => run_row::<4>(frames, row, &self.bands, states),
                3 => run_row::<3>(frames, row, &self.bands, states),
                2 => run_row::<2>(frames, row, &self.bands, states),
                _ => run_row::<1>(frames, row, &self.bands, states),
            }
            rest = later;
        }
    }
}

/// Runs `N` bands that do not glide.
fn run_row<const N: usize>(
    frames: &mut [Pair],
    row: &[usize],
    bands: &[Band; BAND_COUNT],
    states: &mut PairState,
) {
    let coefficients = core::array::from_fn(|k| bands[row[k]].glide.now);
    let mut taken: [State; N] = core::array::from_fn(|k| states[row[k]]);
    run(frames, &coefficients, &mut taken);
    for (band, state) in row.iter().zip(taken) {
        states[*band] = state;
    }
}

/// Copies two planes side by side.
fn load(left: &[f32], right: &[f32], frames: &mut [Pair]) {
    let clean = |sample: f32| if sample.abs() <= INPUT_MAX { f64::from(sample) } else { 0.0 };
    for ((frame, left), right) in frames.iter_mut().zip(left).zip(right) {
        *frame = [clean(*left), clean(*right)];
    }
}

/// Copies one lane into a plane, with the output's gain.
#[expect(clippy::cast_possible_truncation, reason = "rounding to the output's type")]
fn store(frames: &[Pair], lane: usize, gain: &Gain, plane: &mut [f32]) {
    if gain.left == 0 {
        for (sample, frame) in plane.iter_mut().zip(frames) {
            *sample = (frame[lane] * gain.now) as f32;
        }
        return;
    }
    let mut now = gain.now;
    for (sample, frame) in plane.iter_mut().zip(frames) {
        *sample = (frame[lane] * now) as f32;
        now += gain.slope;
    }
}
