//! System calls that touch a disk.

use super::Effect;
use libc::{c_long, user_regs_struct};

/// Where a call names its file.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A descriptor.
    Descriptor,
    /// A path.
    Path,
    /// A descriptor of a folder, and a path below it; a path that is empty means the descriptor.
    Below,
    /// A descriptor of another file to read from, then one that is written.
    SecondDescriptor(usize),
}

/// A system call that touches a disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    number: c_long,
    place: Place,
    pub(super) effect: Effect,
}

const fn kind(name: &'static str, number: c_long, place: Place, effect: Effect) -> Kind {
    Kind { name, number, place, effect }
}

/// The list. `mmap` is not on it: nothing here maps files but programs.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("openat",          libc::SYS_openat,          Place::Below,      Effect::Changes),
    kind("open",            libc::SYS_open,            Place::Path,       Effect::Changes),
    kind("write",           libc::SYS_write,           Place::Descriptor, Effect::Writes),
    kind("pwrite64",        libc::SYS_pwrite64,        Place::Descriptor, Effect::Writes),
    kind("writev",          libc::SYS_writev,          Place::Descriptor, Effect::Changes),
    kind("copy_file_range", libc::SYS_copy_file_range, Place::SecondDescriptor(2), Effect::Changes),
    kind("sendfile",        libc::SYS_sendfile,        Place::Descriptor, Effect::Changes),
    kind("fsync",           libc::SYS_fsync,           Place::Descriptor, Effect::Changes),
    kind("fdatasync",       libc::SYS_fdatasync,       Place::Descriptor, Effect::Changes),
    kind("ftruncate",       libc::SYS_ftruncate,       Place::Descriptor, Effect::Changes),
    kind("fallocate",       libc::SYS_fallocate,       Place::Descriptor, Effect::Changes),
    kind("rename",          libc::SYS_rename,          Place::Path,       Effect::Changes),
    kind("renameat",        libc::SYS_renameat,        Place::Below,      Effect::Changes),
    kind("renameat2",       libc::SYS_renameat2,       Place::Below,      Effect::Changes),
    kind("link",            libc::SYS_link,            Place::Path,       Effect::Changes),
    kind("linkat",          libc::SYS_linkat,          Place::Below,      Effect::Changes),
    kind("unlink",          libc::SYS_unlink,          Place::Path,       Effect::Changes),
    kind("unlinkat",        libc::SYS_unlinkat,        Place::Below,      Effect::Changes),
    kind("rmdir",           libc::SYS_rmdir,           Place::Path,       Effect::Changes),
    kind("mkdir",           libc::SYS_mkdir,           Place::Path,       Effect::Changes),
    kind("mkdirat",         libc::SYS_mkdirat,         Place::Below,      Effect::Changes),
    kind("utimensat",       libc::SYS_utimensat,       Place::Below,      Effect::Changes),
    kind("read",            libc::SYS_read,            Place::Descriptor, Effect::Reads),
    kind("pread64",         libc::SYS_pread64,         Place::Descriptor, Effect::Reads),
    kind("getdents64",      libc::SYS_getdents64,      Place::Descriptor, Effect::Reads),
    kind("statx",           libc::SYS_statx,           Place::Below,      Effect::Reads),
    kind("newfstatat",      libc::SYS_newfstatat,      Place::Below,      Effect::Reads),
    kind("fstat",           libc::SYS_fstat,           Place::Descriptor, Effect::Reads),
    kind("statfs",          libc::SYS_statfs,          Place::Path,       Effect::Reads),
    kind("readlink",        libc::SYS_readlink,        Place::Path,       Effect::Reads),
];

/// What a call is about.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// The file of a descriptor.
    Descriptor(i32),
    /// The path at an address of the caller, below a descriptor if it has one.
    Path { folder: Option<i32>, address: u64 },
}

impl Kind {
    /// The kind of the call that these registers make; `None` for one that touches no disk.
    pub(super) fn of(registers: &user_regs_struct) -> Option<Self> {
        let number = registers.orig_rax.cast_signed();
        let kind = KINDS.iter().find(|kind| kind.number == number)?;
        // Opening what is there changes nothing.
        let is_open = matches!(kind.number, libc::SYS_openat | libc::SYS_open);
        let flags = if kind.number == libc::SYS_open { registers.rsi } else { registers.rdx };
        let changing = u64::from((libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT).cast_unsigned());
        let effect = if is_open && flags & changing == 0 { Effect::Reads } else { kind.effect };
        Some(Self { effect, ..*kind })
    }

    /// What the call is about.
    pub(super) fn about(&self, registers: &user_regs_struct) -> About {
        let words = [registers.rdi, registers.rsi, registers.rdx];
        #[expect(clippy::cast_possible_truncation, reason = "descriptors are 32-bit numbers")]
        let descriptor = |index: usize| words[index] as i32;
        match self.place {
            Place::Descriptor => About::Descriptor(descriptor(0)),
            Place::SecondDescriptor(index) => About::Descriptor(descriptor(index)),
            Place::Path => About::Path { folder: None, address: words[0] },
            Place::Below => About::Path { folder: Some(descriptor(0)), address: words[1] },
        }
    }
}
