//! An effect behind the contract's functions: what `export_effect!` exports.

use alloc::vec::Vec;

use crate::{Block, CreateError, Description, Effect, Flow, Setup, Tail};

/// Results of the contract.
const CONTINUE: i32 = 0;
const SILENT: i32 = 1;
const ERROR: i32 = -1;
const ERROR_SAMPLE_RATE: i32 = -2;
const ERROR_CHANNELS: i32 = -3;
const ERROR_PARAMS: i32 = -5;
const TAIL_INFINITE: u32 = u32::MAX;

/// Between the planes of two channels, in samples: a cache line, so that planes of 2^n frames do
/// not compete for the same lines of the cache.
const GAP: usize = 16;

/// Four samples, aligned for vector loads.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Quad([f32; 4]);

/// One instance of an effect, with the memory a host writes to and reads from. `PARAMS` is the
/// number of its parameters.
#[derive(Debug)]
pub struct Instance<E, const PARAMS: usize> {
    params: [(u32, f64); PARAMS],
    effect: Option<E>,
    samples: Samples,
    stride: usize,
    channels: usize,
    max_frames: usize,
}

/// Planes of all channels.
struct Samples(Vec<Quad>);

impl core::fmt::Debug for Samples {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Samples")
    }
}

impl Samples {
    fn as_mut_slice(&mut self) -> &mut [f32] {
        let samples = self.0.len() * 4;
        // SAFETY: a `Quad` is four `f32` without padding.
        unsafe { core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), samples) }
    }
}

impl<E: Effect, const PARAMS: usize> Instance<E, PARAMS> {
    /// An instance that was not created yet, with the defaults of all parameters.
    ///
    /// # Panics
    /// When the description has not `PARAMS` parameters.
    pub const fn new() -> Self {
        Self {
            params: defaults(&E::DESCRIPTION),
            effect: None,
            samples: Samples(Vec::new()),
            stride: 0,
            channels: 0,
            max_frames: 0,
        }
    }

    /// Gives back all memory.
    pub fn clear(&mut self) {
        self.effect = None;
        self.samples = Samples(Vec::new());
        self.channels = 0;
    }

    /// `fx_create`.
    ///
    /// # Errors
    /// Result of the contract, and the reason.
    pub fn create(
        &mut self,
        sample_rate: f64,
        channels: usize,
        max_frames: usize,
    ) -> Result<i32, (i32, &'static str)> {
        self.clear();
        let setup = Setup { sample_rate, channels, max_frames, params: &self.params };
        self.effect = Some(E::create(&setup).map_err(|error| match error {
            CreateError::SampleRate(reason) => (ERROR_SAMPLE_RATE, reason),
            CreateError::Channels(reason) => (ERROR_CHANNELS, reason),
            CreateError::Params(reason) => (ERROR_PARAMS, reason),
            CreateError::Other(reason) => (ERROR, reason),
        })?);
        self.stride = max_frames.next_multiple_of(4) + GAP;
        self.channels = channels;
        self.max_frames = max_frames;
        self.samples.0.resize(self.stride * channels / 4, Quad([0.0; 4]));
        Ok(CONTINUE)
    }

    /// `fx_in` and `fx_out`: the same address, since effects work in place. Null for a channel that
    /// does not exist.
    pub fn plane(&mut self, channel: usize) -> *mut f32 {
        if channel >= self.channels {
            return core::ptr::null_mut();
        }
        self.samples.as_mut_slice()[channel * self.stride..].as_mut_ptr()
    }

    /// `fx_process`.
    ///
    /// # Errors
    /// Result of the contract, and the reason.
    #[inline]
    pub fn process(&mut self, frames: usize) -> Result<i32, (i32, &'static str)> {
        let Some(effect) = &mut self.effect else {
            return Err((ERROR, "fx_process before fx_create"));
        };
        if frames > self.max_frames {
            return Err((ERROR, "fx_process with more frames than fx_create was told"));
        }
        let mut block = Block::new(self.samples.as_mut_slice(), self.stride, frames);
        match effect.process(&mut block) {
            Flow::Continue => Ok(CONTINUE),
            Flow::Silent => Ok(SILENT),
            Flow::Failed(reason) => Err((ERROR, reason)),
        }
    }

    /// `fx_set_param`. An id that does not exist is ignored.
    pub fn set_param(&mut self, id: u32, value: f64) {
        for (at, (known, stored)) in self.params.iter_mut().enumerate() {
            if *known == id {
                *stored = value;
                let needs_restart = E::DESCRIPTION.params[at].needs_restart;
                if let (Some(effect), false) = (&mut self.effect, needs_restart) {
                    effect.set_param(id, value);
                }
            }
        }
    }

    /// `fx_reset`.
    pub fn reset(&mut self) {
        if let Some(effect) = &mut self.effect {
            effect.reset();
        }
    }

    /// `fx_latency`.
    pub fn latency(&self) -> u32 {
        self.effect.as_ref().map_or(0, Effect::latency)
    }

    /// `fx_tail`.
    pub fn tail(&self) -> u32 {
        match self.effect.as_ref().map(Effect::tail) {
            None => 0,
            Some(Tail::Frames(frames)) => frames,
            Some(Tail::Infinite) => TAIL_INFINITE,
        }
    }

    /// `fx_meter`: within the meter's range; 0 for a number that is no meter.
    pub fn meter(&self, index: usize) -> f32 {
        let (Some(effect), Some(meter)) = (&self.effect, E::DESCRIPTION.meters.get(index)) else {
            return 0.0;
        };
        let reading = effect.meter(index);
        #[expect(clippy::cast_possible_truncation, reason = "a display")]
        let (min, max) = (meter.min as f32, meter.max as f32);
        // Not `clamp`, which can panic.
        let reading = if reading < max { reading } else { max };
        if reading > min { reading } else { min }
    }
}

impl<E: Effect, const PARAMS: usize> Default for Instance<E, PARAMS> {
    fn default() -> Self {
        Self::new()
    }
}

/// The defaults of all parameters.
const fn defaults<const PARAMS: usize>(description: &Description) -> [(u32, f64); PARAMS] {
    assert!(description.params.len() == PARAMS, "PARAMS is not the number of parameters");
    let mut defaults = [(0, 0.0); PARAMS];
    let mut at = 0;
    while at < PARAMS {
        defaults[at] = (description.params[at].id, description.params[at].default);
        at += 1;
    }
    defaults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Meter, Param};

    /// Multiplies by a factor, and fails on request.
    struct Gain {
        factor: f32,
        offset: f64,
    }

    impl Effect for Gain {
        const DESCRIPTION: Description = Description::new("gain", "Gain", "1.0.0")
            .params(&[
                Param::new(3, "factor", "Factor", (0.0, 2.0, 0.5)),
                Param::new(9, "offset", "Offset", (0.0, 2.0, 1.0)).restart(),
            ])
            .meters(&[Meter::new("factor", "Factor", (0.0, 1.0))]);

        fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
            if setup.sample_rate < 8_000.0 {
                return Err(CreateError::SampleRate("8 kHz at least"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "a factor")]
            Ok(Self { factor: setup.param(3) as f32, offset: setup.param(9) })
        }

        #[expect(clippy::cast_possible_truncation, reason = "a factor")]
        fn set_param(&mut self, id: u32, value: f64) {
            assert_eq!(id, 3, "the other one needs a restart");
            self.factor = value as f32;
        }

        fn process(&mut self, block: &mut Block<'_>) -> Flow {
            for plane in block.planes_mut() {
                for sample in plane {
                    *sample *= self.factor;
                }
            }
            if self.factor > 1.9 { Flow::Failed("too much") } else { Flow::Continue }
        }

        fn reset(&mut self) {}

        fn latency(&self) -> u32 {
            7
        }

        fn tail(&self) -> Tail {
            Tail::Infinite
        }

        fn meter(&self, _: usize) -> f32 {
            self.factor
        }
    }

    fn write(instance: &mut Instance<Gain, 2>, channel: usize, samples: &[f32]) {
        let plane = instance.plane(channel);
        // SAFETY: the plane has room for the frames that the instance was created with.
        unsafe { plane.copy_from(samples.as_ptr(), samples.len()) };
    }

    fn read(instance: &mut Instance<Gain, 2>, channel: usize, frames: usize) -> Vec<f32> {
        let plane = instance.plane(channel);
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts(plane, frames) }.to_vec()
    }

    #[test]
    fn blocks_of_every_size_are_processed_in_place() {
        let mut instance = Instance::<Gain, 2>::new();
        assert_eq!(instance.create(48_000.0, 3, 5), Ok(0));
        for channel in 0..3 {
            assert_eq!(instance.plane(channel) as usize % 16, 0, "aligned for vectors");
        }
        for frames in 1..=5 {
            write(&mut instance, 2, &[4.0; 5]);
            assert_eq!(instance.process(frames), Ok(0));
            let expected = (0..5).map(|at| if at < frames { 2.0 } else { 4.0 });
            assert!(read(&mut instance, 2, 5).into_iter().eq(expected));
        }
        assert!(instance.process(6).is_err());
        assert!(instance.plane(3).is_null());
    }

    #[test]
    fn params_set_before_create_are_kept_and_restart_ones_wait_for_it() {
        let mut instance = Instance::<Gain, 2>::new();
        instance.set_param(3, 1.5);
        instance.set_param(9, 2.0);
        instance.set_param(77, 1.0);
        instance.create(48_000.0, 1, 4).unwrap();
        assert_eq!(instance.effect.as_ref().unwrap().factor, 1.5);
        assert_eq!(instance.effect.as_ref().unwrap().offset, 2.0);
        instance.set_param(3, 0.25);
        instance.set_param(9, 0.0);
        assert_eq!(instance.effect.as_ref().unwrap().factor, 0.25);
        assert_eq!(instance.effect.as_ref().unwrap().offset, 2.0);
        instance.create(48_000.0, 1, 4).unwrap();
        assert_eq!(instance.effect.as_ref().unwrap().offset, 0.0);
    }

    #[test]
    fn meters_stay_within_their_ranges() {
        let mut instance = Instance::<Gain, 2>::new();
        assert_eq!(instance.meter(0), 0.0);
        instance.create(48_000.0, 1, 4).unwrap();
        for (factor, shown) in [(0.5, 0.5), (1.5, 1.0), (-1.0, 0.0), (f64::NAN, 1.0)] {
            instance.set_param(3, factor);
            assert_eq!((instance.meter(0), instance.meter(1)), (shown, 0.0));
        }
    }

    #[test]
    fn errors_have_the_contracts_numbers_and_a_reason() {
        let mut instance = Instance::<Gain, 2>::new();
        assert_eq!(instance.process(1), Err((-1, "fx_process before fx_create")));
        assert_eq!(instance.create(4_000.0, 1, 4), Err((-2, "8 kHz at least")));
        assert_eq!(instance.latency(), 0);
        instance.set_param(3, 2.0);
        instance.create(48_000.0, 1, 4).unwrap();
        assert_eq!(instance.process(4), Err((-1, "too much")));
        assert_eq!((instance.latency(), instance.tail()), (7, u32::MAX));
    }
}
