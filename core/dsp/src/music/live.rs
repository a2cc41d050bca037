//! Tempo, key and balance of a stream while it runs.

use super::{RhythmMeter, RhythmOptions, RhythmReport, TonalityMeter, TonalityReport};
use crate::loudness::MonoMode;
use crate::measure::{BAND_COUNT, BandsMeter, Meter, Setup, Shapes};
use std::collections::VecDeque;
use wavemill_audio::units::{Decibels, Frames, Seconds};
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// What the latest part of a stream is like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveReport {
    /// Its tempo. Times of beats are those from the stream's beginning.
    pub rhythm: RhythmReport,
    /// Its key. Times of changes are those from the part's beginning.
    pub tonality: TonalityReport,
    /// Level of each band by that of all bands together, in the order of [`Band::ALL`](crate::advice::Band::ALL): 0 dB
    /// would be all of the energy. `None` of silence, and of bands above half the sample rate.
    pub bands: [Option<Decibels>; BAND_COUNT],
}

type Energies = [f64; BAND_COUNT];

/// Measures the latest part of a stream again and again. Samples are finite.
///
/// A report on a stream that is not longer than that part equals the analysis of the same samples. What is reported
/// depends on where reports were asked for, since that is where older parts are forgotten, but not on how the signal
/// was cut into blocks. Keeps 17 kB for each second of the part. Not real-time: a report takes some milliseconds.
#[derive(Clone, Debug)]
pub struct LiveMeter {
    kept: Seconds,
    kept_frames: u64,
    rhythm: RhythmMeter,
    tonality: TonalityMeter,
    bands: BandsMeter,
    frame_count: u64,
    /// Energies of the bands at the frames of earlier reports; the first lies before the part.
    earlier: VecDeque<(u64, Energies)>,
}

impl LiveMeter {
    /// A meter for a stream, of its latest part: as much as `kept`, at most ten minutes.
    pub fn new(spec: &StreamSpec, kept: Seconds) -> Self {
        let setup = Setup {
            format: PcmFormat::FLOAT,
            mono: MonoMode::default(),
            rhythm: RhythmOptions::default(),
        };
        Self {
            kept,
            kept_frames: kept.to_frames(spec.sample_rate).0,
            rhythm: RhythmMeter::new(spec, setup),
            tonality: TonalityMeter::new(spec, setup),
            bands: BandsMeter::new(spec, setup),
            frame_count: 0,
            earlier: VecDeque::from([(0, Energies::default())]),
        }
    }

    /// Measures further frames.
    pub fn push(&mut self, block: &Block) {
        self.rhythm.push(block);
        self.tonality.push(block);
        self.bands.push(block);
        self.frame_count += block.frame_count() as u64;
    }

    /// Frames measured so far.
    pub fn frame_count(&self) -> Frames {
        Frames(self.frame_count)
    }

    /// What the latest part is like; forgets what lies before.
    pub fn report(&mut self) -> LiveReport {
        self.rhythm.keep_latest(self.kept);
        self.tonality.keep_latest(self.kept);
        LiveReport {
            rhythm: self.rhythm.clone().finish(&Shapes::default()),
            tonality: self.tonality.clone().finish(&Shapes::default()),
            bands: self.balance(),
        }
    }

    fn balance(&mut self) -> [Option<Decibels>; BAND_COUNT] {
        let now = self.bands.energies();
        let start = self.frame_count.saturating_sub(self.kept_frames);
        while self.earlier.get(1).is_some_and(|(frame, _)| *frame <= start) {
            self.earlier.pop_front();
        }
        let before = self.earlier.front().map_or(Energies::default(), |(_, energies)| *energies);
        self.earlier.push_back((self.frame_count, now));
        let energy = |band: usize| (now[band] - before[band]).max(0.0);
        let total: f64 = (0..BAND_COUNT).map(energy).sum();
        std::array::from_fn(|band| Decibels::from_power(energy(band) / total))
    }
}
