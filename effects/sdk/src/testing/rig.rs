//! One instance of an effect, driven as a host drives it.

use crate::{Block, CreateError, Effect, Flow, Param, Setup, Tail};

/// An effect on a test bench.
///
/// ```
/// # use wavemill_effect::{Block, CreateError, Description, Effect, Flow, Param, Setup};
/// # struct Gain(f32);
/// # impl Effect for Gain {
/// #     const DESCRIPTION: Description = Description::new("gain", "Gain", "1.0.0")
/// #         .params(&[Param::new(0, "factor", "Factor", (0.0, 2.0, 1.0))]);
/// #     fn create(setup: &Setup<'_>) -> Result<Self, CreateError> {
/// #         Ok(Self(setup.param(0) as f32))
/// #     }
/// #     fn set_param(&mut self, _: u32, value: f64) {
/// #         self.0 = value as f32;
/// #     }
/// #     fn process(&mut self, block: &mut Block<'_>) -> Flow {
/// #         for plane in block.planes_mut() {
/// #             plane.iter_mut().for_each(|sample| *sample *= self.0);
/// #         }
/// #         Flow::Continue
/// #     }
/// #     fn reset(&mut self) {}
/// # }
/// use wavemill_effect::testing::Rig;
///
/// let mut rig = Rig::<Gain>::new(48_000.0, 1, 256).with("factor", 0.5);
/// rig.start().unwrap();
/// let mut signal = vec![vec![1.0; 300]];
/// rig.process(&mut signal, 100);
/// assert_eq!(signal[0][299], 0.5);
/// rig.set("factor", 0.25);
/// rig.process(&mut signal, 256);
/// assert_eq!(signal[0][0], 0.125);
/// ```
#[derive(Debug)]
pub struct Rig<E> {
    sample_rate: f64,
    channels: usize,
    max_frames: usize,
    params: Vec<(u32, f64)>,
    samples: Vec<f32>,
    effect: Option<E>,
    /// Whether the effect has said that it is silent until its input is not.
    is_silent: bool,
}

impl<E: Effect> Rig<E> {
    /// A rig with the defaults of all parameters: `sample_rate` in Hz, blocks of at most
    /// `max_frames` frames.
    ///
    /// # Panics
    /// When the description does not allow this rate or number of channels.
    pub fn new(sample_rate: f64, channels: usize, max_frames: usize) -> Self {
        let description = E::DESCRIPTION;
        let (min, max) = description.channels;
        let allowed = min as usize..=max as usize;
        assert!(
            allowed.contains(&channels),
            "{channels} channels; the description says {allowed:?}"
        );
        let rates = description.sample_rates;
        let is_allowed = rates.iter().any(|rate| (f64::from(*rate) - sample_rate).abs() < 0.5);
        assert!(rates.is_empty() || is_allowed, "{sample_rate} Hz; the description says {rates:?}");
        assert!((1..=65_536).contains(&max_frames), "blocks of 1 to 65,536 frames");
        Self {
            sample_rate,
            channels,
            max_frames,
            params: description.params.iter().map(|param| (param.id, param.default)).collect(),
            samples: Vec::new(),
            effect: None,
            is_silent: false,
        }
    }

    /// Sets a parameter before the start.
    ///
    /// # Panics
    /// When there is no such parameter, or the value lies outside its range.
    #[must_use]
    pub fn with(mut self, key: &str, value: f64) -> Self {
        self.store(param::<E>(key), value);
        self
    }

    /// Sets several parameters before the start.
    ///
    /// # Panics
    /// As [`Rig::with`].
    #[must_use]
    pub fn with_all(self, values: &[(&str, f64)]) -> Self {
        values.iter().fold(self, |rig, (key, value)| rig.with(key, *value))
    }

    /// Sets a preset before the start.
    ///
    /// # Panics
    /// When there is no such preset, or it names what does not exist.
    #[must_use]
    pub fn preset(self, name: &str) -> Self {
        let presets = E::DESCRIPTION.presets;
        let preset = presets.iter().find(|preset| preset.name == name);
        self.with_all(preset.unwrap_or_else(|| panic!("there is no preset `{name}`")).values)
    }

    /// Creates the effect; again, if it was created before.
    ///
    /// # Errors
    /// Those of the effect.
    pub fn start(&mut self) -> Result<(), CreateError> {
        let setup = Setup {
            sample_rate: self.sample_rate,
            channels: self.channels,
            max_frames: self.max_frames,
            params: &self.params,
        };
        self.effect = Some(E::create(&setup)?);
        self.samples = vec![0.0; self.max_frames * self.channels];
        self.is_silent = false;
        Ok(())
    }

    /// Processes a signal, `[channel][frame]`, in place, in blocks of at most `block_frames`
    /// frames.
    ///
    /// # Panics
    /// When the effect was not started or fails, the signal has other channels or `block_frames` is
    /// more than the rig's, or the effect said that it is silent and is not.
    pub fn process(&mut self, signal: &mut [Vec<f32>], block_frames: usize) {
        assert!(
            (1..=self.max_frames).contains(&block_frames),
            "blocks of 1 to {}",
            self.max_frames
        );
        assert_eq!(signal.len(), self.channels, "channels of the signal");
        let frames = signal.first().map_or(0, Vec::len);
        for start in (0..frames).step_by(block_frames) {
            self.process_block(signal, start, block_frames.min(frames - start));
        }
    }

    fn process_block(&mut self, signal: &mut [Vec<f32>], start: usize, frames: usize) {
        let stride = self.max_frames;
        // What lies beyond the block's frames is not the effect's business.
        self.samples.fill(f32::NAN);
        for (plane, channel) in self.samples.chunks_exact_mut(stride).zip(&*signal) {
            plane[..frames].copy_from_slice(&channel[start..][..frames]);
        }
        let is_zero = |plane: &Vec<f32>| plane[start..][..frames].iter().all(|s| *s == 0.0);
        let must_be_silent = self.is_silent && signal.iter().all(is_zero);
        let effect = self.effect.as_mut().expect("call `start` first");
        let flow = effect.process(&mut Block::new(&mut self.samples, stride, frames));
        if let Flow::Failed(reason) = flow {
            panic!("the effect failed: {reason}");
        }
        self.copy_out(signal, start, frames);
        let is_silent = !must_be_silent || signal.iter().all(is_zero);
        assert!(is_silent, "it said `Silent`, and the next block is not");
        self.is_silent = must_be_silent || flow == Flow::Silent;
    }

    fn copy_out(&self, signal: &mut [Vec<f32>], start: usize, frames: usize) {
        for (plane, channel) in self.samples.chunks_exact(self.max_frames).zip(signal) {
            channel[start..][..frames].copy_from_slice(&plane[..frames]);
        }
    }

    /// Sets a parameter from the next frame on.
    ///
    /// # Panics
    /// When the effect was not started, there is no such parameter, the value lies outside its
    /// range, or it is only set before a start.
    pub fn set(&mut self, key: &str, value: f64) {
        let param = param::<E>(key);
        assert!(!param.needs_restart, "`{key}` is only set before `start`");
        self.store(param, value);
        self.effect_mut().set_param(param.id, value);
    }

    fn store(&mut self, param: &Param, value: f64) {
        let (min, max) = (param.min, param.max);
        assert!((min..=max).contains(&value), "`{}` is {value}, not in {min}..={max}", param.key);
        for (id, stored) in &mut self.params {
            if *id == param.id {
                *stored = value;
            }
        }
    }

    /// The value of a parameter.
    pub(super) fn value(&self, param: &Param) -> f64 {
        let stored = self.params.iter().find(|(id, _)| *id == param.id);
        stored.map_or(param.default, |(_, value)| *value)
    }

    /// Forgets the signal.
    ///
    /// # Panics
    /// When the effect was not started.
    pub fn reset(&mut self) {
        self.effect_mut().reset();
        self.is_silent = false;
    }

    /// Frames by which output lags behind input.
    ///
    /// # Panics
    /// When the effect was not started.
    pub fn latency(&self) -> u32 {
        self.effect().latency()
    }

    /// How long it sounds after its input ended.
    ///
    /// # Panics
    /// When the effect was not started.
    pub fn tail(&self) -> Tail {
        self.effect().tail()
    }

    /// The effect for who wants to drive it alone: measurements, above all.
    ///
    /// # Panics
    /// When it was not started.
    pub fn into_effect(self) -> E {
        self.effect.expect("call `start` first")
    }

    /// The effect itself.
    ///
    /// # Panics
    /// When it was not started.
    pub fn effect(&self) -> &E {
        self.effect.as_ref().expect("call `start` first")
    }

    /// The effect itself, to drive it without the rig's checks.
    pub(super) fn effect_mut(&mut self) -> &mut E {
        self.effect.as_mut().expect("call `start` first")
    }
}

/// The parameter with this key.
fn param<E: Effect>(key: &str) -> &'static Param {
    let params = E::DESCRIPTION.params;
    params.iter().find(|param| param.key == key).unwrap_or_else(|| {
        let keys: Vec<&str> = params.iter().map(|param| param.key).collect();
        panic!("there is no parameter `{key}`; there are {keys:?}")
    })
}
