//! From one sample rate to another, in a stream.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// Frames that are transformed at once, about: more would be late, fewer cut high frequencies.
const CHUNK_FRAMES: usize = 512;

/// Most frames that are transformed at once: rates without a common divisor have to wait for a second.
const CHUNK_FRAMES_MAX: usize = 8192;

/// Converts a stream; its first frame stays the first one.
#[derive(Debug)]
pub(crate) struct Converter {
    fft: Fft<f32>,
    from_hz: u32,
    to_hz: u32,
    /// Frames that do not fill a chunk yet.
    waiting: Vec<Vec<f32>>,
    made: Vec<Vec<f32>>,
    /// Frames of delay that are still to be left out.
    late: usize,
    fed: u64,
    delivered: u64,
}

impl Converter {
    /// # Errors
    /// One line: the rates do not go together.
    pub(crate) fn new(from_hz: u32, to_hz: u32, channels: usize) -> Result<Self, String> {
        let (from, to) = (from_hz as usize, to_hz as usize);
        let blocks = from / divisor(from, to);
        let others = to / divisor(from, to);
        if blocks.max(others) > CHUNK_FRAMES_MAX {
            return Err(format!(
                "{from_hz} Hz and {to_hz} Hz have no common divisor that is large enough"
            ));
        }
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(from, to, CHUNK_FRAMES, 1, channels, window, FixedSync::Both);
        let fft = fft.map_err(|error| error.to_string())?;
        let made = vec![vec![0.0; fft.output_frames_max()]; channels];
        let late = fft.output_delay();
        let waiting = vec![Vec::new(); channels];
        Ok(Self { fft, from_hz, to_hz, waiting, made, late, fed: 0, delivered: 0 })
    }

    /// Frames of input that must have come before a frame comes out: its delay, and a chunk.
    pub(crate) fn latency(&self) -> u64 {
        let delay = (self.fft.output_delay() as u64 * u64::from(self.from_hz))
            .div_ceil(u64::from(self.to_hz));
        delay + self.fft.input_frames_next() as u64 - 1
    }

    /// Where a frame of the input is in the output.
    pub(crate) fn place_of(&self, frame: u64) -> u64 {
        let (from, to) = (u128::from(self.from_hz), u128::from(self.to_hz));
        u64::try_from((u128::from(frame) * to + from / 2) / from).unwrap_or(u64::MAX)
    }

    /// Appends what comes out to `out`.
    pub(crate) fn push(&mut self, planes: &[Vec<f32>], out: &mut [Vec<f32>]) {
        self.fed += planes.first().map_or(0, Vec::len) as u64;
        self.take(planes, u64::MAX, out);
    }

    /// The input is complete: the rest of what it has in the other rate.
    pub(crate) fn finish(&mut self, out: &mut [Vec<f32>]) {
        let end = self.place_of(self.fed);
        let silence = vec![vec![0.0; self.fft.input_frames_next()]; self.waiting.len()];
        while self.delivered < end {
            self.take(&silence, end, out);
        }
    }

    /// Converts whole chunks, up to a frame of the output.
    fn take(&mut self, planes: &[Vec<f32>], end: u64, out: &mut [Vec<f32>]) {
        for (own, plane) in self.waiting.iter_mut().zip(planes) {
            own.extend(plane);
        }
        let (channels, chunk) = (self.waiting.len(), self.fft.input_frames_next());
        while self.waiting[0].len() >= chunk {
            let room = self.made[0].len();
            let frames = {
                let from = SequentialSliceOfVecs::new(&self.waiting, channels, chunk);
                let to = SequentialSliceOfVecs::new_mut(&mut self.made, channels, room);
                let (Ok(from), Ok(mut to)) = (from, to) else { return };
                let Ok((_, frames)) = self.fft.process_into_buffer(&from, &mut to, None) else {
                    return;
                };
                frames
            };
            let late = self.late.min(frames);
            self.late -= late;
            let room = usize::try_from(end - self.delivered).unwrap_or(frames);
            let count = (frames - late).min(room);
            self.delivered += count as u64;
            for ((out, made), waiting) in out.iter_mut().zip(&self.made).zip(&mut self.waiting) {
                out.extend(&made[late..late + count]);
                waiting.drain(..chunk);
            }
        }
    }
}

/// The greatest common divisor.
fn divisor(one: usize, other: usize) -> usize {
    if other == 0 { one } else { divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// A tone of 997 Hz at 0.5.
    fn tone(rate_hz: u32, frames: usize) -> Vec<f32> {
        let phase = |frame: usize| frame as f64 * 997.0 / f64::from(rate_hz) * TAU;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        (0..frames).map(|frame| (phase(frame).sin() * 0.5) as f32).collect()
    }

    #[test]
    fn tone_is_the_same_tone_in_its_place_at_the_other_rate() {
        for (from_hz, to_hz) in
            [(44_100, 48_000), (48_000, 44_100), (8_000, 192_000), (96_000, 48_000)]
        {
            let frames = from_hz as usize;
            let mut converter = Converter::new(from_hz, to_hz, 1).unwrap();
            let mut out = vec![Vec::new()];
            for piece in tone(from_hz, frames).chunks(777) {
                converter.push(&[piece.to_vec()], &mut out);
            }
            converter.finish(&mut out);
            assert_eq!(out[0].len(), to_hz as usize);
            // The ends of a tone that is cut off ring.
            let edge = to_hz as usize / 10;
            let pairs = out[0].iter().zip(tone(to_hz, to_hz as usize));
            let errors = pairs.map(|(one, other)| (one - other).abs());
            let largest = errors.skip(edge).take(to_hz as usize - 2 * edge).fold(0.0, f32::max);
            assert!(largest < 1e-4, "{from_hz} to {to_hz}: {largest}");
        }
    }

    #[test]
    fn rates_without_a_common_divisor_are_refused() {
        assert!(Converter::new(44_101, 48_000, 2).unwrap_err().contains("44101 Hz"));
    }
}
