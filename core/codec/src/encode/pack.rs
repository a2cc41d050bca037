//! Planar samples as interleaved bytes, and files of them.

use super::{EncodeError, EncodeSettings, Sink};
use std::io::SeekFrom;
use wavemill_audio::Samples;

/// Bytes gathered before they are written: few calls, and still inside the second-level cache.
const BUFFER_BYTES: usize = 128 * 1024;

/// Which byte of a sample comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The least significant one, as in WAV.
    Little,
    /// The most significant one, as in AIFF.
    Big,
}

/// A file of samples as they are, written behind a header that is known at the end.
pub(super) struct Packer {
    sink: Box<dyn Sink>,
    order: Order,
    frame_bytes: usize,
    /// Bytes not written yet; never more than [`BUFFER_BYTES`].
    buffer: Vec<u8>,
    /// Bytes of samples so far, those in the buffer included.
    pub(super) data_bytes: u64,
}

impl Packer {
    /// Begins a file with a header that stands for the last one, of the same length.
    pub(super) fn begin(
        mut sink: Box<dyn Sink>,
        settings: &EncodeSettings,
        order: Order,
        header: &[u8],
    ) -> Result<Self, EncodeError> {
        sink.write_all(header)?;
        let frame_bytes = usize::try_from(settings.frame_bytes()).unwrap_or(usize::MAX);
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Ok(Self { sink, order, frame_bytes, buffer, data_bytes: 0 })
    }

    pub(super) fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        let (mut start, end) = (0, samples.frame_count());
        while start < end {
            let room = (BUFFER_BYTES - self.buffer.len()) / self.frame_bytes;
            let count = room.min(end - start);
            append(samples, start, count, self.order, &mut self.buffer);
            self.data_bytes += (count * self.frame_bytes) as u64;
            start += count;
            if start < end {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left, and the header for so many bytes of samples.
    pub(super) fn finish(
        mut self,
        header: impl FnOnce(u64) -> Result<Vec<u8>, EncodeError>,
    ) -> Result<(), EncodeError> {
        self.flush()?;
        if self.data_bytes % 2 == 1 {
            self.sink.write_all(&[0])?; // chunks have even lengths; the pad byte is not counted
        }
        overwrite(&mut *self.sink, 0, &header(self.data_bytes)?)
    }
}

/// Writes over what stands at `offset`, unless there is nothing to write.
pub(super) fn overwrite(sink: &mut dyn Sink, offset: u64, bytes: &[u8]) -> Result<(), EncodeError> {
    if !bytes.is_empty() {
        sink.seek(SeekFrom::Start(offset))?;
        sink.write_all(bytes)?;
        sink.flush()?;
    }
    Ok(())
}

/// Appends frames `[start, start + count)` of `samples` to `bytes`.
fn append(samples: &Samples, start: usize, count: usize, order: Order, bytes: &mut Vec<u8>) {
    let to = (start, count);
    match (samples, order) {
        (Samples::Int { bit_depth: 16, planes }, Order::Little) => {
            interleave(planes, to, bytes, |sample| {
                let [a, b, ..] = sample.to_le_bytes();
                [a, b]
            });
        }
        (Samples::Int { bit_depth: 24, planes }, Order::Little) => {
            interleave(planes, to, bytes, |sample| {
                let [a, b, c, _] = sample.to_le_bytes();
                [a, b, c]
            });
        }
        (Samples::Int { bit_depth: 16, planes }, Order::Big) => {
            interleave(planes, to, bytes, |sample| {
                let [.., a, b] = sample.to_be_bytes();
                [a, b]
            });
        }
        (Samples::Int { bit_depth: 24, planes }, Order::Big) => {
            interleave(planes, to, bytes, |sample| {
                let [_, a, b, c] = sample.to_be_bytes();
                [a, b, c]
            });
        }
        (Samples::Int { planes, .. }, Order::Little) => {
            interleave(planes, to, bytes, i32::to_le_bytes);
        }
        (Samples::Int { planes, .. }, Order::Big) => {
            interleave(planes, to, bytes, i32::to_be_bytes);
        }
        (Samples::Float { planes }, Order::Little) => {
            interleave(planes, to, bytes, f32::to_le_bytes);
        }
        (Samples::Float { planes }, Order::Big) => {
            interleave(planes, to, bytes, f32::to_be_bytes);
        }
    }
}

fn interleave<T: Copy, const N: usize>(
    planes: &[Vec<T>],
    (start, count): (usize, usize),
    bytes: &mut Vec<u8>,
    to_bytes: impl Fn(T) -> [u8; N],
) {
    let frame_bytes = planes.len() * N;
    let offset = bytes.len();
    bytes.resize(offset + count * frame_bytes, 0);
    for (channel, plane) in planes.iter().enumerate() {
        let frames = bytes[offset..].chunks_exact_mut(frame_bytes);
        for (frame, &sample) in frames.zip(&plane[start..start + count]) {
            frame[channel * N..channel * N + N].copy_from_slice(&to_bytes(sample));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn int_24_is_three_bytes_little_endian_interleaved() {
        let planes = vec![vec![9, 0x01_02_03, -1], vec![9, -2, 0x7f_ff_ff]];
        let mut bytes = vec![0xaa];
        append(&Samples::Int { bit_depth: 24, planes }, 1, 2, Order::Little, &mut bytes);
        let expected =
            [0xaa, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f].as_slice();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn big_endian_has_the_most_significant_byte_first() {
        let packed = |samples: Samples| {
            let mut bytes = Vec::new();
            append(&samples, 0, 1, Order::Big, &mut bytes);
            bytes
        };
        let int = |bit_depth, sample| Samples::Int { bit_depth, planes: vec![vec![sample]] };
        assert_eq!(packed(int(16, -2)), [0xff, 0xfe]);
        assert_eq!(packed(int(24, 0x01_02_03)), [1, 2, 3]);
        assert_eq!(packed(int(32, 0x01_02_03_04)), [1, 2, 3, 4]);
        assert_eq!(packed(Samples::Float { planes: vec![vec![1.0]] }), [0x3f, 0x80, 0, 0]);
    }
}
