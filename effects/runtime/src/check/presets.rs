//! Every preset works.

use super::judge::{Judgment, Outcome, counted};
use super::signal;
use super::subject::Subject;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let presets = &subject.description().presets;
    if presets.is_empty() {
        return Ok(Outcome::NotJudged("it has no presets".to_owned()));
    }
    let input = signal::noise(subject.channel_count(), subject.frames(0.25), 14);
    for preset in presets {
        let setup = subject.preset(&preset.name)?;
        let play = subject.usual(&setup.settings);
        subject.play(&play, &input).map_err(|stop| stop.at(&setup.name))?;
    }
    Ok(Outcome::Passed(counted(presets.len(), "preset")))
}
