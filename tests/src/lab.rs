//! The real program in a folder of its own: run to its end, or run as a daemon that is watched, killed
//! and started again.

use crate::processes::{self, Process};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Environment variable that marks every process of a lab.
const MARK: &str = "WAVEMILL_LAB";

/// Longest that any test waits for anything: far beyond what a busy machine needs, so that only a real
/// hang reaches it.
pub const WAIT_MAX: Duration = Duration::from_mins(2);

/// The program under test.
///
/// `WAVEMILL_BIN` names it (the gate builds it and says so); otherwise it is built here, so that a test
/// run by hand never meets an old one.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = std::env::var_os("WAVEMILL_BIN").map_or_else(build, PathBuf::from);
        assert!(path.is_file(), "there is no program at {}", path.display());
        path
    })
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(repository())
        .args(["build", "--workspace", "--bin", "wavemill", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs where its tests run");
    assert!(output.status.success(), "`cargo build --bin wavemill` failed");
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs.next_back().expect("cargo names the program it built")
}

/// The repository's top-level folder.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests lies in the repository").to_path_buf()
}

/// A shipped pipeline file.
pub fn shipped(name: &str) -> PathBuf {
    repository().join("pipelines").join(format!("{name}.toml"))
}

/// A folder with its own root, state and pipelines.
#[derive(Debug)]
pub struct Lab {
    folder: tempfile::TempDir,
    root: PathBuf,
    mark: String,
    /// A copy of the program that an unprivileged user can reach; it runs as that user.
    unprivileged: Option<PathBuf>,
}

/// The user `nobody`, the same on every Linux.
const NOBODY: u32 = 65_534;

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside its results.
    pub stderr: String,
}

impl Ended {
    /// Its result as JSON; panics when it printed none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// Its result as one JSON value a line.
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line);
        let lines = self.stdout.lines().filter(|line| !line.is_empty());
        lines.map(|line| parse(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
    }

    /// The event of this name about the file `path` ends with.
    pub fn event(&self, name: &str, path: &str) -> Option<Value> {
        self.json_lines().into_iter().find(|event| is_about(event, name, path))
    }
}

/// Whether an event has this name and is about a file whose path ends so.
pub fn is_about(event: &Value, name: &str, path: &str) -> bool {
    let file = event["input"].as_str().or_else(|| event["path"].as_str());
    event["event"] == name && file.is_some_and(|file| Path::new(file).ends_with(path))
}

impl Lab {
    /// An empty lab.
    #[expect(clippy::new_without_default, reason = "it makes a folder, which is no default value")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mark = folder.path().to_string_lossy().into_owned();
        let root = folder.path().join("root");
        let lab = Self { folder, root, mark, unprivileged: None };
        std::fs::create_dir_all(&lab.root).expect("a folder can be made");
        lab
    }

    /// Where the relative paths of pipelines begin.
    pub fn root(&self) -> PathBuf {
        self.root.clone()
    }

    /// The same, borrowed.
    pub fn root_path(&self) -> &Path {
        &self.root
    }

    /// Where the store lives.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A path below the root; its folder exists afterwards.
    pub fn path(&self, below: &str) -> PathBuf {
        let path = self.root().join(below);
        let folder = path.parent().expect("it is below the root");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        path
    }

    /// A path outside the root, to prepare files that shall appear at once.
    pub fn aside(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("aside").join(name);
        std::fs::create_dir_all(path.parent().expect("it is below aside")).expect("a folder");
        path
    }

    /// Writes a pipeline file.
    pub fn pipeline(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join("pipelines").join(format!("{name}.toml"));
        std::fs::create_dir_all(path.parent().expect("it is below pipelines")).expect("a folder");
        put(&path, text.as_bytes());
        path
    }

    /// Writes the configuration file that every command of the lab reads.
    pub fn configure(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("config/wavemill/config.toml");
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        put(&path, text.as_bytes());
        path
    }

    /// A command of the program in this lab, without the environment's settings.
    pub fn command<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(
        &self,
        words: I,
    ) -> Command {
        let mut command = Command::new(self.unprivileged.as_deref().unwrap_or(program()));
        if self.unprivileged.is_some() {
            command.uid(NOBODY).gid(NOBODY);
        }
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("WAVEMILL_") || text.starts_with("XDG_") {
                command.env_remove(&name);
            }
        }
        command
            .env(MARK, &self.mark)
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .stdin(Stdio::null())
            .current_dir(self.root())
            .args(words)
            .arg("--state")
            .arg(self.state())
            .arg("--root")
            .arg(self.root());
        command
    }

    /// From now on the program runs as a user whom permissions bind, and all files of the lab belong
    /// to that user. Does nothing where the tests themselves run as such a user.
    pub fn drop_privileges(&mut self) {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let copy = self.folder.path().join("wavemill");
        std::fs::copy(program(), &copy).expect("the program can be copied");
        give_away(self.folder.path());
        self.unprivileged = Some(copy);
    }

    /// Runs a command to its end.
    pub fn run<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(&self, words: I) -> Ended {
        finish(&mut self.command(words))
    }

    /// `watch --until-idle --json` on these pipelines, to its end.
    pub fn until_idle(&self, pipelines: &[&Path]) -> Ended {
        let mut command = self.command(["watch", "--until-idle", "--json"]);
        finish(command.args(pipelines))
    }

    /// Runs a command on a pipeline to its end, started by another program such as `strace`.
    pub fn run_wrapped(&self, mut wrapper: Command, words: &[&str], pipeline: &Path) -> Ended {
        let mut command = self.command(words);
        command.arg(pipeline);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapper.env(name, value),
                None => wrapper.env_remove(name),
            };
        }
        wrapper.current_dir(self.root()).arg(command.get_program()).args(command.get_args());
        finish(&mut wrapper)
    }

    /// All jobs, as `jobs list --json` shows them.
    pub fn jobs(&self) -> Vec<Value> {
        let ended = self.run(["jobs", "list", "--json", "--limit", "100000"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.json()["jobs"].as_array().expect("a list of jobs").clone()
    }

    /// Starts a daemon in a process group of its own.
    pub fn watch(&self, pipelines: &[&Path]) -> Daemon {
        let mut command = self.command(["watch", "--json"]);
        Daemon::start(command.args(pipelines), self.mark.clone())
    }

    /// Processes of this lab that live: daemons, workers, orphans.
    pub fn processes(&self) -> Vec<Process> {
        processes::marked(MARK, &self.mark)
    }

    /// Every file below a folder of the root, hidden ones too, relative and in order.
    pub fn files(&self, below: &str) -> Vec<String> {
        let top = self.root().join(below);
        let mut files = Vec::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    let below = path.strip_prefix(&top).expect("it is below the top");
                    files.push(below.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        files
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A failing test must not leave a daemon behind.
        for process in self.processes() {
            if let Some(pid) = Pid::from_raw(process.pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Gives a folder and all below to `nobody`.
fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).expect("root may give files away");
    if path.is_dir() && !path.is_symlink() {
        let entries = std::fs::read_dir(path).expect("a folder of the lab");
        entries.for_each(|entry| give_away(&entry.expect("an entry").path()));
    }
}

fn finish(command: &mut Command) -> Ended {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    let stdout = collect(child.stdout.take().expect("stdout is piped"));
    let stderr = collect(child.stderr.take().expect("stderr is piped"));
    let deadline = Instant::now() + WAIT_MAX;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("a child can be killed");
            let (stdout, stderr) = (stdout.join(), stderr.join());
            panic!("{command:?} did not end: {stdout:?} {stderr:?}");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let text = |thread: JoinHandle<String>| thread.join().expect("a reader does not panic");
    Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

pub(crate) fn collect(mut from: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what a test wants to see.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A running `wavemill watch --json`.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    events: Receiver<Value>,
    seen: Vec<Value>,
    stderr: Arc<Mutex<String>>,
    mark: String,
}

impl Daemon {
    fn start(command: &mut Command, mark: String) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("the program starts");
        let (sender, events) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        std::thread::spawn(move || forward(stdout, &sender));
        let stderr = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let kept = Arc::clone(&stderr);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { child, events, seen: Vec::new(), stderr, mark }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for an event, past or to come; panics with all events when it does not come.
    pub fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(event) = self.seen.iter().find(|event| is_it(event)) {
            return event.clone();
        }
        self.wait_for_next(what, is_it)
    }

    /// Waits for an event that is yet to come; panics with all events when it does not come.
    pub fn wait_for_next(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    self.seen.push(event.clone());
                    if is_it(&event) {
                        return event;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.give_up(&format!("{what} did not come")),
                Err(RecvTimeoutError::Disconnected) => {
                    self.give_up(&format!("the daemon ended before {what}"));
                }
            }
        }
    }

    /// Waits until everything is set up.
    pub fn wait_until_started(&mut self) {
        self.wait_for("`started`", |event| event["event"] == "started");
    }

    /// Reads events for a while; returns early when the daemon ends.
    pub fn observe(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(event) =
            self.events.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.seen.push(event);
        }
    }

    /// Events so far.
    pub fn events(&self) -> &[Value] {
        &self.seen
    }

    fn give_up(&self, why: &str) -> ! {
        let stderr = self.stderr.lock().clone();
        panic!("{why}; events: {:#?}; stderr: {stderr}", self.seen);
    }

    /// Kills the daemon alone: its workers must notice by themselves.
    pub fn kill_alone(&mut self) {
        kill_process(self.pid(), Signal::KILL).expect("the daemon lives");
        self.child.wait().expect("a child can be waited for");
    }

    /// Kills the daemon and all of its processes at once.
    pub fn kill_with_workers(&mut self) {
        kill_process_group(self.pid(), Signal::KILL).expect("the group lives");
        // A worker in a group of its own is none that a terminal or a service manager would reach,
        // but it is marked.
        for process in processes::marked(MARK, &self.mark) {
            if let Some(pid) = Pid::from_raw(process.pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to read its configuration and pipelines again.
    pub fn hang_up(&self) {
        kill_process(self.pid(), Signal::HUP).expect("the daemon lives");
    }

    /// Asks it to finish what runs and to end; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        kill_process(self.pid(), Signal::TERM).expect("the daemon lives");
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status.code().or_else(|| status.signal().map(|signal| -signal));
            }
            assert!(Instant::now() < deadline, "the daemon does not end after SIGTERM");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn forward(lines: impl BufRead, to: &Sender<Value>) {
    for line in lines.lines().map_while(Result::ok) {
        // A line that was cut by a kill is no event.
        let Ok(event) = serde_json::from_str(&line) else { continue };
        if to.send(event).is_err() {
            return;
        }
    }
}

/// Waits until a condition holds; panics when it does not.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Whether a file's name ends so; `part` marks unfinished files.
pub fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}

/// Writes a whole file.
pub fn put(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.write_all(bytes).expect("the file can be written");
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_have_folders_of_their_own() {
        let (one, other) = (Lab::new(), Lab::new());
        assert_ne!(one.root(), other.root());
        assert_eq!(one.files(""), Vec::<String>::new());
    }

    #[test]
    fn files_are_listed_with_hidden_ones() {
        let lab = Lab::new();
        put(&lab.path("b/.c"), b"");
        put(&lab.path("a"), b"");
        assert_eq!(lab.files(""), ["a", "b/.c"]);
    }

    #[test]
    fn event_is_found_by_name_and_end_of_path() {
        let event = serde_json::json!({"event": "job-done", "input": "/x/in/a.wav"});
        assert!(is_about(&event, "job-done", "in/a.wav"));
        assert!(!is_about(&event, "job-done", "b.wav"));
        assert!(!is_about(&event, "job-failed", "a.wav"));
    }
}
