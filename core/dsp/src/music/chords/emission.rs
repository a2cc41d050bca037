//! How much a frame speaks for each chord.

use super::model::{BIASES, NO_CHORD, WEIGHTS};
use super::quality::QUALITY_COUNT;
use crate::music::chroma::{ChromaFrame, PITCH_CLASSES, PitchClasses};

/// States: each quality on each root, root by root, and none.
pub(super) const STATE_COUNT: usize = PITCH_CLASSES * QUALITY_COUNT + 1;

/// The state of no chord.
pub(super) const NO_CHORD_STATE: usize = STATE_COUNT - 1;

/// One number for each state.
pub(super) type States = [f32; STATE_COUNT];

/// Qualities side by side, with some room, so that a machine can use its vectors.
const LANES: usize = 8;

/// The model's weights, by pitch class.
const ROWS: [[f32; LANES]; 2 * PITCH_CLASSES] = transposed();

const fn transposed() -> [[f32; LANES]; 2 * PITCH_CLASSES] {
    let mut rows = [[0.0; LANES]; 2 * PITCH_CLASSES];
    let mut class = 0;
    while class < 2 * PITCH_CLASSES {
        let mut quality = 0;
        while quality < QUALITY_COUNT {
            rows[class][quality] = WEIGHTS[quality][class];
            quality += 1;
        }
        class += 1;
    }
    rows
}

/// The logarithm of each state's probability, up to what all have in common.
///
/// A linear model under a softmax (multinomial logistic regression), tied over the roots.
pub(super) fn log_likelihoods(frame: &ChromaFrame) -> States {
    let (bass, treble) = (unit(&frame.bass), unit(&frame.treble));
    let mut states = [0.0; STATE_COUNT];
    for (root, states) in states.chunks_exact_mut(QUALITY_COUNT).enumerate() {
        let mut sums = [0.0; LANES];
        let (low, high) = ROWS.split_at(PITCH_CLASSES);
        for (rows, profile) in [(low, &bass), (high, &treble)] {
            let heard = profile.iter().cycle().skip(root);
            for (row, strength) in rows.iter().zip(heard) {
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight * strength);
            }
        }
        for ((state, sum), bias) in states.iter_mut().zip(sums).zip(BIASES) {
            *state = sum + bias;
        }
    }
    states[NO_CHORD_STATE] = no_chord(frame);
    states
}

fn no_chord(frame: &ChromaFrame) -> f32 {
    let strength: f32 = frame.bass.iter().chain(&frame.treble).sum();
    let silence = if strength < SILENCE { CERTAIN } else { 0.0 };
    NO_CHORD[0] + NO_CHORD[1] * (1.0 + strength).ln() + silence
}

/// A frame without peaks, and how certainly it has no chord.
const SILENCE: f32 = 1e-6;
const CERTAIN: f32 = 50.0;

/// A profile of length one, or of zero.
fn unit(profile: &PitchClasses) -> PitchClasses {
    let length = profile.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9);
    profile.map(|x| x / length)
}
