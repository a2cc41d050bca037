//! Samples in, chords out.

use super::chord::{Chord, Harmony, Span};
use super::path::spans;
use crate::measure::{Meter, Needs, Setup, Shapes};
use crate::music::chroma::{ChromaMeter, ChromaTrack, planes};
use wavemill_audio::{Block, StreamSpec};

/// Finds the chords of a signal. The result does not depend on how the signal was cut into blocks.
#[derive(Debug)]
pub(crate) struct ChordMeter {
    chroma: ChromaMeter,
}

/// Pitches that agree less with any tuning are no notes: those of noise, drums and speech have up to 0.1, music from 0.23 on.
const CONCENTRATION_MIN: f64 = 0.12;

impl Meter for ChordMeter {
    /// Without gaps from the first sample to the last. Empty for no samples; one `N` where no pitches agree with a
    /// tuning, as in noise, drums and speech, even if a tenth of the recording is music.
    type Report = Vec<Chord>;

    const NEEDS: Needs = Needs::Samples;

    const IS_USUAL: bool = false;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        Self { chroma: ChromaMeter::new(spec.sample_rate.0) }
    }

    fn push(&mut self, block: &Block) {
        self.chroma.push(&planes(block));
    }

    fn finish(self, _shapes: &Shapes) -> Vec<Chord> {
        let track = self.chroma.finish();
        let frames = track.frames.len();
        let spans = if track.tuning_concentration < CONCENTRATION_MIN {
            vec![Span { start: 0, end: frames, harmony: None }]
        } else {
            spans(&track.frames)
        };
        chords_of_spans(&track, &spans)
    }
}

/// Chords with their times.
fn chords_of_spans(track: &ChromaTrack, spans: &[Span]) -> Vec<Chord> {
    let time_s = |frame: usize| ((frame as f64 - 0.5) * track.hop_s).clamp(0.0, track.duration_s);
    let chord = |span: &Span| Chord {
        start_s: time_s(span.start),
        end_s: if span.end == track.frames.len() { track.duration_s } else { time_s(span.end) },
        label: span.harmony.map_or_else(|| "N".to_owned(), Harmony::label),
    };
    spans.iter().map(chord).filter(|chord| chord.end_s > chord.start_s).collect()
}
