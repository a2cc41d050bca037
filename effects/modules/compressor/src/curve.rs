//! The static curve: how much the level above the threshold is reduced.

use effect_common::convert::{narrow, octaves_of_db};

/// The gain computer with everything in octaves (6.02 dB).
///
/// Source: Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design", J. Audio Eng. Soc. 60(6), 2012, eq. (4):
/// below the knee nothing, within it a parabola, above it the straight line of the ratio. Here it is written
/// as one expression without branches: `slope * (t^2 / 2W + over)`, where `t` is how far the level is into the knee,
/// limited to its width `W`, and `over` how far it is above the knee.
#[derive(Clone, Copy, Debug, Default)]
pub struct Curve {
    knee_start: f32,
    knee: f32,
    /// `1 / 2W`; 0 for a hard knee.
    knee_factor: f32,
    knee_end: f32,
    /// Octaves of reduction for every octave above the threshold: `1 - 1/ratio`.
    slope: f32,
}

impl Curve {
    /// A curve from what users set, levels re full scale.
    pub fn new(threshold_db: f64, slope: f64, knee_db: f64) -> Self {
        let knee = octaves_of_db(knee_db);
        let half = octaves_of_db(0.5 * knee_db);
        let threshold = octaves_of_db(threshold_db);
        Self {
            knee_start: narrow(threshold - half),
            knee: narrow(knee),
            knee_factor: if knee > 1e-6 { narrow(0.5 / knee) } else { 0.0 },
            knee_end: narrow(threshold + half),
            slope: narrow(slope),
        }
    }

    /// Reduction in octaves, 0 or more, at a level in octaves re full scale.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
    pub fn reduction(&self, level: f32) -> f32 {
        let t = level - self.knee_start;
        let t = if t > 0.0 { t } else { 0.0 };
        let t = if t < self.knee { t } else { self.knee };
        let over = level - self.knee_end;
        let over = if over > 0.0 { over } else { 0.0 };
        self.slope * (t * t * self.knee_factor + over)
    }
}
