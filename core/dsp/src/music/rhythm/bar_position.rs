//! Where in the bar each beat is: the meter, and the turn of the mean bar that looks most like one.
//!
//! A softmax over meters and turns, of numbers that are linear in the mean bar: in effect a template of
//! a bar for each layer. Learned by `tests/bench/music/rhythm/phase.py`.

use super::candidate::{Candidate, REPETITIONS};
use super::lattice::{LAYERS, PLACES};
use super::templates;

/// Places of a beat that templates know: sixteenths and triplets.
pub(crate) const MARKS: [usize; 6] = [0, 3, 4, 6, 8, 9];

/// Numbers of a beat in a template.
const BEAT: usize = MARKS.len() * LAYERS;

/// Largest mean that counts, relative to the layer's: one loud stroke is no pattern.
const VALUE_MAX: f32 = 6.0;

/// Kinds of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meter {
    /// Four quarters.
    Four,
    /// Three quarters.
    Three,
    /// Two dotted quarters: six eighths.
    SixEight,
}

/// All, in the order of the weights.
pub(crate) const METERS: [Meter; 3] = [Meter::Four, Meter::Three, Meter::SixEight];

impl Meter {
    /// Quarters in a bar.
    pub(crate) fn quarters(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Three | Self::SixEight => 3,
        }
    }

    fn template(self) -> &'static [f32] {
        match self {
            Self::Four => &templates::FOUR,
            Self::Three => &templates::THREE,
            Self::SixEight => &templates::SIX_EIGHT,
        }
    }

    fn repetition_weights(self) -> &'static [f32; REPETITIONS] {
        match self {
            Self::Four => &templates::FOUR_REPETITION,
            Self::Three => &templates::THREE_REPETITION,
            Self::SixEight => &templates::SIX_EIGHT_REPETITION,
        }
    }
}

/// One way to lay bars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BarPosition {
    pub(crate) meter: Meter,
    /// Place in the mean bar at which a bar begins.
    pub(crate) turn: usize,
    /// Before the softmax.
    pub(crate) score: f32,
}

/// All ways to lay bars of a candidate.
pub(crate) fn bar_positions(candidate: &Candidate) -> Vec<BarPosition> {
    METERS.iter().flat_map(|&meter| positions_in(candidate, meter)).collect()
}

/// The way with the highest score among those in a meter.
pub(crate) fn best(positions: &[BarPosition], meter: Meter) -> Option<BarPosition> {
    let fitting = positions.iter().filter(|position| position.meter == meter);
    fitting.max_by(|a, b| a.score.total_cmp(&b.score)).copied()
}

fn positions_in(candidate: &Candidate, meter: Meter) -> Vec<BarPosition> {
    let weights = meter.repetition_weights().iter().zip(&candidate.repetitions);
    let common: f32 = weights.map(|(weight, value)| weight * value).sum();
    let turns = (0..meter.quarters() * PLACES).filter(|turn| turn % 3 == 0 || turn % 4 == 0);
    let position = |turn: usize| {
        let bar = turned_bar(candidate, meter, turn);
        let score: f32 = bar.zip(meter.template()).map(|(value, weight)| value * weight).sum();
        BarPosition { meter, turn, score: score + common }
    };
    turns.map(position).collect()
}

/// The mean bar from a place on, place by place, layer by layer.
pub(crate) fn turned_bar(
    candidate: &Candidate,
    meter: Meter,
    turn: usize,
) -> impl Iterator<Item = f32> {
    let bar = match meter {
        Meter::Four => &candidate.bar_of_four,
        Meter::Three | Meter::SixEight => &candidate.bar_of_three,
    };
    let length = bar.len().max(1);
    (0..meter.quarters() * BEAT).map(move |number| {
        let (beat, rest) = (number / BEAT, number % BEAT);
        let mark = MARKS.get(rest / LAYERS).copied().unwrap_or(0);
        let values = bar.get((beat * PLACES + mark + turn) % length);
        values.and_then(|values| values.get(rest % LAYERS)).copied().unwrap_or(0.0).min(VALUE_MAX)
    })
}
