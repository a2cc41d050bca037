//! The feedback delay network: sixteen lines, absorption, an orthogonal matrix that turns.

use crate::absorption::{Absorption, absorption, lengths};
use crate::ring::Ring;
use crate::rotor::Rotor;
use crate::{ROW, Row};
use wavemill_effect::lanes::F32x4;

/// Delay lines.
pub(crate) const LINES: usize = 16;

/// Lines whose absorption shares registers, and groups of them.
const GROUP: usize = 4;
const GROUPS: usize = LINES / GROUP;

/// Frames in a register.
const TILE: usize = 4;

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
    /// A row of each line on its way from absorption to feedback.
    rows: [Row; LINES],
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
            rows: [[0.0; ROW]; LINES],
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
    /// entered; an output hears [`Network::groups_of`] groups of four lines, each scaled by [`ORTHOGONAL`].
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
        let lines = (GROUP * Self::groups_of(0, self.channels).count()) as f64;
        let level = wavemill_effect::math::sqrt((1.0 - power) / (power * lines));
        level as f32 / ORTHOGONAL
    }

    /// Groups that a channel hears: all for one, two each for two, one each for more.
    fn groups_of(channel: usize, channels: usize) -> impl Iterator<Item = usize> {
        let (first, count) = match channels {
            1 => (0, GROUPS),
            2 => (2 * channel, 2),
            _ => (channel % GROUPS, 1),
        };
        first..first + count
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

    /// Takes `frames` frames of each channel and replaces them by reverberation. They begin at frame `at` of the current row.
    pub(crate) fn process(&mut self, channels: &mut [Row], at: usize, frames: usize) {
        for group in 0..GROUPS {
            self.absorb(group, frames);
        }
        let mut inputs = [[0.0; ROW]; GROUP];
        for (member, input) in inputs.iter_mut().enumerate() {
            *input = channels[member % channels.len().min(GROUP)];
        }
        // From the fifth channel on, inputs share lines.
        for (channel, row) in channels.iter().enumerate().skip(GROUP) {
            for (sum, sample) in inputs[channel % GROUP].iter_mut().zip(row) {
                *sum += *sample;
            }
        }
        self.tap(channels);
        for (member, input) in inputs.iter().enumerate() {
            self.feed_back(member, input, at, frames);
        }
        for line in &mut self.lines {
            line.advance(frames);
        }
    }

    /// Rows of a group of lines through their absorption, then sums and differences within the group.
    fn absorb(&mut self, group: usize, frames: usize) {
        let first = GROUP * group;
        let absorption = &self.absorption[first..first + GROUP];
        let a = F32x4::new(core::array::from_fn(|line| absorption[line].a));
        let p = F32x4::new(core::array::from_fn(|line| absorption[line].p));
        let mut last = F32x4::new(self.absorbed[group]);
        let [one, two, three, four] = &mut self.lines[first..first + GROUP] else { return };
        let lines = [one.row(frames), two.row(frames), three.row(frames), four.row(frames)];
        let [row_0, row_1, row_2, row_3] = &mut self.rows[first..first + GROUP] else { return };
        for tile in 0..frames.div_ceil(TILE) {
            let mut columns =
                F32x4::transpose(core::array::from_fn(|line| load(lines[line], TILE * tile)));
            for (frame, column) in columns.iter_mut().enumerate() {
                *column = a * *column + p * last;
                last = *column;
                if TILE * tile + frame + 1 == frames {
                    self.absorbed[group] = last.to_array();
                }
            }
            let [s0, s1, s2, s3] = hadamard(F32x4::transpose(columns));
            store(row_0, TILE * tile, s0);
            store(row_1, TILE * tile, s1);
            store(row_2, TILE * tile, s2);
            store(row_3, TILE * tile, s3);
        }
    }

    /// Puts what the channels hear into them.
    ///
    /// What is heard must not look like a row of the feedback matrix: the line that gets this row back would repeat the
    /// output a delay later. Rows of the matrix have the same signs in every group, up to a factor; so up to two channels hear
    /// another combination of each group, and more hear a combination with three equal signs.
    fn tap(&self, channels: &mut [Row]) {
        let count = channels.len();
        for (channel, out) in channels.iter_mut().enumerate() {
            *out = [0.0; ROW];
            for group in Self::groups_of(channel, count) {
                let rows = &self.rows[GROUP * group..GROUP * (group + 1)];
                if count <= 2 {
                    for (sum, sample) in out.iter_mut().zip(&rows[group]) {
                        *sum += *sample;
                    }
                    continue;
                }
                // Three plus and a minus in terms of the lines; from the fifth channel on with the minus elsewhere, as
                // loud, and unlike.
                let signs =
                    if channel < GROUPS { [0.5, 0.5, 0.5, -0.5] } else { [0.5, 0.5, -0.5, 0.5] };
                for (row, sign) in rows.iter().zip(signs) {
                    for (sum, sample) in out.iter_mut().zip(row) {
                        *sum += sign * *sample;
                    }
                }
            }
        }
    }

    /// Sums and differences across the groups, the turn of a pair, the input, and back into the lines.
    fn feed_back(&mut self, member: usize, input: &Row, at: usize, frames: usize) {
        let Rotor { now: [c, s], slope: [c_slope, s_slope], .. } = self.rotors[member];
        let mut mixed = [[0.0; ROW]; GROUPS];
        for tile in 0..frames.div_ceil(TILE) {
            let from = TILE * tile;
            let rows = core::array::from_fn(|group| load(&self.rows[GROUP * group + member], from));
            let [m0, m1, m2, m3] = hadamard(rows);
            let frame = F32x4::new(core::array::from_fn(|lane| (at + from + lane) as f32));
            let c = F32x4::splat(c) + F32x4::splat(c_slope) * frame;
            let s = F32x4::splat(s) + F32x4::splat(s_slope) * frame;
            let input = load(input, from);
            store(&mut mixed[0], from, (c * m0 - s * m1) + input);
            store(&mut mixed[1], from, (s * m0 + c * m1) + input);
            store(&mut mixed[2], from, m2 + input);
            store(&mut mixed[3], from, m3 + input);
        }
        for (group, row) in mixed.iter().enumerate() {
            let line = self.lines[GROUP * group + member].row_again();
            line[..frames].copy_from_slice(&row[..frames]);
        }
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
    F32x4::new([row[from], row[from + 1], row[from + 2], row[from + 3]])
}

#[inline]
fn store(row: &mut Row, from: usize, vector: F32x4) {
    row[from..from + TILE].copy_from_slice(&vector.to_array());
}

/// Sums and differences of four: the matrix of Hadamard, not yet orthogonal.
#[inline]
fn hadamard([a, b, c, d]: [F32x4; 4]) -> [F32x4; 4] {
    let (ab, a_b, cd, c_d) = (a + b, a - b, c + d, c - d);
    [ab + cd, a_b + c_d, ab - cd, a_b - c_d]
}
