//! WAV files through `hound`, which shares no code with Wavemill.

use crate::signal::Signal;
use std::path::Path;

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Integers of 8, 16, 24 or 32 bits.
    Int(u16),
    /// 32-bit floats.
    Float,
}

/// Writes a signal; integers are rounded and clipped, without dither.
pub fn write(path: &Path, signal: &Signal, stored: Stored) {
    let (bits_per_sample, sample_format) = match stored {
        Stored::Int(bits) => (bits, hound::SampleFormat::Int),
        Stored::Float => (32, hound::SampleFormat::Float),
    };
    let channels = u16::try_from(signal.channel_count()).expect("few channels");
    let spec = hound::WavSpec {
        channels,
        sample_rate: signal.sample_rate_hz,
        bits_per_sample,
        sample_format,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the file can be created");
    for frame in 0..signal.frame_count() {
        for plane in &signal.planes {
            match stored {
                Stored::Int(bits) => writer.write_sample(quantize(plane[frame], bits)),
                Stored::Float => writer.write_sample(plane[frame]),
            }
            .expect("the file can be written");
        }
    }
    writer.finalize().expect("the file can be completed");
}

#[expect(clippy::cast_possible_truncation, reason = "clipped to the range of the bits")]
fn quantize(sample: f32, bits: u16) -> i32 {
    let full = f64::from(1u32 << (bits - 1));
    (f64::from(sample) * full).round().clamp(-full, full - 1.0) as i32
}

/// A WAV file as `hound` reads it.
#[derive(Clone, Debug)]
pub struct Read {
    /// What its header says.
    pub spec: hound::WavSpec,
    /// Its samples, integers scaled to full scale 1.0.
    pub signal: Signal,
}

/// Reads a whole file.
pub fn read(path: &Path) -> Read {
    let mut reader = hound::WavReader::open(path)
        .unwrap_or_else(|error| panic!("{} is no WAV file: {error}", path.display()));
    let spec = reader.spec();
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => {
            reader.samples::<f32>().map(|s| s.expect("a sample")).collect()
        }
        hound::SampleFormat::Int => {
            let full = f64::from(1u32 << (spec.bits_per_sample - 1));
            let scaled = |s: i32| f64::from(s) / full;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            reader.samples::<i32>().map(|s| scaled(s.expect("a sample")) as f32).collect()
        }
    };
    let planes = planes(&interleaved, usize::from(spec.channels));
    Read { spec, signal: Signal { sample_rate_hz: spec.sample_rate, planes } }
}

/// Splits interleaved samples.
pub fn planes<T: Copy>(interleaved: &[T], channel_count: usize) -> Vec<Vec<T>> {
    let plane = |channel| interleaved.iter().skip(channel).step_by(channel_count).copied();
    (0..channel_count).map(|channel| plane(channel).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal;

    #[test]
    fn written_samples_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let written = signal::pink(44_100, 3, 1000, 0.5, 1);
        write(&path, &written, Stored::Float);
        assert_eq!(read(&path).signal, written);
    }

    #[test]
    fn integers_are_rounded_to_their_step() {
        assert_eq!(quantize(0.5, 16), 16384);
        assert_eq!(quantize(1.0, 16), 32767);
        assert_eq!(quantize(-1.0, 24), -8_388_608);
    }
}
