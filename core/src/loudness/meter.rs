//! Programme loudness and true peak.

use super::gating;
use super::k_weighting::KWeighting;
use super::pending::Pending;
use super::true_peak::TruePeak;
use super::weights::{self, MonoMode};
use crate::audio::{Block, StreamSpec};
use crate::limits::CHANNEL_COUNT_MAX;
use crate::units::{Dbfs, Dbtp, Frames, Lu, Lufs, SampleRate, Seconds};
use serde::Serialize;

/// Loudness of a whole file. Fields are `None` where no value exists (silence, too short).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LoudnessReport {
    /// K-weighted, 400 ms blocks, 75 % overlap, gates at -70 LUFS and -10 LU. BS.1770-5.
    pub integrated_lufs: Option<Lufs>,
    /// EBU Tech 3342.
    pub loudness_range_lu: Option<Lu>,
    /// Largest of the 400 ms windows every 10 ms. EBU Tech 3341.
    pub momentary_max_lufs: Option<Lufs>,
    /// End of that window.
    pub momentary_max_at_s: Option<Seconds>,
    /// Largest of the 3 s windows every 100 ms. EBU Tech 3341.
    pub short_term_max_lufs: Option<Lufs>,
    /// End of that window.
    pub short_term_max_at_s: Option<Seconds>,
    /// 4x oversampled (2x from 96 kHz, the samples themselves from 192 kHz). BS.1770-5, Annex 2.
    pub true_peak_dbtp: Option<Dbtp>,
    /// 16x oversampled with filters of 64 taps a phase: within 0.03 dB of the truth up to 0.45 of the
    /// sample rate.
    pub true_peak_precise_dbtp: Option<Dbtp>,
    /// Largest absolute sample.
    pub sample_peak_dbfs: Option<Dbfs>,
    /// PLR: true peak minus integrated loudness.
    pub peak_to_loudness_lu: Option<Lu>,
}

/// Length of a step: all windows are made of whole steps. EBU Tech 3341 asks of a meter of momentary
/// loudness that it is updated at least every 100 ms; every 10 ms the maximum is found exactly enough.
const STEP_MS: u32 = 10;

const STEPS_PER_SECOND: u32 = 1000 / STEP_MS;

/// Steps of the momentary window, 400 ms. EBU Tech 3341.
const MOMENTARY_STEPS: usize = 40;

/// Steps between gating blocks and between short-term windows, 100 ms. BS.1770-5, Annex 1 (75 %
/// overlap of 400 ms); EBU Tech 3342 (overlap of at least 2.9 s).
const HOP_STEPS: usize = 10;

/// Measures loudness block by block.
///
/// The signal is weighted in steps of 10 ms; windows, gates and percentiles are made from the
/// energies of steps, so that all windows together cost one addition a step. Channels weigh as
/// BS.1770-5 says: see [`weights`]. Everything that one step says is known at its last frame.
///
/// State kept: a step of samples, 400 ms of steps, and 8 bytes for every 100 ms of signal, which is
/// 29 MB in the 100 hours that are the limit: nothing is rounded into a histogram. Results do not
/// depend on how the signal was cut into blocks, nor on the machine's vectors. A stream without
/// channels, with more than the limit, or with less than a frame a step has no loudness.
///
/// Source: ITU-R BS.1770-5, Annexes 1 and 3; EBU Tech 3341 and 3342.
#[derive(Clone)]
pub struct LoudnessMeter {
    rate: SampleRate,
    channel_count: usize,
    filter: Option<Filter>,
    true_peak: TruePeak,
    /// Completed steps.
    step_count: u64,
    /// Energy sums of the latest steps, a ring indexed by step count.
    recent: [f64; MOMENTARY_STEPS],
    /// Mean energy of every 100 ms.
    hops: Vec<f64>,
    /// Largest momentary energy and the count of steps at its end.
    momentary_max: (f64, u64),
}

#[derive(Clone)]
struct Filter {
    k_weighting: KWeighting,
    /// One for each channel.
    weights: Vec<f64>,
    pending: Pending,
}

impl std::fmt::Debug for LoudnessMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoudnessMeter({} channels, {} steps)", self.channel_count, self.step_count)
    }
}

impl LoudnessMeter {
    /// A meter for a stream; `mono` matters only when it has one channel.
    pub fn new(spec: &StreamSpec, mono: MonoMode) -> Self {
        let channel_count = spec.channel_count();
        Self {
            rate: spec.sample_rate,
            channel_count,
            filter: Filter::new(spec, mono),
            true_peak: TruePeak::new(spec.sample_rate, channel_count),
            step_count: 0,
            recent: [0.0; MOMENTARY_STEPS],
            hops: Vec::new(),
            momentary_max: (0.0, 0),
        }
    }

    /// Measures further frames.
    ///
    /// # Panics
    /// When the block has another channel count than the stream: that is a bug of the caller.
    pub fn push(&mut self, block: &Block) {
        assert_eq!(block.channel_count(), self.channel_count, "a block of the meter's stream");
        for (channel, plane) in block.planes().enumerate() {
            self.true_peak.push(channel, plane);
        }
        let Some(mut filter) = self.filter.take() else { return };
        let mut start = 0;
        while start < block.frame_count() {
            let step_frames = step_frames(self.rate, self.step_count);
            let Some(energy) = filter.energy(block, &mut start, step_frames) else { break };
            self.end_step(energy);
        }
        self.filter = Some(filter);
    }

    fn end_step(&mut self, energy: f64) {
        self.recent[index(self.step_count) % MOMENTARY_STEPS] = energy;
        self.step_count += 1;
        if self.step_count >= MOMENTARY_STEPS as u64 {
            let energy = self.mean_of_recent(MOMENTARY_STEPS);
            if energy > self.momentary_max.0 {
                self.momentary_max = (energy, self.step_count);
            }
        }
        if self.step_count.is_multiple_of(HOP_STEPS as u64) {
            self.hops.push(self.mean_of_recent(HOP_STEPS));
        }
    }

    /// Mean energy of the latest `count` steps, summed from the oldest.
    fn mean_of_recent(&self, count: usize) -> f64 {
        let end = index(self.step_count) + MOMENTARY_STEPS;
        let sum: f64 = (end - count..end).map(|step| self.recent[step % MOMENTARY_STEPS]).sum();
        let frames = end_of_step(self.rate, self.step_count)
            - end_of_step(self.rate, self.step_count - count as u64);
        sum / frames as f64
    }

    /// What was measured.
    pub fn finish(self) -> LoudnessReport {
        let peaks = self.true_peak.finish();
        let true_peak_dbtp = Dbtp::from_amplitude(peaks.standard.into());
        let integrated_lufs = gating::integrated(&self.hops);
        let momentary_max_lufs = gating::loudness_of(self.momentary_max.0);
        let short_term_max = gating::short_term_max(&self.hops);
        LoudnessReport {
            integrated_lufs,
            loudness_range_lu: gating::loudness_range(&self.hops),
            momentary_max_lufs,
            momentary_max_at_s: momentary_max_lufs.map(|_| time_of(self.momentary_max.1)),
            short_term_max_lufs: short_term_max.map(|(loudness, _)| loudness),
            short_term_max_at_s: short_term_max.map(|(_, hops)| time_of((hops * HOP_STEPS) as u64)),
            true_peak_dbtp,
            true_peak_precise_dbtp: Dbtp::from_amplitude(peaks.precise.into()),
            sample_peak_dbfs: Dbfs::from_amplitude(peaks.sample.into()),
            peak_to_loudness_lu: true_peak_dbtp
                .zip(integrated_lufs)
                .map(|(peak, loudness)| (peak - Dbtp(loudness.0)).into()),
        }
    }
}

impl Filter {
    /// `None` when there is nothing to filter, or more than is allowed.
    fn new(spec: &StreamSpec, mono: MonoMode) -> Option<Self> {
        let channel_count = spec.channel_count();
        let frames_min = Frames(u64::from(spec.sample_rate.0 / STEPS_PER_SECOND)).as_usize();
        if channel_count == 0 || channel_count > CHANNEL_COUNT_MAX || frames_min == 0 {
            return None;
        }
        Some(Self {
            k_weighting: KWeighting::new(spec.sample_rate, channel_count, frames_min),
            weights: weights::of(&spec.layout, mono),
            pending: Pending::new(channel_count, frames_min + 1),
        })
    }

    /// The weighted energy of the next step, if the block's frames from `start` on complete it;
    /// else they are kept. `start` moves behind the frames that were used.
    fn energy(&mut self, block: &Block, start: &mut usize, step_frames: usize) -> Option<f64> {
        let used = self.pending.fill(block, *start, step_frames)?;
        let mut energy = 0.0;
        for (channel, &weight) in self.weights.iter().enumerate() {
            if weight > 0.0 {
                let step = self.pending.step(block, *start, channel, step_frames);
                energy += weight * self.k_weighting.energy(channel, step);
            }
        }
        self.pending.clear();
        *start += used;
        Some(energy)
    }
}

/// Frames of the step with this index: steps end at the frame next to every 10 ms, so that windows do
/// not drift at rates that are no multiple of 100 Hz.
fn step_frames(rate: SampleRate, index: u64) -> usize {
    Frames(end_of_step(rate, index + 1) - end_of_step(rate, index)).as_usize()
}

/// Frames until this many steps have ended.
fn end_of_step(rate: SampleRate, steps: u64) -> u64 {
    (steps * u64::from(rate.0) + u64::from(STEPS_PER_SECOND) / 2) / u64::from(STEPS_PER_SECOND)
}

/// Time at the end of this many steps.
fn time_of(steps: u64) -> Seconds {
    Seconds((steps * u64::from(STEP_MS)) as f64 / 1000.0)
}

/// A count of steps as an index; at 100 a second it fits even 32 bits for more than a year.
fn index(steps: u64) -> usize {
    Frames(steps).as_usize()
}
