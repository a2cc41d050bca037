//! Whole programs, decoding included: user CPU of five minutes.

use crate::record::{Record, median};
use crate::usage;
use std::path::Path;
use std::process::{Command, Stdio};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::Lab;

const ROUNDS: usize = 5;

/// Runs of a program within a round: the kernel reports times in hundredths of a second, and one of ours
/// takes less than ten.
const RUNS: usize = 10;

/// Integrated loudness only: that is all it measures.
const PYLOUDNORM: &str = "
import sys, soundfile, pyloudnorm
samples, rate = soundfile.read(sys.argv[1])
print(pyloudnorm.Meter(rate).integrated_loudness(samples))";

/// A program, what it measures, and what was promised.
struct Peer {
    name: &'static str,
    measures: &'static str,
    promise: &'static str,
    command: Box<dyn Fn() -> Command>,
}

pub(super) fn compare(lab: &Lab, file: &Path, python: &str, record: &mut Record) {
    let mut absent = Vec::new();
    for peer in peers(file, python) {
        match peer {
            Ok(peer) => against(lab, file, &peer, record),
            Err(name) => absent.push(name),
        }
    }
    if !absent.is_empty() {
        record.findings.push(format!("not compared, because not installed: {}", absent.join(", ")));
    }
}

/// Those that are here, and the names of those that are not.
fn peers(file: &Path, python: &str) -> Vec<Result<Peer, &'static str>> {
    let tool =
        |name: &'static str, measures, promise, before: &'static [&str], after: &'static [&str]| {
            let tool = Tool::find(name).ok_or(name)?;
            let file = file.to_owned();
            let command = move || {
                let mut command = tool.command();
                command.args(before).arg(&file).args(after);
                command
            };
            Ok(Peer { name, measures, promise, command: Box::new(command) })
        };
    vec![
        tool(
            "ffmpeg",
            "ebur128=peak=true: I, M, S, LRA, true peak",
            "; promised: at least 8",
            &["-nostdin", "-nostats", "-i"],
            &["-af", "ebur128=peak=true", "-f", "null", "-"],
        ),
        tool("loudgain", "I, LRA, true peak", "", &[], &[]),
        pyloudnorm(file, python).ok_or("pyloudnorm"),
    ]
}

fn pyloudnorm(file: &Path, python: &str) -> Option<Peer> {
    let knows = Command::new(python)
        .args(["-c", "import pyloudnorm, soundfile"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    knows.is_ok_and(|status| status.success()).then(|| {
        let (python, file) = (python.to_owned(), file.to_owned());
        let command = move || {
            let mut command = Command::new(&python);
            command.args(["-c", PYLOUDNORM]).arg(&file);
            command
        };
        Peer { name: "pyloudnorm", measures: "I only", promise: "", command: Box::new(command) }
    })
}

/// Ours; a file it knows already would not be decoded.
fn analyze(lab: &Lab, file: &Path) -> Command {
    let mut command = lab.command(["analyze", "--only", "loudness", "--no-cache"]);
    command.arg(file);
    command
}

fn against(lab: &Lab, file: &Path, peer: &Peer, record: &mut Record) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let our = user_s(RUNS, || analyze(lab, file));
        let their = user_s(1, &peer.command);
        // The first round warms the caches.
        if round > 0 {
            let what = format!("analyze against {}", peer.name);
            record.rows.push(vec![what, round.to_string(), our.to_string(), their.to_string()]);
            ours.push(our);
            theirs.push(their);
        }
    }
    let ratios: Vec<f64> = theirs.iter().zip(&ours).map(|(their, our)| their / our).collect();
    record.findings.push(format!(
        "`analyze --only loudness` of the music: {:.3} s of user CPU against {:.3} s of {} ({}), {:.1} times less \
         (medians of {ROUNDS} alternating rounds{})",
        median(&ours),
        median(&theirs),
        peer.name,
        peer.measures,
        median(&ratios),
        peer.promise,
    ));
}

/// User CPU of a run, from several in a row.
fn user_s(runs: usize, command: impl Fn() -> Command) -> f64 {
    let of_children = || usage::user_s(std::process::id()).expect("this process runs");
    let before = of_children();
    for _ in 0..runs {
        let mut command = command();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?} failed: {status}");
    }
    (of_children() - before) / runs as f64
}
