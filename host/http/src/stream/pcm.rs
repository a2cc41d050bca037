//! Bytes on the wire, and samples.

use super::hello::SampleType;
use super::message::Refusal;
use wavemill_core::audio::{Block, PcmFormat, SampleFormat, Samples};
use wavemill_core::encode::{Dither, Quantizer};

/// Factor from 16-bit integers to full scale 1.0; exact.
const S16_SCALE: f32 = 1.0 / 32_768.0;

/// The samples of a message.
///
/// # Errors
/// When it has no whole number of frames, or a sample is not finite.
pub(crate) fn samples(
    bytes: &[u8],
    format: SampleType,
    channels: usize,
) -> Result<Vec<f32>, Refusal> {
    let refused = |reason: String| Refusal::new("bad audio", reason);
    let frame_bytes = channels * format.bytes();
    if !bytes.len().is_multiple_of(frame_bytes) {
        let count = bytes.len();
        return Err(refused(format!("{count} bytes are not whole frames of {frame_bytes} bytes")));
    }
    let samples: Vec<f32> = match format {
        SampleType::S16 => {
            let pairs = bytes.as_chunks().0.iter();
            pairs.map(|pair| f32::from(i16::from_le_bytes(*pair)) * S16_SCALE).collect()
        }
        SampleType::F32 => bytes.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect(),
    };
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(at) => {
            let frame = at / channels;
            Err(refused(format!("frame {frame} of the message is NaN or infinite")))
        }
        None => Ok(samples),
    }
}

/// Makes messages of blocks. 16-bit integers are rounded without dither, as an export with `dither = "none"` does.
#[derive(Debug)]
pub(crate) struct Writer {
    format: SampleType,
    quantizer: Quantizer,
    rounded: Samples,
}

impl Writer {
    pub(crate) fn new(format: SampleType, channels: usize) -> Self {
        let to = PcmFormat { sample_format: SampleFormat::Int, bit_depth: 16 };
        Self {
            format,
            quantizer: Quantizer::new(PcmFormat::FLOAT, to, Dither::None, channels),
            rounded: Samples::empty(to, channels),
        }
    }

    /// The bytes of a block.
    pub(crate) fn bytes(&mut self, block: &Block) -> Vec<u8> {
        match self.format {
            SampleType::F32 => {
                let planes: Vec<&[f32]> = block.planes().collect();
                interleaved(&planes, f32::to_le_bytes)
            }
            SampleType::S16 => {
                self.quantizer.quantize_block(block, &mut self.rounded);
                let Samples::Int { planes, .. } = &self.rounded else { return Vec::new() };
                let planes: Vec<&[i32]> = planes.iter().map(Vec::as_slice).collect();
                #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
                interleaved(&planes, |sample| (sample as i16).to_le_bytes())
            }
        }
    }
}

fn interleaved<T: Copy, const N: usize>(
    planes: &[&[T]],
    bytes_of: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    let frames = planes.first().map_or(0, |plane| plane.len());
    let mut bytes = Vec::with_capacity(frames * planes.len() * N);
    for frame in 0..frames {
        for plane in planes {
            bytes.extend(bytes_of(plane[frame]));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_return_as_they_came() {
        let ints: Vec<u8> = [0i16, 1, -1, i16::MIN, i16::MAX, 1234]
            .into_iter()
            .flat_map(i16::to_le_bytes)
            .collect();
        let floats: Vec<u8> =
            [0.0f32, -0.0, 1e-40, 3.5, -1.0, 0.1].into_iter().flat_map(f32::to_le_bytes).collect();
        for (format, bytes) in [(SampleType::S16, ints), (SampleType::F32, floats)] {
            let samples = samples(&bytes, format, 2).unwrap();
            let planes: [Vec<f32>; 2] =
                [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect());
            let block = Block::from_planes(&planes);
            assert_eq!(Writer::new(format, 2).bytes(&block), bytes);
        }
    }

    #[test]
    fn what_is_no_audio_is_refused() {
        let detail = |bytes: &[u8]| samples(bytes, SampleType::F32, 2).unwrap_err().detail;
        assert_eq!(detail(&[0; 12]), "12 bytes are not whole frames of 8 bytes");
        let mut bytes = vec![0; 16];
        bytes[12..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(detail(&bytes), "frame 1 of the message is NaN or infinite");
        assert_eq!(samples(&[], SampleType::F32, 2), Ok(Vec::new()));
    }
}
