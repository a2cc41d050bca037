//! The output stays within bounds, whatever comes in.

use super::judge::{Judgment, Outcome, Stop};
use super::subject::Subject;
use super::{signals, stream};
use crate::limits::OUTPUT_AMPLITUDE_MAX;
use wavemill_core::units::Dbfs;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let settings = subject.defaults();
    let mut peak: f32 = 0.0;
    for (name, input) in signals::all(subject) {
        match subject.play(&subject.usual(&settings), &input) {
            Ok(response) => peak = peak.max(stream::peak_from(&response.planes, 0)),
            Err(Stop::Broke { sample: Some(sample), .. }) if sample.is_finite() => {
                return Err(Stop::broke(format!(
                    "fed with {name}, it writes {sample:e}, beyond +-{OUTPUT_AMPLITUDE_MAX:e}; look \
                    for an unstable filter"
                )));
            }
            // Anything else is reported by the check of the signals.
            Err(Stop::Broke { .. }) => {}
            Err(Stop::Spent) => return Err(Stop::Spent),
        }
    }
    let level = Dbfs::from_amplitude(f64::from(peak));
    Ok(Outcome::Passed(
        level.map_or("silence".to_owned(), |level| format!("at most {:+.1} dBFS", level.0)),
    ))
}
