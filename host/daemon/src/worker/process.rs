//! The daemon's side: one running worker.

use super::files::send_with;
use super::protocol::{FileError, Reply, Request, line_of, parse, send};
use crossbeam_channel::{Receiver, unbounded};
use parking_lot::Mutex;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use wavemill_platform::{Confinement, Domain};

/// Last lines of a worker's output that are kept for the reason of its death.
const TAIL_LINES: usize = 8;

/// Longest line of a worker's output that is logged.
const LINE_BYTES_MAX: u64 = 4096;

/// Time a worker has to take what it is sent: one that reads nothing must not hold up its daemon.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Time a worker has to say that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// Files that a worker may have open where its pipeline does not say: some three for each output, and a few of
/// its own.
const OPEN_FILES_MAX: u64 = 512;

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// The file that workers hold locked while they live.
    pub lock: PathBuf,
    /// Whether they give up what their jobs do not need.
    pub is_confined: bool,
}

/// Something came from a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message.
    Reply(Reply),
    /// Its end, or a line that is no message; the process must be ended.
    Gone,
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    /// The signal or exit code, and the last line it wrote.
    pub how: String,
    /// Whether a signal ended it that programs do not send themselves: a person, a supervisor or the
    /// kernel out of memory.
    pub is_from_outside: bool,
}

/// A running worker. Dropping it kills it.
#[derive(Debug)]
pub struct WorkerProcess {
    child: Child,
    socket: UnixStream,
    events: Receiver<Event>,
    tail: Arc<Mutex<VecDeque<String>>>,
    confinement: Confinement,
}

impl Workers {
    /// Starts a worker that may have so many files open, and waits until it is ready; where workers are
    /// confined, to this domain. It dies with the calling thread.
    ///
    /// # Errors
    /// When the program cannot be started or does not speak the protocol.
    pub fn start(&self, domain: &Domain, open_files_max: Option<u64>) -> io::Result<WorkerProcess> {
        let open_files_max = open_files_max.unwrap_or(OPEN_FILES_MAX);
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_write_timeout(Some(SEND_TIMEOUT))?;
        let (output, output_end) = io::pipe()?;
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| io::Error::other("no worker command"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(output_end.try_clone()?))
            .stderr(Stdio::from(output_end))
            // Of its own, so that Ctrl-C reaches the daemon alone, which then drains.
            .process_group(0);
        let child = command.spawn()?;
        // Holds our copies of the worker's ends, which would keep its end unnoticed.
        drop(command);
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let pid = child.id();
        let kept = Arc::clone(&tail);
        spawn_thread("worker-log", move || log_output(output, pid, &kept))?;
        let (sender, events) = unbounded();
        let reader = ours.try_clone()?;
        spawn_thread("worker-replies", move || {
            read_replies(reader, &|event| sender.send(event).is_ok());
        })?;
        let domain = self.is_confined.then(|| domain.clone());
        let confinement = Confinement::off();
        let mut worker = WorkerProcess { child, socket: ours, events, tail, confinement };
        let (lock, parent_pid) = (self.lock.clone(), std::process::id());
        worker.send(&Request::Hello { parent_pid, lock, open_files_max, domain })?;
        match worker.events.recv_timeout(READY_TIMEOUT) {
            Ok(Event::Reply(Reply::Ready { confinement })) => {
                worker.confinement = confinement;
                Ok(worker)
            }
            _ => Err(io::Error::other(format!("worker did not start: {}", worker.end().how))),
        }
    }
}

fn spawn_thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

impl WorkerProcess {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a message; one that is dead already is noticed by [`Self::events`].
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        send(&mut self.socket, request)
    }

    /// Answers a wish for a file.
    pub(crate) fn hand(&mut self, result: io::Result<Option<File>>) -> io::Result<()> {
        let (answer, file) = match result {
            Ok(file) => (Ok(()), file),
            Err(error) => (Err(FileError::from(error)), None),
        };
        let request = Request::File { answer };
        match file {
            Some(file) => send_with(&mut self.socket, &line_of(&request)?, file),
            None => self.send(&request),
        }
    }

    /// How far it is confined.
    pub(crate) fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// What it says.
    pub(crate) fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// Kills it, if it still lives, and says in one line how it ended and what it said last.
    pub(crate) fn end(&mut self) -> Death {
        // A worker that closed its socket is about to die of what we want to know.
        let died = self.died_by_itself();
        let _ = self.child.kill();
        let status = self.child.wait();
        let is_from_outside = died && status.as_ref().is_ok_and(|&status| is_outside(status));
        let how = match (died, status) {
            (true, Ok(status)) => describe(status),
            (_, Err(error)) => error.to_string(),
            (false, Ok(_)) => "it closed its socket".to_owned(),
        };
        let how = match self.last_line() {
            Some(line) if !is_from_outside => format!("{how}: {line}"),
            _ => how,
        };
        Death { how, is_from_outside }
    }

    fn died_by_itself(&mut self) -> bool {
        let mut tries_left = 50;
        loop {
            match self.child.try_wait() {
                Ok(Some(_)) => return true,
                Ok(None) if tries_left > 0 => {
                    tries_left -= 1;
                    std::thread::park_timeout(Duration::from_millis(10));
                }
                _ => return false,
            }
        }
    }

    fn last_line(&self) -> Option<String> {
        let tail = self.tail.lock();
        let is_note = |line: &&String| line.starts_with("note: ");
        tail.iter().rev().find(|line| !is_note(line)).cloned()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_outside(status: ExitStatus) -> bool {
    let signals = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP];
    status.signal().is_some_and(|number| signals.iter().any(|signal| signal.as_raw() == number))
}

/// How a process ended.
fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "unknown end".to_owned(),
    }
}

fn read_replies(socket: UnixStream, send: &dyn Fn(Event) -> bool) {
    let mut is_ready = false;
    for line in BufReader::new(socket).lines() {
        let Ok(reply) = line.and_then(|line| parse::<Reply>(&line)) else { break };
        is_ready |= matches!(reply, Reply::Ready { .. });
        if !is_ready || !send(Event::Reply(reply)) {
            break;
        }
    }
    send(Event::Gone);
}

fn log_output(output: PipeReader, pid: u32, tail: &Mutex<VecDeque<String>>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        match output.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if line.is_empty() {
            continue;
        }
        tracing::debug!(worker = pid, %line, "Worker says.");
        let mut tail = tail.lock();
        tail.push_back(line);
        if tail.len() > TAIL_LINES {
            tail.pop_front();
        }
    }
}
