//! What each channel had since the meters began: peaks, RMS, clips.

use super::engine::shown;
use super::levels::CHANNELS_MAX;
use super::readings::Reading;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::ChannelPeaks;
use wavemill_core::units::Dbfs;

/// Amplitude from which a sample is at full scale: the largest one of 16-bit audio, 1 - 2^-15.
const FULL_SCALE: f32 = 1.0 - 1.0 / 32_768.0;

/// Samples at full scale, one behind the other, that are a clip; fewer are what a limiter leaves, too. As in reports.
const CLIP_SAMPLES: u32 = 3;

/// One channel.
#[derive(Debug, Default)]
pub(crate) struct ChannelReading {
    pub(crate) sample_peak_dbfs: Reading,
    /// Since it is wanted; see [`Channels::want_true_peaks`].
    pub(crate) true_peak_dbtp: Reading,
    /// Root of the mean square since the beginning; a full-scale sine has -3.01.
    pub(crate) rms_dbfs: Reading,
    clips: AtomicU32,
}

impl ChannelReading {
    /// Runs of samples at full scale.
    pub(crate) fn clips(&self) -> u32 {
        self.clips.load(Ordering::Relaxed)
    }
}

/// What both sides see. Neither waits.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// Those that the stream does not have read nothing.
    pub(crate) readings: [ChannelReading; CHANNELS_MAX],
    wants_true_peaks: AtomicBool,
}

impl Channels {
    /// Whether true peaks are measured, from now on: they take nearly as long as loudness, so they run only
    /// while they are shown.
    pub(crate) fn want_true_peaks(&self, wants: bool) {
        self.wants_true_peaks.store(wants, Ordering::Relaxed);
    }
}

/// Sums of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    square_sum: f64,
    peak: f32,
    /// Samples at full scale until now.
    run: u32,
    clips: u32,
}

impl Totals {
    fn push(&mut self, plane: &[f32]) {
        let Self { mut square_sum, mut peak, mut run, mut clips } = *self;
        for &sample in plane {
            let amplitude = sample.abs();
            square_sum += f64::from(sample) * f64::from(sample);
            peak = if amplitude > peak { amplitude } else { peak };
            run = if amplitude >= FULL_SCALE { run.saturating_add(1) } else { 0 };
            clips = clips.saturating_add(u32::from(run == CLIP_SAMPLES));
        }
        *self = Self { square_sum, peak, run, clips };
    }
}

/// Measures the channels. Real-time, but for being made.
pub(super) struct ChannelMeters {
    totals: [Totals; CHANNELS_MAX],
    channel_count: usize,
    frame_count: u64,
    true_peaks: ChannelPeaks,
    has_true_peaks: bool,
}

impl ChannelMeters {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        Self {
            totals: [Totals::default(); CHANNELS_MAX],
            channel_count: spec.channel_count().min(CHANNELS_MAX),
            frame_count: 0,
            true_peaks: ChannelPeaks::new(spec),
            has_true_peaks: false,
        }
    }

    /// Takes further frames of valid samples.
    pub(super) fn push(&mut self, block: &Block, channels: &Channels) {
        for (totals, plane) in self.totals.iter_mut().zip(block.planes()) {
            totals.push(plane);
        }
        self.frame_count += block.frame_count() as u64;
        let wants = channels.wants_true_peaks.load(Ordering::Relaxed);
        if wants != self.has_true_peaks {
            self.has_true_peaks = wants;
            self.true_peaks.reset();
        }
        if wants {
            self.true_peaks.push(block);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, channels: &Channels) {
        self.totals = [Totals::default(); CHANNELS_MAX];
        self.frame_count = 0;
        self.true_peaks.reset();
        self.write(&channels.readings);
    }

    /// Publishes what is known.
    pub(super) fn publish(&self, channels: &Channels) {
        self.write(&channels.readings[..self.channel_count]);
    }

    fn write(&self, readings: &[ChannelReading]) {
        for (channel, (totals, reading)) in self.totals.iter().zip(readings).enumerate() {
            let true_peak = self.true_peaks.true_peak(channel).map(|peak| peak.0);
            let mean_square = totals.square_sum / self.frame_count.max(1) as f64;
            let sample_peak = Dbfs::from_amplitude(totals.peak.into());
            reading.sample_peak_dbfs.set(shown(sample_peak.map(|peak| peak.0)));
            reading.true_peak_dbtp.set(shown(true_peak));
            reading.rms_dbfs.set(shown(Dbfs::from_power(mean_square).map(|rms| rms.0)));
            reading.clips.store(totals.clips, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels that were played.
    fn measured(planes: &[Vec<f32>]) -> (ChannelMeters, Channels) {
        let mut meters = ChannelMeters::new(&StreamSpec::new(48_000, planes.len()));
        let channels = Channels::default();
        channels.want_true_peaks(true);
        meters.push(&Block::from_planes(planes), &channels);
        meters.publish(&channels);
        (meters, channels)
    }

    fn is_near(reading: &Reading, expected: f32) -> bool {
        reading.get().is_some_and(|value| (value - expected).abs() < 0.01)
    }

    #[test]
    fn channels_have_their_own_peaks_and_rms() {
        // A sine of a quarter of the rate, faded in for a tenth of a second: between its samples are peaks 3.01 dB higher.
        let sine = |peak: f32| -> Vec<f32> {
            let wave = [peak, peak, -peak, -peak].repeat(12_000);
            wave.into_iter()
                .zip(0u16..)
                .map(|(sample, n)| sample * f32::from(n.min(4800)) / 4800.0)
                .collect()
        };
        let (mut meters, channels) = measured(&[sine(0.5), sine(0.25)]);
        let readings = &channels.readings;
        for (reading, peak_dbfs) in readings.iter().zip([-6.0206, -12.0412]) {
            assert!(is_near(&reading.sample_peak_dbfs, peak_dbfs), "{reading:?}");
            // 4800 frames of a ramp have a third of the energy: 10 log (44,800 / 48,000).
            assert!(is_near(&reading.rms_dbfs, peak_dbfs - 0.2996), "{reading:?}");
            let above = reading.true_peak_dbtp.get().unwrap() - peak_dbfs;
            assert!((above - 3.01).abs() < 0.05, "{reading:?}");
        }
        assert_eq!(readings[2].sample_peak_dbfs.get(), None);
        channels.want_true_peaks(false);
        meters.push(&Block::from_planes(&[[0.5], [0.5]]), &channels);
        meters.publish(&channels);
        assert_eq!(readings[0].true_peak_dbtp.get(), None, "nobody looks");
        meters.clear(&channels);
        assert_eq!(readings[0].rms_dbfs.get(), None);
    }

    #[test]
    fn run_of_three_samples_at_full_scale_is_one_clip() {
        for (samples, clips) in [
            (&[1.0, 1.0, 0.5, 1.0, 1.0][..], 0),
            (&[0.0, 1.0, 1.0, 1.0, 0.0], 1),
            // Beyond full scale, of either sign, and as 16-bit audio has it.
            (&[2.0, -1.0, 0.999_97, -3.0, 1.0, 1.0, 1.0], 1),
            (&[1.0, 1.0, 1.0, 0.9, -1.0, -1.0, -1.0], 2),
        ] {
            let (_, channels) = measured(&[samples.to_vec()]);
            assert_eq!(channels.readings[0].clips(), clips, "{samples:?}");
        }
    }

    #[test]
    fn clip_that_goes_on_in_the_next_block_is_one() {
        let mut meters = ChannelMeters::new(&StreamSpec::new(48_000, 1));
        let channels = Channels::default();
        for _ in 0..5 {
            meters.push(&Block::from_planes(&[[1.0]]), &channels);
        }
        meters.publish(&channels);
        assert_eq!(channels.readings[0].clips(), 1);
    }
}
