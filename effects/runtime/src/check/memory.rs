//! No memory is asked for once `fx_create` has returned.

use super::judge::{Judgment, Outcome, Stop};
use super::signal;
use super::subject::Subject;
use wavemill_core::processor::Processor;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let play = subject.usual(&settings);
    let mut effect = subject.effect(&play)?;
    let input = signal::noise(subject.channel_count(), subject.frames(1.0), 7);
    subject.feed(&mut effect, play.blocks, &input)?;
    for param in subject.description().params.iter().filter(|param| param.is_automatable) {
        effect.set(param.id, param.max);
        effect.set(param.id, param.min);
    }
    subject.feed(&mut effect, play.blocks, &input)?;
    if effect.asked_for_memory() {
        return Err(Stop::broke(
            "asks for memory (memory.grow) after fx_create, which hosts refuse; allocate everything \
             in fx_create",
        ));
    }
    // A host may reset on its audio thread.
    effect.reset();
    if effect.asked_for_memory() {
        return Err(Stop::broke(
            "fx_reset asks for memory (memory.grow); clear what fx_create made",
        ));
    }
    Ok(Outcome::Passed(String::new()))
}
