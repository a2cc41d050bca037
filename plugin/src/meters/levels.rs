//! Levels of the channels, by the ballistics that someone looks at.

use super::readings::Reading;
use std::sync::atomic::{AtomicU8, Ordering};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::measure::{Ballistics, LevelIndicator};
use wavemill_core::units::SampleRate;

/// Channels of the largest layout.
pub(crate) const CHANNELS_MAX: usize = 12;

/// Meters that can be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum LevelKind {
    /// None: nothing is measured.
    #[default]
    Off,
    PpmTypeOne,
    PpmTypeTwo,
    Vu,
    /// RMS, and the peak beside it.
    KSystem,
}

impl LevelKind {
    const ALL: [Self; 5] = [Self::Off, Self::PpmTypeOne, Self::PpmTypeTwo, Self::Vu, Self::KSystem];

    fn ballistics(self) -> Option<Ballistics> {
        match self {
            Self::Off => None,
            Self::PpmTypeOne => Some(Ballistics::PpmTypeOne),
            Self::PpmTypeTwo => Some(Ballistics::PpmTypeTwo),
            Self::Vu => Some(Ballistics::Vu),
            Self::KSystem => Some(Ballistics::Rms),
        }
    }
}

/// One channel, in dBFS: a sine that reaches full scale has 0.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "each says its unit")]
pub(crate) struct ChannelLevel {
    pub(crate) now_dbfs: Reading,
    /// The highest since the meters began, or this kind was chosen.
    pub(crate) max_dbfs: Reading,
    /// Largest sample, falling; with [`LevelKind::KSystem`] only.
    pub(crate) peak_dbfs: Reading,
}

/// What both sides see. Neither waits.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    wanted: AtomicU8,
    channels: [ChannelLevel; CHANNELS_MAX],
}

impl Levels {
    /// Which meters run from now on.
    pub(crate) fn want(&self, kind: LevelKind) {
        self.wanted.store(kind as u8, Ordering::Relaxed);
    }

    /// Real-time.
    pub(crate) fn wanted(&self) -> LevelKind {
        let wanted = self.wanted.load(Ordering::Relaxed);
        LevelKind::ALL.into_iter().find(|kind| *kind as u8 == wanted).unwrap_or_default()
    }

    /// The channels; those that the stream does not have read nothing.
    pub(crate) fn channels(&self) -> &[ChannelLevel; CHANNELS_MAX] {
        &self.channels
    }

    /// Real-time.
    fn clear(&self) {
        for ChannelLevel { now_dbfs, max_dbfs, peak_dbfs } in &self.channels {
            now_dbfs.set(None);
            max_dbfs.set(None);
            peak_dbfs.set(None);
        }
    }
}

/// Measures the channels. Real-time, but for being made.
pub(super) struct LevelMeters {
    rate: SampleRate,
    kind: LevelKind,
    /// Of each channel: what is wanted, and its peak.
    indicators: Vec<[LevelIndicator; 2]>,
    max_dbfs: [Option<f64>; CHANNELS_MAX],
}

impl LevelMeters {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        let rate = spec.sample_rate;
        let indicators = [Ballistics::Rms, Ballistics::SamplePeak]
            .map(|ballistics| LevelIndicator::new(ballistics, rate));
        let channel_count = spec.channel_count().min(CHANNELS_MAX);
        Self {
            rate,
            kind: LevelKind::Off,
            indicators: vec![indicators; channel_count],
            max_dbfs: [None; CHANNELS_MAX],
        }
    }

    /// Takes further frames, if someone looks.
    pub(super) fn push(&mut self, block: &Block, levels: &Levels) {
        let wanted = levels.wanted();
        if wanted != self.kind {
            self.choose(wanted, levels);
        }
        if self.kind == LevelKind::Off {
            return;
        }
        for ([level, peak], plane) in self.indicators.iter_mut().zip(block.planes()) {
            level.push(plane);
            if self.kind == LevelKind::KSystem {
                peak.push(plane);
            }
        }
    }

    fn choose(&mut self, kind: LevelKind, levels: &Levels) {
        self.kind = kind;
        if let Some(ballistics) = kind.ballistics() {
            for [level, _] in &mut self.indicators {
                // All of it is plain numbers: nothing is allocated.
                *level = LevelIndicator::new(ballistics, self.rate);
            }
        }
        self.clear(levels);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, levels: &Levels) {
        self.indicators.iter_mut().flatten().for_each(LevelIndicator::reset);
        self.max_dbfs = [None; CHANNELS_MAX];
        levels.clear();
    }

    /// Publishes the indications.
    pub(super) fn publish(&mut self, levels: &Levels) {
        if self.kind == LevelKind::Off {
            return;
        }
        let channels = self.indicators.iter_mut().zip(&levels.channels).zip(&mut self.max_dbfs);
        for (([level, peak], channel), max) in channels {
            let now = level.take_level().map(|level| level.0);
            // `None` is less than any number.
            *max = if now > *max { now } else { *max };
            channel.now_dbfs.set(super::engine::shown(now));
            channel.max_dbfs.set(super::engine::shown(*max));
            channel.peak_dbfs.set(super::engine::shown(peak.take_level().map(|peak| peak.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate_hz: u32, peak: f64, frames: u32) -> Vec<f32> {
        let angle = 2.0 * std::f64::consts::PI * 1000.0 / f64::from(rate_hz);
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let sample = |frame: u32| (peak * (angle * f64::from(frame)).sin()) as f32;
        (0..frames).map(sample).collect()
    }

    fn near(reading: &Reading, expected: f32) -> bool {
        reading.get().is_some_and(|value| (value - expected).abs() < 0.05)
    }

    #[test]
    fn nothing_is_measured_before_someone_looks() {
        let levels = Levels::default();
        let mut meters = LevelMeters::new(&StreamSpec::new(48_000, 2));
        let block = Block::from_planes(&[vec![0.5; 4800], vec![0.5; 4800]]);
        meters.push(&block, &levels);
        meters.publish(&levels);
        assert_eq!(levels.channels()[0].now_dbfs.get(), None);
    }

    #[test]
    fn each_channel_has_its_level_of_each_kind() {
        let (left, right) = (sine(48_000, 0.5, 96_000), sine(48_000, 0.125_893, 96_000));
        let block = Block::from_planes(&[left, right]);
        let levels = Levels::default();
        let mut meters = LevelMeters::new(&StreamSpec::new(48_000, 2));
        for kind in
            [LevelKind::PpmTypeOne, LevelKind::PpmTypeTwo, LevelKind::Vu, LevelKind::KSystem]
        {
            levels.want(kind);
            meters.push(&block, &levels);
            meters.publish(&levels);
            let channels = levels.channels();
            assert!(near(&channels[0].now_dbfs, -6.02), "{kind:?} {channels:?}");
            assert!(near(&channels[1].now_dbfs, -18.0), "{kind:?} {channels:?}");
            assert_eq!(channels[2].now_dbfs.get(), None);
            assert_eq!(near(&channels[1].peak_dbfs, -18.0), kind == LevelKind::KSystem);
        }
        levels.want(LevelKind::Off);
        meters.push(&block, &levels);
        assert_eq!(levels.channels()[0].now_dbfs.get(), None, "and stays not on the screen");
    }

    #[test]
    fn highest_level_stays_until_the_meters_begin_anew() {
        let spec = StreamSpec::new(48_000, 1);
        let (levels, mut meters) = (Levels::default(), LevelMeters::new(&spec));
        levels.want(LevelKind::PpmTypeTwo);
        meters.push(&Block::from_planes(&[sine(48_000, 0.5, 48_000)]), &levels);
        meters.publish(&levels);
        meters.push(&Block::from_planes(&[vec![0.0; 48_000]]), &levels);
        // Peaks since it was taken: those of the silence begin with the one before.
        meters.publish(&levels);
        meters.push(&Block::from_planes(&[vec![0.0; 4800]]), &levels);
        meters.publish(&levels);
        let channel = &levels.channels()[0];
        assert!(near(&channel.max_dbfs, -6.02), "{channel:?}");
        assert!(channel.now_dbfs.get().unwrap() < -14.0, "{channel:?}");
        meters.clear(&levels);
        assert_eq!(channel.max_dbfs.get(), None);
    }
}
