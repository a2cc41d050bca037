//! Freeverb, for comparison only: eight damped combs side by side, then four all passes.
//!
//! Source: Jezar at Dreampoint, "Freeverb", 2000 (public domain); structure and numbers as described by J. O. Smith,
//! "Physical audio signal processing", section "Freeverb".

/// Delays at 44.1 kHz, and by how much the right ones are longer.
const COMBS: [usize; 8] = [1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617];
const ALL_PASSES: [usize; 4] = [556, 441, 341, 225];
const SPREAD: usize = 23;

/// Two channels' response to an impulse.
pub(crate) fn response(room_size: f32, damping: f32, frames: usize) -> Vec<Vec<f32>> {
    let feedback = 0.7 + 0.28 * room_size;
    [0, SPREAD].map(|spread| channel(feedback, 0.4 * damping, spread, frames)).to_vec()
}

fn channel(feedback: f32, damping: f32, spread: usize, frames: usize) -> Vec<f32> {
    // Lengths for 48 kHz.
    let at_48 = |length: usize| (length + spread) * 160 / 147;
    let mut sum = vec![0.0; frames];
    for length in COMBS.map(at_48) {
        let (mut line, mut low) = (vec![0.0; length], 0.0);
        for (frame, sum) in sum.iter_mut().enumerate() {
            let slot = &mut line[frame % length];
            let out = *slot;
            low = out * (1.0 - damping) + low * damping;
            *slot = if frame == 0 { 1.0 } else { 0.0 } + low * feedback;
            *sum += out;
        }
    }
    for length in ALL_PASSES.map(at_48) {
        let mut line = vec![0.0; length];
        for (frame, sample) in sum.iter_mut().enumerate() {
            let slot = &mut line[frame % length];
            let out = *slot;
            *slot = *sample + 0.5 * out;
            *sample = out - *sample;
        }
    }
    sum
}
