//! Faults at exactly one system call: a program is traced, its calls that touch files of a folder are
//! counted, and one of them is made to fail, to write less than asked, or to be the last of its process.
//!
//! Calls are counted for each thread by its name, so that the same number means the same call in every
//! run, however the threads take turns.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ptrace;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use tracer::{is_possible, run};

use crate::lab::Ended;

/// What becomes of the disk by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It is changed.
    Changes,
    /// Bytes are written, perhaps fewer than asked.
    Writes,
    /// It is read only.
    Reads,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who made it: `daemon` or `worker`, and the name of the thread.
    pub caller: String,
    /// The call's name.
    pub name: &'static str,
    /// Which of the caller's calls of this name it was, counted from 1.
    pub number: usize,
    /// What it does.
    pub effect: Effect,
    /// The file, relative to the folder that is looked at.
    pub path: String,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} of {}: {}", self.name, self.number, self.caller, self.path)
    }
}

/// What happens instead of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The process that makes it is killed before anything happens.
    Kill,
    /// It fails: the device does not answer.
    Eio,
    /// It fails: nothing is free.
    Enospc,
    /// Half of the bytes are written.
    Short,
    /// It is not made, and says that it was: no disk does so, and what notices it would notice a program that
    /// forgets the call.
    Lie,
}

impl Fault {
    /// Those that a call can meet on a disk that is honest.
    pub fn of(effect: Effect) -> &'static [Self] {
        match effect {
            Effect::Changes => &[Self::Kill, Self::Eio, Self::Enospc],
            Effect::Writes => &[Self::Kill, Self::Eio, Self::Enospc, Self::Short],
            Effect::Reads => &[Self::Eio],
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Eio => "EIO",
            Self::Enospc => "ENOSPC",
            Self::Short => "short write",
            Self::Lie => "lie",
        })
    }
}

/// The one call that meets a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// [`Call::caller`].
    pub caller: String,
    /// [`Call::name`].
    pub name: &'static str,
    /// [`Call::number`].
    pub number: usize,
    /// What it meets.
    pub fault: Fault,
}

impl Target {
    /// That a call meets a fault when it is made again.
    pub fn at(call: &Call, fault: Fault) -> Self {
        Self { caller: call.caller.clone(), name: call.name, number: call.number, fault }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {} {} of {}", self.fault, self.name, self.number, self.caller)
    }
}

/// What a traced program did.
#[derive(Clone, Debug)]
pub struct Traced {
    /// How it ended.
    pub ended: Ended,
    /// Its calls on files of the folder, in order.
    pub calls: Vec<Call>,
    /// The call that met the fault.
    pub hit: Option<Call>,
    /// Whether it had to be killed for taking too long.
    pub is_hung: bool,
}

/// Elsewhere than on Linux on x86-64, calls are not made to fail.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub fn is_possible() -> bool {
    false
}

/// Never called where it is not possible.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub fn run(_: &std::process::Command, _: &std::path::Path, _: Option<&Target>) -> Traced {
    unreachable!("`is_possible` says so")
}
