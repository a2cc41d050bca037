//! What a frame costs, and whether a live host could wait for the dearest call.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal;
use super::subject::{Cost, Subject};

/// Fuel a slow machine executes in a second. Compiled modules manage one to three units a nanosecond
/// on processors of this decade.
const FUEL_PER_SECOND: f64 = 1e9;

/// Fuel that the fastest of them execute in a second: beyond it no machine plays the effect in real time.
const FUEL_PER_SECOND_MAX: f64 = 3e9;

/// Block of the dearest call: what audio interfaces deliver.
const LIVE_FRAMES: usize = 64;

/// Block of the mean cost.
const MEAN_FRAMES: usize = 256;

/// How many mean calls the dearest call may cost without a remark.
const UNEVEN: f64 = 16.0;

/// Calls that cost less are cheap whatever the mean is.
const CHEAP_CALL: u64 = 200_000;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    // The estimate of `runs` will do: a module this slow leaves no fuel for an exact count.
    let estimate = subject.cost().fuel_per_frame.unwrap_or_default();
    let wanted = estimate * f64::from(subject.sample_rate_hz());
    if wanted > FUEL_PER_SECOND_MAX {
        return Err(Stop::broke(format!(
            "{estimate:.0} fuel per frame: at {} Hz, a fast machine ({:.0} units per nanosecond) \
            runs it at {:.2} times real time, a slow one at {:.2}",
            subject.sample_rate_hz(),
            FUEL_PER_SECOND_MAX / 1e9,
            FUEL_PER_SECOND_MAX / wanted,
            FUEL_PER_SECOND / wanted
        )));
    }
    let settings = subject.defaults();
    let input = signal::noise(subject.channel_count(), subject.frames(1.0), 16);
    let frame_count = input.first().map_or(1, Vec::len) as f64;
    let mut play = subject.usual(&settings);
    play.blocks = &[MEAN_FRAMES];
    let mean = subject.play(&play, &input)?;
    play.blocks = &[LIVE_FRAMES];
    let live = subject.play(&play, &input)?;
    let per_frame = mean.fuel as f64 / frame_count;
    subject.set_cost(Cost {
        fuel_per_frame: Some((per_frame * 10.0).round() / 10.0),
        fuel_of_dearest_call: Some(live.dearest_call),
    });
    let seen = format!(
        "{per_frame:.0} fuel per frame ({}), at most {} in {LIVE_FRAMES} frames",
        counted(subject.channel_count(), "channel"),
        live.dearest_call
    );
    // A live host gives a callback's calls the time its block lasts.
    let wait = LIVE_FRAMES as f64 / f64::from(subject.sample_rate_hz());
    let too_dear = |fuel_per_second: f64| {
        (live.dearest_call as f64 > wait * fuel_per_second).then(|| {
            format!(
                "a call of {LIVE_FRAMES} frames costs {} fuel, more than a live host waits for ({:.2} ms, at \
                {:.0} per nanosecond); spread the work over calls",
                live.dearest_call,
                wait * 1_000.0,
                fuel_per_second / 1e9
            )
        })
    };
    if let Some(reason) = too_dear(FUEL_PER_SECOND_MAX) {
        return Err(Stop::broke(reason));
    }
    if let Some(reason) = too_dear(FUEL_PER_SECOND) {
        return Ok(Outcome::Hint(reason, seen));
    }
    let per_second = per_frame * f64::from(subject.sample_rate_hz());
    if per_second > FUEL_PER_SECOND {
        let reason = format!(
            "{per_frame:.0} fuel per frame: a slow machine cannot run it live at {} Hz",
            subject.sample_rate_hz()
        );
        return Ok(Outcome::Hint(reason, seen));
    }
    let mean_call = live.fuel as f64 / (frame_count / LIVE_FRAMES as f64);
    if live.dearest_call > CHEAP_CALL && live.dearest_call as f64 > UNEVEN * mean_call {
        let reason = format!(
            "the most expensive call of {LIVE_FRAMES} frames costs {:.0} times the mean; spread \
            the work over calls",
            live.dearest_call as f64 / mean_call
        );
        return Ok(Outcome::Hint(reason, seen));
    }
    Ok(Outcome::Passed(seen))
}
