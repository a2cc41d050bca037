//! The way of a session's audio: rates, rack, meter, messages. Worked on by one thread at a time.

use super::converter::Converter;
use super::hello::Hello;
use super::limits::BLOCK_FRAMES_MAX;
use super::message::Refusal;
use super::meter::Meter;
use super::outbox::Outbox;
use super::pcm::Writer;
use std::collections::BTreeMap;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::units::Frames;
use wavemill_rack::{Part, Rack, Slots};

/// A control of a slot gets a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) slot: usize,
    pub(crate) control: usize,
    pub(crate) value: f64,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Progress {
    /// A block was processed.
    Played,
    /// There is nothing to process.
    Idle,
    /// Nothing is processed until a fresh instance with the last change has arrived.
    Builds,
    /// Everything was sent, and came to so many frames.
    Done(u64),
}

/// See the module.
pub(crate) struct Engine {
    rack: Rack,
    /// Of the rack when the stream began.
    latency: Frames,
    channels: usize,
    block_frames: usize,
    to_chain: Option<Converter>,
    to_stream: Option<Converter>,
    /// At the chain's rate, not processed yet.
    waiting: Vec<Vec<f32>>,
    /// By the rack's frame that they come before, and their order.
    changes: BTreeMap<(u64, u64), Change>,
    change_count: u64,
    /// Frames that the rack processed.
    at: u64,
    /// Frames of its output that are still to be left out.
    late: u64,
    /// Frames of the input that came.
    fed: u64,
    ending: Ending,
    writer: Writer,
    meter: Meter,
    sent: u64,
}

/// How far the end of a stream is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// More may come.
    No,
    /// What came last is not processed yet.
    Input,
    /// So many frames of silence bring out the rest.
    Tail(u64),
    /// Everything was sent.
    Done,
}

impl Engine {
    /// # Errors
    /// When the rates do not go together.
    pub(crate) fn new(hello: &Hello, rack: Rack) -> Result<Self, Refusal> {
        let (stream_hz, channels) = (hello.sample_rate, hello.channels);
        let chain_hz = hello.chain_rate.filter(|rate| *rate != stream_hz);
        let converter = |from, to| {
            let made = Converter::new(from, to, channels);
            made.map_err(|reason| Refusal::new("bad hello", format!("`chain_rate`: {reason}")))
        };
        let latency = rack.latency();
        let late = if hello.align { latency.0 } else { 0 };
        Ok(Self {
            rack,
            latency,
            channels,
            block_frames: hello.block_frames,
            to_chain: chain_hz.map(|rate| converter(stream_hz, rate)).transpose()?,
            to_stream: chain_hz.map(|rate| converter(rate, stream_hz)).transpose()?,
            waiting: vec![Vec::new(); channels],
            changes: BTreeMap::new(),
            change_count: 0,
            at: 0,
            late,
            fed: 0,
            ending: Ending::No,
            writer: Writer::new(hello.format, channels),
            meter: Meter::new(&StreamSpec::new(stream_hz, channels), BLOCK_FRAMES_MAX),
            sent: 0,
        })
    }

    /// Frames of the input by which the output is late.
    pub(crate) fn latency(&self) -> u64 {
        let own = self.latency.0;
        match (&self.to_chain, &self.to_stream) {
            (Some(before), Some(after)) => before.latency() + after.place_of(own + after.latency()),
            _ => own,
        }
    }

    /// Whether all that was fed was processed, and more may come.
    pub(crate) fn is_hungry(&self) -> bool {
        self.ending == Ending::No && self.waiting[0].is_empty()
    }

    /// Frames of the input that came.
    pub(crate) fn fed(&self) -> u64 {
        self.fed
    }

    /// Lets a change come before a frame of what is fed; what is past already comes at once.
    pub(crate) fn change_before(&mut self, frame: u64, change: Change) {
        let frame = self.to_chain.as_ref().map_or(frame, |converter| converter.place_of(frame));
        let due = frame + self.rack.latency_before(change.slot).0;
        self.change_count += 1;
        self.changes.insert((due, self.change_count), change);
    }

    /// Takes interleaved frames.
    pub(crate) fn feed(&mut self, samples: &[f32]) {
        let planes = planes_of(samples, self.channels);
        self.fed += planes[0].len() as u64;
        match &mut self.to_chain {
            Some(converter) => converter.push(&planes, &mut self.waiting),
            None => self.waiting.iter_mut().zip(planes).for_each(|(own, plane)| own.extend(plane)),
        }
    }

    /// The input is complete.
    pub(crate) fn end(&mut self) {
        if let Some(converter) = &mut self.to_chain {
            converter.finish(&mut self.waiting);
        }
        self.ending = Ending::Input;
    }

    /// Takes fresh instances over that were sent, with the values of now.
    ///
    /// # Errors
    /// When the latency is another one with them: the output would jump.
    pub(crate) fn receive(&mut self, wanted: &Slots<Option<Part>>) -> Result<(), Refusal> {
        let mut nothing: Vec<&mut [f32]> = (0..self.channels).map(|_| &mut [][..]).collect();
        let _ = self.rack.process(&mut nothing, false);
        let (before, now) = (self.latency, self.rack.latency());
        if before != now {
            let detail =
                format!("with it the latency is {now}, not {before}; open another session");
            return Err(Refusal::new("bad parameter", detail));
        }
        for (slot, part) in wanted.iter().enumerate() {
            let Some(part) = part else { continue };
            for (control, value) in part.values().iter().enumerate() {
                if part.controls()[control].is_automatable {
                    self.rack.set(slot, control, *value);
                }
            }
        }
        Ok(())
    }

    /// Whether the rack's other side has something to do; once.
    pub(crate) fn take_need(&mut self) -> bool {
        self.rack.take_need()
    }

    /// Processes a block, or as much as there is. `apply` notes a change, and says whether it can come while audio runs.
    ///
    /// # Errors
    /// When a sample is not finite.
    pub(crate) fn advance(
        &mut self,
        outbox: &Outbox,
        apply: impl Fn(Change) -> bool,
    ) -> Result<Progress, Refusal> {
        while let Some(change) = self.due() {
            if !apply(change) {
                return Ok(Progress::Builds);
            }
            self.rack.set(change.slot, change.control, change.value);
        }
        if self.ending == Ending::Input && self.waiting[0].is_empty() {
            self.ending = Ending::Tail(self.rack.end().0);
        }
        let mut planes = self.next_planes();
        if planes[0].is_empty() {
            return self.finish(outbox);
        }
        let mut slices: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        // Only an offline render is stopped.
        let _ = self.rack.process(&mut slices, false);
        self.at += planes[0].len() as u64;
        self.deliver(planes, outbox)?;
        Ok(Progress::Played)
    }

    /// The first change whose frame has come.
    fn due(&mut self) -> Option<Change> {
        let first = self.changes.first_entry()?;
        (first.key().0 <= self.at).then(|| first.remove())
    }

    /// What the rack processes next: up to a block, and no more than until the next change.
    fn next_planes(&mut self) -> Vec<Vec<f32>> {
        let due = self.changes.first_key_value().map_or(u64::MAX, |((due, _), _)| *due);
        let most = usize::try_from(due - self.at).unwrap_or(usize::MAX).min(self.block_frames);
        if let Ending::Tail(left) = self.ending {
            let count = usize::try_from(left).unwrap_or(most).min(most);
            self.ending = Ending::Tail(left - count as u64);
            return vec![vec![0.0; count]; self.channels];
        }
        let count = most.min(self.waiting[0].len());
        self.waiting.iter_mut().map(|plane| plane.drain(..count).collect()).collect()
    }

    /// There is nothing to process: the stream waits, or this is its end.
    fn finish(&mut self, outbox: &Outbox) -> Result<Progress, Refusal> {
        if self.ending != Ending::Tail(0) {
            return Ok(Progress::Idle);
        }
        self.ending = Ending::Done;
        if let Some(converter) = &mut self.to_stream {
            let mut rest = vec![Vec::new(); self.channels];
            converter.finish(&mut rest);
            self.send(&rest, outbox)?;
        }
        Ok(Progress::Done(self.sent))
    }

    /// Sends what the rack made, but for its latency, at the stream's rate.
    fn deliver(&mut self, mut planes: Vec<Vec<f32>>, outbox: &Outbox) -> Result<(), Refusal> {
        let count = planes[0].len();
        let late = usize::try_from(self.late).unwrap_or(count).min(count);
        self.late -= late as u64;
        for plane in &mut planes {
            plane.drain(..late);
        }
        let Some(converter) = &mut self.to_stream else { return self.send(&planes, outbox) };
        let mut converted = vec![Vec::new(); self.channels];
        converter.push(&planes, &mut converted);
        self.send(&converted, outbox)
    }

    fn send(&mut self, planes: &[Vec<f32>], outbox: &Outbox) -> Result<(), Refusal> {
        let frames = planes[0].len();
        // A higher rate makes more frames, and clients bound the messages that they take.
        for start in (0..frames).step_by(BLOCK_FRAMES_MAX) {
            let end = frames.min(start + BLOCK_FRAMES_MAX);
            let pieces: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
            self.send_block(&Block::from_planes(&pieces), outbox)?;
        }
        Ok(())
    }

    fn send_block(&mut self, block: &Block, outbox: &Outbox) -> Result<(), Refusal> {
        if let Some(frame) = block.first_non_finite() {
            let frame = self.sent + frame as u64;
            let detail = format!("the chain made a NaN or infinite sample at frame {frame}");
            return Err(Refusal::new("broken chain", detail));
        }
        self.sent += block.frame_count() as u64;
        outbox.audio(self.writer.bytes(block));
        self.meter.push(block, |event| outbox.event(&event));
        Ok(())
    }
}

/// Interleaved samples, a plane a channel.
fn planes_of(samples: &[f32], channels: usize) -> Vec<Vec<f32>> {
    let plane = |channel| samples.iter().skip(channel).step_by(channels).copied().collect();
    (0..channels).map(plane).collect()
}
