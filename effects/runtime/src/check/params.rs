//! Every parameter works at its ends and at each of its labels.

use super::judge::{Judgment, Outcome, Stop, counted};
use super::signal;
use super::subject::Subject;
use crate::description::Param;

/// `fx_create` may say that parameters do not go together.
const DO_NOT_GO_TOGETHER: i32 = -5;

pub(super) fn run(subject: &Subject<'_>) -> Judgment {
    let params = &subject.description().params;
    if params.is_empty() {
        return Ok(Outcome::NotJudged("it has no parameters".to_owned()));
    }
    let input = signal::noise(subject.channel_count(), subject.frames(0.1), 11);
    let (mut count, mut refused) = (0, Vec::new());
    for param in params {
        for value in values(param) {
            let setup = subject.with(param, value)?;
            match subject.play(&subject.usual(&setup.settings), &input) {
                Ok(_) => count += 1,
                Err(Stop::Broke { returned: Some(DO_NOT_GO_TOGETHER), .. }) => {
                    refused.push(format!("{} = {value}", param.key));
                }
                Err(stop) => return Err(stop.at(&setup.name)),
            }
        }
    }
    let seen = format!("{} of {}", counted(count, "value"), counted(params.len(), "parameter"));
    match refused.first() {
        Some(first) => Ok(Outcome::Hint(
            format!(
                "fx_create refuses {} within their ranges (the first: {first}); if possible, \
                accept them and use the nearest supported value",
                counted(refused.len(), "value")
            ),
            seen,
        )),
        None => Ok(Outcome::Passed(seen)),
    }
}

/// Both ends, and one value a label.
fn values(param: &Param) -> Vec<f64> {
    if param.labels.is_empty() {
        return vec![param.min, param.max];
    }
    (0..param.labels.len()).map(|index| param.min + index as f64).collect()
}
