//! Processes, and chance.

use rustix::process::Signal;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

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

/// Resident memory of a process; `None` when it is gone or the system does not say.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
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
    fn random_numbers_differ() {
        assert_ne!(random_u64(), random_u64());
        assert_eq!(random_hex().len(), 16);
    }
}
