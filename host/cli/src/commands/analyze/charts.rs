//! What is drawn of a file: its waveform, and its loudness over time.

use crate::analysis::{AnalyzeError, Input};
use wavemill_core::loudness::{HistoryPoint, LoudnessMeter, MonoMode, Piece};
use wavemill_core::waveform::{Resolution, Waveform, WaveformMeter};
use wavemill_pipelines::report::html::WAVEFORM_POINTS_MAX;

/// What charts show.
#[derive(Debug, Default)]
pub(super) struct Charts {
    pub(super) waveform: Option<Waveform>,
    pub(super) history: Vec<HistoryPoint>,
    /// What it contributes to the loudness of an album.
    pub(super) piece: Piece,
}

/// Decodes an input once more: neither is kept with cached results.
pub(super) fn of(input: &Input) -> Result<Charts, AnalyzeError> {
    let (waveform, mut loudness) = input.each_block(
        |info| {
            let resolution = [Resolution::Even(WAVEFORM_POINTS_MAX)];
            let waveform =
                WaveformMeter::new(&info.spec, info.format, info.frame_count, &resolution);
            (waveform, LoudnessMeter::new(&info.spec, MonoMode::Single).with_history())
        },
        |(waveform, loudness), block| {
            waveform.push(block);
            loudness.push(block);
            true
        },
    )?;
    loudness.end();
    let history = loudness.take_history();
    let (_, piece) = loudness.finish_as_piece();
    Ok(Charts { waveform: Some(waveform.finish()), history, piece })
}
