//! The tracer: lets a program run from call to call, and interferes once.

use super::calls::{About, Kind};
use super::ptrace::{self, Edge, Stop};
use super::{Call, Fault, Target, Traced};
use crate::lab::{Ended, WAIT_MAX, collect};
use libc::pid_t;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// What a call returns that was not made: the kernel leaves a call of this number out.
const NO_CALL: u64 = u64::MAX;

/// Whether processes may be traced here.
#[expect(clippy::print_stderr, reason = "the gate counts this line")]
pub fn is_possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    let is_possible = *POSSIBLE.get_or_init(|| {
        let here = std::env::temp_dir();
        start(&Command::new("true"))
            .is_some_and(|begun| begun.trace(&here, None).ended.code == Some(0))
    });
    if !is_possible {
        eprintln!("skipped: processes may not be traced here");
    }
    is_possible
}

/// Runs a command to its end, and whatever it starts; a call that touches a file `below` a folder meets
/// the target's fault.
pub fn run(command: &Command, below: &Path, target: Option<&Target>) -> Traced {
    start(command).expect("the program can be traced").trace(below, target)
}

/// A program that waits to be traced, its first instruction not yet run.
struct Begun {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

fn start(command: &Command) -> Option<Begun> {
    // A shell that stops itself and then becomes the program: so nothing runs untraced.
    let mut stopped = Command::new("sh");
    stopped.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]);
    stopped.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => stopped.env(name, value),
            None => stopped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        stopped.current_dir(folder);
    }
    stopped.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = stopped.spawn().ok()?;
    let stdout = collect(child.stdout.take()?);
    let stderr = collect(child.stderr.take()?);
    let pid = id(&child);
    if !ptrace::wait_until_stopped(pid) || ptrace::seize(pid).is_err() {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    signal(pid, rustix::process::Signal::CONT);
    Some(Begun { child, stdout, stderr })
}

fn id(child: &Child) -> pid_t {
    pid_t::try_from(child.id()).expect("process ids are small")
}

fn signal(process: pid_t, signal: rustix::process::Signal) {
    if let Some(process) = rustix::process::Pid::from_raw(process) {
        // One that is gone needs none.
        let _ = rustix::process::kill_process(process, signal);
    }
}

impl Begun {
    fn trace(self, below: &Path, target: Option<&Target>) -> Traced {
        let root = id(&self.child);
        let mut tracer = Tracer::new(root, below, target);
        let is_hung = Arc::new(AtomicBool::new(false));
        let hung = Arc::clone(&is_hung);
        let (done, waits) = channel::<()>();
        let timeout = std::thread::spawn(move || {
            if waits.recv_timeout(WAIT_MAX) == Err(RecvTimeoutError::Timeout) {
                hung.store(true, Ordering::Relaxed);
                signal(root, rustix::process::Signal::KILL);
            }
        });
        let code = tracer.run();
        drop(done);
        timeout.join().expect("it only waits");
        let text = |thread: JoinHandle<String>| thread.join().expect("a reader does not panic");
        Traced {
            ended: Ended { code, stdout: text(self.stdout), stderr: text(self.stderr) },
            calls: tracer.calls,
            hit: tracer.hit,
            is_hung: is_hung.load(Ordering::Relaxed),
        }
    }
}

/// A thread that is traced.
#[derive(Debug)]
struct Thread {
    process: pid_t,
    caller: String,
    /// What its present call is to return instead of what it does.
    returns: Option<i64>,
}

struct Tracer<'t> {
    root: pid_t,
    below: &'t Path,
    target: Option<&'t Target>,
    threads: HashMap<pid_t, Thread>,
    counts: HashMap<(String, &'static str), usize>,
    calls: Vec<Call>,
    hit: Option<Call>,
}

impl<'t> Tracer<'t> {
    fn new(root: pid_t, below: &'t Path, target: Option<&'t Target>) -> Self {
        let (threads, counts) = (HashMap::new(), HashMap::new());
        Self { root, below, target, threads, counts, calls: Vec::new(), hit: None }
    }

    /// Until nothing is left; the exit code of the program.
    fn run(&mut self) -> Option<i32> {
        let mut code = None;
        while let Some((thread, stop)) = ptrace::wait() {
            let mut passed_on = 0;
            match stop {
                Stop::Gone(exit) => {
                    self.threads.remove(&thread);
                    if thread == self.root {
                        code = exit;
                    }
                    continue;
                }
                Stop::Call => self.at_call(thread),
                Stop::Signal(signal) => passed_on = signal,
                Stop::Event => {}
            }
            // One that was killed meanwhile is reported as gone.
            let _ = ptrace::go_on(thread, passed_on);
        }
        code
    }

    fn at_call(&mut self, thread: pid_t) {
        match ptrace::edge(thread) {
            Ok(Edge::Entry) => self.enter(thread),
            Ok(Edge::Exit) => {
                let returns = self.threads.get_mut(&thread).and_then(|known| known.returns.take());
                if let (Some(value), Ok(mut registers)) = (returns, ptrace::registers(thread)) {
                    registers.rax = value.cast_unsigned();
                    let _ = ptrace::set_registers(thread, registers);
                }
            }
            Err(_) => {}
        }
    }

    fn enter(&mut self, thread: pid_t) {
        let Ok(registers) = ptrace::registers(thread) else { return };
        let Some(kind) = Kind::of(&registers) else { return };
        let Some(path) = self.path_of(thread, &kind.about(&registers)) else { return };
        let root = self.root;
        let known = self.threads.entry(thread).or_insert_with(|| Thread::find(thread, root));
        let caller = known.caller.clone();
        let count = self.counts.entry((caller.clone(), kind.name)).or_default();
        *count += 1;
        let call = Call { caller, name: kind.name, number: *count, effect: kind.effect, path };
        let is_it = |target: &&Target| Target::at(&call, target.fault) == **target;
        if let Some(target) = self.target.filter(is_it) {
            self.interfere(thread, target.fault, registers);
            self.hit = Some(call.clone());
        }
        self.calls.push(call);
    }

    fn interfere(&mut self, thread: pid_t, fault: Fault, mut registers: libc::user_regs_struct) {
        let Some(known) = self.threads.get_mut(&thread) else { return };
        match fault {
            Fault::Kill => return signal(known.process, rustix::process::Signal::KILL),
            Fault::Short => registers.rdx = registers.rdx.div_ceil(2),
            Fault::Eio | Fault::Enospc | Fault::Lie => {
                let error = match fault {
                    Fault::Eio => libc::EIO,
                    Fault::Enospc => libc::ENOSPC,
                    _ => 0,
                };
                registers.orig_rax = NO_CALL;
                known.returns = Some(-i64::from(error));
            }
        }
        ptrace::set_registers(thread, registers).expect("a stopped thread has registers");
    }

    /// The file that a call is about, if it lies below the folder.
    fn path_of(&self, thread: pid_t, about: &About) -> Option<String> {
        let link = |name: &str| std::fs::read_link(format!("/proc/{thread}/{name}")).ok();
        let of_descriptor = |number: i32| link(&format!("fd/{number}"));
        let path: PathBuf = match *about {
            About::Descriptor(number) => of_descriptor(number)?,
            About::Path { folder, address } => {
                let text = PathBuf::from(OsString::from_vec(ptrace::text(thread, address)));
                let folder = folder.filter(|folder| *folder != libc::AT_FDCWD);
                match folder {
                    _ if text.is_absolute() => text,
                    Some(folder) => of_descriptor(folder)?.join(text),
                    None => link("cwd")?.join(text),
                }
            }
        };
        let below = path.strip_prefix(self.below).ok()?;
        Some(below.to_string_lossy().trim_end_matches('/').to_owned())
    }
}

impl Thread {
    fn find(thread: pid_t, root: pid_t) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{thread}/{name}"));
        let status = read("status").unwrap_or_default();
        let process = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        let process = process.and_then(|id| id.trim().parse().ok()).unwrap_or(thread);
        let role = if process == root { "daemon" } else { "worker" };
        let name = read("comm").unwrap_or_default();
        let name = if thread == process { "main" } else { name.trim() };
        Self { process, caller: format!("{role}/{name}"), returns: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Effect;
    use crate::lab::put;

    fn dd(folder: &Path) -> Command {
        let mut command = Command::new("dd");
        let to = format!("of={}", folder.join("to").display());
        command.arg(format!("if={}", folder.join("from").display())).arg(to).arg("bs=4");
        command
    }

    /// Copies 8 bytes by 4, with a fault at one call; what came of it, and what is there.
    fn copy(target: Option<&Target>) -> Option<(Traced, Vec<u8>)> {
        if !is_possible() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        put(&folder.path().join("from"), b"12345678");
        let traced = run(&dd(folder.path()), folder.path(), target);
        let copied = std::fs::read(folder.path().join("to")).unwrap_or_default();
        Some((traced, copied))
    }

    /// The second of the writes, as a run without faults makes it.
    fn second_write(fault: Fault) -> Option<Target> {
        let (traced, _) = copy(None)?;
        assert_eq!(traced.ended.code, Some(0), "{traced:?}");
        let mut writes = traced.calls.iter().filter(|call| call.name == "write");
        let call = writes.nth(1).expect("two writes");
        assert_eq!((call.effect, call.path.as_str()), (Effect::Writes, "to"));
        Some(Target::at(call, fault))
    }

    #[test]
    fn call_fails_as_asked_and_the_ones_before_do_not() {
        let Some(target) = second_write(Fault::Enospc) else { return };
        let Some((traced, copied)) = copy(Some(&target)) else { return };
        assert_eq!(copied, b"1234");
        assert_eq!(traced.ended.code, Some(1), "{traced:?}");
        assert!(traced.ended.stderr.contains("No space left"), "{traced:?}");
        assert!(traced.hit.is_some());
    }

    #[test]
    fn killed_process_makes_no_further_call() {
        let Some(target) = second_write(Fault::Kill) else { return };
        let Some((traced, copied)) = copy(Some(&target)) else { return };
        assert_eq!((copied.as_slice(), traced.ended.code), (b"1234".as_slice(), None));
        assert_eq!(traced.calls.last(), traced.hit.as_ref());
    }

    #[test]
    fn short_write_writes_half() {
        let Some(target) = second_write(Fault::Short) else { return };
        let Some((traced, copied)) = copy(Some(&target)) else { return };
        assert!(traced.hit.is_some() && copied.starts_with(b"123456"), "{copied:?}");
    }
}
