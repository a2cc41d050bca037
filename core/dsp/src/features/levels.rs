//! How loud frames and seconds are, in bounded memory.

use super::bands::{POWER_FLOOR, level_db};

/// Lowest level that is counted, in dB by a sine at full scale: the floor of the bands.
const DB_MIN: f32 = -80.0;

/// Steps in which levels are counted.
const STEP_DB: f32 = 0.25;

/// Up to +20 dB: floating-point files exceed full scale.
const STEPS: usize = 400;

/// Share of frames, in percent, that do not exceed a level that is reported.
pub(super) const PERCENTS: [f64; 7] = [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0];

/// What is far below the RMS, in dB.
const QUIET_DB: f64 = 20.0;

/// Levels over time.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    counts: Vec<u64>,
    count: u64,
    power: f64,
    last_db: Option<f32>,
    changes: f64,
    change_count: u64,
    frames_per_second: usize,
    second: (f64, usize),
    seconds: Seconds,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seconds {
    last_db: Option<f64>,
    count: u64,
    sum: f64,
    squares: f64,
    changes: f64,
    change_count: u64,
}

/// What they are like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LevelStatistics {
    pub(super) percentiles_db: Option<[f64; PERCENTS.len()]>,
    pub(super) change_db: Option<f64>,
    pub(super) slow_change_db: Option<f64>,
    pub(super) slow_deviation_db: Option<f64>,
    pub(super) quiet_share: Option<f64>,
}

impl Levels {
    pub(super) fn new(frames_per_second: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundred")]
        let frames_per_second = frames_per_second.round().max(1.0) as usize;
        Self {
            counts: vec![0; STEPS],
            count: 0,
            power: 0.0,
            last_db: None,
            changes: 0.0,
            change_count: 0,
            frames_per_second,
            second: (0.0, 0),
            seconds: Seconds::default(),
        }
    }

    /// Takes the power of a frame. Silent frames are passed over: how long a file is silent says nothing of its music.
    pub(super) fn push(&mut self, power: f32) {
        if power <= POWER_FLOOR {
            self.last_db = None;
            return;
        }
        let level = level_db(power);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let step = ((level - DB_MIN) / STEP_DB) as usize;
        self.counts[step.min(STEPS - 1)] += 1;
        self.count += 1;
        self.power += f64::from(power);
        if let Some(last) = self.last_db.replace(level) {
            self.changes += f64::from((level - last).abs());
            self.change_count += 1;
        }
        self.second.0 += f64::from(power);
        self.second.1 += 1;
        if self.second.1 == self.frames_per_second {
            let (power, count) = std::mem::take(&mut self.second);
            #[expect(clippy::cast_possible_truncation, reason = "levels are f32")]
            self.seconds.push(f64::from(level_db((power / count as f64) as f32)));
        }
    }

    pub(super) fn finish(&self) -> LevelStatistics {
        if self.count == 0 {
            return LevelStatistics::default();
        }
        #[expect(clippy::cast_possible_truncation, reason = "levels are f32")]
        let rms_db = f64::from(level_db((self.power / self.count as f64) as f32));
        LevelStatistics {
            percentiles_db: Some(PERCENTS.map(|percent| self.percentile(percent) - rms_db)),
            change_db: mean(self.changes, self.change_count),
            slow_change_db: mean(self.seconds.changes, self.seconds.change_count),
            slow_deviation_db: self.seconds.deviation(),
            quiet_share: Some(self.below(rms_db - QUIET_DB)),
        }
    }

    /// The level that a share of frames does not exceed.
    fn percentile(&self, percent: f64) -> f64 {
        let rank = percent / 100.0 * self.count as f64;
        let mut before = 0.0;
        for (step, &count) in self.counts.iter().enumerate() {
            let next = before + count as f64;
            if count > 0 && next >= rank {
                return step_db(step as f64 + (rank - before) / count as f64);
            }
            before = next;
        }
        step_db(STEPS as f64)
    }

    /// Share of frames below a level.
    fn below(&self, db: f64) -> f64 {
        let is_below = |step: &usize| step_db(*step as f64 + 1.0) <= db;
        let steps = (0..STEPS).take_while(is_below);
        steps.map(|step| self.counts[step]).sum::<u64>() as f64 / self.count as f64
    }
}

fn step_db(step: f64) -> f64 {
    f64::from(DB_MIN) + step * f64::from(STEP_DB)
}

impl Seconds {
    fn push(&mut self, level_db: f64) {
        self.count += 1;
        self.sum += level_db;
        self.squares += level_db * level_db;
        if let Some(last) = self.last_db.replace(level_db) {
            self.changes += (level_db - last).abs();
            self.change_count += 1;
        }
    }

    fn deviation(&self) -> Option<f64> {
        let mean_db = mean(self.sum, self.count)?;
        Some((self.squares / self.count as f64 - mean_db * mean_db).max(0.0).sqrt())
    }
}

/// A mean; `None` of nothing.
pub(super) fn mean(sum: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_the_rms() {
        let mut levels = Levels::new(10.0);
        // Half of the frames at 0 dB, half at -10 dB: the mean power is -2.6 dB.
        for index in 0..1000 {
            levels.push(if index % 2 == 0 { 1.0 } else { 0.1 });
        }
        let found = levels.finish();
        let percentiles = found.percentiles_db.unwrap();
        assert!((percentiles[0] + 7.4).abs() < 0.3, "{percentiles:?}");
        assert!((percentiles[6] - 2.6).abs() < 0.3, "{percentiles:?}");
        assert!((found.change_db.unwrap() - 10.0).abs() < 1e-3);
        assert!(found.slow_change_db.unwrap() < 1e-3 && found.quiet_share == Some(0.0));
    }

    #[test]
    fn silence_has_none() {
        let mut levels = Levels::new(86.0);
        (0..100).for_each(|_| levels.push(0.0));
        assert_eq!(levels.finish(), LevelStatistics::default());
    }
}
