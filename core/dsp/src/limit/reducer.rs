//! A gain that keeps peaks below a ceiling.

use super::detector::{Bends, Detector};
use super::envelope::{Envelope, Times};
use super::gain::reduce;
use super::line::{GROUPS, Line, RUN};
use crate::loudness::interpolation::GROUP;
use wavemill_audio::units::{Decibels, Frames, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// Frames by which the groups that a run completes lie before it: the detector looks ahead, and the last
/// group's line ends on the first frame of the next.
const BEHIND: usize = Detector::BEHIND + GROUP;

/// A peak is one that exceeds the ceiling by more than this factor: a file whose peak was put at the
/// ceiling may exceed it by rounding, and is to be left alone.
const TOLERANCE: f64 = 1.0001;

/// What peaks are brought to, as a share of the ceiling: 0.026 dB is left for what the moving gain
/// makes of the signal between its samples, and for what two good meters disagree by.
const TARGET: f64 = 0.997;

/// Reduction from which time is counted in [`Limited::time_above_1_db`].
const NOTICEABLE: Decibels = Decibels(-1.0);

/// Whether channels are reduced together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linking {
    /// All by the same gain: what comes from where stays.
    Linked,
    /// Each by its own.
    PerChannel,
}

/// What a limiter did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limited {
    /// Largest reduction of a channel, positive.
    pub reduction_max_db: f64,
    /// Time during which a channel was reduced by more than 1 dB.
    pub time_above_1_db: Seconds,
    /// Time during which a channel was reduced at all.
    pub time_reduced: Seconds,
}

/// What peaks may keep above the ceiling, since something else takes it away; amplitudes over the ceiling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// What single peaks may keep.
    pub(super) of_peaks: f64,
    /// What peaks may keep that come back without pause, and what they must exceed to keep anything.
    pub(super) of_sustained: f64,
    pub(super) sustained_from: f64,
}

impl Allowance {
    /// The reductions that a peak needs, `above` times as high as it is to become: by itself, and when it
    /// comes back without pause.
    fn needed(self, above: f64) -> [f64; 2] {
        let kept = above.min(self.of_peaks);
        let sustained = (1.0 + above - self.sustained_from).min(self.of_sustained).max(1.0);
        [1.0 - kept / above, 1.0 - sustained / above].map(|needed| needed.max(0.0))
    }
}

/// Turns a stream down where its true peak exceeds a ceiling, by a gain that moves no faster than it must.
#[derive(Clone, Debug)]
pub(super) struct Reducer {
    ceiling: f64,
    allowance: Option<Allowance>,
    detector: Detector,
    lines: Vec<Line>,
    /// One for each channel.
    bends: Vec<Bends>,
    /// One for all channels, or one for each.
    stages: Vec<Stage>,
    linking: Linking,
    latency: usize,
    /// Frames of the present run.
    fill: usize,
    group_s: f64,
    /// Reduction from which groups count as noticeable.
    noticeable: f64,
    /// Groups that were reduced, and those by more than 1 dB.
    reduced_groups: u64,
    noticeable_groups: u64,
    reduction_max: f64,
}

/// A gain and what it is computed from.
#[derive(Clone, Debug)]
struct Stage {
    envelope: Envelope,
    /// At the beginning of the group whose end comes next.
    reduction: f64,
    /// Reductions at the beginning of each group of a run, and of the next one.
    reductions: [f64; GROUPS + 1],
    /// Largest peak over what it is to become.
    above_max: f64,
}

impl Reducer {
    pub(super) fn new(
        spec: &StreamSpec,
        ceiling: f64,
        linking: Linking,
        times: &Times,
        allowance: Option<Allowance>,
    ) -> Self {
        let channel_count = spec.channel_count();
        let envelope = Envelope::new(spec.sample_rate, GROUP, times, allowance.is_some());
        let latency = envelope.look_ahead() * GROUP + BEHIND + RUN + GROUP;
        let stage =
            Stage { envelope, reduction: 0.0, reductions: [0.0; GROUPS + 1], above_max: 1.0 };
        let stage_count = match linking {
            Linking::Linked => channel_count.min(1),
            Linking::PerChannel => channel_count,
        };
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let detector = Detector::new(spec.sample_rate, (ceiling * TOLERANCE) as f32);
        Self {
            ceiling,
            allowance,
            detector,
            lines: vec![Line::new(latency); channel_count],
            bends: vec![Bends::default(); channel_count],
            stages: vec![stage; stage_count],
            linking,
            latency,
            fill: 0,
            group_s: GROUP as f64 / f64::from(spec.sample_rate.0),
            noticeable: 1.0 - NOTICEABLE.to_amplitude(),
            reduced_groups: 0,
            noticeable_groups: 0,
            reduction_max: 0.0,
        }
    }

    /// Frames by which the output lags behind the input.
    pub(super) fn latency(&self) -> Frames {
        Frames(self.latency as u64)
    }

    /// Forgets the signal so far, and what was done. Real-time.
    pub(super) fn reset(&mut self) {
        self.lines.iter_mut().for_each(Line::clear);
        self.bends.fill(Bends::default());
        for stage in &mut self.stages {
            stage.envelope.clear();
            (stage.reduction, stage.above_max) = (0.0, 1.0);
        }
        self.fill = 0;
        (self.reduced_groups, self.noticeable_groups, self.reduction_max) = (0, 0, 0.0);
    }

    /// What the largest peak so far exceeds the ceiling by.
    pub(super) fn above_max(&self) -> Decibels {
        let above = self.stages.iter().map(|stage| stage.above_max).fold(1.0, f64::max);
        Decibels::from_amplitude(above).unwrap_or(Decibels::ZERO)
    }

    /// What was done so far.
    pub(super) fn limited(&self) -> Limited {
        let reduction = Decibels::from_amplitude(1.0 - self.reduction_max);
        Limited {
            reduction_max_db: reduction.map_or(0.0, |gain| 0.0 - gain.0),
            time_above_1_db: Seconds(self.noticeable_groups as f64 * self.group_s),
            time_reduced: Seconds(self.reduced_groups as f64 * self.group_s),
        }
    }

    /// Limits a block in place, whose frames leave [`Self::latency`] later. Real-time.
    pub(super) fn process(&mut self, block: &mut Block) {
        let mut start = 0;
        while start < block.frame_count() {
            let count = (RUN - self.fill).min(block.frame_count() - start);
            for (line, plane) in self.lines.iter_mut().zip(block.planes_mut()) {
                line.exchange(self.fill, &mut plane[start..start + count]);
            }
            start += count;
            self.fill += count;
            if self.fill == RUN {
                self.work();
                self.lines.iter_mut().for_each(Line::advance);
                self.fill = 0;
            }
        }
    }

    /// Looks at the groups that the present run completes, and reduces those that are looked ahead
    /// from.
    fn work(&mut self) {
        let mut peaks = [0.0; GROUPS];
        for (channel, line) in self.lines.iter_mut().enumerate() {
            let (samples, start) = line.samples();
            self.detector.look(samples, start - BEHIND, &mut self.bends[channel], &mut peaks);
            if self.linking == Linking::PerChannel {
                self.stages[channel].push(
                    &std::mem::take(&mut peaks),
                    self.ceiling * TARGET,
                    self.allowance,
                );
            }
        }
        if self.linking == Linking::Linked
            && let Some(stage) = self.stages.first_mut()
        {
            stage.push(&peaks, self.ceiling * TARGET, self.allowance);
        }
        self.count();
        let of_each = usize::from(self.linking == Linking::PerChannel);
        for (channel, line) in self.lines.iter_mut().enumerate() {
            let stage = &self.stages[channel * of_each];
            let (samples, start) = line.samples();
            let first = start - BEHIND - (stage.envelope.look_ahead() + 1) * GROUP;
            let groups = samples[first..first + RUN].chunks_exact_mut(GROUP);
            for (group, ends) in groups.zip(stage.reductions.windows(2)) {
                reduce(group, ends[0], ends[1]);
            }
        }
    }

    fn count(&mut self) {
        if self.stages.iter().all(|stage| stage.reductions.iter().all(|&one| one == 0.0)) {
            return;
        }
        for group in 0..GROUPS {
            let ends = |stage: &Stage| stage.reductions[group].max(stage.reductions[group + 1]);
            let reduction = self.stages.iter().map(ends).fold(0.0, f64::max);
            self.reduced_groups += u64::from(reduction > 0.0);
            self.noticeable_groups += u64::from(reduction > self.noticeable);
            self.reduction_max = self.reduction_max.max(reduction);
        }
    }
}

impl Stage {
    /// Takes the peaks of a run's groups, which are to become `target`.
    fn push(&mut self, peaks: &[f32; GROUPS], target: f64, allowance: Option<Allowance>) {
        if self.envelope.is_idle() && peaks.iter().all(|&peak| peak == 0.0) {
            self.reductions = [0.0; GROUPS + 1];
            return;
        }
        self.reductions[0] = self.reduction;
        for (reduction, &peak) in self.reductions[1..].iter_mut().zip(peaks) {
            let mut needed = [0.0; 2];
            if peak > 0.0 {
                let above = f64::from(peak) / target;
                self.above_max = self.above_max.max(above);
                needed = match allowance {
                    Some(allowance) => allowance.needed(above),
                    None => [1.0 - target / f64::from(peak); 2],
                };
            }
            *reduction = self.envelope.push(needed);
        }
        self.reduction = self.reductions[GROUPS];
    }
}
