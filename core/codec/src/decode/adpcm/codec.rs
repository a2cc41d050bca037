//! From the differences of a block to its samples.
//!
//! Sources: IMA Digital Audio Focus and Technical Working Groups, "Recommended Practices for Enhancing
//! Digital Audio Compatibility in Multimedia Systems", revision 3.00 (1992), section 6; Microsoft, "New
//! Multimedia Data Types and Data Techniques" (1994), "Microsoft ADPCM" and "IMA ADPCM Wave Type"; Apple,
//! Technical Note TN1081.

use super::{AdpcmSetup, BIT_DEPTH, QUICK_TIME_BYTES, QUICK_TIME_FRAMES, Scheme};
use crate::decode::compressed::Codec;
use crate::decode::{DecodeError, pcm};
use std::ops::Range;
use symphonia::core::packet::Packet;
use wavemill_audio::Samples;

/// Sizes of a step, by index.
#[rustfmt::skip]
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
    97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
    724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
    4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
    18500, 20350, 22385, 24623, 27086, 29794, 32767,
];

/// By how much the index of the step moves, by the lower three bits of a difference.
const INDEX_MOVES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// Microsoft's factors of the step, in parts of 256, by difference.
const ADAPTATION: [i32; 16] =
    [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];

/// Smallest step of Microsoft's.
const STEP_MIN: i32 = 16;

/// What IMA's decoder knows of a channel.
#[derive(Clone, Copy, Debug, Default)]
struct Ima {
    sample: i32,
    /// Index into [`STEPS`].
    index: i32,
}

impl Ima {
    fn new(sample: i16, index: u8) -> Result<Self, DecodeError> {
        match i32::from(index) {
            index @ 0..=88 => Ok(Self { sample: sample.into(), index }),
            _ => Err(DecodeError::damaged("a block begins with a step that does not exist")),
        }
    }

    /// The next sample. The parts of the step are rounded down one by one, as the source says: a product
    /// that is rounded once, as `ffmpeg` uses, drifts away from what the encoder meant.
    #[inline]
    fn next(&mut self, nibble: u8) -> i32 {
        let step = STEPS[usize::try_from(self.index).unwrap_or(0)];
        let bit = |mask: u8, part: i32| if nibble & mask == 0 { 0 } else { part };
        let difference = (step >> 3) + bit(4, step) + bit(2, step >> 1) + bit(1, step >> 2);
        let signed = if nibble & 8 == 0 { difference } else { -difference };
        self.sample = clamp(self.sample + signed);
        self.index = (self.index + INDEX_MOVES[usize::from(nibble & 7)]).clamp(0, 88);
        self.sample
    }
}

/// What Microsoft's decoder knows of a channel.
#[derive(Clone, Copy, Debug)]
struct Microsoft {
    coefficients: [i32; 2],
    step: i32,
    /// The sample before, and the one before that.
    history: [i32; 2],
}

impl Microsoft {
    #[inline]
    fn next(&mut self, nibble: u8) -> i32 {
        let [recent, older] = self.history.map(i64::from);
        let [first, second] = self.coefficients.map(i64::from);
        // Shifted, not divided: what the encoders of `sox` and libsndfile round to.
        let predicted = (recent * first + older * second) >> 8;
        let signed = i32::from(nibble.cast_signed() << 4 >> 4);
        let value = predicted + i64::from(signed) * i64::from(self.step);
        let sample = value.clamp(i16::MIN.into(), i16::MAX.into());
        let sample = i32::try_from(sample).expect("was just clamped");
        let step = (i64::from(self.step) * i64::from(ADAPTATION[usize::from(nibble)])) >> 8;
        // Only files that are none of an encoder's come near the bound.
        self.step = i32::try_from(step).unwrap_or(i32::MAX).max(STEP_MIN);
        self.history = [sample, self.history[0]];
        sample
    }
}

fn clamp(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

/// Decodes blocks.
pub(in crate::decode) struct AdpcmCodec {
    setup: AdpcmSetup,
    /// For each channel of the file its plane.
    plane_of: Vec<usize>,
    /// Blocks of `QuickTime` go on from each other.
    running: Vec<Ima>,
    planes: Vec<Vec<i32>>,
}

impl AdpcmCodec {
    pub(in crate::decode) fn new(setup: AdpcmSetup) -> Self {
        let mut plane_of = vec![0; setup.channel_count()];
        for (plane, &stored) in setup.order.iter().enumerate() {
            plane_of[stored] = plane;
        }
        let channel_count = plane_of.len();
        Self {
            setup,
            plane_of,
            running: vec![Ima::default(); channel_count],
            planes: vec![Vec::new(); channel_count],
        }
    }

    fn decode_ima(&mut self, block: &[u8]) -> Result<(), DecodeError> {
        let channel_count = self.plane_of.len();
        let (heads, rest) = block.split_at(4 * channel_count);
        let mut states = Vec::with_capacity(channel_count);
        for (channel, &[low, high, index, _]) in heads.as_chunks().0.iter().enumerate() {
            let state = Ima::new(i16::from_le_bytes([low, high]), index)?;
            self.planes[self.plane_of[channel]].push(state.sample);
            states.push(state);
        }
        for group in rest.chunks_exact(4 * channel_count) {
            for (channel, bytes) in group.as_chunks::<4>().0.iter().enumerate() {
                let plane = &mut self.planes[self.plane_of[channel]];
                for byte in bytes {
                    plane.extend([byte & 15, byte >> 4].map(|nibble| states[channel].next(nibble)));
                }
            }
        }
        Ok(())
    }

    fn decode_quick_time(&mut self, block: &[u8]) -> Result<(), DecodeError> {
        let blocks = block.as_chunks::<QUICK_TIME_BYTES>().0.iter();
        for (channel, [high, low, bytes @ ..]) in blocks.enumerate() {
            // Nine bits of the sample, seven of the index.
            let sample = i16::from_be_bytes([*high, low & 0x80]);
            let stated = Ima::new(sample, low & 0x7f)?;
            let state = &mut self.running[channel];
            // What goes on is known better than those nine bits.
            if state.index != stated.index || (state.sample - stated.sample).abs() > 0x7f {
                *state = stated;
            }
            let plane = &mut self.planes[self.plane_of[channel]];
            plane.reserve(QUICK_TIME_FRAMES);
            for byte in bytes {
                plane.extend([byte & 15, byte >> 4].map(|nibble| state.next(nibble)));
            }
        }
        Ok(())
    }

    fn decode_microsoft(&mut self, block: &[u8]) -> Result<(), DecodeError> {
        let Scheme::Microsoft(table) = &self.setup.scheme else { return Ok(()) };
        let channel_count = self.plane_of.len();
        let (indices, block) = block.split_at(channel_count);
        let (heads, rest) = block.split_at(6 * channel_count);
        let heads: Vec<_> = heads.as_chunks().0.iter().map(|it| i16::from_le_bytes(*it)).collect();
        let mut states = Vec::with_capacity(channel_count);
        for (channel, &index) in indices.iter().enumerate() {
            let coefficients = table.get(usize::from(index)).copied().ok_or_else(|| {
                DecodeError::damaged("a block begins with a predictor that does not exist")
            })?;
            let of = |field: usize| i32::from(heads[field * channel_count + channel]);
            let state = Microsoft { coefficients, step: of(0), history: [of(1), of(2)] };
            self.planes[self.plane_of[channel]].extend([of(2), of(1)]);
            states.push(state);
        }
        let nibbles = rest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (count, nibble) in nibbles.enumerate() {
            let channel = count % channel_count;
            self.planes[self.plane_of[channel]].push(states[channel].next(nibble));
        }
        Ok(())
    }
}

impl Codec for AdpcmCodec {
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let block = &packet.data[..];
        let frame_count = self.setup.frames_in(block.len());
        self.planes.iter_mut().for_each(Vec::clear);
        if frame_count == 0 {
            return Err(DecodeError::damaged("a block is too short"));
        }
        match self.setup.scheme {
            Scheme::Ima => self.decode_ima(block)?,
            Scheme::ImaQuickTime => self.decode_quick_time(block)?,
            Scheme::Microsoft(_) => self.decode_microsoft(block)?,
        }
        self.planes.iter_mut().for_each(|plane| plane.truncate(frame_count));
        Ok(())
    }

    fn frame_count(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    fn channel_count(&self) -> usize {
        self.planes.len()
    }

    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError> {
        match out {
            Samples::Int { bit_depth: BIT_DEPTH, planes } => {
                pcm::copy(&self.planes, range, planes);
                Ok(())
            }
            _ => Err(DecodeError::unsupported("another sample format")),
        }
    }

    fn forget(&mut self) -> Result<(), DecodeError> {
        self.running.fill(Ima::default());
        Ok(())
    }
}
