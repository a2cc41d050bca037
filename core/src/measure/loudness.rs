//! Programme loudness and true peak.

use super::gating;
use super::true_peak::TruePeak;
use crate::audio::{Block, ChannelLayout, ChannelPosition, StreamSpec};
use crate::limits::CHANNEL_COUNT_MAX;
use crate::units::{Dbfs, Dbtp, Frames, Lu, Lufs, SampleRate, Seconds};
use ebur128::{Channel, EbuR128, Mode};
use serde::Serialize;

/// How a mono file counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonoMode {
    /// One channel, as ITU-R BS.1770 measures it.
    #[default]
    Single,
    /// As if it were played by two loudspeakers: 3.01 LU louder.
    Dual,
}

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
    /// Largest absolute sample.
    pub sample_peak_dbfs: Option<Dbfs>,
    /// PLR: true peak minus integrated loudness.
    pub peak_to_loudness_lu: Option<Lu>,
}

/// Length of a step: all windows are made of whole steps. EBU Tech 3341 asks of a meter of momentary
/// loudness that it is updated at least every 100 ms; every 10 ms the maximum is found exactly enough.
const STEP_MS: u32 = 10;

/// Steps of the momentary window, 400 ms. EBU Tech 3341.
const MOMENTARY_STEPS: usize = 40;

/// Steps between gating blocks and between short-term windows, 100 ms. BS.1770-5, Annex 1 (75 %
/// overlap of 400 ms); EBU Tech 3342 (overlap of at least 2.9 s).
const HOP_STEPS: usize = 10;

/// Measures loudness block by block, on the `ebur128` library's filters.
///
/// The library filters; windows, gates and percentiles are made here from the energy
/// of steps of 10 ms, which makes all windows cost one addition a
/// sample. Channels weigh as BS.1770-5 says: low-frequency effects 0, surrounds between 60 and 120
/// degrees 1.41, all others 1; a channel of unknown position weighs 1. The back pair of 5.1 counts as
/// its surrounds, the back pair of 7.1 (which has side channels too) as loudspeakers behind, with 1.
///
/// State kept: 400 ms of filtered samples, and 80 bytes a second of signal, which is 29 MB in the 100
/// hours that are the limit. Results do not depend on how the signal was cut into blocks. A stream
/// without channels, or with more than the limit, has no loudness.
pub struct LoudnessMeter {
    rate: SampleRate,
    channel_count: usize,
    filters: Option<EbuR128>,
    true_peak: TruePeak,
    /// Frames that the current step still lacks.
    missing_frames: usize,
    /// Completed steps.
    step_count: u64,
    /// Energy of the latest steps, a ring indexed by step count.
    recent: [f64; MOMENTARY_STEPS],
    /// Energy of every 100 ms.
    hops: Vec<f64>,
    /// Largest momentary energy and the count of steps at its end.
    momentary_max: (f64, u64),
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
            filters: filters(spec, mono),
            true_peak: TruePeak::new(spec.sample_rate, channel_count),
            missing_frames: step_frames(spec.sample_rate, 0),
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
        let mut start = 0;
        while start < block.frame_count() {
            let count = self.missing_frames.min(block.frame_count() - start);
            self.filter(block, start, count);
            self.missing_frames -= count;
            start += count;
            if self.missing_frames == 0 {
                self.end_step();
            }
        }
    }

    fn filter(&mut self, block: &Block, start: usize, count: usize) {
        let Some(filters) = &mut self.filters else { return };
        let mut planes: [&[f32]; CHANNEL_COUNT_MAX] = [&[]; CHANNEL_COUNT_MAX];
        for (slot, plane) in planes.iter_mut().zip(block.planes()) {
            *slot = &plane[start..start + count];
        }
        filters
            .add_frames_planar_f32(&planes[..self.channel_count])
            .expect("planes are as many as the filters' channels and equally long");
    }

    fn end_step(&mut self) {
        let loudness = self.filters.as_ref().map_or(f64::NEG_INFINITY, |filters| {
            filters
                .loudness_window(STEP_MS)
                .expect("the filters keep 400 ms, which is longer than a step")
        });
        self.recent[index(self.step_count) % MOMENTARY_STEPS] = gating::energy_of(loudness);
        self.step_count += 1;
        self.missing_frames = step_frames(self.rate, self.step_count);
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
        sum / count as f64
    }

    /// What was measured.
    pub fn finish(self) -> LoudnessReport {
        let (sample_peak, true_peak) = self.true_peak.finish();
        let true_peak_dbtp = Dbtp::from_amplitude(true_peak);
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
            sample_peak_dbfs: Dbfs::from_amplitude(sample_peak),
            peak_to_loudness_lu: true_peak_dbtp
                .zip(integrated_lufs)
                .map(|(peak, loudness)| (peak - Dbtp(loudness.0)).into()),
        }
    }
}

/// Frames of the step with this index: steps end at the frame next to every 10 ms, so that windows do
/// not drift at rates that are no multiple of 100 Hz. There the library's window of 10 ms is rounded
/// down, and the first frame of some steps goes unseen: one of 220 at 22.05 kHz.
fn step_frames(rate: SampleRate, index: u64) -> usize {
    let steps_per_second = u64::from(1000 / STEP_MS);
    let end = |steps: u64| (steps * u64::from(rate.0) + steps_per_second / 2) / steps_per_second;
    // At rates below 50 Hz, where nothing is measured, a step could have no frame.
    Frames((end(index + 1) - end(index)).max(1)).as_usize()
}

/// Time at the end of this many steps.
fn time_of(steps: u64) -> Seconds {
    Seconds((steps * u64::from(STEP_MS)) as f64 / 1000.0)
}

/// A count of steps as an index; at 100 a second it fits even 32 bits for more than a year.
fn index(steps: u64) -> usize {
    Frames(steps).as_usize()
}

/// The library's filters for a stream, or `None` when it has no channels or too many. Never its
/// histogram mode: that one quantizes loudness to 0.1 LU. A rate at which a step would have no frame
/// has none either.
fn filters(spec: &StreamSpec, mono: MonoMode) -> Option<EbuR128> {
    let channel_count = spec.channel_count();
    if channel_count > CHANNEL_COUNT_MAX || spec.sample_rate.0 < 1000 / STEP_MS {
        return None;
    }
    let channels = u32::try_from(channel_count).ok()?;
    let mut filters = EbuR128::new(channels, spec.sample_rate.0, Mode::M).ok()?;
    filters.set_channel_map(&channel_map(&spec.layout, mono)).ok()?;
    Some(filters)
}

/// The weights of a layout in the library's words.
///
/// Source: ITU-R BS.1770-5, Annex 1 (5.1) and Annex 3 (any other loudspeaker positions).
fn channel_map(layout: &ChannelLayout, mono: MonoMode) -> Vec<Channel> {
    use ChannelPosition as P;
    if layout.channel_count() == 1 && mono == MonoMode::Dual {
        return vec![Channel::DualMono];
    }
    let has_sides =
        layout.index_of(P::SideLeft).is_some() || layout.index_of(P::SideRight).is_some();
    let channel = |&position: &ChannelPosition| match position {
        P::LowFrequency => Channel::Unused,
        P::SideLeft | P::SideRight => Channel::Mp090,
        P::BackLeft | P::BackRight if has_sides => Channel::Mp135,
        P::BackLeft | P::BackRight => Channel::LeftSurround,
        _ => Channel::Left,
    };
    layout.positions().iter().map(channel).collect()
}
