//! Every number of channels that the description promises works.

use super::judge::{Judgment, Outcome};
use super::signal;
use super::subject::Subject;
use wavemill_core::audio::StreamSpec;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let (min, max) = subject.description().channels;
    // With one channel only, hosts run an instance a channel.
    let is_mono = (min, max) == (1, 1);
    let mut counts = if is_mono { vec![1, 2, 3] } else { vec![min, 1, 2, max] };
    counts.retain(|count| is_mono || (min..=max).contains(count));
    counts.sort_unstable();
    counts.dedup();
    let settings = subject.defaults();
    let mut deaf = None;
    for count in &counts {
        let mut play = subject.usual(&settings);
        play.spec = StreamSpec::new(subject.sample_rate_hz(), *count as usize);
        let input = signal::noise(*count as usize, subject.frames(0.25), 9);
        let what = format!("with {count} channels");
        let response = subject.play(&play, &input).map_err(|stop| stop.at(&what))?;
        let is_silent = |plane: &Vec<f32>| plane.iter().all(|sample| *sample == 0.0);
        if let Some(channel) = response.planes.iter().position(is_silent)
            && !response.planes.iter().all(is_silent)
        {
            deaf = Some(format!(
                "with {count} channels, channel {channel} stays silent; if it supports fewer, \
                state that in `channels`"
            ));
        }
    }
    let counts: Vec<_> = counts.iter().map(ToString::to_string).collect();
    let seen = format!("{} channels", counts.join(", "));
    Ok(match deaf {
        Some(reason) => Outcome::Hint(reason, seen),
        None => Outcome::Passed(seen),
    })
}
