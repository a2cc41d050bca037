//! Planar samples as interleaved little-endian bytes.

use crate::audio::Samples;

/// Appends frames `[start, start + count)` of `samples` to `bytes`.
pub(super) fn append(samples: &Samples, start: usize, count: usize, bytes: &mut Vec<u8>) {
    match samples {
        Samples::Int { bit_depth: 16, planes } => {
            interleave(planes, start, count, bytes, |sample| {
                let [a, b, ..] = sample.to_le_bytes();
                [a, b]
            });
        }
        Samples::Int { bit_depth: 24, planes } => {
            interleave(planes, start, count, bytes, |sample| {
                let [a, b, c, _] = sample.to_le_bytes();
                [a, b, c]
            });
        }
        Samples::Int { planes, .. } => {
            interleave(planes, start, count, bytes, i32::to_le_bytes);
        }
        Samples::Float { planes } => interleave(planes, start, count, bytes, f32::to_le_bytes),
    }
}

fn interleave<T: Copy, const N: usize>(
    planes: &[Vec<T>],
    start: usize,
    count: usize,
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
        append(&Samples::Int { bit_depth: 24, planes }, 1, 2, &mut bytes);
        let expected =
            [0xaa, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f].as_slice();
        assert_eq!(bytes, expected);
    }
}
