//! The limiter.

use super::detector::{Bends, Detector};
use super::envelope::Envelope;
use super::gain::reduce;
use super::line::Line;
use crate::audio::{Block, StreamSpec};
use crate::loudness::interpolation::GROUP;
use crate::units::{Dbtp, Decibels, Frames, Seconds};

/// Frames worked on together, at fixed places of the stream, so that nothing depends on how it was cut
/// into blocks.
pub(super) const RUN: usize = 64;

/// Groups of a run.
pub(super) const GROUPS: usize = RUN / GROUP;

/// Frames by which the groups that a run completes lie before it: the detector looks ahead, and the last
/// group's line ends on the first frame of the next.
const BEHIND: usize = Detector::BEHIND + GROUP;

/// A peak is one that exceeds the ceiling by more than this factor: a file whose peak was put at the
/// ceiling may exceed it by rounding, and is to be left alone.
const TOLERANCE: f64 = 1.0001;

/// What peaks are brought to, as a share of the ceiling: 0.017 dB is left for what the moving gain
/// makes of the signal between its samples, and for what two good meters disagree by.
const TARGET: f64 = 0.998;

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

/// Keeps the true peak of a stream below a ceiling, by a gain that moves no faster than it must.
///
/// The true peak afterwards, by any meter with 16 times oversampling and 64 taps a phase, exceeds the
/// ceiling by at most 0.05 dB where the signal has nothing above 0.45 of its sample rate, and by 0.2 dB
/// otherwise. Where nothing exceeds the ceiling every sample stays as it is, bit by bit, later by
/// [`Limiter::latency`]. Samples that are not finite stay so and disturb only their neighborhood.
///
/// The gain falls over 5 ms before a peak and stays for 10 ms. It returns with a time constant of
/// 40 ms to what was needed without pause during the last 100 ms, which itself fades with one of
/// 400 ms: one peak leaves no trace, and sustained limiting does not follow the waves of bass.
#[derive(Clone, Debug)]
pub struct Limiter {
    ceiling: f64,
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
}

impl Limiter {
    /// A limiter for a stream.
    pub fn new(spec: &StreamSpec, ceiling: Dbtp, linking: Linking) -> Self {
        let ceiling = Decibels(ceiling.0).to_amplitude();
        let channel_count = spec.channel_count();
        let envelope = Envelope::new(spec.sample_rate, GROUP);
        let latency = envelope.look_ahead() * GROUP + BEHIND + RUN + GROUP;
        let stage = Stage { envelope, reduction: 0.0, reductions: [0.0; GROUPS + 1] };
        let stage_count = match linking {
            Linking::Linked => channel_count.min(1),
            Linking::PerChannel => channel_count,
        };
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let detector = Detector::new(spec.sample_rate, (ceiling * TOLERANCE) as f32);
        Self {
            ceiling,
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
    pub fn latency(&self) -> Frames {
        Frames(self.latency as u64)
    }

    /// Forgets the signal so far, and what was done. Real-time.
    pub fn reset(&mut self) {
        self.lines.iter_mut().for_each(Line::clear);
        self.bends.fill(Bends::default());
        for stage in &mut self.stages {
            stage.envelope.clear();
            stage.reduction = 0.0;
        }
        self.fill = 0;
        (self.reduced_groups, self.noticeable_groups, self.reduction_max) = (0, 0, 0.0);
    }

    /// What was done so far.
    pub fn limited(&self) -> Limited {
        let reduction = Decibels::from_amplitude(1.0 - self.reduction_max);
        Limited {
            reduction_max_db: reduction.map_or(0.0, |gain| 0.0 - gain.0),
            time_above_1_db: Seconds(self.noticeable_groups as f64 * self.group_s),
            time_reduced: Seconds(self.reduced_groups as f64 * self.group_s),
        }
    }

    /// Limits a block in place, whose frames leave [`Self::latency`] later. Real-time.
    pub fn process(&mut self, block: &mut Block) {
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
                self.stages[channel].push(&std::mem::take(&mut peaks), self.ceiling * TARGET);
            }
        }
        if self.linking == Linking::Linked
            && let Some(stage) = self.stages.first_mut()
        {
            stage.push(&peaks, self.ceiling * TARGET);
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
    fn push(&mut self, peaks: &[f32; GROUPS], target: f64) {
        if self.envelope.is_idle() && peaks.iter().all(|&peak| peak == 0.0) {
            self.reductions = [0.0; GROUPS + 1];
            return;
        }
        self.reductions[0] = self.reduction;
        for (reduction, &peak) in self.reductions[1..].iter_mut().zip(peaks) {
            let needed = if peak > 0.0 { 1.0 - target / f64::from(peak) } else { 0.0 };
            *reduction = self.envelope.push(needed);
        }
        self.reduction = self.reductions[GROUPS];
    }
}
