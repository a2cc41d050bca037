//! What the slots' meters show.

use crate::{SLOT_COUNT, Slots};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wavemill_core::audio::Block;

/// Meters of an effect that are shown.
pub const METER_COUNT: usize = 4;

/// Largest samples of the rack's input and of each slot's output, and what the effects' own meters show; kept by the
/// audio thread while someone looks.
#[derive(Debug, Default)]
pub struct Levels {
    is_watched: AtomicBool,
    input: AtomicU32,
    outputs: Slots<AtomicU32>,
    meters: Slots<[AtomicU32; METER_COUNT]>,
}

/// Largest samples since they were last taken, as amplitudes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Peaks {
    /// Of what came in.
    pub input: f32,
    /// Of what each slot delivered.
    pub outputs: Slots<f32>,
}

impl Levels {
    /// Whether anybody looks.
    pub fn watch(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::Relaxed);
    }

    /// Whether anybody looks. Real-time.
    pub fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// The largest samples since this was last called.
    pub fn take(&self) -> Peaks {
        let take = |peak: &AtomicU32| f32::from_bits(peak.swap(0, Ordering::Relaxed));
        let mut peaks = Peaks { input: take(&self.input), ..Peaks::default() };
        for slot in 0..SLOT_COUNT {
            peaks.outputs[slot] = take(&self.outputs[slot]);
        }
        peaks
    }

    /// What an effect's meter showed last, in its unit.
    pub fn meter(&self, slot: usize, meter: usize) -> f32 {
        self.meters[slot]
            .get(meter)
            .map_or(0.0, |bits| f32::from_bits(bits.load(Ordering::Relaxed)))
    }

    /// Real-time.
    pub(crate) fn set_meter(&self, slot: usize, meter: usize, value: f32) {
        self.meters[slot][meter].store(value.to_bits(), Ordering::Relaxed);
    }

    /// Real-time.
    pub(crate) fn add_input(&self, block: &Block) {
        self.add(&self.input, block);
    }

    /// Real-time.
    pub(crate) fn add_output(&self, slot: usize, block: &Block) {
        self.add(&self.outputs[slot], block);
    }

    fn add(&self, peak: &AtomicU32, block: &Block) {
        if self.is_watched() {
            let largest =
                block.planes().flatten().fold(0.0f32, |most, sample| most.max(sample.abs()));
            // Bits of amplitudes are in the order of the amplitudes.
            peak.fetch_max(largest.to_bits(), Ordering::Relaxed);
        }
    }
}
