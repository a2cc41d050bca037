//! A gain that moves in a straight line over a group of frames.

use crate::loudness::interpolation::GROUP;

/// Takes a reduction off a group of samples that goes from one value, at the first of them, to another,
/// at the first of the next group. Samples stay as they are, bit by bit, where both are zero.
pub(super) fn reduce(samples: &mut [f32], from: f64, to: f64) {
    if from == 0.0 && to == 0.0 {
        return;
    }
    let step = (to - from) / GROUP as f64;
    for (index, sample) in samples.iter_mut().enumerate() {
        let gain = 1.0 - (from + step * index as f64);
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let reduced = (f64::from(*sample) * gain) as f32;
        *sample = reduced;
    }
}
