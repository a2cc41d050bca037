//! What a hostile decoder would do, and whether it could.

use serde_json::{Map, Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavemill_pipelines::execution::FileAccess;

/// A temporary file of another job.
pub(super) const OTHER_PART: &str = ".b.wav.0123456789abc.1.0.part";

/// The places that the acts are about; the test makes them.
pub(super) struct Scene {
    root: PathBuf,
    port: u16,
}

impl Scene {
    /// Of a source that reads `try PORT`, in this folder.
    pub(super) fn of(source: &str, root: &Path) -> Option<Self> {
        let port = source.strip_prefix("try ")?.trim().parse().ok()?;
        Some(Self { root: root.to_owned(), port })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Tries everything; `null` where it worked, else what stood against it.
    pub(super) fn try_all(&self) -> Value {
        let mut tried = Map::new();
        let mut note = |name: &str, result: io::Result<()>| {
            tried.insert(name.to_owned(), json!(result.err().map(|error| error.to_string())));
        };
        note("make spool", File::create(self.path("state/spool/made")).map(drop));
        let cache = self.path("state/cache/effects");
        note("list compiled effects", fs::read_dir(&cache).map(drop));
        note("plant compiled effect", File::create(cache.join("planted.fxcode")).map(drop));
        note("list input folder", fs::read_dir(self.path("in")).map(drop));
        note("read other input", File::open(self.path("in/other.txt")).map(drop));
        note("read", File::open(self.path("other/secret")).map(drop));
        note("list", fs::read_dir(self.path("other")).map(drop));
        note("write", self.append("other/secret"));
        note("make", File::create(self.path("other/new")).map(drop));
        note("make beside input", File::create(self.path("in/new")).map(drop));
        note("write input", self.append("in/other.txt"));
        note("write own program", OpenOptions::new().append(true).open("/proc/self/exe").map(drop));
        note("remove", fs::remove_file(self.path("other/victim")));
        note("move away", fs::rename(self.path("out/foreign"), self.path("other/moved")));
        let back = fs::rename(self.path("other/moved"), self.path("out/foreign"));
        assert!(back.is_ok() == self.is_free(), "{back:?}");
        note("hard link", fs::hard_link(self.path("other/secret"), self.path("out/linked")));
        note("symbolic link", symlink(self.path("other/secret"), self.path("out/symbolic")));
        note("make folder", fs::create_dir(self.path("out/folder")));
        note(
            "mode",
            fs::set_permissions(self.path("other/secret"), PermissionsExt::from_mode(0o666)),
        );
        note("tcp", TcpStream::connect(("127.0.0.1", self.port)).map(drop));
        note("udp", UdpSocket::bind("127.0.0.1:0").map(drop));
        note("unix", UnixStream::connect(self.path("other/socket")).map(drop));
        note("socket pair", UnixStream::pair().map(drop));
        note("process", Command::new("true").status().map(drop));
        note("signal", parent().and_then(|pid| Ok(rustix::process::test_kill_process(pid)?)));
        note("read memory", File::open(format!("/proc/{}/mem", parent_id())).map(drop));
        tried.extend(try_kernel(self.is_free()));
        tried.extend(self.try_outputs());
        Value::Object(tried)
    }

    /// Tries to do something to what others have among the outputs.
    fn try_outputs(&self) -> Map<String, Value> {
        let mut tried = Map::new();
        let mut note = |name: &str, result: io::Result<()>| {
            let error = result.err().map(|error| error.to_string());
            tried.insert(format!("output: {name}"), json!(error));
        };
        let mut truncate = OpenOptions::new();
        truncate.write(true).truncate(true);
        let out = |name: &str| self.path("out").join(name);
        note("list", fs::read_dir(self.path("out")).map(drop));
        note("make", File::create(out("new")).map(drop));
        if self.is_free() {
            // What was tried before worked too, and is in the way.
            fs::remove_file(out("linked")).unwrap();
        }
        for name in ["foreign", OTHER_PART] {
            note(&format!("read {name}"), File::open(out(name)).map(drop));
            note(&format!("write {name}"), self.append(&format!("out/{name}")));
            note(&format!("link {name}"), fs::hard_link(out(name), out("linked")));
            note(&format!("link {name} symbolically"), symlink(out(name), out("pointed")));
            note(&format!("unlink the links of {name}"), {
                fs::remove_file(out("linked")).and(fs::remove_file(out("pointed")))
            });
            note(&format!("truncate {name}"), truncate.open(out(name)).map(drop));
            note(&format!("rename {name}"), fs::rename(out(name), out("renamed")));
            note(&format!("replace {name}"), fs::rename(out("renamed"), out(name)));
            note(&format!("remove {name}"), fs::remove_file(out(name)));
        }
        tried
    }

    /// Asks the daemon for files that are not the job's.
    pub(super) fn ask_all(&self, access: &dyn FileAccess) -> Value {
        let mut asked = Map::new();
        let outside = Path::new("out/../other/secret");
        let part = Path::new("out").join(OTHER_PART);
        for name in [Path::new("out/foreign"), Path::new("in/other.txt"), outside, &part] {
            let path = self.path(name.to_str().unwrap_or_default());
            let mut note = |wish: &str, result: io::Result<()>| {
                let error = result.err().map(|error| error.to_string());
                asked.insert(format!("{wish} {}", name.display()), json!(error));
            };
            note("open", access.open(&path).map(drop));
            note("create", access.create(&path).map(drop));
            note("remove", access.remove(&path));
        }
        Value::Object(asked)
    }

    /// Tries to become another program, unless the test lets it do anything: it would work.
    pub(super) fn try_fatal(&self) -> Option<String> {
        (!self.is_free()).then(|| Command::new("true").exec().to_string())
    }

    /// Whether this process turned out to be able to do what it likes.
    fn is_free(&self) -> bool {
        self.path("other/new").exists()
    }

    fn append(&self, name: &str) -> io::Result<()> {
        OpenOptions::new().append(true).open(self.path(name))?.write_all(b"!")
    }
}

#[cfg(target_os = "linux")]
fn try_kernel(is_free: bool) -> Map<String, Value> {
    let mut tried = Map::new();
    let mut note = |name: &str, result: libc::c_long| {
        let error = (result < 0).then(io::Error::last_os_error);
        tried.insert(name.to_owned(), json!(error.map(|error| error.to_string())));
    };
    // SAFETY: the new namespace is this test process's own; no memory is passed.
    note("namespace", unsafe { libc::unshare(libc::CLONE_NEWNS) }.into());
    let mut ring = [0u8; 120];
    // SAFETY: `ring` is as large as `struct io_uring_params`, all zeros are valid.
    note("ring", unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, ring.as_mut_ptr()) });
    if !is_free {
        // SAFETY: no memory is passed. Were it to work, the test's own process would be seized.
        note("trace", unsafe { libc::ptrace(libc::PTRACE_SEIZE, parent_id(), 0, 0) });
    }
    tried
}

#[cfg(not(target_os = "linux"))]
fn try_kernel(_is_free: bool) -> Map<String, Value> {
    Map::new()
}

fn parent_id() -> i32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get())
}

fn parent() -> io::Result<rustix::process::Pid> {
    rustix::process::getppid().ok_or_else(|| io::Error::other("no parent"))
}
