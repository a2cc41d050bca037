//! Files, by Landlock: a thread gives up every file but those of its domain.

use super::{Domain, Place};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io;

/// What is asked for; a kernel that knows less enforces what it knows. From version 1 on it refuses
/// what the filter of system calls cannot see: paths. Everything that later versions added (cutting
/// files by path, TCP, devices, signals) that filter refuses too.
const WANTED: ABI = ABI::V6;

/// The places of a domain, opened: what is not among them cannot be reached any more.
#[derive(Debug)]
pub(super) struct Opened {
    reads: Vec<File>,
    outputs: Vec<File>,
    caches: Vec<File>,
}

impl Opened {
    /// Opens every place that is there.
    ///
    /// # Errors
    /// Where the disk fails: whoever went on without the place would take it for forbidden.
    pub(super) fn of(domain: &Domain) -> io::Result<Self> {
        Ok(Self {
            reads: open_all(&domain.reads)?,
            outputs: open_all(&domain.outputs)?,
            caches: open_all(&domain.caches)?,
        })
    }
}

fn open_all(places: &[Place]) -> io::Result<Vec<File>> {
    places.iter().filter_map(|place| open(place).transpose()).collect()
}

/// `None` for a place that is not there or may not be reached: the run that needs it says so.
fn open(place: &Place) -> io::Result<Option<File>> {
    match openat(CWD, &place.0, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(Errno::NOENT | Errno::ACCESS | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => {
            Ok(None)
        }
        Err(error) => {
            let reason = format!("{}: {}", place.0.display(), io::Error::from(error));
            Err(io::Error::other(reason))
        }
    }
}

/// Enters the domain.
pub(super) fn confine(places: &Opened) -> Result<(), String> {
    let status = restrict(places).map_err(|error| format!("Landlock failed ({error})"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(match status.landlock {
            LandlockStatus::NotEnabled => "Landlock is not enabled in the kernel (lsm=landlock)",
            _ => "kernel has no Landlock",
        }
        .to_owned()),
    }
}

fn restrict(places: &Opened) -> Result<landlock::RestrictionStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let output: BitFlags<AccessFs> =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        .add_rules(rules(&places.reads, read))?
        .add_rules(rules(&places.outputs, output))?
        .add_rules(rules(&places.caches, output | AccessFs::MakeDir))?
        .restrict_self()
}

/// What is allowed at and below each place; of a file, what can be done to files.
fn rules(
    places: &[File],
    access: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<PathBeneath<&File>, RulesetError>> {
    places.iter().map(move |place| {
        let is_file = place.metadata().is_ok_and(|metadata| !metadata.is_dir());
        let access = if is_file { access & AccessFs::from_file(WANTED) } else { access };
        Ok(PathBeneath::new(place, access))
    })
}
