//! Sample levels.

use super::dynamic_range::{self, DynamicRange};
use super::meter::{Meter, Needs, Setup};
use super::noise_floor::NoiseFloor;
use super::spectrum::Shapes;
use super::totals::Totals;
use serde::{Deserialize, Serialize};
use wavemill_audio::units::{Dbfs, Decibels};
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// Levels of a whole file. Fields are `None` where no value exists.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelReport {
    /// Mean square of all channels and frames: a full-scale sine is -3.01 (no AES17 offset).
    pub rms_dbfs: Option<Dbfs>,
    /// RMS of the quietest half second, in steps of 50 ms; `None` where that is silent, or the file shorter.
    pub noise_floor_dbfs: Option<Dbfs>,
    /// The square root of the mean square; 0 for silence.
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
    /// Mean of the samples of the channel that has most of it; `None` without frames.
    pub dc_offset: Option<f64>,
    /// Mean of each channel's samples; empty without frames.
    pub dc_offset_by_channel: Vec<f64>,
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
    noise_floor: NoiseFloor,
    frame_count: u64,
    zero_crossings: u64,
    was_negative: bool,
    /// Frames of a block of the dynamic range.
    block_frames: usize,
}

/// Frames that are looked at together.
const CHUNK_FRAMES: usize = 256;

#[derive(Clone, Debug, Default)]
struct ChannelLevel {
    /// Of the block of the dynamic range that is going on.
    block: Totals,
    blocks: DynamicRange,
    /// Of the blocks before.
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
            noise_floor: NoiseFloor::new(spec),
            frame_count: 0,
            zero_crossings: 0,
            was_negative: false,
            block_frames: dynamic_range::block_frames(spec.sample_rate),
        }
    }

    /// Measures further frames.
    pub fn push(&mut self, block: &Block) {
        for (channel, plane) in self.channels.iter_mut().zip(block.planes()) {
            channel.push(plane, self.full_scale, self.block_frames);
        }
        self.noise_floor.push(block);
        if !self.channels.is_empty() {
            for start in (0..block.frame_count()).step_by(CHUNK_FRAMES) {
                self.count_zero_crossings(block, start);
            }
        }
        self.frame_count += block.frame_count() as u64;
    }

    /// Of up to [`CHUNK_FRAMES`] frames.
    fn count_zero_crossings(&mut self, block: &Block, start: usize) {
        let end = block.frame_count().min(start + CHUNK_FRAMES);
        let mut sums = [0.0; CHUNK_FRAMES];
        for plane in block.planes() {
            for (sum, &sample) in sums.iter_mut().zip(&plane[start..end]) {
                *sum += f64::from(sample);
            }
        }
        let sums = &sums[..end - start];
        let threshold = -ZERO_CROSSING_THRESHOLD * self.channels.len() as f64;
        let is_first = self.frame_count == 0 && start == 0;
        let was_negative = if is_first { sums[0] < threshold } else { self.was_negative };
        let mut signs = [false; CHUNK_FRAMES];
        for (sign, sum) in signs.iter_mut().zip(sums) {
            *sign = *sum < threshold;
        }
        let signs = &signs[..sums.len()];
        let mut count = u32::from(signs[0] != was_negative);
        count += signs.windows(2).map(|pair| u32::from(pair[0] != pair[1])).sum::<u32>();
        self.zero_crossings += u64::from(count);
        self.was_negative = signs[signs.len() - 1];
    }

    /// What was measured.
    pub fn finish(mut self) -> LevelReport {
        for channel in &mut self.channels {
            channel.end_block();
        }
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
        // Of opposite offsets the mean would say nothing.
        let dc_offset_by_channel: Vec<f64> = if self.frame_count > 0 {
            self.channels.iter().map(|channel| channel.sum / self.frame_count as f64).collect()
        } else {
            Vec::new()
        };
        LevelReport {
            rms_dbfs,
            noise_floor_dbfs: self.noise_floor.finish(),
            rms_amplitude: mean_square.sqrt(),
            peak_amplitude: peak.into(),
            crest_factor_db: crest,
            dynamic_range_db: crest,
            zero_crossings: self.zero_crossings,
            dc_offset: dc_offset_by_channel.iter().copied().reduce(farther_from_zero),
            dc_offset_by_channel,
            clipped_samples: self.channels.iter().map(ChannelLevel::clipped).sum(),
            dr14: dynamic_range::dr14(
                self.channels.into_iter().map(|channel| channel.blocks).collect(),
            ),
        }
    }
}

impl Meter for LevelMeter {
    type Report = LevelReport;

    const NEEDS: Needs = Needs::Samples;

    fn new(spec: &StreamSpec, setup: Setup) -> Self {
        Self::new(spec, setup.format)
    }

    fn push(&mut self, block: &Block) {
        self.push(block);
    }

    fn finish(self, _shapes: &Shapes) -> LevelReport {
        self.finish()
    }
}

fn farther_from_zero(one: f64, other: f64) -> f64 {
    if other.abs() > one.abs() { other } else { one }
}

impl ChannelLevel {
    fn push(&mut self, mut plane: &[f32], full_scale: f32, block_frames: usize) {
        while !plane.is_empty() {
            let count = plane.len().min(block_frames - self.block.frame_count).min(CHUNK_FRAMES);
            let (now, later) = plane.split_at(count);
            // Only then can something be clipped.
            if self.block.add(now) >= full_scale || self.run > 0 {
                self.count_clipped(now, full_scale);
            }
            if self.block.frame_count == block_frames {
                self.end_block();
            }
            plane = later;
        }
    }

    fn end_block(&mut self) {
        if self.block.frame_count > 0 {
            self.blocks.push(&self.block);
            self.sum += self.block.sum();
            self.square_sum += self.block.square_sum();
            self.peak = self.peak.max(self.block.peak);
            self.block = Totals::default();
        }
    }

    fn count_clipped(&mut self, samples: &[f32], full_scale: f32) {
        for &sample in samples {
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
