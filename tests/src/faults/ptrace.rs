//! The few requests of `ptrace(2)` that the tracer makes, for one architecture.

use libc::{c_int, c_void, pid_t, user_regs_struct};
use std::io;
use std::ptr::{null_mut, without_provenance_mut};

/// What a thread stopped for, or that it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The beginning or the end of a system call.
    Call,
    /// A signal that it is about to get.
    Signal(c_int),
    /// Something else that tracing brings: a new thread, a new program, a stop of the group.
    Event,
    /// It ended; the exit code where it was no signal.
    Gone(Option<i32>),
}

/// Which end of a system call a thread stopped at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Entry,
    Exit,
}

const OPTIONS: c_int = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_EXITKILL;

/// A request whose address and data are numbers.
fn request(what: libc::c_uint, thread: pid_t, address: usize, data: usize) -> io::Result<()> {
    let address = without_provenance_mut::<c_void>(address);
    let data = without_provenance_mut::<c_void>(data);
    // SAFETY: none of the requests made here reads or writes memory of this process.
    match unsafe { libc::ptrace(what, thread, address, data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Begins to trace a stopped process, and all that it will start. It dies with the calling thread.
pub(super) fn seize(process: pid_t) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, process, 0, usize::try_from(OPTIONS).unwrap_or_default())
}

/// Lets a stopped thread go on to the next edge of a call, with a signal if it is to get one.
pub(super) fn go_on(thread: pid_t, signal: c_int) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, thread, 0, usize::try_from(signal).unwrap_or_default())
}

/// Which edge a thread stands at.
pub(super) fn edge(thread: pid_t) -> io::Result<Edge> {
    // SAFETY: all zeros is a value of this plain structure.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = without_provenance_mut::<c_void>(size_of_val(&info));
    let place: *mut libc::ptrace_syscall_info = &raw mut info;
    // SAFETY: the kernel writes at most `size` bytes to `place`, which is ours and as large.
    let count = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, thread, size, place) };
    match (count, info.op) {
        (-1, _) => Err(io::Error::last_os_error()),
        (_, libc::PTRACE_SYSCALL_INFO_ENTRY) => Ok(Edge::Entry),
        _ => Ok(Edge::Exit),
    }
}

/// The registers of a stopped thread.
pub(super) fn registers(thread: pid_t) -> io::Result<user_regs_struct> {
    // SAFETY: all zeros is a value of this plain structure.
    let mut registers: user_regs_struct = unsafe { std::mem::zeroed() };
    let place: *mut user_regs_struct = &raw mut registers;
    // SAFETY: the kernel writes one such structure to `place`, which is ours.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETREGS, thread, null_mut::<c_void>(), place) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(registers) }
}

/// Sets the registers of a stopped thread.
pub(super) fn set_registers(thread: pid_t, mut registers: user_regs_struct) -> io::Result<()> {
    let place: *mut user_regs_struct = &raw mut registers;
    // SAFETY: the kernel reads one such structure from `place`, which is ours.
    let result = unsafe { libc::ptrace(libc::PTRACE_SETREGS, thread, null_mut::<c_void>(), place) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Longest text that is read from a thread's memory: the longest path that Linux takes.
const TEXT_BYTES_MAX: usize = 4096;

/// The text, ended by a zero, at an address of a stopped thread; word by word, as a process that may not
/// be dumped cannot be read through `/proc`.
pub(super) fn text(thread: pid_t, address: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(start) = usize::try_from(address) else { return bytes };
    while start != 0 && bytes.len() < TEXT_BYTES_MAX {
        let place = without_provenance_mut::<c_void>(start + bytes.len());
        // SAFETY: the address is of the traced thread; one that is not mapped there is an error.
        let word =
            unsafe { libc::ptrace(libc::PTRACE_PEEKDATA, thread, place, null_mut::<c_void>()) };
        let word = word.to_ne_bytes();
        if let Some(end) = word.iter().position(|&byte| byte == 0) {
            bytes.extend_from_slice(&word[..end]);
            break;
        }
        bytes.extend_from_slice(&word);
    }
    bytes
}

/// Waits for a stop of anything that the calling thread traces; `None` when nothing is left.
pub(super) fn wait() -> Option<(pid_t, Stop)> {
    wait_for(-1, libc::__WALL | libc::__WNOTHREAD)
}

/// Waits until a child of the calling thread, which is not traced yet, has stopped.
pub(super) fn wait_until_stopped(process: pid_t) -> bool {
    matches!(wait_for(process, libc::WUNTRACED), Some((_, Stop::Signal(_))))
}

fn wait_for(process: pid_t, options: c_int) -> Option<(pid_t, Stop)> {
    let mut status = 0;
    // SAFETY: the kernel writes one number to `status`, which is ours.
    let thread = unsafe { libc::waitpid(process, &raw mut status, options) };
    if thread <= 0 {
        return None;
    }
    let stop = if libc::WIFEXITED(status) {
        Stop::Gone(Some(libc::WEXITSTATUS(status)))
    } else if libc::WIFSIGNALED(status) {
        Stop::Gone(None)
    } else if status >> 16 != 0 {
        Stop::Event
    } else if libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80 {
        Stop::Call
    } else {
        Stop::Signal(libc::WSTOPSIG(status))
    };
    Some((thread, stop))
}
