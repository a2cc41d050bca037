//! How loading ended: the contract's exports and imports, and the description.

use super::judge::{Judgment, Outcome, Stop};
use crate::load::LoadError;

pub(super) fn loads(error: Option<&LoadError>) -> Judgment {
    match error {
        None | Some(LoadError::Description(_)) => Ok(Outcome::Passed(String::new())),
        Some(error) => Err(Stop::broke(error.to_string())),
    }
}

pub(super) fn description(error: Option<&LoadError>) -> Judgment {
    match error {
        None => Ok(Outcome::Passed(String::new())),
        Some(LoadError::Description(error)) => Err(Stop::broke(error.to_string())),
        Some(_) => Ok(Outcome::NotJudged("it was not loaded".to_owned())),
    }
}
