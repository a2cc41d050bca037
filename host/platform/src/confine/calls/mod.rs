//! System calls, by seccomp: those that reading, computing and writing need, and no others.
//!
//! A list of what is allowed, because whatever a kernel adds is forbidden by it. What is not on it
//! fails as if the kernel did not know it (`ENOSYS`): a newer C library then goes the old way.
//!
//! Calls stand here by their names; their numbers come from tables of each processor's, so that the filters of
//! all processors are made, and tried, on any.

use super::Purpose;
use seccompiler::{BpfProgram, TargetArch, compile_from_json};
use serde_json::{Value, json};

/// Calls that are allowed with any argument: none makes a process, opens a socket, reaches another
/// process, or changes owner, mode or attributes of a file. Which files they reach is not theirs to say.
const CALLS: &[&str] = &[
    // Files.
    "openat",
    "close",
    "close_range",
    "dup",
    "dup3",
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "lseek",
    "copy_file_range",
    "sendfile",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "faccessat",
    "faccessat2",
    "readlinkat",
    "getdents64",
    "getcwd",
    "ftruncate",
    "fallocate",
    "fadvise64",
    "fsync",
    "fdatasync",
    "flock",
    "mkdirat",
    "unlinkat",
    "renameat2",
    // The socket to the daemon, which is there already, and the open files that come by it.
    "recvfrom",
    "recvmsg",
    "shutdown",
    "ppoll",
    // Memory; modules of effects are compiled, so it may become code.
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "mincore",
    "membarrier",
    "memfd_create",
    // Threads of this process.
    "futex",
    "set_robust_list",
    "get_robust_list",
    "set_tid_address",
    "rseq",
    "gettid",
    "getpid",
    "getppid",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "exit",
    "exit_group",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    // Time, chance, and who one is.
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "times",
    "getrusage",
    "getcpu",
    "getrandom",
    "sysinfo",
    "uname",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
];

/// What a command needs besides: it gives its outputs their names itself, on file systems that cannot rename
/// without replacing by a link.
const CALLS_OF_COMMANDS: &[&str] = &["linkat"];

/// Former names of the same, which newer processors do not have, and what one of them has alone.
fn calls_of(architecture: TargetArch) -> &'static [&'static str] {
    match architecture {
        TargetArch::x86_64 => &[
            "open", "stat", "lstat", "access", "readlink", "dup2", "mkdir", "unlink", "rmdir",
            "rename", "renameat", "poll", "time",
        ],
        TargetArch::aarch64 => &["renameat"],
        TargetArch::riscv64 => &["riscv_flush_icache"],
    }
}

/// `fcntl` without its owners and signals.
const FCNTL: &[i32] = &[
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETLK,
    libc::F_SETLK,
    libc::F_SETLKW,
    libc::F_OFD_SETLK,
    libc::F_OFD_SETLKW,
    libc::F_ADD_SEALS,
    libc::F_GET_SEALS,
];

/// `TCGETS` of asm-generic/ioctls.h: asked of files to find out whether they are terminals.
const IS_TERMINAL: i32 = 0x5401;

/// `TIOCGWINSZ` of asm-generic/ioctls.h: how wide a terminal is.
const WIDTH_OF_TERMINAL: i32 = 0x5413;

/// What makes a process rather than a thread, and what makes a namespace.
const CLONE_LOOKED_AT: i32 = libc::CLONE_VM
    | libc::CLONE_THREAD
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Installs the filter for all threads of this process and those they start, or for this one and its own.
pub(super) fn confine(purpose: Purpose) -> Result<(), String> {
    let program = TargetArch::try_from(std::env::consts::ARCH)
        .map_err(|error| error.to_string())
        .and_then(|architecture| program(purpose, architecture))
        .map_err(|error| format!("no system call filter ({error})"))?;
    let applied = match purpose {
        Purpose::Command => seccompiler::apply_filter_all_threads(&program),
        Purpose::Worker => seccompiler::apply_filter(&program),
    };
    applied.map_err(|error| format!("the kernel takes no system call filter ({error})"))
}

fn program(purpose: Purpose, architecture: TargetArch) -> Result<BpfProgram, String> {
    let filter = json!({ "calls": {
        "mismatch_action": { "errno": libc::ENOSYS },
        "match_action": "allow",
        "filter": rules(purpose, architecture),
    }});
    let compiled = compile_from_json(filter.to_string().as_bytes(), architecture);
    let mut programs = compiled.map_err(|error| error.to_string())?;
    programs.remove("calls").ok_or_else(|| "it is empty".to_owned())
}

fn rules(purpose: Purpose, architecture: TargetArch) -> Vec<Value> {
    let also = if purpose == Purpose::Command { CALLS_OF_COMMANDS } else { &[] };
    let names = CALLS.iter().chain(calls_of(architecture)).chain(also);
    names.map(|name| json!({ "syscall": name })).chain(looked_at(purpose)).collect()
}

/// Calls that are allowed with some arguments only.
fn looked_at(purpose: Purpose) -> Vec<Value> {
    let own = std::process::id();
    let thread = libc::CLONE_VM | libc::CLONE_THREAD;
    let mut rules = vec![
        only("clone", 0, "qword", &json!({ "masked_eq": CLONE_LOOKED_AT }), thread),
        // A name for a thread or a mapping.
        equal("prctl", 0, libc::PR_SET_NAME),
        equal("prctl", 0, libc::PR_SET_VMA),
        equal("ioctl", 1, IS_TERMINAL),
        // An abort ends this process.
        equal("kill", 0, own),
        equal("tgkill", 0, own),
        // Limits are read, not set.
        null("prlimit64", 2),
        // The times of open files, not of names.
        null("utimensat", 1),
        // To the other end of a connected socket.
        null("sendto", 4),
    ];
    rules.extend(FCNTL.iter().map(|what| equal("fcntl", 1, *what)));
    if purpose == Purpose::Command {
        rules.push(equal("ioctl", 1, WIDTH_OF_TERMINAL));
        // By which a signal handler notifies a thread; it leads nowhere else.
        rules.push(equal("socketpair", 0, libc::AF_UNIX));
    }
    rules
}

/// A call is allowed where one of its arguments stands so to a value.
fn only(name: &str, index: u8, length: &str, how: &Value, value: impl Into<i64>) -> Value {
    let value = value.into();
    let argument = json!({ "index": index, "type": length, "op": how, "val": value });
    json!({ "syscall": name, "args": [argument] })
}

/// The lower half of an argument has this value.
fn equal(name: &str, index: u8, value: impl Into<i64>) -> Value {
    only(name, index, "dword", &json!("eq"), value)
}

/// An argument is a null pointer.
fn null(name: &str, index: u8) -> Value {
    only(name, index, "qword", &json!("eq"), 0)
}

#[cfg(test)]
mod tests;
