//! The output does not depend on how the stream is cut into blocks.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::subject::Subject;
use super::{signal, stream};

/// Sizes to compare with blocks of [`MAX_FRAMES`](super::subject::MAX_FRAMES): the smallest, odd ones, those
/// of audio interfaces, and a mix.
const SIZES: &[&[usize]] = &[&[1], &[7], &[64], &[333], &[1024], &[5, 1, 129, 64, 2048, 17, 500]];

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let setups = subject.setups()?;
    for (index, setup) in setups.iter().enumerate() {
        let seconds = if index == 0 { 1.5 } else { 0.5 };
        let input = signal::noise(subject.channel_count(), subject.frames(seconds), 3);
        let whole = match subject.play(&subject.usual(&setup.settings), &input) {
            // A preset that breaks is another check's promise.
            Err(Stop::Broke { .. }) if index > 0 => continue,
            response => response?,
        };
        for blocks in SIZES {
            let mut play = subject.usual(&setup.settings);
            play.blocks = blocks;
            let what = match blocks {
                [size] => format!("a stream in blocks of {size}"),
                _ => "a stream in blocks of mixed sizes".to_owned(),
            };
            let cut = subject.play(&play, &input).map_err(|stop| stop.at(&what))?;
            let from = format!("one in blocks of {}", play.max_frames);
            stream::same_bits(&what, &cut.planes, &from, &whole.planes)
                .map_err(|stop| stop.at(&setup.name))?;
        }
    }
    let seen = format!(
        "blocks of 1, 7, 64, 333, 1024, 4096 and a mix; {}",
        counted(setups.len(), "setting")
    );
    Ok(Outcome::Passed(seen))
}
