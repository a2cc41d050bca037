//! From a file to its waveform: one pass over the range asked for.

use super::AnalyzeError;
use thiserror::Error;
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode::{DecodeError, Decoder};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::units::{Frames, Seconds};

/// The part of a file that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) from: Seconds,
    /// `None`: to the end.
    pub(super) to: Option<Seconds>,
}

/// Why there is no waveform; reads on after the file's name.
#[derive(Debug, Error)]
pub(super) enum ScanError {
    #[error(transparent)]
    File(AnalyzeError),
    #[error("--from {from} is not before --to {to}")]
    NoTime { from: Seconds, to: Seconds },
    #[error("ends at {end}, before --from {from}")]
    TooShort { from: Seconds, end: Seconds },
}

impl From<DecodeError> for ScanError {
    fn from(error: DecodeError) -> Self {
        Self::File(AnalyzeError::Decode(error))
    }
}

/// The range in frames, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: Frames,
    /// Frame behind it; `None` until the file ends.
    pub(super) end: Option<Frames>,
    /// How many frames it has, if the header says so.
    pub(super) frame_count: Option<Frames>,
}

impl Span {
    pub(super) fn new(range: Range, decoder: &dyn Decoder) -> Result<Self, ScanError> {
        let info = decoder.info();
        let rate = info.spec.sample_rate;
        let start = range.from.to_frames(rate);
        let end = range.to.map(|to| to.to_frames(rate));
        if let (Some(to), Some(end)) = (range.to, end)
            && end <= start
        {
            return Err(ScanError::NoTime { from: range.from, to });
        }
        if let Some(total) = info.frame_count {
            too_short(range, start, total, decoder)?;
        }
        let last = info.frame_count.map(|total| end.map_or(total, |end| end.min(total)));
        let frame_count = last.map(|last| last.saturating_sub(start));
        Ok(Self { start, end, frame_count })
    }
}

fn too_short(
    range: Range,
    start: Frames,
    total: Frames,
    decoder: &dyn Decoder,
) -> Result<(), ScanError> {
    if start > Frames::ZERO && start >= total {
        let end = total.duration(decoder.info().spec.sample_rate);
        return Err(ScanError::TooShort { from: range.from, end });
    }
    Ok(())
}

/// Decodes the range block by block.
pub(super) fn scan(
    decoder: &mut dyn Decoder,
    range: Range,
    span: Span,
    mut take: impl FnMut(&Block),
) -> Result<(), ScanError> {
    let channel_count = decoder.info().spec.channel_count();
    let mut samples = Samples::empty(decoder.info().format, channel_count);
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    let mut position = Frames::ZERO;
    while span.end.is_none_or(|end| position < end) {
        let count = decoder.read(&mut samples, BLOCK_FRAMES)?;
        if count == 0 {
            return too_short(range, span.start, position, decoder);
        }
        convert::to_block(&samples, &mut block);
        let behind = position + Frames(count as u64);
        if let Some(end) = span.end.filter(|&end| end < behind) {
            block.set_frame_count((end.saturating_sub(position)).as_usize());
        }
        let skipped = span.start.saturating_sub(position).min(Frames(count as u64));
        block.drop_front(skipped.as_usize());
        if let Some(index) = block.first_non_finite() {
            let frame = position + skipped + Frames(index as u64);
            return Err(DecodeError::NonFinite { frame }.into());
        }
        take(&block);
        position = behind;
    }
    Ok(())
}
