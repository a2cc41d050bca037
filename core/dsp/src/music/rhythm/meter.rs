//! Measures rhythm block by block.

use super::bands::Bands;
use super::downsample::Downsampler;
use super::number::index;
use super::options::RhythmOptions;
use super::report::{RhythmReport, TempoAlternative};
use super::spectra::Spectra;
use super::steadiness::Steadiness;
use super::stretch::Stretch;
use crate::measure::{Meter, Needs, Setup, Shapes};
use crate::music::chroma::planes;
use wavemill_audio::units::Seconds;
use wavemill_audio::{Block, StreamSpec};

/// Longest stretch that is decided on as one. Longer files are cut: each stretch then has its own
/// tempo, and beats are not even across a cut.
const STRETCH_S: f64 = 600.0;

/// Shortest stretch that may be left at the end of a longer file.
const REST_S: f64 = 60.0;

/// Tempi within this part of each other are the same.
const SAME_TEMPO: f64 = 0.04;

/// Measures tempo, beats and downbeats. Samples are finite.
///
/// Results do not depend on how the signal was cut into blocks. Keeps what was heard in the latest
/// stretch, 180 bytes for each of its 86 frames a second, which is 10 MB at most, and of earlier
/// stretches the beats. Not real-time: deciding on a stretch takes some tenths of a second.
#[derive(Clone, Debug)]
pub(crate) struct RhythmMeter {
    options: RhythmOptions,
    channel_count: usize,
    downsampler: Downsampler,
    samples: Vec<f32>,
    spectra: Spectra,
    bands: Bands,
    /// Frames before the current stretch.
    frames_before: usize,
    stretches: Vec<Stretch>,
}

impl Meter for RhythmMeter {
    type Report = RhythmReport;

    const NEEDS: Needs = Needs::Samples;

    fn new(spec: &StreamSpec, setup: Setup) -> Self {
        Self::with(spec.sample_rate.0, spec.channel_count(), setup.rhythm)
    }

    fn push(&mut self, block: &Block) {
        self.take(&planes(block));
    }

    fn finish(self, _shapes: &Shapes) -> RhythmReport {
        self.end()
    }
}

impl RhythmMeter {
    /// A meter for a stream.
    pub(super) fn with(sample_rate_hz: u32, channels: usize, options: RhythmOptions) -> Self {
        let downsampler = Downsampler::new(sample_rate_hz.max(1));
        let rate_hz = f64::from(sample_rate_hz.max(1)) / downsampler.factor() as f64;
        let spectra = Spectra::new(rate_hz);
        let bands = Bands::new(&spectra);
        Self {
            options,
            channel_count: channels,
            downsampler,
            samples: Vec::new(),
            spectra,
            bands,
            frames_before: 0,
            stretches: Vec::new(),
        }
    }

    /// Takes further samples, one slice for each channel; slices beyond the number of channels are
    /// left out.
    pub(super) fn take(&mut self, planes: &[&[f32]]) {
        let planes = planes.get(..self.channel_count).unwrap_or(planes);
        self.downsampler.push(planes, &mut self.samples);
        let bands = &mut self.bands;
        self.spectra.push(&mut self.samples, |bins| bands.push(bins));
        let (longest, rest) = (self.frames(STRETCH_S), self.frames(REST_S));
        while self.bands.frame_count() >= longest + rest {
            let rest = self.bands.split_off(longest);
            self.decide();
            self.bands = rest;
        }
    }

    /// Forgets all but the latest part of what was heard, for streams that are read while they run: what follows is
    /// measured as if the stream began there.
    pub(crate) fn keep_latest(&mut self, kept: Seconds) {
        let excess = self.bands.frame_count().saturating_sub(self.frames(kept.0));
        if excess > 0 {
            self.bands = self.bands.split_off(excess);
            self.frames_before += excess;
        }
        self.stretches.clear();
    }

    /// What was measured.
    pub(super) fn end(mut self) -> RhythmReport {
        let bands = &mut self.bands;
        self.spectra.finish(|bins| bands.push(bins));
        self.decide();
        report(&self.stretches).unwrap_or_else(|| RhythmReport::none("no steady pulse"))
    }

    fn frames(&self, time_s: f64) -> usize {
        index(time_s / self.spectra.hop_s())
    }

    /// Ends the current stretch.
    fn decide(&mut self) {
        let before = self.stretches.last().map(|stretch| stretch.bpm);
        let hop_s = self.spectra.hop_s();
        let start_s = self.frames_before as f64 * hop_s;
        self.frames_before += self.bands.frame_count();
        if let Some(mut stretch) = Stretch::new(&self.bands, hop_s, &self.options, before) {
            let times = stretch.beats_s.iter_mut().chain(&mut stretch.downbeats_s);
            times.for_each(|time_s| *time_s += start_s);
            self.stretches.push(stretch);
        }
    }
}

/// Of all stretches: the tempo that most beats have.
fn report(stretches: &[Stretch]) -> Option<RhythmReport> {
    let is_same = |a: f64, b: f64| (a / b - 1.0).abs() < SAME_TEMPO;
    let beats_near = |bpm: f64| -> usize {
        let near = stretches.iter().filter(|stretch| is_same(stretch.bpm, bpm));
        near.map(|stretch| stretch.beats_s.len()).sum()
    };
    let main = stretches.iter().max_by_key(|stretch| beats_near(stretch.bpm))?;
    let near: Vec<&Stretch> = stretches.iter().filter(|s| is_same(s.bpm, main.bpm)).collect();
    let weighted = near.iter().map(|stretch| stretch.bpm * stretch.beats_s.len() as f64);
    let tempo_bpm = weighted.sum::<f64>() / beats_near(main.bpm).max(1) as f64;
    let all = |of: fn(&Stretch) -> &Vec<f64>| stretches.iter().flat_map(of).copied().collect();
    let beats_s: Vec<f64> = all(|stretch| &stretch.beats_s);
    let steadiness = Steadiness::new(&beats_s);
    let weight = |bpm: f64| -> f64 {
        let weights = near.iter().flat_map(|stretch| &stretch.weights);
        let same = weights.filter(|(other, _)| is_same(*other, bpm));
        same.map(|(_, weight)| weight).sum::<f64>() / near.len() as f64
    };
    let clarity = near.iter().map(|stretch| stretch.clarity).sum::<f64>() / near.len() as f64;
    Some(RhythmReport {
        tempo_bpm: Some(tempo_bpm),
        confidence: Some((clarity * weight(tempo_bpm)).clamp(0.0, 1.0)),
        reason: None,
        alternatives: alternatives(tempo_bpm, main, weight),
        downbeats_s: all(|stretch| &stretch.downbeats_s),
        beats_per_bar: main.beats_per_bar,
        is_steady: Some(steadiness.is_steady),
        tempo_drift_percent: Some(steadiness.drift_percent),
        beats_s,
    })
}

fn alternatives(
    tempo_bpm: f64,
    main: &Stretch,
    weight: impl Fn(f64) -> f64,
) -> Vec<TempoAlternative> {
    /// Weight below which other readings than half and double are not worth a line.
    const WEIGHT_MIN: f64 = 0.005;
    let is_new = |bpm: f64| {
        [1.0, 0.5, 2.0].iter().all(|ratio| (bpm / tempo_bpm / ratio - 1.0).abs() >= SAME_TEMPO)
    };
    let others = main.weights.iter().map(|(bpm, _)| bpm * tempo_bpm / main.bpm);
    let others = others.filter(|&bpm| is_new(bpm) && weight(bpm) >= WEIGHT_MIN);
    let octaves = [tempo_bpm / 2.0, tempo_bpm * 2.0];
    let all = octaves.into_iter().chain(others);
    let mut all: Vec<TempoAlternative> = all
        .map(|tempo_bpm| TempoAlternative { tempo_bpm, weight: weight(tempo_bpm).min(1.0) })
        .collect();
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    all
}
