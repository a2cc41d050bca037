//! The effect: bands in a row over pairs of channels.

use crate::band::{Band, Settings};
use crate::biquad::{Coefficients, Pair, State, run, run_gliding};
use crate::description::{
    BAND_COUNT, BAND_STRIDE, DESCRIPTION, FREQUENCY, GAIN, OUTPUT_GAIN, Q, SHAPE,
};
use crate::shape::Shape;
use alloc::vec;
use alloc::vec::Vec;
use wavemill_effect::lanes::{F32x4, F64x2};
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

/// Bands in one row: more would not fit the processor's registers, fewer leave it waiting.
const ROW: usize = 4;

/// Frames in a register.
const TILE: usize = 4;

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
        self.convert_states();
    }

    /// A chain without its scales works on other magnitudes than one with them; when a band begins or ends to glide, what the
    /// bands remember is converted.
    #[expect(clippy::float_cmp, reason = "a change is any change")]
    fn convert_states(&mut self) {
        let mut before = 1.0;
        for &index in &self.busy {
            let band = &mut self.bands[index];
            let after = before * if band.glide.is_moving() { 1.0 } else { band.glide.steady.scale };
            if band.unit != after {
                let factor = band.unit / after;
                for states in &mut self.states {
                    for value in states[index].as_flattened_mut() {
                        *value *= factor;
                    }
                }
                band.unit = after;
            }
            before = after;
        }
    }

    fn run_quantum(&mut self, block: &mut Block<'_>, at: usize, count: usize) {
        let mut frames = [[0.0; 2]; QUANTUM_FRAMES];
        let mut planes = [[0.0; QUANTUM_FRAMES]; 2];
        let mut glided = [Coefficients::IDENTITY; BAND_COUNT];
        for pair in 0..self.states.len() {
            // A last channel without another one is its own.
            let (left, right) = (2 * pair, (2 * pair + 1).min(self.channels - 1));
            let input = [left, right].map(|channel| &block.plane(channel)[at..at + count]);
            load(input[0], input[1], &mut frames);
            let scale = self.run_pair(pair, &mut frames[..count], &mut glided);
            store(&mut frames, &self.gain, scale, &mut planes);
            block.plane_mut(left)[at..at + count].copy_from_slice(&planes[0][..count]);
            block.plane_mut(right)[at..at + count].copy_from_slice(&planes[1][..count]);
        }
        if self.is_gliding {
            for (band, now) in self.bands.iter_mut().zip(glided) {
                band.glide.advance(count, now);
            }
        }
        self.gain.advance(count);
    }

    /// Runs all busy bands over two channels; says where the coefficients of gliding ones have come. Returns what the frames are to be
    /// multiplied by.
    fn run_pair(
        &mut self,
        pair: usize,
        frames: &mut [Pair],
        glided: &mut [Coefficients; BAND_COUNT],
    ) -> f64 {
        let states = &mut self.states[pair];
        let mut scale = 1.0;
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
            scale *= match row.len() {
                4 => run_row::<4>(frames, row, &self.bands, states),
                3 => run_row::<3>(frames, row, &self.bands, states),
                2 => run_row::<2>(frames, row, &self.bands, states),
                _ => run_row::<1>(frames, row, &self.bands, states),
            };
            rest = later;
        }
        scale
    }
}

/// Runs `N` bands that do not glide; returns their scale.
fn run_row<const N: usize>(
    frames: &mut [Pair],
    row: &[usize],
    bands: &[Band; BAND_COUNT],
    states: &mut PairState,
) -> f64 {
    let filters = core::array::from_fn(|k| bands[row[k]].glide.steady);
    let mut taken: [State; N] = core::array::from_fn(|k| states[row[k]]);
    run(frames, &filters, &mut taken);
    for (band, state) in row.iter().zip(taken) {
        states[*band] = state;
    }
    filters.iter().map(|filter| filter.scale).product()
}

/// Copies two planes side by side.
fn load(left: &[f32], right: &[f32], frames: &mut [Pair; QUANTUM_FRAMES]) {
    if let (Ok(left), Ok(right)) = (left.try_into(), right.try_into()) {
        load_quantum(left, right, frames);
    } else {
        let mut planes = [[0.0; QUANTUM_FRAMES]; 2];
        planes[0][..left.len()].copy_from_slice(left);
        planes[1][..right.len()].copy_from_slice(right);
        load_quantum(&planes[0], &planes[1], frames);
    }
}

fn load_quantum(left: &Plane, right: &Plane, frames: &mut [Pair; QUANTUM_FRAMES]) {
    let tiles = turns(left).iter().zip(turns(right)).zip(turns_of_pairs(frames));
    for ((left, right), frames) in tiles {
        for ((left, right), frames) in left.iter().zip(right).zip(frames) {
            let planes = [left, right].map(|samples| F32x4::new(*samples).within(INPUT_MAX));
            *frames = F32x4::pairs(planes[0], planes[1]).map(F64x2::to_array);
        }
    }
}

/// Copies both lanes, with the output's gain, into their planes; both at the start of `planes`.
fn store(frames: &mut [Pair; QUANTUM_FRAMES], gain: &Gain, scale: f64, planes: &mut [Plane; 2]) {
    if gain.left > 0 {
        let mut now = gain.now;
        for frame in frames.iter_mut() {
            *frame = (F64x2::new(*frame) * F64x2::splat(now)).to_array();
            now += gain.slope;
        }
        store_quantum(frames, scale, planes);
    } else {
        store_quantum(frames, scale * gain.now, planes);
    }
}

fn store_quantum(frames: &mut [Pair; QUANTUM_FRAMES], gain: f64, [left, right]: &mut [Plane; 2]) {
    let gain = F64x2::splat(gain);
    let tiles = turns_of_pairs(frames).iter().zip(turns_mut(left)).zip(turns_mut(right));
    for ((frames, left), right) in tiles {
        for ((frames, left), right) in frames.iter().zip(left).zip(right) {
            let planes = F64x2::planes(frames.map(|pair| F64x2::new(pair) * gain));
            [*left, *right] = planes.map(F32x4::to_array);
        }
    }
}

/// A quantum of one channel.
type Plane = [f32; QUANTUM_FRAMES];

/// Registers of a plane that one turn of a loop works on: each turn costs a look at the clock in the sandbox.
const TURN: usize = 4;

fn turns(plane: &Plane) -> &[[[f32; TILE]; TURN]] {
    plane.as_chunks().0.as_chunks().0
}

fn turns_mut(plane: &mut Plane) -> &mut [[[f32; TILE]; TURN]] {
    plane.as_chunks_mut().0.as_chunks_mut().0
}

fn turns_of_pairs(frames: &mut [Pair; QUANTUM_FRAMES]) -> &mut [[[Pair; TILE]; TURN]] {
    frames.as_chunks_mut().0.as_chunks_mut().0
}
