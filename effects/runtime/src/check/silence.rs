//! Once `fx_process` has returned 1, the output is zero for as long as the input is.

use super::judge::{Judgment, Outcome, Stop};
use super::signal;
use super::subject::Subject;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let channels = subject.channel_count();
    let pause = subject.frames(0.2);
    let noise = signal::noise(channels, subject.frames(0.5), 15);
    let end = signal::silence(channels, subject.frames(4.0));
    let input = signal::joined(&[&signal::silence(channels, pause), &noise, &end]);
    let noise_end = pause + subject.frames(0.5);
    let mut said = 0;
    for (index, setup) in subject.setups()?.into_iter().enumerate() {
        let mut play = subject.usual(&setup.settings);
        play.blocks = &[256];
        let response = match subject.play(&play, &input) {
            // A preset that breaks is another check's promise.
            Err(Stop::Broke { .. }) if index > 0 => continue,
            response => response?,
        };
        for silent_from in response.silences {
            // The promise holds until the input sounds again.
            let until = if silent_from <= pause { pause } else { response.planes[0].len() };
            if silent_from > pause && silent_from < noise_end {
                continue;
            }
            said += 1;
            let late = response.planes.iter().map(|plane| &plane[silent_from..until]);
            let sounds =
                late.filter_map(|plane| plane.iter().position(|sample| *sample != 0.0)).min();
            if let Some(after) = sounds {
                return Err(Stop::broke(format!(
                    "{}, fx_process returned 1 (silent) but the output sounds again {after} frames later \
                     while the input is silent",
                    setup.name
                )));
            }
        }
    }
    Ok(match said {
        0 => Outcome::Passed("it never says that it is silent".to_owned()),
        _ => Outcome::Passed("it says when it is silent".to_owned()),
    })
}
