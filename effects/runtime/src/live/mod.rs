//! An effect in a live stream: it never fails, because a show must go on.
//!
//! A module that traps, is late or writes absurd samples is bypassed: within
//! [`limits::LIVE_FADE_TIME`] the dry signal, delayed as the effect delayed it, takes over. Another thread
//! ([`LiveKeeper`]) takes the broken instance and hands in a fresh one. After
//! [`limits::LIVE_STRIKES_MAX`] times the effect stays bypassed.

mod dry;
mod slot;

use crate::create::CreateError;
use crate::description::Description;
use crate::effect::{Effect, PlacedFault};
use crate::limits;
use crate::module::Module;
use crate::settings::Settings;
use dry::DryLine;
use slot::Slot;
use std::sync::Arc;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Properties, Status, Tail};
use wavemill_core::units::Frames;

/// The audio thread's side.
pub struct LiveEffect {
    /// The instance at work; `None` while the effect is bypassed.
    effect: Option<Box<Effect>>,
    /// An instance for the other thread, until its slot is free.
    leaving: Option<OldInstance>,
    slots: Arc<Slots>,
    /// Every automatable parameter with its value: a new instance gets those of now.
    values: Vec<(u32, f64)>,
    dry: DryLine,
    /// Output of the last frame, one sample a channel: what a broken effect is faded out from.
    held: Vec<f32>,
    /// Share of the effect in the output, 0 to 1.
    wet_share: f32,
    /// Change of the share in a frame.
    share_step: f32,
    /// Frames a new instance processes before its output is used: its latency.
    warming: u64,
    latency: Frames,
    tail: Tail,
    strike_count: u32,
}

/// The setup thread's side: it replaces broken instances, and reports why they broke.
pub struct LiveKeeper {
    module: Module,
    spec: StreamSpec,
    settings: Settings,
    max_frames: usize,
    slots: Arc<Slots>,
    strike_count: u32,
}

/// Why an effect was bypassed.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// One line with the effect, the reason and what the module said.
    pub reason: String,
    /// How often it was bypassed so far.
    pub strike_count: u32,
    /// Whether it stays so.
    pub is_final: bool,
}

/// What passes between the two threads.
#[derive(Default)]
struct Slots {
    worn: Slot<OldInstance>,
    fresh: Slot<Box<Effect>>,
}

/// An instance that is of no more use.
struct OldInstance {
    effect: Box<Effect>,
    /// `None` where it was only reset and has no `fx_reset`.
    broken: Option<PlacedFault>,
}

/// Makes both sides. The module should come from a sandbox for
/// [`Mode::Live`](crate::sandbox::Mode::Live), whose deadlines are short.
///
/// # Errors
/// When there is no first instance.
pub fn live(
    module: &Module,
    spec: &StreamSpec,
    settings: &Settings,
    max_frames: usize,
) -> Result<(LiveEffect, LiveKeeper), CreateError> {
    let max_frames = max_frames.clamp(1, limits::FRAMES_MAX);
    let effect = instance(module, spec, settings, max_frames)?;
    let (latency, tail) = (effect.latency(), effect.tail());
    let slots = Arc::new(Slots::default());
    let fade_frames = f64::from(spec.sample_rate.0) * limits::LIVE_FADE_TIME.as_secs_f64();
    let audio = LiveEffect {
        effect: Some(effect),
        leaving: None,
        slots: Arc::clone(&slots),
        values: automatable(module.description(), settings),
        dry: DryLine::new(spec.channel_count(), latency.as_usize(), max_frames),
        held: vec![0.0; spec.channel_count()],
        wet_share: 1.0,
        share_step: share_step(fade_frames),
        warming: 0,
        latency,
        tail,
        strike_count: 0,
    };
    let keeper = LiveKeeper {
        module: module.clone(),
        spec: spec.clone(),
        settings: settings.clone(),
        max_frames,
        slots,
        strike_count: 0,
    };
    Ok((audio, keeper))
}

fn automatable(description: &Description, settings: &Settings) -> Vec<(u32, f64)> {
    let is_automatable =
        |id: u32| description.params.iter().any(|param| param.id == id && param.is_automatable);
    settings.iter().filter(|(id, _)| is_automatable(*id)).collect()
}

/// An instance whose memory and code were touched, so that the audio thread does not wait for pages.
fn instance(
    module: &Module,
    spec: &StreamSpec,
    settings: &Settings,
    max_frames: usize,
) -> Result<Box<Effect>, CreateError> {
    let mut effect = module.instantiate(spec, settings, max_frames)?;
    effect.warm_up().map_err(|broken| CreateError::Failed(effect.explain(broken)))?;
    Ok(Box::new(effect))
}

#[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
fn share_step(fade_frames: f64) -> f32 {
    // A little early rather than late: rounding must not stretch the fade beyond its time.
    (1.0 / (fade_frames - 1.0).max(1.0)) as f32
}

impl LiveEffect {
    /// Frames by which output lags behind input.
    pub fn latency(&self) -> Frames {
        self.latency
    }

    /// How long it sounds after the input's end.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Sets a parameter from the next frame on, also of instances to come; `false` when it is none
    /// that can be set. Real-time.
    pub fn set(&mut self, id: u32, value: f64) -> bool {
        let is_set = match &mut self.effect {
            Some(effect) => effect.set(id, value),
            None => self.values.iter().any(|(known, _)| *known == id),
        };
        if let Some(known) = self.values.iter_mut().find(|(known, _)| *known == id && is_set) {
            known.1 = value;
        }
        is_set
    }

    /// How often the effect was bypassed.
    pub fn strike_count(&self) -> u32 {
        self.strike_count
    }

    /// Whether the output is, at this moment, the dry signal alone.
    pub fn is_bypassed(&self) -> bool {
        self.wet_share <= 0.0
    }

    /// Processes frames `[start, start + count)`, no more than the dry line holds.
    fn process_piece(&mut self, block: &mut Block, start: usize, count: usize) -> Status {
        self.dry.write(block, start, count);
        let result = self.effect.as_mut().map(|effect| {
            let mut allowance = effect.usual_allowance(count);
            effect.advance(block, start, count, &mut allowance)
        });
        let status = match result {
            Some(Ok(status)) if self.warming == 0 && self.wet_share >= 1.0 => {
                self.hold(block, start + count - 1);
                return status;
            }
            Some(Ok(_)) => {
                self.blend(block, start, count);
                Status::Continue
            }
            Some(Err(broken)) => {
                self.give_up(Some(broken));
                self.blend_held(block, start, count);
                Status::Continue
            }
            None => {
                self.blend_held(block, start, count);
                Status::Continue
            }
        };
        self.hold(block, start + count - 1);
        status
    }

    /// A working effect and the dry signal, while the effect is faded in.
    fn blend(&mut self, block: &mut Block, start: usize, count: usize) {
        let quiet = usize::try_from(self.warming).unwrap_or(usize::MAX).min(count);
        self.warming -= quiet as u64;
        let (mut share, step) = (self.wet_share, self.share_step);
        for channel in 0..block.channel_count() {
            share = self.wet_share;
            let plane = &mut block.plane_mut(channel)[start..start + count];
            for (index, sample) in plane.iter_mut().enumerate() {
                if index >= quiet {
                    share = (share + step).min(1.0);
                }
                let dry = self.dry.read(channel, count, index);
                *sample = dry + (*sample - dry) * share;
            }
        }
        self.wet_share = share;
    }

    /// The dry signal; while the effect is faded out, mixed with its last sample.
    fn blend_held(&mut self, block: &mut Block, start: usize, count: usize) {
        let (mut share, step) = (self.wet_share, self.share_step);
        for channel in 0..block.channel_count() {
            share = self.wet_share;
            let held = self.held[channel];
            let plane = &mut block.plane_mut(channel)[start..start + count];
            for (index, sample) in plane.iter_mut().enumerate() {
                share = (share - step).max(0.0);
                let dry = self.dry.read(channel, count, index);
                *sample = dry + (held - dry) * share;
            }
        }
        self.wet_share = share;
    }

    /// Keeps the output of a frame, unless it fades out from an earlier one.
    fn hold(&mut self, block: &Block, frame: usize) {
        if self.effect.is_some() {
            for (held, plane) in self.held.iter_mut().zip(block.planes()) {
                *held = plane[frame];
            }
        }
    }

    /// From here on without this instance. The fade begins at the last output, whatever it was.
    fn give_up(&mut self, broken: Option<PlacedFault>) {
        if let Some(effect) = self.effect.take() {
            self.strike_count += u32::from(broken.is_some());
            self.leaving = Some(OldInstance { effect, broken });
            self.wet_share = 1.0;
            self.warming = 0;
        }
    }

    /// Hands out a worn instance and takes a fresh one.
    fn exchange(&mut self) {
        if let Some(worn) = self.leaving.take() {
            self.leaving = self.slots.worn.give(worn);
        }
        // A held sample is faded out before anything else is faded in.
        if self.effect.is_some() || self.wet_share > 0.0 {
            return;
        }
        let Some(mut fresh) = self.slots.fresh.take() else { return };
        for (id, value) in &self.values {
            fresh.set(*id, *value);
        }
        fresh.reset_if_real_time();
        self.warming = self.latency.0;
        self.effect = Some(fresh);
    }
}

impl Processor for LiveEffect {
    fn process(&mut self, block: &mut Block) -> Status {
        if block.channel_count() != self.held.len() {
            return Status::Continue;
        }
        self.exchange();
        // What another plugin broke is not this effect's fault, and must not stay in its filters.
        // A plane at a time, and every sample written: such a loop is vectorized.
        for plane in block.planes_mut() {
            for sample in plane {
                *sample = if sample.is_finite() { *sample } else { 0.0 };
            }
        }
        let frames = block.frame_count();
        let (mut start, mut status) = (0, Status::Continue);
        while start < frames {
            let count = (frames - start).min(self.dry.max_frames());
            status = self.process_piece(block, start, count);
            start += count;
        }
        status
    }

    fn reset(&mut self) {
        self.dry.clear();
        self.held.fill(0.0);
        self.warming = 0;
        if let Some(effect) = &mut self.effect {
            self.wet_share = 1.0;
            if !effect.reset_if_real_time() {
                self.give_up(None);
            }
        } else {
            self.wet_share = 0.0;
        }
    }

    fn properties(&self) -> Properties {
        Properties { latency: self.latency, tail: self.tail, ..Properties::default() }
    }
}

impl LiveKeeper {
    /// Takes a worn instance, if there is one, and makes a fresh one while the effect has not used up
    /// its strikes. To be called now and then, not on the audio thread: it allocates, and waits for
    /// the module. Returns why the instance broke.
    pub fn tend(&mut self) -> Option<Incident> {
        let OldInstance { mut effect, broken } = self.slots.worn.take()?;
        let reason = broken.map(|broken| effect.explain(broken).to_string());
        drop(effect);
        self.strike_count += u32::from(reason.is_some());
        let mut incident = reason.map(|reason| Incident {
            reason,
            strike_count: self.strike_count,
            is_final: self.strike_count >= limits::LIVE_STRIKES_MAX,
        });
        if self.strike_count < limits::LIVE_STRIKES_MAX
            && let Err(error) = self.replace()
        {
            incident = Some(Incident {
                reason: error.to_string(),
                strike_count: self.strike_count,
                is_final: true,
            });
        }
        incident
    }

    /// What the module says about itself.
    pub fn description(&self) -> &Description {
        self.module.description()
    }

    fn replace(&self) -> Result<(), CreateError> {
        let fresh = instance(&self.module, &self.spec, &self.settings, self.max_frames)?;
        let mut fresh = Some(fresh);
        // The audio thread holds the slot for a moment at most.
        while let Some(effect) = fresh.take() {
            fresh = self.slots.fresh.give(effect);
            std::hint::spin_loop();
        }
        Ok(())
    }
}
