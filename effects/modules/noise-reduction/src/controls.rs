//! What users set, and what it means for the piece at hand.

use crate::channel::Order;
use crate::description::{LEARN, LISTEN, REDUCTION_DB, SENSITIVITY_DB};
use effect_common::convert::narrow;
use wavemill_effect::{Setup, math};

/// When the reduction begins, and when it is at its full depth, in seconds from the start: before, a first
/// word would be taken for noise.
const BEGIN_S: f64 = 0.1;
const FULL_S: f64 = 0.6;

/// Parameters. They hold from the next piece on; overlapping pieces make that a glide.
#[derive(Debug)]
pub struct Controls {
    reduction_db: f64,
    sensitivity_db: f64,
    does_learn: bool,
    is_residue: bool,
    hop_s: f64,
    /// Pieces so far; counts no further than the beginning lasts.
    pieces: u32,
}

impl Controls {
    /// For a stream with a piece every `hop` frames.
    pub fn new(setup: &Setup<'_>, hop: usize) -> Self {
        Self {
            reduction_db: setup.param(REDUCTION_DB),
            sensitivity_db: setup.param(SENSITIVITY_DB),
            does_learn: setup.param(LEARN) >= 0.5,
            is_residue: setup.param(LISTEN) >= 0.5,
            hop_s: hop as f64 / setup.sample_rate,
            pieces: 0,
        }
    }

    /// A parameter was set.
    pub fn set(&mut self, id: u32, value: f64) {
        match id {
            REDUCTION_DB => self.reduction_db = value,
            SENSITIVITY_DB => self.sensitivity_db = value,
            LEARN => self.does_learn = value >= 0.5,
            LISTEN => self.is_residue = value >= 0.5,
            _ => {}
        }
    }

    /// The next piece.
    pub fn advance(&mut self) -> Order {
        let time_s = f64::from(self.pieces) * self.hop_s;
        let depth = ((time_s - BEGIN_S) / (FULL_S - BEGIN_S)).clamp(0.0, 1.0);
        if depth < 1.0 {
            self.pieces += 1;
        }
        Order {
            floor: narrow(math::db_to_amplitude(-self.reduction_db * depth)),
            raise: narrow(math::db_to_amplitude(2.0 * self.sensitivity_db)),
            // A first guess is needed even when nothing more is to be learned.
            does_learn: self.does_learn || depth < 1.0,
            is_residue: self.is_residue,
        }
    }

    /// A new stream.
    pub fn reset(&mut self) {
        self.pieces = 0;
    }
}
