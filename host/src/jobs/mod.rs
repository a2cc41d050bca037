//! Jobs: what they are called, the states they go through, and the queue that hands them out.

mod id;
mod state;

pub use id::{JobIds, is_job_id};
pub use state::JobState;
