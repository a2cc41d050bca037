//! The file that is played.

use crate::analysis;
use crate::report::shown;
use std::path::Path;
use wavemill_core::audio::{Block, Samples, StreamSpec, convert};
use wavemill_core::decode::{DecodeError, Decoder};

/// A file's samples, one block after the other.
pub(super) struct AudioFile {
    name: String,
    decoder: Box<dyn Decoder>,
    spec: StreamSpec,
    samples: Samples,
    repeats: bool,
}

impl AudioFile {
    /// # Errors
    /// When it is no audio file, damaged or unreadable; one line with its name.
    pub(super) fn open(path: &Path, repeats: bool) -> Result<Self, String> {
        let name = shown(path);
        let decoder = analysis::open(path).map_err(|error| format!("{name} {error}"))?;
        let info = decoder.info();
        let (spec, samples) =
            (info.spec.clone(), Samples::empty(info.format, info.spec.channel_count()));
        Ok(Self { name, decoder, spec, samples, repeats })
    }

    /// Rate and channels.
    pub(super) fn spec(&self) -> &StreamSpec {
        &self.spec
    }

    /// Fills a block as far as it goes; `false` is the end.
    ///
    /// # Errors
    /// When the file is damaged; one line with its name.
    pub(super) fn read(&mut self, block: &mut Block) -> Result<bool, String> {
        let frames = self.next(block.frame_capacity());
        let frames = frames.map_err(|error| format!("{} {error}", self.name))?;
        convert::to_block(&self.samples, block);
        Ok(frames > 0)
    }

    fn next(&mut self, frames_max: usize) -> Result<usize, DecodeError> {
        let frames = self.decoder.read(&mut self.samples, frames_max)?;
        if frames > 0 || !self.repeats {
            return Ok(frames);
        }
        self.decoder.rewind()?;
        self.decoder.read(&mut self.samples, frames_max)
    }
}
