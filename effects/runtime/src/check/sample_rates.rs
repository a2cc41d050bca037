//! Every usual sample rate that the description promises works.

use super::judge::{Judgment, Outcome};
use super::signal;
use super::subject::Subject;
use wavemill_core::audio::StreamSpec;

/// In Hz: discs, video, and what recordings come in.
const USUAL: &[u32] = &[44_100, 48_000, 96_000, 192_000];

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let promised = &subject.description().sample_rates;
    let rates = if promised.is_empty() { USUAL } else { promised };
    let settings = subject.defaults();
    for rate in rates {
        let mut play = subject.usual(&settings);
        play.spec = StreamSpec::new(*rate, subject.channel_count());
        let input = signal::noise(subject.channel_count(), subject.frames(0.25), 10);
        subject.play(&play, &input).map_err(|stop| stop.at(&format!("at {rate} Hz")))?;
    }
    let rates: Vec<_> = rates.iter().map(ToString::to_string).collect();
    Ok(Outcome::Passed(format!("{} Hz", rates.join(", "))))
}
