//! Samples in, the key out.

use super::changes::parts;
use super::estimate::{Probabilities, best, certainty, order, probabilities};
use super::evidence::Evidence;
use super::key::Key;
use super::presence::presence;
use super::report::{KeyAlternative, KeyChange, TonalityReport};
use crate::measure::{Meter, Needs, Setup, Shapes};
use crate::music::chords::{Span, spans};
use crate::music::chroma::{ChromaMeter, ChromaTrack, planes};
use std::ops::Range;
use wavemill_audio::units::Seconds;
use wavemill_audio::{Block, StreamSpec};

/// Finds the key of a signal. The result does not depend on how the signal was cut into blocks.
#[derive(Clone, Debug)]
pub(crate) struct TonalityMeter {
    chroma: ChromaMeter,
}

/// Below there is no key.
const PRESENCE_MIN: f64 = 0.3;

/// Alternatives that are reported: the likeliest, if they have so much.
const ALTERNATIVE_COUNT: usize = 3;
const ALTERNATIVE_MIN: f64 = 0.03;

/// How much likelier than any other the key of a part must be, to be a change of the key.
const CHANGE_MARGIN: f64 = 0.5;

impl Meter for TonalityMeter {
    type Report = TonalityReport;

    const NEEDS: Needs = Needs::Samples;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        Self { chroma: ChromaMeter::new(spec.sample_rate.0) }
    }

    fn push(&mut self, block: &Block) {
        self.chroma.push(&planes(block));
    }

    fn finish(self, _shapes: &Shapes) -> TonalityReport {
        let track = self.chroma.finish();
        tonality_of(&track, &spans(&track.frames)).unwrap_or_else(|| TonalityReport {
            reason: Some("no key".into()),
            ..TonalityReport::default()
        })
    }
}

impl TonalityMeter {
    /// Forgets all but the latest part of what was heard.
    pub(crate) fn keep_latest(&mut self, kept: Seconds) {
        self.chroma.keep_latest(kept);
    }
}

/// The key of a signal whose profiles and chords are known.
fn tonality_of(track: &ChromaTrack, spans: &[Span]) -> Option<TonalityReport> {
    let presence = presence(track, spans);
    if presence < PRESENCE_MIN {
        return None;
    }
    let parts = keyed_parts(track, spans);
    let longest =
        parts.iter().max_by_key(|part| (part.frames.len(), usize::MAX - part.frames.start));
    let evidence = longest.map_or_else(
        || Evidence::new(&track.frames, spans),
        |part| of_part(track, spans, &part.frames),
    );
    let probabilities = probabilities(&evidence);
    let (key, _) = best(&probabilities);
    Some(TonalityReport {
        key: Some(key.name()),
        tonic: Some(key.tonic_name().to_owned()),
        mode: Some(key.mode),
        confidence: Some(certainty(&probabilities, &evidence) * presence),
        camelot: Some(key.camelot()),
        tuning_hz: Some(track.tuning_hz),
        reason: None,
        alternatives: alternatives(&probabilities, key),
        changes: changes(&parts, track.hop_s),
    })
}

/// A part in one key.
#[derive(Clone, Debug)]
struct Part {
    frames: Range<usize>,
    key: Key,
}

/// The parts of a recording whose key changes; empty if it does not, or if that is not certain.
fn keyed_parts(track: &ChromaTrack, spans: &[Span]) -> Vec<Part> {
    let mut keyed: Vec<Part> = Vec::new();
    let parts = parts(&track.frames, track.hop_s);
    if parts.len() < 2 {
        return keyed;
    }
    for frames in parts {
        let (key, margin) = best(&probabilities(&of_part(track, spans, &frames)));
        match keyed.last_mut() {
            Some(last) if margin < CHANGE_MARGIN || last.key.signature() == key.signature() => {
                last.frames.end = frames.end;
            }
            _ => keyed.push(Part { frames, key }),
        }
    }
    if keyed.len() < 2 { Vec::new() } else { keyed }
}

fn of_part(track: &ChromaTrack, spans: &[Span], part: &Range<usize>) -> Evidence {
    let frames = track.frames.get(part.clone()).unwrap_or_default();
    let within = |span: &Span| Span {
        start: span.start.max(part.start),
        end: span.end.min(part.end),
        harmony: span.harmony,
    };
    let spans: Vec<Span> = spans
        .iter()
        .filter(|span| span.start < part.end && span.end > part.start)
        .map(within)
        .collect();
    Evidence::new(frames, &spans)
}

fn changes(parts: &[Part], hop_s: f64) -> Vec<KeyChange> {
    let change =
        |part: &Part| KeyChange { time_s: part.frames.start as f64 * hop_s, key: part.key.name() };
    parts.iter().skip(1).map(change).collect()
}

fn alternatives(probabilities: &Probabilities, key: Key) -> Vec<KeyAlternative> {
    let others = order(probabilities).into_iter().filter(|&number| Key::numbered(number) != key);
    others
        .take(ALTERNATIVE_COUNT)
        .filter(|&number| probabilities[number] >= ALTERNATIVE_MIN)
        .map(|number| KeyAlternative {
            key: Key::numbered(number).name(),
            weight: probabilities[number],
        })
        .collect()
}
