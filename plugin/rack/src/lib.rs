//! A rack: the streaming steps of a pipeline in eight slots, played live and changed while they play.
//!
//! Two sides. [`Rack`] belongs to the audio thread and never allocates, locks, or waits. [`Supervisor`] belongs to
//! another thread: it builds what is wanted, hands it over, and takes back what is done with. What stands in the slots
//! gives the samples of `wavemill run` bit by bit; see `plugin/decisions/0014`.

mod control;
mod dry_line;
mod file;
mod glide;
mod levels;
mod part;
mod payload;
mod rack;
mod response;
mod slot;
mod stage;
mod strikes;
mod supervisor;
#[cfg(test)]
mod tests;
mod text;
mod voice;

pub use control::{Control, Scale};
pub use file::{LOOK_TIME, WatchedFile};
pub use levels::{Levels, METER_COUNT, Peaks};
pub use part::{Part, PartError, steps};
pub use payload::{MARK, PayloadError, export, exported_module, is_exported};
pub use rack::{Mix, Rack, RenderStopped};
pub use response::Response;
pub use supervisor::{Ending, Incident, Supervisor, rack};
pub use text::{Loaded, parts, pipeline};
pub use wavemill_runtime::prepare_thread;

/// Slots of a rack.
pub const SLOT_COUNT: usize = 8;

/// Values of a slot that a host can automate; an effect may have more, which the window reaches.
pub const CONTROL_COUNT: usize = 128;

/// One thing a slot.
pub type Slots<T> = [T; SLOT_COUNT];
