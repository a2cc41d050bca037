//! The weights of the key model. Written by `training/train_keys.py`, those of the presence by
//! `training/train_presence.py`.

use super::evidence::FEATURE_COUNT;
use super::presence::PRESENCE_COUNT;

/// How much each number of the evidence speaks for a major key, and for a minor one. In the order of
/// `Evidence::features`.
pub(super) const WEIGHTS: [[f32; FEATURE_COUNT]; 2] = [
    [
        1.217, 0.590, 1.264, 0.571, 1.970, 1.301, 0.732, -0.455, 4.913, 2.551, 2.100, 5.705,
        -3.426, 3.491, -2.501, 0.314, 3.983, 3.455, -1.154, 0.131, 1.658, 0.535, -0.239, 5.257,
        13.300, -3.422, 4.112, 1.895, 1.132, 0.760, -2.078, 1.904,
    ],
    [
        1.217, 0.590, 1.264, 0.571, 1.970, 1.301, 0.732, -0.455, 4.913, 0.000, 2.100, 5.705, 1.667,
        0.723, 0.879, 0.000, 3.824, 1.382, 3.922, 0.131, 1.658, 0.535, -0.239, 5.257, 13.300,
        -3.422, 4.112, 1.895, 1.132, 0.760, -2.078, 1.904,
    ],
];

/// How frequent major and minor are, as logarithms.
pub(super) const BIASES: [f32; 2] = [0.000, 0.685];

/// How often the likeliest key is right: a logistic function of its log-odds times the first, plus the
/// second, plus the third for a loop of which that is not certain.
pub(super) const CALIBRATION: [f64; 3] = [0.865, 0.409, -0.276];

/// How much each number of `presence_features` speaks for there being a key.
pub(super) const PRESENCE: [f32; PRESENCE_COUNT] =
    [1.215, 4.631, 3.502, 2.284, -3.243, 0.961, -2.353, 2.392, -1.691, -3.342, 4.742, 1.132];
pub(super) const PRESENCE_BIAS: f32 = -13.049;
