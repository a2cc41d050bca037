//! Making finished files visible: names, conflicts, renames.
//!
//! The rule "an output is complete or absent" lives here, for the daemon, `wavemill run` and the
//! plugin alike: files are written under temporary names in their destination folder, and get their
//! final names only by an atomic rename, after every byte of the whole set was verified and synced.

mod conflict;
mod crash;
#[cfg(any(test, feature = "crash-points"))]
pub mod crash_tests;
mod files;
mod hash;
mod known_output;
mod links;
mod local;
mod name_claim;
mod names;
mod os;
mod parts;
mod publish;

pub use conflict::{
    Choice, NameState, Names, choose, forced, irreplaceable, refusal, standing_on_disk,
};
pub use crash::crash_point;
pub use files::{FileIdentity, create_dirs, identity, rename_noreplace, sync_dir};
pub use hash::{hash_file, hash_reader};
pub use known_output::{KnownOutput, Memory, Source, are_twins};
pub use links::stays_below;
pub use local::{DiskNames, LocalHooks, publish_outcome};
pub use name_claim::NameClaim;
pub use names::{part_path, suffixed};
pub use parts::LocalParts;
pub use publish::{Finished, PublishError, Trust, publish, withdraw};
