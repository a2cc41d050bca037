//! What users set, and what it means for the sub-block at hand.

use crate::description::{
    ATTACK_MS, HIGH_PASS_HZ, HOLD_MS, HYSTERESIS_DB, LOW_PASS_HZ, RANGE_DB, RELEASE_MS,
    THRESHOLD_DB,
};
use crate::latch::{Law, Settings};
use effect_common::{FilterControls, Filters};
use wavemill_effect::Setup;

/// Parameters on their way to what they were set to.
///
/// Only the filters glide: the gain follows every other change with attack and release anyway.
#[derive(Debug)]
pub struct Controls {
    sample_rate: f64,
    settings: Settings,
    filters: FilterControls,
    /// What was last returned, without the work where nothing moved.
    now: Now,
    is_stale: bool,
}

/// What holds in one sub-block.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// What opens and closes the gate.
    pub law: Law,
    /// Filters of the side chain.
    pub filters: Filters,
}

impl Controls {
    /// At rest.
    pub fn new(setup: &Setup<'_>) -> Self {
        let settings = Settings {
            threshold_db: setup.param(THRESHOLD_DB),
            hysteresis_db: setup.param(HYSTERESIS_DB),
            attack_ms: setup.param(ATTACK_MS),
            hold_ms: setup.param(HOLD_MS),
            release_ms: setup.param(RELEASE_MS),
            range_db: setup.param(RANGE_DB),
        };
        let filters = FilterControls::new(
            setup.param(HIGH_PASS_HZ),
            setup.param(LOW_PASS_HZ),
            setup.sample_rate,
        );
        let law = Law::new(&settings, setup.sample_rate);
        let now = Now { law, filters: filters.filters() };
        Self { sample_rate: setup.sample_rate, settings, filters, now, is_stale: false }
    }

    /// A parameter was set.
    pub fn set(&mut self, id: u32, value: f64) {
        match id {
            THRESHOLD_DB => self.settings.threshold_db = value,
            HYSTERESIS_DB => self.settings.hysteresis_db = value,
            ATTACK_MS => self.settings.attack_ms = value,
            HOLD_MS => self.settings.hold_ms = value,
            RELEASE_MS => self.settings.release_ms = value,
            RANGE_DB => self.settings.range_db = value,
            HIGH_PASS_HZ => self.filters.high_pass_hz.set(value),
            LOW_PASS_HZ => self.filters.low_pass_hz.set(value),
            _ => {}
        }
        self.is_stale = true;
    }

    /// The next sub-block begins.
    pub fn advance(&mut self) -> Now {
        if self.is_stale {
            let FilterControls { high_pass_hz, low_pass_hz, .. } = &mut self.filters;
            self.is_stale = high_pass_hz.is_moving() || low_pass_hz.is_moving();
            high_pass_hz.advance();
            low_pass_hz.advance();
            let law = Law::new(&self.settings, self.sample_rate);
            self.now = Now { law, filters: self.filters.filters() };
        }
        self.now
    }

    /// Everything is at once where it was going to.
    pub fn finish(&mut self) {
        self.filters.high_pass_hz.finish();
        self.filters.low_pass_hz.finish();
        self.is_stale = true;
    }
}
