//! What users set, and what it means for the sub-block at hand.

use crate::curve::Curve;
use crate::description::{
    ATTACK_MS, AUTO_RELEASE, DETECTOR, HIGH_PASS_HZ, KNEE_DB, LINK, LOW_PASS_HZ, MAKEUP_DB, MIX,
    RATIO, RELEASE_MS, THRESHOLD_DB,
};
use crate::follower::Timing;
use effect_common::convert::{narrow, octaves_of_db};
use effect_common::{FilterControls, Filters, Glide, Ramp};
use wavemill_effect::Setup;

/// Parameters on their way to what they were set to.
#[derive(Debug)]
pub struct Controls {
    sample_rate: f64,
    threshold_db: Glide,
    /// `1 - 1/ratio`.
    slope: Glide,
    knee_db: Glide,
    /// In octaves of amplitude.
    makeup: Glide,
    mix: Glide,
    link: Glide,
    filters: FilterControls,
    attack_ms: f64,
    release_ms: f64,
    is_rms: bool,
    is_automatic: bool,
    /// What was last returned, without the work where nothing moved.
    now: Now,
    is_stale: bool,
}

/// What holds in one sub-block.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Static curve.
    pub curve: Curve,
    /// Attack and release.
    pub timing: Timing,
    /// Gain after the reduction, in octaves.
    pub makeup: Ramp,
    /// Part of the compressed signal, 0 to 1.
    pub mix: Ramp,
    /// How far each channel follows the loudest, 0 to 1.
    pub link: f32,
    /// Whether they follow entirely.
    pub is_linked: bool,
    /// Filters of the side chain.
    pub filters: Filters,
    /// Mean square instead of peaks.
    pub is_rms: bool,
}

fn slope_of_ratio(ratio: f64) -> f64 {
    1.0 - 1.0 / ratio
}

fn is_on(value: f64) -> bool {
    value >= 0.5
}

impl Controls {
    /// At rest.
    pub fn new(setup: &Setup<'_>) -> Self {
        let glide = |value| Glide::new(value, setup.sample_rate);
        Self {
            sample_rate: setup.sample_rate,
            threshold_db: glide(setup.param(THRESHOLD_DB)),
            slope: glide(slope_of_ratio(setup.param(RATIO))),
            knee_db: glide(setup.param(KNEE_DB)),
            makeup: glide(octaves_of_db(setup.param(MAKEUP_DB))),
            mix: glide(setup.param(MIX)),
            link: glide(setup.param(LINK)),
            filters: FilterControls::new(
                setup.param(HIGH_PASS_HZ),
                setup.param(LOW_PASS_HZ),
                setup.sample_rate,
            ),
            attack_ms: setup.param(ATTACK_MS),
            release_ms: setup.param(RELEASE_MS),
            is_rms: is_on(setup.param(DETECTOR)),
            is_automatic: is_on(setup.param(AUTO_RELEASE)),
            now: Now::nothing(),
            is_stale: true,
        }
    }

    /// A parameter was set.
    pub fn set(&mut self, id: u32, value: f64) {
        match id {
            THRESHOLD_DB => self.threshold_db.set(value),
            RATIO => self.slope.set(slope_of_ratio(value)),
            KNEE_DB => self.knee_db.set(value),
            MAKEUP_DB => self.makeup.set(octaves_of_db(value)),
            MIX => self.mix.set(value),
            LINK => self.link.set(value),
            HIGH_PASS_HZ => self.filters.high_pass_hz.set(value),
            LOW_PASS_HZ => self.filters.low_pass_hz.set(value),
            ATTACK_MS => self.attack_ms = value,
            RELEASE_MS => self.release_ms = value,
            DETECTOR => self.is_rms = is_on(value),
            AUTO_RELEASE => self.is_automatic = is_on(value),
            _ => {}
        }
        self.is_stale = true;
    }

    /// The next sub-block begins.
    pub fn advance(&mut self) -> Now {
        if self.is_stale {
            self.is_stale = self.glides().iter().any(|glide| glide.is_moving());
            self.now = self.renewed();
        }
        self.now
    }

    fn renewed(&mut self) -> Now {
        let [makeup, mix, link, ..] = self.glides().map(Glide::advance);
        Now {
            curve: Curve::new(self.threshold_db.value(), self.slope.value(), self.knee_db.value()),
            timing: Timing::new(
                self.attack_ms,
                self.release_ms,
                self.is_automatic,
                self.is_rms,
                self.sample_rate,
            ),
            makeup,
            mix,
            link: narrow(self.link.value()),
            is_linked: link.is_constantly(1.0),
            filters: self.filters.filters(),
            is_rms: self.is_rms,
        }
    }

    /// Everything is at once where it was going to.
    pub fn finish(&mut self) {
        self.glides().into_iter().for_each(Glide::finish);
        self.is_stale = true;
    }

    fn glides(&mut self) -> [&mut Glide; 8] {
        [
            &mut self.makeup,
            &mut self.mix,
            &mut self.link,
            &mut self.threshold_db,
            &mut self.slope,
            &mut self.knee_db,
            &mut self.filters.high_pass_hz,
            &mut self.filters.low_pass_hz,
        ]
    }
}

impl Now {
    fn nothing() -> Self {
        Self {
            curve: Curve::default(),
            timing: Timing::default(),
            makeup: Ramp::default(),
            mix: Ramp::default(),
            link: 0.0,
            is_linked: false,
            filters: Filters::default(),
            is_rms: false,
        }
    }
}
