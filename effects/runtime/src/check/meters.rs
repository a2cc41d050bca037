//! Meters show numbers within their ranges, and whether they are read changes nothing.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal::{self, Planes};
use super::stream;
use super::subject::{Setup, Subject};
use crate::description::Meter;
use crate::effect::Effect;

/// Frames between two readings.
const FRAMES: usize = 256;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let meters = &subject.description().meters;
    if meters.is_empty() {
        return Ok(Outcome::Passed("it has none".to_owned()));
    }
    let channels = subject.channel_count();
    let noise = signal::noise(channels, subject.frames(0.5), 17);
    let silence = signal::silence(channels, subject.frames(0.25));
    let input = signal::joined(&[&silence, &noise, &silence]);
    for setup in subject.setups()? {
        watch(subject, &setup, meters, &input)?;
    }
    Ok(Outcome::Passed(counted(meters.len(), "meter")))
}

/// Plays the signal with readings, and compares it with one without.
fn watch(
    subject: &Subject<'_>,
    setup: &Setup,
    meters: &[Meter],
    input: &Planes,
) -> Result<(), Stop> {
    let play = subject.usual(&setup.settings);
    let unwatched = match subject.play(&play, input) {
        // A preset that breaks is another check's promise.
        Err(Stop::Broke { .. }) => return Ok(()),
        response => response?,
    };
    let mut effect = subject.effect(&play)?;
    let mut watched: Planes = vec![Vec::new(); input.len()];
    read(&mut effect, meters).map_err(|stop| stop.at(&setup.name))?;
    for start in (0..input[0].len()).step_by(FRAMES) {
        let end = (start + FRAMES).min(input[0].len());
        let piece: Planes = input.iter().map(|plane| plane[start..end].to_vec()).collect();
        let response = subject.feed(&mut effect, &[FRAMES], &piece)?;
        for (plane, samples) in watched.iter_mut().zip(&response.planes) {
            plane.extend_from_slice(samples);
        }
        read(&mut effect, meters).map_err(|stop| stop.at(&setup.name))?;
    }
    stream::same_bits("with readings", &watched, "without", &unwatched.planes)
}

fn read(effect: &mut Effect, meters: &[Meter]) -> Result<(), Stop> {
    for (index, Meter { key, min, max, .. }) in meters.iter().enumerate() {
        let reading = effect.reading(index).map_err(|broken| {
            let reason = effect.explain(broken).to_string();
            Stop::broke(format!("`{key}` cannot be read: {reason}"))
        })?;
        if !(*min..=*max).contains(&f64::from(reading)) {
            return Err(Stop::broke(format!(
                "`{key}` shows {reading}, which is not within {min}..={max}"
            )));
        }
    }
    Ok(())
}
