//! placeholder
pub(super) const WEIGHTS: [f32; 7] = [1.0; 7];
pub(super) const STANDARD: [(f32, f32); 128] = [(0.0, 1.0); 128];
