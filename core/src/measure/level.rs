//! Sample levels.

use super::dynamic_range::DynamicRange;
use crate::audio::{Block, PcmFormat, StreamSpec};
use crate::units::{Dbfs, Decibels};
use serde::Serialize;

/// Levels of a whole file. Fields are `None` where no value exists.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LevelReport {
    /// Mean square of all channels and frames: a full-scale sine is -3.01 (no AES17 offset).
    pub rms_dbfs: Option<Dbfs>,
    /// Its square root; 0 for silence.
    pub rms_amplitude: f64,
    /// Largest absolute sample; 0 for silence.
    pub peak_amplitude: f64,
    /// Sample peak minus RMS: a sine has 3.01.
    pub crest_factor_db: Option<Decibels>,
    /// Peak to RMS: equals the crest factor.
    pub dynamic_range_db: Option<Decibels>,
    /// DR value of the "TT Dynamic Range Meter", in whole dB; needs three blocks of 3 s.
    pub dr14: Option<i32>,
    /// Sign changes of the channels' mean; zero counts as positive. As librosa without padding.
    pub zero_crossings: u64,
    /// Mean of all samples; `None` without frames.
    pub dc_offset: Option<f64>,
    /// Samples in runs of three or more at full scale.
    pub clipped_samples: u64,
}

/// Values of the channels' mean up to this magnitude count as zero.
///
/// Source: librosa, `zero_crossings`, `threshold`.
const ZERO_CROSSING_THRESHOLD: f64 = 1e-10;

/// Shortest run at full scale that counts as clipped: one or two such samples are what a limiter or
/// a normalizer leaves too.
const CLIPPED_RUN_MIN: u64 = 3;

/// Measures levels block by block. Results do not depend on how the signal was cut into blocks.
#[derive(Debug)]
pub struct LevelMeter {
    /// Absolute value from which a sample is at full scale.
    full_scale: f32,
    channels: Vec<ChannelLevel>,
    frame_count: u64,
    zero_crossings: u64,
    was_negative: bool,
    dynamic_range: DynamicRange,
}

#[derive(Clone, Debug, Default)]
struct ChannelLevel {
    sum: f64,
    square_sum: f64,
    peak: f32,
    /// Length of the run at full scale that is going on.
    run: u64,
    clipped_samples: u64,
}

impl LevelMeter {
    /// A meter for a stream whose samples are stored as `format`, which says what full scale is.
    pub fn new(spec: &StreamSpec, format: PcmFormat) -> Self {
        Self {
            full_scale: format.full_scale(),
            channels: vec![ChannelLevel::default(); spec.channel_count()],
            frame_count: 0,
            zero_crossings: 0,
            was_negative: false,
            dynamic_range: DynamicRange::new(spec),
        }
    }

    /// Measures further frames.
    pub fn push(&mut self, block: &Block) {
        for (channel, plane) in self.channels.iter_mut().zip(block.planes()) {
            channel.push(plane, self.full_scale);
        }
        self.count_zero_crossings(block);
        self.dynamic_range.push(block);
        self.frame_count += block.frame_count() as u64;
    }

    fn count_zero_crossings(&mut self, block: &Block) {
        if self.channels.is_empty() {
            return;
        }
        let threshold = -ZERO_CROSSING_THRESHOLD * self.channels.len() as f64;
        for frame in 0..block.frame_count() {
            let sum: f64 = block.planes().map(|plane| f64::from(plane[frame])).sum();
            let is_negative = sum < threshold;
            let is_first = self.frame_count == 0 && frame == 0;
            self.zero_crossings += u64::from(is_negative != self.was_negative && !is_first);
            self.was_negative = is_negative;
        }
    }

    /// What was measured.
    pub fn finish(self) -> LevelReport {
        let sample_count = self.frame_count as f64 * self.channels.len() as f64;
        let total = |part: fn(&ChannelLevel) -> f64| self.channels.iter().map(part).sum::<f64>();
        let mean_square = if sample_count > 0.0 {
            total(|channel| channel.square_sum) / sample_count
        } else {
            0.0
        };
        let peak = self.channels.iter().fold(0.0f32, |peak, channel| peak.max(channel.peak));
        let rms_dbfs = Dbfs::from_power(mean_square);
        let crest = Dbfs::from_amplitude(peak.into()).zip(rms_dbfs).map(|(peak, rms)| peak - rms);
        LevelReport {
            rms_dbfs,
            rms_amplitude: mean_square.sqrt(),
            peak_amplitude: peak.into(),
            crest_factor_db: crest,
            dynamic_range_db: crest,
            dr14: self.dynamic_range.finish(),
            zero_crossings: self.zero_crossings,
            dc_offset: (sample_count > 0.0).then(|| total(|channel| channel.sum) / sample_count),
            clipped_samples: self.channels.iter().map(ChannelLevel::clipped).sum(),
        }
    }
}

impl ChannelLevel {
    fn push(&mut self, plane: &[f32], full_scale: f32) {
        for &sample in plane {
            let value = f64::from(sample);
            self.sum += value;
            self.square_sum += value * value;
            self.peak = self.peak.max(sample.abs());
            if sample.abs() >= full_scale {
                self.run += 1;
            } else if self.run > 0 {
                self.clipped_samples = self.clipped();
                self.run = 0;
            }
        }
    }

    /// Clipped samples, those of the run that is going on included.
    fn clipped(&self) -> u64 {
        self.clipped_samples + if self.run >= CLIPPED_RUN_MIN { self.run } else { 0 }
    }
}
