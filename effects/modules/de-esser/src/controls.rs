//! What users set, and what it means for the sub-block at hand.

use crate::description::{
    ATTACK_MS, BANDS, FREQUENCY_HZ, LISTEN, MAX_REDUCTION_DB, RELEASE_MS, THRESHOLD_DB,
};
use crate::detector::{Law, VOICE_SHARE};
use effect_common::{Glide, Ramp, Svf};
use wavemill_effect::Setup;

/// Parameters on their way to what they were set to. Threshold and greatest reduction need not glide: the
/// reduction follows them with attack and release.
#[derive(Debug)]
pub struct Controls {
    sample_rate: f64,
    frequency_hz: Glide,
    /// 1 when only the upper band is reduced, 0 when everything is.
    bands: Glide,
    listen: Glide,
    threshold_db: f64,
    reduction_db_max: f64,
    attack_ms: f64,
    release_ms: f64,
    /// What was last returned, without the work where nothing moved.
    now: Now,
    is_stale: bool,
}

/// What holds in one sub-block.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// What is reduced, and how fast.
    pub law: Law,
    /// The filter of the crossover.
    pub split: Svf,
    /// The filter below which the voice is.
    pub voice: Svf,
    /// 1 when only the upper band is reduced, 0 when everything is.
    pub bands: Ramp,
    /// 1 when the upper band alone is the output.
    pub listen: Ramp,
}

impl Controls {
    /// At rest.
    pub fn new(setup: &Setup<'_>) -> Self {
        let glide = |value| Glide::new(value, setup.sample_rate);
        let mut controls = Self {
            sample_rate: setup.sample_rate,
            frequency_hz: glide(setup.param(FREQUENCY_HZ)),
            bands: glide(1.0 - setup.param(BANDS)),
            listen: glide(setup.param(LISTEN)),
            threshold_db: setup.param(THRESHOLD_DB),
            reduction_db_max: setup.param(MAX_REDUCTION_DB),
            attack_ms: setup.param(ATTACK_MS),
            release_ms: setup.param(RELEASE_MS),
            now: Now {
                law: Law::new(0.0, 0.0, 0.0, 0.0, setup.sample_rate),
                split: Svf::new(1_000.0, setup.sample_rate),
                voice: Svf::new(1_000.0, setup.sample_rate),
                bands: Ramp::default(),
                listen: Ramp::default(),
            },
            is_stale: true,
        };
        controls.now = controls.renewed();
        controls
    }

    /// A parameter was set.
    pub fn set(&mut self, id: u32, value: f64) {
        match id {
            FREQUENCY_HZ => self.frequency_hz.set(value),
            BANDS => self.bands.set(1.0 - value),
            LISTEN => self.listen.set(value),
            THRESHOLD_DB => self.threshold_db = value,
            MAX_REDUCTION_DB => self.reduction_db_max = value,
            ATTACK_MS => self.attack_ms = value,
            RELEASE_MS => self.release_ms = value,
            _ => {}
        }
        self.is_stale = true;
    }

    /// The next sub-block begins.
    pub fn advance(&mut self) -> Now {
        if self.is_stale {
            self.is_stale =
                self.frequency_hz.is_moving() || self.bands.is_moving() || self.listen.is_moving();
            self.now = self.renewed();
        }
        self.now
    }

    fn renewed(&mut self) -> Now {
        self.frequency_hz.advance();
        Now {
            law: Law::new(
                self.threshold_db,
                self.reduction_db_max,
                self.attack_ms,
                self.release_ms,
                self.sample_rate,
            ),
            split: Svf::new(self.frequency_hz.value(), self.sample_rate),
            voice: Svf::new(VOICE_SHARE * self.frequency_hz.value(), self.sample_rate),
            bands: self.bands.advance(),
            listen: self.listen.advance(),
        }
    }

    /// Everything is at once where it was going to.
    pub fn finish(&mut self) {
        self.frequency_hz.finish();
        self.bands.finish();
        self.listen.finish();
        self.is_stale = true;
    }
}
