//! Silence, impulses, full scale and denormals give finite output.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal::{self, Planes};
use super::subject::Subject;

/// Whether nothing but an amplitude is wrong, which is another check's promise.
fn is_amplitude(stop: &Stop) -> bool {
    matches!(stop, Stop::Broke { sample: Some(sample), .. } if sample.is_finite())
}

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let all = all(subject);
    for (name, input) in &all {
        match subject.play(&subject.usual(&settings), input) {
            Err(stop) if !is_amplitude(&stop) => return Err(stop.at(&format!("fed with {name}"))),
            _ => {}
        }
    }
    Ok(Outcome::Passed(counted(all.len(), "signal")))
}

/// Signals at the edges, each with its name.
pub(super) fn all(subject: &Subject<'_>) -> Vec<(&'static str, Planes)> {
    let (channels, frames) = (subject.channel_count(), subject.frames(0.5));
    let square = |period: usize, peak: f32| {
        move |index: usize| if (index / period).is_multiple_of(2) { peak } else { -peak }
    };
    let noise = signal::noise(channels, frames / 2, 8);
    let silence = signal::silence(channels, frames);
    let loud = noise.iter().map(|plane| plane.iter().map(|sample| sample * 16.0).collect());
    let loud: Planes = loud.collect();
    let impulse = |index| if index == 1_000 { 1.0 } else { 0.0 };
    // Below the smallest normal number, 1.2e-38, and right above it, where results fall below.
    let denormals = square(1, 1e-40);
    let tiny = square(50, 2e-38);
    vec![
        ("silence", silence.clone()),
        ("an impulse of full scale", signal::each(channels, frames, impulse)),
        ("noise", noise.clone()),
        ("noise that ends in silence", signal::joined(&[&noise, &silence])),
        ("a square wave of full scale", signal::each(channels, frames, square(50, 1.0))),
        ("full scale at every other sample", signal::each(channels, frames, square(1, 1.0))),
        ("a constant 1.0", signal::each(channels, frames, |_| 1.0)),
        ("noise at +18 dBFS that ends in silence", signal::joined(&[&loud, &silence])),
        ("denormal numbers", signal::each(channels, frames, denormals)),
        ("numbers of 2e-38", signal::each(channels, frames, tiny)),
    ]
}
