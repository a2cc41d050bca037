//! What becomes of a capture that is complete: it runs through a pipeline, and is sent to a watched
//! folder. The code is that of `wavemill run`, so the files are too, byte by byte.

mod chosen;
mod journal;
mod places;
mod renderer;
mod sending;
mod state;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use chosen::load;
pub(crate) use places::{captures_problem, watched_problem};
pub(crate) use renderer::Renders;
pub(crate) use state::{Line, Render, Stage};
pub(crate) use work::Request;
