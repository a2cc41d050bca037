//! The output does not depend on the largest block the effect is created for, and every allowed one
//! works.

use super::judge::{Judgment, Outcome};
use super::subject::{Play, Subject};
use super::{signal, stream};
use crate::limits;

/// The smallest, an odd one and the largest.
const SIZES: &[usize] = &[1, 100, limits::FRAMES_MAX];

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let usual = subject.usual(&settings);
    let input = signal::noise(subject.channel_count(), subject.frames(0.5), 4);
    for size in SIZES {
        // The same blocks in both instances: how a stream is cut is another check's promise.
        let blocks = [usual.max_frames.min(*size)];
        let reference = Play { blocks: &blocks, ..usual.clone() };
        let reference = subject.play(&reference, &input)?;
        let play = Play { max_frames: *size, blocks: &blocks, ..usual.clone() };
        let what = format!("an instance for at most {size} frames");
        let response = subject.play(&play, &input).map_err(|stop| stop.at(&what))?;
        let from = format!("one for {}", usual.max_frames);
        stream::same_bits(&what, &response.planes, &from, &reference.planes)?;
    }
    let largest = signal::noise(subject.channel_count(), limits::FRAMES_MAX, 4);
    let blocks = [limits::FRAMES_MAX];
    let play = Play { max_frames: limits::FRAMES_MAX, blocks: &blocks, ..usual };
    let what = format!("a block of {} frames", limits::FRAMES_MAX);
    subject.play(&play, &largest).map_err(|stop| stop.at(&what))?;
    Ok(Outcome::Passed("created for 1, 100, 4096 and 65536 frames".to_owned()))
}
