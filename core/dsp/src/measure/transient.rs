//! How things begin: how often, how fast, how hard.

use super::envelope::Envelope;
use super::fourier::{FRAME, HOP};
use super::lanes::LANES;
use super::meter::{Meter, Needs, Setup};
use super::onsets::Onsets;
use super::rise::{Attacks, BASE_S, REST_S, RISE_S_MAX, Rise};
use super::spectrum::Shapes;
use super::stft::FrameBatch;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use wavemill_audio::units::{Decibels, Frames, SampleRate};
use wavemill_audio::{Block, StreamSpec};

/// Beginnings in a whole file, of the channels' mean. Fields are `None` where no value exists.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransientReport {
    /// Time in which the RMS envelope rises from 10 to 90 % of the way from what was before an onset to
    /// its peak, the median over the onsets: 0.8 of the length of a linear ramp. Its window is 1 ms, or as long as
    /// it takes to follow the envelope and not the wave, up to half a wave of 40 Hz. Of ramps of 5 to 100 ms on
    /// tones from 60 Hz on and on noise it is within 2.5 ms and a tenth. In milliseconds; `None` without onsets.
    pub attack_ms: Option<f64>,
    /// Onsets a second; `None` without frames.
    pub density_per_s: Option<f64>,
    /// Wavemill's own measure of how much attack is left: the median over the onsets of peak to RMS
    /// of the 50 ms from an onset on, over 12 dB, 0 to 1. `None` without onsets. One file has no
    /// reference: compare versions of the same music.
    pub preservation: Option<f64>,
}

/// Crest from which attack counts as whole.
const CREST_DB_WHOLE: f64 = 12.0;

/// What the crest is taken over.
const CREST_S: f64 = 0.05;

/// Measures beginnings block by block. Results do not depend on how the signal was cut into blocks.
///
/// State kept: half a second of levels, and counts of what was found, in steps much finer than what
/// is shown.
#[derive(Clone, Debug)]
pub(crate) struct TransientMeter {
    rate: SampleRate,
    onsets: Onsets,
    envelope: Envelope,
    /// Frames in the signal where the onsets were found that wait for what follows them.
    waiting: VecDeque<u64>,
    onset_count: u64,
    rises: Attacks,
    attacks: Tally,
    crests: Tally,
    frame_count: u64,
}

impl Meter for TransientMeter {
    type Report = TransientReport;

    const NEEDS: Needs = Needs::Spectra;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        let rate = spec.sample_rate;
        let onsets = Onsets::new(rate);
        // An onset is reported a batch of frames and its own neighborhood late, and looked at with what
        // is around it.
        let late = (LANES * HOP + 2 * FRAME + onsets.latency() * HOP) as u64;
        let around = BASE_S + 2.0 * RISE_S_MAX + CREST_S + REST_S;
        let frames = late + 2 * FRAME as u64 + seconds(around, rate);
        Self {
            rate,
            onsets,
            envelope: Envelope::new(rate, frames),
            waiting: VecDeque::with_capacity(64),
            onset_count: 0,
            rises: Attacks::default(),
            attacks: Tally::new(0.01, 2.0 * 1000.0 * (RISE_S_MAX + BASE_S)),
            crests: Tally::new(0.01, 100.0),
            frame_count: 0,
        }
    }

    fn push_spectra(&mut self, frames: FrameBatch<'_>) {
        self.look(frames, u64::MAX);
    }

    fn push(&mut self, block: &Block) {
        self.frame_count += block.frame_count() as u64;
        if block.channel_count() == 0 {
            return;
        }
        let mut start = 0;
        while start < block.frame_count() {
            start += self.envelope.push(block, start);
            if !self.waiting.is_empty() {
                self.measure_due(false);
            }
        }
    }

    fn push_last_spectra(&mut self, frames: FrameBatch<'_>) {
        let whole = (self.frame_count.saturating_sub(FRAME as u64 / 2)) / HOP as u64 + 1;
        self.look(frames, whole);
    }

    fn finish(mut self, _shapes: &Shapes) -> TransientReport {
        let waiting = &mut self.waiting;
        self.onsets.finish(|frame| waiting.push_back(frame * HOP as u64));
        self.measure_due(true);
        let duration = Frames(self.frame_count).duration(self.rate);
        TransientReport {
            attack_ms: self.attacks.median(),
            density_per_s: (duration.0 > 0.0).then(|| self.onset_count as f64 / duration.0),
            preservation: self.crests.median().map(|db| (db / CREST_DB_WHOLE).clamp(0.0, 1.0)),
        }
    }
}

impl TransientMeter {
    fn look(&mut self, frames: FrameBatch<'_>, whole: u64) {
        let waiting = &mut self.waiting;
        self.onsets.push(frames, whole, |frame| waiting.push_back(frame * HOP as u64));
    }

    /// Measures onsets whose surroundings are complete; in the end all.
    fn measure_due(&mut self, is_end: bool) {
        while let Some(&frame) = self.waiting.front() {
            let tick = self.envelope.tick_of(frame);
            let ahead = self.envelope.ticks(2.0 * RISE_S_MAX + CREST_S + REST_S)
                + self.envelope.tick_of(2 * FRAME as u64);
            if !is_end && self.envelope.tick_count() < tick + ahead {
                return;
            }
            self.waiting.pop_front();
            self.measure(tick, (tick + ahead).min(self.envelope.tick_count()));
        }
    }

    /// Measures the onset around a tick, looking at ticks before `end` only.
    fn measure(&mut self, tick: u64, end: u64) {
        self.onset_count += 1;
        let Some(rise) = Rise::find(&self.envelope, tick, end) else { return };
        let length = self.rises.length(&self.envelope, tick, end).unwrap_or(rise.length);
        self.attacks.add(self.envelope.milliseconds(length));
        let crest_end = (rise.start + self.envelope.ticks(CREST_S)).min(end);
        let (peak, rms) = (
            self.envelope.peak_of(rise.start, crest_end),
            self.envelope.rms_of(rise.start, crest_end),
        );
        if let Some(crest) = Decibels::from_amplitude(peak / rms) {
            self.crests.add(crest.0);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a second")]
fn seconds(seconds: f64, rate: SampleRate) -> u64 {
    (seconds * f64::from(rate.0)).ceil() as u64
}

/// Counts of values in even steps, from which a median is read: bounded however many there are.
#[derive(Clone, Debug)]
struct Tally {
    step: f64,
    counts: Vec<u64>,
}

impl Tally {
    /// For values from 0 to `end`; larger ones count as that.
    fn new(step: f64, end: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some thousand"
        )]
        let steps = (end / step).ceil() as usize + 1;
        Self { step, counts: vec![0; steps] }
    }

    fn add(&mut self, value: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, as is meant"
        )]
        let index = (value / self.step).round() as usize;
        let last = self.counts.len() - 1;
        self.counts[index.min(last)] += 1;
    }

    /// Of an even count, the mean of both in the middle.
    fn median(&self) -> Option<f64> {
        let count: u64 = self.counts.iter().sum();
        let low = self.ranked(count.checked_sub(1)? / 2)?;
        Some(f64::midpoint(low, self.ranked(count / 2)?))
    }

    /// The value of which so many are smaller.
    fn ranked(&self, rank: u64) -> Option<f64> {
        let mut below = 0;
        let index = self.counts.iter().position(|count| {
            below += count;
            below > rank
        })?;
        Some(index as f64 * self.step)
    }
}
