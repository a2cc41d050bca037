//! A step inside a running chain: latency taken off, tail rendered, cut to its exact length.

use super::RunError;
use super::error::refused;
use std::ops::Range;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::limits::{BLOCK_FRAMES, INFINITE_TAIL_MAX};
use wavemill_core::processor::{Processor, Status, Tail};
use wavemill_core::units::Frames;

/// A step inside a running chain.
pub(crate) struct Stage {
    /// How messages call it.
    pub(crate) label: String,
    pub(crate) processor: Box<dyn Processor>,
    pub(crate) input: StreamSpec,
    pub(crate) output: StreamSpec,
    /// Frames to be delivered; `None` until the input's length is known.
    promised: Option<u64>,
    fed: u64,
    delivered: u64,
    latency_left: u64,
}

impl Stage {
    pub(crate) fn new(label: String, processor: Box<dyn Processor>, input: StreamSpec) -> Self {
        let output = processor.output_spec(&input);
        Self {
            label,
            processor,
            input,
            output,
            promised: None,
            fed: 0,
            delivered: 0,
            latency_left: 0,
        }
    }

    /// Begins with an input of `length` frames; returns the frames it will deliver, if known.
    pub(crate) fn begin(&mut self, length: Option<Frames>) -> Result<Option<Frames>, RunError> {
        self.processor
            .begin(length)
            .map_err(|error| refused(format!("step `{}` cannot run: {error}", self.label)))?;
        self.latency_left = self.processor.latency().0;
        self.promised = length.map(|length| self.deliverable(length));
        Ok(self.promised.map(Frames))
    }

    /// Whether its tail had to be cut.
    pub(crate) fn has_infinite_tail(&self) -> bool {
        self.processor.tail() == Tail::Infinite
    }

    fn tail(&self) -> u64 {
        match self.processor.tail() {
            Tail::Frames(frames) => frames.0,
            Tail::Infinite => INFINITE_TAIL_MAX.to_frames(self.output.sample_rate).0,
        }
    }

    fn deliverable(&self, length: Frames) -> u64 {
        self.processor.output_length(length).0 + self.tail()
    }

    /// Processes a block of its input in place.
    fn process(&mut self, block: &mut Block) -> Result<(), RunError> {
        if self.processor.process(block) == Status::Failed {
            let reason = self.processor.failure().unwrap_or_else(|| "it gave no reason".to_owned());
            return Err(refused(format!("step `{}` failed: {reason}", self.label)));
        }
        let late = self.latency_left.min(block.frame_count() as u64);
        self.latency_left -= late;
        block.drop_front(Frames(late).as_usize());
        let room = self.promised.map_or(u64::MAX, |promised| promised - self.delivered);
        if room < block.frame_count() as u64 {
            block.set_frame_count(Frames(room).as_usize());
        }
        self.delivered += block.frame_count() as u64;
        Ok(())
    }
}

/// Whoever takes the signal after a stage.
pub(crate) trait Taps {
    /// Takes a block of the output of stage `index`.
    fn take(&mut self, index: usize, block: &Block) -> Result<(), RunError>;
}

/// The stages of one pass, and the block that goes through them.
pub(crate) struct Chain<'s> {
    stages: &'s mut [Stage],
    /// Index of the first of them in the whole chain.
    first: usize,
}

impl<'s> Chain<'s> {
    pub(crate) fn new(stages: &'s mut [Stage], range: Range<usize>) -> Self {
        let first = range.start;
        Self { stages: &mut stages[range], first }
    }

    /// A block with room for whatever the stages make of [`BLOCK_FRAMES`] of `spec`.
    pub(crate) fn block(&self, spec: &StreamSpec) -> Block {
        let mut frames = BLOCK_FRAMES;
        let (mut frame_capacity, mut channels) = (frames, spec.channel_count());
        for stage in self.stages.iter() {
            frames = stage.processor.max_output_frames(frames);
            frame_capacity = frame_capacity.max(frames);
            channels = channels.max(stage.input.channel_count()).max(stage.output.channel_count());
        }
        Block::with_capacity(spec.channel_count(), channels, frame_capacity)
    }

    /// Sends a block through all stages.
    pub(crate) fn push(&mut self, block: &mut Block, taps: &mut dyn Taps) -> Result<(), RunError> {
        self.push_from(0, block, taps)
    }

    fn push_from(
        &mut self,
        start: usize,
        block: &mut Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        for (index, stage) in self.stages.iter_mut().enumerate().skip(start) {
            stage.fed += block.frame_count() as u64;
            stage.process(block)?;
            if block.is_empty() {
                return Ok(());
            }
            if let Some(frame) = block.first_non_finite() {
                let frame = stage.delivered - block.frame_count() as u64 + frame as u64;
                let label = &stage.label;
                return Err(refused(format!(
                    "step `{label}` made a NaN or infinite sample at frame {frame}"
                )));
            }
            taps.take(self.first + index, block)?;
        }
        Ok(())
    }

    /// Renders what the stages still hold back.
    pub(crate) fn finish(
        &mut self,
        block: &mut Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        let mut chunk_frames = BLOCK_FRAMES;
        for index in 0..self.stages.len() {
            self.flush(index, chunk_frames, block, taps)?;
            chunk_frames = self.stages[index].processor.max_output_frames(chunk_frames);
        }
        Ok(())
    }

    fn flush(
        &mut self,
        index: usize,
        chunk_frames: usize,
        block: &mut Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        let stage = &mut self.stages[index];
        let promised = *stage.promised.get_or_insert(stage.deliverable(Frames(stage.fed)));
        let mut silence = stage.processor.latency().0 + stage.tail();
        let channel_count = stage.input.channel_count();
        while silence > 0 && self.stages[index].delivered < promised {
            let count = silence.min(chunk_frames.max(1) as u64);
            silence -= count;
            block.set_channel_count(channel_count);
            block.set_frame_count(Frames(count).as_usize());
            block.silence();
            self.push_from(index, block, taps)?;
        }
        let stage = &self.stages[index];
        if stage.delivered == promised {
            return Ok(());
        }
        let (label, delivered) = (&stage.label, stage.delivered);
        Err(refused(format!("step `{label}` delivered {delivered} of {promised} frames")))
    }
}
