//! Processes, and chance.

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;
use std::os::unix::process::CommandExt;
use std::time::Duration;

/// 64 random bits; from the clock if the system has none to give.
pub fn random_u64() -> u64 {
    let mut bytes = [0u8; 8];
    match getrandom(&mut bytes[..], GetRandomFlags::empty()) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| u64::from(time.subsec_nanos()).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    }
}

/// 64 random bits as 16 hex digits.
pub fn random_hex() -> String {
    format!("{:016x}", random_u64())
}

/// Makes this process die with the thread that started it, at once and whatever it is doing.
///
/// The kernel's signal follows the *thread* that made the process, so workers are started by threads
/// that live as long as the daemon.
///
/// # Errors
/// When the parent, whose id is `parent_pid`, has died already.
pub fn die_with_parent(parent_pid: u32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // Checked after the signal was armed: a parent that dies later is noticed by the kernel.
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if parent.and_then(|pid| u32::try_from(pid).ok()) == Some(parent_pid) {
        Ok(())
    } else {
        Err(io::Error::other(format!("parent process {parent_pid} is gone")))
    }
}

/// Starts this program anew in this process, with the arguments it was started with. Returns only if that fails.
pub fn start_anew() -> io::Error {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    // Linux calls a program so whose file was replaced; the new one stands in its place.
    let program = std::env::current_exe().map(|program| match program.to_str() {
        Some(path) => path.strip_suffix(" (deleted)").unwrap_or(path).into(),
        None => program,
    });
    match program {
        Ok(program) => std::process::Command::new(program).arg0(name).args(arguments).exec(),
        Err(error) => error,
    }
}

/// Bounds the files that this process may have open, and lets its death leave no image of its memory:
/// that would be as large as what it was ended for, and hold the audio.
///
/// The address space is not bounded: sandboxes reserve gigabytes of it that they never touch.
///
/// # Errors
/// When the system refuses.
pub fn limit_this_process(open_files_max: u64) -> io::Result<()> {
    let bounded = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    // A hard limit that is lower already cannot be raised.
    let files_max = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX).min(open_files_max);
    setrlimit(Resource::Nofile, bounded(files_max))?;
    setrlimit(Resource::Core, bounded(0))?;
    Ok(())
}

/// Has all threads of this process take memory from one heap, where glibc would give each one of its own (up to eight
/// a processor), which keeps what others could use: measured, a daemon that made 800 files grew by 650 KiB more of
/// it. For a process whose threads mostly wait, before it starts them. No more than a hint.
pub fn share_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it changes numbers that the allocator looks at, under the allocator's own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Resident memory of a process; `None` when it is gone or the system does not say.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What a process has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Processor time of all of its threads.
    pub processor: Duration,
    /// Bytes that its calls read and wrote, whatever they were.
    pub bytes: u64,
}

/// Ticks of a second in `/proc/PID/stat`: `USER_HZ`, the same wherever Linux runs.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has done; `None` when it is gone or the system does not say.
pub fn effort(pid: u32) -> Option<Effort> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name in parentheses, which may hold anything: the state is field 3 of proc_pid_stat(5),
    // the time in the process 14, in the kernel 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let processor = Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND);
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let count = |name: &str| -> Option<u64> {
        io.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
    };
    Some(Effort { processor, bytes: count("rchar:")? + count("wchar:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_of_this_process_is_known() {
        if !cfg!(target_os = "linux") {
            eprintln!("skipped: /proc is Linux only");
            return;
        }
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
    }

    #[test]
    fn effort_of_this_process_grows() {
        if !cfg!(target_os = "linux") {
            eprintln!("skipped: /proc is Linux only");
            return;
        }
        let before = effort(std::process::id()).unwrap();
        let text = std::fs::read("/proc/self/stat").unwrap();
        let after = effort(std::process::id()).unwrap();
        assert!(after.bytes >= before.bytes + text.len() as u64, "{before:?} {after:?}");
        assert!(after.processor >= before.processor);
    }

    #[test]
    fn random_numbers_differ() {
        assert_ne!(random_u64(), random_u64());
        assert_eq!(random_hex().len(), 16);
    }
}
