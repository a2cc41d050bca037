//! Where the key changes.
//!
//! Parts of one key signature are found first: the most likely path of signatures through the frames,
//! with a change costing much. Each part is then looked at on its own; neighbors of one signature are
//! one part, so that a verse in the relative minor is no change of key.
//!
//! Source: D. Temperley, "The cognition of basic musical structures", 2001, 7.4 (key finding in
//! segments with a penalty for changes).

use crate::music::chroma::{ChromaFrame, PITCH_CLASSES, PitchClasses};
use std::ops::Range;

/// A part lasts at least this long.
const PART_S: f64 = 12.0;

/// What a change costs: as much as a signature whose notes have a tenth less of the strength does
/// in this time.
const CHANGE_S: f32 = 10.0;
const CHANGE_SHARE: f32 = 0.1;

/// Notes of a major scale, from the tonic on.
const SCALE: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];

/// Parts of one signature each, from the first frame to the last. One part where there is no change.
pub(super) fn parts(frames: &[ChromaFrame], hop_s: f64) -> Vec<Range<usize>> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let cost = CHANGE_S * CHANGE_SHARE / hop_s as f32;
    let signatures = path(frames, cost);
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for run in signatures.chunk_by(|a, b| a == b) {
        parts.push(start..start + run.len());
        start += run.len();
    }
    let is_short = |part: &Range<usize>| (part.len() as f64) * hop_s < PART_S;
    if parts.len() < 2 || parts.iter().any(is_short) && !drop_short(&mut parts, is_short) {
        return std::iter::once(0..frames.len()).collect();
    }
    parts
}

/// Joins short parts to the ones before them, a short first one to the second. Whether any are left.
fn drop_short(parts: &mut Vec<Range<usize>>, is_short: impl Fn(&Range<usize>) -> bool) -> bool {
    let mut kept: Vec<Range<usize>> = Vec::new();
    for part in parts.drain(..) {
        match kept.last_mut() {
            Some(last) if is_short(&part) || is_short(last) => last.end = part.end,
            _ => kept.push(part),
        }
    }
    *parts = kept;
    parts.len() > 1
}

/// The most likely signature of each frame.
fn path(frames: &[ChromaFrame], cost: f32) -> Vec<u8> {
    let mut scores = [0.0f32; PITCH_CLASSES];
    let mut steps: Vec<(u8, u16)> = Vec::with_capacity(frames.len());
    for frame in frames {
        let best = highest(&scores);
        let top = scores[best];
        let mut jumped = 0;
        let fits = fits(&frame.treble);
        for (signature, score) in scores.iter_mut().enumerate() {
            if *score < top - cost {
                *score = top - cost;
                jumped |= 1 << signature;
            }
            *score += fits[signature] - top;
        }
        steps.push((u8::try_from(best).unwrap_or(0), jumped));
    }
    let mut signature = highest(&scores);
    let mut path = vec![0; frames.len()];
    for (place, (best, jumped)) in path.iter_mut().zip(steps).rev() {
        *place = u8::try_from(signature).unwrap_or(0);
        if jumped >> signature & 1 == 1 {
            signature = usize::from(best);
        }
    }
    path
}

fn highest(scores: &PitchClasses) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

/// Share of the strength that the notes of each major scale have.
fn fits(classes: &PitchClasses) -> PitchClasses {
    let sum: f32 = classes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    std::array::from_fn(|tonic| {
        SCALE.iter().map(|step| classes[(tonic + step) % PITCH_CLASSES]).sum::<f32>() / sum
    })
}
