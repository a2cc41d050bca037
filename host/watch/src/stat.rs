//! What the file system says of a path, as far as it distinguishes one state of a file from another.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Nanoseconds in a second.
const NS_PER_S: i64 = 1_000_000_000;

/// One state of a file. Equal states mean unchanged content; the times are only ever compared for
/// equality, so that a clock set back does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Size in bytes.
    pub(super) size_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970; see [`super::KnownFile::modified_ns`].
    pub(super) modified_ns: i64,
    /// Last change of content or inode, in nanoseconds since 1970.
    pub(super) changed_ns: i64,
    /// Inode number. The device number is left out: it changes at a remount.
    pub(super) inode: u64,
}

/// Identity of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File(Stat),
    /// A folder.
    Folder(Identity),
    /// Anything else: why it is not taken.
    Other(&'static str),
}

/// Looks at a path without following a symbolic link at its end.
pub(super) fn look(path: &Path) -> io::Result<Kind> {
    std::fs::symlink_metadata(path).map(|metadata| Kind::of(&metadata))
}

/// Whether an error means that there is nothing under the name, as opposed to "not known".
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Kind {
    /// What the metadata describe.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let file_type = metadata.file_type();
        if file_type.is_file() {
            Self::File(Stat::of(metadata))
        } else if file_type.is_dir() {
            Self::Folder(Identity::of(metadata))
        } else if file_type.is_symlink() {
            Self::Other("is a symbolic link; links are not followed: copy the file instead")
        } else if file_type.is_fifo() {
            Self::Other("is a fifo, not a regular file")
        } else if file_type.is_socket() {
            Self::Other("is a socket, not a regular file")
        } else {
            Self::Other("is a device, not a regular file")
        }
    }
}

impl Stat {
    /// The state that the metadata of a regular file describe.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size_bytes: metadata.size(),
            modified_ns: join_ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: join_ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

impl Identity {
    /// The identity that the metadata of a folder describe.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// As [`wavemill_pipelines::publishing::FileIdentity`] has it, so that both can be compared.
fn join_ns(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(NS_PER_S).saturating_add(nanoseconds)
}
