//! The feedback delay network: sixteen lines, absorption, an orthogonal matrix that turns.

use crate::absorption::{Absorption, absorption, lengths};
use crate::ramp;
use crate::ring::Ring;
use crate::rotor::Rotor;
use crate::{ROW, Row, TILE, Tiles, tiles, tiles_mut};
use wavemill_effect::lanes::F32x4;

/// Delay lines.
pub(crate) const LINES: usize = 16;

/// Lines whose absorption shares registers, and groups of them.
const GROUP: usize = 4;
const GROUPS: usize = LINES / GROUP;

/// What makes the matrix of sums and differences orthogonal: one over the root of [`LINES`].
const ORTHOGONAL: f32 = 0.25;

/// How often the pairs of lines turn in a second at full modulation: a few hertz smear each mode over its neighbors and are
/// too slow to be heard as a tremor; different rates never line up. Found by measuring the tail's flatness.
const TURNS_HZ: [f64; GROUP] = [1.66, -2.14, 2.62, -1.22];

/// Rows in which absorption reaches a new value: 85 ms at 48 kHz.
const GLIDE_ROWS: u32 = 64;

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    rate_hz: f64,
    channels: usize,
    /// By group; a group's lines are spread over all lengths.
    lines: [[Ring; GROUP]; GROUPS],
    absorption: [Absorption; LINES],
    /// Where absorption is going, and in how many rows.
    target: [Absorption; LINES],
    rows_left: u32,
    /// Last output of each line's absorption.
    absorbed: [[f32; GROUP]; GROUPS],
    rotors: [Rotor; GROUP],
    /// Sums and differences of each group, tile by tile, on their way from absorption to feedback.
    rows: [[[[f32; TILE]; GROUP]; GROUPS]; ROW / TILE],
}

impl Network {
    pub(crate) fn new(room_size: f64, rate_hz: f64, channels: usize) -> Self {
        let sorted = lengths(room_size, rate_hz);
        let line = |group: usize, member: usize| Ring::new(sorted[GROUPS * member + group]);
        let still = [Absorption { a: 0.0, p: 0.0 }; LINES];
        Self {
            rate_hz,
            channels,
            lines: core::array::from_fn(|group| core::array::from_fn(|member| line(group, member))),
            absorption: still,
            target: still,
            rows_left: 0,
            absorbed: [[0.0; GROUP]; GROUPS],
            rotors: TURNS_HZ.map(|_| Rotor::new(0.0, rate_hz)),
            rows: [[[[0.0; TILE]; GROUP]; GROUPS]; ROW / TILE],
        }
    }

    /// Frames of the longest line.
    pub(crate) fn longest(&self) -> usize {
        self.lines.iter().flatten().map(Ring::length).max().unwrap_or(0)
    }

    /// Another decay, in seconds, and damping; reached gradually.
    pub(crate) fn set_decay(&mut self, decay_s: f64, damping: f64) {
        let lines = self.lines.as_flattened();
        self.target = core::array::from_fn(|line| {
            let mut target = absorption(lines[line].length(), decay_s, damping, self.rate_hz);
            target.a *= ORTHOGONAL;
            target
        });
        self.rows_left = GLIDE_ROWS;
    }

    /// What is gliding has arrived.
    pub(crate) fn arrive(&mut self) {
        self.absorption = self.target;
        self.rows_left = 0;
    }

    /// Another modulation, 0 to 1.
    pub(crate) fn set_modulation(&mut self, modulation: f64) {
        for (rotor, turns_hz) in self.rotors.iter_mut().zip(TURNS_HZ) {
            rotor.set_rate(modulation * turns_hz, self.rate_hz);
        }
    }

    /// Factor that gives each output the mean energy of the inputs, for a decay in seconds without damping.
    ///
    /// Each pass leaves the mean of the lines' squared gains `q`, so lines put out `q + q^2 + ... = q / (1 - q)` of what
    /// entered; an output sums some groups of four lines, each scaled by [`ORTHOGONAL`].
    #[expect(clippy::cast_possible_truncation, reason = "a factor of samples")]
    pub(crate) fn level(&self, decay_s: f64) -> f32 {
        let power: f64 = self
            .lines
            .iter()
            .flatten()
            .map(|line| {
                let gain = f64::from(absorption(line.length(), decay_s, 0.0, self.rate_hz).a);
                gain * gain
            })
            .sum::<f64>()
            / LINES as f64;
        let lines = match self.channels {
            1 => 16.0,
            2 => 8.0,
            _ => 4.0,
        };
        let level = wavemill_effect::math::sqrt((1.0 - power) / (power * lines));
        level as f32 / ORTHOGONAL
    }

    /// A new row begins.
    pub(crate) fn begin_row(&mut self) {
        for rotor in &mut self.rotors {
            rotor.begin_row();
        }
        match self.rows_left {
            0 => {}
            1 => self.arrive(),
            rows => {
                let share = 1.0 / rows as f32;
                for (now, target) in self.absorption.iter_mut().zip(&self.target) {
                    now.a += (target.a - now.a) * share;
                    now.p += (target.p - now.p) * share;
                }
                self.rows_left -= 1;
            }
        }
    }

    /// Puts reverberation of the inputs' first `frames` frames into the outputs, a row a channel each. They begin at frame `at`
    /// of the current row.
    pub(crate) fn process(
        &mut self,
        inputs: &[Row],
        outputs: &mut [Row],
        at: usize,
        frames: usize,
    ) {
        let mut sums = [[0.0; ROW]; GROUP];
        let inputs: [&Row; GROUP] = if inputs.len() <= GROUP {
            core::array::from_fn(|member| &inputs[member % inputs.len()])
        } else {
            // From the fifth channel on, inputs share lines.
            for (channel, row) in inputs.iter().enumerate() {
                for (sum, sample) in sums[channel % GROUP].iter_mut().zip(row) {
                    *sum += sample;
                }
            }
            sums.each_ref()
        };
        // A whole row is the usual case, and the compiler does better with a number that it knows.
        if frames == ROW {
            self.run::<true>(inputs, outputs, at, ROW);
        } else {
            self.run::<false>(inputs, outputs, at, frames);
        }
        for line in self.lines.as_flattened_mut() {
            line.advance(frames);
        }
    }

    /// All lines further, tile by tile: absorption waits for the frame before, and everything else of the tiles around it
    /// fills the time.
    ///
    /// Written out for each group, since wasm's compiler keeps what it does not unroll in memory.
    #[inline]
    fn run<const IS_WHOLE: bool>(
        &mut self,
        inputs: [&Row; GROUP],
        outputs: &mut [Row],
        at: usize,
        frames: usize,
    ) {
        let frames = if IS_WHOLE { ROW } else { frames };
        let [l0, l1, l2, l3] = &mut self.lines;
        let absorption = &self.absorption;
        let mut g0 = Group::new(l0, &absorption[..4], self.absorbed[0], frames);
        let mut g1 = Group::new(l1, &absorption[4..8], self.absorbed[1], frames);
        let mut g2 = Group::new(l2, &absorption[8..12], self.absorbed[2], frames);
        let mut g3 = Group::new(l3, &absorption[12..], self.absorbed[3], frames);
        let [r0, r1, r2, r3] = &self.rotors;
        let [i0, i1, i2, i3] = inputs.map(tiles);
        let rows = &mut self.rows;
        for (tile, mixed) in rows.iter_mut().enumerate().take(frames.div_ceil(TILE)) {
            let count = if IS_WHOLE { TILE } else { TILE.min(frames - TILE * tile) };
            let (m0, m1) = (g0.absorb(tile, count), g1.absorb(tile, count));
            let (m2, m3) = (g2.absorb(tile, count), g3.absorb(tile, count));
            hear([m0, m1, m2, m3], outputs, TILE * tile);
            *mixed = [m0, m1, m2, m3].map(|group| group.map(F32x4::to_array));
        }
        for (tile, mixed) in rows.iter().enumerate().take(frames.div_ceil(TILE)) {
            let count = if IS_WHOLE { TILE } else { TILE.min(frames - TILE * tile) };
            let [m0, m1, m2, m3] = mixed.map(|group| group.map(F32x4::new));
            let time = ramp::frames(at + TILE * tile);
            let b0 = feed_back([m0[0], m1[0], m2[0], m3[0]], r0.at(time), i0[tile]);
            g0.put(0, b0[0], tile, count);
            g1.put(0, b0[1], tile, count);
            g2.put(0, b0[2], tile, count);
            g3.put(0, b0[3], tile, count);
            let b1 = feed_back([m0[1], m1[1], m2[1], m3[1]], r1.at(time), i1[tile]);
            g0.put(1, b1[0], tile, count);
            g1.put(1, b1[1], tile, count);
            g2.put(1, b1[2], tile, count);
            g3.put(1, b1[3], tile, count);
            let b2 = feed_back([m0[2], m1[2], m2[2], m3[2]], r2.at(time), i2[tile]);
            g0.put(2, b2[0], tile, count);
            g1.put(2, b2[1], tile, count);
            g2.put(2, b2[2], tile, count);
            g3.put(2, b2[3], tile, count);
            let b3 = feed_back([m0[3], m1[3], m2[3], m3[3]], r3.at(time), i3[tile]);
            g0.put(3, b3[0], tile, count);
            g1.put(3, b3[1], tile, count);
            g2.put(3, b3[2], tile, count);
            g3.put(3, b3[3], tile, count);
        }
        self.absorbed = [g0.last, g1.last, g2.last, g3.last].map(F32x4::to_array);
    }

    /// Silence.
    pub(crate) fn clear(&mut self) {
        for line in self.lines.as_flattened_mut() {
            line.clear();
        }
        self.absorbed = [[0.0; GROUP]; GROUPS];
    }

    /// As new but for the absorption, which is where it was going.
    pub(crate) fn reset(&mut self) {
        self.clear();
        self.arrive();
        self.rotors = TURNS_HZ.map(|_| Rotor::new(0.0, self.rate_hz));
    }
}

/// Four lines in the midst of a row.
struct Group<'a> {
    lines: [&'a mut Tiles; GROUP],
    a: F32x4,
    p: F32x4,
    /// Last output of the absorption.
    last: F32x4,
}

impl<'a> Group<'a> {
    fn new(
        lines: &'a mut [Ring; GROUP],
        absorption: &[Absorption],
        last: [f32; GROUP],
        frames: usize,
    ) -> Self {
        Self {
            lines: lines.each_mut().map(|line| tiles_mut(line.row(frames))),
            a: F32x4::new(core::array::from_fn(|line| absorption[line].a)),
            p: F32x4::new(core::array::from_fn(|line| absorption[line].p)),
            last: F32x4::new(last),
        }
    }

    /// What comes out of the lines through their absorption, as sums and differences. `count` frames of the tile count.
    #[inline]
    fn absorb(&mut self, tile: usize, count: usize) -> [F32x4; GROUP] {
        let [l0, l1, l2, l3] = &self.lines;
        let rows = [l0[tile], l1[tile], l2[tile], l3[tile]].map(F32x4::new);
        let [x0, x1, x2, x3] = F32x4::transpose(rows);
        let y0 = self.a * x0 + self.p * self.last;
        let y1 = self.a * x1 + self.p * y0;
        let y2 = self.a * x2 + self.p * y1;
        let y3 = self.a * x3 + self.p * y2;
        self.last = match count {
            1 => y0,
            2 => y1,
            3 => y2,
            _ => y3,
        };
        hadamard(F32x4::transpose([y0, y1, y2, y3]))
    }

    /// Puts a tile back into a line.
    #[inline]
    fn put(&mut self, line: usize, samples: F32x4, tile: usize, count: usize) {
        put(&mut self.lines[line][tile], samples, count);
    }
}

#[inline]
fn put(line: &mut [f32; TILE], tile: F32x4, count: usize) {
    let samples = tile.to_array();
    if count == TILE {
        *line = samples;
    } else {
        line[..count].copy_from_slice(&samples[..count]);
    }
}

/// Sums and differences across the groups, the turn of a pair, and the input.
#[inline]
fn feed_back(members: [F32x4; GROUPS], [c, s]: [F32x4; 2], input: [f32; TILE]) -> [F32x4; GROUPS] {
    let [m0, m1, m2, m3] = hadamard(members);
    let input = F32x4::new(input);
    [(c * m0 - s * m1) + input, (s * m0 + c * m1) + input, m2 + input, m3 + input]
}

#[inline]
fn store(row: &mut Row, from: usize, vector: F32x4) {
    row[from..from + TILE].copy_from_slice(&vector.to_array());
}

/// Puts the channels' outputs of a tile, sums and differences of the groups, into their rows.
///
/// An output must not look like a row of the feedback matrix: the line that gets this row back would repeat the
/// output a delay later. Rows of the matrix have the same signs in every group, up to a factor; so up to two channels take
/// another combination of each group, and more take combinations of one group's lines with three equal signs.
#[inline]
fn hear(mixed: [[F32x4; GROUP]; GROUPS], outputs: &mut [Row], from: usize) {
    let (left, right) = (mixed[0][0] + mixed[1][1], mixed[2][2] + mixed[3][3]);
    match outputs {
        [row] => store(row, from, left + right),
        [left_row, right_row] => {
            store(left_row, from, left);
            store(right_row, from, right);
        }
        rows => hear_many(mixed, rows, from),
    }
}

/// By value, so that the compiler can keep its caller's tiles in registers.
#[inline(never)]
fn hear_many(mixed: [[F32x4; GROUP]; GROUPS], rows: &mut [Row], from: usize) {
    let half = F32x4::splat(0.5);
    let first = mixed.map(|[one, two, three, four]| half * ((one + two) + (three - four)));
    // From the fifth channel on with the minus elsewhere: as loud, and unlike.
    let second = mixed.map(|[one, two, three, four]| half * ((one + two) - (three - four)));
    for (row, tile) in rows.iter_mut().zip(first.into_iter().chain(second)) {
        store(row, from, tile);
    }
}

/// Sums and differences of four: the matrix of Hadamard, not yet orthogonal.
#[inline]
fn hadamard([a, b, c, d]: [F32x4; 4]) -> [F32x4; 4] {
    let (ab, a_b, cd, c_d) = (a + b, a - b, c + d, c - d);
    [ab + cd, a_b + c_d, ab - cd, a_b - c_d]
}
