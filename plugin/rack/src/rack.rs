//! The audio thread's side.

use crate::control::Control;
use crate::levels::Levels;
use crate::slot::{Returned, Scratch, Slot};
use crate::voice::Voice;
use crate::{SLOT_COUNT, Slots};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use thiserror::Error;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::limits::INFINITE_TAIL_MAX;
use wavemill_core::processor::Tail;
use wavemill_core::units::{Frames, SampleRate};
use wavemill_runtime::Allowance;

/// Frames that pass through all slots at a time.
pub(crate) const PIECE_FRAMES: usize = 1024;

/// How a slot's output is mixed from what its stage makes and what came in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// Share of the stage, from 0 to 1.
    pub wet: f32,
    /// Whether the slot passes on what comes, as late as the stage would.
    pub is_bypassed: bool,
    /// Whether all slots that are not soloed are bypassed.
    pub is_soloed: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Self { wet: 1.0, is_bypassed: false, is_soloed: false }
    }
}

impl Mix {
    /// The share of each slot's stage. Real-time.
    pub fn shares(mixes: &Slots<Self>, is_bypassed: bool) -> Slots<f32> {
        let has_solo = mixes.iter().any(|mix| mix.is_soloed);
        let is_dry = |mix: &Self| is_bypassed || mix.is_bypassed || (has_solo && !mix.is_soloed);
        std::array::from_fn(|slot| if is_dry(&mixes[slot]) { 0.0 } else { mixes[slot].wet })
    }
}

/// An effect broke in an offline render, which must not go on without it; the supervisor knows why.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("an effect of the rack broke; the render ends here")]
pub struct RenderStopped;

/// What passes between both sides, each with its slot.
pub(crate) type Queues = (Consumer<(usize, Box<Voice>)>, Producer<(usize, Returned)>);

/// Eight slots, one behind the other.
pub struct Rack {
    sample_rate: SampleRate,
    slots: Slots<Slot>,
    arrivals: Consumer<(usize, Box<Voice>)>,
    returns: Producer<(usize, Returned)>,
    levels: Arc<Levels>,
    block: Block,
    scratch: Block,
    shares: Vec<f32>,
    fades: Vec<f32>,
    needs_supervisor: bool,
    /// Whether the stream has not begun.
    is_at_start: bool,
}

impl Rack {
    pub(crate) fn new(
        spec: &StreamSpec,
        voices: Slots<Voice>,
        shares: &Slots<f32>,
        queues: Queues,
        levels: Arc<Levels>,
    ) -> Self {
        let mut shares = shares.iter();
        let channel_count = spec.channel_count();
        let mut rack = Self {
            sample_rate: spec.sample_rate,
            slots: voices
                .map(|voice| Slot::new(voice, spec, shares.next().copied().unwrap_or(1.0))),
            arrivals: queues.0,
            returns: queues.1,
            levels,
            block: Block::new(channel_count, PIECE_FRAMES),
            scratch: Block::new(channel_count, PIECE_FRAMES),
            shares: vec![0.0; PIECE_FRAMES],
            fades: vec![0.0; PIECE_FRAMES],
            needs_supervisor: false,
            is_at_start: true,
        };
        rack.align();
        rack
    }

    /// The stream begins: each stage begins with the first frame of the signal, which is late by the slots before.
    fn align(&mut self) {
        self.is_at_start = true;
        let mut late = 0;
        for slot in &mut self.slots {
            slot.set_lead(late);
            late += slot.latency();
        }
    }

    /// Frames by which output lags behind input: the sum of all slots, bypassed or not. Real-time.
    pub fn latency(&self) -> Frames {
        Frames(self.slots.iter().map(|slot| slot.latency() as u64).sum())
    }

    /// Frames by which a slot's input lags behind that of the rack. Real-time.
    pub fn latency_before(&self, slot: usize) -> Frames {
        Frames(self.slots[..slot].iter().map(|slot| slot.latency() as u64).sum())
    }

    /// The signal ends before the next frame, and silence follows. From then on each slot passes on what a run of a
    /// file does: its latency and its tail, and silence behind. Returns how many frames are still to come. Real-time.
    pub fn end(&mut self) -> Frames {
        let mut frames = 0;
        for slot in &mut self.slots {
            let tail = match slot.file_tail() {
                Tail::Frames(frames) => frames,
                Tail::Infinite => INFINITE_TAIL_MAX.to_frames(self.sample_rate),
            };
            frames += slot.latency() + tail.as_usize();
            slot.end_after(frames);
        }
        Frames(frames as u64)
    }

    /// How long it sounds after the input's end. Real-time.
    pub fn tail(&self) -> Tail {
        self.slots.iter().fold(Tail::NONE, |tail, slot| slot.tail_behind(tail))
    }

    /// Controls of a slot that a host can set. Real-time.
    pub fn control_count(&self, slot: usize) -> usize {
        self.slots[slot].control_count()
    }

    /// A control of a slot. Real-time.
    pub fn control(&self, slot: usize, control: usize) -> Option<&Control> {
        self.slots[slot].control(control)
    }

    /// Takes over at once what would be faded in. For offline renders, before their first frame.
    pub fn settle(&mut self) {
        self.exchange();
        self.slots.iter_mut().for_each(Slot::finish);
        self.exchange();
        if self.is_at_start {
            self.align();
        }
    }

    /// Sets a control from the next frame on. Real-time.
    pub fn set(&mut self, slot: usize, control: usize, value: f64) {
        // A call that sets a value is short, or it breaks the effect.
        let mut allowance = Allowance::real_time(0, self.sample_rate);
        self.needs_supervisor |= self.slots[slot].set(control, value, &mut allowance);
    }

    /// The share of each slot's stage in its output, from 0 to 1; it arrives there in 10 ms. Real-time.
    pub fn set_shares(&mut self, shares: &Slots<f32>) {
        for (slot, share) in self.slots.iter_mut().zip(shares) {
            slot.set_wet(*share);
        }
    }

    /// Whether the supervisor has something to do; once. Real-time.
    pub fn take_need(&mut self) -> bool {
        std::mem::take(&mut self.needs_supervisor)
    }

    /// Forgets the signal so far. A module that cannot is made anew by the supervisor. Real-time but for the first time
    /// on a thread, when the engine allocates what it keeps for each: hosts call this before they process.
    pub fn reset(&mut self) {
        wavemill_runtime::prepare_thread();
        self.slots.iter_mut().for_each(Slot::reset);
        self.align();
    }

    /// Processes samples in place, one slice a channel, all of one length. `is_offline` gives modules the time that
    /// files give them. Real-time but for a trap of a module, after which the engine allocates once.
    ///
    /// # Errors
    /// When a stage broke in an offline render. In real time the dry signal takes over instead.
    pub fn process(
        &mut self,
        planes: &mut [&mut [f32]],
        is_offline: bool,
    ) -> Result<(), RenderStopped> {
        let _flush = FlushDenormals::on();
        self.exchange();
        let frames = planes.first().map_or(0, |plane| plane.len());
        if planes.len() != self.block.channel_count() {
            return Ok(());
        }
        let mut allowance = if is_offline {
            Allowance::offline(frames, self.sample_rate)
        } else {
            Allowance::real_time(frames, self.sample_rate)
        };
        let mut is_broken = false;
        let mut start = 0;
        while start < frames {
            let count = (frames - start).min(self.piece_frames());
            self.read(planes, start, count);
            is_broken |= self.process_piece(&mut allowance);
            for (plane, own) in planes.iter_mut().zip(self.block.planes()) {
                plane[start..start + count].copy_from_slice(own);
            }
            start += count;
        }
        self.is_at_start &= frames == 0;
        self.needs_supervisor |= is_broken;
        if is_broken && is_offline { Err(RenderStopped) } else { Ok(()) }
    }

    /// Frames until the next stage begins or ends, but no more than fit.
    fn piece_frames(&self) -> usize {
        let leads = self.slots.iter().map(Slot::lead).filter(|lead| *lead > 0);
        let ends = self.slots.iter().filter_map(Slot::left);
        leads.chain(ends).min().unwrap_or(PIECE_FRAMES).min(PIECE_FRAMES)
    }

    /// What another plugin broke is no effect's fault, and must not stay in its filters.
    fn read(&mut self, planes: &[&mut [f32]], start: usize, count: usize) {
        self.block.set_frame_count(count);
        for (own, plane) in self.block.planes_mut().zip(planes) {
            for (own, sample) in own.iter_mut().zip(&plane[start..start + count]) {
                *own = if sample.is_finite() { *sample } else { 0.0 };
            }
        }
    }

    fn process_piece(&mut self, allowance: &mut Allowance) -> bool {
        let mut is_broken = false;
        self.levels.add_input(&self.block);
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let mut scratch = Scratch {
                block: &mut self.scratch,
                shares: &mut self.shares,
                fades: &mut self.fades,
            };
            is_broken |= slot.process(&mut self.block, &mut scratch, allowance);
            self.levels.add_output(index, &self.block);
            if self.levels.is_watched() {
                slot.show_meters(|meter, value| self.levels.set_meter(index, meter, value));
            }
        }
        is_broken
    }

    /// Hands out what it is done with, and takes what is new.
    fn exchange(&mut self) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            while self.returns.slots() > 0 {
                let Some(returned) = slot.hand_back() else { break };
                let _ = self.returns.push((index, returned));
                self.needs_supervisor = true;
            }
        }
        while let Ok((slot, voice)) = self.arrivals.pop() {
            self.slots[slot].receive(voice);
        }
    }
}

const _: () = assert!(SLOT_COUNT * 4 <= QUEUE_LENGTH);

/// Room of the queues: a slot has at most three returns and one arrival under way.
pub(crate) const QUEUE_LENGTH: usize = 64;
