//! A long capture at real-time pace while the disk stalls: is a frame lost?

use super::host::Instance;
use super::{bundle, note};
use crate::record::Record;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wavemill_tests::lab;

const RATE_HZ: u32 = 96_000;

const BLOCK_FRAMES: usize = 64;

/// How long it records by default.
const MINUTES: u64 = 60;

const STALL: Duration = Duration::from_secs(10);

/// Values of the pattern; all of them are exact in f32.
const PATTERN_PERIOD: u64 = 1 << 20;

/// Name of the plugin's thread that writes, as long as Linux keeps names.
const WRITER: &str = "wavemill-captur";

/// The word with which this program captures.
pub(crate) const CAPTURE: &str = "plugin-capture";

/// Arguments: the `.clap`, minutes.
pub(crate) fn run(arguments: &[String]) -> Record {
    let clap = bundle(arguments);
    let minutes = arguments.get(1).map_or(MINUTES, |text| text.parse().expect("minutes"));
    let home = tempfile::tempdir().expect("a folder can be made");
    let mut child = start(&clap, minutes * 60, home.path());
    std::thread::park_timeout(Duration::from_secs(minutes * 20));
    let mut strace = stall(child.id());
    std::thread::park_timeout(STALL + STALL / 2);
    assert!(strace.try_wait().expect("strace can be asked").is_none(), "strace ended early");
    interrupt(&strace);
    strace.wait().expect("strace ends");
    let line = BufReader::new(child.stdout.take().expect("it is piped")).lines().next();
    let line = line.expect("it says how much it sent").expect("it is text");
    let (sent, slowest_ms) = line.split_once(' ').expect("two numbers");
    let sent: u64 = sent.parse().expect("frames");
    assert!(child.wait().expect("it ends").success(), "the capture failed");
    let (begun, end) = kept(&recording(home.path()).expect("there is a recording"));
    let mut record = Record {
        findings: vec![format!(
            "{minutes} min of 96 kHz stereo in blocks of {BLOCK_FRAMES} at real-time pace, a write \
             stalled for {} s: {sent} frames sent; the file begins with frame {begun}, when the ring was made, and \
             follows without a gap to frame {end}; slowest block {slowest_ms} ms",
            STALL.as_secs(),
        )],
        columns: vec!["what", "unit", "value"],
        ..Record::default()
    };
    assert!(end >= sent, "frames were lost: {sent} sent, the file is right up to {end}");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    for (what, value) in [("sent", sent), ("first", begun), ("end", end)] {
        note(&mut record, what, "frames", value as f64);
    }
    record
}

fn start(clap: &Path, seconds: u64, home: &Path) -> Child {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.arg(CAPTURE).arg(clap).arg(seconds.to_string());
    // Captures go to the user's music folder.
    command.env("HOME", home).stdout(Stdio::piped());
    command.spawn().expect("this program can be started")
}

/// Lets the writer's next write take as long as the stall.
fn stall(pid: u32) -> Child {
    let thread = threads(pid).into_iter().find(|(_, name)| name == WRITER);
    let (thread, _) = thread.unwrap_or_else(|| panic!("no thread {WRITER}: {:?}", threads(pid)));
    let inject = format!("inject=write:delay_enter={}:when=1", STALL.as_micros());
    let mut command = Command::new("strace");
    command.args(["-q", "-p", &thread.to_string(), "-e", "trace=write", "-e", &inject]);
    command.args(["-o", "/dev/null"]).spawn().expect("strace is installed")
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
}

/// The threads of a process with their names.
fn threads(pid: u32) -> Vec<(u32, String)> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let thread = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        Some((path.file_name()?.to_str()?.parse().ok()?, name.trim().to_owned()))
    };
    folder.filter_map(thread).collect()
}

fn recording(home: &Path) -> Option<PathBuf> {
    let folder = std::fs::read_dir(home.join("Music/Wavemill")).ok()?;
    folder.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.extension().is_some())
}

/// The sample of a frame; the channels differ in sign.
fn pattern(frame: u64) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most 20 bits")]
    let numerator = (frame % PATTERN_PERIOD + 1) as f32;
    numerator / PATTERN_PERIOD as f32
}

/// The first frame in the file, and the one after the last that follows without a gap.
fn kept(path: &Path) -> (u64, u64) {
    let mut reader = hound::WavReader::open(path).expect("the recording opens");
    let mut samples = reader.samples::<f32>();
    let mut next = || {
        let mut sample = || samples.next().and_then(Result::ok);
        Some((sample()?, sample()?))
    };
    let (first, _) = next().expect("it is not empty");
    let begun = (0..PATTERN_PERIOD).find(|&frame| pattern(frame).to_bits() == first.to_bits());
    let begun = begun.expect("its first sample was sent");
    let mut follows = |frame: u64| {
        let value = pattern(frame);
        next().is_some_and(|(left, right)| {
            left.to_bits() == value.to_bits() && right.to_bits() == (-value).to_bits()
        })
    };
    let mut end = begun + 1;
    while follows(end) {
        end += 1;
    }
    (begun, end)
}

/// Sends the pattern for so many seconds; prints the frames sent and the slowest block.
pub(crate) fn capture(arguments: &[String]) {
    let seconds: u64 = arguments.get(1).expect("seconds").parse().expect("seconds");
    let mut instance = Instance::new(&bundle(arguments), f64::from(RATE_HZ), BLOCK_FRAMES);
    let [mut left, mut right] = [[0.0; BLOCK_FRAMES]; 2];
    instance.capture("now");
    let blocks = seconds * u64::from(RATE_HZ) / BLOCK_FRAMES as u64;
    let mut slowest = Duration::ZERO;
    let begin = Instant::now();
    for block in 0..blocks {
        let frames = block * BLOCK_FRAMES as u64..;
        for ((frame, left), right) in frames.zip(&mut left).zip(&mut right) {
            *left = pattern(frame);
            *right = -*left;
        }
        let due = begin + Duration::from_secs(block * BLOCK_FRAMES as u64) / RATE_HZ;
        while let Some(wait) = due.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(wait);
        }
        let started = Instant::now();
        instance.process([&left, &right]);
        slowest = slowest.max(started.elapsed());
    }
    instance.capture("off");
    instance.process([&left, &right]);
    drop(instance);
    let home = std::env::var_os("HOME").map(PathBuf::from).expect("a home");
    lab::wait_until("the recording is complete", || {
        recording(&home).is_some_and(|path| hound::WavReader::open(path).is_ok())
            && !threads(std::process::id()).iter().any(|(_, name)| name == WRITER)
    });
    println!("{} {:.3}", blocks * BLOCK_FRAMES as u64, slowest.as_secs_f64() * 1e3);
}
