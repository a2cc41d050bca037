//! The module under test, and how it is played.

use super::judge::Stop;
use super::signal::Planes;
use crate::create::CreateError;
use crate::description::{Description, Param};
use crate::effect::Effect;
use crate::fault::{Failure, Fault};
use crate::load::LoadError;
use crate::module::Module;
use crate::sandbox::{Mode, Sandbox};
use crate::settings::Settings;
use std::cell::Cell;
use std::collections::BTreeMap;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::descriptor::ParamValue;
use wavemill_core::processor::{Processor, Status};

/// Fuel of all checks together. At one instruction a nanosecond they take two minutes.
const FUEL_MAX: u64 = 120_000_000_000;

/// Fuel that one play through may take: costly modules are played for a shorter time.
const FUEL_OF_A_PLAY: f64 = 1e9;

/// Fewest frames of a play, however costly: some blocks of every size.
const FRAMES_MIN: usize = 8_192;

/// Most frames of one call where nothing else is asked.
pub(super) const MAX_FRAMES: usize = 4_096;

/// Presets that checks with many runs try; the others are only played once.
pub(super) const PRESETS_TRIED: usize = 8;

/// A module that was loaded.
pub(super) struct Subject<'a> {
    module: Module,
    bytes: &'a [u8],
    fuel_left: Cell<u64>,
    cost: Cell<Cost>,
}

/// What the module costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) fuel_per_frame: Option<f64>,
    pub(super) fuel_of_dearest_call: Option<u64>,
}

/// Settings and what they are called.
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) settings: Settings,
}

/// How a signal is played.
#[derive(Clone)]
pub(super) struct Play<'a> {
    pub(super) spec: StreamSpec,
    pub(super) settings: &'a Settings,
    /// What the effect is created for.
    pub(super) max_frames: usize,
    /// Frames of the blocks, over and over.
    pub(super) blocks: &'a [usize],
}

/// What came out.
#[derive(Default)]
pub(super) struct Response {
    pub(super) planes: Planes,
    /// Fuel of all calls, without creation.
    pub(super) fuel: u64,
    /// Fuel of the dearest call.
    pub(super) dearest_call: u64,
    /// Frames after which the effect last said that it is silent, if it said so.
    pub(super) silences: Vec<usize>,
}

impl<'a> Subject<'a> {
    /// Loads a module into a sandbox that counts.
    pub(super) fn load(bytes: &'a [u8], memory_mib: u32) -> Result<Self, LoadError> {
        let module = sandbox(Mode::Metered)?.load(bytes, memory_mib)?;
        let (fuel_left, cost) = (Cell::new(FUEL_MAX), Cell::new(Cost::default()));
        Ok(Self { module, bytes, fuel_left, cost })
    }

    /// The same module without counting, with this many MiB of memory.
    pub(super) fn twin(&self, memory_mib: u32) -> Result<Self, Stop> {
        let module = sandbox(Mode::File).and_then(|sandbox| sandbox.load(self.bytes, memory_mib));
        let module = module.map_err(|error| Stop::broke(error.to_string()))?;
        Ok(Self {
            module,
            bytes: self.bytes,
            fuel_left: Cell::new(FUEL_MAX),
            cost: self.cost.clone(),
        })
    }

    pub(super) fn description(&self) -> &Description {
        self.module.description()
    }

    /// Memory an instance may have, in MiB.
    pub(super) fn memory_mib(&self) -> u32 {
        self.module.memory_mib()
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost.get()
    }

    pub(super) fn set_cost(&self, cost: Cost) {
        self.cost.set(cost);
    }

    /// The stream most checks use: stereo at 48 kHz, or what comes nearest.
    pub(super) fn spec(&self) -> StreamSpec {
        StreamSpec::new(self.sample_rate_hz(), self.channel_count())
    }

    pub(super) fn channel_count(&self) -> usize {
        let (min, max) = self.description().channels;
        2.clamp(min, max) as usize
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        let rates = &self.description().sample_rates;
        let nearest = rates.iter().min_by_key(|rate| rate.abs_diff(48_000));
        nearest.copied().unwrap_or(48_000)
    }

    /// Frames in so many seconds, fewer for a costly module.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    pub(super) fn frames(&self, seconds: f64) -> usize {
        let wanted = seconds * f64::from(self.sample_rate_hz());
        let affordable = FUEL_OF_A_PLAY / self.cost().fuel_per_frame.unwrap_or(1.0).max(1.0);
        (wanted.min(affordable) as usize).max(FRAMES_MIN.min(wanted as usize))
    }

    /// The defaults.
    pub(super) fn defaults(&self) -> Settings {
        Settings::defaults(self.description())
    }

    /// The defaults with one parameter at another value.
    pub(super) fn with(&self, param: &Param, value: f64) -> Result<Setup, Stop> {
        let given = BTreeMap::from([(param.key.clone(), ParamValue::Number(value))]);
        let settings = Settings::of(self.description(), None, &given).map_err(|errors| {
            Stop::broke(errors.iter().map(ToString::to_string).next().unwrap_or_default())
        })?;
        Ok(Setup { name: format!("with {} = {value}", param.key), settings })
    }

    /// The settings of a preset.
    pub(super) fn preset(&self, name: &str) -> Result<Setup, Stop> {
        let settings =
            Settings::of(self.description(), Some(name), &BTreeMap::new()).map_err(|errors| {
                Stop::broke(errors.iter().map(ToString::to_string).next().unwrap_or_default())
            })?;
        Ok(Setup { name: format!("with the preset `{name}`"), settings })
    }

    /// The defaults, then the first presets.
    pub(super) fn setups(&self) -> Result<Vec<Setup>, Stop> {
        let defaults = Setup { name: "with its defaults".to_owned(), settings: self.defaults() };
        let presets = self.description().presets.iter().take(PRESETS_TRIED);
        let presets = presets.map(|preset| self.preset(&preset.name));
        std::iter::once(Ok(defaults)).chain(presets).collect()
    }

    /// The defaults with each parameter at each end.
    pub(super) fn extremes(&self) -> Result<Vec<Setup>, Stop> {
        let params = &self.description().params;
        let ends = params.iter().flat_map(|param| [(param, param.min), (param, param.max)]);
        ends.filter(|(param, value)| value.to_bits() != param.default.to_bits())
            .map(|(param, value)| self.with(param, value))
            .collect()
    }

    /// The usual way of playing.
    pub(super) fn usual<'s>(&self, settings: &'s Settings) -> Play<'s> {
        const BLOCKS: &[usize] = &[MAX_FRAMES];
        Play { spec: self.spec(), settings, max_frames: MAX_FRAMES, blocks: BLOCKS }
    }

    /// A fresh instance.
    pub(super) fn effect(&self, play: &Play<'_>) -> Result<Effect, Stop> {
        let effect = self.module.instantiate(&play.spec, play.settings, play.max_frames);
        let effect = effect.map_err(|error| self.not_created(&error))?;
        self.pay(effect.fuel_used().unwrap_or(0))?;
        Ok(effect)
    }

    /// Plays a signal through a new instance.
    pub(super) fn play(&self, play: &Play<'_>, input: &Planes) -> Result<Response, Stop> {
        self.feed(&mut self.effect(play)?, play.blocks, input)
    }

    /// Plays a signal through an instance that may have processed others before.
    pub(super) fn feed(
        &self,
        effect: &mut Effect,
        blocks: &[usize],
        input: &Planes,
    ) -> Result<Response, Stop> {
        let frame_count = input.first().map_or(0, Vec::len);
        let largest = blocks.iter().copied().max().unwrap_or(1);
        let mut response = Response {
            planes: vec![Vec::with_capacity(frame_count); input.len()],
            ..Response::default()
        };
        let mut block = Block::new(input.len(), largest);
        let mut start = 0;
        for wanted in blocks.iter().cycle() {
            if start == frame_count {
                break;
            }
            let count = (*wanted).min(frame_count - start);
            block.set_frame_count(count);
            for (channel, plane) in input.iter().enumerate() {
                block.plane_mut(channel).copy_from_slice(&plane[start..start + count]);
            }
            let before = effect.fuel_used().unwrap_or(0);
            let status = effect.process(&mut block);
            let fuel = effect.fuel_used().unwrap_or(0).saturating_sub(before);
            start += count;
            match status {
                Status::Failed => return Err(self.not_processed(effect)),
                Status::Silent => response.silences.push(start),
                Status::Continue => {}
            }
            for (plane, samples) in response.planes.iter_mut().zip(block.planes()) {
                plane.extend_from_slice(samples);
            }
            response.fuel += fuel;
            response.dearest_call = response.dearest_call.max(fuel);
            self.pay(fuel)?;
        }
        Ok(response)
    }

    fn pay(&self, fuel: u64) -> Result<(), Stop> {
        let left = self.fuel_left.get().saturating_sub(fuel);
        self.fuel_left.set(left);
        if left == 0 { Err(Stop::Spent) } else { Ok(()) }
    }

    fn not_created(&self, error: &CreateError) -> Stop {
        let returned = match error {
            CreateError::Failed(Failure { fault: Fault::Returned(code), .. }) => Some(*code),
            _ => None,
        };
        Stop::Broke { reason: self.short(&error.to_string()), sample: None, returned }
    }

    fn not_processed(&self, effect: &Effect) -> Stop {
        let reason = effect.failure().unwrap_or_else(|| "it failed without a reason".to_owned());
        let sample = match effect.fault() {
            Some(Fault::Sample { value, .. }) => Some(value),
            _ => None,
        };
        Stop::Broke { reason: self.short(&reason), sample, returned: None }
    }

    /// Without the effect's name: reports say whose they are.
    fn short(&self, reason: &str) -> String {
        let name = format!("effect `{}`: ", self.description().name);
        reason.strip_prefix(&name).unwrap_or(reason).to_owned()
    }
}

fn sandbox(mode: Mode) -> Result<Sandbox, LoadError> {
    Sandbox::new(mode, None).map_err(|error| LoadError::Compiler { reason: error.to_string() })
}
