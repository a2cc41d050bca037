//! The samples that codecs are tried on.

use crate::meters::Tap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use wavemill_core::audio::{Block, Samples, StreamSpec, convert};
use wavemill_core::decode;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::{Dbtp, SampleRate};

/// How much of what plays is tried, in seconds.
pub(crate) const SECONDS: u32 = 10;

/// How much of a capture is tried at most, in seconds: 69 MB at 48 kHz.
const CAPTURE_SECONDS_MAX: u32 = 180;

/// Ends are faded in and out, in seconds: what is cut out of a program begins and ends with a step, which codecs overshoot.
const FADE_S: f64 = 0.01;

/// Frames that are decoded, or measured, at once.
pub(super) const BLOCK_FRAMES: usize = 4096;

/// Frames that are taken from the tap at once.
const PIECE_FRAMES: usize = 512;

/// Samples of one or two channels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Clip {
    pub(super) rate_hz: u32,
    /// All of one length.
    pub(super) planes: Vec<Vec<f32>>,
}

impl Clip {
    /// The first minutes of a file, its first two channels.
    ///
    /// # Errors
    /// One line: why it cannot be read.
    pub(super) fn of_file(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| failed(&error))?;
        let mut decoder = decode::open(Box::new(BufReader::new(file)), Some("wav"))
            .map_err(|error| failed(&error))?;
        let info = decoder.info().clone();
        let rate_hz = info.spec.sample_rate.0;
        let mut planes = vec![Vec::new(); info.spec.channel_count().min(2)];
        let mut samples = Samples::empty(info.format, info.spec.channel_count());
        let mut block = Block::new(info.spec.channel_count(), BLOCK_FRAMES);
        let frames_max = usize::try_from(rate_hz.saturating_mul(CAPTURE_SECONDS_MAX));
        let frames_max = frames_max.unwrap_or(usize::MAX);
        while planes.first().is_some_and(|plane: &Vec<f32>| plane.len() < frames_max)
            && decoder.read(&mut samples, BLOCK_FRAMES).map_err(|error| failed(&error))? > 0
        {
            convert::to_block(&samples, &mut block);
            for (plane, new) in planes.iter_mut().zip(block.planes()) {
                plane.extend_from_slice(new);
            }
        }
        Ok(Self { rate_hz, planes })
    }

    /// With faded ends.
    pub(super) fn faded(mut self) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a hundredth of a second"
        )]
        let frames = (f64::from(self.rate_hz) * FADE_S) as usize;
        for plane in &mut self.planes {
            let frames = frames.min(plane.len() / 2);
            let count = plane.len();
            for frame in 0..frames {
                #[expect(clippy::cast_precision_loss, reason = "a hundredth of a second")]
                let share = frame as f32 / frames as f32;
                plane[frame] *= share;
                plane[count - 1 - frame] *= share;
            }
        }
        self
    }

    pub(super) fn frame_count(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// The larger true peak of both measures, as reports have it; `None` of silence.
    pub(super) fn true_peak(&self) -> Option<Dbtp> {
        let mut meter =
            LoudnessMeter::new(&StreamSpec::new(self.rate_hz, self.planes.len()), MonoMode::Single);
        for start in (0..self.frame_count()).step_by(BLOCK_FRAMES) {
            let end = (start + BLOCK_FRAMES).min(self.frame_count());
            let pieces: Vec<&[f32]> = self.planes.iter().map(|plane| &plane[start..end]).collect();
            meter.push(&Block::from_planes(&pieces));
        }
        meter.finish().larger_true_peak()
    }
}

/// Keeps the latest seconds of what comes through the tap, while someone wants them. The worker's; not real-time.
#[derive(Debug, Default)]
pub(crate) struct ClipCollector {
    is_wanted: bool,
    rate_hz: u32,
    /// The tap's start that the samples are of.
    start: u64,
    /// The next frame.
    position: u64,
    planes: [Vec<f32>; 2],
}

impl ClipCollector {
    /// Begins or ends keeping samples.
    pub(crate) fn want(&mut self, is_wanted: bool) {
        if is_wanted != self.is_wanted {
            *self = Self { is_wanted, ..Self::default() };
        }
    }

    /// Takes what is new.
    pub(crate) fn collect(&mut self, tap: &Tap, rate: Option<SampleRate>) {
        let Some(rate) = rate.filter(|_| self.is_wanted && tap.is_open()) else { return };
        let (start, end) = (tap.start(), tap.position());
        if self.rate_hz != rate.0 || self.start != start {
            self.begin(rate.0, start, start);
        }
        while self.position < end {
            let count = usize::try_from(end - self.position).unwrap_or(PIECE_FRAMES);
            let mut piece = [[0.0; PIECE_FRAMES]; 2];
            let count = count.min(PIECE_FRAMES);
            let [left, right] = &mut piece;
            if !tap.read(self.position, &mut left[..count], &mut right[..count]) {
                // Samples on both sides of a gap do not belong together.
                self.begin(rate.0, start, end);
                return;
            }
            for (plane, piece) in self.planes.iter_mut().zip(&piece) {
                plane.extend_from_slice(&piece[..count]);
            }
            self.position += count as u64;
        }
        self.forget();
    }

    fn begin(&mut self, rate_hz: u32, start: u64, position: u64) {
        (self.rate_hz, self.start, self.position) = (rate_hz, start, position);
        self.planes.iter_mut().for_each(Vec::clear);
    }

    /// What is older goes, a second at a time.
    fn forget(&mut self) {
        let second = usize::try_from(self.rate_hz).unwrap_or(usize::MAX);
        let kept = second.saturating_mul(usize::try_from(SECONDS).unwrap_or(1));
        for plane in &mut self.planes {
            if plane.len() >= kept + second {
                plane.drain(..plane.len() - kept);
            }
        }
    }

    /// The latest seconds; `None` before there are so many.
    pub(crate) fn clip(&self) -> Option<Clip> {
        let kept = usize::try_from(self.rate_hz.checked_mul(SECONDS)?).ok()?;
        let is_full = kept > 0 && self.planes[0].len() >= kept;
        is_full.then(|| {
            let latest = |plane: &Vec<f32>| plane[plane.len() - kept..].to_vec();
            Clip { rate_hz: self.rate_hz, planes: self.planes.iter().map(latest).collect() }
        })
    }

    /// Seconds until there are enough.
    pub(crate) fn missing_s(&self) -> u32 {
        let frames = u32::try_from(self.planes[0].len()).unwrap_or(u32::MAX);
        SECONDS.saturating_sub(frames / self.rate_hz.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(8_000);

    /// Plays frames whose values are their places.
    fn play(tap: &Tap, collector: &mut ClipCollector, from: u32, frames: u32) {
        for start in (from..from + frames).step_by(1000) {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let block: Vec<f32> = (start..start + 1000).map(|frame| frame as f32).collect();
            let other: Vec<f32> = block.iter().map(|sample| -sample).collect();
            tap.push(&block, &other);
            collector.collect(tap, Some(RATE));
        }
    }

    #[test]
    fn latest_seconds_are_kept_in_order() {
        let (tap, mut collector) = (Tap::default(), ClipCollector::default());
        tap.open(true);
        play(&tap, &mut collector, 0, 10_000);
        assert!(collector.planes[0].is_empty(), "nobody wants them");
        collector.want(true);
        tap.begin();
        play(&tap, &mut collector, 10_000, 79_000);
        assert_eq!((collector.clip(), collector.missing_s()), (None, 1));
        play(&tap, &mut collector, 89_000, 100_000);
        let clip = collector.clip().unwrap();
        assert_eq!((clip.rate_hz, clip.frame_count()), (8_000, 80_000));
        let ends = [clip.planes[0][0], clip.planes[0][79_999], clip.planes[1][79_999]];
        assert_eq!(ends.map(f32::to_bits), [109_000.0, 188_999.0, -188_999.0f32].map(f32::to_bits));
        assert!(collector.planes[0].len() < 88_000);
    }

    #[test]
    fn gap_and_reset_begin_anew() {
        let (tap, mut collector) = (Tap::default(), ClipCollector::default());
        tap.open(true);
        collector.want(true);
        play(&tap, &mut collector, 0, 90_000);
        assert!(collector.clip().is_some());
        tap.begin();
        play(&tap, &mut collector, 0, 1_000);
        assert!(collector.clip().is_none() && collector.planes[0].len() == 1_000);
        // The worker is held up for longer than the ring.
        (0..40).for_each(|_| tap.push(&[0.5; 1000], &[0.5; 1000]));
        collector.collect(&tap, Some(RATE));
        assert!(collector.planes[0].is_empty());
        collector.want(false);
        assert_eq!(collector.rate_hz, 0);
    }

    #[test]
    fn true_peak_is_that_of_the_meter_and_of_a_tone() {
        let tone = |frame: u16| 0.5 * (f32::from(frame) * std::f32::consts::TAU / 48.0).sin();
        let plane: Vec<f32> = (0..48_000).map(tone).collect();
        let clip = Clip { rate_hz: 48_000, planes: vec![plane; 2] };
        let peak = clip.true_peak().unwrap().0;
        assert!((peak + 6.0206).abs() < 0.01, "{peak}");
        let faded = clip.faded();
        assert!(faded.planes[0][0].abs() < 1e-9 && faded.planes[0][47_999].abs() < 1e-9);
        assert!((faded.true_peak().unwrap().0 - peak).abs() < 0.01);
        assert_eq!(Clip::default().true_peak(), None);
    }
}
