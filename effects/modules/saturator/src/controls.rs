//! What users set, and what it means for the sub-block at hand.

use crate::curve::{Curve, Point};
use crate::description::{BIAS, CURVE, DRIVE_DB, MIX, OUTPUT_DB};
use effect_common::{Glide, Ramp, SUB_BLOCK};
use wavemill_effect::{Setup, math};

/// Parameters on their way to what they were set to.
#[derive(Debug)]
pub struct Controls {
    curve: Curve,
    drive_db: Glide,
    bias: Glide,
    mix: Glide,
    output: Glide,
    /// Where the curve was used at the end of the last sub-block.
    point: Point,
    /// What was last returned, without the work where nothing moved.
    now: Now,
    is_stale: bool,
}

/// What holds in one sub-block.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Factor before the curve.
    pub steepness: Ramp,
    /// What the bias adds before the curve.
    pub offset: Ramp,
    /// What the bias alone would come out as.
    pub rest: Ramp,
    /// Divisor after the curve.
    pub full_scale: Ramp,
    /// Part of the saturated signal, 0 to 1.
    pub mix: Ramp,
    /// Factor after everything.
    pub output: Ramp,
}

impl Now {
    fn between(from: Point, to: Point, mix: Ramp, output: Ramp) -> Self {
        let ramp = |start: f32, end: f32| Ramp { start, step: (end - start) / SUB_BLOCK as f32 };
        Self {
            steepness: ramp(from.steepness, to.steepness),
            offset: ramp(from.offset, to.offset),
            rest: ramp(from.rest, to.rest),
            full_scale: ramp(from.full_scale, to.full_scale),
            mix,
            output,
        }
    }

    /// Where the curve is used, `frames` (and parts of one) into the sub-block.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
    pub fn point(&self, frames: f32) -> Point {
        let at = |ramp: Ramp| ramp.start + ramp.step * frames;
        Point {
            steepness: at(self.steepness),
            offset: at(self.offset),
            rest: at(self.rest),
            full_scale: at(self.full_scale),
        }
    }
}

impl Controls {
    /// At rest.
    pub fn new(setup: &Setup<'_>) -> Self {
        let glide = |value| Glide::new(value, setup.sample_rate);
        let curve = Curve::of_param(setup.param(CURVE));
        let point = Point::new(curve, setup.param(DRIVE_DB), setup.param(BIAS));
        Self {
            curve,
            drive_db: glide(setup.param(DRIVE_DB)),
            bias: glide(setup.param(BIAS)),
            mix: glide(setup.param(MIX)),
            output: glide(math::db_to_amplitude(setup.param(OUTPUT_DB))),
            point,
            now: Now::between(point, point, Ramp::default(), Ramp::default()),
            is_stale: true,
        }
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// A parameter was set.
    pub fn set(&mut self, id: u32, value: f64) {
        match id {
            DRIVE_DB => self.drive_db.set(value),
            BIAS => self.bias.set(value),
            MIX => self.mix.set(value),
            OUTPUT_DB => self.output.set(math::db_to_amplitude(value)),
            _ => {}
        }
        self.is_stale = true;
    }

    /// The next sub-block begins.
    pub fn advance(&mut self) -> Now {
        if self.is_stale {
            self.is_stale = self.glides().iter().any(|glide| glide.is_moving());
            let [mix, output, ..] = self.glides().map(Glide::advance);
            let point = Point::new(self.curve, self.drive_db.value(), self.bias.value());
            self.now = Now::between(self.point, point, mix, output);
            self.point = point;
        }
        self.now
    }

    /// Everything is at once where it was going to.
    pub fn finish(&mut self) {
        self.glides().into_iter().for_each(Glide::finish);
        self.point = Point::new(self.curve, self.drive_db.value(), self.bias.value());
        self.is_stale = true;
    }

    fn glides(&mut self) -> [&mut Glide; 4] {
        [&mut self.mix, &mut self.output, &mut self.drive_db, &mut self.bias]
    }
}
