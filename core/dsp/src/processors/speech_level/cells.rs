//! How strong the sound is in short cells: whether soft sound is speech or the room.

use std::f64::consts::TAU;
use wavemill_audio::units::Decibels;
use wavemill_audio::{Block, StreamSpec};

/// Cells a second: short enough to fall between syllables.
pub(super) const CELLS_PER_SECOND: u32 = 40;

/// What lies below is rumble, and no measure of a room.
const RUMBLE_HZ: f64 = 100.0;

/// Half a momentary window, in cells.
const HALF_WINDOW: usize = 8;

/// How far around a place its room is looked for, in cells: a phrase of 3 s has gaps between its syllables.
const REACH: usize = 60;

/// The quietest tenth of the cells around a place is its room.
const ROOM_SHARE: usize = 10;

/// What is 30 dB quieter than a place is silence between two rooms, and says nothing of the one at hand.
const SILENCE_SHARE: f64 = 1e-3;

/// How far speech is above its room. A steady room is above its own quietest tenth by less than 2 dB.
const ABOVE_ROOM_DB: f64 = 8.0;

/// Mean powers above the rumble, all channels together, cell by cell.
#[derive(Debug)]
pub(super) struct Cells {
    sample_rate_hz: u64,
    /// Part of the way that the low-pass below the rumble's end goes with each sample.
    share: f64,
    /// What each channel has below it.
    lows: Vec<f64>,
    frames: u64,
    /// Frames and power of the cell at hand.
    own: (u32, f64),
    powers: Vec<f64>,
}

impl Cells {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        Self {
            sample_rate_hz: spec.sample_rate.0.into(),
            share: 1.0 - (-TAU * RUMBLE_HZ / f64::from(spec.sample_rate.0)).exp(),
            lows: vec![0.0; spec.channel_count()],
            frames: 0,
            own: (0, 0.0),
            powers: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        for frame in 0..block.frame_count() {
            for (channel, low) in self.lows.iter_mut().enumerate() {
                let sample = f64::from(block.plane(channel)[frame]);
                *low += self.share * (sample - *low);
                self.own.1 += (sample - *low).powi(2);
            }
            self.own.0 += 1;
            self.frames += 1;
            let cells = self.frames * u64::from(CELLS_PER_SECOND) / self.sample_rate_hz;
            if cells > self.powers.len() as u64 {
                self.powers.push(self.own.1 / f64::from(self.own.0));
                self.own = (0, 0.0);
            }
        }
    }

    /// Whether the sound around the start of a cell stands out from its room.
    pub(super) fn is_above_room(&self, cell: usize) -> bool {
        let around = |reach: usize| {
            let end = self.powers.len().min(cell + reach);
            &self.powers[cell.saturating_sub(reach).min(end)..end]
        };
        let own = around(HALF_WINDOW);
        let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
        let is_room = |power: &f64| *power > mean * SILENCE_SHARE;
        let mut sorted: Vec<f64> = around(REACH).iter().copied().filter(is_room).collect();
        sorted.sort_by(f64::total_cmp);
        let room =
            sorted.get(sorted.len() / ROOM_SHARE).and_then(|room| Decibels::from_power(*room));
        let above = Decibels::from_power(mean).zip(room).map(|(mean, room)| (mean - room).0);
        above.is_some_and(|above| above >= ABOVE_ROOM_DB)
    }
}
