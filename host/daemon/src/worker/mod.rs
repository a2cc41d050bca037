//! Worker processes: an abort, a loop or runaway memory in a decoder ends one attempt and nothing
//! else.
//!
//! A worker reads requests and writes replies, one JSON object a line, on the one socket that is its
//! standard input. Standard output and error are both a pipe to the daemon's log, so a stray print
//! harms nothing. Files of a job are opened, made and removed by the daemon, which hands them over the same
//! socket. A worker dies with the thread that started it, and when its socket ends.

mod child;
mod files;
mod grants;
mod process;
mod protocol;

#[cfg(test)]
pub(crate) use child::serve_with;
pub use child::{Engine, WorkerHooks, serve};
pub(crate) use grants::GrantedFiles;
pub use process::{Event, WorkerProcess, Workers};
pub use protocol::{Failure, FailureKind, FileRequest, Reply, Request, Work};
