//! After what `fx_tail` says, the output is inaudible.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal;
use super::stream::{last_above, peak_from};
use super::subject::{Setup, Subject};
use wavemill_core::processor::Tail;
use wavemill_core::units::{Dbfs, Frames, SampleRate};

/// -120 dBFS: what is left may be cut off.
const AUDIBLE: f32 = 1e-6;

/// In seconds: how long after the tail the output is listened to.
const LISTEN_S: f64 = 3.0;

/// In seconds: longest finite tail that is played; longer ones are believed.
const PLAYED_S: f64 = 60.0;

/// In seconds: how long an endless tail is listened to.
const ENDLESS_S: f64 = 10.0;

/// In seconds of audio: all settings together.
const TOTAL_S: f64 = 240.0;

/// How many times longer than needed a tail may be without a remark.
const WASTEFUL: usize = 10;

/// What was measured with some settings.
struct TailMeasurement {
    /// The tail, in frames; `None` for an endless one.
    declared: Option<usize>,
    /// Frames it really sounded on.
    needed: usize,
    /// Frames that were played.
    played: usize,
}

/// Why nothing was found.
enum Failure {
    /// It does not run so.
    Broken(Stop),
    /// The promise of this check is broken.
    TooShort(Stop),
}

impl Failure {
    fn into_stop(self) -> Stop {
        match self {
            Self::Broken(stop) | Self::TooShort(stop) => stop,
        }
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Broken(stop)
    }
}

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let defaults = Setup { name: "with its defaults".to_owned(), settings: subject.defaults() };
    let found = listen(subject, &defaults).map_err(Failure::into_stop)?;
    let rate = SampleRate(subject.sample_rate_hz());
    let mut played = found.played;
    let mut count = 1;
    let mut others: Vec<Setup> = subject.setups()?.into_iter().skip(1).collect();
    others.extend(subject.extremes()?);
    let all = 1 + others.len();
    for setup in others {
        if played as f64 > TOTAL_S * f64::from(rate.0) {
            break;
        }
        match listen(subject, &setup) {
            Ok(found) => (played, count) = (played + found.played, count + 1),
            // Parameters that break are another check's promise.
            Err(Failure::Broken(Stop::Broke { .. })) => {}
            Err(Failure::Broken(stop) | Failure::TooShort(stop)) => return Err(stop),
        }
    }
    let seconds = |frames: usize| Frames(frames as u64).duration(rate);
    let of_all = if count < all { format!("{count} of ") } else { String::new() };
    let seen = format!(
        "needs {:.2} with its defaults; {of_all}{}",
        seconds(found.needed),
        counted(all, "setting")
    );
    let enough = found.needed.max(rate.0 as usize / 10) * WASTEFUL;
    Ok(match found.declared {
        Some(declared) if declared > enough => {
            let (declared, needed) = (seconds(declared), seconds(found.needed));
            let reason = format!(
                "fx_tail is {declared:.2}, but {needed:.2} is enough; the rest only costs \
                processing time"
            );
            Outcome::Hint(reason, seen)
        }
        None if found.needed < found.played / 2 => {
            let needed = seconds(found.needed);
            let reason = format!(
                "fx_tail is infinite, but after {needed:.2} the output is silent; return a number, \
                so that hosts can stop"
            );
            Outcome::Hint(reason, seen)
        }
        _ => Outcome::Passed(seen),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
fn listen(subject: &Subject<'_>, setup: &Setup) -> Result<TailMeasurement, Failure> {
    let rate = f64::from(subject.sample_rate_hz());
    let frames = |seconds: f64| (seconds * rate) as usize;
    let play = subject.usual(&setup.settings);
    let mut effect = subject.effect(&play)?;
    let latency = effect.latency().as_usize();
    let declared = match effect.tail() {
        Tail::Infinite => None,
        Tail::Frames(tail) => Some(tail.as_usize()),
    };
    let input = signal::noise(subject.channel_count(), subject.frames(0.5), 18);
    let end = input.first().map_or(0, Vec::len);
    let listened = match declared {
        Some(tail) if tail > frames(PLAYED_S) => frames(LISTEN_S),
        Some(tail) => tail + subject.frames(LISTEN_S),
        None => subject.frames(ENDLESS_S),
    };
    let rest = signal::silence(subject.channel_count(), latency + listened);
    let response = subject.feed(&mut effect, play.blocks, &signal::joined(&[&input, &rest]))?;
    let from = end + latency;
    let needed = last_above(&response.planes, from, AUDIBLE).map_or(0, |last| last + 1 - from);
    if let Some(tail) = declared.filter(|tail| needed > *tail) {
        let rate = SampleRate(subject.sample_rate_hz());
        let longer = Frames((needed - tail) as u64).duration(rate);
        let level = Dbfs::from_amplitude(f64::from(peak_from(&response.planes, from + tail)));
        let level = level.map_or(f64::NEG_INFINITY, |level| level.0);
        // It may have no end at all: the listening has.
        let enough = if needed == listened { "more than" } else { "at least" };
        return Err(Failure::TooShort(Stop::broke(format!(
            "{}, the output continues for {longer:.2} after the {tail} frames of fx_tail, at up to \
            {level:.0} dBFS; fx_tail must be {enough} {needed}",
            setup.name
        ))));
    }
    Ok(TailMeasurement { declared, needed, played: end + latency + listened })
}
