//! System calls, by seccomp: those that reading, computing and writing need, and no others.
//!
//! A list of what is allowed, because whatever a kernel adds is forbidden by it. What is not on it
//! fails as if the kernel did not know it (`ENOSYS`): a newer C library then goes the old way.

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Calls that are allowed with any argument: none makes a process, opens a socket, reaches another
/// process, or changes owner, mode or attributes of a file. Which files they reach is not theirs to say.
const CALLS: &[c_long] = &[
    // Files.
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    // The socket to the daemon, which is there already.
    libc::SYS_recvfrom,
    libc::SYS_shutdown,
    libc::SYS_ppoll,
    // Memory; modules of effects are compiled, so it may become code.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_membarrier,
    libc::SYS_memfd_create,
    // Threads of this process.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Time, chance, and who one is.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_getrusage,
    libc::SYS_getcpu,
    libc::SYS_getrandom,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
];

/// Former names of the same, which newer processors do not have; and what `libc` has no name for there.
#[cfg(target_arch = "x86_64")]
const FORMER: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_dup2,
    libc::SYS_mkdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_poll,
    libc::SYS_time,
];
#[cfg(target_arch = "aarch64")]
const FORMER: &[c_long] = &[38]; // `renameat` of asm-generic/unistd.h
#[cfg(target_arch = "riscv64")]
const FORMER: &[c_long] = &[259]; // `riscv_flush_icache` of asm/unistd.h

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

/// Installs the filter for this thread and those it starts.
pub(super) fn confine() -> Result<(), String> {
    let program = program().map_err(|error| format!("no filter of system calls ({error})"))?;
    seccompiler::apply_filter(&program)
        .map_err(|error| format!("the kernel takes no filter of system calls ({error})"))
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    rules.extend(CALLS.iter().chain(FORMER).map(|call| (*call, Vec::new())));
    rules.extend(looked_at()?);
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, unknown, SeccompAction::Allow, architecture)?.try_into()
}

/// Calls that are allowed with some arguments only.
fn looked_at() -> Result<Vec<(i64, Vec<SeccompRule>)>, seccompiler::BackendError> {
    let own = i64::from(std::process::id());
    let thread = i64::from(libc::CLONE_VM | libc::CLONE_THREAD);
    let is_thread = SeccompCmpOp::MaskedEq(u64::from(CLONE_LOOKED_AT.unsigned_abs()));
    let is_thread =
        SeccompCondition::new(0, SeccompCmpArgLen::Qword, is_thread, thread.unsigned_abs())?;
    Ok(vec![
        (libc::SYS_clone, vec![SeccompRule::new(vec![is_thread])?]),
        // A name for a thread or a mapping.
        (libc::SYS_prctl, vec![equal(0, libc::PR_SET_NAME)?, equal(0, libc::PR_SET_VMA)?]),
        (libc::SYS_fcntl, FCNTL.iter().map(|it| equal(1, *it)).collect::<Result<_, _>>()?),
        // Asked of files to find out whether they are terminals.
        (libc::SYS_ioctl, vec![equal(1, 0x5401)?]),
        // An abort ends this process.
        (libc::SYS_kill, vec![equal(0, own)?]),
        (libc::SYS_tgkill, vec![equal(0, own)?]),
        // Limits are read, not set.
        (libc::SYS_prlimit64, vec![null(2)?]),
        // The times of open files, not of names.
        (libc::SYS_utimensat, vec![null(1)?]),
        // To the other end of a connected socket.
        (libc::SYS_sendto, vec![null(4)?]),
    ])
}

/// The lower half of an argument has this value.
fn equal(index: u8, value: impl Into<i64>) -> Result<SeccompRule, seccompiler::BackendError> {
    let (length, value) = (SeccompCmpArgLen::Dword, value.into().unsigned_abs());
    let condition = SeccompCondition::new(index, length, SeccompCmpOp::Eq, value)?;
    SeccompRule::new(vec![condition])
}

/// An argument is a null pointer.
fn null(index: u8) -> Result<SeccompRule, seccompiler::BackendError> {
    let length = SeccompCmpArgLen::Qword;
    let condition = SeccompCondition::new(index, length, SeccompCmpOp::Eq, 0)?;
    SeccompRule::new(vec![condition])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_fits_the_kernel() {
        // `BPF_MAXINSNS` of linux/bpf_common.h.
        let length = program().unwrap().len();
        assert!(length > CALLS.len() && length <= 4096, "{length} instructions");
    }

    #[test]
    fn no_call_is_named_twice() {
        let mut calls: Vec<_> = CALLS.iter().chain(FORMER).copied().collect();
        calls.extend(looked_at().unwrap().iter().map(|(call, _)| *call));
        let count = calls.len();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(calls.len(), count);
    }
}
