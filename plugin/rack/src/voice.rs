//! A stage at work beside the dry signal.

use crate::control::Control;
use crate::dry_line::DryLine;
use crate::glide::Glide;
use crate::levels::METER_COUNT;
use crate::part::{Part, PartError};
use crate::stage::{Stage, StageFault};
use crate::{CONTROL_COUNT, rack};
use std::sync::Arc;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::Tail;
use wavemill_core::units::Frames;
use wavemill_runtime::Allowance;

/// In this time a stage that broke gives way to the dry signal.
const BREAK_S: f64 = 0.005;

/// A stage, or none, and the signal as it came, late by the stage's latency.
pub(crate) struct Voice {
    stage: Option<Stage>,
    /// A stage that broke, until the other thread takes it.
    broken: Option<(Stage, StageFault)>,
    dry: DryLine,
    latency: usize,
    tail: Tail,
    /// Whether a file ends without its tail.
    keeps_length: bool,
    controls: Arc<[Control]>,
    /// What each control was last set to.
    values: Vec<f64>,
    /// The stage's last output, one sample a channel: what a broken one is faded out from.
    held: Vec<f32>,
    /// Share of `held` where there is no stage.
    held_share: Glide,
    shares: Vec<f32>,
    /// Frames until the output is that of a running stage.
    warming: usize,
    /// Frames until the stage begins.
    lead: usize,
}

impl Voice {
    /// The signal as it comes.
    pub(crate) fn dry(spec: &StreamSpec) -> Self {
        Self::of(None, spec, (Arc::from([]), Vec::new()))
    }

    /// A fresh instance of a part.
    ///
    /// # Errors
    /// When it cannot be played.
    pub(crate) fn new(part: &Part, spec: &StreamSpec) -> Result<Self, PartError> {
        let stage = part.build(spec, rack::PIECE_FRAMES)?;
        let controls = (Arc::clone(part.controls()), part.values().to_vec());
        let keeps_length = part.keeps_length();
        Ok(Self { keeps_length, ..Self::of(Some(stage), spec, controls) })
    }

    fn of(stage: Option<Stage>, spec: &StreamSpec, controls: (Arc<[Control]>, Vec<f64>)) -> Self {
        let latency = stage.as_ref().map_or(0, Stage::latency);
        let tail = stage.as_ref().map_or(Tail::NONE, Stage::tail);
        let channel_count = spec.channel_count();
        Self {
            stage,
            broken: None,
            dry: DryLine::new(channel_count, latency, rack::PIECE_FRAMES),
            latency,
            tail,
            keeps_length: false,
            controls: controls.0,
            values: controls.1,
            held: vec![0.0; channel_count],
            held_share: Glide::new(0.0, f64::from(spec.sample_rate.0) * BREAK_S),
            shares: vec![0.0; rack::PIECE_FRAMES],
            warming: latency,
            lead: 0,
        }
    }

    /// Frames by which output lags behind input.
    pub(crate) fn latency(&self) -> usize {
        self.latency
    }

    /// The tail that it has in a file.
    pub(crate) fn file_tail(&self) -> Tail {
        if self.keeps_length { Tail::NONE } else { self.tail }
    }

    /// Its tail behind a tail.
    pub(crate) fn tail_behind(&self, before: Tail) -> Tail {
        match (before, self.tail) {
            (Tail::Frames(one), Tail::Frames(other)) => Tail::Frames(Frames(one.0 + other.0)),
            _ => Tail::Infinite,
        }
    }

    /// Sets a control; whether that takes a fresh instance. Real-time.
    pub(crate) fn set(&mut self, index: usize, value: f64, allowance: &mut Allowance) -> bool {
        let Some(own) = self.values.get_mut(index).filter(|own| own.to_bits() != value.to_bits())
        else {
            return false;
        };
        match (self.controls[index].live_id(), &mut self.stage) {
            (Some(id), Some(stage)) => {
                *own = value;
                stage.set(id, value, allowance);
                false
            }
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Controls that a host can set.
    pub(crate) fn control_count(&self) -> usize {
        self.values.len().min(CONTROL_COUNT)
    }

    /// Real-time.
    pub(crate) fn control(&self, index: usize) -> Option<&Control> {
        self.controls.get(index)
    }

    /// The stage that broke, once.
    pub(crate) fn take_broken(&mut self) -> Option<(Stage, StageFault)> {
        self.broken.take()
    }

    /// Forgets the signal. A stage that cannot is handed back, and the voice is dry. Real-time.
    pub(crate) fn reset(&mut self) {
        self.dry.clear();
        self.held.fill(0.0);
        self.held_share.send(0.0);
        self.held_share.jump();
        if self.stage.as_mut().is_some_and(|stage| !stage.reset()) {
            self.broken = self.stage.take().map(|stage| (stage, StageFault::NoReset));
        }
    }

    /// Lets the stage begin after so many frames, which it delivers as silence: those by which its input is late at the
    /// stream's start. A run cuts them off, and some stages work in steps from their first frame on. Real-time.
    pub(crate) fn set_lead(&mut self, frames: usize) {
        self.lead = if self.stage.is_some() { frames } else { 0 };
    }

    /// Frames until the stage begins; no block is longer until then. Real-time.
    pub(crate) fn lead(&self) -> usize {
        self.lead
    }

    /// Processes a block; `shares` are those of the stage in the output, `None` where all are 1. Returns whether it
    /// broke. Real-time but for a trap.
    pub(crate) fn process(
        &mut self,
        block: &mut Block,
        shares: Option<&[f32]>,
        allowance: &mut Allowance,
    ) -> bool {
        if self.is_wire() {
            return false;
        }
        self.dry.write(block);
        let fault = if self.lead > 0 {
            self.lead = self.lead.saturating_sub(block.frame_count());
            block.silence();
            None
        } else {
            self.stage.as_mut().and_then(|stage| stage.process(block, allowance).err())
        };
        if let Some(fault) = fault {
            self.broken = self.stage.take().map(|stage| (stage, fault));
            self.held_share.send(1.0);
            self.held_share.jump();
            self.held_share.send(0.0);
        }
        if self.stage.is_some() {
            self.hold(block);
        } else {
            self.fade_out(block);
        }
        if let Some(shares) = shares {
            self.mix(block, shares);
        }
        fault.is_some()
    }

    /// Reads the meters of an effect. Real-time.
    pub(crate) fn show_meters(&mut self, mut show: impl FnMut(usize, f32)) {
        if let Some(Stage::Effect(effect)) = &mut self.stage {
            for meter in 0..METER_COUNT {
                let Some(value) = effect.meter(meter) else { break };
                show(meter, value);
            }
        }
    }

    /// How many of the next frames come before the stage is warm; counts them. Real-time.
    pub(crate) fn warm(&mut self, frames: usize) -> usize {
        let cold = self.warming.min(frames);
        self.warming -= cold;
        cold
    }

    /// Whether what comes out is what came in, at once.
    fn is_wire(&self) -> bool {
        self.stage.is_none() && self.latency == 0 && self.held_share.stands_at(0.0)
    }

    fn hold(&mut self, block: &Block) {
        let Some(last) = block.frame_count().checked_sub(1) else { return };
        for (held, plane) in self.held.iter_mut().zip(block.planes()) {
            *held = plane[last];
        }
    }

    /// The dry signal; after a fault mixed with the last sample of the stage.
    fn fade_out(&mut self, block: &mut Block) {
        let frames = block.frame_count();
        let is_dry = self.held_share.stands_at(0.0);
        self.held_share.fill(&mut self.shares[..frames]);
        for channel in 0..block.channel_count() {
            let (first, second) = self.dry.read(channel);
            let plane = block.plane_mut(channel);
            plane[..first.len()].copy_from_slice(first);
            plane[first.len()..].copy_from_slice(second);
            if !is_dry {
                let held = self.held[channel];
                for (sample, share) in plane.iter_mut().zip(&self.shares) {
                    *sample += (held - *sample) * share;
                }
            }
        }
    }

    fn mix(&self, block: &mut Block, shares: &[f32]) {
        for channel in 0..block.channel_count() {
            let (first, second) = self.dry.read(channel);
            let dry = first.iter().chain(second);
            let plane = block.plane_mut(channel);
            for ((sample, share), dry) in plane.iter_mut().zip(shares).zip(dry) {
                // At the ends exactly the one or the other.
                *sample = match *share {
                    1.0 => *sample,
                    0.0 => *dry,
                    share => dry + (*sample - dry) * share,
                };
            }
        }
    }
}
