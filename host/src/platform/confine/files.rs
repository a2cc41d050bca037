//! Files, by Landlock: a thread gives up every file but those of its domain.

use super::Domain;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// What is asked for; a kernel that knows less enforces what it knows. From version 1 on it refuses
/// what the filter of system calls cannot see: paths. Everything that later versions added (cutting
/// files by path, TCP, devices, signals) that filter refuses too.
const WANTED: ABI = ABI::V6;

/// Enters the domain.
pub(super) fn confine(domain: &Domain) -> Result<(), String> {
    let status = restrict(domain).map_err(|error| format!("Landlock failed ({error})"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(match status.landlock {
            LandlockStatus::NotEnabled => "Landlock is not enabled in the kernel (lsm=landlock)",
            _ => "kernel has no Landlock",
        }
        .to_owned()),
    }
}

fn restrict(domain: &Domain) -> Result<landlock::RestrictionStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let output: BitFlags<AccessFs> =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        .add_rules(path_beneath_rules(&domain.reads, read))?
        .add_rules(path_beneath_rules(&domain.outputs, output))?
        .add_rules(path_beneath_rules(&domain.caches, output | AccessFs::MakeDir))?
        .restrict_self()
}
