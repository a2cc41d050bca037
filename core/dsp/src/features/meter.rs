//! Measures what no other group has.

use super::bands::{BAND_COUNT, Bands, FrameLevels, POWER_FLOOR};
use super::flux::Flux;
use super::levels::{Levels, mean};
use super::report::FeatureReport;
use crate::measure::fourier::HOP;
use crate::measure::{FrameBatch, Meter, Needs, Setup, Shapes};
use crate::music::chroma::{ChromaMeter, ChromaTrack, PITCH_CLASSES, planes};
use wavemill_audio::{Block, StreamSpec};

/// Measures statistics for finding similar music. Results do not depend on how the signal was cut into blocks. Samples
/// are finite.
#[derive(Debug)]
pub(crate) struct FeatureMeter {
    bands: Bands,
    sums: [BandSums; BAND_COUNT],
    count: u64,
    frames_per_second: f64,
    before: Option<[f32; BAND_COUNT]>,
    levels: Levels,
    flux: Flux,
    chroma: ChromaMeter,
}

#[derive(Clone, Copy, Debug, Default)]
struct BandSums {
    sum: f64,
    squares: f64,
}

impl Meter for FeatureMeter {
    type Report = FeatureReport;

    const NEEDS: Needs = Needs::Spectra;

    const IS_USUAL: bool = false;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        let frames_per_second = f64::from(spec.sample_rate.0.max(1)) / HOP as f64;
        Self {
            bands: Bands::new(spec.sample_rate),
            sums: [BandSums::default(); BAND_COUNT],
            count: 0,
            frames_per_second,
            before: None,
            levels: Levels::new(frames_per_second),
            flux: Flux::new(frames_per_second),
            chroma: ChromaMeter::new(spec.sample_rate.0),
        }
    }

    fn push(&mut self, block: &Block) {
        self.chroma.push(&planes(block));
    }

    fn push_spectra(&mut self, frames: FrameBatch<'_>) {
        let levels = self.bands.levels(frames.magnitudes);
        levels[..frames.count].iter().for_each(|frame| self.take(frame));
    }

    fn finish(self, _shapes: &Shapes) -> FeatureReport {
        // Statistics of less than a second say nothing.
        if (self.count as f64) < self.frames_per_second {
            return FeatureReport::default();
        }
        let (levels, flux) = (self.levels.finish(), self.flux.finish());
        let (band_levels_db, band_deviations_db) = self.of_bands();
        let list = |values: Option<&[f64]>| values.map(<[f64]>::to_vec).unwrap_or_default();
        let track = self.chroma.finish();
        FeatureReport {
            band_levels_db,
            band_deviations_db,
            level_percentiles_db: list(levels.percentiles_db.as_ref().map(|all| &all[..])),
            level_change_db: levels.change_db,
            level_change_1_s_db: levels.slow_change_db,
            level_deviation_1_s_db: levels.slow_deviation_db,
            quiet_share: levels.quiet_share,
            flux_db: flux.mean_db,
            flux_peakiness: flux.peakiness,
            low_flux_share: flux.low_share,
            high_flux_share: flux.high_share,
            pulse: list(flux.pulse.as_ref().map(|all| &all[..])),
            treble: shares(track.frames.iter().map(|frame| &frame.treble)),
            bass: shares(track.frames.iter().map(|frame| &frame.bass)),
            harmonic_change: harmonic_change(&track),
        }
    }
}

impl FeatureMeter {
    /// Silent frames are passed over, and what comes after one is no rise.
    fn take(&mut self, frame: &FrameLevels) {
        // Samples far beyond full scale have powers that are no numbers.
        let power = if frame.power.is_finite() { frame.power } else { 0.0 };
        self.levels.push(power);
        if power <= POWER_FLOOR {
            self.before = None;
            return;
        }
        for (sums, &level) in self.sums.iter_mut().zip(&frame.bands) {
            sums.sum += f64::from(level);
            sums.squares += f64::from(level) * f64::from(level);
        }
        self.count += 1;
        if let Some(before) = self.before.replace(frame.bands) {
            self.flux.push(&frame.bands, &before);
        }
    }

    /// Levels of the bands that exist by their mean, and the deviations.
    fn of_bands(&self) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
        let count = self.count as f64;
        let of = |band: usize| {
            (self.bands.exist[band] && self.count > 0).then(|| {
                let BandSums { sum, squares } = self.sums[band];
                let level = sum / count;
                (level, (squares / count - level * level).max(0.0).sqrt())
            })
        };
        let all: Vec<Option<(f64, f64)>> = (0..BAND_COUNT).map(of).collect();
        let sum: f64 = all.iter().flatten().map(|(level, _)| level).sum();
        let all_mean = mean(sum, all.iter().flatten().count() as u64).unwrap_or_default();
        let level = |found: &Option<(f64, f64)>| found.map(|(level, _)| level - all_mean);
        let deviation = |found: &Option<(f64, f64)>| found.map(|(_, deviation)| deviation);
        (all.iter().map(level).collect(), all.iter().map(deviation).collect())
    }
}

type Profile = [f32; PITCH_CLASSES];

/// Shares of the pitch classes over profiles; empty where there are no notes.
fn shares<'a>(profiles: impl Iterator<Item = &'a Profile>) -> Vec<f64> {
    let sums = sum_of(profiles);
    let total: f64 = sums.iter().sum();
    if total > 0.0 { sums.map(|sum| sum / total).to_vec() } else { Vec::new() }
}

fn sum_of<'a>(profiles: impl Iterator<Item = &'a Profile>) -> [f64; PITCH_CLASSES] {
    let mut sums = [0.0; PITCH_CLASSES];
    for profile in profiles {
        for (sum, &share) in sums.iter_mut().zip(profile) {
            *sum += f64::from(share);
        }
    }
    sums
}

fn harmonic_change(track: &ChromaTrack) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some frames")]
    let frames = (1.0 / track.hop_s).round().max(1.0) as usize;
    let seconds: Vec<_> = track
        .frames
        .chunks_exact(frames)
        .map(|second| sum_of(second.iter().map(|frame| &frame.treble)))
        .collect();
    let distances: Vec<f64> =
        seconds.windows(2).filter_map(|pair| Some(1.0 - cosine(&pair[0], &pair[1])?)).collect();
    mean(distances.iter().sum(), distances.len() as u64)
}

/// `None` where one has nothing.
fn cosine(a: &[f64; PITCH_CLASSES], b: &[f64; PITCH_CLASSES]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    (norms > 0.0).then(|| dot(a, b) / norms)
}
