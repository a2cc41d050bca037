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
mod names;
mod os;
mod parts;
mod publish;
mod takes;

pub use conflict::{
    Choice, Names, Standing, choose, forced, irreplaceable, refusal, standing_on_disk,
};
pub use crash::crash_point;
pub use files::{FileIdentity, create_dirs, identity, rename_noreplace, sync_dir};
pub use hash::{hash_file, hash_reader};
pub use known_output::{KnownOutput, Memory, Source, are_twins};
pub use links::stays_below;
pub use local::{DiskNames, LocalHooks, publish_outcome};
pub use names::{part_path, suffixed};
pub use parts::LocalParts;
pub use publish::{Finished, PublishError, Trust, publish, withdraw};
pub use takes::Takes;
