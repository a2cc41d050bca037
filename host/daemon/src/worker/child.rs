//! The worker's side.

use super::files::FileReceiver;
use super::protocol::{Failure, FileError, FileRequest, Reply, Request, Work, parse, send};
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Mutex, MutexGuard};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wavemill_pipelines::diagnostic::Severity;
use wavemill_pipelines::execution::{
    self, Decision, FileAccess, Hooks, Job, Outcome, Places, Proposal, RunError,
};
use wavemill_pipelines::publishing::hash_reader;
use wavemill_pipelines::{Diagnostic, Effects, Pipeline};
use wavemill_platform::{
    Confinement, LockFile, Purpose, confine, die_with_parent, limit_this_process,
};
use wavemill_store::GroupMember;
use wavemill_store::cache::{Candidate, GroupMeasurements, Pieces};

/// Least time between two progress messages of a run: more would only be thrown away.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// What a worker reports and asks besides.
pub trait WorkerHooks: Hooks {
    /// Reports which file of a group is measured, so that it is known should it crash this process.
    fn measures(&mut self, member: usize);

    /// Reports what was measured of a group, and returns what holds.
    ///
    /// # Errors
    /// When the daemon does not answer.
    fn settle_group(&mut self, group: GroupMeasurements) -> Result<GroupMeasurements, RunError>;

    /// Who opens and makes the files of the job: the daemon.
    fn access(&self) -> Arc<dyn FileAccess>;
}

/// What a worker does with a file; replaced in tests.
pub trait Engine {
    /// Processes the file; stops early when `cancel` becomes true.
    ///
    /// # Errors
    /// As [`execution::run`].
    fn run(
        &self,
        work: &Work,
        cancel: &AtomicBool,
        hooks: &mut dyn WorkerHooks,
    ) -> Result<Outcome, RunError>;
}

/// Does the one job of this process for the daemon that started it. Returns an exit code.
pub fn serve() -> u8 {
    serve_with(&PipelineEngine)
}

/// As [`serve`], with another engine.
pub(crate) fn serve_with(engine: &dyn Engine) -> u8 {
    match serve_socket(engine) {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!(%error, "Worker ends.");
            1
        }
    }
}

fn serve_socket(engine: &dyn Engine) -> io::Result<()> {
    let stdin: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let socket = UnixStream::from(stdin);
    let cancel = Arc::new(AtomicBool::new(false));
    let (sender, requests) = unbounded();
    let (handed, answers) = unbounded();
    let mut reader = BufReader::new(FileReceiver::of(socket.try_clone()?));
    let mut hello = String::new();
    reader.read_line(&mut hello)?;
    let Ok(Request::Hello { parent_pid, lock, open_files_max, domain }) = parse(&hello) else {
        return Err(io::Error::other("workers are started only by `wavemill watch`"));
    };
    let _lock = greet(parent_pid, &lock)?;
    limit_this_process(open_files_max)?;
    // Before there is another thread: it would keep what this one gives up.
    let confinement = match &domain {
        Some(domain) => confine(domain, Purpose::Worker)?,
        None => Confinement::off(),
    };
    let shared = Arc::clone(&cancel);
    std::thread::Builder::new()
        .name("requests".to_owned())
        .spawn(move || read_requests(reader, &sender, &handed, &shared))?;
    let line = Arc::new(Line { socket: Mutex::new(socket), answers: Mutex::new(answers) });
    let mut link = Link { line, requests, last_progress: None, is_broken: false };
    link.reply(&Reply::Ready { confinement })?;
    let Ok(Request::Run(work)) = link.requests.recv() else {
        return Err(io::Error::other("the first request was not a job"));
    };
    let ended = match engine.run(&work, &cancel, &mut link) {
        Ok(outcome) => Reply::Prepared(Box::new(outcome)),
        Err(error) => Reply::Failed(error.into()),
    };
    link.reply(&ended)
}

/// Arms death with the parent before anything is done for it.
fn greet(parent_pid: u32, lock: &Path) -> io::Result<LockFile> {
    die_with_parent(parent_pid)?;
    // Only the start of another daemon, which waits for us, can hold it.
    LockFile::shared(lock, Duration::from_secs(10))?
        .ok_or_else(|| io::Error::other("another wavemill is starting in this state folder"))
}

/// Runs until the daemon closes the socket or dies; then the process ends, whatever it is doing. The
/// daemon, or the next one, knows the temporary files.
fn read_requests(
    mut socket: BufReader<FileReceiver>,
    requests: &Sender<Request>,
    handed: &Sender<Answer>,
    cancel: &AtomicBool,
) {
    let mut line = String::new();
    while socket.read_line(&mut line).is_ok_and(|count| count > 0) {
        let Ok(request) = parse(&line) else { break };
        line.clear();
        if let Request::File { answer } = request {
            if handed.send(answer.map(|()| socket.get_mut().take())).is_err() {
                break;
            }
            continue;
        }
        if request == Request::Cancel {
            cancel.store(true, Ordering::SeqCst);
        } else if requests.send(request).is_err() {
            break;
        }
    }
    std::process::exit(0);
}

/// What became of a wish: the open file, where one was asked for.
type Answer = Result<Option<OwnedFd>, FileError>;

/// The socket to the daemon. The threads of a run share it to ask for files.
#[derive(Debug)]
struct Line {
    socket: Mutex<UnixStream>,
    /// Held while a wish is open: answers come in the order of the wishes.
    answers: Mutex<Receiver<Answer>>,
}

impl Line {
    fn reply(&self, reply: &Reply) -> io::Result<()> {
        send(&mut *locked(&self.socket), reply)
    }

    fn ask(&self, wish: FileRequest) -> io::Result<Option<File>> {
        let answers = locked(&self.answers);
        self.reply(&Reply::File { wish })?;
        let answer = answers.recv().map_err(|_| io::Error::other("the daemon has exited"))?;
        Ok(answer?.map(File::from))
    }

    fn ask_for_file(&self, wish: FileRequest) -> io::Result<File> {
        self.ask(wish)?.ok_or_else(|| io::Error::other("the daemon passed no file"))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

impl FileAccess for Line {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.ask_for_file(FileRequest::Open(path.to_owned()))
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.ask_for_file(FileRequest::Create(path.to_owned()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(FileRequest::Remove(path.to_owned())).map(drop)
    }
}

/// The way to the daemon, during a run.
struct Link {
    line: Arc<Line>,
    requests: Receiver<Request>,
    last_progress: Option<Instant>,
    is_broken: bool,
}

impl Link {
    fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        self.line.reply(reply)
    }
}

impl Hooks for Link {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        let question = Reply::Decide { proposals: proposals.to_vec() };
        self.reply(&question).map_err(|error| RunError::Refused {
            reason: format!("an output's name cannot be reported: {error}"),
        })?;
        match self.requests.recv() {
            Ok(Request::Decided { answer }) => answer.map_err(RunError::from),
            _ => Err(RunError::Canceled),
        }
    }

    fn progress(&mut self, share: f64) {
        let is_due = self.last_progress.is_none_or(|last| last.elapsed() >= PROGRESS_INTERVAL);
        if is_due && !self.is_broken {
            self.last_progress = Some(Instant::now());
            self.is_broken = self.reply(&Reply::Progress { share }).is_err();
        }
    }
}

impl WorkerHooks for Link {
    fn measures(&mut self, member: usize) {
        if !self.is_broken {
            self.is_broken = self.reply(&Reply::Measures { member }).is_err();
        }
    }

    fn settle_group(&mut self, group: GroupMeasurements) -> Result<GroupMeasurements, RunError> {
        self.reply(&Reply::Grouped { group: Box::new(group) })
            .map_err(|error| RunError::Transient { reason: error.to_string() })?;
        match self.requests.recv() {
            Ok(Request::Agreed { group }) => Ok(*group),
            _ => Err(RunError::Canceled),
        }
    }

    fn access(&self) -> Arc<dyn FileAccess> {
        Arc::<Line>::clone(&self.line)
    }
}

/// The real engine: the pipelines crate.
struct PipelineEngine;

impl Engine for PipelineEngine {
    fn run(
        &self,
        work: &Work,
        cancel: &AtomicBool,
        hooks: &mut dyn WorkerHooks,
    ) -> Result<Outcome, RunError> {
        let pipeline = pipeline(work)?;
        let access = hooks.access();
        let places = Places { output_root: &work.output_root, spool: &work.spool, cancel, access };
        let Some(members) = &work.members else {
            return execution::run(&pipeline, &work.job, &places, hooks);
        };
        let candidates: Vec<_> =
            members.iter().map(|it| candidate(work, it, places.access.as_ref())).collect();
        let pieces = Pieces::of_state(&work.state);
        let mut latest = None;
        // Half of the work: the other half is the run.
        let mut progress = |member, share: f64| {
            if latest != Some(member) {
                latest = Some(member);
                hooks.measures(member);
            }
            hooks.progress(share / 2.0);
        };
        let group =
            GroupMeasurements::measure(&pieces, &pipeline, &candidates, &places, &mut progress)?;
        let group = hooks.settle_group(group)?;
        let job = Job { group: Some(group.of_file(&work.job.hash)), ..work.job.clone() };
        execution::run(&pipeline, &job, &places, hooks)
    }
}

/// A file of the group as it is now: one whose content changed is reported by the watcher, and measured with
/// the job that this makes.
fn candidate<'a>(
    work: &'a Work,
    member: &'a GroupMember,
    access: &'a dyn FileAccess,
) -> Candidate<'a> {
    let job = move || {
        if let Some(reason) = &member.left_out {
            return Err(reason.clone());
        }
        let hash = match access.open(&member.path).and_then(hash_reader) {
            // A submitted file is read for the first time.
            Ok(hash) if hash == member.hash || member.hash.is_empty() => hash,
            Ok(_) => return Err("changed after it was found".to_owned()),
            Err(error) => return Err(format!("cannot be read: {error}")),
        };
        let (input, name) = (member.path.clone(), PathBuf::new());
        Ok(Job { input, name, hash, group: None, ..work.job.clone() })
    };
    let name = member.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Candidate { name, job: Box::new(job) }
}

fn pipeline(work: &Work) -> Result<Pipeline, RunError> {
    let effects = Effects::new(Some(work.effect_cache.clone())).in_folder(&work.folder);
    wavemill_pipelines::load(&work.pipeline_text, &work.defaults, &effects)
        .map(|loaded| loaded.pipeline)
        .map_err(|mistakes| RunError::Refused { reason: refusal(&mistakes) })
}

/// The first mistake in one line. The daemon read the same text, so it is about an effect.
fn refusal(mistakes: &[Diagnostic]) -> String {
    let mistake = mistakes.iter().find(|mistake| mistake.severity == Severity::Error);
    let reason = mistake.map_or("unknown", |mistake| &mistake.message);
    match mistake.and_then(|mistake| mistake.help.as_deref()) {
        Some(help) => format!("the pipeline cannot run: {reason}; {help}"),
        None => format!("the pipeline cannot run: {reason}"),
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { kind: super::FailureKind::Transient, reason: error.to_string() }
    }
}
