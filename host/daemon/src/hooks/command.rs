//! Notifying by running a program.

use super::{Failure, Message};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use wavemill_platform::one_line;

/// Longest that a command may run.
const ENDS_WITHIN: Duration = Duration::from_mins(1);

/// Most that is read of what a command says; the rest is thrown away.
const SAID_BYTES_MAX: u64 = 4096;

/// Runs a command with the message's JSON on its standard input, and waits for its end.
pub(super) fn run(words: &[String], message: &Message) -> Result<(), Failure> {
    run_within(words, message, ENDS_WITHIN)
}

fn run_within(words: &[String], message: &Message, within: Duration) -> Result<(), Failure> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let unwell = |error: std::io::Error| Failure::Unwell(format!("{program}: {error}"));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("WAVEMILL_EVENT", &message.kind)
        .env("WAVEMILL_ID", &message.subject)
        .env("WAVEMILL_PIPELINE", &message.pipeline)
        .env("WAVEMILL_TEXT", &message.text)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // Of a group of its own, so that what it started ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(unwell)?;
    let (sender, end) = mpsc::channel();
    let (mut input, mut errors) = (child.stdin.take(), child.stderr.take());
    let body = message.body();
    // A command that reads nothing, or says much, must not keep anybody waiting.
    let feed = move || {
        // It need not read it.
        let _ = input.as_mut().map(|input| input.write_all(body.as_bytes()));
    };
    let listen = move || {
        let mut said = Vec::new();
        if let Some(errors) = &mut errors {
            let _ = errors.by_ref().take(SAID_BYTES_MAX).read_to_end(&mut said);
            let _ = std::io::copy(errors, &mut std::io::sink());
        }
        // Nobody waits any more once it was ended.
        let _ = sender.send(String::from_utf8_lossy(&said).into_owned());
    };
    let start = |name: &str, work: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().name(name.to_owned()).spawn(work)
    };
    let started = start("hook input", Box::new(feed))
        .and_then(|_| start("hook output", Box::new(listen)))
        .map_err(unwell);
    let said = started.and_then(|_| {
        end.recv_timeout(within).map_err(|_| {
            Failure::Unwell(format!("{program}: did not end within {} s", within.as_secs_f64()))
        })
    });
    // Its output is closed, so it ends now, or it was ended.
    if said.is_err() {
        end_group(&mut child);
    }
    let status = wait(&mut child, within).map_err(unwell)?;
    let said = said?;
    if status.success() {
        return Ok(());
    }
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    let last = last.map_or_else(String::new, |line| format!(": {}", one_line(line.trim())));
    Err(Failure::Refused(format!("{program}: {status}{last}")))
}

/// Waits for a command that closed its output; one that goes on nevertheless is ended.
fn wait(child: &mut Child, within: Duration) -> std::io::Result<ExitStatus> {
    let looks = 100;
    for _ in 0..looks {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::park_timeout(within.min(Duration::from_secs(1)) / looks);
    }
    end_group(child);
    child.wait()
}

fn end_group(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn command_gets_the_message_and_its_variables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        let script = format!("cat > '{0}'; echo $WAVEMILL_EVENT >> '{0}'", path.display());
        let message = Message::trial(1_000);
        run(&sh(&script), &message).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), format!("{}test\n", message.body()));
    }

    #[test]
    fn command_that_fails_is_refused_with_its_last_word() {
        let failure = run(&sh("echo one >&2; echo two >&2; exit 3"), &Message::trial(0));
        let Err(Failure::Refused(reason)) = failure else { panic!("{failure:?}") };
        assert!(reason.contains('3') && reason.ends_with(": two"), "{reason}");
    }

    #[test]
    fn command_that_is_not_there_is_unwell() {
        let failure = run(&["/nowhere/at/all".to_owned()], &Message::trial(0));
        assert!(matches!(&failure, Err(Failure::Unwell(reason)) if reason.contains("nowhere")));
    }

    #[test]
    fn command_that_does_not_end_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > '{}'; wait", path.display());
        let within = Duration::from_millis(500);
        let failure = run_within(&sh(&script), &Message::trial(0), within);
        assert!(matches!(failure, Err(Failure::Unwell(_))), "{failure:?}");
        let pid: i32 = std::fs::read_to_string(path).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let is_gone =
            || match std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) {
                Ok(stat) => stat.contains(") Z "),
                Err(_) => true,
            };
        for _ in 0..500 {
            if is_gone() {
                return;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        panic!("what it started still runs");
    }

    #[test]
    fn command_that_reads_nothing_and_says_much_is_waited_for() {
        let message = Message { text: "x".repeat(200_000), ..Message::trial(0) };
        let script = "head -c 300000 /dev/zero | tr '\\0' 'x' >&2";
        // Variables of the environment are bounded by the system.
        let message =
            Message { data: serde_json::json!(message.text), text: String::new(), ..message };
        run(&sh(script), &message).unwrap();
    }
}
