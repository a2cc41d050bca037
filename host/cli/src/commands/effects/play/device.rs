//! The default audio device.

use super::sink::Sink;
use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    Error, ErrorKind, FromSample, OutputCallbackInfo, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfigRange,
};
use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};

/// Sound that is made in advance, so that a busy machine is not heard.
const BUFFER: Duration = Duration::from_millis(100);

/// How long a device may take nothing.
const STALL_MAX: Duration = Duration::from_secs(3);

const WAIT_STEP: Duration = Duration::from_millis(5);

/// Sample formats, the best first.
const FORMATS: [SampleFormat; 3] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];

/// A device that plays.
pub(super) struct Device {
    ring: Producer<f32>,
    channel_count: usize,
    failure: Arc<Mutex<Option<String>>>,
    _stream: cpal::Stream,
}

/// Starts the default device.
///
/// # Errors
/// One line: none was found, or it does not play the stream.
pub(super) fn open(spec: &StreamSpec) -> Result<Device, String> {
    let device = cpal::default_host().default_output_device().ok_or("none was found")?;
    let ranges = device.supported_output_configs().map_err(|error| error.to_string())?;
    let (config, format) = choose(ranges, spec).ok_or_else(|| {
        let (channels, rate) = (spec.channel_count(), spec.sample_rate);
        format!("the default one does not play {channels} channels at {rate}")
    })?;
    match format {
        SampleFormat::I32 => start::<i32>(&device, config),
        SampleFormat::I16 => start::<i16>(&device, config),
        _ => start::<f32>(&device, config),
    }
    .map_err(|error| error.to_string())
}

/// The best format, with the fewest channels that have room for the stream's.
fn choose(
    ranges: impl Iterator<Item = SupportedStreamConfigRange>,
    spec: &StreamSpec,
) -> Option<(StreamConfig, SampleFormat)> {
    let rank = |range: &SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|format| *format == range.sample_format())?;
        let has_room = usize::from(range.channels()) >= spec.channel_count();
        has_room.then_some((range.channels(), format))
    };
    let rate_hz = spec.sample_rate.0;
    let ranges =
        ranges.filter(|it| it.min_sample_rate() <= rate_hz && rate_hz <= it.max_sample_rate());
    let ranked = ranges.filter_map(|range| Some((rank(&range)?, range)));
    let (_, range) = ranked.min_by_key(|(rank, _)| *rank)?;
    Some((range.with_sample_rate(rate_hz).into(), range.sample_format()))
}

fn start<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
) -> Result<Device, Error> {
    let channel_count = usize::from(config.channels);
    let frames = f64::from(config.sample_rate) * BUFFER.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length")]
    let (ring, mut samples) = RingBuffer::new(frames as usize * channel_count);
    let failure = Arc::new(Mutex::new(None));
    let of_stream = Arc::clone(&failure);
    let stream = device.build_output_stream(
        config,
        move |out: &mut [T], _: &OutputCallbackInfo| fill(out, &mut samples),
        move |error: Error| {
            let is_harmless =
                [ErrorKind::Xrun, ErrorKind::RealtimeDenied, ErrorKind::DeviceChanged]
                    .contains(&error.kind());
            if !is_harmless {
                *of_stream.lock() = Some(error.to_string());
            }
        },
        None,
    )?;
    stream.play()?;
    Ok(Device { ring, channel_count, failure, _stream: stream })
}

/// What is there, then silence. Real-time. Both sides have whole frames only.
fn fill<T: SizedSample + FromSample<f32>>(out: &mut [T], samples: &mut Consumer<f32>) {
    let count = samples.slots().min(out.len());
    let (ready, rest) = out.split_at_mut(count);
    if let Ok(chunk) = samples.read_chunk(count) {
        for (out, sample) in ready.iter_mut().zip(chunk) {
            *out = T::from_sample(sample.clamp(-1.0, 1.0));
        }
    }
    rest.fill(T::EQUILIBRIUM);
}

impl Sink for Device {
    fn write(&mut self, block: &Block) -> Result<bool, String> {
        let mut start = 0;
        while start < block.frame_count() {
            self.wait(|ring, channels| ring.slots() >= channels)?;
            let room = self.ring.slots() / self.channel_count;
            let count = room.min(block.frame_count() - start);
            let frames = start..start + count;
            let samples = frames.flat_map(|frame| channels_of(block, frame, self.channel_count));
            if let Ok(chunk) = self.ring.write_chunk_uninit(count * self.channel_count) {
                chunk.fill_from_iter(samples);
            }
            start += count;
        }
        Ok(true)
    }

    fn finish(&mut self) {
        let all = self.ring.buffer().capacity();
        let _ = self.wait(|ring, _| ring.slots() == all);
        // What the device took and has not played.
        let until = Instant::now() + BUFFER;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            thread::park_timeout(left);
        }
    }
}

/// A frame as the device has it: one channel sounds on all of its channels, several on the first ones.
fn channels_of(block: &Block, frame: usize, channel_count: usize) -> impl Iterator<Item = f32> {
    let last = block.channel_count() - 1;
    (0..channel_count).map(move |channel| match last {
        0 => block.plane(0)[frame],
        last if channel > last => 0.0,
        _ => block.plane(channel)[frame],
    })
}

impl Device {
    fn wait(&self, is_over: impl Fn(&Producer<f32>, usize) -> bool) -> Result<(), String> {
        let start = Instant::now();
        while !is_over(&self.ring, self.channel_count) {
            if let Some(reason) = self.failure.lock().take() {
                return Err(format!("audio device: {reason}"));
            }
            if start.elapsed() > STALL_MAX {
                return Err("audio device: it stopped playing".to_owned());
            }
            thread::park_timeout(WAIT_STEP);
        }
        Ok(())
    }
}
