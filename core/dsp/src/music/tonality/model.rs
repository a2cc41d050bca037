//! The weights of the key model. Written by `tests/bench/music/tonality/train_keys.py`, those of the
//! presence by `train_presence.py`.

use super::evidence::FEATURE_COUNT;
use super::presence::PRESENCE_COUNT;

/// How much each number of the evidence speaks for a major key, and for a minor one. In the order of
/// `Evidence::features`.
pub(super) const WEIGHTS: [[f32; FEATURE_COUNT]; 2] = [
    [
        1.308, 0.518, 1.386, 0.407, 1.528, 1.162, 0.915, -0.349, 1.704, 4.406, 2.087, 5.829,
        -2.401, 3.499, -1.833, 0.273, 3.766, 3.560, 0.503, 2.024, 1.489, 0.510, -0.117, 3.299,
        11.725, -4.012, 5.733, 4.581, 2.075, 1.000, -2.381, 3.737, 6.065, 6.031, 5.045, 0.987,
        4.075, 5.734, 3.250,
    ],
    [
        1.308, 0.518, 1.386, 0.407, 1.528, 1.162, 0.915, -0.349, 1.704, 0.000, 2.087, 5.829, 1.339,
        -0.148, 0.724, 0.000, 3.415, 0.452, 3.778, 2.024, 1.489, 0.510, -0.117, 3.299, 11.725,
        -4.012, 5.733, 4.581, 2.075, 1.000, -2.381, 3.737, 6.065, 6.031, 5.045, 0.987, 4.075,
        5.734, 3.250,
    ],
];

/// How frequent major and minor are, as logarithms.
pub(super) const BIASES: [f32; 2] = [0.000, 1.158];

/// How often the likeliest key is right: a logistic function of its log-odds times the first, plus the
/// second, plus the third for a loop of which that is not certain.
pub(super) const CALIBRATION: [f64; 3] = [0.945, 0.279, 0.058];

/// How much each number of `presence_features` speaks for there being a key.
pub(super) const PRESENCE: [f32; PRESENCE_COUNT] = [
    3.403, 4.659, 4.647, -0.107, -0.885, 0.730, -2.033, 1.525, -1.271, -2.892, 3.775, -0.149,
    3.580, -3.109, -0.558,
];
pub(super) const PRESENCE_BIAS: f32 = -13.298;
