//! The thread that plays: file, rack, sink.

use super::audio_file::AudioFile;
use super::sink::Sink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use wavemill_core::audio::Block;
use wavemill_core::processor::Tail;
use wavemill_rack::Rack;

/// Frames that the rack is given at a time; effects have so long for them, as in a DAW with such a buffer.
const BLOCK_FRAMES: usize = 1024;

/// Longest tail that is played after the file's end, in seconds.
const TAIL_S_MAX: u64 = 10;

/// What plays.
pub(super) struct Player<'c> {
    rack: Rack,
    file: AudioFile,
    sink: Box<dyn Sink + 'c>,
    cancel: &'c AtomicBool,
    block: Block,
    /// Frames of latency that are still to be left out.
    latency: usize,
}

impl<'c> Player<'c> {
    pub(super) fn new(
        rack: Rack,
        file: AudioFile,
        sink: Box<dyn Sink + 'c>,
        cancel: &'c AtomicBool,
    ) -> Self {
        let block = Block::new(file.spec().channel_count(), BLOCK_FRAMES);
        let latency = rack.latency().as_usize();
        Self { rack, file, sink, cancel, block, latency }
    }

    /// Plays to the end of the file and of the effect's tail, until it is canceled, or until nobody listens. Wakes
    /// `main` when the rack needs it.
    ///
    /// # Errors
    /// One line: what is wrong with the file, or where the sound goes.
    pub(super) fn play(mut self, main: &Thread) -> Result<(), String> {
        while self.file.read(&mut self.block)? {
            if !self.pass(main)? {
                return Ok(());
            }
        }
        let mut left = self.frames_after_the_end();
        while left > 0 {
            self.block.set_frame_count(left.min(BLOCK_FRAMES));
            left -= self.block.frame_count();
            self.block.silence();
            if !self.pass(main)? {
                return Ok(());
            }
        }
        self.sink.finish();
        main.unpark();
        Ok(())
    }

    /// The end of the file that the effect still delays, and its tail.
    fn frames_after_the_end(&self) -> usize {
        let most = u64::from(self.file.spec().sample_rate.0) * TAIL_S_MAX;
        let tail = match self.rack.tail() {
            Tail::Frames(frames) => frames.0.min(most),
            Tail::Infinite => 0,
        };
        self.rack.latency().as_usize() + usize::try_from(tail).unwrap_or(0)
    }

    /// A block through the rack to the sink; whether it goes on.
    fn pass(&mut self, main: &Thread) -> Result<bool, String> {
        let mut planes: Vec<&mut [f32]> = self.block.planes_mut().collect();
        // Only an offline render is stopped.
        let _ = self.rack.process(&mut planes, false);
        if self.rack.take_need() {
            main.unpark();
        }
        let late = self.latency.min(self.block.frame_count());
        self.latency -= late;
        self.block.drop_front(late);
        Ok(self.sink.write(&self.block)? && !self.cancel.load(Ordering::SeqCst))
    }
}
