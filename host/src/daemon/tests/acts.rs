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
        note("read input folder", fs::read_dir(self.path("in")).map(drop));
        note("write foreign output", self.append("out/foreign"));
        note("read", File::open(self.path("other/secret")).map(drop));
        note("list", fs::read_dir(self.path("other")).map(drop));
        note("write", self.append("other/secret"));
        note("make", File::create(self.path("other/new")).map(drop));
        note("make beside input", File::create(self.path("in/new")).map(drop));
        note("write input", self.append("in/other.txt"));
        note("write own program", OpenOptions::new().append(true).open("/proc/self/exe").map(drop));
        note("remove", fs::remove_file(self.path("other/victim")));
        note("move away", fs::rename(self.path("out/foreign"), self.path("other/moved")));
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
        Value::Object(tried)
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
