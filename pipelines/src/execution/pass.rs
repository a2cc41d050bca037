//! One pass: a feed goes through its stages to whoever takes the signal.

use super::RunError;
use super::blueprint::Pass;
use super::group::{ExportGroup, Signal, StoredSignal};
use super::source::Input;
use super::spool::{Spool, SpoolReader};
use super::stage::{Chain, Stage, Taps};
use super::writer::{Writer, WriterInput, WrittenFile};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use wavemill_core::analysis::{self, Analysis, Analyzer, NonFinite};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec, convert};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::processor::WholeFile;
use wavemill_core::units::Frames;

/// Blocks that may wait between two threads: enough that neither waits for the other's hiccups,
/// little enough that eight channels hold a megabyte.
const QUEUE_BLOCKS: usize = 8;

/// Where a pass reads.
pub(super) enum Feed<'i> {
    /// The source.
    Source(&'i mut Input),
    /// What the pass before left.
    Spool(SpoolReader<'i>, StreamSpec),
}

/// A group that a pass feeds, with its writers and their exports.
pub(super) struct GroupFeed {
    /// What it is known by afterwards: which of the run's groups it is, or which export is made again.
    pub(super) index: usize,
    /// The stage after which it takes the signal; `None` is the decoder.
    pub(super) tap: Option<usize>,
    pub(super) group: ExportGroup,
    pub(super) writers: Vec<(usize, Writer)>,
}

/// What a pass is to do.
pub(super) struct Work<'r> {
    pub(super) pass: &'r Pass,
    pub(super) stages: &'r mut [Stage],
    pub(super) groups: Vec<GroupFeed>,
    /// What to measure of the source in this pass.
    pub(super) measures: analysis::Options,
    pub(super) spool: Option<Spool>,
    pub(super) cancel: &'r AtomicBool,
    /// Called with the frames read so far.
    pub(super) progress: &'r mut dyn FnMut(Frames),
}

/// What a pass brought.
#[derive(Default)]
pub(super) struct PassResult {
    /// Frames read.
    pub(super) input_frames: Frames,
    /// Frames that came out of the last stage.
    pub(super) output_frames: Frames,
    /// What was measured of the source.
    pub(super) measured: Analysis,
    pub(super) spool: Option<Spool>,
    /// What each group stored.
    pub(super) stored: Vec<(usize, StoredSignal)>,
    /// The files, by export.
    pub(super) written: Vec<(usize, WrittenFile)>,
}

/// Runs a pass; every thread has ended when it returns.
pub(super) fn run(feed: Feed<'_>, mut work: Work<'_>) -> Result<PassResult, RunError> {
    std::thread::scope(|scope| {
        let groups = std::mem::take(&mut work.groups);
        let spec = match &feed {
            Feed::Source(input) => input.info.spec.clone(),
            Feed::Spool(_, spec) => spec.clone(),
        };
        let input_format = match &feed {
            Feed::Source(input) => input.info.format,
            Feed::Spool(..) => PcmFormat::FLOAT,
        };
        let mut threads = Threads::default();
        let measures = &work.measures;
        let meter = (!measures.groups.is_empty())
            .then(|| Meter::spawn(scope, &spec, input_format, measures));
        let mut takers: Vec<(Option<usize>, Sender<Option<Signal>>)> =
            meter.iter().map(|meter| (None, meter.sender.clone())).collect();
        for group in groups {
            takers.push((group.tap, threads.spawn(scope, group, work.cancel)));
        }
        let driven = drive(feed, &spec, &mut work, &takers);
        // Threads that wait for more must learn that there is none before they are joined.
        drop(takers);
        let joined = threads.join();
        let measured = meter.map(Meter::join).transpose();
        let (mut done, (stored, written)) = first_cause(driven, joined)?;
        done.measured = measured?.unwrap_or_default();
        done.stored = stored;
        done.written = written;
        Ok(done)
    })
}

/// Both results, or the error that came first: the others get [`RunError::Canceled`].
fn first_cause<A, B>(
    driven: Result<A, RunError>,
    joined: Result<B, RunError>,
) -> Result<(A, B), RunError> {
    match (driven, joined) {
        (Ok(driven), Ok(joined)) => Ok((driven, joined)),
        (Err(RunError::Canceled) | Ok(_), Err(error)) | (Err(error), _) => Err(error),
    }
}

fn drive(
    feed: Feed<'_>,
    spec: &StreamSpec,
    work: &mut Work<'_>,
    takers: &[(Option<usize>, Sender<Option<Signal>>)],
) -> Result<PassResult, RunError> {
    let range = work.pass.stages.clone();
    let (before, after) = work.stages.split_at_mut(range.end);
    let mut taps = PassTaps {
        last: range.end.checked_sub(1).filter(|last| range.contains(last)),
        observer: work
            .pass
            .observer
            .and(after.first_mut())
            .and_then(|stage| stage.processor.observer()),
        spool: work.spool.take(),
        takers,
        output_frames: 0,
    };
    let mut chain = Chain::new(before, range);
    let mut block = chain.block(spec);
    let is_needed = taps.last.is_some() || taps.observer.is_some() || taps.spool.is_some();
    let mut step = |frames: Frames| {
        (work.progress)(frames);
        if work.cancel.load(Ordering::Relaxed) { Err(RunError::Canceled) } else { Ok(()) }
    };
    let input_frames = match feed {
        Feed::Source(input) => {
            let mut reader = input.reader()?;
            while let Some(samples) = reader.next()? {
                if is_needed {
                    convert::to_block(samples, &mut block);
                    taps.enter(&mut chain, &mut block)?;
                }
                if takers.iter().any(|(tap, _)| tap.is_none()) {
                    let samples = reader.take();
                    taps.send(None, || Signal::Raw(samples.clone()))?;
                }
                step(reader.position())?;
            }
            reader.position()
        }
        Feed::Spool(mut reader, spec) => {
            let mut frames = Frames::ZERO;
            block.set_channel_count(spec.channel_count());
            while reader.next(&mut block)? {
                frames += Frames(block.frame_count() as u64);
                taps.enter(&mut chain, &mut block)?;
                step(frames)?;
                block.set_channel_count(spec.channel_count());
            }
            frames
        }
    };
    chain.finish(&mut block, &mut taps)?;
    taps.end()?;
    let output_frames = if taps.last.is_some() { Frames(taps.output_frames) } else { input_frames };
    Ok(PassResult { input_frames, output_frames, spool: taps.spool, ..PassResult::default() })
}

/// Whoever takes the signal in a pass.
struct PassTaps<'t> {
    /// The last stage of the pass, if it has any.
    last: Option<usize>,
    observer: Option<&'t mut dyn WholeFile>,
    spool: Option<Spool>,
    takers: &'t [(Option<usize>, Sender<Option<Signal>>)],
    output_frames: u64,
}

impl PassTaps<'_> {
    /// Sends a block into the chain, or to its end where it has no stage.
    fn enter(&mut self, chain: &mut Chain<'_>, block: &mut Block) -> Result<(), RunError> {
        if self.last.is_none() {
            return self.leave(block);
        }
        chain.push(block, self)
    }

    /// Takes a block at the end of the chain.
    fn leave(&mut self, block: &Block) -> Result<(), RunError> {
        self.output_frames += block.frame_count() as u64;
        if let Some(observer) = &mut self.observer {
            observer.observe(block);
        }
        match &mut self.spool {
            Some(spool) => spool.write(block),
            None => Ok(()),
        }
    }

    /// Sends to the takers of one place.
    fn send(
        &self,
        place: Option<usize>,
        mut signal: impl FnMut() -> Signal,
    ) -> Result<(), RunError> {
        for (_, sender) in self.takers.iter().filter(|(tap, _)| *tap == place) {
            sender.send(Some(signal())).map_err(|_| RunError::Canceled)?;
        }
        Ok(())
    }

    /// Notifies all takers that the signal is complete.
    fn end(&self) -> Result<(), RunError> {
        for (_, sender) in self.takers {
            sender.send(None).map_err(|_| RunError::Canceled)?;
        }
        Ok(())
    }
}

impl Taps for PassTaps<'_> {
    fn take(&mut self, index: usize, block: &Block) -> Result<(), RunError> {
        let mut copy = None;
        self.send(Some(index), || {
            let copy = copy.get_or_insert_with(|| {
                let mut copy = Block::new(block.channel_count(), block.frame_count());
                copy.copy_from(block, 0, block.frame_count());
                Arc::new(copy)
            });
            Signal::Block(copy.clone())
        })?;
        if self.last == Some(index) { self.leave(block) } else { Ok(()) }
    }
}

/// The threads of the exports.
#[derive(Default)]
struct Threads<'scope> {
    groups: Vec<(usize, ScopedJoinHandle<'scope, Result<StoredSignal, RunError>>)>,
    writers: Vec<(usize, ScopedJoinHandle<'scope, Result<WrittenFile, RunError>>)>,
}

/// What each group stored, and the files by export.
type ThreadResults = (Vec<(usize, StoredSignal)>, Vec<(usize, WrittenFile)>);

impl<'scope> Threads<'scope> {
    /// Starts a group and its writers; the result takes the signal.
    fn spawn<'env>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        feed: GroupFeed,
        cancel: &'scope AtomicBool,
    ) -> Sender<Option<Signal>> {
        let (sender, receiver) = bounded(QUEUE_BLOCKS);
        let mut senders = Vec::new();
        for (export, writer) in feed.writers {
            let (sender, receiver) = bounded::<WriterInput>(QUEUE_BLOCKS);
            senders.push(sender);
            let thread = scope.spawn(move || writer.run(&receiver, cancel));
            self.writers.push((export, thread));
        }
        let group = feed.group;
        let thread = scope.spawn(move || group.run(&receiver, &senders));
        self.groups.push((feed.index, thread));
        sender
    }

    /// Waits for all; the writers' errors come first, as a group only learns that one is gone.
    fn join(self) -> Result<ThreadResults, RunError> {
        let mut failure = None;
        let mut note = |error: RunError| {
            if matches!(failure, None | Some(RunError::Canceled)) {
                failure = Some(error);
            }
        };
        let mut written = Vec::new();
        for (export, thread) in self.writers {
            match join(thread) {
                Ok(file) => written.push((export, file)),
                Err(error) => note(error),
            }
        }
        let mut stored = Vec::new();
        for (group, thread) in self.groups {
            match join(thread) {
                Ok(found) => stored.push((group, found)),
                Err(error) => note(error),
            }
        }
        match failure {
            None => Ok((stored, written)),
            Some(error) => Err(error),
        }
    }
}

/// A thread's result; its panic goes on here.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Measures the source beside the chain.
struct Meter<'scope> {
    sender: Sender<Option<Signal>>,
    thread: ScopedJoinHandle<'scope, Result<Analysis, NonFinite>>,
}

impl<'scope> Meter<'scope> {
    fn spawn<'env>(
        scope: &'scope Scope<'scope, 'env>,
        spec: &StreamSpec,
        format: PcmFormat,
        measures: &analysis::Options,
    ) -> Self {
        let (sender, receiver) = bounded(QUEUE_BLOCKS);
        let channel_count = spec.channel_count();
        let analyzer = Analyzer::new(spec, format, measures);
        let thread = scope.spawn(move || measure(analyzer, channel_count, &receiver));
        Self { sender, thread }
    }

    fn join(self) -> Result<Analysis, RunError> {
        drop(self.sender);
        // The reader has refused such samples already; should it ever not, the file is at fault.
        join(self.thread)
            .map_err(|error| RunError::Input { reason: error.to_string(), incomplete: false })
    }
}

fn measure(
    mut analyzer: Analyzer,
    channel_count: usize,
    signal: &Receiver<Option<Signal>>,
) -> Result<Analysis, NonFinite> {
    let _flush = FlushDenormals::on();
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    let mut result = Ok(());
    // After a refusal the rest is taken all the same: who sends must not wait for ever.
    while let Ok(Some(signal)) = signal.recv() {
        if result.is_err() {
            continue;
        }
        result = match signal {
            Signal::Raw(samples) => {
                convert::to_block(&samples, &mut block);
                analyzer.push(&block)
            }
            Signal::Block(block) => analyzer.push(&block),
        };
    }
    result.map(|()| analyzer.finish())
}
