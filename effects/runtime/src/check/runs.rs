//! It is created with its defaults and processes noise.

use super::judge::{Judgment, Outcome};
use super::signal;
use super::subject::{Cost, Subject};
use wavemill_core::processor::Tail;
use wavemill_core::units::SampleRate;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let play = subject.usual(&settings);
    let rate = SampleRate(subject.sample_rate_hz());
    let mut effect = subject.effect(&play)?;
    let input = signal::noise(subject.channel_count(), rate.0 as usize / 4, 1);
    let response = subject.feed(&mut effect, play.blocks, &input)?;
    // A first estimate: it decides how long the other checks play.
    let frames = input.first().map_or(1, Vec::len) as f64;
    let fuel_per_frame = effect.fuel_used().map(|_| response.fuel as f64 / frames);
    subject.set_cost(Cost { fuel_per_frame, ..Cost::default() });
    let latency = effect.latency().0;
    let tail = match effect.tail() {
        Tail::Infinite => "endless tail".to_owned(),
        Tail::Frames(frames) => format!("tail {:.2}", frames.duration(rate)),
    };
    let channels = match subject.channel_count() {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        count => format!("{count} channels"),
    };
    Ok(Outcome::Passed(format!("{channels} at {rate}: latency {latency} frames, {tail}")))
}
