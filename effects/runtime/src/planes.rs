//! Where a module's inputs and outputs are, and copying to and from there.

use crate::limits;
use thiserror::Error;

/// Bytes of a sample.
const SAMPLE_BYTES: usize = size_of::<f32>();

/// Addresses of all channels, checked against the memory, which never shrinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planes {
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

/// An address that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum PlanesError {
    #[error(
        "{export}({channel}) returned {address}; {bytes} bytes from there are not all in its memory \
         of {memory_bytes} bytes"
    )]
    OutOfBounds {
        export: &'static str,
        channel: usize,
        address: usize,
        bytes: usize,
        memory_bytes: usize,
    },
    #[error("{export}({channel}) returned {address}, which is not a multiple of 4")]
    Misaligned { export: &'static str, channel: usize, address: usize },
    #[error(
        "{export}({channel}) returned {address}, where {bytes} bytes overlap those of \
         {other}({other_channel}) at {other_address}"
    )]
    Overlap {
        export: &'static str,
        channel: usize,
        address: usize,
        other: &'static str,
        other_channel: usize,
        other_address: usize,
        bytes: usize,
    },
}

/// A sample that may not be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BadSample {
    pub(crate) value: f32,
    /// In the piece that was read.
    pub(crate) frame: usize,
}

/// A region with where it came from.
#[derive(Clone, Copy)]
struct Region {
    export: &'static str,
    channel: usize,
    address: usize,
}

impl Planes {
    /// # Errors
    /// When a region of `max_frames` samples is not aligned, not in the memory, or overlaps another
    /// that it may not overlap.
    pub(crate) fn new(
        inputs: &[u32],
        outputs: &[u32],
        max_frames: u32,
        memory_bytes: usize,
    ) -> Result<Self, PlanesError> {
        let bytes = max_frames as usize * SAMPLE_BYTES;
        let regions = |export, addresses: &[u32]| -> Vec<Region> {
            let region =
                |(channel, &address)| Region { export, channel, address: address as usize };
            addresses.iter().enumerate().map(region).collect()
        };
        let all = [regions("fx_in", inputs), regions("fx_out", outputs)].concat();
        for (index, region) in all.iter().enumerate() {
            region.verify(bytes, memory_bytes)?;
            let earlier = all[..index].iter();
            if let Some(other) = earlier.copied().find(|other| region.collides(other, bytes)) {
                return Err(region.overlap(&other, bytes));
            }
        }
        let plain = |addresses: &[u32]| addresses.iter().map(|&address| address as usize).collect();
        Ok(Self { inputs: plain(inputs), outputs: plain(outputs) })
    }

    /// Copies samples to a channel's input. Real-time.
    pub(crate) fn write(&self, memory: &mut [u8], channel: usize, samples: &[f32]) {
        let start = self.inputs[channel];
        let bytes = &mut memory[start..start + samples.len() * SAMPLE_BYTES];
        for (bytes, sample) in bytes.as_chunks_mut().0.iter_mut().zip(samples) {
            *bytes = sample.to_le_bytes();
        }
    }

    /// Copies a channel's output, and says whether it holds a NaN, an infinity or more than the
    /// largest amplitude. Real-time.
    pub(crate) fn read(
        &self,
        memory: &[u8],
        channel: usize,
        samples: &mut [f32],
    ) -> Result<(), BadSample> {
        /// Above this, read as an integer without its sign, are the larger floats, then infinity,
        /// then all NaNs. Integer comparison and `|` make a loop that is vectorized.
        const LARGEST: i32 = limits::OUTPUT_AMPLITUDE_MAX.to_bits().cast_signed();
        let start = self.outputs[channel];
        let bytes = &memory[start..start + samples.len() * SAMPLE_BYTES];
        let mut is_bad = 0;
        // Arrays of four bytes, because four single ones are loaded one by one.
        for (bytes, sample) in bytes.as_chunks().0.iter().zip(samples.iter_mut()) {
            let bits = u32::from_le_bytes(*bytes);
            is_bad |= i32::from((bits & 0x7fff_ffff).cast_signed() > LARGEST);
            *sample = f32::from_bits(bits);
        }
        if is_bad == 0 { Ok(()) } else { Err(first_bad(samples)) }
    }
}

/// The sample that [`Planes::read`] found.
#[cold]
fn first_bad(samples: &[f32]) -> BadSample {
    // The negation is true for NaN, too.
    let is_fine = |sample: &f32| sample.abs() <= limits::OUTPUT_AMPLITUDE_MAX;
    let frame = samples.iter().position(|sample| !is_fine(sample)).unwrap_or(0);
    BadSample { value: samples[frame], frame }
}

impl Region {
    fn verify(&self, bytes: usize, memory_bytes: usize) -> Result<(), PlanesError> {
        let Self { export, channel, address } = *self;
        if address + bytes > memory_bytes {
            let wrong = PlanesError::OutOfBounds { export, channel, address, bytes, memory_bytes };
            return Err(wrong);
        }
        if !address.is_multiple_of(SAMPLE_BYTES) {
            return Err(PlanesError::Misaligned { export, channel, address });
        }
        Ok(())
    }

    /// Whether the two may not be where they are: all but input and output of one channel at one
    /// address.
    fn collides(&self, other: &Self, bytes: usize) -> bool {
        let is_in_place = self.export != other.export
            && self.channel == other.channel
            && self.address == other.address;
        let overlaps = self.address < other.address + bytes && other.address < self.address + bytes;
        overlaps && !is_in_place
    }

    fn overlap(&self, other: &Self, bytes: usize) -> PlanesError {
        PlanesError::Overlap {
            export: self.export,
            channel: self.channel,
            address: self.address,
            other: other.export,
            other_channel: other.channel,
            other_address: other.address,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_place_and_apart_are_allowed() {
        assert!(Planes::new(&[0, 16], &[0, 16], 4, 32).is_ok());
        assert!(Planes::new(&[0, 16], &[32, 48], 4, 64).is_ok());
    }

    #[test]
    fn region_beyond_the_memory_is_refused() {
        for address in [20, 32, u32::MAX - 3] {
            let error = Planes::new(&[address], &[address], 4, 32).unwrap_err();
            assert!(matches!(error, PlanesError::OutOfBounds { .. }), "{error}");
        }
        assert!(Planes::new(&[16], &[16], 4, 32).is_ok());
    }

    #[test]
    fn misaligned_region_is_refused() {
        let error = Planes::new(&[2], &[2], 4, 32).unwrap_err();
        assert_eq!(error.to_string(), "fx_in(0) returned 2, which is not a multiple of 4");
    }

    #[test]
    fn overlaps_are_refused_and_named() {
        let cases: [(&[u32], &[u32]); 5] = [
            (&[0, 12], &[64, 80]),
            (&[0, 16], &[64, 76]),
            (&[0, 16], &[16, 0]),
            (&[0, 16], &[4, 32]),
            (&[0, 0], &[64, 80]),
        ];
        for (inputs, outputs) in cases {
            let error = Planes::new(inputs, outputs, 4, 128).unwrap_err();
            assert!(matches!(error, PlanesError::Overlap { .. }), "{inputs:?} {outputs:?}");
        }
        let error = Planes::new(&[0], &[8], 4, 128).unwrap_err().to_string();
        assert_eq!(error, "fx_out(0) returned 8, where 16 bytes overlap those of fx_in(0) at 0");
    }

    #[test]
    fn samples_travel_as_little_endian_bytes() {
        let planes = Planes::new(&[4], &[4], 1, 8).unwrap();
        let mut memory = [0xee; 8];
        planes.write(&mut memory, 0, &[-0.5]);
        assert_eq!(memory, [0xee, 0xee, 0xee, 0xee, 0, 0, 0, 0xbf]);
        let mut samples = [0.0];
        assert_eq!(planes.read(&memory, 0, &mut samples), Ok(()));
        assert_eq!(samples.map(f32::to_bits), [(-0.5f32).to_bits()]);
    }

    #[test]
    fn bad_samples_are_found_wherever_they_are() {
        let planes = Planes::new(&[0], &[0], 40, 160).unwrap();
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.1e6, -1e30] {
            for frame in [0, 1, 31, 39] {
                let mut plane = [0.25; 40];
                plane[frame] = bad;
                let mut memory = [0; 160];
                planes.write(&mut memory, 0, &plane);
                let found = planes.read(&memory, 0, &mut [0.0; 40]).unwrap_err();
                assert_eq!((found.frame, found.value.to_bits()), (frame, bad.to_bits()));
            }
        }
        let mut memory = [0; 160];
        planes.write(&mut memory, 0, &[1e6, -1e6, 0.0, -0.0]);
        assert_eq!(planes.read(&memory, 0, &mut [0.0; 4]), Ok(()));
    }
}
