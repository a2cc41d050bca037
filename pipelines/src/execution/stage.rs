//! A step inside a running chain: latency taken off, tail rendered, cut to its exact length.

use super::RunError;
use crate::error::refused;
use std::ops::Range;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::limits::{BLOCK_FRAMES, INFINITE_TAIL_MAX};
use wavemill_core::processor::{Status, StepProcessor, Tail};
use wavemill_core::units::Frames;

/// A step inside a running chain.
pub(crate) struct Stage {
    /// How messages call it.
    pub(crate) label: String,
    pub(crate) processor: StepProcessor,
    pub(crate) input: StreamSpec,
    pub(crate) output: StreamSpec,
    /// Frames to be delivered; `None` until the input's length is known.
    promised: Option<u64>,
    fed: u64,
    delivered: u64,
    latency_left: u64,
    first_frame: Option<i64>,
    /// Room for a piece of its output, where that may be longer than [`BLOCK_FRAMES`].
    piece: Option<Block>,
}

impl Stage {
    pub(crate) fn new(label: String, processor: StepProcessor, input: StreamSpec) -> Self {
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
            first_frame: Some(0),
            piece: None,
        }
    }

    /// Begins with an input of `length` frames; returns the frames it will deliver, if known.
    pub(crate) fn begin(&mut self, length: Option<Frames>) -> Result<Option<Frames>, RunError> {
        self.processor
            .begin(length)
            .map_err(|error| refused(format!("step `{}` cannot run: {error}", self.label)))?;
        self.latency_left = self.processor.properties().latency.0;
        self.first_frame = self.processor.span(length.unwrap_or_default()).first_frame;
        self.promised = length.map(|length| self.deliverable(length));
        Ok(self.promised.map(Frames))
    }

    /// Makes it ready for the same input again.
    pub(crate) fn rewind(&mut self) {
        self.processor.reset();
        (self.fed, self.delivered) = (0, 0);
        self.latency_left = self.processor.properties().latency.0;
    }

    /// The time of its output's first frame where that of its input's is `time`, both in frames since midnight,
    /// each of its own signal; `None` where it is not known how much was cut off or added before it.
    pub(crate) fn time_behind(&self, time: u64) -> Option<u64> {
        match self.scaled(time) {
            Some(scaled) => u64::try_from(scaled).ok(),
            None => time.checked_add_signed(self.first_frame?),
        }
    }

    /// A frame of its input as its output counts, where that has another rate.
    fn scaled(&self, frame: u64) -> Option<u128> {
        let (from, to) = (self.input.sample_rate.0, self.output.sample_rate.0);
        let (from, to) = (u128::from(from), u128::from(to));
        (from != to).then(|| (u128::from(frame) * to + from / 2) / from)
    }

    /// Where a frame of its input is in its output, once it has begun; `None` where that is unknown or before
    /// it. Other rates are made of whole signals.
    pub(crate) fn place_of(&self, frame: u64) -> Option<u64> {
        match self.scaled(frame) {
            Some(scaled) => u64::try_from(scaled).ok(),
            None => frame.checked_sub_signed(self.first_frame?),
        }
    }

    /// Whether its tail had to be cut.
    pub(crate) fn has_infinite_tail(&self) -> bool {
        self.processor.properties().tail == Tail::Infinite
    }

    fn tail(&self) -> u64 {
        match self.processor.properties().tail {
            Tail::Frames(frames) => frames.0,
            Tail::Infinite => INFINITE_TAIL_MAX.to_frames(self.output.sample_rate).0,
        }
    }

    /// Frames of silence that bring out all it delivers.
    fn silence(&self) -> u64 {
        let properties = self.processor.properties();
        properties.latency.0 + self.tail() + properties.held_back.0
    }

    fn deliverable(&self, length: Frames) -> u64 {
        self.processor.span(length).length.0 + self.tail()
    }

    /// Processes a block of its input in place.
    fn process(&mut self, block: &mut Block) -> Result<(), RunError> {
        if self.processor.process(block) == Status::Failed {
            let reason =
                self.processor.report().failure.unwrap_or_else(|| "no reason given".to_owned());
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

    /// A block with room for whatever the stages make of [`BLOCK_FRAMES`] of `spec`. Each stage is fed
    /// no more than that, whatever the one before delivers.
    pub(crate) fn block(&mut self, spec: &StreamSpec) -> Block {
        let (mut frame_capacity, mut channels) = (BLOCK_FRAMES, spec.channel_count());
        for stage in self.stages.iter() {
            frame_capacity = frame_capacity.max(stage.processor.max_output_frames(BLOCK_FRAMES));
            channels = channels.max(stage.input.channel_count()).max(stage.output.channel_count());
        }
        for stage in self.stages.iter_mut() {
            stage.piece = (stage.processor.max_output_frames(BLOCK_FRAMES) > BLOCK_FRAMES)
                .then(|| Block::with_capacity(spec.channel_count(), channels, frame_capacity));
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
        for index in start..self.stages.len() {
            let stage = &mut self.stages[index];
            stage.fed += block.frame_count() as u64;
            stage.process(block)?;
            if block.is_empty() {
                return Ok(());
            }
            if let Some(frame) = block.first_non_finite() {
                let frame = stage.delivered - block.frame_count() as u64 + frame as u64;
                let label = &stage.label;
                return Err(refused(format!(
                    "step `{label}` produced a NaN or infinite sample at frame {frame}"
                )));
            }
            if block.frame_count() > BLOCK_FRAMES {
                return self.push_pieces(index, block, taps);
            }
            taps.take(self.first + index, block)?;
        }
        Ok(())
    }

    /// Sends a long output of stage `index` on in pieces of [`BLOCK_FRAMES`].
    fn push_pieces(
        &mut self,
        index: usize,
        block: &Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        // Nothing sends to this stage while its pieces are under way: they only go forward.
        let stage = &mut self.stages[index];
        let mut piece = stage.piece.take().unwrap_or_else(|| {
            let (channels, room) = (block.channel_capacity(), block.frame_capacity());
            Block::with_capacity(block.channel_count(), channels, room)
        });
        for start in (0..block.frame_count()).step_by(BLOCK_FRAMES) {
            piece.copy_from(block, start, BLOCK_FRAMES.min(block.frame_count() - start));
            taps.take(self.first + index, &piece)?;
            self.push_from(index + 1, &mut piece, taps)?;
        }
        self.stages[index].piece = Some(piece);
        Ok(())
    }

    /// Renders what the stages still hold back.
    pub(crate) fn finish(
        &mut self,
        block: &mut Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        for index in 0..self.stages.len() {
            self.flush(index, block, taps)?;
        }
        Ok(())
    }

    fn flush(
        &mut self,
        index: usize,
        block: &mut Block,
        taps: &mut dyn Taps,
    ) -> Result<(), RunError> {
        let stage = &mut self.stages[index];
        let promised = *stage.promised.get_or_insert(stage.deliverable(Frames(stage.fed)));
        let mut silence = stage.silence();
        let channel_count = stage.input.channel_count();
        while silence > 0 && self.stages[index].delivered < promised {
            let count = silence.min(BLOCK_FRAMES as u64);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use wavemill_core::processor::{OutputSpan, ProcessError, Processor, Properties, StepReport};

    /// Delays by `latency` frames, then repeats its input half as loud after `echo` frames.
    struct Echo {
        latency: usize,
        distance: usize,
        tail: Tail,
        line: VecDeque<f32>,
        /// Frames it withholds at the end of every block, as a broken step would.
        loses: usize,
    }

    impl Echo {
        fn new(latency: usize, echo: usize) -> Self {
            Self {
                latency,
                distance: echo,
                tail: Tail::Frames(Frames(echo as u64)),
                line: VecDeque::from(vec![0.0; latency + echo]),
                loses: 0,
            }
        }
    }

    impl Processor for Echo {
        fn process(&mut self, block: &mut Block) -> Status {
            for sample in block.plane_mut(0) {
                self.line.push_front(*sample);
                *sample = self.line[self.latency] + 0.5 * self.line[self.latency + self.distance];
                self.line.pop_back();
            }
            block.set_frame_count(block.frame_count().saturating_sub(self.loses));
            Status::Continue
        }

        fn reset(&mut self) {}

        fn properties(&self) -> Properties {
            let latency = Frames(self.latency as u64);
            Properties { latency, tail: self.tail, ..Properties::default() }
        }
    }

    #[derive(Default)]
    struct Collect(Vec<Vec<f32>>);

    impl Taps for Collect {
        fn take(&mut self, index: usize, block: &Block) -> Result<(), RunError> {
            assert!(block.frame_count() <= BLOCK_FRAMES, "a block of {}", block.frame_count());
            self.0.resize(self.0.len().max(index + 1), Vec::new());
            self.0[index].extend_from_slice(block.plane(0));
            Ok(())
        }
    }

    /// Says every frame three times, six thousand at once.
    struct Triple(Vec<f32>);

    impl Processor for Triple {
        fn process(&mut self, block: &mut Block) -> Status {
            self.0.extend(block.plane(0).iter().flat_map(|sample| [*sample; 3]));
            let count = self.0.len() / 6000 * 6000;
            block.set_frame_count(count);
            block.plane_mut(0).copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Status::Continue
        }

        fn reset(&mut self) {}

        fn max_output_frames(&self, input_frames: usize) -> usize {
            3 * input_frames + 6000
        }

        fn properties(&self) -> Properties {
            Properties { held_back: Frames(2000), ..Properties::default() }
        }

        fn span(&self, input: Frames) -> OutputSpan {
            OutputSpan { first_frame: None, length: Frames(3 * input.0) }
        }
    }

    fn stage(processor: impl Processor + 'static) -> Stage {
        Stage::new("echo".to_owned(), StepProcessor::streaming(processor), StreamSpec::new(1000, 1))
    }

    /// Runs `input` through stages in blocks of `size`; the length is known before if `is_known`.
    fn run(
        mut stages: Vec<Stage>,
        input: &[f32],
        size: usize,
        is_known: bool,
    ) -> Result<Vec<Vec<f32>>, RunError> {
        let mut length = is_known.then_some(Frames(input.len() as u64));
        for stage in &mut stages {
            length = stage.begin(length)?;
        }
        let count = stages.len();
        let mut chain = Chain::new(&mut stages, 0..count);
        let mut block = chain.block(&StreamSpec::new(1000, 1));
        let mut taps = Collect::default();
        for piece in input.chunks(size) {
            block.set_frame_count(piece.len());
            block.plane_mut(0).copy_from_slice(piece);
            chain.push(&mut block, &mut taps)?;
        }
        chain.finish(&mut block, &mut taps)?;
        Ok(taps.0)
    }

    /// What an echo makes of `input`, computed at once.
    fn echoed(input: &[f32], echo: usize) -> Vec<f32> {
        let at = |frame: usize| input.get(frame).copied().unwrap_or(0.0);
        (0..input.len() + echo)
            .map(|frame| at(frame) + frame.checked_sub(echo).map_or(0.0, |before| 0.5 * at(before)))
            .collect()
    }

    #[test]
    fn latency_is_compensated_and_tails_are_rendered_whatever_the_blocks() {
        let input: Vec<f32> = (1..=5000u16).map(f32::from).collect();
        let first = echoed(&input, 30);
        let second = echoed(&first, 4500);
        for size in [1, 7, 64, 4096] {
            for is_known in [true, false] {
                let stages = vec![stage(Echo::new(50, 30)), stage(Echo::new(9000, 4500))];
                let found = run(stages, &input, size, is_known).unwrap();
                assert!(found[0] == first && found[1] == second, "blocks of {size}");
            }
        }
    }

    #[test]
    fn long_outputs_go_on_in_blocks_of_the_usual_size() {
        let input: Vec<f32> = (1..=5000u16).map(f32::from).collect();
        let tripled: Vec<f32> = input.iter().flat_map(|sample| [*sample; 3]).collect();
        let again: Vec<f32> = tripled.iter().flat_map(|sample| [*sample; 3]).collect();
        let echo = echoed(&again, 30);
        for size in [1, 7, 4096] {
            for is_known in [true, false] {
                let triple = || stage(Triple(Vec::new()));
                let stages = vec![triple(), triple(), stage(Echo::new(50, 30))];
                let found = run(stages, &input, size, is_known).unwrap();
                assert!(found == [&tripled[..], &again[..], &echo[..]], "blocks of {size}");
            }
        }
    }

    #[test]
    fn infinite_tail_is_cut_at_its_limit() {
        let mut echo = Echo::new(0, 10);
        echo.tail = Tail::Infinite;
        let endless = stage(echo);
        assert!(endless.has_infinite_tail());
        let found = run(vec![endless], &[1.0; 100], 64, true).unwrap();
        assert_eq!(
            found[0].len() as u64,
            100 + INFINITE_TAIL_MAX.to_frames(wavemill_core::units::SampleRate(1000)).0
        );
    }

    #[test]
    fn step_that_loses_frames_is_named() {
        let mut echo = Echo::new(0, 0);
        echo.loses = 1;
        let error = run(vec![stage(echo)], &[1.0; 100], 50, true).unwrap_err();
        assert_eq!(error.to_string(), "step `echo` delivered 98 of 100 frames");
    }

    /// Refuses, fails or makes a NaN.
    struct Bad(&'static str);

    impl Processor for Bad {
        fn process(&mut self, block: &mut Block) -> Status {
            match self.0 {
                "nan" => block.plane_mut(0)[3] = f32::NAN,
                _ => return Status::Failed,
            }
            Status::Continue
        }

        fn reset(&mut self) {}

        fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
            if self.0 == "begin" {
                return Err(ProcessError { reason: "it is full moon".to_owned() });
            }
            Ok(())
        }

        fn report(&self) -> StepReport {
            let failure = Some("it is new moon".to_owned());
            StepReport { failure, ..StepReport::default() }
        }
    }

    #[test]
    fn failures_of_steps_are_reported_with_their_reasons() {
        let line = |kind| run(vec![stage(Bad(kind))], &[0.0; 8], 8, true).unwrap_err().to_string();
        assert_eq!(line("begin"), "step `echo` cannot run: it is full moon");
        assert_eq!(line("process"), "step `echo` failed: it is new moon");
        assert_eq!(line("nan"), "step `echo` produced a NaN or infinite sample at frame 3");
    }
}
