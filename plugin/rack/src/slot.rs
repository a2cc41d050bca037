//! A place in the chain: one voice, or two while one is faded into the other.

use crate::control::Control;
use crate::glide::Glide;
use crate::stage::{Stage, StageFault};
use crate::voice::Voice;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::Tail;
use wavemill_runtime::Allowance;

/// In this time a voice is faded into another, and a share arrives where it is sent.
pub(crate) const FADE_S: f64 = 0.010;

/// A slot, on the audio thread.
pub(crate) struct Slot {
    voice: Box<Voice>,
    /// What is faded in.
    next: Option<Box<Voice>>,
    /// Share of `next`.
    fade: Glide,
    /// Share of the stage in the output.
    wet: Glide,
    /// A voice that is of no more use, until the other thread takes it.
    done: Option<Box<Voice>>,
    /// Frames until the end of its output, once that is known.
    left: Option<usize>,
}

/// What the audio thread is done with.
pub(crate) enum Returned {
    /// Another voice sounds in its place.
    Voice(#[expect(dead_code, reason = "it is dropped by the thread that takes it")] Box<Voice>),
    /// It broke.
    Broken(Stage, StageFault),
}

/// Room for what a slot works with, of the rack's.
pub(crate) struct Scratch<'r> {
    pub(crate) block: &'r mut Block,
    pub(crate) shares: &'r mut [f32],
    pub(crate) fades: &'r mut [f32],
}

impl Slot {
    pub(crate) fn new(voice: Voice, spec: &StreamSpec, wet: f32) -> Self {
        let fade_frames = f64::from(spec.sample_rate.0) * FADE_S;
        Self {
            voice: Box::new(voice),
            next: None,
            fade: Glide::new(0.0, fade_frames),
            wet: Glide::new(wet, fade_frames),
            done: None,
            left: None,
        }
    }

    /// Begins to fade in a voice; at most one at a time comes. Real-time.
    pub(crate) fn receive(&mut self, voice: Box<Voice>) {
        self.fade.send(0.0);
        self.fade.jump();
        self.next = Some(voice);
    }

    /// Something for the other thread, if there is. Real-time.
    pub(crate) fn hand_back(&mut self) -> Option<Returned> {
        let next = self.next.as_mut().and_then(|next| next.take_broken());
        let broken = next.or_else(|| self.voice.take_broken());
        let broken = broken.map(|(stage, fault)| Returned::Broken(stage, fault));
        broken.or_else(|| self.done.take().map(Returned::Voice))
    }

    /// The share of the stage in the output from now on. Real-time.
    pub(crate) fn set_wet(&mut self, share: f32) {
        self.wet.send(share);
    }

    /// Sets a control; whether that takes a fresh instance. Real-time.
    pub(crate) fn set(&mut self, control: usize, value: f64, allowance: &mut Allowance) -> bool {
        let is_wanted = self.voice.set(control, value, allowance);
        match &mut self.next {
            Some(next) => next.set(control, value, allowance),
            None => is_wanted,
        }
    }

    /// Controls that a host can set. Real-time.
    pub(crate) fn control_count(&self) -> usize {
        self.newest().control_count()
    }

    /// Real-time.
    pub(crate) fn control(&self, index: usize) -> Option<&Control> {
        self.newest().control(index)
    }

    /// Real-time.
    pub(crate) fn latency(&self) -> usize {
        self.newest().latency()
    }

    /// Real-time.
    pub(crate) fn tail_behind(&self, before: Tail) -> Tail {
        self.newest().tail_behind(before)
    }

    fn newest(&self) -> &Voice {
        self.next.as_ref().unwrap_or(&self.voice)
    }

    /// Forgets the signal. Real-time.
    pub(crate) fn reset(&mut self) {
        self.wet.jump();
        self.finish();
        self.voice.reset();
        self.left = None;
    }

    /// The output ends after so many frames, and is silent from there. Real-time.
    pub(crate) fn end_after(&mut self, frames: usize) {
        self.left = Some(frames);
    }

    /// Frames until the output ends, where it has not; no block is longer until then. Real-time.
    pub(crate) fn left(&self) -> Option<usize> {
        self.left.filter(|left| *left > 0)
    }

    /// The tail that it has in a file. Real-time.
    pub(crate) fn file_tail(&self) -> Tail {
        self.newest().file_tail()
    }

    /// See [`Voice::set_lead`]. Real-time.
    pub(crate) fn set_lead(&mut self, frames: usize) {
        self.voice.set_lead(frames);
    }

    /// See [`Voice::lead`]. Real-time.
    pub(crate) fn lead(&self) -> usize {
        self.voice.lead()
    }

    /// Reads the meters of the voice that sounds. Real-time.
    pub(crate) fn show_meters(&mut self, show: impl FnMut(usize, f32)) {
        self.voice.show_meters(show);
    }

    /// Processes a block; returns whether a stage broke. Real-time but for a trap.
    pub(crate) fn process(
        &mut self,
        block: &mut Block,
        scratch: &mut Scratch<'_>,
        allowance: &mut Allowance,
    ) -> bool {
        let is_broken = self.play(block, scratch, allowance);
        match &mut self.left {
            Some(0) => block.silence(),
            Some(left) => *left = left.saturating_sub(block.frame_count()),
            None => {}
        }
        is_broken
    }

    fn play(
        &mut self,
        block: &mut Block,
        scratch: &mut Scratch<'_>,
        allowance: &mut Allowance,
    ) -> bool {
        let frames = block.frame_count();
        let shares = if self.wet.stands_at(1.0) {
            None
        } else {
            self.wet.fill(&mut scratch.shares[..frames]);
            Some(&scratch.shares[..frames])
        };
        let Some(next) = &mut self.next else {
            return self.voice.process(block, shares, allowance);
        };
        scratch.block.set_frame_count(frames);
        for channel in 0..block.channel_count() {
            scratch.block.plane_mut(channel).copy_from_slice(block.plane(channel));
        }
        let mut is_broken = self.voice.process(block, shares, allowance);
        is_broken |= next.process(scratch.block, shares, allowance);
        let cold = next.warm(frames);
        self.fade.send(1.0);
        let fades = &mut scratch.fades[..frames];
        fades[..cold].fill(0.0);
        self.fade.fill(&mut fades[cold..]);
        cross_fade(block, scratch.block, fades);
        if self.fade.stands_at(1.0) {
            self.finish();
        }
        is_broken
    }

    /// The new voice takes over. Real-time.
    pub(crate) fn finish(&mut self) {
        if self.done.is_none()
            && let Some(next) = self.next.take()
        {
            self.done = Some(std::mem::replace(&mut self.voice, next));
        }
    }
}

fn cross_fade(block: &mut Block, next: &Block, fades: &[f32]) {
    for channel in 0..block.channel_count() {
        let samples = block.plane_mut(channel).iter_mut().zip(next.plane(channel));
        for ((sample, next), fade) in samples.zip(fades) {
            *sample = if *fade >= 1.0 { *next } else { *sample + (next - *sample) * fade };
        }
    }
}
