//! Recording what passes, from the audio thread into WAV files.
//!
//! The audio thread puts samples into a ring and never waits; a thread of the capture's own empties the
//! ring into 32-bit float files, so that nothing is rounded. What finds no room is counted and shown,
//! and silence keeps its place.

mod names;
mod part;
mod progress;
mod recorder;
mod tape;
mod wav;
mod writer;
mod writing;

#[cfg(test)]
mod tests;

pub(crate) use names::{Stem, Track};
pub(crate) use progress::Progress;
pub(crate) use recorder::{Recorder, Timing};
pub(crate) use tape::Captures;
pub(crate) use tape::{Need, Tape};
pub(crate) use writer::{Folder, Target};
pub(crate) use writing::WriterThread;

use std::io;
use std::sync::Arc;
use writer::{OnDisk, Open, Writer};

/// Begins a capture: its thread waits for samples at once, its first file is made with the first of
/// them. Allocates and starts a thread, which can be waited for; `after` is called by it when everything is written
/// and closed.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn begin_then(
    target: Target,
    after: impl FnOnce(&Progress) + Send + 'static,
) -> io::Result<(Recorder, WriterThread)> {
    begin_with(target, OnDisk, |writer| writer, after)
}

fn begin_with<O: Open>(
    target: Target,
    opener: O,
    adapt: impl FnOnce(Writer<O>) -> Writer<O>,
    after: impl FnOnce(&Progress) + Send + 'static,
) -> io::Result<(Recorder, WriterThread)> {
    let progress = Arc::new(Progress::default());
    let channel_count = target.layout.channel_count();
    let (recorder, rings) =
        Recorder::new(channel_count, target.sample_rate_hz, Arc::clone(&progress));
    let writer = adapt(Writer::new(target, opener, rings, Arc::clone(&progress)));
    let writing = WriterThread::start(move || {
        writer.run();
        after(&progress);
    })?;
    Ok((recorder, writing))
}
