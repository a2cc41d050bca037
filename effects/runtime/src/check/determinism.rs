//! The same input gives the same bits: in another instance, in another engine, with more memory.

use super::judge::{Judgment, Outcome};
use super::subject::Subject;
use super::{signal, stream};
use crate::limits;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let play = subject.usual(&settings);
    let input = signal::noise(subject.channel_count(), subject.frames(0.5), 2);
    let first = subject.play(&play, &input)?;
    let second = subject.play(&play, &input)?;
    stream::same_bits("a second instance", &second.planes, "the first", &first.planes)?;
    // Hosts differ in what they allow: an effect that takes what it can get must not sound by it.
    let memory_mib = (subject.memory_mib() * 4).min(limits::MEMORY_MIB_MAX);
    let twin = subject.twin(memory_mib)?;
    let third = twin.play(&play, &input)?;
    let what = format!("a host that allows {memory_mib} MiB of memory");
    let from = format!("one that allows {} MiB", subject.memory_mib());
    stream::same_bits(&what, &third.planes, &from, &first.planes)?;
    Ok(Outcome::Passed("3 instances in 2 engines".to_owned()))
}
