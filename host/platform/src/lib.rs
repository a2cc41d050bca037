//! Calls to the operating system that std does not have. Linux first; elsewhere the nearest thing.

mod confine;
mod files;
mod mark;
mod process;
pub mod service_manager;
mod socket;
mod system;
mod text;

pub use confine::{
    Confinement, ConfinementLevel, Domain, Place, Purpose, confine, confinement_here, zones,
};
pub use files::{LockFile, replace_file, trash_for};
pub use mark::{Mark, mark};
pub use process::{
    Effort, die_with_parent, effort, limit_this_process, random_hex, random_u64, resident_bytes,
    share_heap, start_anew,
};
pub use socket::with_socket_path;
pub use system::{
    InotifyLimits, Space, inotify_limits, is_clock_kept, may_use_folder, open_files_max, space,
    space_near,
};
pub use text::{one_line, shown};
