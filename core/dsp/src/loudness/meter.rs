//! Program loudness and true peak.

use super::energies::{Energies, HOP_STEPS, STEPS_PER_SECOND, time_of};
use super::gating;
use super::group::Piece;
use super::k_weighting::KWeighting;
use super::peak_to_short_term::PeakToShortTerm;
use super::report::{DistributionBin, HistoryPoint, LoudnessReading, LoudnessReport};
use super::steps::{HISTORY, Steps, TAIL};
use super::true_peak::{LOOK_AHEAD, TruePeak};
use super::weights::{self, MonoMode};
use crate::measure::{Meter, Needs, Setup, Shapes};
use wavemill_audio::limits::CHANNEL_COUNT_MAX;
use wavemill_audio::units::{Dbfs, Dbtp, Frames, Lu, Lufs, SampleRate, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// Measures loudness block by block.
///
/// The signal is weighted in steps of 10 ms; windows, gates and percentiles are made from the
/// energies of steps, so that all windows together cost a few additions a step. Channels weigh as
/// BS.1770-5 says: see [`weights`]. Everything that a step says of loudness is known at its last frame;
/// true peaks follow one step later, because their filters look ahead.
///
/// State kept: a step of samples, 400 ms of steps, and 8 bytes for every 100 ms of signal (4 more with a
/// history), which is 29 MB in the 100 hours that are the limit: nothing of the report is rounded into
/// a histogram. Results do not depend on how the signal was cut into blocks, nor on the machine's
/// vectors. Samples that are not finite, or beyond
/// [`limits::SAMPLE_MAGNITUDE_MAX`](wavemill_audio::limits::SAMPLE_MAGNITUDE_MAX), count as silence and are counted. A
/// stream without channels, with more than the limit, or with less than a frame a step has no values.
///
/// Live: [`Self::push`] does not allocate within what [`Self::reserve`] made room for, and
/// [`Self::reading`] never does.
///
/// Source: ITU-R BS.1770-5, Annexes 1 to 3; EBU Tech 3341 and 3342.
#[derive(Clone)]
pub struct LoudnessMeter {
    channel_count: usize,
    /// `None` when there is nothing to measure, or more than is allowed.
    stream: Option<Stream>,
}

#[derive(Clone)]
struct Stream {
    steps: Steps,
    k_weighting: KWeighting,
    /// One for each channel.
    weights: Vec<f64>,
    energies: Energies,
    true_peak: TruePeak,
    peak_to_short_term: PeakToShortTerm,
    /// Frames from the signal's start that were looked at for peaks, [`LOOK_AHEAD`] of silence before
    /// it included.
    looked_at: u64,
    /// True peaks of the hops that nobody took yet.
    history: Option<Vec<f32>>,
    is_over: bool,
}

impl std::fmt::Debug for LoudnessMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let frame_count = self.stream.as_ref().map(|stream| stream.energies.frame_count());
        write!(f, "LoudnessMeter({} channels, {frame_count:?} frames)", self.channel_count)
    }
}

impl LoudnessMeter {
    /// A meter for a stream; `mono` matters only when it has one channel.
    pub fn new(spec: &StreamSpec, mono: MonoMode) -> Self {
        Self { channel_count: spec.channel_count(), stream: Stream::new(spec, mono) }
    }

    /// Makes the meter keep what [`Self::take_history`] gives.
    #[must_use]
    pub fn with_history(mut self) -> Self {
        if let Some(stream) = &mut self.stream {
            stream.history = Some(Vec::new());
        }
        self
    }

    /// Makes room for so much more signal, so that pushing it allocates nothing. Not real-time.
    pub fn reserve(&mut self, duration: Seconds) {
        let Some(stream) = &mut self.stream else { return };
        let steps = duration.to_frames(SampleRate(STEPS_PER_SECOND)).as_usize();
        let hop_count = steps / HOP_STEPS + 1;
        stream.energies.reserve(hop_count);
        if let Some(history) = &mut stream.history {
            history.reserve(hop_count);
        }
    }

    /// Makes room for the energies of so much signal and keeps no more, so that a live meter of any length of signal
    /// allocates nothing; no history is kept. Readings stay what they are. Of a longer signal
    /// [`Self::finish`] reports integrated loudness and range as [`Self::reading`] does, in bins of 0.01 LU, while
    /// [`Self::distribution`] and [`Self::finish_as_piece`] know only what is kept. Not real-time.
    pub fn keep_at_most(&mut self, duration: Seconds) {
        let Some(stream) = &mut self.stream else { return };
        let steps = duration.to_frames(SampleRate(STEPS_PER_SECOND)).as_usize();
        stream.energies.keep_at_most(steps / HOP_STEPS + 1);
        stream.history = None;
    }

    /// Forgets the signal so far; what was reserved stays.
    ///
    /// Real-time: does not allocate.
    pub fn reset(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.reset();
        }
    }

    /// Measures further frames.
    ///
    /// Real-time: does not allocate within what was reserved.
    ///
    /// # Panics
    /// When the block has another channel count than the stream, or when the signal is over: these are
    /// bugs of the caller.
    pub fn push(&mut self, block: &Block) {
        assert_eq!(block.channel_count(), self.channel_count, "a block of the meter's stream");
        if let Some(stream) = &mut self.stream {
            stream.push(block);
        }
    }

    /// The signal is over: its last frames pass the filters that look ahead. [`Self::finish`] does the
    /// same; before it this completes [`Self::take_history`].
    pub fn end(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.end();
        }
    }

    /// What was measured.
    pub fn finish(mut self) -> LoudnessReport {
        self.end();
        self.stream.map_or_else(LoudnessReport::default, |stream| stream.report())
    }

    /// What was measured, and what it contributes to the loudness of a group.
    pub fn finish_as_piece(mut self) -> (LoudnessReport, Piece) {
        self.end();
        let Some(stream) = self.stream else { return Default::default() };
        let report = stream.report();
        let piece = Piece::new(&report, stream.energies.hops());
        (report, piece)
    }

    /// What a live display shows. Takes some microseconds, however long the signal is.
    ///
    /// Real-time: does not allocate.
    pub fn reading(&self) -> LoudnessReading {
        self.stream.as_ref().map_or_else(LoudnessReading::default, Stream::reading)
    }

    pub(super) fn energies(&self) -> Option<&Energies> {
        self.stream.as_ref().map(|stream| &stream.energies)
    }

    /// Hops whose peaks are complete, and the amplitude of the latest one's.
    pub(super) fn hop_peaks(&self) -> Option<(usize, f64)> {
        let peaks = &self.stream.as_ref()?.peak_to_short_term;
        Some((peaks.hop_count(), amplitude(peaks.latest())))
    }

    /// The points of the loudness curve that are complete and were not taken before, one every 100 ms.
    /// None without [`Self::with_history`]. The last one or two come only after [`Self::end`].
    pub fn take_history(&mut self) -> Vec<HistoryPoint> {
        self.stream.as_mut().map_or_else(Vec::new, Stream::take_history)
    }

    /// How short-term loudness is distributed so far: bins of 1 LU from the quietest to the loudest of the
    /// windows above -70 LUFS, without gaps; none where there is no such window.
    pub fn distribution(&self) -> Vec<DistributionBin> {
        self.stream
            .as_ref()
            .map_or_else(Vec::new, |stream| gating::distribution(stream.energies.hops()))
    }
}

impl Meter for LoudnessMeter {
    type Report = LoudnessReport;

    const NEEDS: Needs = Needs::Samples;

    fn new(spec: &StreamSpec, setup: Setup) -> Self {
        Self::new(spec, setup.mono)
    }

    fn push(&mut self, block: &Block) {
        self.push(block);
    }

    fn finish(self, _shapes: &Shapes) -> LoudnessReport {
        self.finish()
    }
}

impl Stream {
    fn new(spec: &StreamSpec, mono: MonoMode) -> Option<Self> {
        let (rate, channel_count) = (spec.sample_rate, spec.channel_count());
        let frames_min = Frames(u64::from(rate.0 / STEPS_PER_SECOND)).as_usize();
        if channel_count == 0 || channel_count > CHANNEL_COUNT_MAX || frames_min == 0 {
            return None;
        }
        Some(Self {
            steps: Steps::new(channel_count, frames_min + 1),
            k_weighting: KWeighting::new(rate, channel_count, frames_min),
            weights: weights::of(&spec.layout, mono),
            energies: Energies::new(rate),
            true_peak: TruePeak::new(rate),
            peak_to_short_term: PeakToShortTerm::new(),
            looked_at: 0,
            history: None,
            is_over: false,
        })
    }

    fn reset(&mut self) {
        self.steps.clear();
        self.k_weighting.clear();
        self.energies.clear();
        self.true_peak.clear();
        self.peak_to_short_term = PeakToShortTerm::new();
        self.looked_at = 0;
        if let Some(history) = &mut self.history {
            history.clear();
        }
        self.is_over = false;
    }

    fn push(&mut self, block: &Block) {
        assert!(!self.is_over, "a signal that is over has no further frames");
        let mut start = 0;
        while start < block.frame_count() {
            let step_frames = self.energies.next_step_frames();
            start += self.steps.fill(block, start, step_frames);
            if self.steps.frame_count() < step_frames {
                return;
            }
            let energy = self.energy_of_step();
            self.energies.push(energy);
            self.look_for_peaks();
        }
    }

    /// The weighted energy of the step that is complete.
    fn energy_of_step(&mut self) -> f64 {
        let mut energy = 0.0;
        for (channel, (plane, weight)) in self.steps.planes().zip(&self.weights).enumerate() {
            if *weight > 0.0 {
                energy += weight * self.k_weighting.energy(channel, &plane[HISTORY..]);
            }
        }
        energy
    }

    /// Looks for peaks in the frames that became complete with the step, and begins the next one.
    fn look_for_peaks(&mut self) {
        let step_frames = self.steps.frame_count();
        // The first frame to look at is so many frames before the step; silence came before the signal.
        let mut first = HISTORY - LOOK_AHEAD;
        let end = first + step_frames;
        while first < end {
            let hop = self.peak_to_short_term.hop_count();
            let is_measured = hop < self.energies.hop_count();
            let hop_end = self.energies.end_of_hop(hop) + LOOK_AHEAD as u64 - self.looked_at;
            let count = (end - first) as u64;
            let count = if is_measured { count.min(hop_end) } else { count };
            self.looked_at += count;
            let until = first + Frames(count).as_usize();
            self.true_peak.look(self.steps.planes(), &(first..until));
            first = until;
            if is_measured && count == hop_end {
                self.end_hop(hop);
            }
        }
        self.steps.advance();
    }

    fn end_hop(&mut self, hop: usize) {
        let peak = self.true_peak.take_hop_peak();
        self.peak_to_short_term.push(peak, self.energies.short_term_at(hop));
        if let Some(history) = &mut self.history {
            history.push(peak);
        }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.look_for_peaks();
            self.steps.fill_with_silence(TAIL);
            self.look_for_peaks();
        }
    }

    fn report(&self) -> LoudnessReport {
        let (energies, peaks) = (&self.energies, self.true_peak.peaks());
        let true_peak_dbtp = Dbtp::from_amplitude(amplitude(peaks.standard));
        let (integrated_lufs, loudness_range_lu) = if energies.has_all_hops() {
            (gating::integrated(energies.hops()), gating::loudness_range(energies.hops()))
        } else {
            (energies.running().integrated(), energies.running().range())
        };
        let (momentary_max, short_term_max) = (energies.momentary_max(), energies.short_term_max());
        let momentary_max_lufs = gating::loudness_of(momentary_max.energy);
        let short_term_max_lufs = gating::loudness_of(short_term_max.energy);
        LoudnessReport {
            integrated_lufs,
            loudness_range_lu,
            momentary_max_lufs,
            momentary_max_at_s: momentary_max_lufs.map(|_| momentary_max.end()),
            short_term_max_lufs,
            short_term_max_at_s: short_term_max_lufs.map(|_| short_term_max.end()),
            true_peak_dbtp,
            true_peak_precise_dbtp: Dbtp::from_amplitude(amplitude(peaks.precise)),
            sample_peak_dbfs: Dbfs::from_amplitude(amplitude(peaks.sample)),
            peak_to_loudness_lu: peak_to_loudness(true_peak_dbtp, integrated_lufs),
            peak_to_short_term_lu: self.peak_to_short_term.value(),
            invalid_samples: self.steps.invalid_samples(),
        }
    }

    fn reading(&self) -> LoudnessReading {
        let (energies, peaks) = (&self.energies, self.true_peak.peaks());
        let true_peak_dbtp = Dbtp::from_amplitude(amplitude(peaks.standard));
        let integrated_lufs = energies.running().integrated();
        LoudnessReading {
            momentary_lufs: energies.momentary().and_then(gating::loudness_of),
            short_term_lufs: energies.short_term().and_then(gating::loudness_of),
            integrated_lufs,
            loudness_range_lu: energies.running().range(),
            momentary_max_lufs: gating::loudness_of(energies.momentary_max().energy),
            short_term_max_lufs: gating::loudness_of(energies.short_term_max().energy),
            true_peak_now_dbtp: Dbtp::from_amplitude(self.peak_to_short_term.latest().into()),
            true_peak_dbtp,
            true_peak_precise_dbtp: Dbtp::from_amplitude(amplitude(peaks.precise)),
            peak_to_loudness_lu: peak_to_loudness(true_peak_dbtp, integrated_lufs),
            peak_to_short_term_lu: self.peak_to_short_term.value(),
            invalid_samples: self.steps.invalid_samples(),
        }
    }

    fn take_history(&mut self) -> Vec<HistoryPoint> {
        let Some(history) = &mut self.history else { return Vec::new() };
        let first = self.peak_to_short_term.hop_count() - history.len();
        let hops = self.energies.hops();
        let point = |(index, peak): (usize, f32)| {
            let until = &hops[..=first + index];
            HistoryPoint {
                at_s: time_of((until.len() * HOP_STEPS) as u64),
                momentary_lufs: gating::block_energy(until).and_then(gating::loudness_of),
                short_term_lufs: gating::short_term_energy(until).and_then(gating::loudness_of),
                true_peak_dbtp: Dbtp::from_amplitude(amplitude(peak)),
            }
        };
        history.drain(..).enumerate().map(point).collect()
    }
}

/// PLR. Source: AES, see the report's field.
fn peak_to_loudness(true_peak: Option<Dbtp>, loudness: Option<Lufs>) -> Option<Lu> {
    true_peak.zip(loudness).map(|(peak, loudness)| (peak - Dbtp(loudness.0)).into())
}

/// A peak's amplitude. What is below the smallest normal number is silence, as in the loudness of an
/// energy.
fn amplitude(peak: f32) -> f64 {
    if peak < f32::MIN_POSITIVE { 0.0 } else { peak.into() }
}
