//! Calls to the operating system that std does not have. Linux first; elsewhere the nearest thing.

mod files;
mod process;
mod socket;

pub use files::{LockFile, replace_file, trash_for};
pub use process::{die_with_parent, random_hex, random_u64, resident_bytes};
pub use socket::with_socket_path;
