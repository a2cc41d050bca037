//! The output lags behind the input by what `fx_latency` says.
//!
//! Bursts of noise go in, independent ones in each channel; the lag at which the output is most like
//! one of them is compared with the latency. An effect that passes no signal (a reverb without the
//! dry sound), or whose delay is a parameter, cannot be judged so, and is not.

use super::correlation::{Likeness, likeness};
use super::judge::{Judgment, Outcome, Stop};
use super::signal::{self, Planes};
use super::subject::{Setup, Subject};
use wavemill_core::audio::StreamSpec;

/// Likeness below which an output is no image of the input.
const UNLIKE: f64 = 0.3;

/// Likeness from which on an output is so much a copy that its lag must be exact.
const COPY: f64 = 0.95;

/// In seconds: filters move the strongest lag of their output by some frames.
const TOLERANCE_S: f64 = 0.000_25;

/// Sample rates in Hz at which latency is looked at, where they are promised.
const RATES: &[u32] = &[44_100, 96_000];

/// Settings with parameters that need a restart, and may change the latency.
const RESTARTS_MAX: usize = 8;

/// What was found with some settings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LatencyFinding {
    /// It lags as declared.
    Honest { latency: usize },
    /// It lags by something else.
    Off { lag: usize, latency: usize },
    /// The output is no image of the input.
    Unlike,
}

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let mut seen = Vec::new();
    let mut unknown = None;
    for rate in rates(subject) {
        let mut latencies = Vec::new();
        for (index, setup) in bases(subject)?.into_iter().enumerate() {
            match judge(subject, rate, &setup) {
                Ok(Ok(latency)) => latencies.push(latency),
                Ok(Err(reason)) => unknown = Some(reason),
                // A rate or a parameter that breaks is another check's promise.
                Err(Obstacle::Broken(_)) if index > 0 || rate != subject.sample_rate_hz() => {}
                Err(Obstacle::Broken(stop) | Obstacle::Dishonest(stop)) => return Err(stop),
            }
        }
        latencies.sort_unstable();
        latencies.dedup();
        if !latencies.is_empty() {
            seen.push((latencies, rate));
        }
    }
    match unknown {
        Some(reason) if seen.is_empty() => Ok(Outcome::NotJudged(reason)),
        _ => Ok(Outcome::Passed(shown(&seen))),
    }
}

/// `960 frames at 48000 Hz, 882 at 44100 Hz`; what holds at several rates is said once.
fn shown(seen: &[(Vec<usize>, u32)]) -> String {
    let list = |numbers: &mut dyn Iterator<Item = String>, between: &str| {
        numbers.collect::<Vec<_>>().join(between)
    };
    let rows = seen.chunk_by(|(a, _), (b, _)| a == b).map(|rows| {
        let latencies = list(&mut rows[0].0.iter().map(ToString::to_string), " or ");
        let rates = list(&mut rows.iter().map(|(_, rate)| rate.to_string()), ", ");
        format!("{latencies} frames at {rates} Hz")
    });
    list(&mut rows.into_iter(), "; ")
}

fn rates(subject: &Subject<'_>) -> Vec<u32> {
    let promised = &subject.description().sample_rates;
    let is_promised = |rate: &&u32| promised.is_empty() || promised.contains(rate);
    let mut rates = vec![subject.sample_rate_hz()];
    rates.extend(RATES.iter().filter(is_promised));
    rates.dedup();
    rates
}

/// The defaults, and the ends of parameters that need a restart.
fn bases(subject: &Subject<'_>) -> Result<Vec<Setup>, Stop> {
    let defaults = Setup { name: "with its defaults".to_owned(), settings: subject.defaults() };
    let params = subject.description().params.iter().filter(|param| param.needs_restart);
    let ends = params.flat_map(|param| [(param, param.min), (param, param.max)]);
    let ends = ends.take(RESTARTS_MAX).map(|(param, value)| subject.with(param, value));
    std::iter::once(Ok(defaults)).chain(ends).collect()
}

/// Why there is no judgment.
enum Obstacle {
    /// It does not run so.
    Broken(Stop),
    /// The promise of this check is broken.
    Dishonest(Stop),
}

impl From<Stop> for Obstacle {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Spent => Self::Dishonest(stop),
            Stop::Broke { .. } => Self::Broken(stop),
        }
    }
}

/// The latency that was confirmed, or why none could be.
fn judge(
    subject: &Subject<'_>,
    rate: u32,
    base: &Setup,
) -> Result<Result<usize, String>, Obstacle> {
    let unlike = "its output does not resemble its input, so its latency cannot be measured";
    let (lag, latency) = match listen(subject, rate, base)? {
        LatencyFinding::Honest { latency } => return Ok(Ok(latency)),
        LatencyFinding::Unlike => return Ok(Err(unlike.to_owned())),
        LatencyFinding::Off { lag, latency } => (lag, latency),
    };
    // An echo is no latency. If some setting lets the input through in time, or the lag follows the
    // settings, the lag is what the effect is for.
    let others = subject.extremes()?.into_iter().chain(subject.setups()?);
    for setup in others.filter(|_| base.settings == subject.defaults()) {
        match listen(subject, rate, &setup) {
            Ok(LatencyFinding::Honest { latency }) => return Ok(Ok(latency)),
            Ok(LatencyFinding::Off { lag: other, .. }) if other.abs_diff(lag) > tolerance(rate) => {
                let reason =
                    "its delay depends on its parameters, so its latency cannot be measured";
                return Ok(Err(reason.to_owned()));
            }
            Err(Stop::Spent) => return Err(Stop::Spent.into()),
            // Parameters that break are another check's promise.
            Ok(_) | Err(Stop::Broke { .. }) => {}
        }
    }
    Err(Obstacle::Dishonest(Stop::broke(format!(
        "{} at {rate} Hz, the output lags {lag} frames behind the input, but fx_latency says {latency}; \
         it must return {lag}",
        base.name
    ))))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some frames")]
fn tolerance(rate: u32) -> usize {
    (f64::from(rate) * TOLERANCE_S).round() as usize
}

fn listen(subject: &Subject<'_>, rate: u32, setup: &Setup) -> Result<LatencyFinding, Stop> {
    let mut play = subject.usual(&setup.settings);
    play.spec = StreamSpec::new(rate, subject.channel_count());
    let mut effect = subject.effect(&play)?;
    let latency = effect.latency().as_usize();
    let rate_frames = rate as usize;
    let input = signal::bursts(subject.channel_count(), subject.frames(0.75), rate_frames / 5, 17);
    let rest = signal::silence(subject.channel_count(), latency + rate_frames / 4);
    let response = subject.feed(&mut effect, play.blocks, &signal::joined(&[&input, &rest]))?;
    let Some(Likeness { lag, coefficient }) = strongest(&input, &response.planes) else {
        return Ok(LatencyFinding::Unlike);
    };
    let tolerance = if coefficient >= COPY { 0 } else { tolerance(rate) };
    Ok(match lag.abs_diff(latency) {
        _ if coefficient < UNLIKE => LatencyFinding::Unlike,
        off if off <= tolerance => LatencyFinding::Honest { latency },
        _ => LatencyFinding::Off { lag, latency },
    })
}

/// The strongest likeness between any input and any output.
fn strongest(inputs: &Planes, outputs: &Planes) -> Option<Likeness> {
    let pairs = outputs.iter().flat_map(|output| inputs.iter().map(move |input| (input, output)));
    pairs
        .filter_map(|(input, output)| likeness(input, output))
        .max_by(|a, b| a.coefficient.total_cmp(&b.coefficient))
}
