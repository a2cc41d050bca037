//! After `fx_reset` an instance is as a fresh one with the same parameters.

use super::judge::{Judgment, Outcome, Stop};
use super::signal::{self, Planes};
use super::stream;
use super::subject::{Play, Subject};
use crate::description::Param;
use crate::effect::Effect;
use crate::settings::Settings;
use std::collections::BTreeMap;
use wavemill_core::descriptor::ParamValue;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let play = subject.usual(&settings);
    if !subject.effect(&play)?.reset_if_real_time() {
        return Ok(Outcome::NotJudged("no fx_reset: every file gets a new instance".to_owned()));
    }
    let before = signal::noise(subject.channel_count(), subject.frames(1.0), 5);
    let after = signal::noise(subject.channel_count(), subject.frames(0.5), 6);
    let fresh = subject.play(&play, &after)?;
    let mut effect = subject.effect(&play)?;
    subject.feed(&mut effect, play.blocks, &before)?;
    compare(subject, &play, effect, &after, &fresh.planes, "fx_reset after a second of noise")?;
    // A block of an odd size, so that state that runs in fixed steps is caught in the middle of one.
    let mut effect = subject.effect(&play)?;
    let odd: Planes = before.iter().map(|plane| plane[..1_237.min(plane.len())].to_vec()).collect();
    subject.feed(&mut effect, &[333], &odd)?;
    compare(subject, &play, effect, &after, &fresh.planes, "fx_reset after 1237 frames")?;
    let params = &subject.description().params;
    let changed: Vec<&Param> = params.iter().filter(|param| param.is_automatable).collect();
    if changed.is_empty() {
        return Ok(Outcome::Passed("after noise".to_owned()));
    }
    after_changes(subject, &changed, &before, &after)?;
    Ok(Outcome::Passed("after noise and after changes of parameters".to_owned()))
}

/// What a parameter is changed to: a quarter of the way to the end that is farther from the default.
/// All of them at their ends may be absurd together: eight bands that boost add up.
fn changed_value(param: &Param) -> f64 {
    let (up, down) = (param.max - param.default, param.default - param.min);
    if up >= down { param.default + up / 4.0 } else { param.default - down / 4.0 }
}

/// A glide that is under way must be at its end after a reset.
fn after_changes(
    subject: &Subject<'_>,
    changed: &[&Param],
    before: &Planes,
    after: &Planes,
) -> Result<(), Stop> {
    let given: BTreeMap<String, ParamValue> = changed
        .iter()
        .map(|param| (param.key.clone(), ParamValue::Number(changed_value(param))))
        .collect();
    let settings = Settings::of(subject.description(), None, &given)
        .map_err(|errors| Stop::broke(format!("{} parameters cannot be set", errors.len())))?;
    let fresh = match subject.play(&subject.usual(&settings), after) {
        // Parameters that break are another check's promise.
        Err(Stop::Broke { .. }) => return Ok(()),
        response => response?,
    };
    let defaults = subject.defaults();
    let play = subject.usual(&defaults);
    let mut effect = subject.effect(&play)?;
    subject.feed(&mut effect, play.blocks, before)?;
    for param in changed {
        effect.set(param.id, changed_value(param));
    }
    compare(
        subject,
        &play,
        effect,
        after,
        &fresh.planes,
        "fx_reset right after parameters were changed",
    )
}

fn compare(
    subject: &Subject<'_>,
    play: &Play<'_>,
    mut effect: Effect,
    input: &Planes,
    fresh: &Planes,
    what: &str,
) -> Result<(), Stop> {
    effect.reset_if_real_time();
    let response = subject.feed(&mut effect, play.blocks, input).map_err(|stop| stop.at(what))?;
    stream::same_bits(what, &response.planes, "a new instance", fresh)
}
