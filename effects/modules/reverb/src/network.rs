//! The feedback delay network: sixteen lines, absorption, an orthogonal matrix that turns.

use crate::absorption::{Absorption, absorption, lengths};
use crate::ring::Ring;
use crate::rotor::Rotor;
use crate::{ROW, Row, TILE};
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
const GLIDE_ROWS: u32 = 128;

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    rate_hz: f64,
    channels: usize,
    /// Line `GROUP * group + member`; a group's lines are spread over all lengths.
    lines: [Ring; LINES],
    absorption: [Absorption; LINES],
    /// Where absorption is going, and in how many rows.
    target: [Absorption; LINES],
    rows_left: u32,
    /// Last output of each line's absorption.
    absorbed: [[f32; GROUP]; GROUPS],
    rotors: [Rotor; GROUP],
}

impl Network {
    pub(crate) fn new(room_size: f64, rate_hz: f64, channels: usize) -> Self {
        let sorted = lengths(room_size, rate_hz);
        let length = |line: usize| sorted[GROUPS * (line % GROUP) + line / GROUP];
        let still = [Absorption { a: 0.0, p: 0.0 }; LINES];
        Self {
            rate_hz,
            channels,
            lines: core::array::from_fn(|line| Ring::new(length(line))),
            absorption: still,
            target: still,
            rows_left: 0,
            absorbed: [[0.0; GROUP]; GROUPS],
            rotors: TURNS_HZ.map(|_| Rotor::new(0.0, rate_hz)),
        }
    }

    /// Frames of the longest line.
    pub(crate) fn longest(&self) -> usize {
        self.lines.iter().map(Ring::length).max().unwrap_or(0)
    }

    /// Another decay, in seconds, and damping; reached gradually.
    pub(crate) fn set_decay(&mut self, decay_s: f64, damping: f64) {
        self.target = core::array::from_fn(|line| {
            let mut target = absorption(self.lines[line].length(), decay_s, damping, self.rate_hz);
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
    /// entered; an output hears some groups of four lines, each scaled by [`ORTHOGONAL`].
    #[expect(clippy::cast_possible_truncation, reason = "a factor of samples")]
    pub(crate) fn level(&self, decay_s: f64) -> f32 {
        let power: f64 = self
            .lines
            .iter()
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
            self.run(inputs, outputs, at, ROW);
        } else {
            self.run(inputs, outputs, at, frames);
        }
        for line in &mut self.lines {
            line.advance(frames);
        }
    }

    /// All lines a tile further, tile by tile: absorption waits for the frame before, and everything else of the tiles
    /// around it fills the time.
    #[inline]
    fn run(&mut self, inputs: [&Row; GROUP], outputs: &mut [Row], at: usize, frames: usize) {
        let lines = self.lines.each_mut().map(|line| line.row(frames));
        let group_of = |group: usize, of: fn(&Absorption) -> f32| {
            F32x4::new(core::array::from_fn(|line| of(&self.absorption[GROUP * group + line])))
        };
        let a: [F32x4; GROUPS] = core::array::from_fn(|group| group_of(group, |line| line.a));
        let p: [F32x4; GROUPS] = core::array::from_fn(|group| group_of(group, |line| line.p));
        let mut last = self.absorbed.map(F32x4::new);
        for from in (0..frames).step_by(TILE) {
            let count = TILE.min(frames - from);
            let mut mixed = [[F32x4::splat(0.0); GROUP]; GROUPS];
            for group in 0..GROUPS {
                let tile = core::array::from_fn(|line| load(lines[GROUP * group + line], from));
                let mut columns = F32x4::transpose(tile);
                for (frame, column) in columns.iter_mut().enumerate() {
                    *column = a[group] * *column + p[group] * last[group];
                    // Beyond the last frame there is nothing to remember.
                    if frame < count {
                        last[group] = *column;
                    }
                }
                mixed[group] = hadamard(F32x4::transpose(columns));
            }
            hear(&mixed, outputs, from);
            for member in 0..GROUP {
                let [m0, m1, m2, m3] = hadamard(core::array::from_fn(|group| mixed[group][member]));
                let [c, s] = self.rotors[member].at(at + from);
                let input = load(inputs[member], from);
                let back = [c * m0 - s * m1, s * m0 + c * m1, m2, m3];
                for (group, tile) in back.into_iter().enumerate() {
                    let line = &mut *lines[GROUP * group + member];
                    let samples = (tile + input).to_array();
                    if count == TILE {
                        line[from..from + TILE].copy_from_slice(&samples);
                    } else {
                        line[from..from + count].copy_from_slice(&samples[..count]);
                    }
                }
            }
        }
        self.absorbed = last.map(F32x4::to_array);
    }

    /// Silence.
    pub(crate) fn clear(&mut self) {
        for line in &mut self.lines {
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

#[inline]
fn load(row: &Row, from: usize) -> F32x4 {
    let mut lanes = [0.0; TILE];
    lanes.copy_from_slice(&row[from..from + TILE]);
    F32x4::new(lanes)
}

#[inline]
fn store(row: &mut Row, from: usize, vector: F32x4) {
    row[from..from + TILE].copy_from_slice(&vector.to_array());
}

/// Puts what the channels hear of a tile, sums and differences of the groups, into their rows.
///
/// What is heard must not look like a row of the feedback matrix: the line that gets this row back would repeat the
/// output a delay later. Rows of the matrix have the same signs in every group, up to a factor; so up to two channels hear
/// another combination of each group, and more hear combinations of one group's lines with three equal signs.
#[inline]
fn hear(mixed: &[[F32x4; GROUP]; GROUPS], outputs: &mut [Row], from: usize) {
    let (left, right) = (mixed[0][0] + mixed[1][1], mixed[2][2] + mixed[3][3]);
    match outputs {
        [row] => store(row, from, left + right),
        [left_row, right_row] => {
            store(left_row, from, left);
            store(right_row, from, right);
        }
        rows => hear_many(*mixed, rows, from),
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
