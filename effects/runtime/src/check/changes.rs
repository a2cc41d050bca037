//! Automatable parameters may change while audio runs, at exact frames.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal::{self, Planes, Random};
use super::stream;
use super::subject::{Play, Subject};
use crate::description::Param;
use wavemill_core::units::Frames;

/// Frames between two changes, at most.
const DISTANCE_MAX: u64 = 1_500;

/// -60 dB, for effects that boost.
const QUIET: f32 = 0.001;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let params = &subject.description().params;
    let params: Vec<&Param> = params.iter().filter(|param| param.is_automatable).collect();
    if params.is_empty() {
        return Ok(Outcome::NotJudged("no parameter is automatable".to_owned()));
    }
    let settings = subject.defaults();
    let mut input = signal::noise(subject.channel_count(), subject.frames(1.0), 12);
    let mut play = subject.usual(&settings);
    let (whole, count) = match changed(subject, &play, &params, &input) {
        // Many boosts together may be beyond the bounds without a fault of the effect's.
        Err(Stop::Broke { sample: Some(sample), .. }) if sample.is_finite() => {
            input.iter_mut().flatten().for_each(|sample| *sample *= QUIET);
            changed(subject, &play, &params, &input)?
        }
        response => response?,
    };
    let unchanged = subject.play(&play, &input)?;
    for blocks in [&[64][..], &[1][..], &[333, 7][..]] {
        play.blocks = blocks;
        // Without changes too? Then that is another check's promise.
        if subject.play(&play, &input)?.planes != unchanged.planes {
            continue;
        }
        let (cut, _) = changed(subject, &play, &params, &input)?;
        let what = format!("with parameter changes, a stream in blocks of {}", blocks[0]);
        let from = format!("one in blocks of {}", play.max_frames);
        stream::same_bits(&what, &cut, &from, &whole)?;
    }
    let seen = format!("{} of {}", counted(count, "change"), counted(params.len(), "parameter"));
    Ok(Outcome::Passed(seen))
}

/// Plays with changes at odd frames, the same in every call.
fn changed(
    subject: &Subject<'_>,
    play: &Play<'_>,
    params: &[&Param],
    input: &Planes,
) -> Result<(Planes, usize), Stop> {
    let mut effect = subject.effect(play)?;
    let mut random = Random::new(13);
    let frame_count = input.first().map_or(0, Vec::len) as u64;
    let (mut at, mut count) = (0, 0);
    while at < frame_count {
        // Each parameter in turn, and half of the time from one end of its range to the other.
        let param = params[count % params.len()];
        let share =
            if random.next().is_multiple_of(2) { random.unit() } else { random.unit().round() };
        let value = (param.min + share * (param.max - param.min)).clamp(param.min, param.max);
        let scheduled = effect.schedule(Frames(at), param.id, value);
        scheduled.map_err(|error| Stop::broke(error.to_string()))?;
        count += 1;
        at += 1 + random.next() % DISTANCE_MAX;
    }
    let response = subject.feed(&mut effect, play.blocks, input);
    let response = response.map_err(|stop| stop.at("while parameters change"))?;
    Ok((response.planes, count))
}
