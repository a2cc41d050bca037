//! The watched folder itself: there, away, or another one under the same name.

use super::hash::describe;
use super::stat::Identity;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Types of file systems that report no events of other machines (`statfs(2)`, `f_type`; the
/// constants of `linux/magic.h` and of the file systems' own sources).
#[rustfmt::skip]
const NETWORK_MAGIC: &[u32] = &[
    0x0000_6969, // nfs
    0x0000_517b, // smb
    0xfe53_4d42, // smb2
    0xff53_4d42, // cifs
    0x6573_5546, // fuse, virtiofs
    0x0102_1997, // 9p
    0x00c3_6400, // ceph
    0x5346_414f, // afs
    0x6b41_4653, // kafs
    0x7375_7245, // coda
    0x0bd0_0bd0, // lustre
    0x0116_1970, // gfs2
    0x7461_636f, // ocfs2
    0x786f_4256, // vboxsf
    0xbacb_acbc, // vmhgfs
];

/// The watched folder.
pub(super) struct Root {
    pub(super) path: PathBuf,
    /// Who it was when it was last there.
    identity: Option<Identity>,
}

/// How the watched folder stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RootState {
    /// It is the folder it was.
    Same,
    /// It is there, and a different one (or seen for the first time).
    New(Identity),
    /// It is away; why.
    Offline(String),
}

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, identity: None }
    }

    /// Looks at the folder; `file_count` is how many files are known to be in it.
    ///
    /// An empty folder in place of a full one is taken for a mount point without its mount when the
    /// device changed, or when `/etc/fstab` says that something should be mounted there. Wrongly
    /// online, every file would count as deleted, and as dropped again after the mount.
    pub(super) fn check(&self, file_count: usize) -> RootState {
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => metadata,
            Ok(_) => return self.offline("is not a folder"),
            Err(error) => return self.offline(&describe(&error)),
        };
        let identity = Identity::of(&metadata);
        let mut entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) => return self.offline(&describe(&error)),
        };
        if self.identity == Some(identity) {
            return RootState::Same;
        }
        if file_count > 0 && entries.next().is_none() {
            if self.identity.is_some_and(|former| former.device != identity.device) {
                return self.offline(
                    "is empty and on another file system than before; check that it is mounted",
                );
            }
            if let Some(point) = missing_mount(&self.path) {
                let point = point.display();
                return self.offline(&format!(
                    "is empty, and nothing is mounted at {point} (listed in /etc/fstab)"
                ));
            }
        }
        RootState::New(identity)
    }

    /// Accepts the folder that is there now.
    pub(super) fn accept(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// Whether changes made by other machines cause no events here.
    pub(super) fn is_on_network(&self) -> bool {
        is_on_network(&self.path)
    }

    fn offline(&self, reason: &str) -> RootState {
        RootState::Offline(format!("watched folder {}: {reason}", self.path.display()))
    }
}

/// Whether a path lies on a file system that other machines change without an event here.
pub fn is_on_network(path: &Path) -> bool {
    let Ok(statfs) = rustix::fs::statfs(path) else { return false };
    // The field's type differs between architectures; the constants have 32 bits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "magic numbers have 32 bits"
    )]
    let magic = statfs.f_type as u32;
    NETWORK_MAGIC.contains(&magic)
}

/// The mount point of `/etc/fstab` at or above a path at which nothing is mounted.
fn missing_mount(path: &Path) -> Option<PathBuf> {
    let table = std::fs::read_to_string("/etc/fstab").ok()?;
    mount_points(&table).find(|point| path.starts_with(point) && !is_mounted(point))
}

/// The mount points that a table in the form of `fstab(5)` names, without the root.
fn mount_points(table: &str) -> impl Iterator<Item = PathBuf> {
    let lines = table.lines().filter(|line| !line.trim_start().starts_with('#'));
    let fields = lines.filter_map(|line| line.split_whitespace().nth(1));
    let points = fields.map(|field| PathBuf::from(field.replace("\\040", " ")));
    points.filter(|point| point.is_absolute() && point.parent().is_some())
}

fn is_mounted(point: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    point.parent().is_none_or(|parent| device(point) != device(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_from_the_second_field() {
        let table =
            "# /dev/x /no ext4\nUUID=1 / ext4\nnas:/a /srv/my\\040in nfs rw 0 0\nswap none swap\n";
        let points: Vec<_> = mount_points(table).collect();
        assert_eq!(points, [PathBuf::from("/srv/my in")]);
    }

    #[test]
    fn missing_folder_is_offline_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("inbox"));
        let RootState::Offline(reason) = root.check(0) else { panic!("it is not there") };
        assert!(reason.contains("inbox") && reason.contains("no such file"), "{reason}");
    }

    #[test]
    fn empty_folder_on_another_device_is_offline_while_files_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let mut root = Root::new(folder.path().to_owned());
        root.accept(Identity { device: u64::MAX, inode: 1 });
        assert!(
            matches!(root.check(1), RootState::Offline(reason) if reason.contains("is mounted"))
        );
        assert!(matches!(root.check(0), RootState::New(_)));
        std::fs::File::create(folder.path().join("a.wav")).unwrap();
        assert!(matches!(root.check(1), RootState::New(_)));
    }

    #[test]
    fn accepted_folder_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut root = Root::new(folder.path().to_owned());
        let RootState::New(identity) = root.check(0) else { panic!("it is there") };
        root.accept(identity);
        assert_eq!(root.check(5), RootState::Same);
    }
}
