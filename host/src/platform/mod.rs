//! Calls to the operating system that std does not have. Linux first; elsewhere the nearest thing.

mod files;
mod process;
mod socket;

pub use files::{
    FileIdentity, LockFile, create_dirs, identity, rename_noreplace, replace_file, sync_dir,
    trash_for,
};
pub use process::{die_with_parent, random_hex, random_u64, resident_bytes};
pub use socket::with_socket_path;
