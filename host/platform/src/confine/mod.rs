//! What a process may still do once it has given up the rest: its files, by Landlock, and its system
//! calls, by seccomp. Both are Linux; elsewhere nothing is in force, and that is said.
//!
//! Neither can be taken back or widened. Both hold for the calling thread and those it starts, so a
//! process confines itself before it starts any.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use wavemill_pipelines::path_text;

/// The files that a process is left with: everything else can neither be read nor written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Files and folders to read.
    pub reads: Vec<Place>,
    /// Folders to make, write, read and remove files in, at any depth.
    pub scratch: Vec<Place>,
    /// The same for folders, where further folders may be made too.
    pub trees: Vec<Place>,
    /// Folders below which empty folders may be removed.
    pub parents: Vec<Place>,
}

/// Who is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A worker, by a thread that is still alone.
    Worker,
    /// A command in the process of who called it, which may have threads already.
    Command,
}

/// A path in a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(#[serde(with = "path_text")] pub PathBuf);

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// Where systems keep time zones, which dates in names need. The first is what a variable may name.
const ZONES: [&str; 5] = [
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
    "/etc/localtime",
];

/// Where time zones may be.
pub fn zones() -> impl Iterator<Item = Place> {
    let named = std::env::var_os("TZDIR").map(PathBuf::from);
    named.into_iter().chain(ZONES.map(PathBuf::from)).map(Place)
}

/// How far a process is confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// How far.
    pub level: ConfinementLevel,
    /// Why no further: what the system lacks, or who turned it off.
    pub reason: Option<String>,
}

/// How far a process is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfinementLevel {
    /// Files and system calls.
    Full,
    /// One of the two.
    Partly,
    /// Neither: the system has no means.
    None,
    /// Neither: it was not asked for.
    Off,
}

impl Confinement {
    /// Nothing is in force because nobody wanted it.
    pub fn off() -> Self {
        let reason = Some("`confine = false`".to_owned());
        Self { level: ConfinementLevel::Off, reason }
    }

    /// Of what confines files and what confines calls, each in force or not, with the reason.
    fn of(files: Result<(), String>, calls: Result<(), String>) -> Self {
        let (level, reason) = match (files, calls) {
            (Ok(()), Ok(())) => (ConfinementLevel::Full, None),
            (Err(reason), Ok(())) => {
                let reason = format!("{reason}, so any file can be read and written");
                (ConfinementLevel::Partly, Some(reason))
            }
            (Ok(()), Err(reason)) => (
                ConfinementLevel::Partly,
                Some(format!("{reason}, so only file access is confined")),
            ),
            (Err(files), Err(calls)) => {
                (ConfinementLevel::None, Some(format!("{files}, and {calls}")))
            }
        };
        Self { level, reason }
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            ConfinementLevel::Full => "full",
            ConfinementLevel::Partly => "partly",
            ConfinementLevel::None => "none",
            ConfinementLevel::Off => "off",
        };
        match &self.reason {
            Some(reason) => write!(f, "{level}: {reason}"),
            None => f.write_str(level),
        }
    }
}

/// Leaves this thread, and those it starts, with a domain and with the calls that reading, computing
/// and writing need; the other threads of a command with the calls only, because Landlock has no way to reach
/// them. Where the system has no means it says so and goes on.
///
/// # Errors
/// When the disk does not let a place of the domain be looked at.
pub fn confine(domain: &Domain, purpose: Purpose) -> io::Result<Confinement> {
    // Files first: the filter of calls lets no further domain be entered.
    let files = confine_files(domain)?;
    Ok(Confinement::of(files, confine_calls(purpose)))
}

/// What would be in force on this system, found out by a thread that confines itself and ends.
pub fn confinement_here() -> Confinement {
    let tried = std::thread::Builder::new()
        .name("confined".to_owned())
        .spawn(|| confine(&Domain::default(), Purpose::Worker))
        .map(std::thread::JoinHandle::join);
    match tried {
        Ok(Ok(Ok(confinement))) => confinement,
        _ => Confinement::of(
            Err("Landlock could not be tested".to_owned()),
            Err("seccomp could not be tested".to_owned()),
        ),
    }
}

#[cfg(target_os = "linux")]
fn confine_files(domain: &Domain) -> io::Result<Result<(), String>> {
    files::confine(domain)
}

#[cfg(not(target_os = "linux"))]
fn confine_files(_domain: &Domain) -> io::Result<Result<(), String>> {
    Ok(Err("this system has no Landlock".to_owned()))
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
fn confine_calls(purpose: Purpose) -> Result<(), String> {
    calls::confine(purpose)
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
fn confine_calls(_purpose: Purpose) -> Result<(), String> {
    Err("no seccomp filter for this system".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confinement_says_what_is_missing() {
        let lacks = |what: &str| Err(format!("kernel has no {what}"));
        assert_eq!(Confinement::of(Ok(()), Ok(())).to_string(), "full");
        assert_eq!(
            Confinement::of(lacks("Landlock"), Ok(())).to_string(),
            "partly: kernel has no Landlock, so any file can be read and written"
        );
        assert_eq!(
            Confinement::of(lacks("Landlock"), lacks("seccomp")).to_string(),
            "none: kernel has no Landlock, and kernel has no seccomp"
        );
        assert_eq!(Confinement::off().to_string(), "off: `confine = false`");
    }

    #[test]
    fn trial_confines_nothing_but_its_own_thread() {
        confinement_here();
        let folder = tempfile::tempdir().unwrap();
        assert!(std::fs::File::create(folder.path().join("free")).is_ok());
    }
}
