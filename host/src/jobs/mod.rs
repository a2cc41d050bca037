//! Jobs: what they are called, the states they go through, and the queue that hands them out.

mod clock;
mod id;
mod queue;
mod state;

pub use clock::{Clock, rfc3339};
pub use id::{JobIds, is_job_id, made_ms};
pub use queue::{Again, Blame, Capacity, Claim, End, JobQueue, Lease, Publication, Why};
pub use state::JobState;
