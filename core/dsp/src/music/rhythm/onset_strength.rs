//! How much begins, in each group of bands, frame by frame.
//!
//! Source: S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", `DAFx` 2013
//! (half-wave rectified difference of logarithmic bands over two frames); S. Dixon, "Onset detection
//! revisited", `DAFx` 2006.

use super::bands::{BAND_COUNT, Bands, GROUP_COUNT, GROUP_EDGES};
use crate::log2::log2;

/// Power below which a band counts as silent, relative to its mean.
const FLOOR_OF_MEAN: f32 = 0.03;

/// The same, relative to the mean of the strongest band: what lies so far below is not music.
const FLOOR_OF_STRONGEST: f32 = 1e-7;

/// Frames over which a rise is taken: a window reaches over four.
const LAG: usize = 2;

/// Onset strength of the groups of bands and of their sum.
#[derive(Clone, Debug)]
pub(crate) struct OnsetStrength {
    /// `[group][frame]`, mean over the group's bands of the rise of the natural logarithm.
    pub(crate) groups: [Vec<f32>; GROUP_COUNT],
    /// Mean over all bands, by frame.
    pub(crate) total: Vec<f32>,
    /// Time between frames.
    pub(crate) hop_s: f64,
}

impl OnsetStrength {
    /// Of all frames; `None` if there is no sound.
    pub(crate) fn new(bands: &Bands, hop_s: f64) -> Option<Self> {
        let floors = floors(bands)?;
        let mut groups: [Vec<f32>; GROUP_COUNT] =
            std::array::from_fn(|_| Vec::with_capacity(bands.frame_count()));
        let mut total = Vec::with_capacity(bands.frame_count());
        let mut before = [silence(); LAG];
        for powers in &bands.powers {
            let levels = levels(powers, &floors);
            let mut rises = [0.0; BAND_COUNT];
            for ((rise, now), then) in rises.iter_mut().zip(&levels).zip(&before[0]) {
                *rise = (now - then).max(0.0);
            }
            for (group, edges) in groups.iter_mut().zip(GROUP_EDGES.windows(2)) {
                group.push(mean_between(&rises, edges));
            }
            total.push(rises.iter().sum::<f32>() / BAND_COUNT as f32);
            before = [before[1], levels];
        }
        Some(Self { groups, total, hop_s })
    }
}

fn silence() -> [f32; BAND_COUNT] {
    [0.0; BAND_COUNT]
}

fn mean_between(rises: &[f32], edges: &[usize]) -> f32 {
    let &[first, end] = edges else { return 0.0 };
    rises.get(first..end).map_or(0.0, |rises| rises.iter().sum::<f32>() / (end - first) as f32)
}

/// One over the power of each band that counts as silence.
fn floors(bands: &Bands) -> Option<[f32; BAND_COUNT]> {
    let mut sums = [0.0f64; BAND_COUNT];
    for powers in &bands.powers {
        for (sum, power) in sums.iter_mut().zip(powers) {
            *sum += f64::from(*power);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "powers are f32")]
    let means = sums.map(|sum| (sum / bands.frame_count().max(1) as f64) as f32);
    let strongest = means.iter().copied().fold(0.0, f32::max);
    if strongest < f32::MIN_POSITIVE / FLOOR_OF_STRONGEST {
        return None;
    }
    Some(means.map(|mean| 1.0 / (mean * FLOOR_OF_MEAN).max(strongest * FLOOR_OF_STRONGEST)))
}

fn levels(powers: &[f32; BAND_COUNT], floors: &[f32; BAND_COUNT]) -> [f32; BAND_COUNT] {
    let mut levels = silence();
    for ((level, power), floor) in levels.iter_mut().zip(powers).zip(floors) {
        *level = std::f32::consts::LN_2 * log2(1.0 + power * floor);
    }
    levels
}
