//! How well pitch classes fit a key, by profiles that others found.

use super::key::{Key, Mode};
use crate::music::chroma::{PITCH_CLASSES, PitchClasses};

/// Source: C. L. Krumhansl, "Cognitive foundations of musical pitch", 1990, table 2.1
/// (Krumhansl-Kessler).
const KRUMHANSL: [PitchClasses; 2] = [
    [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
];

/// Source: D. Temperley, "The cognition of basic musical structures", 2001, 7.
const TEMPERLEY: [PitchClasses; 2] = [
    [5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0],
    [5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0],
];

/// The correlations of pitch classes with a key's profiles, from -1 to 1: Krumhansl-Kessler,
/// Temperley.
pub(super) fn fits(classes: &PitchClasses, key: Key) -> [f32; 2] {
    let mode = usize::from(key.mode == Mode::Minor);
    let seen: PitchClasses =
        std::array::from_fn(|class| classes[(key.tonic + class) % PITCH_CLASSES]);
    [correlation(&seen, &KRUMHANSL[mode]), correlation(&seen, &TEMPERLEY[mode])]
}

/// Pearson's correlation; zero where all are equal.
fn correlation(a: &PitchClasses, b: &PitchClasses) -> f32 {
    let mean = |x: &PitchClasses| x.iter().sum::<f32>() / PITCH_CLASSES as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        product += (a - mean_a) * (b - mean_b);
        square_a += (a - mean_a) * (a - mean_a);
        square_b += (b - mean_b) * (b - mean_b);
    }
    let scale = (square_a * square_b).sqrt();
    if scale > f32::MIN_POSITIVE { product / scale } else { 0.0 }
}
