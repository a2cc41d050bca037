//! Files, by Landlock: a thread gives up every file but those of its domain.

use super::{Domain, Place};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io;

/// What is asked for; a kernel that knows less enforces what it knows. From version 1 on it refuses
/// what the filter of system calls cannot see: paths. Everything that later versions added (cutting
/// files by path, TCP, devices, signals) that filter refuses too.
const WANTED: ABI = ABI::V6;

/// Enters the domain: what is not among its places cannot be reached any more. Why that cannot be is said.
///
/// # Errors
/// Where the disk fails: whoever went on without a place would take it for forbidden.
pub(super) fn confine(domain: &Domain) -> io::Result<Result<(), String>> {
    let status = match restrict(domain) {
        Ok(status) => status,
        Err(RuleError::Disk(error)) => return Err(error),
        Err(RuleError::Landlock(error)) => return Ok(Err(format!("Landlock failed ({error})"))),
    };
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(match status.landlock {
            LandlockStatus::NotEnabled => "Landlock is not enabled in the kernel (lsm=landlock)",
            _ => "kernel has no Landlock",
        }
        .to_owned()),
    })
}

enum RuleError {
    Disk(io::Error),
    Landlock(RulesetError),
}

impl From<RulesetError> for RuleError {
    fn from(error: RulesetError) -> Self {
        Self::Landlock(error)
    }
}

fn restrict(domain: &Domain) -> Result<RestrictionStatus, RuleError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write: BitFlags<AccessFs> =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?;
    let rules = allow(rules, &domain.reads, read)?;
    let rules = allow(rules, &domain.scratch, write)?;
    let rules = allow(rules, &domain.trees, write | AccessFs::MakeDir | AccessFs::RemoveDir)?;
    let rules = allow(rules, &domain.parents, AccessFs::RemoveDir.into())?;
    Ok(rules.restrict_self()?)
}

/// Allows this at and below each place that is there; of a file, what can be done to files.
fn allow(
    mut rules: RulesetCreated,
    places: &[Place],
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RuleError> {
    // One after the other: a command may be given more files than a process may have open.
    for place in places {
        let Some(file) = open(place).map_err(RuleError::Disk)? else { continue };
        let is_file = file.metadata().is_ok_and(|metadata| !metadata.is_dir());
        let access = if is_file { access & AccessFs::from_file(WANTED) } else { access };
        rules = rules.add_rule(PathBeneath::new(&file, access))?;
    }
    Ok(rules)
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
