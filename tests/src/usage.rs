//! What a child process took: user CPU time and resident memory.

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Kernel ticks a second in `/proc/<pid>/stat`: fixed at 100 for user space on Linux.
const TICKS_PER_S: f64 = 100.0;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a process took until its end.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time in user mode, all threads and reaped children.
    pub user_s: f64,
    /// Largest resident set seen.
    pub resident_mib_max: f64,
}

/// Runs a command to its end; panics when it fails.
pub fn of(command: &mut Command) -> Usage {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut resident_mib_max = 0.0f64;
    while !has_ended(&child) {
        resident_mib_max = resident_mib_max.max(resident_mib(child.id()).unwrap_or(0.0));
        std::thread::park_timeout(LOOK_EVERY);
    }
    // It has ended but was not reaped, so its numbers are still there.
    let user_s = user_s(child.id()).expect("an unreaped child has numbers");
    let status = child.wait().expect("a child can be waited for");
    assert!(status.success(), "{command:?} failed: {status}");
    Usage { user_s, resident_mib_max }
}

fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    waitid(WaitId::Pid(Pid::from_child(child)), options)
        .expect("a child can be looked at")
        .is_some()
}

/// The kernel's own high-water mark, so that no peak between two looks is missed.
pub fn resident_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// User CPU of a process so far, its reaped children included.
pub fn user_s(pid: u32) -> Option<f64> {
    // After the name in parentheses: state is field 3, utime 14, cutime 16 (proc(5)).
    fields_s(pid, [14, 16])
}

/// User and system CPU of a process so far, its reaped children included.
pub fn cpu_s(pid: u32) -> Option<f64> {
    Some(user_s(pid)? + fields_s(pid, [15, 17])?)
}

/// The sum of two fields of `/proc/<pid>/stat` in seconds.
fn fields_s(pid: u32, which: [usize; 2]) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some((ticks(which[0])? + ticks(which[1])?) / TICKS_PER_S)
}
