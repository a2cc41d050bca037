//! Disks that are full, out of inodes, read-only or another one: a job that cannot be delivered says why and leaves
//! nothing half, and is delivered once there is room.

#![expect(clippy::print_stderr, reason = "the gate counts lines that say what was skipped")]

use std::path::PathBuf;
use wavemill_tests::audit::{self, Expected};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::{Ended, Lab, put, wait_until};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "disk"
retry = { attempts = 2, backoff = "50ms..50ms" }

[[watch]]
path = "in"
ready = { stable_for = "50ms" }

[[export]]
format = "wav"
path = "out/{stem}.{ext}"

[[export]]
format = "flac"
path = "out/{stem}.{ext}"

[report]
json = "out/{stem}.json"
"#;

/// Makes `faketime` leave the monotonic clock alone.
const REAL_WAITS: &str = "FAKETIME_DONT_FAKE_MONOTONIC";

/// Of stereo at 16 bits: 1.9 MB.
const FRAMES: usize = 480_000;

/// A lab whose folder of outputs can be a file system of its own.
struct Disk {
    lab: Lab,
    pipeline: PathBuf,
    unshare: Tool,
}

impl Disk {
    /// With one input; none where no file system can be mounted.
    fn new() -> Option<Self> {
        let unshare = Tool::find("unshare")?;
        let mut trial = unshare.command();
        trial.args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
        if !trial.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: no file system may be mounted in a namespace here");
            return None;
        }
        let lab = Lab::new();
        std::fs::create_dir_all(lab.path("out")).expect("a folder");
        // Jobs begin however little is free: what is looked at is what they meet then.
        put(&lab.aside("config.toml"), b"min_free_mib = 0\n");
        let pipeline = lab.pipeline("disk", PIPELINE);
        let signal = signal::pink(48_000, 2, FRAMES, 0.3, 1);
        wav::write(&lab.path("in/a.wav"), &signal, Stored::Int(16));
        Some(Self { lab, pipeline, unshare })
    }

    /// `watch --until-idle` with a file system of these options at `out`; whatever files are there in the
    /// end are printed after it.
    fn watch_on(&self, options: &str) -> Ended {
        let mount = format!("mount -t tmpfs -o {options} tmpfs out");
        let script = format!("{mount} && \"$@\"; code=$?; find out ! -type d; exit $code");
        let mut wrapper = self.unshare.command();
        wrapper.args(["-Urm", "sh", "-c", &script, "sh"]);
        let config = self.lab.aside("config.toml");
        let config = config.to_str().expect("a path of the lab is text");
        let words = ["watch", "--until-idle", "--json", "--config", config];
        self.lab.run_wrapped(wrapper, &words, &self.pipeline)
    }

    /// `watch` under a script in a namespace of its own, which gets the state folder as `STATE`, the configuration file
    /// as `CONFIG`, and the command.
    fn watch_under(&self, script: &str) -> Ended {
        let config = self.lab.aside("config.toml");
        let config = config.to_str().expect("a path of the lab is text");
        let mut wrapper = self.unshare.command();
        wrapper.env("STATE", self.lab.state()).env("CONFIG", config);
        wrapper.args(["-Urm", "bash", "-c", script, "bash"]);
        self.lab.run_wrapped(wrapper, &["watch", "--json", "--config", config], &self.pipeline)
    }

    /// A job that cannot be delivered fails with this reason, leaves nothing, and its source alone; asked for
    /// again on a disk with room it is delivered.
    fn assert_fails_then_delivers(&self, options: &str, reason: &str) {
        let ended = self.watch_on(options);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(!ended.stdout.lines().any(|line| line.starts_with("out/")), "{ended:?}");
        let jobs = self.lab.jobs();
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        let said = jobs[0]["reason"].as_str().unwrap_or_default();
        assert!(said.contains(reason) && said.contains("/out"), "{said}");
        assert_eq!(self.lab.files("in"), ["a.wav"]);
        let again = self.lab.run(["jobs", "retry", jobs[0]["id"].as_str().expect("an id")]);
        assert_eq!(again.code, Some(0), "{again:?}");
        let ended = self.lab.until_idle(&[&self.pipeline]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let mut wrong = audit::settled(&self.lab, &[self.lab.root_path()], &self.expected());
        // The first job stays in the list, as failed.
        wrong.retain(|line| !line.contains("has 2 jobs"));
        assert_eq!(wrong, Vec::<String>::new());
    }

    fn expected(&self) -> Vec<Expected> {
        let root = self.lab.root();
        let input = root.join("in/a.wav");
        vec![Expected {
            source: Some(input.clone()),
            input,
            state: "done",
            frames: FRAMES as u64,
            outputs: ["a.flac", "a.json", "a.wav"].map(|name| root.join("out").join(name)).to_vec(),
            reason: None,
        }]
    }
}

#[test]
fn full_disk_fails_the_job_and_room_delivers_it() {
    let Some(disk) = Disk::new() else { return };
    disk.assert_fails_then_delivers("size=1m", "No space left on device");
}

/// Room for the folder and two files, but not for the third.
#[test]
fn disk_without_inodes_fails_the_job_and_room_delivers_it() {
    let Some(disk) = Disk::new() else { return };
    disk.assert_fails_then_delivers("size=64m,nr_inodes=3", "No space left on device");
}

#[test]
fn read_only_disk_fails_the_job_at_once_and_room_delivers_it() {
    let Some(disk) = Disk::new() else { return };
    disk.assert_fails_then_delivers("ro", "Read-only file system");
    let attempts: Vec<_> = disk.lab.jobs().iter().map(|job| job["attempt"].clone()).collect();
    assert_eq!(attempts, [1, 1], "it was tried again, though it could not help");
}

#[test]
fn outputs_on_another_disk_than_source_and_state_are_delivered() {
    let Some(disk) = Disk::new() else { return };
    let ended = disk.watch_on("size=64m");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut there: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("out/")).collect();
    there.sort_unstable();
    assert_eq!(there, ["out/a.flac", "out/a.json", "out/a.wav"]);
}

/// A state folder for one more file each time: the log, the store, the process id, the lock, the spool, the socket. The
/// last daemon gets room; then one that has none for a log elsewhere does.
const STATE_WITHOUT_INODES: &str = r#"
mkdir -p "$STATE" || exit 90
pause() { mkfifo -m 600 none 2> /dev/null; read -t 0.1 none <> none; }
for inodes in 1 2 3 4 5 6; do
    mount -t tmpfs -o size=24m,nr_inodes=$inodes tmpfs "$STATE" || exit 90
    "$@" 2> said &
    daemon=$!
    until grep -q 'paused until there is room' said; do
        kill -0 $daemon || break
        pause
    done
    cat said >&2
    if [ $inodes = 6 ]; then
        "$1" --state "$STATE" status 2>&1 | grep 'continues from 3 files' >&2
        mount -o remount,nr_inodes=100 "$STATE"
        until [ -e out/a.json ]; do kill -0 $daemon || exit 91; pause; done
    fi
    kill $daemon
    wait $daemon || exit $?
    umount "$STATE"
done
mv in/a.wav in/b.wav && rm out/a.*
mkdir -p "$STATE/log" && mount -t tmpfs -o size=24m,nr_inodes=1 tmpfs "$STATE/log" || exit 90
echo "log_file = '$STATE/log/wavemill.log'" >> "$CONFIG"
"$@" 2> said &
daemon=$!
until grep -q 'paused until there is room' said; do pause; done
cat said >&2
"$1" --config "$CONFIG" --state "$STATE" status 2>&1 | grep 'log has 0 files free' >&2
mount -o remount,nr_inodes=100 "$STATE/log"
until [ -e out/b.json ]; do kill -0 $daemon || exit 91; pause; done
kill $daemon
wait $daemon || exit $?
rm -f none said
"#;

#[test]
fn state_folder_without_inodes_holds_the_daemon_wherever_its_start_meets_that() {
    let Some(disk) = Disk::new() else { return };
    let lab = &disk.lab;
    let ended = disk.watch_under(STATE_WITHOUT_INODES);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said: Vec<_> = ended.stderr.lines().filter(|line| line.contains("has no room:")).collect();
    assert_eq!(said.len(), 7, "{ended:?}");
    let state = ["wavemill.log", "store.redb", "wavemill.pid", "workers.lock", "spool", "socket"];
    let met = state.into_iter().chain(["log/wavemill.log"]);
    for (said, met) in said.iter().zip(met) {
        assert!(said.contains(met) && said.contains("No space left on device"), "{met}: {said}");
    }
    for status in ["continues from 3 files", "log has 0 files free"] {
        assert!(ended.stderr.contains(status), "{status}: {ended:?}");
    }
    assert_eq!(lab.files("out"), ["b.flac", "b.json", "b.wav"]);
}

/// Fills the disk of the state while the daemon runs, drops files meanwhile, and makes room once it holds.
const FILLED_STATE: &str = r#"
mkdir -p "$STATE" && mount -t tmpfs -o size=24m tmpfs "$STATE" || exit 90
pause() { mkfifo -m 600 none 2> /dev/null; read -t 0.1 none <> none; }
"$@" 2> said &
daemon=$!
until [ -e out/a.json ]; do pause; done
cat /dev/zero > "$STATE/filler" 2> /dev/null
number=0
until grep -q 'paused until there is room' said; do
    number=$((number + 1))
    [ $number -gt 200 ] && exit 91
    cp in/a.wav in/b$number.wav
    pause
done
[ "$(cat "$STATE/wavemill.pid" 2> /dev/null)" = "" ] || exit 92
"$1" --state "$STATE" status > status 2>&1
grep -q -e 'continues from' -e 'No space left' status || exit 94
cp in/a.wav in/last.wav
rm "$STATE/filler"
until [ -e out/last.json ] && [ -e out/b1.json ]; do pause; done
kill -0 $daemon || exit 93
kill $daemon
wait $daemon
code=$?
cat said >&2
rm -f none status
mkdir kept && cp "$STATE/store.redb" kept
exit $code
"#;

#[test]
fn full_disk_of_the_state_holds_the_daemon_which_goes_on_when_there_is_room() {
    let Some(disk) = Disk::new() else { return };
    let lab = &disk.lab;
    let ended = disk.watch_under(FILLED_STATE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("No space left on device"), "{ended:?}");
    assert!(ended.stderr.contains("there is room again"), "{ended:?}");
    // Every file that was dropped has its set, once.
    std::fs::rename(lab.path("kept/store.redb"), lab.state().join("store.redb")).expect("a store");
    let jobs = lab.jobs();
    let inputs = lab.files("in");
    assert!(inputs.len() >= 3, "{inputs:?}");
    for name in inputs {
        let of_file: Vec<_> = jobs
            .iter()
            .filter(|job| job["input"].as_str().is_some_and(|input| input.ends_with(&name)))
            .map(|job| job["state"].clone())
            .collect();
        assert_eq!(of_file, ["done"], "{name}: {ended:?}");
        let stem = name.trim_end_matches(".wav");
        for ending in ["wav", "flac", "json"] {
            assert!(lab.path("out").join(format!("{stem}.{ending}")).exists(), "{name}.{ending}");
        }
    }
    assert!(lab.files("out").iter().all(|name| !name.starts_with('.')), "{:?}", lab.files("out"));
}

/// `a.wav` was processed in the year to come; then the clock was set right.
#[test]
fn clock_that_is_set_back_delivers_what_is_dropped_and_repeats_nothing() {
    let Some(faketime) = Tool::find("faketime") else { return };
    let lab = Lab::new();
    let pipeline = lab.pipeline("disk", PIPELINE);
    let tone = |name: &str| {
        let signal = signal::sine(48_000, 1, 4800, 440.0, 0.5);
        wav::write(&lab.path(name), &signal, Stored::Int(16));
    };
    tone("in/a.wav");
    let mut wrapper = faketime.command();
    // Waits count by the other clock, which nobody sets.
    wrapper.env(REAL_WAITS, "1").args(["-f", "+366d"]);
    let ended = lab.run_wrapped(wrapper, &["watch", "--until-idle", "--json"], &pipeline);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    tone("in/b.wav");
    let ended = lab.until_idle(&[&pipeline]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.event("job-done", "in/b.wav").is_some(), "{ended:?}");
    assert!(ended.event("job-started", "in/a.wav").is_none(), "{ended:?}");
    assert_eq!(lab.files("out").len(), 6);
}

/// A job was to be tried again in a moment, by a clock that was a year ahead.
#[test]
fn wait_that_began_before_the_clock_was_set_back_does_not_last_until_then() {
    let Some(disk) = Disk::new() else { return };
    let Some(faketime) = Tool::find("faketime") else { return };
    let waiting = PIPELINE.replace("50ms..50ms", "2s..2s");
    let (lab, pipeline) = (&disk.lab, disk.lab.pipeline("disk", &waiting));
    // It is killed while the job waits; `faketime` is only its parent.
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs out && mkfifo none || exit 1; \"$@\" > events & \
         until grep -q 'retry_in_s..[0-9]' events; do read -t 0.1 none <> none; done; \
         kill -9 $(cat {})",
        lab.state().join("wavemill.pid").display()
    );
    let config = lab.aside("config.toml");
    let config = config.to_str().expect("a path of the lab is text");
    let words = ["watch", "--json", "--config", config];
    let mut wrapper = disk.unshare.command();
    wrapper.args(["-Urm", "bash", "-c", &script, "bash"]);
    wrapper.env(REAL_WAITS, "1").arg(faketime.path()).args(["-f", "+366d"]);
    lab.run_wrapped(wrapper, &words, &pipeline);
    wait_until("the daemon has exited", || lab.processes().is_empty());
    assert_eq!(lab.jobs()[0]["state"], "retry");
    let ended = lab.until_idle(&[&pipeline]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.event("job-done", "in/a.wav").is_some(), "{ended:?}");
}
