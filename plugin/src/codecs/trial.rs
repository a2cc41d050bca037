//! One codec on one clip.

use super::Codec;
use super::clip::{BLOCK_FRAMES, Clip};
use super::memory_file::MemoryFile;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec, convert};
use wavemill_core::encode::{self, Dither, EncodeSettings, FormatDescriptor, Lossy, Quantizer};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::resample::{Quality, Resampler};
use wavemill_core::units::{Dbtp, Frames, SampleRate};
use wavemill_core::{decode, limits};

/// What became of a codec.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trial {
    /// This build cannot write it, or not read it.
    Missing,
    /// The largest true peak of what it decodes to, by both measures, as reports have it; `None` of silence.
    Decoded(Option<Dbtp>),
    /// One line: why it was not tried.
    Failed(String),
}

impl Trial {
    /// The true peak, where there is one.
    pub(crate) fn true_peak(&self) -> Option<Dbtp> {
        match self {
            Self::Decoded(peak) => *peak,
            Self::Missing | Self::Failed(_) => None,
        }
    }
}

/// Encodes a clip, decodes it and measures that; `None` where it was canceled.
pub(super) fn run(codec: Codec, clip: &Clip, cancel: &AtomicBool) -> Option<Trial> {
    let Some(format) = encode::format(codec.format).filter(|format| is_read(format)) else {
        return Some(Trial::Missing);
    };
    let is_over = || cancel.load(Ordering::Relaxed);
    let result = at_rate(clip, format).and_then(|clip| {
        let bytes = encoded(codec, format, &clip, &is_over)?;
        decoded_peak(bytes, format, &is_over)
    });
    if is_over() {
        return None;
    }
    Some(result.map_or_else(Trial::Failed, Trial::Decoded))
}

/// Whether this build reads what the format writes.
fn is_read(format: &FormatDescriptor) -> bool {
    decode::extensions().any(|extension| extension == format.extension)
}

/// The highest rate at which platforms encode, in Hz.
const RATE_HZ_MAX: u32 = 48_000;

/// The clip at a rate that platforms encode at, and that the format stores.
fn at_rate(clip: &Clip, format: &FormatDescriptor) -> Result<Clip, String> {
    let rate_hz = match clip.rate_hz {
        rate_hz if rate_hz <= RATE_HZ_MAX => rate_hz,
        rate_hz if rate_hz.is_multiple_of(44_100) => 44_100,
        _ => RATE_HZ_MAX,
    };
    let stored = format.stores_rate(SampleRate(rate_hz));
    let near = format.rate_near(SampleRate(rate_hz)).filter(|_| !stored);
    let rate_hz = near.unwrap_or(rate_hz);
    if rate_hz == clip.rate_hz { Ok(clip.clone()) } else { resampled(clip, rate_hz) }
}

fn resampled(clip: &Clip, rate_hz: u32) -> Result<Clip, String> {
    let (from, to) = (SampleRate(clip.rate_hz), SampleRate(rate_hz));
    let mut resampler = Resampler::new(from, to, clip.planes.len(), Quality::High)
        .map_err(|error| error.to_string())?;
    let length = resampler.output_length(Frames(clip.frame_count() as u64)).as_usize();
    let mut planes = vec![Vec::with_capacity(length); clip.planes.len()];
    let mut position = 0;
    while planes.first().is_some_and(|plane: &Vec<f32>| plane.len() < length) {
        let room = resampler.room();
        let count = room.min(clip.frame_count() - position);
        if count > 0 {
            resampler.push(clip.planes.iter().map(|plane| &plane[position..position + count]));
            position += count;
        } else if room > 0 {
            resampler.push_silence(room);
        }
        let available = resampler.available();
        for plane in &mut planes {
            plane.resize(plane.len() + available, 0.0);
        }
        resampler.pull(planes.iter_mut().map(|plane| {
            let start = plane.len() - available;
            &mut plane[start..]
        }));
    }
    for plane in &mut planes {
        plane.truncate(length);
    }
    Ok(Clip { rate_hz, planes })
}

fn encoded(
    codec: Codec,
    format: &FormatDescriptor,
    clip: &Clip,
    is_over: &dyn Fn() -> bool,
) -> Result<Vec<u8>, String> {
    let file = MemoryFile::default();
    let settings = settings(codec, format, clip);
    let stored = settings.format;
    let failed = |error: encode::EncodeError| error.to_string();
    let mut encoder = (format.create)(Box::new(file.clone()), settings).map_err(failed)?;
    let mut quantizer =
        Quantizer::new(PcmFormat::FLOAT, stored, Dither::default(), clip.planes.len());
    let mut out = Samples::empty(stored, clip.planes.len());
    for start in (0..clip.frame_count()).step_by(BLOCK_FRAMES) {
        if is_over() {
            return Err(String::new());
        }
        let end = (start + BLOCK_FRAMES).min(clip.frame_count());
        let planes = clip.planes.iter().map(|plane| plane[start..end].to_vec()).collect();
        quantizer.quantize(&Samples::Float { planes }, &mut out);
        encoder.write(&out).map_err(failed)?;
    }
    encoder.finish().map_err(failed)?;
    Ok(file.into_bytes())
}

fn settings(codec: Codec, format: &FormatDescriptor, clip: &Clip) -> EncodeSettings {
    let mode = format.lossy.as_ref().map(Lossy::usual_mode);
    let formats = format.formats;
    EncodeSettings {
        spec: StreamSpec::new(clip.rate_hz, clip.planes.len()),
        format: formats
            .iter()
            .find(|it| **it == PcmFormat::FLOAT)
            .unwrap_or(&formats[0])
            .to_owned(),
        frame_count: Some(Frames(clip.frame_count() as u64)),
        compression_level: None,
        quality: mode.map(|mode| mode.of(codec.kbps)),
        tags: Arc::default(),
    }
}

fn decoded_peak(
    bytes: Vec<u8>,
    format: &FormatDescriptor,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<Dbtp>, String> {
    let failed = |error: decode::DecodeError| format!("what was encoded {error}");
    let mut decoder =
        decode::open(Box::new(Cursor::new(bytes)), Some(format.extension)).map_err(failed)?;
    let info = decoder.info().clone();
    let mut meter = LoudnessMeter::new(&info.spec, MonoMode::Single);
    let mut samples = Samples::empty(info.format, info.spec.channel_count());
    let mut block = Block::new(info.spec.channel_count(), limits::BLOCK_FRAMES);
    while decoder.read(&mut samples, BLOCK_FRAMES).map_err(failed)? > 0 {
        if is_over() {
            return Err(String::new());
        }
        convert::to_block(&samples, &mut block);
        meter.push(&block);
    }
    Ok(meter.finish().larger_true_peak())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a codec writes.
    pub(in crate::codecs) fn bytes(codec: Codec, clip: &Clip) -> Vec<u8> {
        let format = encode::format(codec.format).unwrap();
        encoded(codec, format, &at_rate(clip, format).unwrap(), &|| false).unwrap()
    }

    /// By the length that the resampler promises, and by the level of the tone.
    #[test]
    fn clip_at_another_rate_is_as_long_and_as_loud() {
        let tone = |frame: u16| 0.5 * (f32::from(frame) * 0.05).sin();
        let plane: Vec<f32> = (0..44_100).map(tone).collect();
        let clip = Clip { rate_hz: 44_100, planes: vec![plane; 2] }.faded();
        let other = resampled(&clip, 48_000).unwrap();
        assert_eq!((other.rate_hz, other.frame_count()), (48_000, 48_000));
        let [one, other] = [&clip, &other].map(|clip| clip.true_peak().unwrap().0);
        assert!((one - other).abs() < 0.01, "{one} {other}");
    }
}
