//! The effect: rows through filters, diffusers and the network, and the mix.

use crate::description::{
    DAMPING, DECAY, DESCRIPTION, DRY, LOW_CUT, MODULATION, PRE_DELAY, ROOM_SIZE, WET, WIDTH,
};
use crate::diffuser::Diffuser;
use crate::low_cut::LowCut;
use crate::network::Network;
use crate::ramp::{self, Ramp};
use crate::ring::Ring;
use crate::{ROW, Row, TILE, tiles, tiles_mut};
use alloc::vec;
use alloc::vec::Vec;
use wavemill_effect::lanes::F32x4;
use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Setup, Tail, math};

/// Factor of the diffused sound that is put out at once, before the network's first echo; a sixth of the energy.
const EARLY_LIN: f32 = 0.4;

/// Factor of the network that leaves the sum of both at 1.
const LATE_LIN: f32 = 0.916_515_1;

/// Rows in which levels reach a new value: 21 ms at 48 kHz.
const GLIDE_ROWS: u32 = 16;

/// Largest input sample, as in the contract for output; anything else, NaN too, counts as silence
/// so that it cannot go round for ever.
const INPUT_MAX: f32 = 1e6;

/// Decays of 60 dB until the tail counts as gone, with a little more for the diffusers'.
const TAIL_DECAYS: f64 = 2.1;

/// Decays until everything is set to zero: -240 dB, far below a sample's last bit.
const SPENT_DECAYS: f64 = 4.2;

/// How long the diffusers burst at most, as a multiple of their delays.
const BURST_PASSES: usize = 8;

/// What can be changed while audio runs.
#[derive(Clone, Copy, Debug)]
struct Settings {
    decay_s: f64,
    damping: f64,
    low_cut_hz: f64,
    modulation: f64,
    width: f64,
    wet: f64,
    dry: f64,
}

/// Levels on their way.
#[derive(Clone, Copy, Debug)]
struct Levels {
    dry: Ramp,
    /// Of a channel's own reverberation, and of its neighbor's.
    own: Ramp,
    other: Ramp,
    /// Of the network within the reverberation.
    late: Ramp,
}

/// One channel on its way to the network.
#[derive(Debug)]
struct Input {
    low_cut: LowCut,
    pre_delay: Option<Ring>,
    diffuser: Diffuser,
}

/// A reverberator.
#[derive(Debug)]
pub struct Reverb {
    rate_hz: f64,
    settings: Settings,
    is_stale: bool,
    inputs: Vec<Input>,
    network: Network,
    levels: Levels,
    pre_delay_frames: usize,
    /// Each channel's row, dry, diffused, and from the network.
    dry: Vec<Row>,
    early: Vec<Row>,
    late: Vec<Row>,
    /// Frames since the start of the stream, within a row.
    phase: usize,
    /// Frames of silence that came in last; counted at the end of rows.
    quiet_frames: usize,
    /// Whether the silence has lasted until nothing was left.
    is_spent: bool,
}

impl Settings {
    /// Levels of a channel's own reverberation and its neighbor's. Together they keep the energy of two unlike signals.
    #[expect(clippy::cast_possible_truncation, reason = "factors of samples")]
    fn own_and_other(&self, channels: usize) -> [f32; 2] {
        let (own, other) = (0.5 * (1.0 + self.width), 0.5 * (1.0 - self.width));
        if channels != 2 {
            return [self.wet as f32, 0.0];
        }
        let scale = self.wet / math::sqrt(own * own + other * other);
        [(own * scale) as f32, (other * scale) as f32]
    }
}

impl Effect for Reverb {
    const DESCRIPTION: Description = DESCRIPTION;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a rate within the contract; factors of samples"
    )]
    fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
        let (rate_hz, channels) = (setup.sample_rate, setup.channels);
        let settings = Settings {
            decay_s: setup.param(DECAY),
            damping: setup.param(DAMPING),
            low_cut_hz: setup.param(LOW_CUT),
            modulation: setup.param(MODULATION),
            width: setup.param(WIDTH),
            wet: setup.param(WET),
            dry: setup.param(DRY),
        };
        let room_size = setup.param(ROOM_SIZE);
        let pre_delay_frames = (setup.param(PRE_DELAY) * 1e-3 * rate_hz + 0.5) as usize;
        let input = |channel| Input {
            low_cut: LowCut::new(settings.low_cut_hz, rate_hz),
            pre_delay: (pre_delay_frames > 0).then(|| Ring::new(pre_delay_frames)),
            // Small rooms diffuse in a shorter time.
            diffuser: Diffuser::new(channel, 0.4 + 0.6 * room_size, rate_hz),
        };
        let mut network = Network::new(room_size, rate_hz, channels);
        network.set_decay(settings.decay_s, settings.damping);
        network.set_modulation(settings.modulation);
        network.arrive();
        let [own, other] = settings.own_and_other(channels);
        let levels = Levels {
            dry: Ramp::at(settings.dry as f32),
            own: Ramp::at(own),
            other: Ramp::at(other),
            late: Ramp::at(LATE_LIN * network.level(settings.decay_s)),
        };
        Ok(Self {
            rate_hz,
            settings,
            is_stale: false,
            inputs: (0..channels).map(input).collect(),
            network,
            levels,
            pre_delay_frames,
            dry: vec![[0.0; ROW]; channels],
            early: vec![[0.0; ROW]; channels],
            late: vec![[0.0; ROW]; channels],
            phase: 0,
            quiet_frames: 0,
            is_spent: true,
        })
    }

    fn set_param(&mut self, id: u32, value: f64) {
        let settings = &mut self.settings;
        let setting = match id {
            DECAY => &mut settings.decay_s,
            DAMPING => &mut settings.damping,
            LOW_CUT => &mut settings.low_cut_hz,
            MODULATION => &mut settings.modulation,
            WIDTH => &mut settings.width,
            WET => &mut settings.wet,
            DRY => &mut settings.dry,
            _ => return,
        };
        *setting = value;
        self.is_stale = true;
    }

    fn process(&mut self, block: &mut Block<'_>) -> Flow {
        let mut at = 0;
        while at < block.frames() {
            if self.phase == 0 {
                self.begin_row();
            }
            let count = (ROW - self.phase).min(block.frames() - at);
            self.run(block, at, count);
            self.phase = (self.phase + count) % ROW;
            at += count;
        }
        if self.is_spent { Flow::Silent } else { Flow::Continue }
    }

    fn reset(&mut self) {
        self.apply();
        self.network.reset();
        self.network.set_modulation(self.settings.modulation);
        let Levels { dry, own, other, late } = &mut self.levels;
        for level in [dry, own, other, late] {
            *level = Ramp::at(level.target());
        }
        for input in &mut self.inputs {
            input.low_cut = LowCut::new(self.settings.low_cut_hz, self.rate_hz);
        }
        self.clear();
        self.phase = 0;
        self.quiet_frames = 0;
        self.is_spent = true;
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most minutes of a rate within the contract"
    )]
    fn tail(&self) -> Tail {
        let is_dry = self.settings.wet == 0.0;
        Tail::Frames(if is_dry { 0 } else { self.frames_of(TAIL_DECAYS) as u32 })
    }
}

impl Reverb {
    /// Delays and this many decays, in frames.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most minutes of a rate within the contract"
    )]
    fn frames_of(&self, decays: f64) -> usize {
        let burst = self.inputs.iter().map(|input| BURST_PASSES * input.diffuser.length());
        let delays = self.pre_delay_frames + self.network.longest() + burst.max().unwrap_or(0);
        delays + (decays * self.settings.decay_s * self.rate_hz) as usize
    }

    /// Turns everything to the current settings.
    #[expect(clippy::cast_possible_truncation, reason = "factors of samples")]
    fn apply(&mut self) {
        self.is_stale = false;
        let settings = &self.settings;
        self.network.set_decay(settings.decay_s, settings.damping);
        self.network.set_modulation(settings.modulation);
        for input in &mut self.inputs {
            input.low_cut.set(settings.low_cut_hz, self.rate_hz);
        }
        let [own, other] = settings.own_and_other(self.inputs.len());
        self.levels.dry.turn_to(settings.dry as f32, GLIDE_ROWS);
        self.levels.own.turn_to(own, GLIDE_ROWS);
        self.levels.other.turn_to(other, GLIDE_ROWS);
        self.levels.late.turn_to(LATE_LIN * self.network.level(settings.decay_s), GLIDE_ROWS);
    }

    /// Lets changes begin, and lets go of what has decayed.
    fn begin_row(&mut self) {
        if self.is_stale {
            self.apply();
        }
        self.network.begin_row();
        let Levels { dry, own, other, late } = &mut self.levels;
        for level in [dry, own, other, late] {
            level.begin_row();
        }
        if !self.is_spent && self.quiet_frames > self.frames_of(SPENT_DECAYS) {
            self.clear();
            self.is_spent = true;
        }
    }

    /// Silence everywhere.
    fn clear(&mut self) {
        self.network.clear();
        for input in &mut self.inputs {
            input.low_cut.clear();
            input.pre_delay.iter_mut().for_each(Ring::clear);
            input.diffuser.clear();
        }
    }

    /// Processes `count` frames of the current row.
    fn run(&mut self, block: &mut Block<'_>, at: usize, count: usize) {
        let mut is_quiet = true;
        for (channel, dry) in self.dry.iter_mut().enumerate() {
            let plane = &block.plane(channel)[at..at + count];
            is_quiet = is_quiet && plane.iter().all(|sample| *sample == 0.0);
            if let Ok(row) = plane.try_into() {
                clean(row, dry);
            } else {
                let mut row = [0.0; ROW];
                row[..count].copy_from_slice(plane);
                clean(&row, dry);
            }
        }
        self.quiet_frames = if is_quiet { self.quiet_frames + count } else { 0 };
        self.is_spent &= is_quiet;
        if self.is_spent {
            for channel in 0..self.dry.len() {
                block.plane_mut(channel)[at..at + count].fill(0.0);
            }
            return;
        }
        for ((input, dry), row) in self.inputs.iter_mut().zip(&self.dry).zip(&mut self.early) {
            input.low_cut.process(dry, row, count);
            if let Some(ring) = &mut input.pre_delay {
                delay(ring, row, count);
            }
            input.diffuser.process(row, count);
        }
        self.network.process(&self.early, &mut self.late, self.phase, count);
        self.mix();
        for (channel, row) in self.late.iter().enumerate() {
            let plane = &mut block.plane_mut(channel)[at..at + count];
            if let Ok(whole) = <&mut Row>::try_from(&mut *plane) {
                copy(row, whole);
            } else {
                plane.copy_from_slice(&row[..count]);
            }
        }
    }

    /// Puts dry, early and late together, in place of late.
    fn mix(&mut self) {
        let levels = &self.levels;
        let (dry, early) = (&self.dry, &self.early);
        if levels.own.now.is_zero() {
            for (dry, late) in dry.iter().zip(&mut self.late) {
                for (tile, (dry, out)) in tiles(dry).iter().zip(tiles_mut(late)).enumerate() {
                    let time = ramp::frames(self.phase + TILE * tile);
                    *out = (levels.dry.now.at(time) * F32x4::new(*dry)).to_array();
                }
            }
        } else if let [left, right] = self.late.as_mut_slice() {
            let (left, right) = (tiles_mut(left), tiles_mut(right));
            for (tile, (left, right)) in left.iter_mut().zip(right).enumerate() {
                let gains = levels.at(self.phase + TILE * tile);
                let of = |channel: &Row| F32x4::new(tiles(channel)[tile]);
                let left_wet = gains.wet(of(&early[0]), F32x4::new(*left));
                let right_wet = gains.wet(of(&early[1]), F32x4::new(*right));
                *left = gains.mix(of(&dry[0]), left_wet, right_wet).to_array();
                *right = gains.mix(of(&dry[1]), right_wet, left_wet).to_array();
            }
        } else {
            for ((dry, early), late) in dry.iter().zip(early).zip(&mut self.late) {
                let inputs = tiles(dry).iter().zip(tiles(early));
                for (tile, ((dry, early), late)) in inputs.zip(tiles_mut(late)).enumerate() {
                    let gains = levels.at(self.phase + TILE * tile);
                    let wet = gains.wet(F32x4::new(*early), F32x4::new(*late));
                    *late = (gains.dry * F32x4::new(*dry) + gains.own * wet).to_array();
                }
            }
        }
    }
}

/// Levels in four frames.
struct Gains {
    dry: F32x4,
    own: F32x4,
    other: F32x4,
    late: F32x4,
}

impl Levels {
    /// In four frames of the row from `first` on.
    #[inline]
    fn at(&self, first: usize) -> Gains {
        let time = ramp::frames(first);
        Gains {
            dry: self.dry.now.at(time),
            own: self.own.now.at(time),
            other: self.other.now.at(time),
            late: self.late.now.at(time),
        }
    }
}

impl Gains {
    /// Reverberation of a channel.
    #[inline]
    fn wet(&self, early: F32x4, late: F32x4) -> F32x4 {
        F32x4::splat(EARLY_LIN) * early + self.late * late
    }

    /// A channel with its own reverberation and its neighbor's.
    #[inline]
    fn mix(&self, dry: F32x4, own: F32x4, other: F32x4) -> F32x4 {
        self.dry * dry + (self.own * own + self.other * other)
    }
}

/// Copies a row; what is no sample becomes silence.
fn clean(input: &Row, out: &mut Row) {
    for (input, out) in tiles(input).iter().zip(tiles_mut(out)) {
        *out = F32x4::new(*input).within(INPUT_MAX).to_array();
    }
}

/// Copies a row. A plain assignment would become a call out of the sandbox.
fn copy(from: &Row, to: &mut Row) {
    for (from, to) in tiles(from).iter().zip(tiles_mut(to)) {
        *to = F32x4::new(*from).to_array();
    }
}

/// Delays the first `count` frames of a row by the whole ring.
fn delay(ring: &mut Ring, row: &mut Row, count: usize) {
    let pieces = row[..count].chunks_mut(ring.length().min(ROW));
    for piece in pieces {
        let old = ring.row(piece.len());
        piece.swap_with_slice(&mut old[..piece.len()]);
        ring.advance(piece.len());
    }
}
